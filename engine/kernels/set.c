#include "kernels/kernel.h"

#include <string.h>

/* SL_KERNEL_SETS, from the build: X (set) for each set built. */
#define DECLARE(isa) extern const SlKernelSet sl_kernel_set_##isa;
SL_KERNEL_SETS (DECLARE)

#define ENTRY(isa) &sl_kernel_set_##isa,
static const SlKernelSet *const sets[] = {SL_KERNEL_SETS (ENTRY)};

const SlKernelSet *
sl_kernel_set_get (SlIsa isa)
{
  for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
    if (sets[i]->isa == isa)
      return sets[i];
  return NULL;
}

const SlKernel *
sl_kernel_set_find (const SlKernelSet *set, const char *name)
{
  for (size_t i = 0; set->kernels[i]; i++)
    if (strcmp (set->kernels[i]->name, name) == 0)
      return set->kernels[i];
  return NULL;
}
