/* Parts of a value along its axes: https://onnx.ai/onnx/operators/onnx__Slice.html,
 * …/onnx__Split.html */
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

/* --- Slice: x, starts, ends, axes, steps --- */

/* What inference makes of the inputs, for each dimension of x. */
typedef struct SliceAttrs {
  SlInts starts, steps;
} SliceAttrs;

static const SlAttrSpec slice_attrs[] = {
    {.name = ".starts", .type = SL_ATTR_INTS, .offset = offsetof (SliceAttrs, starts)},
    {.name = ".steps", .type = SL_ATTR_INTS, .offset = offsetof (SliceAttrs, steps)},
    {0},
};

/* The inputs as lists of one length; axes and steps have their defaults. */
typedef struct SliceInputs {
  SlInts starts, ends, axes, steps;
} SliceInputs;

static gboolean
read_inputs (const SlNode *node, SliceInputs *in, GError **error)
{
  if (!sl_infer_constant_ints (node, 1, &in->starts, error) ||
      !sl_infer_constant_ints (node, 2, &in->ends, error))
    return FALSE;
  uint32_t n = in->starts.n;
  in->axes.n = in->steps.n = n;
  for (uint32_t i = 0; i < n; i++) {
    in->axes.v[i] = i;
    in->steps.v[i] = 1;
  }
  if ((sl_node_input (node, 3) != NULL && !sl_infer_constant_ints (node, 3, &in->axes, error)) ||
      (sl_node_input (node, 4) != NULL && !sl_infer_constant_ints (node, 4, &in->steps, error)))
    return FALSE;
  if (in->ends.n == n && in->axes.n == n && in->steps.n == n)
    return TRUE;
  sl_node_error (node, error, SL_ERROR_SHAPE,
                 "%u starts, %u ends, %u axes and %u steps, expected as many of each", n,
                 in->ends.n, in->axes.n, in->steps.n);
  return FALSE;
}

/* Where a bound lies in a dimension of `size`; negative ones count from its end. */
static int64_t
bound (int64_t at, int64_t size, int64_t min, int64_t max)
{
  if (at < 0)
    at = at < -size ? min : at + size;
  return CLAMP (at, min, max);
}

/* Elements from `start` on, `step` apart, before `end`. */
static int64_t
count_steps (int64_t start, int64_t end, int64_t step)
{
  if (step > 0)
    return end > start ? (end - start - 1) / step + 1 : 0;
  return start > end ? (start - end - 1) / (step == INT64_MIN ? INT64_MAX : -step) + 1 : 0;
}

static gboolean
slice_infer (SlNode *node, GError **error)
{
  SliceAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SliceInputs in;
  if (!read_inputs (node, &in, error))
    return FALSE;
  SlShape y = *x;
  bool seen[SL_MAX_RANK] = {false};
  attrs->starts.n = attrs->steps.n = x->rank;
  for (uint32_t i = 0; i < x->rank; i++) {
    attrs->starts.v[i] = 0;
    attrs->steps.v[i] = 1;
  }
  for (uint32_t i = 0; i < in.axes.n; i++) {
    if (!sl_infer_axis (node, &in.axes.v[i], x->rank, error))
      return FALSE;
    int64_t axis = in.axes.v[i], step = in.steps.v[i], size = x->dim[axis];
    if (seen[axis] || step == 0) {
      sl_node_error (node, error, SL_ERROR_SHAPE, "axis %" G_GINT64_FORMAT " %s", axis,
                     step == 0 ? "has a step of 0" : "stands twice");
      return FALSE;
    }
    seen[axis] = true;
    bool forth = step > 0;
    int64_t start = bound (in.starts.v[i], size, 0, forth ? size : size - 1);
    int64_t end = bound (in.ends.v[i], size, forth ? 0 : -1, forth ? size : size - 1);
    y.dim[axis] = count_steps (start, end, step);
    attrs->starts.v[axis] = y.dim[axis] > 0 ? start : 0;
    attrs->steps.v[axis] = y.dim[axis] > 1 ? step : 1;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static void
slice_reference (const SlRefCall *call)
{
  const SliceAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  SlIndex to = {.rank = y->shape.rank}, from = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&to, &y->shape)) {
    for (uint32_t d = 0; d < to.rank; d++)
      from.at[d] = attrs->starts.v[d] + to.at[d] * attrs->steps.v[d];
    sl_ref_move (y, i, x, sl_index_offset (&from, &x->shape));
  }
}

static void
slice_lower (const SlNode *node, SlLowering *to)
{
  const SliceAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlWalk from = sl_walk (x), into = sl_walk (y);
  for (uint32_t i = 0; i < x->shape.rank; i++) {
    from.offset += (ptrdiff_t)attrs->starts.v[i] * from.stride[i];
    from.stride[i] *= (ptrdiff_t)attrs->steps.v[i];
  }
  if (sl_lies_in (y, x, &from))
    return;
  sl_lower_copy (to, &y->shape, x, &from, y, &into);
}

/* All there is of input 0, in its order. */
static SlValue *
slice_simplify (SlGraph *graph, SlNode *node)
{
  const SliceAttrs *attrs = node->attrs;
  for (uint32_t i = 0; i < attrs->steps.n; i++)
    if (attrs->steps.v[i] != 1)
      return NULL;
  return sl_shape_equal (&node->inputs[0]->shape, &node->outputs[0]->shape) ? node->inputs[0]
                                                                            : NULL;
}

static gboolean
slice_as_slice (const SlNode *node, uint32_t index, uint32_t *ret_axis, int64_t *ret_start)
{
  const SliceAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
  uint32_t cuts = 0;
  for (uint32_t i = 0; i < x->rank; i++) {
    if (attrs->steps.v[i] != 1)
      return FALSE;
    if (x->dim[i] == y->dim[i])
      continue;
    *ret_axis = i;
    *ret_start = attrs->starts.v[i];
    cuts++;
  }
  return cuts == 1;
}

/* `value` with `step` - 1 zeros behind each element of the axis. */
static SlValue *
spread_axis (SlGradients *to, const SlNode *of, SlValue *value, uint32_t axis, int64_t step)
{
  SlShape shape = value->shape;
  size_t outer, inner;
  sl_split_at_axis (&shape, axis, &outer, &inner);
  const SlShape each = SL_SHAPE ((int64_t)outer, shape.dim[axis], 1, (int64_t)inner);
  shape.dim[axis] *= step;
  value = sl_gradient_reshape (to, of, value, &each);
  value =
      sl_gradient_pad (to, of, value, (const int64_t[4]){0}, (const int64_t[]){0, 0, step - 1, 0});
  return sl_gradient_reshape (to, of, value, &shape);
}

static SlValue *
turn_axis (SlGradients *to, const SlNode *of, SlValue *value, int64_t axis)
{
  const int64_t first = -1, end = INT64_MIN, step = -1;
  SlValue *inputs[] = {value, sl_gradient_ints (to, of, &first, 1),
                       sl_gradient_ints (to, of, &end, 1), sl_gradient_ints (to, of, &axis, 1),
                       sl_gradient_ints (to, of, &step, 1)};
  return sl_gradient_node (to, of, "Slice", NULL, 0, G_N_ELEMENTS (inputs), inputs);
}

/* The elements at their old places, zeros elsewhere. */
static gboolean
slice_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const SliceAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SlValue *value = sl_gradients_get (to, node, 0);
  int64_t begin[SL_MAX_RANK], end[SL_MAX_RANK];
  for (uint32_t i = 0; i < x->rank; i++) {
    int64_t start = attrs->starts.v[i], step = attrs->steps.v[i], n = value->shape.dim[i];
    if (step < 0) {
      value = turn_axis (to, node, value, i);
      start += (n - 1) * step;
      step = -step;
    }
    if (step > 1)
      value = spread_axis (to, node, value, i, step);
    begin[i] = start;
    end[i] = x->dim[i] - start - n * step;
  }
  sl_gradients_give (to, node, 0, sl_gradient_pad (to, node, value, begin, end));
  return TRUE;
}

static gboolean
slice_import_attrs (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"starts", "ends", "axes", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, NULL, error);
}

static const SlOnnxForm slice_forms[] = {
    {.since = 1, .import = slice_import_attrs},
    {.since = 10},
    {0},
};

static const SlOpClass slice = {
    .name = "Slice",
    .min_inputs = 3,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = slice_attrs,
    .attrs_size = sizeof (SliceAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = slice_infer,
    .reference = slice_reference,
    .lower = slice_lower,
    .simplify = slice_simplify,
    .as_slice = slice_as_slice,
    .gradient = slice_gradient,
    .forms = slice_forms,
};

/* --- Split: x, sizes → parts along one axis --- */

typedef struct SplitAttrs {
  int64_t axis;
  int64_t num_outputs; /* opset 18: says again how many there are */
} SplitAttrs;

static const SlAttrSpec split_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (SplitAttrs, axis)},
    {.name = "num_outputs", .type = SL_ATTR_INT, .offset = offsetof (SplitAttrs, num_outputs)},
    {0},
};

/* Sizes of the parts: as input 1 has them, or equal ones but for a smaller last one. */
static gboolean
split_sizes (const SlNode *node, int64_t size, SlInts *ret_sizes, GError **error)
{
  uint32_t n = node->n_outputs;
  int64_t sum = 0;
  if (sl_node_input (node, 1) != NULL) {
    if (!sl_infer_constant_ints (node, 1, ret_sizes, error))
      return FALSE;
  } else {
    ret_sizes->n = MIN (n, SL_INTS_MAX);
    int64_t each = (size + n - 1) / n;
    for (uint32_t i = 0; i < ret_sizes->n; i++)
      ret_sizes->v[i] = CLAMP (size - each * i, 0, each);
  }
  bool fits = ret_sizes->n == n;
  for (uint32_t i = 0; fits && i < n; i++) {
    fits = ret_sizes->v[i] >= 0 && ret_sizes->v[i] <= size - sum;
    sum += fits ? ret_sizes->v[i] : 0;
  }
  if (fits && sum == size)
    return TRUE;
  sl_node_error (node, error, SL_ERROR_SHAPE,
                 "a dimension of %" G_GINT64_FORMAT " cannot be split into these %u parts", size,
                 n);
  return FALSE;
}

static gboolean
split_infer (SlNode *node, GError **error)
{
  SplitAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  SlInts sizes = {0};
  if (attrs->num_outputs != 0 && attrs->num_outputs != node->n_outputs) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "num_outputs is %" G_GINT64_FORMAT ", there are %u",
                   attrs->num_outputs, node->n_outputs);
    return FALSE;
  }
  if (!sl_infer_axis (node, &attrs->axis, x->shape.rank, error) ||
      !split_sizes (node, x->shape.dim[attrs->axis], &sizes, error))
    return FALSE;
  for (uint32_t i = 0; i < sizes.n; i++) {
    SlShape y = x->shape;
    y.dim[attrs->axis] = sizes.v[i];
    sl_infer_output (node, i, x->dtype, &y);
  }
  return TRUE;
}

static void
split_reference (const SlRefCall *call)
{
  const SplitAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  SlInts sizes = {0};
  int64_t first = 0;
  split_sizes (call->node, x->shape.dim[attrs->axis], &sizes, NULL);
  for (uint32_t k = 0; k < sizes.n; first += sizes.v[k++]) {
    SlRefTensor *y = call->outputs[k];
    SlIndex to = {.rank = x->shape.rank};
    for (size_t i = 0; y != NULL && i < y->n; i++, sl_index_next (&to, &y->shape)) {
      SlIndex from = to;
      from.at[attrs->axis] += first;
      sl_ref_move (y, i, x, sl_index_offset (&from, &x->shape));
    }
  }
}

static void
split_lower (const SlNode *node, SlLowering *to)
{
  const SplitAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  SlInts sizes = {0};
  SlWalk from = sl_walk (x);
  split_sizes (node, x->shape.dim[attrs->axis], &sizes, NULL);
  for (uint32_t k = 0; k < sizes.n; k++) {
    const SlValue *y = node->outputs[k];
    if (y != NULL && !sl_lies_in (y, x, &from)) {
      SlWalk into = sl_walk (y);
      sl_lower_copy (to, &y->shape, x, &from, y, &into);
    }
    from.offset += (ptrdiff_t)sizes.v[k] * from.stride[attrs->axis];
  }
}

static gboolean
split_as_slice (const SlNode *node, uint32_t index, uint32_t *ret_axis, int64_t *ret_start)
{
  const SplitAttrs *attrs = node->attrs;
  SlInts sizes = {0};
  if (!split_sizes (node, node->inputs[0]->shape.dim[attrs->axis], &sizes, NULL))
    return FALSE;
  *ret_axis = (uint32_t)attrs->axis;
  *ret_start = 0;
  for (uint32_t i = 0; i < index; i++)
    *ret_start += sizes.v[i];
  return TRUE;
}

/* Zeros where nobody read a part. */
static gboolean
split_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const SplitAttrs *attrs = node->attrs;
  SlValue *parts[SL_INTS_MAX];
  SlShape shape = node->inputs[0]->shape;
  SlInts sizes = {0};
  split_sizes (node, shape.dim[attrs->axis], &sizes, NULL);
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    shape.dim[attrs->axis] = sizes.v[i];
    parts[i] = sl_gradients_get (to, node, i);
    if (parts[i] == NULL)
      parts[i] = sl_gradient_constant (to, node->inputs[0]->dtype, &shape, 0);
  }
  const SlRawAttr axis = {.name = (char *)"axis", .type = SL_RAW_INT, .i = attrs->axis};
  sl_gradients_give (to, node, 0,
                     sl_gradient_node (to, node, "Concat", &axis, 1, node->n_outputs, parts));
  return TRUE;
}

static gboolean
split_import_attr (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"split", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, NULL, error);
}

static const SlOnnxForm split_forms[] = {
    {.since = 1, .import = split_import_attr},
    {.since = 13},
    {0},
};

static const SlOpClass split = {
    .name = "Split",
    .min_inputs = 1,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = SL_INTS_MAX,
    .attrs = split_attrs,
    .attrs_size = sizeof (SplitAttrs),
    .traits = SL_TRAIT_SLICE_IN,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = split_infer,
    .reference = split_reference,
    .lower = split_lower,
    .as_slice = split_as_slice,
    .gradient = split_gradient,
    .forms = split_forms,
};

const SlOpClass *const sl_ops_slice[] = {&slice, &split, NULL};
