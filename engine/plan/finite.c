#include "plan/backend.h"

#include <math.h>
#include <string.h>

/* The exponent bits are all ones exactly in NaN and infinity. */
static bool
is_finite_f32 (const float *data, size_t n)
{
  uint32_t bad = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy (&bits, &data[i], sizeof bits);
    bad |= (bits & 0x7f800000u) == 0x7f800000u;
  }
  return bad == 0;
}

static bool
is_finite_16 (const uint16_t *data, size_t n, uint16_t exponent)
{
  for (size_t i = 0; i < n; i++)
    if ((data[i] & exponent) == exponent)
      return false;
  return true;
}

bool
sl_is_finite (SlDType dtype, const void *data, size_t n)
{
  switch (dtype) {
  case SL_FLOAT32:
    return is_finite_f32 (data, n);
  case SL_FLOAT16:
    return is_finite_16 (data, n, 0x7c00);
  case SL_BFLOAT16:
    return is_finite_16 (data, n, 0x7f80);
  case SL_FLOAT64:
    for (size_t i = 0; i < n; i++)
      if (!isfinite (((const double *)data)[i]))
        return false;
    return true;
  default:
    return true;
  }
}

bool
sl_value_is_finite (const SlValue *value, const void *data)
{
  size_t rows, cols, stride, size = sl_value_get_element_size (value);
  sl_value_get_rows (value, &rows, &cols, &stride);
  for (size_t row = 0; row < rows; row++)
    if (!sl_is_finite (sl_value_get_storage (value), (const char *)data + row * stride * size,
                       cols))
      return false;
  return true;
}
