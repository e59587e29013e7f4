#include "ops/batch_norm.h"

#include "kernels/batch_norm.h"
#include "ops/internal.h"
#include "ops/window.h"

#include <math.h>

/* x (N, C, …) as rows of channels: channels-last, or of rank 2. */
static bool
has_kernels (const SlValue *x)
{
  size_t elements = 0;
  sl_shape_get_elements (&x->shape, &elements);
  return x->dtype == SL_FLOAT32 && x->shape.rank <= 4 && elements > 0;
}

static gboolean
row_major_only (const SlNode *node)
{
  return !has_kernels (node->inputs[0]) || node->inputs[0]->shape.rank < 3;
}

static void
get_rows (const SlValue *x, size_t *ret_rows, size_t *ret_channels, size_t *ret_stride)
{
  sl_value_get_rows (x, ret_rows, ret_channels, ret_stride);
  if (x->shape.rank > 2)
    return;
  *ret_rows = (size_t)x->shape.dim[0];
  *ret_channels = *ret_stride = (size_t)x->shape.dim[1];
}

static void
add_workspace (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  const SlShape *x = &node->inputs[0]->shape;
  size_t elements = 0, channels = (size_t)x->dim[1];
  if (!has_kernels (node->inputs[0]))
    return;
  sl_shape_get_elements (x, &elements);
  sl_node_add_workspace (
      graph, node,
      sl_batch_norm_workspace (elements / channels, channels, target->panel, target->panel_width));
}

static const SlValue *
output_of (const SlNode *node, uint32_t index)
{
  const SlValue *output = index < node->n_outputs ? node->outputs[index] : NULL;
  return output != NULL && !output->is_workspace ? output : NULL;
}

/* --- Forward --- */

gboolean
sl_batch_norm_row_major_only (const SlNode *node)
{
  const SlBatchNormAttrs *attrs = node->attrs;
  return !attrs->training_mode || row_major_only (node);
}

void
sl_batch_norm_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  const SlBatchNormAttrs *attrs = node->attrs;
  if (attrs->training_mode)
    add_workspace (graph, node, target);
}

void
sl_batch_norm_lower (const SlNode *node, SlLowering *to)
{
  const SlBatchNormAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0], *work = sl_node_get_workspace (node);
  if (work == NULL) {
    sl_lower_reference (to);
    return;
  }
  SlBatchNormParams params = {
      .epsilon = attrs->epsilon, .momentum = attrs->momentum, .act = node->act};
  get_rows (x, &params.rows, &params.channels, &params.x_stride);
  get_rows (y, &params.rows, &params.channels, &params.out_stride);
  params.parts = sl_batch_norm_parts (params.rows, params.channels, to->target->panel_width);
  sl_lower (to, "batch_moments", &params, x, work);
  sl_lower (to, "batch_moments_join", &params, work, work);
  sl_lower (to, "batch_normalize", &params, x, work, node->inputs[1], node->inputs[2], y);
  for (params.which = 0; params.which < 2; params.which++) {
    const SlValue *running = output_of (node, 1 + params.which);
    const SlValue *saved = output_of (node, 3 + params.which);
    if (running != NULL)
      sl_lower (to, "batch_running", &params, work, node->inputs[3 + params.which], running);
    if (saved != NULL)
      sl_lower (to, "batch_saved", &params, work, saved);
  }
}

/* --- Gradient --- */

/* x, dy, gamma (C), mean (C), inverse (C) → dx, dgamma, dbeta */
static gboolean
gradient_infer (SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape, *dy = &node->inputs[1]->shape;
  const SlValue *wrong = NULL;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  for (uint32_t i = 2; i < 5; i++)
    if (x->rank < 2 || !sl_shape_equal (&node->inputs[i]->shape, &SL_SHAPE (x->dim[1])))
      wrong = node->inputs[i];
  if (!sl_shape_equal (x, dy))
    wrong = node->inputs[1];
  if (wrong != NULL) {
    g_autofree char *found = sl_shape_to_string (&wrong->shape);
    g_autofree char *of = sl_shape_to_string (x);
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s and does not fit %s", wrong->name,
                   found, of);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  for (uint32_t i = 1; i < 3; i++)
    sl_infer_output (node, i, node->inputs[0]->dtype, &SL_SHAPE (x->dim[1]));
  return TRUE;
}

static void
gradient_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0], *dy = call->inputs[1];
  size_t n = (size_t)x->shape.dim[0], channels = (size_t)x->shape.dim[1];
  size_t inner = x->n > 0 ? x->n / channels / n : 0;
  for (size_t c = 0; c < channels; c++) {
    double mean = call->inputs[3]->f[c], inverse = call->inputs[4]->f[c], sum = 0, product = 0;
    for (size_t i = 0; i < n * inner; i++) {
      size_t at = (i / inner * channels + c) * inner + i % inner;
      sum += dy->f[at];
      product += dy->f[at] * (x->f[at] - mean) * inverse;
    }
    if (call->n_outputs > 1 && call->outputs[1] != NULL)
      call->outputs[1]->f[c] = product;
    if (call->n_outputs > 2 && call->outputs[2] != NULL)
      call->outputs[2]->f[c] = sum;
    for (size_t i = 0; i < n * inner && call->outputs[0] != NULL; i++) {
      size_t at = (i / inner * channels + c) * inner + i % inner;
      double h = (x->f[at] - mean) * inverse, count = (double)(n * inner);
      call->outputs[0]->f[at] =
          call->inputs[2]->f[c] * inverse * (dy->f[at] - sum / count - h * product / count);
    }
  }
}

static void
gradient_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *dy = node->inputs[1], *gamma = node->inputs[2];
  const SlValue *mean = node->inputs[3], *inverse = node->inputs[4], *dx = node->outputs[0];
  const SlValue *work = sl_node_get_workspace (node);
  if (work == NULL) {
    sl_lower_reference (to);
    return;
  }
  SlBatchNormParams params = {0};
  get_rows (x, &params.rows, &params.channels, &params.x_stride);
  get_rows (dy, &params.rows, &params.channels, &params.dy_stride);
  params.parts = sl_batch_norm_parts (params.rows, params.channels, to->target->panel_width);
  sl_lower (to, "batch_sums", &params, x, dy, mean, inverse, work);
  sl_lower (to, "batch_sums_join", &params, work, work);
  for (params.which = 0; params.which < 2; params.which++)
    if (output_of (node, 2 - params.which) != NULL)
      sl_lower (to, "batch_sum", &params, work, node->outputs[2 - params.which]);
  if (dx == NULL)
    return;
  get_rows (dx, &params.rows, &params.channels, &params.out_stride);
  sl_lower (to, "batch_normalize_gradient", &params, x, dy, gamma, mean, inverse, work, dx);
}

static void
gradient_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &n);
  ret_cost->flops = 8 * (double)n;
}

static const SlOpClass gradient = {
    .name = "BatchNormalizationGradient",
    .domain = SL_DOMAIN,
    .min_inputs = 5,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 3,
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .picture_inputs = 1 << 1,
    .infer = gradient_infer,
    .reference = gradient_reference,
    .prepare = add_workspace,
    .lower = gradient_lower,
    .row_major_only = row_major_only,
    .cost = gradient_cost,
};

/* The node's mean and inverse deviation, which it then computes as outputs 3 and 4. */
static SlValue *
saved (SlGradients *to, SlNode *node, uint32_t index)
{
  while (node->n_outputs <= index)
    sl_node_add_output (node, NULL);
  if (node->outputs[index] == NULL) {
    SlValue *value =
        sl_graph_add_value (sl_gradients_get_graph (to), node->name, SL_VALUE_ACTIVATION);
    sl_node_set_output (node, index, value);
    sl_infer_output (node, index, node->inputs[0]->dtype, &node->inputs[1]->shape);
  }
  return node->outputs[index];
}

gboolean
sl_batch_norm_gradient (SlGradients *to, SlNode *node)
{
  for (uint32_t i = 1; i < node->n_outputs; i++)
    if (sl_gradients_get (to, node, i) != NULL)
      return FALSE;
  SlGraph *graph = sl_gradients_get_graph (to);
  SlValue *inputs[] = {node->inputs[0], sl_gradients_get (to, node, 0), node->inputs[1],
                       saved (to, node, 3), saved (to, node, 4)};
  SlValue *dx = sl_gradients_node (to, node, &gradient, NULL, 5, inputs);
  const SlShape *vector = &node->inputs[1]->shape;
  for (uint32_t i = 1; i < 3; i++) {
    SlValue *value = sl_graph_add_value (graph, dx->name, SL_VALUE_ACTIVATION);
    sl_node_add_output (dx->producer, value);
    sl_infer_output (dx->producer, i, dx->dtype, vector);
    if (sl_gradients_want (to, node, i))
      sl_gradients_give (to, node, i, value);
  }
  if (sl_gradients_want (to, node, 0))
    sl_gradients_give (to, node, 0, dx);
  return TRUE;
}

const SlOpClass *const sl_ops_batch_norm[] = {&gradient, NULL};
