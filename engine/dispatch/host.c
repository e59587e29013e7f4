/* Kernels that run on the CPU within a GPU's program. */
#include "dispatch/dispatch.h"

#include <string.h>

#define INTEGERS "shaders compute with floats"

/* A row's kernels read and write values whose form is the same for every target. What is packed
 * for a target, or shares a workspace with other steps, has no place here: weights of integers are
 * packed by the kernels that read them, in room that is enough for every instruction set. */
static const struct {
  const char *kernel, *reason;
} host_kernels[] = {
    {SL_STEP_REFERENCE, "the reference has no form for GPUs"},
    {"quantize", INTEGERS},
    {"dequantize", INTEGERS},
    {"qadd", INTEGERS},
    {"qmul", INTEGERS},
    {"qmean", INTEGERS},
    {"qconv2d", INTEGERS},
    {"qdepthwise2d", INTEGERS},
    {"pack_quantized", INTEGERS},
    {"pack_qdepthwise", INTEGERS},
    {"max_pool2d_uint8", INTEGERS},
    {"max_pool2d_int8", INTEGERS},
};

bool
sl_dispatch_is_host (const char *kernel, const char **ret_reason)
{
  for (size_t i = 0; i < G_N_ELEMENTS (host_kernels); i++)
    if (strcmp (host_kernels[i].kernel, kernel) == 0) {
      if (ret_reason != NULL)
        *ret_reason = host_kernels[i].reason;
      return true;
    }
  return false;
}
