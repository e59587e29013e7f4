/* Steps of optimisers, one node a parameter: the parameter, its moments, its gradient and the run's
 * scalars in; the next parameter and the next moments out, output i in the memory of input i.
 *
 * Formulas of PyTorch 1.13 (torch/optim, single-tensor forms); p is the parameter, r the rate times
 * rate_factor, g the gradient times `factor` and then cut to ±clip (0: not), t the step:
 *
 * - SgdUpdate (p, velocity?): g += decay p; v = momentum v + (t > 0 ? 1 - dampening : 1) g;
 *   p -= r (nesterov ? g + momentum v : v); without a velocity p -= r g.
 * - RmspropUpdate (p, square, velocity?, mean?): g += decay p; s = rho s + (1 - rho) g²; with a
 *   mean m = rho m + (1 - rho) g and s' = s - m², else s' = s; v = momentum v + g / (sqrt (s') +
 *   epsilon); p -= r v; without a velocity p -= r g / (sqrt (s') + epsilon).
 * - AdamUpdate (p, mean, square): decoupled ? p -= r decay p : (g += decay p);
 *   m = beta1 m + (1 - beta1) g; s = beta2 s + (1 - beta2) g²;
 *   p -= r m / (1 - beta1^t) / (sqrt (s / (1 - beta2^t)) + epsilon); with plain_epsilon (Keras,
 *   ONNX) p -= r sqrt (1 - beta2^t) / (1 - beta1^t) m / (sqrt (s) + epsilon); t = 0: neither power
 *   is taken off.
 * - AdagradUpdate (p, sum): g += decay p; s += g²; p -= r / (1 + t rate_decay) g / (sqrt (s) +
 *   epsilon).
 *
 * Behind the moments stand gradient, rate (float scalar), factor (float scalar or none: 1; NaN: all
 * stays as it was) and step (int64 scalar or none: 0). ONNX's Momentum, Adam and Adagrad
 * (https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html and so on) are imported as
 * these. */
#include "kernels/optimizer.h"
#include "ops/forms.h"
#include "ops/shape.h"

#include <math.h>
#include <string.h>

typedef struct OptimizerAttrs {
  float rate_factor, decay, clip;
  float momentum, dampening;
  float beta1, beta2, epsilon;
  float rate_decay;
  bool nesterov, decoupled, plain_epsilon;
} OptimizerAttrs;

#define FLOAT_ATTR(id, number)                                                                    \
  {                                                                                               \
    .name = #id, .type = SL_ATTR_FLOAT, .offset = offsetof (OptimizerAttrs, id), .preset = number \
  }
#define BOOL_ATTR(id)                                                          \
  {                                                                            \
    .name = #id, .type = SL_ATTR_BOOL, .offset = offsetof (OptimizerAttrs, id) \
  }
#define COMMON_ATTRS FLOAT_ATTR (rate_factor, 1), FLOAT_ATTR (decay, 0), FLOAT_ATTR (clip, 0)

/* Inputs: parameter, moments (so many at most), then these. */
enum { GRADIENT = 1, RATE, FACTOR, STEP };

static uint32_t
n_moments (const SlNode *node)
{
  return node->op->max_outputs - 1u;
}

static gboolean
check_shape (const SlNode *node, const SlValue *value, const SlShape *expected, GError **error)
{
  if (value == NULL || sl_shape_equal (&value->shape, expected))
    return TRUE;
  g_autofree char *found = sl_shape_to_string (&value->shape);
  g_autofree char *wanted = sl_shape_to_string (expected);
  sl_node_error (node, error, SL_ERROR_SHAPE, "'%s' is %s, expected %s", value->name, found,
                 wanted);
  return FALSE;
}

static gboolean
check_scalar (const SlNode *node, const SlValue *value, SlDType dtype, GError **error)
{
  size_t elements = 1;
  if (value == NULL ||
      (sl_shape_get_elements (&value->shape, &elements) && elements == 1 &&
       (dtype == SL_INT64 ? value->dtype == SL_INT64 : sl_dtype_is_float (value->dtype))))
    return TRUE;
  g_autofree char *found = sl_shape_to_string (&value->shape);
  sl_node_error (node, error, SL_ERROR_SHAPE, "'%s' is %s of %s, expected one of %s", value->name,
                 found, sl_dtype_get_name (value->dtype), dtype == SL_INT64 ? "int64" : "float");
  return FALSE;
}

static gboolean
optimizer_infer (SlNode *node, GError **error)
{
  const uint32_t n = n_moments (node);
  const SlValue *parameter = node->inputs[0];
  for (uint32_t i = 1; i <= n + GRADIENT; i++)
    if (!check_shape (node, node->inputs[i], &parameter->shape, error))
      return FALSE;
  if (!check_scalar (node, node->inputs[n + RATE], SL_FLOAT32, error) ||
      !check_scalar (node, sl_node_input (node, n + FACTOR), SL_FLOAT32, error) ||
      !check_scalar (node, sl_node_input (node, n + STEP), SL_INT64, error))
    return FALSE;
  for (uint32_t i = 0; i <= n; i++)
    if (node->inputs[i] != NULL)
      sl_infer_output (node, i, node->inputs[i]->dtype, &parameter->shape);
  return TRUE;
}

/* --- Reference --- */

/* One element, and what its formula reads. */
typedef struct Element {
  const OptimizerAttrs *attrs;
  double rate, step;
  double p, g;
  double m[SL_OPTIMIZER_MOMENTS];
  bool has[SL_OPTIMIZER_MOMENTS];
} Element;

static void
reference (const SlRefCall *call, void (*formula) (Element *e))
{
  const uint32_t n = n_moments (call->node);
  const SlRefTensor *const *in = call->inputs;
  const SlRefTensor *factor = call->n_inputs > n + FACTOR ? in[n + FACTOR] : NULL;
  const SlRefTensor *step = call->n_inputs > n + STEP ? in[n + STEP] : NULL;
  const OptimizerAttrs *attrs = call->attrs;
  Element e = {.attrs = attrs,
               .rate = in[n + RATE]->f[0] * (double)attrs->rate_factor,
               .step = step != NULL ? (double)step->i[0] : 0};
  const double times = factor != NULL ? factor->f[0] : 1;
  const double clip = attrs->clip > 0 ? (double)attrs->clip : INFINITY;
  for (size_t i = 0; i < in[0]->n; i++) {
    e.p = in[0]->f[i];
    e.g = in[n + GRADIENT]->f[i] * times;
    for (uint32_t k = 0; k < n; k++) {
      e.has[k] = in[1 + k] != NULL;
      e.m[k] = e.has[k] ? in[1 + k]->f[i] : 0;
    }
    if (!isnan (times)) {
      e.g = e.g > clip ? clip : e.g < -clip ? -clip : e.g;
      if (attrs->decoupled)
        e.p -= e.rate * (double)attrs->decay * e.p;
      else
        e.g += (double)attrs->decay * e.p;
      formula (&e);
    }
    call->outputs[0]->f[i] = e.p;
    for (uint32_t k = 0; k < n; k++)
      if (1 + k < call->n_outputs && call->outputs[1 + k] != NULL)
        call->outputs[1 + k]->f[i] = e.m[k];
  }
}

static void
sgd_formula (Element *e)
{
  const double momentum = (double)e->attrs->momentum;
  double move = e->g;
  if (e->has[0]) {
    e->m[0] = momentum * e->m[0] + (e->step > 0 ? 1 - (double)e->attrs->dampening : 1) * e->g;
    move = e->attrs->nesterov ? e->g + momentum * e->m[0] : e->m[0];
  }
  e->p -= e->rate * move;
}

static void
rmsprop_formula (Element *e)
{
  const double rho = (double)e->attrs->beta2;
  e->m[0] = rho * e->m[0] + (1 - rho) * e->g * e->g;
  if (e->has[2])
    e->m[2] = rho * e->m[2] + (1 - rho) * e->g;
  /* A variance, which rounding may bring below 0. */
  const double square = fmax (0, e->m[0] - e->m[2] * e->m[2]);
  double move = e->g / (sqrt (square) + (double)e->attrs->epsilon);
  if (e->has[1])
    move = e->m[1] = (double)e->attrs->momentum * e->m[1] + move;
  e->p -= e->rate * move;
}

static void
adam_formula (Element *e)
{
  const double beta1 = (double)e->attrs->beta1, beta2 = (double)e->attrs->beta2;
  const double whole1 = e->step > 0 ? 1 - pow (beta1, e->step) : 1;
  const double whole2 = e->step > 0 ? sqrt (1 - pow (beta2, e->step)) : 1;
  e->m[0] = beta1 * e->m[0] + (1 - beta1) * e->g;
  e->m[1] = beta2 * e->m[1] + (1 - beta2) * e->g * e->g;
  const double root = sqrt (e->m[1]), epsilon = (double)e->attrs->epsilon;
  e->p -= e->rate / whole1 * e->m[0] /
          (e->attrs->plain_epsilon ? (root + epsilon) / whole2 : root / whole2 + epsilon);
}

static void
adagrad_formula (Element *e)
{
  e->m[0] += e->g * e->g;
  e->p -= e->rate / (1 + e->step * (double)e->attrs->rate_decay) * e->g /
          (sqrt (e->m[0]) + (double)e->attrs->epsilon);
}

#define REFERENCE(id)                                \
  static void id##_reference (const SlRefCall *call) \
  {                                                  \
    reference (call, id##_formula);                  \
  }
REFERENCE (sgd)
REFERENCE (rmsprop)
REFERENCE (adam)
REFERENCE (adagrad)

/* --- Lowering --- */

static bool
is_float32 (const SlNode *node)
{
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && sl_dtype_is_float (node->inputs[i]->dtype) &&
        node->inputs[i]->dtype != SL_FLOAT32)
      return false;
  return true;
}

static void
lower (const SlNode *node, SlLowering *to, const char *kernel)
{
  const OptimizerAttrs *attrs = node->attrs;
  const uint32_t n = n_moments (node), half = SL_OPTIMIZER_MOMENTS + 1 + STEP;
  const SlValue *operands[SL_OPTIMIZER_MOMENTS + 1 + STEP + SL_OPTIMIZER_MOMENTS + 1] = {NULL};
  if (!is_float32 (node)) {
    sl_lower_reference (to);
    return;
  }
  SlOptimizerParams params = {.rate_factor = attrs->rate_factor,
                              .decay = attrs->decay,
                              .clip = attrs->clip,
                              .momentum = attrs->momentum,
                              .dampening = attrs->dampening,
                              .beta1 = attrs->beta1,
                              .beta2 = attrs->beta2,
                              .epsilon = attrs->epsilon,
                              .rate_decay = attrs->rate_decay,
                              .nesterov = attrs->nesterov,
                              .decoupled = attrs->decoupled,
                              .plain_epsilon = attrs->plain_epsilon};
  sl_shape_get_elements (&node->inputs[0]->shape, &params.count);
  if (params.count == 0)
    return;
  for (uint32_t i = 0; i <= n; i++) {
    operands[i] = node->inputs[i];
    operands[half + i] = i < node->n_outputs ? node->outputs[i] : NULL;
  }
  for (uint32_t i = GRADIENT; i <= STEP; i++)
    operands[SL_OPTIMIZER_MOMENTS + i] = sl_node_input (node, n + i);
  sl_lower_outputs (to, kernel, &params, sizeof params, G_N_ELEMENTS (operands), half, operands);
}

#define LOWER(id)                                             \
  static void id##_lower (const SlNode *node, SlLowering *to) \
  {                                                           \
    lower (node, to, #id "_update");                          \
  }
LOWER (sgd)
LOWER (rmsprop)
LOWER (adam)
LOWER (adagrad)

static void
optimizer_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t elements = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &elements);
  ret_cost->flops = (double)elements * (4 + 6 * n_moments (node));
  ret_cost->bytes = (double)elements * sizeof (float) * (3 + 2 * n_moments (node));
}

/* --- ONNX's: one node for several parameters --- */

#define TRAINING_DOMAIN "ai.onnx.preview.training"

/* `p` is input 2 + index; gradients and moments follow in groups of all parameters. */
static void
add_update (const SlImport *im, const SlOpClass *op, const OptimizerAttrs *attrs, uint32_t n,
            uint32_t index, float shrink)
{
  const uint32_t moments = op->max_outputs - 1u;
  SlValue *inputs[SL_OPTIMIZER_MOMENTS + 1 + STEP] = {NULL};
  SlValue *outputs[SL_OPTIMIZER_MOMENTS + 1] = {NULL};
  inputs[0] = im->inputs[2 + index];
  for (uint32_t k = 0; k < moments; k++) {
    inputs[1 + k] = im->inputs[2 + (2 + k) * n + index];
    outputs[1 + k] = im->outputs[(1 + k) * n + index];
  }
  outputs[0] = im->outputs[index];
  inputs[moments + GRADIENT] = im->inputs[2 + n + index];
  inputs[moments + RATE] = im->inputs[0];
  inputs[moments + STEP] = im->inputs[1];
  if (shrink < 1)
    outputs[0] = sl_graph_add_value (im->graph, NULL, SL_VALUE_ACTIVATION);
  sl_graph_add_node (im->graph, op, im->name, attrs, moments + 1 + STEP, inputs, moments + 1,
                     outputs);
  if (shrink >= 1)
    return;
  g_autoptr (SlTensor) scale = sl_tensor_new_copy (SL_FLOAT32, &(SlShape){0}, &shrink, NULL);
  SlValue *factors[] = {outputs[0],
                        sl_graph_add_tensor (im->graph, NULL, SL_VALUE_CONSTANT, scale)};
  sl_graph_add_node (im->graph, sl_op_find ("Mul"), im->name, NULL, 2, factors, 1,
                     &im->outputs[index]);
}

static gboolean
import_updates (const SlImport *im, const SlOpClass *op, const OptimizerAttrs *attrs, float shrink,
                GError **error)
{
  const uint32_t moments = op->max_outputs - 1u, groups = moments + 2;
  const uint32_t n = im->n_inputs > 2 ? (im->n_inputs - 2) / groups : 0;
  if (n == 0 || im->n_inputs != 2 + n * groups || im->n_outputs != n * (moments + 1))
    return sl_import_error (im, error, SL_ERROR_MALFORMED,
                            "%u inputs and %u outputs, expected 2 + %u and %u for each parameter",
                            im->n_inputs, im->n_outputs, groups, moments + 1);
  for (uint32_t i = 0; i < im->n_inputs; i++)
    if (im->inputs[i] == NULL)
      return sl_import_error (im, error, SL_ERROR_MALFORMED, "input %u is left out", i);
  for (uint32_t i = 0; i < im->n_outputs; i++)
    if (im->outputs[i] == NULL)
      return sl_import_error (im, error, SL_ERROR_MALFORMED, "output %u is left out", i);
  for (uint32_t i = 0; i < n; i++)
    add_update (im, op, attrs, n, i, shrink);
  return TRUE;
}

static OptimizerAttrs
default_attrs (const SlOpClass *op, const SlImport *im)
{
  OptimizerAttrs attrs = {0};
  sl_attrs_init (op->attrs, &attrs);
  attrs.decay = sl_import_float (im, "norm_coefficient", 0);
  attrs.epsilon = sl_import_float (im, "epsilon", 1e-6f);
  return attrs;
}

static gboolean
import_momentum (const SlImport *im, const SlOpClass *op, GError **error)
{
  OptimizerAttrs attrs = default_attrs (op, im);
  const SlRawAttr *mode = sl_import_attr (im, "mode");
  if (mode == NULL || mode->type != SL_RAW_STRING ||
      (strcmp (mode->s, "standard") != 0 && strcmp (mode->s, "nesterov") != 0))
    return sl_import_error (im, error, SL_ERROR_MALFORMED,
                            "attribute mode is neither standard nor nesterov");
  attrs.momentum = sl_import_float (im, "alpha", 0);
  attrs.dampening = 1 - sl_import_float (im, "beta", 1);
  attrs.nesterov = strcmp (mode->s, "nesterov") == 0;
  return import_updates (im, op, &attrs, 1, error);
}

static gboolean
import_adam (const SlImport *im, const SlOpClass *op, GError **error)
{
  OptimizerAttrs attrs = default_attrs (op, im);
  attrs.beta1 = sl_import_float (im, "alpha", 0.9f);
  attrs.beta2 = sl_import_float (im, "beta", 0.999f);
  attrs.plain_epsilon = true;
  return import_updates (im, op, &attrs, 1 - sl_import_float (im, "norm_coefficient_post", 0),
                         error);
}

static gboolean
import_adagrad (const SlImport *im, const SlOpClass *op, GError **error)
{
  OptimizerAttrs attrs = default_attrs (op, im);
  attrs.rate_decay = sl_import_float (im, "decay_factor", 0);
  return import_updates (im, op, &attrs, 1, error);
}

static const SlOnnxForm momentum_forms[] = {
    {.op_type = "Momentum", .domain = TRAINING_DOMAIN, .since = 1, .import = import_momentum},
    {0},
};
static const SlOnnxForm adam_forms[] = {
    {.op_type = "Adam", .domain = TRAINING_DOMAIN, .since = 1, .import = import_adam},
    {0},
};
static const SlOnnxForm adagrad_forms[] = {
    {.op_type = "Adagrad", .domain = TRAINING_DOMAIN, .since = 1, .import = import_adagrad},
    {0},
};

/* --- Classes --- */

static const SlAttrSpec sgd_attrs[] = {
    COMMON_ATTRS, FLOAT_ATTR (momentum, 0), FLOAT_ATTR (dampening, 0), BOOL_ATTR (nesterov), {0},
};
static const SlAttrSpec rmsprop_attrs[] = {
    COMMON_ATTRS,
    {.name = "rho",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (OptimizerAttrs, beta2),
     .preset = 0.9},
    FLOAT_ATTR (momentum, 0),
    FLOAT_ATTR (epsilon, 1e-7),
    {0},
};
static const SlAttrSpec adam_attrs[] = {
    COMMON_ATTRS,
    FLOAT_ATTR (beta1, 0.9),
    FLOAT_ATTR (beta2, 0.999),
    FLOAT_ATTR (epsilon, 1e-7),
    BOOL_ATTR (decoupled),
    BOOL_ATTR (plain_epsilon),
    {0},
};
static const SlAttrSpec adagrad_attrs[] = {
    COMMON_ATTRS,
    FLOAT_ATTR (epsilon, 1e-7),
    FLOAT_ATTR (rate_decay, 0),
    {0},
};

#define OPTIMIZER(id, type, moments, onnx_forms) \
  static const SlOpClass id##_update = {         \
      .name = type,                              \
      .domain = SL_DOMAIN,                       \
      .min_inputs = (moments) + 1 + RATE,        \
      .max_inputs = (moments) + 1 + STEP,        \
      .min_outputs = 1,                          \
      .max_outputs = (moments) + 1,              \
      .attrs = id##_attrs,                       \
      .attrs_size = sizeof (OptimizerAttrs),     \
      .traits = SL_TRAIT_UPDATES,                \
      .infer = optimizer_infer,                  \
      .reference = id##_reference,               \
      .lower = id##_lower,                       \
      .cost = optimizer_cost,                    \
      .forms = onnx_forms,                       \
  };
OPTIMIZER (sgd, "SgdUpdate", 1, momentum_forms)
OPTIMIZER (rmsprop, "RmspropUpdate", 3, NULL)
OPTIMIZER (adam, "AdamUpdate", 2, adam_forms)
OPTIMIZER (adagrad, "AdagradUpdate", 1, adagrad_forms)

/* --- SquareSum: the sum of squares of each block of SL_SQUARE_BLOCK elements --- */

static gboolean
square_sum_infer (SlNode *node, GError **error)
{
  size_t elements = 0;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  sl_shape_get_elements (&node->inputs[0]->shape, &elements);
  const SlShape blocks = SL_SHAPE ((int64_t)((elements + SL_SQUARE_BLOCK - 1) / SL_SQUARE_BLOCK));
  sl_infer_output (node, 0, node->inputs[0]->dtype, &blocks);
  return TRUE;
}

static void
square_sum_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0], *y = call->outputs[0];
  for (size_t i = 0; i < y->n; i++)
    y->f[i] = 0;
  for (size_t i = 0; i < x->n; i++)
    y->f[i / SL_SQUARE_BLOCK] += x->f[i] * x->f[i];
}

static void
square_sum_lower (const SlNode *node, SlLowering *to)
{
  SlSquareSumParams params;
  if (node->inputs[0]->dtype != SL_FLOAT32) {
    sl_lower_reference (to);
    return;
  }
  sl_shape_get_elements (&node->inputs[0]->shape, &params.count);
  sl_lower (to, "square_sum", &params, node->inputs[0], node->outputs[0]);
}

static const SlOpClass square_sum = {
    .name = "SquareSum",
    .domain = SL_DOMAIN,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = square_sum_infer,
    .reference = square_sum_reference,
    .lower = square_sum_lower,
};

/* --- ClipFactor: loss, sums of squares → factor, norm (kernels/optimizer.h) --- */

typedef struct ClipAttrs {
  float max_norm;
} ClipAttrs;

static const SlAttrSpec clip_attrs[] = {
    {.name = "max_norm", .type = SL_ATTR_FLOAT, .offset = offsetof (ClipAttrs, max_norm)},
    {0},
};

static gboolean
clip_factor_infer (SlNode *node, GError **error)
{
  size_t elements = 0;
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  if (!sl_shape_get_elements (&node->inputs[0]->shape, &elements) || elements != 1) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "the loss has %zu elements, expected one",
                   elements);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &(SlShape){0});
  sl_infer_output (node, 1, node->inputs[0]->dtype, &(SlShape){0});
  return TRUE;
}

static void
clip_factor_reference (const SlRefCall *call)
{
  const double max = (double)((const ClipAttrs *)call->attrs)->max_norm;
  double sum = 0;
  for (size_t k = 0; k < call->inputs[1]->n; k++)
    sum += call->inputs[1]->f[k];
  const double norm = sqrt (sum), large = norm + SL_CLIP_EPSILON;
  const double factor = max > 0 && large > max ? max / large : 1;
  if (call->outputs[0] != NULL)
    call->outputs[0]->f[0] = isfinite (sum) && isfinite (call->inputs[0]->f[0]) ? factor : NAN;
  if (call->n_outputs > 1 && call->outputs[1] != NULL)
    call->outputs[1]->f[0] = norm;
}

static void
clip_factor_lower (const SlNode *node, SlLowering *to)
{
  SlClipFactorParams params = {.max_norm = ((const ClipAttrs *)node->attrs)->max_norm};
  if (node->inputs[0]->dtype != SL_FLOAT32) {
    sl_lower_reference (to);
    return;
  }
  sl_shape_get_elements (&node->inputs[1]->shape, &params.count);
  const SlValue *operands[] = {node->inputs[0], node->inputs[1], node->outputs[0],
                               node->n_outputs > 1 ? node->outputs[1] : NULL};
  sl_lower_outputs (to, "clip_factor", &params, sizeof params, G_N_ELEMENTS (operands), 2,
                    operands);
}

static const SlOpClass clip_factor = {
    .name = "ClipFactor",
    .domain = SL_DOMAIN,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 2,
    .attrs = clip_attrs,
    .attrs_size = sizeof (ClipAttrs),
    .infer = clip_factor_infer,
    .reference = clip_factor_reference,
    .lower = clip_factor_lower,
};

const SlOpClass *const sl_ops_optimizer[] = {
    &sgd_update, &rmsprop_update, &adam_update, &adagrad_update, &square_sum, &clip_factor, NULL,
};
