/* Element by element and pooling on quantised numbers, as ONNX Runtime's quantiser writes them:
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 *
 * Sums, products and the global mean have kernels. The others become what ONNX Runtime computes
 * too: the float operator between DequantizeLinear and QuantizeLinear. */
#include "ops/quant.h"
#include "ops/shape.h"

#include <math.h>

#define MICROSOFT "com.microsoft"

/* --- QLinearAdd, QLinearMul: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero --- */

enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, Y_SCALE, Y_ZERO };

typedef struct QBinary {
  SlOpClass op; /* first: a node's class is converted back */
  const char *kernel;
  bool is_product;
} QBinary;

static const QBinary *
class_of (const SlNode *node)
{
  return (const QBinary *)(const void *)node->op;
}

/* Bytes of one type at `bytes[…]`, single float32 at `scales[…]`. */
static gboolean
check_types (const SlNode *node, const uint32_t *bytes, uint32_t n_bytes, const uint32_t *scales,
             uint32_t n_scales, GError **error)
{
  for (uint32_t i = 0; i < n_bytes; i++)
    if (!sl_quant_check_bytes (node, bytes[i], i > 0 ? node->inputs[0] : NULL, error))
      return FALSE;
  for (uint32_t i = 0; i < n_scales; i++) {
    const SlValue *scale = sl_node_input (node, scales[i]);
    if (!sl_quant_check_scale (node, scales[i], error))
      return FALSE;
    if (scale != NULL && scale->dtype == SL_FLOAT32)
      continue;
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "scale '%s' is %s, expected float32",
                   scale != NULL ? scale->name : "",
                   scale != NULL ? sl_dtype_get_name (scale->dtype) : "left out");
    return FALSE;
  }
  return TRUE;
}

static gboolean
qbinary_infer (SlNode *node, GError **error)
{
  static const uint32_t bytes[] = {A, A_ZERO, B, B_ZERO, Y_ZERO},
                        scales[] = {A_SCALE, B_SCALE, Y_SCALE};
  static const uint32_t zeros[] = {A_ZERO, B_ZERO, Y_ZERO};
  SlShape y;
  if (sl_node_input (node, B) == NULL) {
    sl_node_error (node, error, SL_ERROR_MALFORMED, "input %d is left out", B);
    return FALSE;
  }
  if (!check_types (node, bytes, G_N_ELEMENTS (bytes), scales, G_N_ELEMENTS (scales), error))
    return FALSE;
  for (uint32_t i = 0; i < G_N_ELEMENTS (zeros); i++)
    if (!sl_quant_check_scale (node, zeros[i], error))
      return FALSE;
  const SlShape *a = &node->inputs[A]->shape, *b = &node->inputs[B]->shape;
  if (!sl_shape_broadcast (a, b, &y)) {
    g_autofree char *left = sl_shape_to_string (a);
    g_autofree char *right = sl_shape_to_string (b);
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s and %s do not broadcast", left, right);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[A]->dtype, &y);
  return TRUE;
}

static int64_t
zero_at (const SlRefCall *call, uint32_t i)
{
  return i < call->n_inputs ? sl_quant_zero_at (call->inputs[i], 0) : 0;
}

/* The same float arithmetic as kernels/quantize.c, which says why. */
static void
qbinary_reference (const SlRefCall *call)
{
  const SlRefTensor *a = call->inputs[A], *b = call->inputs[B];
  SlRefTensor *y = call->outputs[0];
  float a_scale = sl_quant_scale_at (call->inputs[A_SCALE], 0);
  float b_scale = sl_quant_scale_at (call->inputs[B_SCALE], 0);
  float y_scale = sl_quant_scale_at (call->inputs[Y_SCALE], 0);
  int64_t a_zero = zero_at (call, A_ZERO), b_zero = zero_at (call, B_ZERO),
          y_zero = zero_at (call, Y_ZERO);
  float a_ratio = a_scale / y_scale, b_ratio = b_scale / y_scale;
  float factor = a_scale * b_scale / y_scale;
  float rest = (float)y_zero - fmaf (a_ratio, (float)a_zero, b_ratio * (float)b_zero);
  SlIndex index = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++) {
    int64_t left = a->i[sl_index_offset (&index, &a->shape)];
    int64_t right = b->i[sl_index_offset (&index, &b->shape)];
    float x = class_of (call->node)->is_product
                  ? (float)((left - a_zero) * (right - b_zero)) * factor + (float)y_zero
                  : fmaf ((float)left, a_ratio, fmaf ((float)right, b_ratio, rest));
    y->i[i] = sl_quant_round (x, 0, y->dtype);
    sl_index_next (&index, &y->shape);
  }
}

/* The number of elements of `b` if it is the last dimensions of y (behind any 1s), so that it
 * repeats along whole rows; else 0. */
static size_t
row_of (const SlShape *b, const SlShape *y)
{
  uint32_t ones = 0;
  size_t n = 1;
  while (ones < b->rank && b->dim[ones] == 1)
    ones++;
  for (uint32_t i = ones; i < b->rank; i++) {
    if (b->dim[i] != y->dim[y->rank - b->rank + i])
      return 0;
    n *= (size_t)b->dim[i];
  }
  return n;
}

/* One element for each channel of y. */
static bool
is_channels (const SlShape *b, const SlShape *y)
{
  size_t elements = 0;
  return y->rank >= 3 && b->rank + 1 >= y->rank && sl_shape_get_elements (b, &elements) &&
         elements == (size_t)y->dim[1] && b->dim[b->rank + 1 - y->rank] == y->dim[1];
}

/* The kernel takes both operands as they are, or b as one element, a row or the channels. */
static gboolean
qbinary_row_major_only (const SlNode *node)
{
  const SlShape *a = &node->inputs[A]->shape, *b = &node->inputs[B]->shape;
  const SlShape *y = &node->outputs[0]->shape;
  bool is_plain = sl_shape_equal (b, y) || sl_is_single (node->inputs[B]) || is_channels (b, y);
  return !sl_shape_equal (a, y) || !is_plain;
}

/* FALSE if no kernel does it. */
static bool
qbinary_rows (const SlNode *node, SlQuantBinaryParams *params)
{
  const SlValue *a = node->inputs[A], *b = node->inputs[B], *y = node->outputs[0];
  if (!sl_shape_equal (&a->shape, &y->shape))
    return false;
  sl_value_get_rows (a, &params->rows, &params->cols, &params->a_stride);
  sl_value_get_rows (y, &params->rows, &params->cols, &params->out_stride);
  if (sl_shape_equal (&b->shape, &y->shape)) {
    sl_value_get_rows (b, &params->rows, &params->cols, &params->b_stride);
    return true;
  }
  params->b_repeat = sl_is_single (b);
  if (params->b_repeat)
    return true;
  if (y->layout == SL_LAYOUT_CHANNELS_LAST)
    return is_channels (&b->shape, &y->shape);
  size_t row = row_of (&b->shape, &y->shape);
  if (row == 0)
    return false;
  params->rows = params->cols / row;
  params->cols = params->a_stride = params->out_stride = row;
  return true;
}

static void
qbinary_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *const *in = (const SlValue *const *)node->inputs;
  SlQuantBinaryParams params = {.flip = sl_quant_flip (node->outputs[0]->dtype)};
  if (!qbinary_rows (node, &params)) {
    sl_lower_reference (to);
    return;
  }
  sl_lower (to, class_of (node)->kernel, &params, in[A], in[A_SCALE], in[A_ZERO], in[B],
            in[B_SCALE], in[B_ZERO], in[Y_SCALE], sl_node_input (node, Y_ZERO), node->outputs[0]);
}

#define QBINARY                                                                              \
  .domain = MICROSOFT, .min_inputs = 2, .max_inputs = 8, .min_outputs = 1, .max_outputs = 1, \
  .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT, .layouts = SL_LAYOUTS_FOLLOW,            \
  .infer = qbinary_infer, .reference = qbinary_reference, .lower = qbinary_lower,            \
  .row_major_only = qbinary_row_major_only

static const QBinary qlinear_add = {
    .op = {.name = "QLinearAdd", QBINARY},
    .kernel = "qadd",
};

static const QBinary qlinear_mul = {
    .op = {.name = "QLinearMul", QBINARY},
    .kernel = "qmul",
    .is_product = true,
};

/* --- QLinearGlobalAveragePool: x, x_scale, x_zero, y_scale, y_zero --- */

enum { MEAN_X, MEAN_X_SCALE, MEAN_X_ZERO, MEAN_Y_SCALE, MEAN_Y_ZERO };

typedef struct MeanAttrs {
  bool channels_last; /* the channels are the last dimension of x, not the second */
} MeanAttrs;

static const SlAttrSpec mean_attrs[] = {
    {.name = "channels_last", .type = SL_ATTR_BOOL, .offset = offsetof (MeanAttrs, channels_last)},
    {0},
};

/* Sums of this many bytes fit 31 bits. */
#define MEAN_MAX (1 << 23)

/* Positions of one channel. */
static int64_t
count_positions (const SlShape *x, bool channels_last)
{
  int64_t n = 1;
  for (uint32_t i = channels_last ? 1 : 2; i < x->rank - channels_last; i++)
    n = x->dim[i] > 0 && n > MEAN_MAX / x->dim[i] ? MEAN_MAX + 1 : n * x->dim[i];
  return n;
}

static gboolean
mean_infer (SlNode *node, GError **error)
{
  static const uint32_t bytes[] = {MEAN_X, MEAN_X_ZERO, MEAN_Y_ZERO},
                        scales[] = {MEAN_X_SCALE, MEAN_Y_SCALE};
  const MeanAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[MEAN_X]->shape;
  if (!check_types (node, bytes, G_N_ELEMENTS (bytes), scales, G_N_ELEMENTS (scales), error) ||
      !sl_quant_check_scale (node, MEAN_X_ZERO, error) ||
      !sl_quant_check_scale (node, MEAN_Y_ZERO, error))
    return FALSE;
  int64_t positions = x->rank >= 3 ? count_positions (x, attrs->channels_last) : 0;
  if (positions < 1 || positions > MEAN_MAX) {
    g_autofree char *shape = sl_shape_to_string (x);
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "input is %s, expected 1 to %d positions to pool over", shape, MEAN_MAX);
    return FALSE;
  }
  SlShape y = *x;
  for (uint32_t i = 1; i < y.rank; i++)
    if (i != (attrs->channels_last ? y.rank - 1 : 1))
      y.dim[i] = 1;
  sl_infer_output (node, 0, node->inputs[MEAN_X]->dtype, &y);
  return TRUE;
}

static void
mean_reference (const SlRefCall *call)
{
  const MeanAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[MEAN_X];
  SlRefTensor *y = call->outputs[0];
  size_t size = (size_t)count_positions (&x->shape, attrs->channels_last);
  size_t channels = (size_t)x->shape.dim[attrs->channels_last ? x->shape.rank - 1 : 1];
  size_t step = attrs->channels_last ? channels : 1;
  int64_t x_zero = zero_at (call, MEAN_X_ZERO), y_zero = zero_at (call, MEAN_Y_ZERO);
  float factor = sl_quant_scale_at (call->inputs[MEAN_X_SCALE], 0) /
                 (sl_quant_scale_at (call->inputs[MEAN_Y_SCALE], 0) * (float)size);
  for (size_t i = 0; i < y->n; i++) {
    size_t from = attrs->channels_last ? i / channels * channels * size + i % channels : i * size;
    int64_t sum = 0;
    for (size_t k = 0; k < size; k++)
      sum += x->i[from + k * step] - x_zero;
    y->i[i] = sl_requantize (sum, factor, y_zero, y->dtype);
  }
}

/* Channels-last to ONNX is row-major to the graph. */
static gboolean
mean_row_major_only (const SlNode *node)
{
  const MeanAttrs *attrs = node->attrs;
  return attrs->channels_last || node->inputs[MEAN_X]->shape.rank > 4;
}

static void
mean_lower (const SlNode *node, SlLowering *to)
{
  const MeanAttrs *attrs = node->attrs;
  const SlValue *const *in = (const SlValue *const *)node->inputs;
  const SlValue *x = in[MEAN_X], *y = node->outputs[0];
  if (mean_row_major_only (node) && !attrs->channels_last) {
    sl_lower_reference (to);
    return;
  }
  size_t positions = (size_t)count_positions (&x->shape, attrs->channels_last);
  size_t channels = (size_t)x->shape.dim[attrs->channels_last ? x->shape.rank - 1 : 1];
  SlQuantMeanParams params = {.outer = (size_t)x->shape.dim[0],
                              .axis = positions,
                              .inner = channels,
                              .in_axis_stride = x->pixel_stride > 0 ? x->pixel_stride : channels,
                              .out_outer_stride = y->pixel_stride > 0 ? y->pixel_stride : channels,
                              .flip = sl_quant_flip (x->dtype)};
  params.in_outer_stride = positions * params.in_axis_stride;
  sl_lower (to, "qmean", &params, x, in[MEAN_X_SCALE], in[MEAN_X_ZERO], in[MEAN_Y_SCALE],
            sl_node_input (node, MEAN_Y_ZERO), y);
}

static const SlOpClass global_mean = {
    .name = "QLinearGlobalAveragePool",
    .domain = MICROSOFT,
    .min_inputs = 2,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = mean_attrs,
    .attrs_size = sizeof (MeanAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = mean_infer,
    .reference = mean_reference,
    .lower = mean_lower,
    .row_major_only = mean_row_major_only,
};

/* --- A float operator between --- */

static SlValue *
add_quant (const SlImport *im, const char *type, SlValue *x, SlValue *scale, SlValue *zero,
           SlValue *output)
{
  SlValue *inputs[] = {x, scale, zero};
  if (output == NULL)
    output = sl_graph_add_value (im->graph, NULL, SL_VALUE_ACTIVATION);
  sl_graph_add_node (im->graph, sl_op_find (type), im->name, NULL, 3, inputs, 1, &output);
  return output;
}

/* Without a zero point nothing says what type a result is of. */
static gboolean
check_result (const SlImport *im, uint32_t n_inputs, uint32_t scale, GError **error)
{
  if (im->n_inputs < n_inputs || im->inputs[scale] == NULL || im->inputs[scale + 1] == NULL ||
      im->n_outputs != 1 || im->outputs[0] == NULL)
    return sl_import_error (im, error, SL_ERROR_UNSUPPORTED,
                            "%u inputs, expected %u with scale and zero point of the result",
                            im->n_inputs, n_inputs);
  return TRUE;
}

/* The float operator with the file's attributes, but those that are not its own. */
static gboolean
import_float (const SlImport *im, const char *type, int opset, uint32_t n_inputs,
              SlValue *const *inputs, SlValue *output, GError **error)
{
  static const char *const foreign[] = {"channels_last", "opset", NULL};
  const SlOnnxForm *form;
  const SlOpClass *op = sl_op_find_onnx ("", type, opset, &form);
  if (op == NULL)
    return sl_import_error (im, error, SL_ERROR_UNSUPPORTED, "no %s in opset %d", type, opset);
  g_autofree SlRawAttr *attrs = g_new (SlRawAttr, im->n_attrs);
  SlImport inner = *im;
  inner.n_attrs = 0;
  inner.attrs = attrs;
  for (uint32_t i = 0; i < im->n_attrs; i++)
    if (!g_strv_contains (foreign, im->attrs[i].name))
      attrs[inner.n_attrs++] = im->attrs[i];
  inner.opset = opset;
  inner.n_inputs = n_inputs;
  inner.inputs = inputs;
  inner.outputs = &output;
  return form->import != NULL ? form->import (&inner, op, error)
                              : sl_import_default (&inner, op, error);
}

/* The opset whose float operators these are, but where an attribute says otherwise. */
#define FLOAT_OPSET 13

/* x, x_scale, x_zero, y_scale, y_zero */
static gboolean
import_one (const SlImport *im, const char *type, GError **error)
{
  if (!check_result (im, 5, 3, error))
    return FALSE;
  if (im->inputs[0] == NULL || im->inputs[1] == NULL || sl_import_int (im, "channels_last", 0) != 0)
    return sl_import_error (im, error, SL_ERROR_UNSUPPORTED,
                            "channels_last or a missing input, expected neither");
  SlValue *x =
      add_quant (im, "DequantizeLinear", im->inputs[0], im->inputs[1], im->inputs[2], NULL);
  SlValue *y = sl_graph_add_value (im->graph, NULL, SL_VALUE_ACTIVATION);
  int64_t opset = CLAMP (sl_import_int (im, "opset", FLOAT_OPSET), 1, FLOAT_OPSET);
  if (!import_float (im, type, (int)opset, 1, &x, y, error))
    return FALSE;
  add_quant (im, "QuantizeLinear", y, im->inputs[3], im->inputs[4], im->outputs[0]);
  return TRUE;
}

static gboolean
import_leaky_relu (const SlImport *im, const SlOpClass *op, GError **error)
{
  return import_one (im, "LeakyRelu", error);
}

static gboolean
import_sigmoid (const SlImport *im, const SlOpClass *op, GError **error)
{
  return import_one (im, "Sigmoid", error);
}

static gboolean
import_average_pool (const SlImport *im, const SlOpClass *op, GError **error)
{
  return import_one (im, "AveragePool", error);
}

static gboolean
import_softmax (const SlImport *im, const SlOpClass *op, GError **error)
{
  return import_one (im, "Softmax", error);
}

/* y_scale, y_zero, then x, x_scale, x_zero of each */
static gboolean
import_concat (const SlImport *im, const SlOpClass *op, GError **error)
{
  if (!check_result (im, 5, 0, error))
    return FALSE;
  uint32_t n = (im->n_inputs - 2) / 3;
  g_autofree SlValue **parts = g_new0 (SlValue *, n);
  for (uint32_t i = 0; i < n; i++) {
    SlValue *const *part = im->inputs + 2 + 3 * i;
    if (im->n_inputs != 2 + 3 * n || part[0] == NULL || part[1] == NULL)
      return sl_import_error (im, error, SL_ERROR_MALFORMED,
                              "%u inputs, expected 2 and 3 for each part", im->n_inputs);
    parts[i] = add_quant (im, "DequantizeLinear", part[0], part[1], part[2], NULL);
  }
  SlValue *y = sl_graph_add_value (im->graph, NULL, SL_VALUE_ACTIVATION);
  if (!import_float (im, "Concat", FLOAT_OPSET, n, parts, y, error))
    return FALSE;
  add_quant (im, "QuantizeLinear", y, im->inputs[0], im->inputs[1], im->outputs[0]);
  return TRUE;
}

static const SlOnnxForm wrapped_forms[] = {
    {.op_type = "QLinearLeakyRelu", .domain = MICROSOFT, .since = 1, .import = import_leaky_relu},
    {.op_type = "QLinearSigmoid", .domain = MICROSOFT, .since = 1, .import = import_sigmoid},
    {.op_type = "QLinearAveragePool",
     .domain = MICROSOFT,
     .since = 1,
     .import = import_average_pool},
    {.op_type = "QLinearSoftmax", .domain = MICROSOFT, .since = 1, .import = import_softmax},
    {.op_type = "QLinearConcat", .domain = MICROSOFT, .since = 1, .import = import_concat},
    {0},
};

/* No node is ever of this class: its forms put others together. */
static const SlOpClass wrapped = {
    .name = "QLinearWrapped",
    .domain = MICROSOFT,
    .forms = wrapped_forms,
};

const SlOpClass *const sl_ops_qlinear[] = {
    &qlinear_add.op, &qlinear_mul.op, &global_mean, &wrapped, NULL,
};
