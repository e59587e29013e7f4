/* BatchNormalization (inference) and LRN:
 * https://onnx.ai/onnx/operators/onnx__BatchNormalization.html, …/onnx__LRN.html */
#include "ops/forms.h"
#include "ops/batch_norm.h"
#include "ops/gradient.h"
#include "ops/internal.h"
#include "ops/window.h"
#include "kernels/reduce.h"

#include <math.h>

/* --- Batch normalisation --- */

static const SlAttrSpec batch_norm_attrs[] = {
    {.name = "epsilon",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (SlBatchNormAttrs, epsilon),
     .preset = 1e-5f},
    {.name = "momentum",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (SlBatchNormAttrs, momentum),
     .preset = 0.9f},
    {.name = "training_mode",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (SlBatchNormAttrs, training_mode)},
    {0},
};

static gboolean
batch_norm_infer (SlNode *node, GError **error)
{
  const SlBatchNormAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  if (x->rank < 2) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "input has %u dimensions, expected 2 or more",
                   x->rank);
    return FALSE;
  }
  for (uint32_t i = 1; i <= 4; i++) {
    const SlShape *vector = &node->inputs[i]->shape;
    if (vector->rank == 1 && vector->dim[0] == x->dim[1])
      continue;
    g_autofree char *found = sl_shape_to_string (vector);
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected %" G_GINT64_FORMAT,
                   node->inputs[i]->name, found, x->dim[1]);
    return FALSE;
  }
  for (uint32_t i = 1; i < node->n_outputs; i++) {
    if (attrs->training_mode || node->outputs[i] == NULL)
      continue;
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "statistics as output '%s' without training_mode", node->outputs[i]->name);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  for (uint32_t i = 1; i < 3; i++)
    sl_infer_output (node, i, node->inputs[2 + i]->dtype, &node->inputs[2 + i]->shape);
  for (uint32_t i = 3; i < 5; i++)
    sl_infer_output (node, i, node->inputs[0]->dtype, &node->inputs[1]->shape);
  return TRUE;
}

/* Mean and biased variance of one channel of x (N, C, inner). */
static void
channel_moments (const SlRefTensor *x, size_t c, size_t inner, double *ret_mean, double *ret_var)
{
  size_t channels = (size_t)x->shape.dim[1], n = (size_t)x->shape.dim[0];
  double sum = 0, squares = 0;
  for (size_t b = 0; b < n; b++)
    for (size_t i = 0; i < inner; i++)
      sum += x->f[(b * channels + c) * inner + i];
  double mean = sum / (double)(n * inner);
  for (size_t b = 0; b < n; b++)
    for (size_t i = 0; i < inner; i++)
      squares += pow (x->f[(b * channels + c) * inner + i] - mean, 2);
  *ret_mean = mean;
  *ret_var = squares / (double)(n * inner);
}

static void
batch_norm_reference (const SlRefCall *call)
{
  const SlBatchNormAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  const double *gamma = call->inputs[1]->f, *beta = call->inputs[2]->f;
  size_t channels = (size_t)x->shape.dim[1];
  size_t inner =
      channels > 0 && x->shape.dim[0] > 0 ? x->n / channels / (size_t)x->shape.dim[0] : 0;
  for (size_t c = 0; c < channels; c++) {
    double mean = call->inputs[3]->f[c], variance = call->inputs[4]->f[c];
    if (attrs->training_mode) {
      double momentum = (double)attrs->momentum, old_mean = mean, old_variance = variance;
      channel_moments (x, c, inner, &mean, &variance);
      if (call->n_outputs > 1 && call->outputs[1] != NULL)
        call->outputs[1]->f[c] = old_mean * momentum + mean * (1 - momentum);
      if (call->n_outputs > 2 && call->outputs[2] != NULL)
        call->outputs[2]->f[c] = old_variance * momentum + variance * (1 - momentum);
    }
    double inverse = 1 / sqrt (variance + (double)attrs->epsilon), scale = gamma[c] * inverse;
    if (call->n_outputs > 3 && call->outputs[3] != NULL)
      call->outputs[3]->f[c] = mean;
    if (call->n_outputs > 4 && call->outputs[4] != NULL)
      call->outputs[4]->f[c] = inverse;
    for (size_t b = 0; b < (size_t)x->shape.dim[0]; b++) {
      size_t first = (b * channels + c) * inner;
      for (size_t i = first; i < first + inner; i++)
        call->outputs[0]->f[i] = (x->f[i] - mean) * scale + beta[c];
    }
  }
}

/* Inference: an affine map of the channels, which may then fold into what stands before it. */
static SlValue *
batch_norm_simplify (SlGraph *graph, SlNode *node)
{
  const SlBatchNormAttrs *attrs = node->attrs;
  if (attrs->training_mode)
    return NULL;
  SlValue *scale, *shift;
  sl_affine_of_norm (graph, node->inputs + 1, attrs->epsilon, &scale, &shift);
  return sl_channel_affine (graph, node->name, node->inputs[0], scale, shift);
}

/* Inference (training: batch_norm.c): y = (x - m) * g * i + beta, where i = 1 / sqrt (v + epsilon).
 */
static gboolean
batch_norm_gradient (SlGradients *to, SlNode *node, GError **error)
{
  static const char names[] = {'x', 'g', 'b', 'm', 'v'};
  static const char *const formulas[] = {"d * (g * i)", "p * i", "q", "-(q * g * i)",
                                         "-0.5 * p * g * i * i * i"};
  const SlBatchNormAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (attrs->training_mode)
    return sl_batch_norm_gradient (to, node);
  const SlShape vector = {.rank = x->rank - 1, .dim = {x->dim[1], 1, 1, 1, 1, 1, 1, 1}};
  SlFormula f = sl_formula (to, node);
  for (uint32_t i = 1; i < 5; i++)
    sl_formula_bind (&f, names[i], sl_gradient_reshape (to, node, node->inputs[i], &vector));
  sl_formula_bind_number (&f, 'e', (double)attrs->epsilon);
  sl_formula_add (&f, "i = 1 / Sqrt (v + e)");
  if (sl_gradients_want (to, node, 1) || sl_gradients_want (to, node, 4)) {
    SlValue *products = sl_formula_add (&f, "d * (x - m)");
    sl_formula_bind (&f, 'p', sl_gradient_sum_to (to, node, products, &vector));
  }
  if (sl_gradients_want (to, node, 2) || sl_gradients_want (to, node, 3))
    sl_formula_bind (&f, 'q', sl_gradient_sum_to (to, node, f.bound['d' - 'a'], &vector));
  for (uint32_t i = 0; i < 5; i++)
    if (sl_gradients_want (to, node, i))
      sl_gradients_give (to, node, i,
                         sl_gradient_reshape (to, node, sl_formula_add (&f, formulas[i]),
                                              &node->inputs[i]->shape));
  return TRUE;
}

/* Before opset 9 statistics could be of every single element (spatial = 0), and before opset 7
 * `is_test` told inference from training; files of networks leave it as it was. */
static gboolean
batch_norm_import_old (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const dropped[] = {"is_test", "spatial", NULL};
  if (sl_import_int (im, "spatial", 1) != 1)
    return sl_import_error (im, error, SL_ERROR_UNSUPPORTED, "attribute spatial is not 1");
  return sl_import_dropping (im, op, dropped, error);
}

static const SlOnnxForm batch_norm_forms[] = {
    {.since = 1, .import = batch_norm_import_old},
    {.since = 9},
    {0},
};

static const SlOpClass batch_norm = {
    .name = "BatchNormalization",
    .parameter_inputs = 1 << 1 | 1 << 2,
    .state_inputs = 1 << 3 | 1 << 4,
    .min_inputs = 5,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 5,
    .attrs = batch_norm_attrs,
    .attrs_size = sizeof (SlBatchNormAttrs),
    .traits = SL_TRAIT_EPILOGUE | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = batch_norm_infer,
    .reference = batch_norm_reference,
    .prepare = sl_batch_norm_prepare,
    .lower = sl_batch_norm_lower,
    .row_major_only = sl_batch_norm_row_major_only,
    .affine_inputs = 1,
    .simplify = batch_norm_simplify,
    .gradient = batch_norm_gradient,
    .forms = batch_norm_forms,
};

/* --- Local response normalisation --- */

typedef struct LrnAttrs {
  float alpha, beta, bias;
  int64_t size;
} LrnAttrs;

static const SlAttrSpec lrn_attrs[] = {
    {.name = "alpha", .type = SL_ATTR_FLOAT, .offset = offsetof (LrnAttrs, alpha), .preset = 1e-4f},
    {.name = "beta", .type = SL_ATTR_FLOAT, .offset = offsetof (LrnAttrs, beta), .preset = 0.75},
    {.name = "bias", .type = SL_ATTR_FLOAT, .offset = offsetof (LrnAttrs, bias), .preset = 1},
    {.name = "size", .type = SL_ATTR_INT, .offset = offsetof (LrnAttrs, size), .required = true},
    {0},
};

static gboolean
lrn_infer (SlNode *node, GError **error)
{
  const LrnAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  if (x->rank < 2 || attrs->size < 1 || attrs->size > INT32_MAX) {
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "size %" G_GINT64_FORMAT " over an input with %u dimensions", attrs->size,
                   x->rank);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  return TRUE;
}

static void
lrn_reference (const SlRefCall *call)
{
  const LrnAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  int64_t channels = x->shape.dim[1], inner = 1;
  for (uint32_t i = 2; i < x->shape.rank; i++)
    inner *= x->shape.dim[i];
  for (int64_t i = 0; i < (int64_t)x->n; i++) {
    int64_t c = i / inner % channels;
    int64_t first = MAX (c - (attrs->size - 1) / 2, 0);
    int64_t last = MIN (c + attrs->size / 2, channels - 1);
    double squares = 0;
    for (int64_t k = first; k <= last; k++)
      squares += x->f[i + (k - c) * inner] * x->f[i + (k - c) * inner];
    double base = (double)attrs->bias + (double)attrs->alpha / (double)attrs->size * squares;
    call->outputs[0]->f[i] = x->f[i] / pow (base, (double)attrs->beta);
  }
}

static void
lrn_lower (const SlNode *node, SlLowering *to)
{
  if (sl_window_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  const LrnAttrs *attrs = node->attrs;
  SlLrnParams params = {.size = (uint32_t)attrs->size,
                        .alpha = attrs->alpha,
                        .beta = attrs->beta,
                        .bias = attrs->bias};
  sl_value_get_rows (node->inputs[0], &params.rows, &params.channels, &params.in_stride);
  sl_value_get_rows (node->outputs[0], &params.rows, &params.channels, &params.out_stride);
  sl_lower (to, "lrn", &params, node->inputs[0], node->outputs[0]);
}

static void
lrn_cost (const SlNode *node, SlCost *ret_cost)
{
  const LrnAttrs *attrs = node->attrs;
  size_t elements = 0;
  sl_shape_get_elements (&node->outputs[0]->shape, &elements);
  ret_cost->flops = (double)elements * (2.0 * (double)attrs->size + 20);
}

/* x, dy → dx */
static gboolean
lrn_gradient_infer (SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape, *dy = &node->inputs[1]->shape;
  if (!lrn_infer (node, error))
    return FALSE;
  if (sl_shape_equal (x, dy))
    return TRUE;
  g_autofree char *found = sl_shape_to_string (dy);
  g_autofree char *wanted = sl_shape_to_string (x);
  sl_node_error (node, error, SL_ERROR_SHAPE, "gradient is %s, expected %s", found, wanted);
  return FALSE;
}

/* The sum of squares around channel c of element i, as the base of the power. */
static double
lrn_base (const LrnAttrs *attrs, const SlRefTensor *x, int64_t i, int64_t c, int64_t inner)
{
  int64_t first = MAX (c - (attrs->size - 1) / 2, 0);
  int64_t last = MIN (c + attrs->size / 2, x->shape.dim[1] - 1);
  double squares = 0;
  for (int64_t k = first; k <= last; k++)
    squares += x->f[i + (k - c) * inner] * x->f[i + (k - c) * inner];
  return (double)attrs->bias + (double)attrs->alpha / (double)attrs->size * squares;
}

static void
lrn_gradient_reference (const SlRefCall *call)
{
  const LrnAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *dy = call->inputs[1];
  double beta = (double)attrs->beta;
  double factor = 2 * (double)attrs->alpha * beta / (double)attrs->size;
  int64_t channels = x->shape.dim[1], inner = 1;
  for (uint32_t i = 2; i < x->shape.rank; i++)
    inner *= x->shape.dim[i];
  for (int64_t i = 0; i < (int64_t)x->n; i++) {
    int64_t c = i / inner % channels;
    double sum = 0;
    /* The channels whose windows hold this one. */
    for (int64_t k = MAX (c - attrs->size / 2, 0);
         k <= MIN (c + (attrs->size - 1) / 2, channels - 1); k++) {
      int64_t at = i + (k - c) * inner;
      sum += dy->f[at] * x->f[at] * pow (lrn_base (attrs, x, at, k, inner), -beta - 1);
    }
    call->outputs[0]->f[i] =
        dy->f[i] * pow (lrn_base (attrs, x, i, c, inner), -beta) - factor * x->f[i] * sum;
  }
}

static void
lrn_gradient_lower (const SlNode *node, SlLowering *to)
{
  if (sl_window_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  const LrnAttrs *attrs = node->attrs;
  SlLrnGradientParams params = {.lrn = {.size = (uint32_t)attrs->size,
                                        .alpha = attrs->alpha,
                                        .beta = attrs->beta,
                                        .bias = attrs->bias}};
  SlLrnParams *lrn = &params.lrn;
  sl_value_get_rows (node->inputs[0], &lrn->rows, &lrn->channels, &lrn->in_stride);
  sl_value_get_rows (node->inputs[1], &lrn->rows, &lrn->channels, &params.dy_stride);
  sl_value_get_rows (node->outputs[0], &lrn->rows, &lrn->channels, &lrn->out_stride);
  sl_lower (to, "lrn_gradient", &params, node->inputs[0], node->inputs[1], node->outputs[0]);
}

static const SlOpClass lrn_gradient = {
    .name = "LRNGradient",
    .domain = SL_DOMAIN,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = lrn_attrs,
    .attrs_size = sizeof (LrnAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .picture_inputs = 1 << 1,
    .infer = lrn_gradient_infer,
    .reference = lrn_gradient_reference,
    .lower = lrn_gradient_lower,
    .row_major_only = sl_window_row_major_only,
    .cost = lrn_cost,
};

static gboolean
lrn_give_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlValue *inputs[] = {node->inputs[0], sl_gradients_get (to, node, 0)};
  if (sl_gradients_want (to, node, 0))
    sl_gradients_give (to, node, 0,
                       sl_gradients_node (to, node, &lrn_gradient, node->attrs, 2, inputs));
  return TRUE;
}

static const SlOpClass lrn = {
    .name = "LRN",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = lrn_attrs,
    .attrs_size = sizeof (LrnAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = lrn_infer,
    .reference = lrn_reference,
    .lower = lrn_lower,
    .row_major_only = sl_window_row_major_only,
    .gradient = lrn_give_gradient,
    .cost = lrn_cost,
};

const SlOpClass *const sl_ops_norm[] = {&batch_norm, &lrn, &lrn_gradient, NULL};
