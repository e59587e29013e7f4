/* LayerNormalization: https://onnx.ai/onnx/operators/onnx__LayerNormalization.html */
#include "kernels/layer_norm.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>

typedef struct LayerNormAttrs {
  int64_t axis, stash_type;
  float epsilon;
} LayerNormAttrs;

static const SlAttrSpec layer_norm_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (LayerNormAttrs, axis), .preset = -1},
    {.name = "epsilon",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (LayerNormAttrs, epsilon),
     .preset = 1e-5f},
    {.name = "stash_type",
     .type = SL_ATTR_INT,
     .offset = offsetof (LayerNormAttrs, stash_type),
     .preset = 1},
    {0},
};

/* ONNX's number of float and of bfloat16, the types that the mean may have. */
#define STASH_FLOAT 1
#define STASH_BFLOAT16 16

/* The dimensions that are normalised: those from `axis` on. */
static SlShape
normalized (const SlShape *x, int64_t axis)
{
  SlShape inner = {.rank = x->rank - (uint32_t)axis};
  for (uint32_t i = 0; i < inner.rank; i++)
    inner.dim[i] = x->dim[axis + i];
  return inner;
}

/* Inputs 1 and 2 have to broadcast to what is normalised. */
static gboolean
check_vectors (const SlNode *node, const SlShape *inner, GError **error)
{
  for (uint32_t i = 1; i < node->n_inputs; i++) {
    const SlValue *vector = node->inputs[i];
    SlShape joint;
    if (vector == NULL ||
        (sl_shape_broadcast (&vector->shape, inner, &joint) && sl_shape_equal (&joint, inner)))
      continue;
    g_autofree char *found = sl_shape_to_string (&vector->shape);
    g_autofree char *expected = sl_shape_to_string (inner);
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected %s", vector->name,
                   found, expected);
    return FALSE;
  }
  return TRUE;
}

static gboolean
layer_norm_infer (SlNode *node, GError **error)
{
  LayerNormAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!sl_infer_float_inputs (node, error) || !sl_infer_axis (node, &attrs->axis, x->rank, error))
    return FALSE;
  SlShape inner = normalized (x, attrs->axis), moments = *x;
  if (!check_vectors (node, &inner, error))
    return FALSE;
  if (attrs->stash_type != STASH_FLOAT && attrs->stash_type != STASH_BFLOAT16) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "stash_type is %" G_GINT64_FORMAT ", expected 1 (float) or 16 (bfloat16)",
                   attrs->stash_type);
    return FALSE;
  }
  for (uint32_t i = (uint32_t)attrs->axis; i < x->rank; i++)
    moments.dim[i] = 1;
  SlDType stash = attrs->stash_type == STASH_FLOAT ? SL_FLOAT32 : SL_BFLOAT16;
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  sl_infer_output (node, 1, stash, &moments);
  sl_infer_output (node, 2, stash, &moments);
  return TRUE;
}

static void
store_moment (const SlRefCall *call, uint32_t index, size_t row, double value)
{
  if (index < call->n_outputs && call->outputs[index] != NULL)
    call->outputs[index]->f[row] = value;
}

static void
layer_norm_reference (const SlRefCall *call)
{
  const LayerNormAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *scale = call->inputs[1];
  const SlRefTensor *bias = call->n_inputs > 2 ? call->inputs[2] : NULL;
  SlShape inner = normalized (&x->shape, attrs->axis);
  size_t n = 0;
  sl_shape_get_elements (&inner, &n);
  for (size_t row = 0; n > 0 && row < x->n / n; row++) {
    const double *from = x->f + row * n;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
      sum += from[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
      squares += (from[i] - mean) * (from[i] - mean);
    double factor = 1 / sqrt (squares / (double)n + (double)attrs->epsilon);
    SlIndex at = {.rank = inner.rank};
    for (size_t i = 0; i < n && call->outputs[0] != NULL; i++, sl_index_next (&at, &inner))
      call->outputs[0]->f[row * n + i] =
          (from[i] - mean) * factor * scale->f[sl_index_offset (&at, &scale->shape)] +
          (bias != NULL ? bias->f[sl_index_offset (&at, &bias->shape)] : 0);
    store_moment (call, 1, row, mean);
    store_moment (call, 2, row, factor);
  }
}

/* The kernel knows neither the moments as results nor vectors that are smaller than a row. */
static bool
has_kernel (const SlNode *node, size_t n)
{
  for (uint32_t i = 1; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL)
      return false;
  for (uint32_t i = 1; i < node->n_inputs; i++) {
    size_t elements = 0;
    if (node->inputs[i] == NULL)
      continue;
    sl_shape_get_elements (&node->inputs[i]->shape, &elements);
    if (elements != n)
      return false;
  }
  return node->inputs[0]->dtype == SL_FLOAT32 && node->outputs[0] != NULL;
}

static void
layer_norm_lower (const SlNode *node, SlLowering *to)
{
  const LayerNormAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SlShape inner = normalized (x, attrs->axis);
  size_t n = 0, all = 0;
  sl_shape_get_elements (&inner, &n);
  sl_shape_get_elements (x, &all);
  if (!has_kernel (node, n)) {
    sl_lower_reference (to);
    return;
  }
  if (all == 0)
    return;
  SlLayerNormParams params = {.rows = all / n,
                              .cols = n,
                              .in_stride = n,
                              .out_stride = n,
                              .epsilon = attrs->epsilon,
                              .act = node->act};
  sl_lower (to, "layer_norm", &params, node->inputs[0], node->inputs[1], sl_node_input (node, 2),
            node->outputs[0]);
}

static void
layer_norm_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &n);
  ret_cost->flops = 8 * (double)n;
}

/* The moments' own gradients, where somebody reads them: i is the second one. */
static SlValue *
add_moments (SlGradients *to, const SlNode *node, SlFormula *f, SlValue *dx)
{
  static const char *const formulas[] = {"v + u * n", "v - u * i * i * h * n"};
  for (uint32_t i = 0; i < 2; i++) {
    SlValue *u = sl_gradients_get (to, node, 1 + i);
    if (u == NULL)
      continue;
    sl_formula_bind (f, 'u', sl_gradient_cast (to, node, u, f->dtype));
    sl_formula_bind (f, 'v', dx);
    dx = sl_formula_add (f, formulas[i]);
  }
  return dx;
}

static gboolean
layer_norm_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const LayerNormAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  int64_t axes[SL_MAX_RANK], n = 0;
  double elements = 1;
  for (int64_t i = attrs->axis; i < x->rank; i++) {
    axes[n++] = i;
    elements *= (double)x->dim[i];
  }
  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'r', sl_gradient_ints (to, node, axes, (size_t)n));
  sl_formula_bind (&f, 's', node->inputs[1]);
  sl_formula_bind_number (&f, 'e', (double)attrs->epsilon);
  sl_formula_bind_number (&f, 'n', 1 / elements);
  if (f.bound['d' - 'a'] == NULL)
    sl_formula_bind (&f, 'd', sl_gradient_constant (to, f.dtype, x, 0));
  sl_formula_add (&f, SL_NORMALIZE);
  if (sl_gradients_want (to, node, 0)) {
    SlValue *dx = sl_formula_add (&f, "g = d * s;" SL_NORMALIZE_GRADIENT);
    sl_gradients_give (to, node, 0, add_moments (to, node, &f, dx));
  }
  if (sl_gradients_want (to, node, 1))
    sl_gradients_give (to, node, 1, sl_formula_add (&f, "d * h"));
  sl_gradients_give (to, node, 2, f.bound['d' - 'a']);
  return TRUE;
}

static const SlOpClass layer_norm = {
    .name = "LayerNormalization",
    .parameter_inputs = 1 << 1 | 1 << 2,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 3,
    .attrs = layer_norm_attrs,
    .attrs_size = sizeof (LayerNormAttrs),
    .traits = SL_TRAIT_EPILOGUE | SL_TRAIT_IN_PLACE,
    .infer = layer_norm_infer,
    .reference = layer_norm_reference,
    .lower = layer_norm_lower,
    .gradient = layer_norm_gradient,
    .cost = layer_norm_cost,
};

const SlOpClass *const sl_ops_layer_norm[] = {&layer_norm, NULL};
