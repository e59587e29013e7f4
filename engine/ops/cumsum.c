/* CumSum: https://onnx.ai/onnx/operators/onnx__CumSum.html */
#include "ops/gradient.h"
#include "ops/shape.h"

typedef struct CumsumAttrs {
  bool exclusive; /* an element's sum is that of those before it */
  bool reverse;   /* from the end */
  int64_t axis;   /* set by inference */
} CumsumAttrs;

static const SlAttrSpec cumsum_attrs[] = {
    {.name = "exclusive", .type = SL_ATTR_BOOL, .offset = offsetof (CumsumAttrs, exclusive)},
    {.name = "reverse", .type = SL_ATTR_BOOL, .offset = offsetof (CumsumAttrs, reverse)},
    {.name = ".axis", .type = SL_ATTR_INT, .offset = offsetof (CumsumAttrs, axis)},
    {0},
};

static gboolean
cumsum_infer (SlNode *node, GError **error)
{
  CumsumAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  SlInts axis;
  if (x->dtype == SL_BOOL) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is bool", x->name);
    return FALSE;
  }
  if (!sl_infer_constant_ints (node, 1, &axis, error))
    return FALSE;
  if (axis.n != 1) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "%u axes, expected 1", axis.n);
    return FALSE;
  }
  attrs->axis = axis.v[0];
  if (!sl_infer_axis (node, &attrs->axis, x->shape.rank, error))
    return FALSE;
  sl_infer_output (node, 0, x->dtype, &x->shape);
  return TRUE;
}

static void
sum_row (const SlRefTensor *x, SlRefTensor *y, size_t first, size_t n, size_t step,
         const CumsumAttrs *attrs)
{
  double floats = 0;
  uint64_t ints = 0;
  for (size_t k = 0; k < n; k++) {
    size_t i = first + (attrs->reverse ? n - 1 - k : k) * step;
    double float_before = floats;
    uint64_t int_before = ints;
    if (sl_dtype_is_float (x->dtype)) {
      floats += x->f[i];
      y->f[i] = attrs->exclusive ? float_before : floats;
    } else {
      ints += (uint64_t)x->i[i];
      y->i[i] = (int64_t)(attrs->exclusive ? int_before : ints);
    }
  }
}

static void
cumsum_reference (const SlRefCall *call)
{
  const CumsumAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  size_t n = (size_t)x->shape.dim[attrs->axis], outer, inner;
  sl_split_at_axis (&x->shape, attrs->axis, &outer, &inner);
  for (size_t row = 0; row < outer * inner; row++)
    sum_row (x, call->outputs[0], row / inner * n * inner + row % inner, n, inner, attrs);
}

/* The sum from the other end. */
static gboolean
cumsum_gradient (SlGradients *to, SlNode *node, GError **error)
{
  CumsumAttrs back = *(const CumsumAttrs *)node->attrs;
  back.reverse = !back.reverse;
  SlValue *inputs[] = {sl_gradients_get (to, node, 0), node->inputs[1]};
  sl_gradients_give (to, node, 0, sl_gradients_node (to, node, node->op, &back, 2, inputs));
  return TRUE;
}

static const SlOnnxForm cumsum_forms[] = {{.since = 11}, {0}};

static const SlOpClass cumsum = {
    .name = "CumSum",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = cumsum_attrs,
    .attrs_size = sizeof (CumsumAttrs),
    .infer = cumsum_infer,
    .reference = cumsum_reference,
    .gradient = cumsum_gradient,
    .forms = cumsum_forms,
};

const SlOpClass *const sl_ops_cumsum[] = {&cumsum, NULL};
