/* Resize, and Upsample as its older name: https://onnx.ai/onnx/operators/onnx__Resize.html */
#include "kernels/resize2d.h"
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/resample.h"
#include "ops/shape.h"
#include "ops/window.h"

#include <math.h>
#include <string.h>

enum { POLICY_STRETCH, POLICY_NOT_LARGER, POLICY_NOT_SMALLER };

static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};

typedef struct ResizeAttrs {
  SlResample how;
  SlInts axes;
  uint32_t policy; /* keep_aspect_ratio_policy */
  float extrapolation_value;
  SlResampleAxis axis[SL_MAX_RANK]; /* set by inference, one entry a dimension */
} ResizeAttrs;

static const SlAttrSpec resize_attrs[] = {
    {.name = "mode",
     .type = SL_ATTR_ENUM,
     .offset = offsetof (ResizeAttrs, how.mode),
     .choices = sl_resample_modes},
    {.name = "coordinate_transformation_mode",
     .type = SL_ATTR_ENUM,
     .offset = offsetof (ResizeAttrs, how.transformation),
     .choices = sl_resample_transformations},
    {.name = "nearest_mode",
     .type = SL_ATTR_ENUM,
     .offset = offsetof (ResizeAttrs, how.nearest),
     .choices = sl_resample_roundings},
    {.name = "cubic_coeff_a",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (ResizeAttrs, how.cubic_a),
     .preset = -0.75},
    {.name = "exclude_outside",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (ResizeAttrs, how.exclude_outside)},
    {.name = "antialias", .type = SL_ATTR_BOOL, .offset = offsetof (ResizeAttrs, how.antialias)},
    {.name = ".ceil_if_smaller",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (ResizeAttrs, how.ceil_if_smaller)},
    {.name = "extrapolation_value",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (ResizeAttrs, extrapolation_value)},
    {.name = "axes", .type = SL_ATTR_INTS, .offset = offsetof (ResizeAttrs, axes)},
    {.name = "keep_aspect_ratio_policy",
     .type = SL_ATTR_ENUM,
     .offset = offsetof (ResizeAttrs, policy),
     .choices = policies},
    {0},
};

/* --- Inference --- */

/* Inputs: x, region of interest, scales, sizes. */
enum { INPUT_ROI = 1, INPUT_SCALES, INPUT_SIZES };

/* The constant input `index` with `n` elements; *ret_tensor is NULL where it is left out, which an
 * empty tensor says too. */
static gboolean
read_vector (const SlNode *node, uint32_t index, uint32_t n, const SlTensor **ret_tensor,
             GError **error)
{
  const SlValue *input = sl_node_input (node, index);
  *ret_tensor = NULL;
  if (input == NULL)
    return TRUE;
  size_t elements = 0;
  sl_shape_get_elements (&input->shape, &elements);
  if (elements == 0)
    return TRUE;
  if (elements != n || input->shape.rank != 1) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' has %zu elements for %u axes",
                   input->name, elements, n);
    return FALSE;
  }
  if (input->kind != SL_VALUE_CONSTANT) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "input %u, '%s', decides a shape and has to be constant", index, input->name);
    return FALSE;
  }
  *ret_tensor = input->data;
  return TRUE;
}

/* Sizes beyond this are mistakes, and a product with a scale would overflow. */
#define SIZE_MAX_RESIZED ((double)((int64_t)1 << 40))

/* In floats, as every implementation multiplies: 10 * 0.7 is 7. */
static gboolean
apply_scales (const SlNode *node, const SlInts *axes, const SlTensor *scales, GError **error)
{
  ResizeAttrs *attrs = node->attrs;
  for (uint32_t i = 0; i < axes->n; i++) {
    SlResampleAxis *axis = &attrs->axis[axes->v[i]];
    float scale = (float)sl_tensor_get_double (scales, i), out = floorf ((float)axis->in * scale);
    if (!(scale > 0) || !((double)out <= SIZE_MAX_RESIZED)) {
      sl_node_error (node, error, SL_ERROR_SHAPE,
                     "a scale of %g on axis %" G_GINT64_FORMAT " of size %" G_GINT64_FORMAT,
                     (double)scale, axes->v[i], axis->in);
      return FALSE;
    }
    axis->scale = (double)scale;
    axis->out = (int64_t)out;
  }
  return TRUE;
}

static gboolean
apply_sizes (const SlNode *node, const SlInts *axes, const SlTensor *sizes, GError **error)
{
  ResizeAttrs *attrs = node->attrs;
  double least = INFINITY, most = 0;
  for (uint32_t i = 0; i < axes->n; i++) {
    SlResampleAxis *axis = &attrs->axis[axes->v[i]];
    axis->out = sl_tensor_get_int (sizes, i);
    if (axis->out < 0 || (double)axis->out > SIZE_MAX_RESIZED) {
      sl_node_error (node, error, SL_ERROR_SHAPE,
                     "a size of %" G_GINT64_FORMAT " on axis %" G_GINT64_FORMAT, axis->out,
                     axes->v[i]);
      return FALSE;
    }
    axis->scale = axis->in > 0 ? (double)axis->out / (double)axis->in : 1;
    least = fmin (least, axis->scale);
    most = fmax (most, axis->scale);
  }
  for (uint32_t i = 0; i < axes->n && attrs->policy != POLICY_STRETCH; i++) {
    SlResampleAxis *axis = &attrs->axis[axes->v[i]];
    axis->scale = attrs->policy == POLICY_NOT_LARGER ? least : most;
    axis->out = (int64_t)floor (axis->scale * (double)axis->in + 0.5);
  }
  return TRUE;
}

/* All beginnings, then all ends, as fractions of the input. */
static gboolean
apply_roi (const SlNode *node, const SlInts *axes, GError **error)
{
  ResizeAttrs *attrs = node->attrs;
  const SlTensor *roi;
  if (attrs->how.transformation != SL_RESAMPLE_TF_CROP_AND_RESIZE)
    return TRUE;
  if (!read_vector (node, INPUT_ROI, 2 * axes->n, &roi, error))
    return FALSE;
  if (roi == NULL) {
    sl_node_error (node, error, SL_ERROR_MALFORMED, "tf_crop_and_resize without input roi");
    return FALSE;
  }
  for (uint32_t i = 0; i < axes->n; i++) {
    attrs->axis[axes->v[i]].begin = sl_tensor_get_double (roi, i);
    attrs->axis[axes->v[i]].end = sl_tensor_get_double (roi, axes->n + i);
  }
  return TRUE;
}

static gboolean
read_axes (const SlNode *node, uint32_t rank, SlInts *ret_axes, GError **error)
{
  const ResizeAttrs *attrs = node->attrs;
  uint32_t seen = 0;
  *ret_axes = attrs->axes;
  if (ret_axes->n == 0)
    for (; ret_axes->n < rank; ret_axes->n++)
      ret_axes->v[ret_axes->n] = ret_axes->n;
  for (uint32_t i = 0; i < ret_axes->n; i++) {
    if (!sl_infer_axis (node, &ret_axes->v[i], rank, error))
      return FALSE;
    if (seen & 1u << ret_axes->v[i]) {
      sl_node_error (node, error, SL_ERROR_SHAPE, "axis %" G_GINT64_FORMAT " stands there twice",
                     ret_axes->v[i]);
      return FALSE;
    }
    seen |= 1u << ret_axes->v[i];
  }
  return TRUE;
}

static gboolean
check_result (const SlNode *node, const SlShape *x, const SlShape *y, GError **error)
{
  const ResizeAttrs *attrs = node->attrs;
  if (attrs->how.mode == SL_RESAMPLE_CUBIC && !sl_dtype_is_float (node->inputs[0]->dtype)) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s, expected floats for cubic",
                   node->inputs[0]->name, sl_dtype_get_name (node->inputs[0]->dtype));
    return FALSE;
  }
  for (uint32_t i = 0; i < x->rank; i++) {
    if (x->dim[i] > 0 || y->dim[i] == 0)
      continue;
    g_autofree char *found = sl_shape_to_string (x);
    g_autofree char *expected = sl_shape_to_string (y);
    sl_node_error (node, error, SL_ERROR_SHAPE, "an input of %s cannot become %s", found, expected);
    return FALSE;
  }
  return TRUE;
}

static gboolean
resize_infer (SlNode *node, GError **error)
{
  ResizeAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  const SlTensor *scales, *sizes;
  SlInts axes;
  if (!read_axes (node, x->rank, &axes, error) ||
      !read_vector (node, INPUT_SCALES, axes.n, &scales, error) ||
      !read_vector (node, INPUT_SIZES, axes.n, &sizes, error))
    return FALSE;
  if ((scales == NULL) == (sizes == NULL) && axes.n > 0) {
    sl_node_error (node, error, SL_ERROR_MALFORMED, "%s scales and sizes, expected one of them",
                   scales == NULL ? "neither" : "both");
    return FALSE;
  }
  for (uint32_t i = 0; i < x->rank; i++)
    attrs->axis[i] = (SlResampleAxis){.in = x->dim[i], .out = x->dim[i], .scale = 1, .end = 1};
  if ((scales != NULL && !apply_scales (node, &axes, scales, error)) ||
      (sizes != NULL && !apply_sizes (node, &axes, sizes, error)) ||
      !apply_roi (node, &axes, error))
    return FALSE;
  SlShape y = *x;
  for (uint32_t i = 0; i < x->rank; i++)
    y.dim[i] = attrs->axis[i].out;
  if (!check_result (node, x, &y, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

/* --- Reference --- */

/* Integers are cut off as they are elsewhere; what the weights' rounding takes from a whole number
 * does not count. */
#define SHORTFALL 1e-6

static int64_t
whole_number (double x)
{
  x += copysign (SHORTFALL, x);
  return x >= -0x1p62 && x <= 0x1p62 ? (int64_t)x : 0;
}

static void
nearest_reference (const SlRefCall *call, const SlTaps *taps)
{
  const ResizeAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  SlIndex to = {.rank = y->shape.rank}, from = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&to, &y->shape)) {
    bool outside = false;
    for (uint32_t d = 0; d < to.rank; d++) {
      from.at[d] = taps[d].index[to.at[d]];
      outside = outside || taps[d].outside[to.at[d]];
    }
    if (!outside)
      sl_ref_move (y, i, x, sl_index_offset (&from, &x->shape));
    else if (sl_dtype_is_float (y->dtype))
      y->f[i] = (double)attrs->extrapolation_value;
    else
      y->i[i] = whole_number ((double)attrs->extrapolation_value);
  }
}

/* `x` (outer, in, inner) resampled along the middle; a new array. */
static double *
resample_axis (const double *x, size_t outer, size_t in, size_t inner, const SlTaps *taps)
{
  double *y = g_new0 (double, outer * taps->out * inner);
  for (size_t o = 0; o < outer; o++)
    for (size_t i = 0; i < taps->out; i++)
      for (size_t k = 0; k < taps->n; k++) {
        const double *from = x + (o * in + (size_t)taps->index[i * taps->n + k]) * inner;
        double *to = y + (o * taps->out + i) * inner, weight = taps->weight[i * taps->n + k];
        for (size_t j = 0; j < inner && weight != 0; j++)
          to[j] += weight * from[j];
      }
  return y;
}

static void
interpolate_reference (const SlRefCall *call, const SlTaps *taps)
{
  const ResizeAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  bool is_float = sl_dtype_is_float (x->dtype);
  g_autofree double *now = g_new (double, x->n);
  for (size_t i = 0; i < x->n; i++)
    now[i] = is_float ? x->f[i] : (double)x->i[i];
  size_t n = x->n, outer = 1;
  for (uint32_t d = 0; d < x->shape.rank; d++) {
    size_t in = (size_t)x->shape.dim[d], inner = n / outer / in;
    double *next = resample_axis (now, outer, in, inner, &taps[d]);
    g_free (now);
    now = next;
    outer *= taps[d].out;
    n = outer * inner;
  }
  SlIndex at = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&at, &y->shape)) {
    bool outside = false;
    for (uint32_t d = 0; d < at.rank; d++)
      outside = outside || taps[d].outside[at.at[d]];
    double value = outside ? (double)attrs->extrapolation_value : now[i];
    if (is_float)
      y->f[i] = value;
    else
      y->i[i] = whole_number (value);
  }
}

static void
resize_reference (const SlRefCall *call)
{
  const ResizeAttrs *attrs = call->attrs;
  uint32_t rank = call->inputs[0]->shape.rank;
  SlTaps taps[SL_MAX_RANK];
  if (call->outputs[0]->n == 0)
    return;
  for (uint32_t d = 0; d < rank; d++)
    sl_taps_init (&taps[d], &attrs->how, &attrs->axis[d]);
  if (attrs->how.mode == SL_RESAMPLE_NEAREST)
    nearest_reference (call, taps);
  else
    interpolate_reference (call, taps);
  for (uint32_t d = 0; d < rank; d++)
    sl_taps_clear (&taps[d]);
}

/* Whether each element stands `factor` times in a row. */
static bool
is_repeated (const SlResample *how, const SlResampleAxis *axis, int64_t *ret_factor)
{
  SlTaps taps;
  *ret_factor = axis->in > 0 ? axis->out / axis->in : 0;
  if (*ret_factor < 1 || axis->out != *ret_factor * axis->in || how->mode != SL_RESAMPLE_NEAREST)
    return false;
  sl_taps_init (&taps, how, axis);
  bool repeated = true;
  for (int64_t i = 0; i < axis->out; i++)
    repeated = repeated && taps.index[i] == i / *ret_factor && !taps.outside[i];
  sl_taps_clear (&taps);
  return repeated;
}

/* Pictures whose elements are repeated: the sum over each one's block, as a mean that has a kernel.
 * NULL if it is none of these. */
static SlValue *
sum_blocks (SlGradients *to, const SlNode *node, SlValue *d)
{
  const ResizeAttrs *attrs = node->attrs;
  int64_t factor[SL_MAX_RANK];
  const uint32_t rank = d->shape.rank;
  double block = 1;
  for (uint32_t i = 0; i < rank; i++) {
    if (!is_repeated (&attrs->how, &attrs->axis[i], &factor[i]))
      return NULL;
    block *= (double)factor[i];
  }
  if ((rank != 3 && rank != 4) || factor[0] != 1 || factor[1] != 1)
    return NULL;
  const SlRawAttr pool[] = {
      {.name = (char *)"kernel_shape", .type = SL_RAW_INTS, .n = rank - 2, .ints = factor + 2},
      {.name = (char *)"strides", .type = SL_RAW_INTS, .n = rank - 2, .ints = factor + 2},
  };
  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'm', sl_gradient_node (to, node, "AveragePool", pool, 2, 1, &d));
  sl_formula_bind_number (&f, 'b', block);
  return sl_formula_add (&f, "m * b");
}

/* Each axis is a matrix, whose transpose takes the gradient back. */
static gboolean
resize_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const ResizeAttrs *attrs = node->attrs;
  SlValue *d = sl_gradients_get (to, node, 0), *sums = sum_blocks (to, node, d);
  for (uint32_t i = 0; sums == NULL && i < d->shape.rank; i++) {
    const SlResampleAxis *axis = &attrs->axis[i];
    SlTaps taps;
    if (sl_resample_is_identity (&attrs->how, axis))
      continue;
    g_autofree double *matrix = g_new0 (double, (gsize)(axis->in * axis->out) + 1);
    sl_taps_init (&taps, &attrs->how, axis);
    for (size_t k = 0; k < taps.out * taps.n; k++)
      if (!taps.outside[k / taps.n])
        matrix[(size_t)taps.index[k] * taps.out + k / taps.n] += taps.weight[k];
    sl_taps_clear (&taps);
    d = sl_gradient_map_axis (to, node, d, i, axis->in, matrix);
  }
  sl_gradients_give (to, node, 0, sums != NULL ? sums : d);
  return TRUE;
}

/* --- Steps: positions only, whose taps are tables --- */

static bool
is_empty (const SlShape *shape)
{
  size_t n = 0;
  sl_shape_get_elements (shape, &n);
  return n == 0;
}

static gboolean
resize_row_major_only (const SlNode *node)
{
  const ResizeAttrs *attrs = node->attrs;
  return sl_window_row_major_only (node) ||
         attrs->how.transformation == SL_RESAMPLE_TF_CROP_AND_RESIZE ||
         !sl_resample_is_identity (&attrs->how, &attrs->axis[0]) ||
         !sl_resample_is_identity (&attrs->how, &attrs->axis[1]) ||
         is_empty (&node->outputs[0]->shape);
}

/* Height and width of a picture; a line is one row. */
static void
plane_axes (const SlNode *node, SlResampleAxis ret_axes[2])
{
  const ResizeAttrs *attrs = node->attrs;
  uint32_t rank = node->inputs[0]->shape.rank;
  ret_axes[0] = (SlResampleAxis){.in = 1, .out = 1, .scale = 1, .end = 1};
  if (rank == 4)
    ret_axes[0] = attrs->axis[2];
  ret_axes[1] = attrs->axis[rank - 1];
}

/* The taps of both axes, one behind the other: indices as int32, weights as float. */
static void
resize_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  const ResizeAttrs *attrs = node->attrs;
  SlResampleAxis axes[2];
  SlTaps taps[2];
  if (resize_row_major_only (node))
    return;
  plane_axes (node, axes);
  int64_t n = 0;
  for (int d = 0; d < 2; d++) {
    sl_taps_init (&taps[d], &attrs->how, &axes[d]);
    n += (int64_t)(taps[d].out * taps[d].n);
  }
  g_autofree int32_t *indices = g_new (int32_t, n);
  g_autofree float *weights = g_new (float, n);
  for (size_t d = 0, i = 0; d < 2; d++) {
    for (size_t k = 0; k < taps[d].out * taps[d].n; k++, i++) {
      indices[i] = (int32_t)taps[d].index[k];
      weights[i] = (float)taps[d].weight[k];
    }
    sl_taps_clear (&taps[d]);
  }
  g_autoptr (SlTensor) index = sl_tensor_new_copy (SL_INT32, &SL_SHAPE (n), indices, NULL);
  g_autoptr (SlTensor) weight = sl_tensor_new_copy (SL_FLOAT32, &SL_SHAPE (n), weights, NULL);
  for (uint32_t i = 1; i < node->n_inputs; i++)
    sl_node_set_input (node, i, NULL);
  while (node->n_inputs < 3)
    sl_node_add_input (node, NULL);
  sl_node_set_input (node, 1, sl_graph_add_tensor (graph, NULL, SL_VALUE_CONSTANT, index));
  sl_node_set_input (node, 2, sl_graph_add_tensor (graph, NULL, SL_VALUE_CONSTANT, weight));
}

static void
resize_lower (const SlNode *node, SlLowering *to)
{
  if (resize_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  const ResizeAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlResampleAxis axes[2];
  plane_axes (node, axes);
  SlResize2dParams params = {
      .batch = (uint32_t)x->shape.dim[0],
      .channels = (uint32_t)x->shape.dim[1],
      .in_h = (uint32_t)axes[0].in,
      .in_w = (uint32_t)axes[1].in,
      .out_h = (uint32_t)axes[0].out,
      .out_w = (uint32_t)axes[1].out,
      .taps_h = (uint32_t)sl_resample_count_taps (&attrs->how, &axes[0]),
      .taps_w = (uint32_t)sl_resample_count_taps (&attrs->how, &axes[1]),
      .in_stride = sl_value_pixel (x),
      .out_stride = sl_value_pixel (y),
  };
  sl_lower (to, "resize2d", &params, x, node->inputs[1], node->inputs[2], y);
}

static void
resize_cost (const SlNode *node, SlCost *ret_cost)
{
  const ResizeAttrs *attrs = node->attrs;
  size_t n = 0;
  sl_shape_get_elements (&node->outputs[0]->shape, &n);
  ret_cost->flops = (double)n;
  for (uint32_t i = 2; i < node->outputs[0]->shape.rank; i++)
    ret_cost->flops *= (double)sl_resample_count_taps (&attrs->how, &attrs->axis[i]);
}

/* --- ONNX forms --- */

/* Until opset 10 positions are divided by the scale, and nothing else can be chosen. */
static gboolean
import_asymmetric (const SlImport *im, const SlOpClass *op, SlValue *scales, bool ceil_if_smaller,
                   GError **error)
{
  static const char *const dropped[] = {"scales", NULL};
  SlValue *inputs[] = {im->inputs[0], NULL, scales};
  SlImport canonical = *im;
  canonical.inputs = inputs;
  canonical.n_inputs = 3;
  if (!sl_import_dropping (&canonical, op, dropped, error))
    return FALSE;
  ResizeAttrs *attrs = im->outputs[0]->producer->attrs;
  attrs->how.transformation = SL_RESAMPLE_ASYMMETRIC;
  attrs->how.nearest = SL_RESAMPLE_FLOOR;
  attrs->how.ceil_if_smaller = ceil_if_smaller;
  return TRUE;
}

/* Resize 10, Upsample 9: x, scales. */
static gboolean
resize_import_10 (const SlImport *im, const SlOpClass *op, GError **error)
{
  if (im->n_inputs != 2 || im->inputs[0] == NULL || im->inputs[1] == NULL)
    return sl_import_error (im, error, SL_ERROR_MALFORMED, "%u inputs in opset %d, expected 2",
                            im->n_inputs, im->opset);
  return import_asymmetric (im, op, im->inputs[1], true, error);
}

/* Upsample 7: the scales are an attribute. */
static gboolean
upsample_import_7 (const SlImport *im, const SlOpClass *op, GError **error)
{
  const SlRawAttr *raw = sl_import_attr (im, "scales");
  if (im->n_inputs != 1 || im->inputs[0] == NULL)
    return sl_import_error (im, error, SL_ERROR_MALFORMED, "%u inputs in opset %d, expected 1",
                            im->n_inputs, im->opset);
  if (raw == NULL || raw->type != SL_RAW_FLOATS)
    return sl_import_error (im, error, SL_ERROR_MALFORMED, "attribute scales is missing");
  g_autoptr (SlTensor) scales =
      sl_tensor_new_copy (SL_FLOAT32, &SL_SHAPE ((int64_t)raw->n), raw->floats, error);
  if (scales == NULL)
    return FALSE;
  SlValue *value = sl_graph_add_tensor (im->graph, "scales", SL_VALUE_CONSTANT, scales);
  return import_asymmetric (im, op, value, true, error);
}

static const SlOnnxForm resize_forms[] = {
    {.since = 10, .import = resize_import_10},
    {.since = 11},
    {.op_type = "Upsample", .since = 7, .import = upsample_import_7},
    {.op_type = "Upsample", .since = 9, .import = resize_import_10},
    {0},
};

static const SlOpClass resize = {
    .name = "Resize",
    .min_inputs = 1,
    .max_inputs = 4,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = resize_attrs,
    .attrs_size = sizeof (ResizeAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = resize_infer,
    .reference = resize_reference,
    .prepare = resize_prepare,
    .lower = resize_lower,
    .gradient = resize_gradient,
    .row_major_only = resize_row_major_only,
    .cost = resize_cost,
    .forms = resize_forms,
};

const SlOpClass *const sl_ops_resize[] = {&resize, NULL};
