/* Windows along one axis of a picture: what a part of the outputs sees. */
#pragma once

#include <stdint.h>

/* Narrows an axis to outputs `from` … from + n - 1 and to the inputs that they see: output i sees
 * i * stride - pad + tap * step. *pad and *in (how many inputs there are, at least 1) become those
 * of the part, whose first input is *ret_first. */
void sl_window_narrow (uint32_t from, uint32_t n, int32_t stride, int32_t step, uint32_t taps,
                       int32_t *pad, uint32_t *in, uint32_t *ret_first);

/* The same where output i sees (i + pad - tap * step) / stride, if that is whole. */
void sl_window_narrow_transposed (uint32_t from, uint32_t n, int32_t stride, int32_t step,
                                  uint32_t taps, int32_t *pad, uint32_t *in, uint32_t *ret_first);
