#include "core/memory.h"

#include <stdlib.h>

void *
sl_aligned_alloc (size_t size)
{
  void *memory;
  if (posix_memalign (&memory, SL_ALIGNMENT, size ? size : 1) != 0)
    return NULL;
  return memory;
}

void
sl_aligned_free (void *memory)
{
  free (memory);
}
