/* Reading at indices: Gather, GatherElements, GatherND:
 * https://onnx.ai/onnx/operators/onnx__Gather.html and so on. Constant indices are checked; one
 * that is only known at run time and lies outside gives zeros. */
#include "ops/gradient.h"
#include "ops/indices.h"
#include "ops/shape.h"

typedef struct GatherAttrs {
  int64_t axis;
} GatherAttrs;

static const SlAttrSpec gather_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (GatherAttrs, axis)},
    {0},
};

static gboolean
gather_infer (SlNode *node, GError **error)
{
  GatherAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
  if (!sl_infer_axis (node, &attrs->axis, x->rank, error) ||
      !sl_infer_indices (node, &x->dim[attrs->axis], 1, error))
    return FALSE;
  if (x->rank - 1 + indices->rank > SL_MAX_RANK) {
    sl_node_error (node, error, SL_ERROR_LIMIT, "the output would have %u dimensions, %d at most",
                   x->rank - 1 + indices->rank, SL_MAX_RANK);
    return FALSE;
  }
  SlShape y = {0};
  for (uint32_t i = 0; i < x->rank; i++) {
    if (i != attrs->axis)
      y.dim[y.rank++] = x->dim[i];
    for (uint32_t k = 0; i == attrs->axis && k < indices->rank; k++)
      y.dim[y.rank++] = indices->dim[k];
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

/* y (outer, indices, inner) */
static void
gather_reference (const SlRefCall *call)
{
  const GatherAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *indices = call->inputs[1];
  SlRefTensor *y = call->outputs[0];
  int64_t size = x->shape.dim[attrs->axis];
  size_t outer, inner, to = 0;
  sl_split_at_axis (&x->shape, attrs->axis, &outer, &inner);
  for (size_t o = 0; o < outer && y->n > 0; o++) {
    for (size_t k = 0; k < indices->n; k++) {
      int64_t index = indices->i[k] < 0 ? indices->i[k] + size : indices->i[k];
      bool inside = index >= 0 && index < size;
      for (size_t i = 0; i < inner; i++, to++) {
        if (inside)
          sl_ref_move (y, to, x, (o * (size_t)size + (size_t)index) * inner + i);
        else
          y->i[to] = 0; /* 0.0 too */
      }
    }
  }
}

/* So many constant indices are worth a copy each. */
#define MAX_COPIES 16

static void
gather_lower (const SlNode *node, SlLowering *to)
{
  const GatherAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *indices = node->inputs[1], *y = node->outputs[0];
  size_t n = 0, outer, inner;
  sl_shape_get_elements (&indices->shape, &n);
  if (indices->kind != SL_VALUE_CONSTANT || n > MAX_COPIES) {
    sl_lower_reference (to);
    return;
  }
  int64_t size = x->shape.dim[attrs->axis];
  sl_split_at_axis (&x->shape, attrs->axis, &outer, &inner);
  const SlShape dims = SL_SHAPE ((int64_t)outer, (int64_t)inner);
  for (size_t k = 0; k < n; k++) {
    int64_t index = sl_tensor_get_int (indices->data, k);
    index += index < 0 ? size : 0;
    SlWalk from = {.offset = (ptrdiff_t)((size_t)index * inner),
                   .stride = {(ptrdiff_t)((size_t)size * inner), 1}};
    SlWalk into = {.offset = (ptrdiff_t)(k * inner), .stride = {(ptrdiff_t)(n * inner), 1}};
    sl_lower_copy (to, &dims, x, &from, y, &into);
  }
}

/* One index is a slice: zeros around it. */
static SlValue *
place_slice (SlGradients *to, const SlNode *of, SlValue *d, const SlShape *x, int64_t axis,
             int64_t index)
{
  int64_t begin[SL_MAX_RANK] = {0}, end[SL_MAX_RANK] = {0};
  SlShape shape = *x;
  shape.dim[axis] = 1;
  index += index < 0 ? x->dim[axis] : 0;
  begin[axis] = index;
  end[axis] = x->dim[axis] - 1 - index;
  return sl_gradient_pad (to, of, sl_gradient_reshape (to, of, d, &shape), begin, end);
}

/* Slices of (outer, axis, inner), added up at their indices as (axis, outer, inner). */
static gboolean
gather_gradient (SlGradients *to, SlNode *node, GError **error)
{
  static const int64_t exchange[] = {1, 0, 2};
  const GatherAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SlValue *indices = node->inputs[1], *d = sl_gradients_get (to, node, 0);
  size_t outer, inner, n = 0;
  sl_shape_get_elements (&indices->shape, &n);
  if (n == 1 && indices->kind == SL_VALUE_CONSTANT) {
    int64_t index = sl_tensor_get_int (indices->data, 0);
    sl_gradients_give (to, node, 0, place_slice (to, node, d, x, attrs->axis, index));
    return TRUE;
  }
  sl_split_at_axis (x, attrs->axis, &outer, &inner);
  const SlShape slices = SL_SHAPE ((int64_t)outer, (int64_t)n, (int64_t)inner);
  const SlShape turned = SL_SHAPE (x->dim[attrs->axis], (int64_t)outer, (int64_t)inner);
  d = sl_gradient_reshape (to, node, d, &slices);
  d = sl_gradient_transpose (to, node, d, exchange);
  indices = sl_gradient_reshape (to, node, indices, &SL_SHAPE ((int64_t)n, 1));
  d = sl_gradient_scatter_nd (to, node, &turned, indices, d);
  d = sl_gradient_transpose (to, node, d, exchange);
  sl_gradients_give (to, node, 0, sl_gradient_reshape (to, node, d, x));
  return TRUE;
}

static const SlOpClass gather = {
    .name = "Gather",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = gather_attrs,
    .attrs_size = sizeof (GatherAttrs),
    .infer = gather_infer,
    .reference = gather_reference,
    .lower = gather_lower,
    .gradient = gather_gradient,
};

/* --- GatherElements: y[i][j][k] = x[i][indices[i][j][k]][k] for axis 1 --- */

static gboolean
gather_elements_infer (SlNode *node, GError **error)
{
  GatherAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
  if (!sl_infer_axis (node, &attrs->axis, x->rank, error) ||
      !sl_infer_elements_shape (node, attrs->axis, error) ||
      !sl_infer_indices (node, &x->dim[attrs->axis], 1, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, indices);
  return TRUE;
}

static void
gather_elements_reference (const SlRefCall *call)
{
  const GatherAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *indices = call->inputs[1];
  SlRefTensor *y = call->outputs[0];
  int64_t size = x->shape.dim[attrs->axis];
  SlIndex index = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&index, &y->shape)) {
    SlIndex from = index;
    int64_t at = indices->i[i] < 0 ? indices->i[i] + size : indices->i[i];
    from.at[attrs->axis] = at;
    if (at >= 0 && at < size)
      sl_ref_move (y, i, x, sl_index_offset (&from, &x->shape));
    else
      y->i[i] = 0; /* 0.0 too */
  }
}

static gboolean
gather_elements_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const GatherAttrs *attrs = node->attrs;
  sl_gradients_give (to, node, 0,
                     sl_gradient_scatter_elements (to, node, &node->inputs[0]->shape, attrs->axis,
                                                   node->inputs[1],
                                                   sl_gradients_get (to, node, 0)));
  return TRUE;
}

static const SlOnnxForm elements_forms[] = {{.since = 11}, {0}};

static const SlOpClass gather_elements = {
    .name = "GatherElements",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = gather_attrs,
    .attrs_size = sizeof (GatherAttrs),
    .infer = gather_elements_infer,
    .reference = gather_elements_reference,
    .gradient = gather_elements_gradient,
    .forms = elements_forms,
};

/* --- GatherND: the last dimension of the indices holds places in several dimensions of x --- */

typedef struct GatherNdAttrs {
  int64_t batch_dims; /* leading dimensions that x and the indices have in common */
} GatherNdAttrs;

static const SlAttrSpec gather_nd_attrs[] = {
    {.name = "batch_dims", .type = SL_ATTR_INT, .offset = offsetof (GatherNdAttrs, batch_dims)},
    {0},
};

static gboolean
gather_nd_infer (SlNode *node, GError **error)
{
  const GatherNdAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
  int64_t batch = attrs->batch_dims,
          width = indices->rank > 0 ? indices->dim[indices->rank - 1] : 0;
  bool fits =
      batch >= 0 && batch < MIN (x->rank, indices->rank) && width >= 1 && width <= x->rank - batch;
  for (int64_t i = 0; fits && i < batch; i++)
    fits = x->dim[i] == indices->dim[i];
  SlShape y = *indices;
  y.rank -= fits ? 1 : 0;
  for (int64_t i = batch + width; fits && i < x->rank; i++) {
    fits = y.rank < SL_MAX_RANK;
    if (fits)
      y.dim[y.rank++] = x->dim[i];
  }
  if (!fits) {
    g_autofree char *of = sl_shape_to_string (x);
    g_autofree char *by = sl_shape_to_string (indices);
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "indices of %s ('%s') with batch_dims %" G_GINT64_FORMAT " into %s", by,
                   node->inputs[1]->name, batch, of);
    return FALSE;
  }
  if (!sl_infer_indices (node, x->dim + batch, (uint32_t)width, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static void
gather_nd_reference (const SlRefCall *call)
{
  const GatherNdAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *indices = call->inputs[1];
  SlRefTensor *y = call->outputs[0];
  size_t batch = 1, width = (size_t)indices->shape.dim[indices->shape.rank - 1];
  for (int64_t i = 0; i < attrs->batch_dims; i++)
    batch *= (size_t)x->shape.dim[i];
  size_t tuples = indices->n / width; /* the width is at least 1 */
  size_t slice = tuples > 0 ? y->n / tuples : 0;
  for (size_t t = 0; slice > 0 && t < tuples; t++) {
    size_t base = t / (tuples / batch) * (x->n / batch), offset = 0;
    bool inside =
        sl_nd_offset (&x->shape, (size_t)attrs->batch_dims, indices->i + t * width, width, &offset);
    for (size_t i = t * slice; i < (t + 1) * slice; i++, offset++) {
      if (inside)
        sl_ref_move (y, i, x, base + offset);
      else
        y->i[i] = 0; /* 0.0 too */
    }
  }
}

/* ScatterND knows no batch: the indices with their own place in it in front. */
static SlValue *
add_batch (SlGradients *to, SlNode *node, uint32_t batch)
{
  SlValue *indices = node->inputs[1];
  SlShape shape = indices->shape;
  const SlRawAttr axis = {.name = (char *)"axis", .type = SL_RAW_INT, .i = shape.rank - 1};
  size_t n = 0;
  shape.dim[shape.rank - 1] = batch;
  sl_shape_get_elements (&shape, &n);
  g_autofree int64_t *places = g_new (int64_t, n + 1);
  SlIndex at = {.rank = shape.rank};
  for (size_t i = 0; i < n; i++, sl_index_next (&at, &shape))
    places[i] = at.at[at.at[shape.rank - 1]];
  SlValue *inputs[] = {
      sl_gradient_reshape (to, node, sl_gradient_ints (to, node, places, n), &shape),
      sl_gradient_cast (to, node, indices, SL_INT64)};
  return sl_gradient_node (to, node, "Concat", &axis, 1, 2, inputs);
}

static gboolean
gather_nd_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const GatherNdAttrs *attrs = node->attrs;
  SlValue *indices =
      attrs->batch_dims > 0 ? add_batch (to, node, (uint32_t)attrs->batch_dims) : node->inputs[1];
  sl_gradients_give (to, node, 0,
                     sl_gradient_scatter_nd (to, node, &node->inputs[0]->shape, indices,
                                             sl_gradients_get (to, node, 0)));
  return TRUE;
}

static const SlOpClass gather_nd = {
    .name = "GatherND",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = gather_nd_attrs,
    .attrs_size = sizeof (GatherNdAttrs),
    .infer = gather_nd_infer,
    .reference = gather_nd_reference,
    .gradient = gather_nd_gradient,
    .forms = elements_forms,
};

const SlOpClass *const sl_ops_gather[] = {&gather, &gather_elements, &gather_nd, NULL};
