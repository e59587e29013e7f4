/* Cross-entropy of a softmax with probabilities for targets, in one op so that no logarithm of a
 * rounded 0 can arise; per sample, as torch.nn.functional.cross_entropy with reduction = none. Of
 * labels that are numbers of classes: loss.c. */
#include "kernels/reduce.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>

/* Shapes: logits (N, C), target (N, C), weights (C) or none; index of the logits: `first`. */
static gboolean
check_shapes (const SlNode *node, uint32_t first, GError **error)
{
  const SlValue *x = node->inputs[first], *target = node->inputs[first + 1];
  const SlValue *weights = sl_node_input (node, first + 2), *wrong = NULL;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  if (x->shape.rank != 2)
    wrong = x;
  else if (!sl_shape_equal (&x->shape, &target->shape))
    wrong = target;
  else if (weights != NULL && !sl_shape_equal (&weights->shape, &SL_SHAPE (x->shape.dim[1])))
    wrong = weights;
  if (wrong == NULL)
    return TRUE;
  g_autofree char *found = sl_shape_to_string (&wrong->shape);
  g_autofree char *of = sl_shape_to_string (&x->shape);
  if (wrong == x)
    sl_node_error (node, error, SL_ERROR_SHAPE, "logits are %s, expected samples and classes",
                   found);
  else
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s and does not fit logits of %s",
                   wrong->name, found, of);
  return FALSE;
}

static gboolean
loss_infer (SlNode *node, GError **error)
{
  if (!check_shapes (node, 0, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &SL_SHAPE (node->inputs[0]->shape.dim[0]));
  return TRUE;
}

/* The logarithm of the sum of exponentials. */
static double
log_sum (const double *x, size_t n)
{
  double top = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++)
    top = x[i] > top || isnan (x[i]) ? x[i] : top;
  for (size_t i = 0; i < n; i++)
    sum += exp (x[i] - top);
  return top + log (sum);
}

static void
loss_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0], *target = call->inputs[1];
  const double *weights = call->n_inputs > 2 && call->inputs[2] != NULL ? call->inputs[2]->f : NULL;
  size_t rows = (size_t)x->shape.dim[0], classes = (size_t)x->shape.dim[1];
  for (size_t r = 0; r < rows; r++) {
    const double *logits = x->f + r * classes;
    double shift = log_sum (logits, classes), loss = 0;
    for (size_t c = 0; c < classes; c++) {
      double share = target->f[r * classes + c] * (weights != NULL ? weights[c] : 1);
      loss += share == 0 ? 0 : share * (shift - logits[c]);
    }
    call->outputs[0]->f[r] = loss;
  }
}

static void
loss_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0];
  SlCrossEntropyParams params = {(size_t)x->shape.dim[0], (size_t)x->shape.dim[1]};
  if (x->dtype != SL_FLOAT32)
    sl_lower_reference (to);
  else
    sl_lower (to, "cross_entropy", &params, x, node->inputs[1], sl_node_input (node, 2),
              node->outputs[0]);
}

/* dloss (N), logits, target, weights → gradient of the logits */
static gboolean
gradient_infer (SlNode *node, GError **error)
{
  const SlValue *dloss = node->inputs[0], *x = node->inputs[1];
  if (!check_shapes (node, 1, error))
    return FALSE;
  if (!sl_shape_equal (&dloss->shape, &SL_SHAPE (x->shape.dim[0]))) {
    g_autofree char *found = sl_shape_to_string (&dloss->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "gradient is %s, expected %" G_GINT64_FORMAT, found,
                   x->shape.dim[0]);
    return FALSE;
  }
  sl_infer_output (node, 0, x->dtype, &x->shape);
  return TRUE;
}

static void
gradient_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[1], *target = call->inputs[2];
  const double *weights = call->n_inputs > 3 && call->inputs[3] != NULL ? call->inputs[3]->f : NULL;
  size_t rows = (size_t)x->shape.dim[0], classes = (size_t)x->shape.dim[1];
  for (size_t r = 0; r < rows; r++) {
    const double *logits = x->f + r * classes, *t = target->f + r * classes;
    double shift = log_sum (logits, classes), all = 0;
    for (size_t c = 0; c < classes; c++)
      all += t[c] * (weights != NULL ? weights[c] : 1);
    for (size_t c = 0; c < classes; c++)
      call->outputs[0]->f[r * classes + c] =
          call->inputs[0]->f[r] *
          (exp (logits[c] - shift) * all - t[c] * (weights != NULL ? weights[c] : 1));
  }
}

static void
gradient_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[1];
  SlCrossEntropyParams params = {(size_t)x->shape.dim[0], (size_t)x->shape.dim[1]};
  if (x->dtype != SL_FLOAT32)
    sl_lower_reference (to);
  else
    sl_lower (to, "cross_entropy_gradient", &params, node->inputs[0], x, node->inputs[2],
              sl_node_input (node, 3), node->outputs[0]);
}

static void
cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->inputs[1]->shape, &n);
  ret_cost->flops = 6.0 * (double)n;
}

static const SlOpClass gradient = {
    .name = "SoftmaxCrossEntropyGradient",
    .domain = SL_DOMAIN,
    .min_inputs = 3,
    .max_inputs = 4,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_IN_PLACE,
    .infer = gradient_infer,
    .reference = gradient_reference,
    .lower = gradient_lower,
    .cost = cost,
};

/* Targets are rarely learnt: theirs is the formula, d * -weights * log softmax. */
static gboolean
loss_gradient (SlGradients *to, SlNode *node, GError **error)
{
  static const char others[] = {'t', 'w'};
  SlFormula f = sl_formula (to, node);
  SlValue *dloss = sl_gradients_get (to, node, 0);
  SlShape column = SL_SHAPE (dloss->shape.dim[0], 1);
  sl_formula_bind_number (&f, 'w', 1);
  for (uint32_t i = 0; i < 2; i++)
    if (sl_node_input (node, 1 + i) != NULL)
      sl_formula_bind (&f, others[i], node->inputs[1 + i]);
  sl_formula_bind (&f, 'd', sl_gradient_reshape (to, node, dloss, &column));
  for (uint32_t i = 0; i < 2; i++)
    if (sl_gradients_want (to, node, 1 + i))
      sl_gradients_give (
          to, node, 1 + i,
          sl_formula_add (&f, i == 0 ? "-(d * w * LogSoftmax (x))" : "-(d * t * LogSoftmax (x))"));
  if (!sl_gradients_want (to, node, 0))
    return TRUE;
  SlValue *inputs[] = {sl_gradients_get (to, node, 0), node->inputs[0], node->inputs[1],
                       sl_node_input (node, 2)};
  sl_gradients_give (
      to, node, 0,
      sl_gradients_node (to, node, &gradient, NULL, inputs[3] != NULL ? 4 : 3, inputs));
  return TRUE;
}

static const SlOpClass loss = {
    .name = "SoftmaxCrossEntropy",
    .domain = SL_DOMAIN,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = loss_infer,
    .reference = loss_reference,
    .lower = loss_lower,
    .gradient = loss_gradient,
    .cost = cost,
};

const SlOpClass *const sl_ops_cross_entropy[] = {&loss, &gradient, NULL};
