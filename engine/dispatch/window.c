#include "dispatch/window.h"

#include <glib.h>

/* Inputs `low` … `high` as far as they exist; one at least. */
static void
narrow (int64_t low, int64_t high, uint32_t *in, uint32_t *ret_first)
{
  const int64_t begin = CLAMP (low, 0, (int64_t)*in - 1);
  const int64_t end = CLAMP (high + 1, begin + 1, (int64_t)*in);
  *in = (uint32_t)(end - begin);
  *ret_first = (uint32_t)begin;
}

void
sl_window_narrow (uint32_t from, uint32_t n, int32_t stride, int32_t step, uint32_t taps,
                  int32_t *pad, uint32_t *in, uint32_t *ret_first)
{
  const int64_t reach = (int64_t)(taps - 1) * step;
  const int64_t low = (int64_t)from * stride - *pad + MIN (reach, 0);
  const int64_t high = (int64_t)(from + n - 1) * stride - *pad + MAX (reach, 0);
  narrow (low, high, in, ret_first);
  *pad = (int32_t)(*pad - (int64_t)from * stride + *ret_first);
}

void
sl_window_narrow_transposed (uint32_t from, uint32_t n, int32_t stride, int32_t step, uint32_t taps,
                             int32_t *pad, uint32_t *in, uint32_t *ret_first)
{
  const int64_t low = ((int64_t)from + *pad - (int64_t)(taps - 1) * step) / stride;
  const int64_t high = ((int64_t)from + n - 1 + *pad) / stride;
  narrow (low, high, in, ret_first);
  *pad = (int32_t)(*pad + (int64_t)from - (int64_t)*ret_first * stride);
}
