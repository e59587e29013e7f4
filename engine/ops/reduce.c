/* Sums and kin over axes: https://onnx.ai/onnx/operators/onnx__ReduceMean.html and so on; ArgMax
 * and ArgMin: …/onnx__ArgMax.html */
#include "kernels/reduce.h"
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>
#include <string.h>

typedef struct ReduceAttrs {
  bool keepdims;
  bool noop_with_empty_axes;
  SlInts axes; /* set by inference: sorted, from the front */
} ReduceAttrs;

static const SlAttrSpec reduce_attrs[] = {
    {.name = "keepdims",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (ReduceAttrs, keepdims),
     .preset = 1},
    {.name = "noop_with_empty_axes",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (ReduceAttrs, noop_with_empty_axes)},
    {.name = ".axes", .type = SL_ATTR_INTS, .offset = offsetof (ReduceAttrs, axes)},
    {0},
};

/* A class and its mathematics: y = finish (join (… join (neutral, take (x0)) …), n). */
typedef struct Reduce {
  SlOpClass op;       /* first: a node's class is converted back */
  const char *kernel; /* NULL: none */
  double neutral;
  double (*take) (double x); /* NULL: x itself */
  double (*join) (double a, double b);
  double (*finish) (double total, double n); /* NULL: the total */
  /* Integers, if that is exact; uint64 comes as a bit pattern. NULL: by way of double. */
  int64_t (*join_ints) (int64_t a, int64_t b, SlDType dtype);
  int64_t (*neutral_int) (SlDType dtype);
  bool takes_bools;
  /* Formula where y and d have all dimensions of x; 'n' is 1 / elements of a sum, 'r' the axes.
   * What it computes may still have to be repeated along them. */
  const char *gradient;
} Reduce;

static const Reduce *
reduce_of (const SlNode *node)
{
  return (const Reduce *)(const void *)node->op;
}

/* --- Shapes --- */

/* Marks the axes to reduce in an input of `rank` dimensions. */
static gboolean
read_axes (const SlNode *node, uint32_t rank, bool marked[SL_MAX_RANK], GError **error)
{
  const ReduceAttrs *attrs = node->attrs;
  SlInts given = {0};
  if (sl_node_input (node, 1) != NULL && !sl_infer_constant_ints (node, 1, &given, error))
    return FALSE;
  for (uint32_t i = 0; i < rank; i++)
    marked[i] = given.n == 0 && !attrs->noop_with_empty_axes;
  for (uint32_t i = 0; i < given.n; i++) {
    if (!sl_infer_axis (node, &given.v[i], rank, error))
      return FALSE;
    marked[given.v[i]] = true;
  }
  return TRUE;
}

static gboolean
reduce_infer (SlNode *node, GError **error)
{
  ReduceAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  bool marked[SL_MAX_RANK];
  if (x->dtype == SL_BOOL && !reduce_of (node)->takes_bools) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is bool", x->name);
    return FALSE;
  }
  if (!read_axes (node, x->shape.rank, marked, error))
    return FALSE;
  SlShape y = {0};
  attrs->axes.n = 0;
  for (uint32_t i = 0; i < x->shape.rank; i++) {
    if (marked[i])
      attrs->axes.v[attrs->axes.n++] = i;
    if (!marked[i] || attrs->keepdims)
      y.dim[y.rank++] = marked[i] ? 1 : x->shape.dim[i];
  }
  sl_infer_output (node, 0, x->dtype, &y);
  return TRUE;
}

/* The shape of the output with all dimensions of the input. */
static SlShape
kept_shape (const SlShape *x, const ReduceAttrs *attrs)
{
  SlShape kept = *x;
  for (uint32_t i = 0; i < attrs->axes.n; i++)
    kept.dim[attrs->axes.v[i]] = 1;
  return kept;
}

/* --- Reference --- */

static void
reduce_ints (const SlRefCall *call, const SlShape *kept)
{
  const Reduce *reduce = reduce_of (call->node);
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  SlIndex index = {.rank = x->shape.rank};
  for (size_t i = 0; i < y->n; i++)
    y->i[i] = reduce->neutral_int (x->dtype);
  for (size_t i = 0; i < x->n; i++, sl_index_next (&index, &x->shape)) {
    size_t to = sl_index_offset (&index, kept);
    y->i[to] = reduce->join_ints (y->i[to], x->i[i], x->dtype);
  }
}

static void
reduce_reference (const SlRefCall *call)
{
  const Reduce *reduce = reduce_of (call->node);
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  const SlShape kept = kept_shape (&x->shape, call->attrs);
  const bool is_float = sl_dtype_is_float (x->dtype);
  if (!is_float && reduce->join_ints != NULL) {
    reduce_ints (call, &kept);
    return;
  }
  /* Integers are summed up as double in the output's own place. */
  SlIndex index = {.rank = x->shape.rank};
  for (size_t i = 0; i < y->n; i++)
    y->f[i] = reduce->neutral;
  for (size_t i = 0; i < x->n; i++, sl_index_next (&index, &x->shape)) {
    size_t to = sl_index_offset (&index, &kept);
    double value = is_float ? x->f[i] : (double)x->i[i];
    y->f[to] = reduce->join (y->f[to], reduce->take != NULL ? reduce->take (value) : value);
  }
  double n = y->n > 0 ? (double)(x->n / y->n) : 0;
  for (size_t i = 0; i < y->n; i++) {
    double value = reduce->finish != NULL ? reduce->finish (y->f[i], n) : y->f[i];
    if (is_float)
      y->f[i] = value;
    else
      y->i[i] = fabs (value) < 0x1p63 ? (int64_t)value : 0;
  }
}

/* --- Steps --- */

/* Neighbouring dimensions as one. */
typedef struct Block {
  size_t size;
  ptrdiff_t in, out; /* strides */
} Block;

static bool
block_take (Block *block, size_t size, ptrdiff_t in, ptrdiff_t out)
{
  if (block->size != 1 &&
      (block->in != in * (ptrdiff_t)size || block->out != out * (ptrdiff_t)size))
    return false;
  *block = (Block){block->size * size, in, out};
  return true;
}

/* Strides of y with all dimensions of x; 0 for the reduced ones. */
static void
kept_strides (const SlValue *x, const SlValue *y, const ReduceAttrs *attrs,
              ptrdiff_t strides[SL_MAX_RANK])
{
  ptrdiff_t own[SL_MAX_RANK];
  const SlShape kept = kept_shape (&x->shape, attrs);
  sl_value_get_strides (y, own);
  for (uint32_t i = 0, k = 0; i < x->shape.rank; i++) {
    bool reduced = false;
    for (uint32_t a = 0; a < attrs->axes.n; a++)
      reduced = reduced || attrs->axes.v[a] == i;
    strides[i] = kept.dim[i] > 1 && !reduced ? own[k] : 0;
    k += attrs->keepdims || !reduced;
  }
}

/* Cuts the dimensions, in the order of memory, into outer ones, reduced ones and inner ones. False
 * if they do not lie that way. */
static bool
plan_reduction (const SlValue *x, const SlValue *y, const ReduceAttrs *attrs,
                SlReduceParams *params)
{
  ptrdiff_t in[SL_MAX_RANK], out[SL_MAX_RANK];
  Block blocks[3] = {{1, 1, 1}, {1, 1, 0}, {1, 1, 1}};
  uint32_t order[SL_MAX_RANK], n = 0, at = 0;
  sl_value_get_strides (x, in);
  kept_strides (x, y, attrs, out);
  for (uint32_t i = 0; i < x->shape.rank; i++) {
    if (x->shape.dim[i] == 1)
      continue;
    uint32_t k = n++; /* slowest first */
    for (; k > 0 && in[order[k - 1]] < in[i]; k--)
      order[k] = order[k - 1];
    order[k] = i;
  }
  for (uint32_t i = 0; i < n; i++) {
    size_t size = (size_t)x->shape.dim[order[i]];
    ptrdiff_t from = in[order[i]], to = out[order[i]];
    bool reduced = to == 0;
    at = reduced ? MAX (at, 1) : at == 1 ? 2 : at;
    if (reduced && at == 2)
      return false;
    if (!block_take (&blocks[at], size, from, to) &&
        (at != 0 || !block_take (&blocks[at = 2], size, from, to)))
      return false;
  }
  *params = (SlReduceParams){.outer = blocks[0].size,
                             .axis = blocks[1].size,
                             .inner = blocks[2].size,
                             .in_outer_stride = (size_t)blocks[0].in,
                             .in_axis_stride = (size_t)blocks[1].in,
                             .out_outer_stride = (size_t)blocks[0].out};
  return blocks[2].in == 1 && blocks[2].out == 1;
}

/* What kernels cannot do with channels-last memory is left to row-major. */
static gboolean
reduce_row_major_only (const SlNode *node)
{
  if (reduce_of (node)->kernel == NULL || sl_row_major_unless_float32 (node))
    return TRUE;
  SlValue x = *node->inputs[0], y = *node->outputs[0];
  SlReduceParams params;
  if (x.shape.rank != y.shape.rank || x.shape.rank < 3)
    return FALSE;
  x.layout = y.layout = SL_LAYOUT_CHANNELS_LAST;
  x.pixel_stride = y.pixel_stride = 0;
  return !plan_reduction (&x, &y, node->attrs, &params);
}

static void
reduce_lower (const SlNode *node, SlLowering *to)
{
  const Reduce *reduce = reduce_of (node);
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlReduceParams params;
  size_t elements = 0;
  sl_shape_get_elements (&x->shape, &elements);
  if (elements > 0 && reduce->kernel != NULL && x->dtype == SL_FLOAT32 &&
      plan_reduction (x, y, node->attrs, &params))
    sl_lower (to, reduce->kernel, &params, x, y);
  else
    sl_lower_reference (to);
}

/* Without keepdims: with them, and a reshape, so that the reduction may read channels-last memory.
 */
static SlValue *
reduce_simplify (SlGraph *graph, SlNode *node)
{
  const ReduceAttrs *attrs = node->attrs;
  if (attrs->keepdims || attrs->axes.n == 0)
    return NULL;
  ReduceAttrs keeping = *attrs;
  keeping.keepdims = true;
  SlValue *kept = sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION);
  SlNode *reduction = sl_graph_add_node (graph, node->op, node->name, &keeping, node->n_inputs,
                                         node->inputs, 1, &kept);
  const SlShape *shape = &node->outputs[0]->shape;
  SlValue *dims = sl_graph_add_ints (graph, node->name, shape->dim, shape->rank);
  SlValue *result = sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION);
  SlNode *reshape = sl_add_reshape (graph, node->name, kept, dims, result);
  /* The very operands have passed inference before. */
  if (!sl_node_infer (reduction, NULL) || !sl_node_infer (reshape, NULL))
    g_assert_not_reached ();
  return result;
}

static gboolean
mean_as_mean (const SlNode *node, uint32_t *ret_axes)
{
  const ReduceAttrs *attrs = node->attrs;
  *ret_axes = 0;
  for (uint32_t i = 0; i < attrs->axes.n; i++)
    *ret_axes |= 1u << attrs->axes.v[i];
  return sl_dtype_is_float (node->inputs[0]->dtype);
}

static void
reduce_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &n);
  ret_cost->flops = (double)n;
}

static gboolean
reduce_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const Reduce *reduce = reduce_of (node);
  const ReduceAttrs *attrs = node->attrs;
  const SlShape *shape = &node->inputs[0]->shape;
  const SlShape kept = kept_shape (shape, attrs);
  SlFormula f = sl_formula (to, node);
  size_t inputs = 1, outputs = 1;
  sl_shape_get_elements (shape, &inputs);
  sl_shape_get_elements (&kept, &outputs);
  sl_formula_bind (&f, 'y', sl_gradient_reshape (to, node, node->outputs[0], &kept));
  sl_formula_bind (&f, 'd', sl_gradient_reshape (to, node, sl_gradients_get (to, node, 0), &kept));
  sl_formula_bind_number (&f, 'n', (double)outputs / (double)MAX (inputs, 1));
  sl_formula_bind (&f, 'r', sl_gradient_ints (to, node, attrs->axes.v, attrs->axes.n));
  /* Without axes a formula with 'r' would sum over all of them. */
  bool is_plain = attrs->axes.n == 0 && strstr (reduce->gradient, ", r") != NULL;
  SlValue *each = sl_formula_add (&f, is_plain ? "d" : reduce->gradient);
  sl_gradients_give (to, node, 0, sl_gradient_expand (to, node, each, shape));
  return TRUE;
}

/* --- Mathematics --- */

static double
add (double a, double b)
{
  return a + b;
}

static double
multiply (double a, double b)
{
  return a * b;
}

/* A NaN wins. */
static double
greater (double a, double b)
{
  return isnan (a) || a > b ? a : b;
}

static double
less (double a, double b)
{
  return isnan (a) || a < b ? a : b;
}

static double
square (double x)
{
  return x * x;
}

static double
divide_by_n (double total, double n)
{
  return total / n;
}

static double
root (double total, double n)
{
  return sqrt (total);
}

static double
logarithm (double total, double n)
{
  return log (total);
}

/* log (e^a + e^b) without leaving the range. */
static double
add_logarithms (double a, double b)
{
  double max = greater (a, b);
  return isinf (max) ? max : max + log1p (exp (-fabs (a - b)));
}

static int64_t
zero (SlDType dtype)
{
  return 0;
}

static int64_t
one (SlDType dtype)
{
  return 1;
}

static bool
is_signed (SlDType dtype)
{
  return dtype >= SL_INT8 && dtype <= SL_INT64;
}

/* What the type can hold; uint64 as a bit pattern. */
static int64_t
smallest (SlDType dtype)
{
  return is_signed (dtype) ? INT64_MIN >> (64 - 8 * sl_dtype_get_size (dtype)) : 0;
}

static int64_t
largest (SlDType dtype)
{
  if (dtype == SL_BOOL)
    return 1;
  uint64_t all = UINT64_MAX >> (64 - 8 * sl_dtype_get_size (dtype));
  return (int64_t)(is_signed (dtype) ? all >> 1 : all);
}

static int64_t
add_ints (int64_t a, int64_t b, SlDType dtype)
{
  return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t
multiply_ints (int64_t a, int64_t b, SlDType dtype)
{
  return (int64_t)((uint64_t)a * (uint64_t)b);
}

static bool
is_less (int64_t a, int64_t b, SlDType dtype)
{
  return dtype == SL_UINT64 ? (uint64_t)a < (uint64_t)b : a < b;
}

static int64_t
greater_int (int64_t a, int64_t b, SlDType dtype)
{
  return is_less (a, b, dtype) ? b : a;
}

static int64_t
less_int (int64_t a, int64_t b, SlDType dtype)
{
  return is_less (b, a, dtype) ? b : a;
}

/* --- The rows --- */

static gboolean
import_axes (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"axes", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, NULL, error);
}

static const SlOnnxForm sum_forms[] = {{.since = 1, .import = import_axes}, {.since = 13}, {0}};
static const SlOnnxForm other_forms[] = {{.since = 1, .import = import_axes}, {.since = 18}, {0}};

/* Class op_<id> of ONNX's name; further members of Reduce follow. */
#define REDUCE(id, onnx, versions, ...)                                          \
  static const Reduce op_##id = {.op = {.name = onnx,                            \
                                        .min_inputs = 1,                         \
                                        .max_inputs = 2,                         \
                                        .min_outputs = 1,                        \
                                        .max_outputs = 1,                        \
                                        .attrs = reduce_attrs,                   \
                                        .attrs_size = sizeof (ReduceAttrs),      \
                                        .layouts = SL_LAYOUTS_FOLLOW,            \
                                        .infer = reduce_infer,                   \
                                        .reference = reduce_reference,           \
                                        .lower = reduce_lower,                   \
                                        .simplify = reduce_simplify,             \
                                        .row_major_only = reduce_row_major_only, \
                                        .cost = reduce_cost,                     \
                                        .gradient = reduce_gradient,             \
                                        .forms = versions},                      \
                                 __VA_ARGS__};

/* Of equal extremes each gets its share, as in PyTorch's amax; a product of zeros is that of the
 * others. */
#define EXTREME_GRADIENT "m = Equal (x, y) ? 1 : 0; m * (d / ReduceSum (m, r))"
#define PRODUCT_GRADIENT                                                                     \
  "z = Equal (x, 0); m = z ? 1 : 0; c = ReduceSum (m, r); q = x + m; p = ReduceProd (q, r);" \
  "d * (z ? (c < 1.5 ? p : 0) : (c < 0.5 ? p / q : 0))"

REDUCE (sum, "ReduceSum", sum_forms, .gradient = "d", .kernel = "reduce_sum", .join = add,
        .join_ints = add_ints, .neutral_int = zero)
REDUCE (mean, "ReduceMean", other_forms, .gradient = "d * n", .kernel = "reduce_mean", .join = add,
        .finish = divide_by_n, .op.as_mean = mean_as_mean)
REDUCE (max, "ReduceMax", other_forms, .gradient = EXTREME_GRADIENT, .kernel = "reduce_max",
        .neutral = -INFINITY, .join = greater, .join_ints = greater_int, .neutral_int = smallest,
        .takes_bools = true)
REDUCE (min, "ReduceMin", other_forms, .gradient = EXTREME_GRADIENT, .kernel = "reduce_min",
        .neutral = INFINITY, .join = less, .join_ints = less_int, .neutral_int = largest,
        .takes_bools = true)
REDUCE (prod, "ReduceProd", other_forms, .gradient = PRODUCT_GRADIENT, .kernel = "reduce_prod",
        .neutral = 1, .join = multiply, .join_ints = multiply_ints, .neutral_int = one)
REDUCE (l1, "ReduceL1", other_forms, .gradient = "d * Sign (x)", .kernel = "reduce_l1",
        .take = fabs, .join = add)
REDUCE (l2, "ReduceL2", other_forms, .gradient = "x * (y > 0 ? d / y : 0)", .kernel = "reduce_l2",
        .take = square, .join = add, .finish = root)
REDUCE (sum_square, "ReduceSumSquare", other_forms, .gradient = "x * (2 * d)", .take = square,
        .join = add)
REDUCE (log_sum, "ReduceLogSum", other_forms, .gradient = "d * Exp (-y)", .join = add,
        .finish = logarithm)
REDUCE (log_sum_exp, "ReduceLogSumExp", other_forms, .gradient = "d * Exp (x - y)",
        .neutral = -INFINITY, .join = add_logarithms)

/* --- ArgMax and ArgMin --- */

typedef struct ArgAttrs {
  int64_t axis;
  bool keepdims, select_last_index;
} ArgAttrs;

static const SlAttrSpec arg_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (ArgAttrs, axis)},
    {.name = "keepdims",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (ArgAttrs, keepdims),
     .preset = 1},
    {.name = "select_last_index",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (ArgAttrs, select_last_index)},
    {0},
};

static gboolean
arg_infer (SlNode *node, GError **error)
{
  ArgAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!sl_infer_axis (node, &attrs->axis, x->rank, error))
    return FALSE;
  if (x->dim[attrs->axis] == 0) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "axis %" G_GINT64_FORMAT " has no elements",
                   attrs->axis);
    return FALSE;
  }
  SlShape y = {0};
  for (uint32_t i = 0; i < x->rank; i++)
    if (i != attrs->axis || attrs->keepdims)
      y.dim[y.rank++] = i == attrs->axis ? 1 : x->dim[i];
  sl_infer_output (node, 0, SL_INT64, &y);
  return TRUE;
}

/* Element a against b: above 0 if it is greater; a NaN is greater than any number and, for the
 * minimum, less. */
static int
compare (const SlRefTensor *x, size_t a, size_t b, bool minimum)
{
  int order;
  if (sl_dtype_is_float (x->dtype)) {
    if (isnan (x->f[a]) || isnan (x->f[b]))
      return isnan (x->f[a]) - isnan (x->f[b]);
    order = (x->f[a] > x->f[b]) - (x->f[a] < x->f[b]);
  } else {
    order = is_less (x->i[b], x->i[a], x->dtype) - is_less (x->i[a], x->i[b], x->dtype);
  }
  return minimum ? -order : order;
}

static void
arg_of_extreme (const SlRefCall *call, bool minimum)
{
  const ArgAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  size_t n = (size_t)x->shape.dim[attrs->axis], inner = 1, to = 0;
  for (uint32_t i = (uint32_t)attrs->axis + 1; i < x->shape.rank; i++)
    inner *= (size_t)x->shape.dim[i];
  for (size_t outer = 0; outer < x->n; outer += n * inner) {
    for (size_t first = outer; first < outer + inner; first++) {
      size_t best = 0;
      for (size_t i = 1; i < n; i++) {
        int order = compare (x, first + i * inner, first + best * inner, minimum);
        if (order > 0 || (order == 0 && attrs->select_last_index))
          best = i;
      }
      call->outputs[0]->i[to++] = (int64_t)best;
    }
  }
}

static void
arg_max_reference (const SlRefCall *call)
{
  arg_of_extreme (call, false);
}

static void
arg_min_reference (const SlRefCall *call)
{
  arg_of_extreme (call, true);
}

#define ARG                                                                                 \
  .min_inputs = 1, .max_inputs = 1, .min_outputs = 1, .max_outputs = 1, .attrs = arg_attrs, \
  .attrs_size = sizeof (ArgAttrs), .infer = arg_infer, .cost = reduce_cost

static const SlOpClass arg_max = {.name = "ArgMax", .reference = arg_max_reference, ARG};
static const SlOpClass arg_min = {.name = "ArgMin", .reference = arg_min_reference, ARG};

const SlOpClass *const sl_ops_reduce[] = {
    &op_sum.op, &op_mean.op,       &op_max.op,     &op_min.op,         &op_prod.op, &op_l1.op,
    &op_l2.op,  &op_sum_square.op, &op_log_sum.op, &op_log_sum_exp.op, &arg_max,    &arg_min,
    NULL,
};
