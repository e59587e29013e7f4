/* Tensors of which a pattern says what is 0: OneHot, EyeLike, Trilu:
 * https://onnx.ai/onnx/operators/onnx__OneHot.html and so on. */
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

/* --- OneHot: indices, depth, values [off, on] --- */

typedef struct OneHotAttrs {
  int64_t axis;
  int64_t depth; /* set by inference */
} OneHotAttrs;

static const SlAttrSpec one_hot_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (OneHotAttrs, axis), .preset = -1},
    {.name = ".depth", .type = SL_ATTR_INT, .offset = offsetof (OneHotAttrs, depth)},
    {0},
};

static gboolean
one_hot_infer (SlNode *node, GError **error)
{
  OneHotAttrs *attrs = node->attrs;
  const SlValue *indices = node->inputs[0], *depth = node->inputs[1], *values = node->inputs[2];
  if (depth->kind != SL_VALUE_CONSTANT || sl_tensor_get_elements (depth->data) != 1 ||
      sl_tensor_get_int (depth->data, 0) < 1) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "depth '%s' is no constant of at least 1",
                   depth->name);
    return FALSE;
  }
  if (indices->dtype == SL_BOOL || !sl_shape_equal (&values->shape, &SL_SHAPE (2))) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s",
                   indices->dtype == SL_BOOL ? "indices are bool" : "values are not two");
    return FALSE;
  }
  if (indices->shape.rank == SL_MAX_RANK) {
    sl_node_error (node, error, SL_ERROR_LIMIT, "the output would have %d dimensions, %d at most",
                   SL_MAX_RANK + 1, SL_MAX_RANK);
    return FALSE;
  }
  SlShape y = {.rank = indices->shape.rank + 1};
  if (!sl_infer_axis (node, &attrs->axis, y.rank, error))
    return FALSE;
  attrs->depth = sl_tensor_get_int (depth->data, 0);
  for (uint32_t i = 0; i < y.rank; i++)
    y.dim[i] = i == attrs->axis ? attrs->depth : indices->shape.dim[i - (i > attrs->axis ? 1 : 0)];
  sl_infer_output (node, 0, values->dtype, &y);
  return TRUE;
}

/* Indices count from the end where they are negative; outside -depth … depth - 1 all is off. */
static void
one_hot_reference (const SlRefCall *call)
{
  const OneHotAttrs *attrs = call->attrs;
  const SlRefTensor *indices = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  size_t outer, inner, depth = (size_t)attrs->depth;
  sl_split_at_axis (&y->shape, attrs->axis, &outer, &inner);
  for (size_t i = 0; i < indices->n; i++) {
    double at = sl_ref_double (indices, i);
    at += at < 0 ? (double)depth : 0;
    for (size_t k = 0; k < depth; k++)
      sl_ref_move (y, (i / inner * depth + k) * inner + i % inner, call->inputs[2],
                   at == (double)k);
  }
}

/* Of the two values: the sums over where they stand. */
static gboolean
one_hot_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const SlDType dtype = node->inputs[2]->dtype;
  const SlRawAttr axis = {.name = (char *)"axis", .type = SL_RAW_INT, .i = 0};
  SlFormula f = sl_formula (to, node);
  SlValue *sums[2];
  f.dtype = dtype;
  for (int64_t i = 0; i < 2; i++) {
    const double values[] = {i == 0, i == 1};
    SlValue *inputs[] = {node->inputs[0], node->inputs[1],
                         sl_gradient_numbers (to, dtype, &SL_SHAPE (2), values)};
    sl_formula_bind (&f, 'o', sl_gradients_node (to, node, node->op, node->attrs, 3, inputs));
    sums[i] = sl_gradient_sum_to (to, node, sl_formula_add (&f, "d * o"), &SL_SHAPE (1));
  }
  sl_gradients_give (to, node, 2, sl_gradient_node (to, node, "Concat", &axis, 1, 2, sums));
  return TRUE;
}

static const SlOnnxForm one_hot_forms[] = {{.since = 9}, {0}};

static const SlOpClass one_hot = {
    .name = "OneHot",
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = one_hot_attrs,
    .attrs_size = sizeof (OneHotAttrs),
    .infer = one_hot_infer,
    .reference = one_hot_reference,
    .gradient = one_hot_gradient,
    .forms = one_hot_forms,
};

/* --- EyeLike: 1 on diagonal k of a matrix of input 0's shape --- */

typedef struct EyeAttrs {
  int64_t dtype; /* TensorProto.DataType; 0: input 0's */
  int64_t k;     /* above 0: over the main diagonal */
} EyeAttrs;

static const SlAttrSpec eye_attrs[] = {
    {.name = "dtype", .type = SL_ATTR_INT, .offset = offsetof (EyeAttrs, dtype)},
    {.name = "k", .type = SL_ATTR_INT, .offset = offsetof (EyeAttrs, k)},
    {0},
};

static gboolean
eye_infer (SlNode *node, GError **error)
{
  const EyeAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  SlDType dtype = attrs->dtype != 0 ? sl_dtype_of_onnx (attrs->dtype) : x->dtype;
  if (dtype == SL_DTYPE_NONE) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "no tensor is of data type %" G_GINT64_FORMAT,
                   attrs->dtype);
    return FALSE;
  }
  if (x->shape.rank != 2) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "an input with %u dimensions, expected 2",
                   x->shape.rank);
    return FALSE;
  }
  sl_infer_output (node, 0, dtype, &x->shape);
  return TRUE;
}

static void
eye_reference (const SlRefCall *call)
{
  const EyeAttrs *attrs = call->attrs;
  SlRefTensor *y = call->outputs[0];
  bool is_float = sl_dtype_is_float (y->dtype);
  size_t i = 0;
  for (int64_t row = 0; row < y->shape.dim[0]; row++) {
    for (int64_t col = 0; col < y->shape.dim[1]; col++, i++) {
      bool is_one = col - row == attrs->k;
      if (is_float)
        y->f[i] = is_one;
      else
        y->i[i] = is_one;
    }
  }
}

static const SlOnnxForm eye_forms[] = {{.since = 9}, {0}};

static const SlOpClass eye_like = {
    .name = "EyeLike",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = eye_attrs,
    .attrs_size = sizeof (EyeAttrs),
    .traits = SL_TRAIT_SHAPE_ONLY,
    .infer = eye_infer,
    .reference = eye_reference,
    .gradient = sl_gradient_zero,
    .forms = eye_forms,
};

/* --- Trilu: the matrices of the last two dimensions, without what is under (over) diagonal k ---
 */

typedef struct TriluAttrs {
  bool upper;
} TriluAttrs;

static const SlAttrSpec trilu_attrs[] = {
    {.name = "upper", .type = SL_ATTR_BOOL, .offset = offsetof (TriluAttrs, upper), .preset = 1},
    {0},
};

static gboolean
trilu_infer (SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0], *k = sl_node_input (node, 1);
  size_t n = 1;
  if (k != NULL && (k->dtype != SL_INT64 || !sl_shape_get_elements (&k->shape, &n) || n != 1)) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "k, '%s', is no int64 scalar", k->name);
    return FALSE;
  }
  if (x->shape.rank < 2) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "an input with %u dimensions, expected 2 or more",
                   x->shape.rank);
    return FALSE;
  }
  sl_infer_output (node, 0, x->dtype, &x->shape);
  return TRUE;
}

static void
trilu_reference (const SlRefCall *call)
{
  const TriluAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  int64_t k = call->n_inputs > 1 && call->inputs[1] != NULL ? call->inputs[1]->i[0] : 0;
  SlRefTensor *y = call->outputs[0];
  SlIndex index = {.rank = x->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&index, &y->shape)) {
    int64_t row = index.at[index.rank - 2], col = index.at[index.rank - 1];
    bool stays = attrs->upper ? col - row >= k : col - row <= k;
    y->i[i] = stays ? x->i[i] : 0; /* 0.0 too */
  }
}

static gboolean
trilu_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlValue *inputs[] = {sl_gradients_get (to, node, 0), sl_node_input (node, 1)};
  sl_gradients_give (to, node, 0,
                     sl_gradients_node (to, node, node->op, node->attrs, node->n_inputs, inputs));
  return TRUE;
}

static const SlOnnxForm trilu_forms[] = {{.since = 14}, {0}};

static const SlOpClass trilu = {
    .name = "Trilu",
    .min_inputs = 1,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = trilu_attrs,
    .attrs_size = sizeof (TriluAttrs),
    .infer = trilu_infer,
    .reference = trilu_reference,
    .gradient = trilu_gradient,
    .forms = trilu_forms,
};

const SlOpClass *const sl_ops_indicator[] = {&one_hot, &eye_like, &trilu, NULL};
