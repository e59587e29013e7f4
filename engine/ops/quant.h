/* Shared by the families of quantised operators: real = scale * (q - zero point). */
#pragma once

#include "graph/op.h"
#include "kernels/qconv2d.h"

/* Least and greatest number of an integer type. */
int64_t sl_quant_min (SlDType dtype);
int64_t sl_quant_max (SlDType dtype);

/* 8 bits, signed or not. */
static inline bool
sl_is_byte (SlDType dtype)
{
  return dtype == SL_INT8 || dtype == SL_UINT8;
}

/* What kernels/quantize.h calls the flip of a type. */
static inline uint8_t
sl_quant_flip (SlDType dtype)
{
  return dtype == SL_INT8 ? SL_QUANT_SIGNED : SL_QUANT_UNSIGNED;
}

/* One element in whatever rank. */
bool sl_is_single (const SlValue *value);

/* Input `index` is there, a byte (of `like`'s type where that is not NULL), or a zero point left
 * out. */
gboolean sl_quant_check_bytes (const SlNode *node, uint32_t index, const SlValue *like,
                               GError **error);
/* Input `index` is one float32. */
gboolean sl_quant_check_scale (const SlNode *node, uint32_t index, GError **error);
/* Input `index` has one element, or `n` in a vector; where left out, fine. */
gboolean sl_quant_check_count (const SlNode *node, uint32_t index, int64_t n, GError **error);

/* Element `i` of a scale or zero point in a reference: of one element, the only one. */
static inline float
sl_quant_scale_at (const SlRefTensor *scale, size_t i)
{
  return (float)scale->f[scale->n > 1 ? i : 0];
}

static inline int64_t
sl_quant_zero_at (const SlRefTensor *zero, size_t i)
{
  return zero == NULL ? 0 : zero->i[zero->n > 1 ? i : 0];
}

/* A number in units of the scale as a quantised one: the float arithmetic of kernels/quantize.h. */
static inline int64_t
sl_quant_round (float x, int64_t zero, SlDType dtype)
{
  float lo = (float)(sl_quant_min (dtype) - zero), hi = (float)(sl_quant_max (dtype) - zero);
  x = x > lo ? x < hi ? x : hi : lo; /* NaN: the least */
  return (int64_t)__builtin_rintf (x) + zero;
}

/* A sum of products as a quantised number. Sums wrap at 32 bits. */
static inline int64_t
sl_requantize (int64_t sum, float factor, int64_t zero, SlDType dtype)
{
  return sl_quant_round ((float)(int32_t)sum * factor, zero, dtype);
}

/* --- Sums of products: convolution and matrix product --- */

/* Which input of an op is what; one that no node has (SL_QUANT_NONE) reads as left out. */
typedef struct SlQuantRoles {
  uint32_t x, x_scale, x_zero, w, w_scale, w_zero, bias, y_scale, y_zero;
} SlQuantRoles;
#define SL_QUANT_NONE 0xffff

/* What all of them ask of types: x and w bytes, zero points of their types, an int32 bias, scales
 * of float32. Sets the type of output 0: the one of y_zero (else x's) if there is a y_scale, else
 * `sum`. */
gboolean sl_quant_check_product (const SlNode *node, const SlQuantRoles *roles, SlDType sum,
                                 SlDType *ret_dtype, GError **error);

/* The factor of column `i`: x_scale * w_scale[i] / y_scale in float, without y_scale where there is
 * none. */
float sl_quant_factor (const SlRefCall *call, const SlQuantRoles *roles, size_t i);

/* An output of the reference from its sum, as its type has it. */
void sl_quant_store (const SlRefCall *call, const SlQuantRoles *roles, size_t to, size_t column,
                     int64_t sum);

/* Puts packed weights (for the depthwise kernel if asked) in the place of w, and the factors in
 * that of w_scale. */
void sl_quant_prepare (SlGraph *graph, SlNode *node, const SlQuantRoles *roles,
                       SlQuantPackParams *pack, bool depthwise, const SlTarget *target);
/* The step of a prepared node; completes types in `params`. */
void sl_quant_lower (const SlNode *node, SlLowering *to, const SlQuantRoles *roles,
                     SlQuantConvParams *params, bool depthwise);
