#include "image/augment-rows.h"
#include "image/heat-rows.h"
#include "image/rows.h"

/* meson.build lists what is built besides the baseline. */
extern const SlRowLoops sl_rows_baseline;
extern const SlHeatLoops sl_heat_baseline;
extern const SlAugmentLoops sl_augment_baseline;
#if defined(__x86_64__)
extern const SlRowLoops sl_rows_v3, sl_rows_v4;
extern const SlHeatLoops sl_heat_v3, sl_heat_v4;
extern const SlAugmentLoops sl_augment_v3, sl_augment_v4;
#endif

const SlRowLoops *
sl_row_loops (SlIsa isa)
{
#if defined(__x86_64__)
  if (isa == SL_ISA_X86_64_V4)
    return &sl_rows_v4;
  if (isa == SL_ISA_X86_64_V3)
    return &sl_rows_v3;
#endif
  return &sl_rows_baseline;
}

const SlHeatLoops *
sl_heat_loops (SlIsa isa)
{
#if defined(__x86_64__)
  if (isa == SL_ISA_X86_64_V4)
    return &sl_heat_v4;
  if (isa == SL_ISA_X86_64_V3)
    return &sl_heat_v3;
#endif
  return &sl_heat_baseline;
}

const SlAugmentLoops *
sl_augment_loops (SlIsa isa)
{
#if defined(__x86_64__)
  if (isa == SL_ISA_X86_64_V4)
    return &sl_augment_v4;
  if (isa == SL_ISA_X86_64_V3)
    return &sl_augment_v3;
#endif
  return &sl_augment_baseline;
}
