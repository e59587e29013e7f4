/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear:
 * https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html and so on. */
#include "ops/quant.h"
#include "ops/shape.h"

#include <math.h>

typedef struct QuantAttrs {
  int64_t axis, block_size;
  int64_t output_dtype; /* TensorProto.DataType; 0: what the zero point is, or uint8 */
  int64_t precision;    /* of the division, since opset 23: float32 here */
  bool saturate;        /* of 8-bit floats only, which there are none of here */
} QuantAttrs;

#define QUANT_ATTR(field, preset_value)                                          \
  {                                                                              \
    .name = #field, .type = SL_ATTR_INT, .offset = offsetof (QuantAttrs, field), \
    .preset = preset_value                                                       \
  }

static const SlAttrSpec quantize_attrs[] = {
    QUANT_ATTR (axis, 1),
    QUANT_ATTR (block_size, 0),
    QUANT_ATTR (output_dtype, 0),
    QUANT_ATTR (precision, 0),
    {.name = "saturate",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (QuantAttrs, saturate),
     .preset = 1},
    {0},
};

static const SlAttrSpec dequantize_attrs[] = {
    QUANT_ATTR (axis, 1),
    QUANT_ATTR (block_size, 0),
    QUANT_ATTR (output_dtype, 0),
    {0},
};

/* By TensorProto.DataType. */
static const SlDType types[] = {
    [1] = SL_FLOAT32, [2] = SL_UINT8,    [3] = SL_INT8,      [4] = SL_UINT16,
    [5] = SL_INT16,   [10] = SL_FLOAT16, [16] = SL_BFLOAT16,
};

/* The attribute's type, or `preset` where it says nothing; SL_DTYPE_NONE for what is not here. */
static SlDType
output_type (int64_t attr, SlDType preset)
{
  if (attr == 0)
    return preset;
  return attr > 0 && attr < (int64_t)G_N_ELEMENTS (types) ? types[attr] : SL_DTYPE_NONE;
}

/* --- Which scale an element has --- */

/* The scale of element i is number (i / outer) * outer_step + i / inner % along / block *
 * inner_step
 * + i % inner * each: one for all, one for each index of the axis, or one for each block along it.
 */
typedef struct Spread {
  size_t inner, along, block;
  bool is_single, is_blocked;
} Spread;

static size_t
spread_at (const Spread *spread, size_t i)
{
  if (spread->is_single)
    return 0;
  size_t at = i / spread->inner % spread->along;
  if (!spread->is_blocked)
    return at;
  size_t blocks = (spread->along + spread->block - 1) / spread->block;
  size_t outer = i / spread->inner / spread->along;
  return (outer * blocks + at / spread->block) * spread->inner + i % spread->inner;
}

static Spread
spread_of (const QuantAttrs *attrs, const SlShape *x, const SlShape *scale, size_t n_scales)
{
  Spread spread = {.inner = 1, .along = 1, .block = 1};
  spread.is_single = n_scales == 1;
  spread.is_blocked = attrs->block_size > 0;
  if (spread.is_single)
    return spread;
  for (uint32_t i = (uint32_t)attrs->axis + 1; i < x->rank; i++)
    spread.inner *= (size_t)x->dim[i];
  spread.along = (size_t)x->dim[attrs->axis];
  spread.block = (size_t)MAX (attrs->block_size, 1);
  return spread;
}

static bool
blocks_fit (const QuantAttrs *attrs, const SlShape *x, const SlShape *scale)
{
  if (scale->rank != x->rank || attrs->block_size < 1)
    return false;
  for (uint32_t i = 0; i < x->rank; i++) {
    int64_t size = x->dim[i];
    if (i == (uint32_t)attrs->axis)
      size = size / attrs->block_size + (size % attrs->block_size != 0);
    if (scale->dim[i] != size)
      return false;
  }
  return true;
}

/* Checks scale (input 1) and zero point (2) against x and settles the axis. */
static gboolean
check_scale (const SlNode *node, QuantAttrs *attrs, GError **error)
{
  const SlValue *x = node->inputs[0], *scale = node->inputs[1], *zero = sl_node_input (node, 2);
  if (!sl_dtype_is_float (scale->dtype) || scale->dtype == SL_FLOAT64) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "scale '%s' is %s, expected float32 or less",
                   scale->name, sl_dtype_get_name (scale->dtype));
    return FALSE;
  }
  g_autofree char *scales = sl_shape_to_string (&scale->shape);
  size_t n_scales = 0, n_zeros = 0;
  sl_shape_get_elements (&scale->shape, &n_scales);
  if (zero != NULL && sl_shape_get_elements (&zero->shape, &n_zeros) && n_zeros != n_scales) {
    g_autofree char *zeros = sl_shape_to_string (&zero->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "zero point is %s for a scale of %s", zeros,
                   scales);
    return FALSE;
  }
  if (n_scales == 1)
    return TRUE;
  if (!sl_infer_axis (node, &attrs->axis, x->shape.rank, error))
    return FALSE;
  bool fits = attrs->block_size != 0
                  ? blocks_fit (attrs, &x->shape, &scale->shape)
                  : scale->shape.rank == 1 && scale->shape.dim[0] == x->shape.dim[attrs->axis];
  if (fits)
    return TRUE;
  g_autofree char *shape = sl_shape_to_string (&x->shape);
  sl_node_error (node, error, SL_ERROR_SHAPE,
                 "scale is %s for an input of %s on axis %" G_GINT64_FORMAT
                 " in blocks of %" G_GINT64_FORMAT,
                 scales, shape, attrs->axis, attrs->block_size);
  return FALSE;
}

/* --- QuantizeLinear --- */

static gboolean
quantize_infer (SlNode *node, GError **error)
{
  QuantAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *zero = sl_node_input (node, 2);
  SlDType named = output_type (attrs->output_dtype, SL_UINT8);
  SlDType dtype = zero != NULL ? zero->dtype : named;
  if (x->dtype != SL_INT32 && (!sl_dtype_is_float (x->dtype) || x->dtype == SL_FLOAT64)) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s", x->name,
                   sl_dtype_get_name (x->dtype));
    return FALSE;
  }
  bool known = sl_is_byte (dtype) || dtype == SL_INT16 || dtype == SL_UINT16;
  if (!known || (attrs->output_dtype != 0 && named != dtype)) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "a zero point of %s and output_dtype %" G_GINT64_FORMAT
                   " (expected the same of 8 or 16 bits)",
                   zero != NULL ? sl_dtype_get_name (dtype) : "nothing", attrs->output_dtype);
    return FALSE;
  }
  if (!check_scale (node, attrs, error))
    return FALSE;
  sl_infer_output (node, 0, dtype, &x->shape);
  return TRUE;
}

static void
quantize_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0], *scale = call->inputs[1];
  const SlRefTensor *zero = call->n_inputs > 2 ? call->inputs[2] : NULL;
  SlRefTensor *y = call->outputs[0];
  Spread spread = spread_of (call->attrs, &x->shape, &scale->shape, scale->n);
  bool is_float = sl_dtype_is_float (x->dtype);
  for (size_t i = 0; i < x->n; i++) {
    size_t at = spread_at (&spread, i);
    float number = is_float ? (float)x->f[i] : (float)x->i[i];
    y->i[i] = sl_quant_round (number / sl_quant_scale_at (scale, at), sl_quant_zero_at (zero, at),
                              y->dtype);
  }
}

/* Kernels know one scale for all, float32 and bytes. */
static bool
is_plain (const SlNode *node, const SlValue *bytes, const SlValue *floats)
{
  return sl_is_byte (bytes->dtype) && floats->dtype == SL_FLOAT32 &&
         node->inputs[1]->dtype == SL_FLOAT32 && sl_is_single (node->inputs[1]);
}

static gboolean
quantize_row_major_only (const SlNode *node)
{
  return !is_plain (node, node->outputs[0], node->inputs[0]);
}

static void
lower_rows (const SlNode *node, SlLowering *to, const char *kernel, SlDType bytes)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlQuantParams params = {.flip = sl_quant_flip (bytes)};
  sl_value_get_rows (x, &params.rows, &params.cols, &params.in_stride);
  sl_value_get_rows (y, &params.rows, &params.cols, &params.out_stride);
  sl_lower (to, kernel, &params, x, node->inputs[1], sl_node_input (node, 2), y);
}

static void
quantize_lower (const SlNode *node, SlLowering *to)
{
  if (quantize_row_major_only (node))
    sl_lower_reference (to);
  else
    lower_rows (node, to, "quantize", node->outputs[0]->dtype);
}

/* --- DequantizeLinear --- */

static gboolean
dequantize_infer (SlNode *node, GError **error)
{
  QuantAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *zero = sl_node_input (node, 2);
  bool known = sl_is_byte (x->dtype) || x->dtype == SL_INT16 || x->dtype == SL_UINT16 ||
               x->dtype == SL_INT32;
  if (!known || (zero != NULL && zero->dtype != x->dtype)) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s, its zero point %s",
                   x->name, sl_dtype_get_name (x->dtype),
                   zero != NULL ? sl_dtype_get_name (zero->dtype) : "left out");
    return FALSE;
  }
  if (!check_scale (node, attrs, error))
    return FALSE;
  SlDType dtype = output_type (attrs->output_dtype, node->inputs[1]->dtype);
  if (!sl_dtype_is_float (dtype)) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "output_dtype %" G_GINT64_FORMAT ", expected a float type", attrs->output_dtype);
    return FALSE;
  }
  sl_infer_output (node, 0, dtype, &x->shape);
  return TRUE;
}

static void
dequantize_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0], *scale = call->inputs[1];
  const SlRefTensor *zero = call->n_inputs > 2 ? call->inputs[2] : NULL;
  SlRefTensor *y = call->outputs[0];
  Spread spread = spread_of (call->attrs, &x->shape, &scale->shape, scale->n);
  for (size_t i = 0; i < x->n; i++) {
    size_t at = spread_at (&spread, i);
    float steps = (float)(x->i[i] - sl_quant_zero_at (zero, at));
    y->f[i] = (double)(steps * sl_quant_scale_at (scale, at));
  }
}

static gboolean
dequantize_row_major_only (const SlNode *node)
{
  return !is_plain (node, node->inputs[0], node->outputs[0]);
}

static void
dequantize_lower (const SlNode *node, SlLowering *to)
{
  if (dequantize_row_major_only (node))
    sl_lower_reference (to);
  else
    lower_rows (node, to, "dequantize", node->inputs[0]->dtype);
}

/* --- DynamicQuantizeLinear --- */

static gboolean
dynamic_infer (SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0];
  if (x->dtype != SL_FLOAT32) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s, expected float32", x->name,
                   sl_dtype_get_name (x->dtype));
    return FALSE;
  }
  const SlShape scalar = {0};
  sl_infer_output (node, 0, SL_UINT8, &x->shape);
  sl_infer_output (node, 1, SL_FLOAT32, &scalar);
  sl_infer_output (node, 2, SL_UINT8, &scalar);
  return TRUE;
}

static void
dynamic_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0];
  float lo = 0, hi = 0; /* 0 has to be one of the numbers */
  for (size_t i = 0; i < x->n; i++) {
    lo = fminf (lo, (float)x->f[i]);
    hi = fmaxf (hi, (float)x->f[i]);
  }
  float scale = hi == lo ? 1 : (hi - lo) / UINT8_MAX;
  int64_t zero = sl_quant_round (-lo / scale, 0, SL_UINT8);
  if (call->outputs[0] != NULL)
    for (size_t i = 0; i < x->n; i++)
      call->outputs[0]->i[i] = sl_quant_round ((float)x->f[i] / scale, zero, SL_UINT8);
  if (call->n_outputs > 1 && call->outputs[1] != NULL)
    call->outputs[1]->f[0] = (double)scale;
  if (call->n_outputs > 2 && call->outputs[2] != NULL)
    call->outputs[2]->i[0] = zero;
}

/* --- Classes --- */

#define MICROSOFT "com.microsoft"

static const SlOnnxForm quantize_forms[] = {{.since = 10}, {.domain = MICROSOFT, .since = 1}, {0}};

#define QUANT                                                                          \
  .min_inputs = 2, .max_inputs = 3, .min_outputs = 1, .max_outputs = 1,                \
  .attrs_size = sizeof (QuantAttrs), .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT, \
  .layouts = SL_LAYOUTS_FOLLOW, .forms = quantize_forms

static const SlOpClass quantize = {
    .name = "QuantizeLinear",
    .attrs = quantize_attrs,
    .infer = quantize_infer,
    .reference = quantize_reference,
    .lower = quantize_lower,
    .row_major_only = quantize_row_major_only,
    QUANT,
};

static const SlOpClass dequantize = {
    .name = "DequantizeLinear",
    .attrs = dequantize_attrs,
    .infer = dequantize_infer,
    .reference = dequantize_reference,
    .lower = dequantize_lower,
    .row_major_only = dequantize_row_major_only,
    QUANT,
};

static const SlOpClass dynamic_quantize = {
    .name = "DynamicQuantizeLinear",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 3,
    .infer = dynamic_infer,
    .reference = dynamic_reference,
};

const SlOpClass *const sl_ops_quantize[] = {&quantize, &dequantize, &dynamic_quantize, NULL};
