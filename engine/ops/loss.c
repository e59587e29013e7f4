/* Losses of classifiers: NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss, which takes the
 * logarithm of the softmax first:
 * https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html and so on. */
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>

enum { REDUCTION_MEAN, REDUCTION_NONE, REDUCTION_SUM };
static const char *const reductions[] = {"mean", "none", "sum", NULL};

/* Stands for an attribute that is not there: no target is this class. */
#define IGNORE_NONE INT64_MIN

typedef struct LossAttrs {
  int64_t ignore_index; /* targets of this class count for nothing */
  uint32_t reduction;
} LossAttrs;

static const SlAttrSpec loss_attrs[] = {
    {.name = "ignore_index",
     .type = SL_ATTR_INT,
     .offset = offsetof (LossAttrs, ignore_index),
     .preset = (double)IGNORE_NONE},
    {.name = "reduction",
     .type = SL_ATTR_ENUM,
     .offset = offsetof (LossAttrs, reduction),
     .choices = reductions},
    {0},
};

/* x (N, C, d1, …), target (N, d1, …), weights (C) or none. */
static gboolean
check_shapes (const SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0], *target = node->inputs[1], *weights = sl_node_input (node, 2);
  SlShape expected = {0};
  for (uint32_t i = 0; i < x->shape.rank; i++)
    if (i != 1)
      expected.dim[expected.rank++] = x->shape.dim[i];
  g_autofree char *of = sl_shape_to_string (&x->shape);
  if (x->shape.rank < 2 || !sl_shape_equal (&target->shape, &expected)) {
    g_autofree char *by = sl_shape_to_string (&target->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "targets of %s ('%s') for %s", by, target->name,
                   of);
    return FALSE;
  }
  if (weights == NULL || sl_shape_equal (&weights->shape, &SL_SHAPE (x->shape.dim[1])))
    return TRUE;
  g_autofree char *by = sl_shape_to_string (&weights->shape);
  sl_node_error (node, error, SL_ERROR_SHAPE, "weights of %s ('%s') for the classes of %s", by,
                 weights->name, of);
  return FALSE;
}

static gboolean
loss_infer (SlNode *node, GError **error)
{
  const LossAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *target = node->inputs[1], *weights = sl_node_input (node, 2);
  const SlValue *wrong = !sl_dtype_is_float (x->dtype)                            ? x
                         : target->dtype != SL_INT32 && target->dtype != SL_INT64 ? target
                         : weights != NULL && weights->dtype != x->dtype          ? weights
                                                                                  : NULL;
  if (wrong != NULL) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected %s", wrong->name,
                   sl_dtype_get_name (wrong->dtype),
                   wrong == x        ? "floats"
                   : wrong == target ? "int32 or int64"
                                     : sl_dtype_get_name (x->dtype));
    return FALSE;
  }
  if (!check_shapes (node, error))
    return FALSE;
  bool is_whole = attrs->reduction == REDUCTION_NONE;
  sl_infer_output (node, 0, x->dtype, is_whole ? &target->shape : &(SlShape){0});
  sl_infer_output (node, 1, x->dtype, &x->shape);
  return TRUE;
}

/* The logarithm of the denominator of a softmax over `n` elements `step` apart. */
static double
log_sum_exp (const double *x, size_t n, size_t step)
{
  double max = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++)
    max = x[i * step] > max || isnan (x[i * step]) ? x[i * step] : max;
  for (size_t i = 0; i < n; i++)
    sum += exp (x[i * step] - max);
  return max + log (sum);
}

/* The mean is over the weights that took part. A target that is no class gives NaN, which the
 * engine reports with the node. */
static void
reference (const SlRefCall *call, bool softmax)
{
  const LossAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *target = call->inputs[1];
  const SlRefTensor *weights = call->n_inputs > 2 ? call->inputs[2] : NULL;
  SlRefTensor *y = call->outputs[0], *log_prob = call->n_outputs > 1 ? call->outputs[1] : NULL;
  size_t classes = (size_t)x->shape.dim[1], outer, inner;
  double sum = 0, sum_of_weights = 0;
  sl_split_at_axis (&x->shape, 1, &outer, &inner);
  for (size_t i = 0; i < target->n; i++) {
    size_t first = i / inner * classes * inner + i % inner;
    int64_t class = target->i[i];
    double scale = softmax ? log_sum_exp (x->f + first, classes, inner) : 0;
    for (size_t c = 0; log_prob != NULL && c < classes; c++)
      log_prob->f[first + c * inner] = x->f[first + c * inner] - scale;
    bool is_class = class >= 0 && class < (int64_t)classes;
    double weight = class == attrs->ignore_index  ? 0
                    : weights != NULL && is_class ? weights->f[class]
                                                  : 1;
    double loss = NAN;
    if (class == attrs->ignore_index)
      loss = 0;
    else if (is_class)
      loss = weight * (scale - x->f[first + (size_t) class * inner]);
    sum += loss;
    sum_of_weights += weight;
    if (y != NULL && attrs->reduction == REDUCTION_NONE)
      y->f[i] = loss;
  }
  if (y != NULL && attrs->reduction != REDUCTION_NONE)
    y->f[0] = attrs->reduction == REDUCTION_SUM ? sum : sum / sum_of_weights;
}

static void
likelihood_reference (const SlRefCall *call)
{
  reference (call, false);
}

static void
entropy_reference (const SlRefCall *call)
{
  reference (call, true);
}

/* Binds in x's shape: o, 1 at each target's own class unless that is ignored, and w, o times the
 * class's weight. */
static void
bind_targets (SlGradients *to, const SlNode *node, SlFormula *f)
{
  const LossAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SlValue *target = node->inputs[1], *weights = sl_node_input (node, 2);
  const double off_on[] = {0, 1};
  const SlRawAttr axis = {.name = (char *)"axis", .type = SL_RAW_INT, .i = 1};
  SlValue *inputs[] = {target, sl_gradient_ints (to, node, &x->dim[1], 1),
                       sl_gradient_numbers (to, f->dtype, &SL_SHAPE (2), off_on)};
  sl_formula_bind (f, 'o', sl_gradient_node (to, node, "OneHot", &axis, 1, 3, inputs));
  if (attrs->ignore_index != IGNORE_NONE) {
    SlFormula of_ints = *f;
    SlShape beside = *x;
    beside.dim[1] = 1;
    of_ints.dtype = target->dtype;
    sl_formula_bind (&of_ints, 't', sl_gradient_reshape (to, node, target, &beside));
    sl_formula_bind_number (&of_ints, 'g', (double)attrs->ignore_index);
    sl_formula_bind (f, 'g', sl_formula_add (&of_ints, "Equal (t, g)"));
    sl_formula_add (f, "o = g ? 0 : o");
  }
  sl_formula_bind (f, 'w', f->bound['o' - 'a']);
  if (weights == NULL)
    return;
  const SlShape vector = {.rank = x->rank - 1, .dim = {x->dim[1], 1, 1, 1, 1, 1, 1, 1}};
  sl_formula_bind (f, 'c', sl_gradient_reshape (to, node, weights, &vector));
  sl_formula_add (f, "w = o * c");
}

/* Of output 0. x gets -w d, and of its softmax p, which output 0 takes the logarithm l of, the sum
 * over w besides. A class's weight gets -l d at its targets; in a mean it counts in the divisor. */
static SlValue *
loss_to_x (SlGradients *to, SlNode *node, SlFormula *f, bool softmax)
{
  const LossAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, scalar = {0};
  const bool is_mean = attrs->reduction == REDUCTION_MEAN;
  SlShape beside = *x;
  beside.dim[1] = 1;
  bind_targets (to, node, f);
  if (attrs->reduction == REDUCTION_NONE)
    sl_formula_bind (f, 'd', sl_gradient_reshape (to, node, f->bound['d' - 'a'], &beside));
  if (is_mean) {
    sl_formula_bind (f, 's', sl_gradient_sum_to (to, node, f->bound['w' - 'a'], &scalar));
    sl_formula_add (f, "d = d / s");
  }
  if (sl_gradients_want (to, node, 2)) {
    const SlShape vector = {.rank = x->rank - 1, .dim = {x->dim[1], 1, 1, 1, 1, 1, 1, 1}};
    sl_formula_add (f, softmax ? "l = Log (p)" : "l = x");
    SlValue *each = sl_formula_add (f, is_mean ? "o * (-l - y) * d" : "o * -l * d");
    SlValue *sum = sl_gradient_sum_to (to, node, each, &vector);
    sl_gradients_give (to, node, 2, sl_gradient_reshape (to, node, sum, &node->inputs[2]->shape));
  }
  return sl_formula_add (f, softmax ? "(p * ReduceSum (w, r) - w) * d" : "-(w * d)");
}

static gboolean
loss_gradient (SlGradients *to, SlNode *node, bool softmax)
{
  const SlRawAttr axis = {.name = (char *)"axis", .type = SL_RAW_INT, .i = 1};
  SlFormula f = sl_formula (to, node);
  SlValue *dx = NULL, *direct = sl_gradients_get (to, node, 1);
  sl_formula_bind (&f, 'r', sl_gradient_ints (to, node, &axis.i, 1));
  if (softmax)
    sl_formula_bind (&f, 'p', sl_gradient_node (to, node, "Softmax", &axis, 1, 1, node->inputs));
  if (f.bound['d' - 'a'] != NULL)
    dx = loss_to_x (to, node, &f, softmax);
  if (direct != NULL) { /* of the logarithm of the softmax */
    sl_formula_bind (&f, 'q', direct);
    sl_formula_add (&f, "q = q - p * ReduceSum (q, r)");
    sl_formula_bind (&f, 'x', dx);
    dx = sl_formula_add (&f, dx != NULL ? "q + x" : "q");
  }
  sl_gradients_give (to, node, 0, dx);
  return TRUE;
}

static gboolean
likelihood_gradient (SlGradients *to, SlNode *node, GError **error)
{
  return loss_gradient (to, node, false);
}

static gboolean
entropy_gradient (SlGradients *to, SlNode *node, GError **error)
{
  return loss_gradient (to, node, true);
}

static const SlOnnxForm loss_forms[] = {{.since = 12}, {0}};

#define LOSS                                                               \
  .min_inputs = 2, .max_inputs = 3, .min_outputs = 1, .attrs = loss_attrs, \
  .attrs_size = sizeof (LossAttrs), .infer = loss_infer, .forms = loss_forms

static const SlOpClass likelihood = {
    .name = "NegativeLogLikelihoodLoss",
    .max_outputs = 1,
    .reference = likelihood_reference,
    .gradient = likelihood_gradient,
    LOSS,
};

static const SlOpClass entropy = {
    .name = "SoftmaxCrossEntropyLoss",
    .max_outputs = 2, /* the loss; the logarithm of the softmax */
    .reference = entropy_reference,
    .gradient = entropy_gradient,
    LOSS,
};

const SlOpClass *const sl_ops_loss[] = {&likelihood, &entropy, NULL};
