#include "kernels/list.h"
#include "kernels/tile.h"

#define DECLARE(name) extern const SlKernel SL_KERNEL_NAME (sl_kernel_##name);
SL_KERNEL_LIST (DECLARE)

#define ENTRY(name) &SL_KERNEL_NAME (sl_kernel_##name),
static const SlKernel *const kernels[] = {SL_KERNEL_LIST (ENTRY) NULL};

extern const SlKernelSet SL_KERNEL_NAME (sl_kernel_set);
const SlKernelSet SL_KERNEL_NAME (sl_kernel_set) = {
    .isa = SL_KERNEL_ISA_ID,
    .panel = VEC_WIDTH,
    .panel_max = PANEL_MAX,
    .kernels = kernels,
};
