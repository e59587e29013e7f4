/* Softmax, LogSoftmax and Hardmax along one axis:
 * https://onnx.ai/onnx/operators/onnx__Softmax.html and so on. */
#include "kernels/reduce.h"
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>

typedef struct SoftmaxAttrs {
  int64_t axis;
} SoftmaxAttrs;

static const SlAttrSpec softmax_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (SoftmaxAttrs, axis), .preset = -1},
    {0},
};

static gboolean
softmax_infer (SlNode *node, GError **error)
{
  SoftmaxAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  if (!sl_dtype_is_float (x->dtype)) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s", x->name,
                   sl_dtype_get_name (x->dtype));
    return FALSE;
  }
  if (!sl_infer_axis (node, &attrs->axis, x->shape.rank, error))
    return FALSE;
  sl_infer_output (node, 0, x->dtype, &x->shape);
  return TRUE;
}

/* One row of `n` elements `step` apart: the exponentials' sum after the greatest is taken off. */
static void
softmax_or_logarithm (const double *x, double *y, size_t n, size_t step, bool logarithm)
{
  double max = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++)
    max = x[i * step] > max || isnan (x[i * step]) ? x[i * step] : max;
  for (size_t i = 0; i < n; i++)
    sum += exp (x[i * step] - max);
  for (size_t i = 0; i < n; i++)
    y[i * step] = logarithm ? x[i * step] - max - log (sum) : exp (x[i * step] - max) / sum;
}

static void
softmax_row (const double *x, double *y, size_t n, size_t step)
{
  softmax_or_logarithm (x, y, n, step, false);
}

static void
log_softmax_row (const double *x, double *y, size_t n, size_t step)
{
  softmax_or_logarithm (x, y, n, step, true);
}

/* 1 for the greatest, the first of several; a NaN is greater than any number. */
static void
hardmax_row (const double *x, double *y, size_t n, size_t step)
{
  size_t best = 0;
  for (size_t i = 1; i < n; i++) {
    double top = x[best * step], next = x[i * step];
    best = next > top || (isnan (next) && !isnan (top)) ? i : best;
  }
  for (size_t i = 0; i < n; i++)
    y[i * step] = i == best;
}

static void
reference (const SlRefCall *call, void (*row) (const double *x, double *y, size_t n, size_t step))
{
  const SoftmaxAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  size_t n = (size_t)x->shape.dim[attrs->axis], inner = 1;
  for (uint32_t i = (uint32_t)attrs->axis + 1; i < x->shape.rank; i++)
    inner *= (size_t)x->shape.dim[i];
  for (size_t i = 0; i < x->n; i += n * inner)
    for (size_t k = i; k < i + inner; k++)
      row (x->f + k, call->outputs[0]->f + k, n, inner);
}

static void
softmax_reference (const SlRefCall *call)
{
  reference (call, softmax_row);
}

static void
log_softmax_reference (const SlRefCall *call)
{
  reference (call, log_softmax_row);
}

static void
hardmax_reference (const SlRefCall *call)
{
  reference (call, hardmax_row);
}

/* Input and output are dense and laid out alike: the axis is some dimension in the order of memory,
 * with all slower ones outside and all faster ones inside. */
static void
lower_axis (const SlNode *node, SlLowering *to, const char *kernel)
{
  const SoftmaxAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  size_t elements = 0;
  if (sl_row_major_unless_float32 (node)) {
    sl_lower_reference (to);
    return;
  }
  sl_shape_get_elements (&x->shape, &elements);
  if (elements == 0)
    return;
  SlWalk walk = sl_walk (x);
  SlSoftmaxParams params = {.axis = (size_t)x->shape.dim[attrs->axis],
                            .inner = (size_t)walk.stride[attrs->axis]};
  params.outer = elements / params.axis / params.inner;
  sl_lower (to, kernel, &params, x, node->outputs[0]);
}

static void
softmax_lower (const SlNode *node, SlLowering *to)
{
  lower_axis (node, to, "softmax");
}

static void
log_softmax_lower (const SlNode *node, SlLowering *to)
{
  lower_axis (node, to, "log_softmax");
}

static void
softmax_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &n);
  ret_cost->flops = 4.0 * (double)n; /* maximum, difference, exponential, quotient */
}

static void
give_formula (SlGradients *to, const SlNode *node, const char *text)
{
  const SoftmaxAttrs *attrs = node->attrs;
  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'r', sl_gradient_ints (to, node, &attrs->axis, 1));
  sl_gradients_give (to, node, 0, sl_formula_add (&f, text));
}

static gboolean
softmax_gradient (SlGradients *to, SlNode *node, GError **error)
{
  give_formula (to, node, "p = d * y; p - y * ReduceSum (p, r)");
  return TRUE;
}

static gboolean
log_softmax_gradient (SlGradients *to, SlNode *node, GError **error)
{
  give_formula (to, node, "d - Exp (y) * ReduceSum (d, r)");
  return TRUE;
}

/* Before opset 13 all dimensions from the axis on (1 by default) are one. Where that is only one
 * anyway the simplify pass takes the reshapes out again. */
static gboolean
import_flat (const SlImport *im, const SlOpClass *op, GError **error)
{
  int64_t axis = sl_import_int (im, "axis", 1);
  if (axis == -1)
    return sl_import_default (im, op, error);
  if (!sl_import_check (im, op, im->n_inputs, error))
    return FALSE;

  static const char *const dropped[] = {"axis", NULL};
  SlValue *x = im->inputs[0];
  SlValue *matrix = sl_flatten (im, x, axis);
  SlValue *y = sl_graph_add_value (im->graph, NULL, SL_VALUE_ACTIVATION);
  SlImport last = *im; /* the canonical axis is the last one */
  last.inputs = &matrix;
  last.outputs = &y;
  if (!sl_import_dropping (&last, op, dropped, error))
    return FALSE;
  SlValue *shape = sl_import_add (im, sl_op_find ("Shape"), NULL, 1, &x);
  sl_add_reshape (im->graph, im->name, y, shape, im->outputs[0]);
  return TRUE;
}

static const SlOnnxForm softmax_forms[] = {
    {.since = 1, .import = import_flat},
    {.since = 13},
    {0},
};

#define ALONG_AXIS                                                                              \
  .min_inputs = 1, .max_inputs = 1, .min_outputs = 1, .max_outputs = 1, .attrs = softmax_attrs, \
  .attrs_size = sizeof (SoftmaxAttrs), .traits = SL_TRAIT_LINK | SL_TRAIT_IN_PLACE,             \
  .layouts = SL_LAYOUTS_FOLLOW, .infer = softmax_infer,                                         \
  .row_major_only = sl_row_major_unless_float32, .cost = softmax_cost, .forms = softmax_forms

static const SlOpClass softmax = {
    .name = "Softmax",
    .reference = softmax_reference,
    .lower = softmax_lower,
    .gradient = softmax_gradient,
    ALONG_AXIS,
};

static const SlOpClass log_softmax = {
    .name = "LogSoftmax",
    .reference = log_softmax_reference,
    .lower = log_softmax_lower,
    .gradient = log_softmax_gradient,
    ALONG_AXIS,
};

static const SlOpClass hardmax = {
    .name = "Hardmax",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = softmax_attrs,
    .attrs_size = sizeof (SoftmaxAttrs),
    .infer = softmax_infer,
    .reference = hardmax_reference,
    .gradient = sl_gradient_zero,
    .forms = softmax_forms,
};

const SlOpClass *const sl_ops_softmax[] = {&softmax, &log_softmax, &hardmax, NULL};
