/* Writing at indices: ScatterElements (named Scatter before opset 11) and ScatterND:
 * https://onnx.ai/onnx/operators/onnx__ScatterElements.html and so on. Constant indices are
 * checked; what one that is only known at run time and lies outside would write is left out. */
#include "ops/gradient.h"
#include "ops/indices.h"
#include "ops/shape.h"

#include <math.h>

/* What becomes of an element and what is written onto it. */
enum { REDUCE_NONE, REDUCE_ADD, REDUCE_MUL, REDUCE_MAX, REDUCE_MIN };
static const char *const reductions[] = {"none", "add", "mul", "max", "min", NULL};

typedef struct ScatterAttrs {
  int64_t axis; /* ScatterElements */
  uint32_t reduction;
} ScatterAttrs;

#define REDUCTION                                                                            \
  {                                                                                          \
    .name = "reduction", .type = SL_ATTR_ENUM, .offset = offsetof (ScatterAttrs, reduction), \
    .choices = reductions                                                                    \
  }

static const SlAttrSpec elements_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (ScatterAttrs, axis)},
    REDUCTION,
    {0},
};
static const SlAttrSpec nd_attrs[] = {REDUCTION, {0}};

static gboolean
check_updates (const SlNode *node, const SlShape *expected, GError **error)
{
  const ScatterAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *updates = node->inputs[2];
  if (x->dtype == SL_BOOL && attrs->reduction != REDUCE_NONE) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "reduction %s of bool",
                   reductions[attrs->reduction]);
    return FALSE;
  }
  if (updates->dtype == x->dtype && sl_shape_equal (&updates->shape, expected))
    return TRUE;
  g_autofree char *got = sl_shape_to_string (&updates->shape);
  g_autofree char *wanted = sl_shape_to_string (expected);
  sl_node_error (node, error, SL_ERROR_SHAPE, "updates '%s' are %s of %s, expected %s of %s",
                 updates->name, got, sl_dtype_get_name (updates->dtype), wanted,
                 sl_dtype_get_name (x->dtype));
  return FALSE;
}

static double
reduce_floats (uint32_t reduction, double old, double update)
{
  switch (reduction) {
  case REDUCE_ADD:
    return old + update;
  case REDUCE_MUL:
    return old * update;
  case REDUCE_MAX: /* a NaN wins */
    return isnan (old) || old > update ? old : update;
  case REDUCE_MIN:
    return isnan (old) || old < update ? old : update;
  default:
    return update;
  }
}

static int64_t
reduce_ints (uint32_t reduction, int64_t old, int64_t update, SlDType dtype)
{
  switch (reduction) {
  case REDUCE_ADD:
    return (int64_t)((uint64_t)old + (uint64_t)update);
  case REDUCE_MUL:
    return (int64_t)((uint64_t)old * (uint64_t)update);
  case REDUCE_MAX:
    return sl_int_compare (old, update, dtype) > 0 ? old : update;
  case REDUCE_MIN:
    return sl_int_compare (old, update, dtype) < 0 ? old : update;
  default:
    return update;
  }
}

static void
write_element (const SlRefCall *call, size_t to, size_t from)
{
  const ScatterAttrs *attrs = call->attrs;
  const SlRefTensor *updates = call->inputs[2];
  SlRefTensor *y = call->outputs[0];
  if (sl_dtype_is_float (y->dtype))
    y->f[to] = reduce_floats (attrs->reduction, y->f[to], updates->f[from]);
  else
    y->i[to] = reduce_ints (attrs->reduction, y->i[to], updates->i[from], y->dtype);
}

static void
copy_input (const SlRefCall *call)
{
  for (size_t i = 0; i < call->inputs[0]->n; i++)
    sl_ref_move (call->outputs[0], i, call->inputs[0], i);
}

/* --- Gradients --- */

/* A node whose gradients are built, and how its class is called for other operands. */
typedef struct Scattered {
  SlGradients *to;
  SlNode *node;
  const char *gather;    /* the class that reads a tensor of y's shape at the indices */
  const SlRawAttr *axis; /* of both classes; NULL: they have none */
} Scattered;

static SlValue *
scatter (const Scattered *of, const char *reduction, SlValue *x, SlValue *updates)
{
  SlRawAttr attrs[2] = {
      {.name = (char *)"reduction", .type = SL_RAW_STRING, .s = (char *)reduction}};
  SlValue *inputs[] = {x, of->node->inputs[1], updates};
  if (of->axis != NULL)
    attrs[1] = *of->axis;
  return sl_gradient_node (of->to, of->node, of->node->op->name, attrs, of->axis != NULL ? 2 : 1, 3,
                           inputs);
}

static SlValue *
gather (const Scattered *of, SlValue *value)
{
  SlValue *inputs[] = {value, of->node->inputs[1]};
  return sl_gradient_node (of->to, of->node, of->gather, of->axis, of->axis != NULL ? 1 : 0, 2,
                           inputs);
}

/* Sums pass everything on to x; what was overwritten gets nothing. */
static void
give_sum (const Scattered *of, bool overwrites)
{
  const SlNode *node = of->node;
  SlValue *d = sl_gradients_get (of->to, node, 0), *x = d;
  if (overwrites && sl_gradients_want (of->to, node, 0))
    x = scatter (of, "none", d,
                 sl_gradient_zeros (of->to, node, d->dtype, &node->inputs[2]->shape));
  sl_gradients_give (of->to, node, 0, x);
  if (sl_gradients_want (of->to, node, 2))
    sl_gradients_give (of->to, node, 2, gather (of, d));
}

/* Each factor gets the product of the others: z marks zeros, c counts them at each place, p is the
 * product of all that are none. */
static void
give_product (const Scattered *of)
{
  SlFormula f = sl_formula (of->to, of->node);
  sl_formula_bind (&f, 'u', of->node->inputs[2]);
  SlValue *z = sl_formula_add (&f, "z = Equal (u, 0) ? 1 : 0; z"),
          *n = sl_formula_add (&f, "u + z");
  SlValue *p = scatter (of, "mul", sl_formula_add (&f, "x - x + 1"), n);
  SlValue *c = scatter (of, "add", sl_formula_add (&f, "x - x"), z);
  sl_formula_bind (&f, 'p', p);
  sl_formula_bind (&f, 'c', c);
  sl_gradients_give (of->to, of->node, 0, sl_formula_add (&f, "d * (c > 0 ? 0 : p)"));
  sl_formula_bind (&f, 'g', gather (of, sl_formula_add (&f, "d * x")));
  sl_formula_bind (&f, 'n', n);
  sl_formula_bind (&f, 'p', gather (of, p));
  sl_formula_bind (&f, 'c', gather (of, c));
  sl_gradients_give (of->to, of->node, 2, sl_formula_add (&f, "g * (c > z ? 0 : p / n)"));
}

/* Of equal extremes each gets its share. */
static void
give_extreme (const Scattered *of)
{
  SlFormula f = sl_formula (of->to, of->node);
  sl_formula_bind (&f, 'u', of->node->inputs[2]);
  sl_formula_bind (&f, 'w', gather (of, of->node->outputs[0]));
  SlValue *m = sl_formula_add (&f, "m = Equal (u, w) ? 1 : 0; m");
  sl_formula_bind (&f, 'c',
                   scatter (of, "add", sl_formula_add (&f, "h = Equal (x, y) ? 1 : 0; h"), m));
  SlValue *share = sl_formula_add (&f, "q = d / Max (c, 1); q");
  sl_gradients_give (of->to, of->node, 0, sl_formula_add (&f, "q * h"));
  sl_formula_bind (&f, 'g', gather (of, share));
  sl_gradients_give (of->to, of->node, 2, sl_formula_add (&f, "g * m"));
}

static gboolean
give_scattered (SlGradients *to, SlNode *node, const char *gather_class, const SlRawAttr *axis)
{
  const Scattered of = {to, node, gather_class, axis};
  const uint32_t reduction = ((const ScatterAttrs *)node->attrs)->reduction;
  if (reduction == REDUCE_NONE || reduction == REDUCE_ADD)
    give_sum (&of, reduction == REDUCE_NONE);
  else if (reduction == REDUCE_MUL)
    give_product (&of);
  else
    give_extreme (&of);
  return TRUE;
}

/* --- ScatterElements: y[i][indices[i][j][k]][k] = updates[i][j][k] for axis 1 --- */

static gboolean
elements_infer (SlNode *node, GError **error)
{
  ScatterAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!sl_infer_axis (node, &attrs->axis, x->rank, error) ||
      !sl_infer_elements_shape (node, attrs->axis, error) ||
      !sl_infer_indices (node, &x->dim[attrs->axis], 1, error) ||
      !check_updates (node, &node->inputs[1]->shape, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  return TRUE;
}

static void
elements_reference (const SlRefCall *call)
{
  const ScatterAttrs *attrs = call->attrs;
  const SlRefTensor *indices = call->inputs[1];
  const SlShape *shape = &call->outputs[0]->shape;
  int64_t size = shape->dim[attrs->axis];
  SlIndex index = {.rank = shape->rank};
  copy_input (call);
  for (size_t i = 0; i < indices->n; i++, sl_index_next (&index, &indices->shape)) {
    SlIndex to = index;
    int64_t at = indices->i[i] < 0 ? indices->i[i] + size : indices->i[i];
    to.at[attrs->axis] = at;
    if (at >= 0 && at < size)
      write_element (call, sl_index_offset (&to, shape), i);
  }
}

static gboolean
elements_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const ScatterAttrs *attrs = node->attrs;
  const SlRawAttr axis = {.name = (char *)"axis", .type = SL_RAW_INT, .i = attrs->axis};
  return give_scattered (to, node, "GatherElements", &axis);
}

static const SlOnnxForm elements_forms[] = {
    {.since = 11},
    {.op_type = "Scatter", .since = 9},
    {0},
};

static const SlOpClass scatter_elements = {
    .name = "ScatterElements",
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = elements_attrs,
    .attrs_size = sizeof (ScatterAttrs),
    .infer = elements_infer,
    .reference = elements_reference,
    .gradient = elements_gradient,
    .forms = elements_forms,
};

/* --- ScatterND: the last dimension of the indices names an element or a slice --- */

static gboolean
nd_infer (SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
  int64_t width = indices->rank > 0 ? indices->dim[indices->rank - 1] : 0;
  SlShape expected = *indices;
  bool fits = width >= 1 && width <= x->rank && indices->rank - 1 + x->rank - width <= SL_MAX_RANK;
  if (!fits) {
    g_autofree char *of = sl_shape_to_string (x);
    g_autofree char *by = sl_shape_to_string (indices);
    sl_node_error (node, error, SL_ERROR_SHAPE, "indices of %s ('%s') into %s", by,
                   node->inputs[1]->name, of);
    return FALSE;
  }
  expected.rank--;
  for (int64_t i = width; i < x->rank; i++)
    expected.dim[expected.rank++] = x->dim[i];
  if (!sl_infer_indices (node, x->dim, (uint32_t)width, error) ||
      !check_updates (node, &expected, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, x);
  return TRUE;
}

static void
nd_reference (const SlRefCall *call)
{
  const SlRefTensor *indices = call->inputs[1];
  const SlShape *shape = &call->outputs[0]->shape;
  size_t width = (size_t)indices->shape.dim[indices->shape.rank - 1];
  size_t tuples = indices->n / width; /* the width is at least 1 */
  size_t slice = tuples > 0 ? call->inputs[2]->n / tuples : 0;
  copy_input (call);
  for (size_t t = 0; slice > 0 && t < tuples; t++) {
    size_t to;
    if (!sl_nd_offset (shape, 0, indices->i + t * width, width, &to))
      continue;
    for (size_t i = 0; i < slice; i++)
      write_element (call, to + i, t * slice + i);
  }
}

static gboolean
nd_gradient (SlGradients *to, SlNode *node, GError **error)
{
  return give_scattered (to, node, "GatherND", NULL);
}

static const SlOnnxForm nd_forms[] = {{.since = 11}, {0}};

static const SlOpClass scatter_nd = {
    .name = "ScatterND",
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = nd_attrs,
    .attrs_size = sizeof (ScatterAttrs),
    .infer = nd_infer,
    .reference = nd_reference,
    .gradient = nd_gradient,
    .forms = nd_forms,
};

const SlOpClass *const sl_ops_scatter[] = {&scatter_elements, &scatter_nd, NULL};
