/* Normalisation of each image by its own moments, and of whole axes:
 * https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html, GroupNormalization,
 * MeanVarianceNormalization */
#include "kernels/layer_norm.h"
#include "ops/gradient.h"
#include "ops/shape.h"
#include "ops/window.h"

#include <math.h>

typedef struct GroupNormAttrs {
  float epsilon;
  int64_t num_groups, stash_type;
  bool per_group; /* scale and bias have one element a group (GroupNormalization before 21) */
} GroupNormAttrs;

static const SlAttrSpec instance_norm_attrs[] = {
    {.name = "epsilon",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (GroupNormAttrs, epsilon),
     .preset = 1e-5f},
    {0},
};

static const SlAttrSpec group_norm_attrs[] = {
    {.name = "epsilon",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (GroupNormAttrs, epsilon),
     .preset = 1e-5f},
    {.name = "num_groups",
     .type = SL_ATTR_INT,
     .offset = offsetof (GroupNormAttrs, num_groups),
     .required = true},
    {.name = "stash_type",
     .type = SL_ATTR_INT,
     .offset = offsetof (GroupNormAttrs, stash_type),
     .preset = 1},
    {.name = ".per_group", .type = SL_ATTR_BOOL, .offset = offsetof (GroupNormAttrs, per_group)},
    {0},
};

/* Shapes: x (N, C, …), scale and bias (`expected`), y as x. */
static gboolean
check_vectors (const SlNode *node, int64_t expected, GError **error)
{
  for (uint32_t i = 1; i <= 2; i++) {
    const SlShape *vector = &node->inputs[i]->shape;
    if (vector->rank == 1 && vector->dim[0] == expected)
      continue;
    g_autofree char *found = sl_shape_to_string (vector);
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected %" G_GINT64_FORMAT,
                   node->inputs[i]->name, found, expected);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_rank (const SlNode *node, uint32_t least, GError **error)
{
  uint32_t rank = node->inputs[0]->shape.rank;
  if (rank >= least)
    return TRUE;
  sl_node_error (node, error, SL_ERROR_SHAPE, "input has %u dimensions, expected %u or more", rank,
                 least);
  return FALSE;
}

static gboolean
instance_norm_infer (SlNode *node, GError **error)
{
  GroupNormAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!sl_infer_float_inputs (node, error) || !check_rank (node, 3, error) ||
      !check_vectors (node, x->dim[1], error))
    return FALSE;
  attrs->num_groups = x->dim[1];
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  return TRUE;
}

static gboolean
group_norm_infer (SlNode *node, GError **error)
{
  const GroupNormAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!sl_infer_float_inputs (node, error) || !check_rank (node, 2, error))
    return FALSE;
  if (attrs->num_groups < 1 || x->dim[1] % attrs->num_groups != 0) {
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "%" G_GINT64_FORMAT " groups of %" G_GINT64_FORMAT " channels",
                   attrs->num_groups, x->dim[1]);
    return FALSE;
  }
  if (!check_vectors (node, attrs->per_group ? attrs->num_groups : x->dim[1], error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  return TRUE;
}

/* Mean and 1 / sqrt (variance + epsilon) of `n` elements. */
static void
moments_of (const double *x, size_t n, double epsilon, double *ret_mean, double *ret_factor)
{
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++)
    sum += x[i];
  *ret_mean = sum / (double)n;
  for (size_t i = 0; i < n; i++)
    squares += (x[i] - *ret_mean) * (x[i] - *ret_mean);
  *ret_factor = 1 / sqrt (squares / (double)n + epsilon);
}

static void
group_norm_reference (const SlRefCall *call)
{
  const GroupNormAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  if (x->n == 0)
    return;
  size_t channels = (size_t)x->shape.dim[1], groups = (size_t)attrs->num_groups;
  size_t inner = x->n / channels / (size_t)x->shape.dim[0], n = channels / groups * inner;
  for (size_t first = 0; first < x->n; first += n) {
    double mean, factor;
    moments_of (x->f + first, n, (double)attrs->epsilon, &mean, &factor);
    for (size_t i = first; i < first + n; i++) {
      size_t c = i / inner % channels, at = attrs->per_group ? c / (channels / groups) : c;
      call->outputs[0]->f[i] =
          (x->f[i] - mean) * factor * call->inputs[1]->f[at] + call->inputs[2]->f[at];
    }
  }
}

static void
group_norm_lower (const SlNode *node, SlLowering *to)
{
  if (sl_window_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  const GroupNormAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  size_t elements = 0, channels = (size_t)x->shape.dim[1], images = (size_t)x->shape.dim[0];
  sl_shape_get_elements (&x->shape, &elements);
  if (elements == 0)
    return;
  SlGroupNormParams params = {
      .images = images,
      .positions = elements / images / channels,
      .channels = channels,
      .groups = (size_t)attrs->num_groups,
      .in_stride = sl_value_pixel (x),
      .out_stride = sl_value_pixel (y),
      .shared = attrs->per_group ? channels / (size_t)attrs->num_groups : 1,
      .epsilon = attrs->epsilon,
      .act = node->act,
  };
  sl_lower (to, "group_norm", &params, x, node->inputs[1], node->inputs[2], y);
}

static void
group_norm_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &n);
  ret_cost->flops = 8 * (double)n;
}

/* x as (N, groups, rest), unless a group is a channel. Scale and bias stand beside y, or, with one
 * element a group, beside the former. */
static gboolean
group_norm_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const GroupNormAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  const int64_t n = x->dim[0], groups = attrs->num_groups;
  size_t elements = 0;
  sl_shape_get_elements (x, &elements);
  if (elements == 0)
    return TRUE;
  SlShape view = SL_SHAPE (n, groups, (int64_t)elements / n / groups);
  if (groups == x->dim[1])
    view = *x;
  SlShape vector = {.rank = x->rank - 1, .dim = {x->dim[1], 1, 1, 1, 1, 1, 1, 1}};
  const bool beside_view = attrs->per_group && groups != x->dim[1];
  if (beside_view)
    vector = SL_SHAPE (groups, 1);
  const SlShape *beside = beside_view ? &view : x;
  int64_t axes[SL_MAX_RANK];
  for (uint32_t i = 2; i < view.rank; i++)
    axes[i - 2] = i;

  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'x', sl_gradient_reshape (to, node, node->inputs[0], &view));
  sl_formula_bind (&f, 'r', sl_gradient_ints (to, node, axes, view.rank - 2));
  sl_formula_bind (&f, 's', sl_gradient_reshape (to, node, node->inputs[1], &vector));
  sl_formula_bind (&f, 'd', sl_gradient_reshape (to, node, f.bound['d' - 'a'], beside));
  sl_formula_bind_number (&f, 'e', (double)attrs->epsilon);
  sl_formula_add (&f, SL_NORMALIZE);
  if (sl_gradients_want (to, node, 0)) {
    SlValue *scaled = sl_formula_add (&f, "d * s");
    sl_formula_bind (&f, 'g', sl_gradient_reshape (to, node, scaled, &view));
    SlValue *dx = sl_formula_add (&f, SL_NORMALIZE_GRADIENT);
    sl_gradients_give (to, node, 0, sl_gradient_reshape (to, node, dx, x));
  }
  sl_formula_bind (&f, 'h', sl_gradient_reshape (to, node, f.bound['h' - 'a'], beside));
  for (uint32_t i = 1; i <= 2; i++) {
    if (!sl_gradients_want (to, node, i))
      continue;
    SlValue *each = sl_formula_add (&f, i == 1 ? "d * h" : "d");
    SlValue *sum = sl_gradient_sum_to (to, node, each, &vector);
    sl_gradients_give (to, node, i, sl_gradient_reshape (to, node, sum, &node->inputs[i]->shape));
  }
  return TRUE;
}

/* Opset 18 scales groups; from 21 on, channels. */
static gboolean
group_norm_import_18 (const SlImport *im, const SlOpClass *op, GError **error)
{
  if (!sl_import_default (im, op, error))
    return FALSE;
  GroupNormAttrs *attrs = im->outputs[0]->producer->attrs;
  attrs->per_group = true;
  return TRUE;
}

static const SlOnnxForm group_norm_forms[] = {
    {.since = 18, .import = group_norm_import_18},
    {.since = 21},
    {0},
};

#define GROUP_NORM                                                                             \
  .min_inputs = 3, .max_inputs = 3, .min_outputs = 1, .max_outputs = 1,                        \
  .attrs_size = sizeof (GroupNormAttrs),                                                       \
  .traits = SL_TRAIT_EPILOGUE | SL_TRAIT_IN_PLACE | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,    \
  .layouts = SL_LAYOUTS_SPATIAL, .reference = group_norm_reference, .lower = group_norm_lower, \
  .gradient = group_norm_gradient, .row_major_only = sl_window_row_major_only,                 \
  .cost = group_norm_cost

static const SlOpClass instance_norm = {
    .name = "InstanceNormalization",
    .parameter_inputs = 1 << 1 | 1 << 2,
    .attrs = instance_norm_attrs,
    .infer = instance_norm_infer,
    GROUP_NORM,
};

static const SlOpClass group_norm = {
    .name = "GroupNormalization",
    .parameter_inputs = 1 << 1 | 1 << 2,
    .attrs = group_norm_attrs,
    .infer = group_norm_infer,
    .forms = group_norm_forms,
    GROUP_NORM,
};

/* --- Mean and variance over given axes --- */

typedef struct MeanVarianceAttrs {
  SlInts axes;
} MeanVarianceAttrs;

static const SlAttrSpec mean_variance_attrs[] = {
    {.name = "axes", .type = SL_ATTR_INTS, .offset = offsetof (MeanVarianceAttrs, axes)},
    {0},
};

/* Added to the standard deviation, not to the variance. */
#define MEAN_VARIANCE_EPSILON 1e-9

static gboolean
mean_variance_infer (SlNode *node, GError **error)
{
  MeanVarianceAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  if (attrs->axes.n == 0)
    attrs->axes = (SlInts){.n = 3, .v = {0, 2, 3}};
  uint32_t seen = 0;
  for (uint32_t i = 0; i < attrs->axes.n; i++) {
    if (!sl_infer_axis (node, &attrs->axes.v[i], x->rank, error))
      return FALSE;
    if (seen & 1u << attrs->axes.v[i]) {
      sl_node_error (node, error, SL_ERROR_SHAPE, "axis %" G_GINT64_FORMAT " stands there twice",
                     attrs->axes.v[i]);
      return FALSE;
    }
    seen |= 1u << attrs->axes.v[i];
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  return TRUE;
}

static void
mean_variance_reference (const SlRefCall *call)
{
  const MeanVarianceAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  if (x->n == 0)
    return;
  SlShape kept = x->shape;
  for (uint32_t i = 0; i < attrs->axes.n; i++)
    kept.dim[attrs->axes.v[i]] = 1;
  size_t n = 0;
  sl_shape_get_elements (&kept, &n);
  g_autofree double *mean = g_new0 (double, n), *squares = g_new0 (double, n);
  double count = (double)(x->n / n);
  SlIndex at = {.rank = kept.rank};
  for (size_t i = 0; i < x->n; i++, sl_index_next (&at, &x->shape))
    mean[sl_index_offset (&at, &kept)] += x->f[i] / count;
  for (size_t i = 0; i < x->n; i++, sl_index_next (&at, &x->shape)) {
    size_t to = sl_index_offset (&at, &kept);
    squares[to] += (x->f[i] - mean[to]) * (x->f[i] - mean[to]);
  }
  for (size_t i = 0; i < x->n; i++, sl_index_next (&at, &x->shape)) {
    size_t from = sl_index_offset (&at, &kept);
    call->outputs[0]->f[i] =
        (x->f[i] - mean[from]) / (sqrt (squares[from] / count) + MEAN_VARIANCE_EPSILON);
  }
}

/* With the deviation q, y = c / t and t = q + epsilon. */
static gboolean
mean_variance_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const MeanVarianceAttrs *attrs = node->attrs;
  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'r', sl_gradient_ints (to, node, attrs->axes.v, attrs->axes.n));
  sl_formula_bind_number (&f, 'e', MEAN_VARIANCE_EPSILON);
  sl_gradients_give (
      to, node, 0,
      sl_formula_add (&f,
                      "c = x - ReduceMean (x, r); q = Sqrt (ReduceMean (c * c, r)); t = q + e;"
                      "(d - ReduceMean (d, r)) / t - c * (ReduceMean (d * c, r) / (q * t * t))"));
  return TRUE;
}

static const SlOpClass mean_variance = {
    .name = "MeanVarianceNormalization",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = mean_variance_attrs,
    .attrs_size = sizeof (MeanVarianceAttrs),
    .infer = mean_variance_infer,
    .reference = mean_variance_reference,
    .gradient = mean_variance_gradient,
    .cost = group_norm_cost,
};

const SlOpClass *const sl_ops_group_norm[] = {&instance_norm, &group_norm, &mean_variance, NULL};
