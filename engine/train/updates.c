/* Gradients, clipping and the optimiser's nodes. */
#include "train/build.h"

#include "grad/grad.h"
#include "graph/op.h"

#include <math.h>

void
sl_optimizer_init (SlOptimizer *optimizer, SlOptimizerKind kind)
{
  *optimizer = (SlOptimizer){.kind = kind};
  if (kind == SL_OPTIMIZER_SGD)
    return;
  optimizer->epsilon = 1e-7;
  if (kind == SL_OPTIMIZER_RMSPROP) {
    optimizer->rho = 0.9;
    return;
  }
  optimizer->beta1 = 0.9;
  optimizer->beta2 = 0.999;
  if (kind == SL_OPTIMIZER_ADAMW)
    optimizer->weight_decay = 0.004;
}

double
sl_train_rate_factor (const SlTrainerOptions *options, const char *name)
{
  for (uint32_t i = 0; i < options->n_rules; i++)
    if (g_pattern_match_simple (options->rules[i].pattern, name))
      return options->rules[i].factor;
  return 1;
}

/* An optimiser's node: its class, the moments it keeps, the attributes that differ. */
typedef struct Plan {
  const char *op;
  const char *moments[3]; /* names behind the parameter's; NULL: not kept */
  uint32_t n_moments;     /* that the class has */
  SlRawAttr attrs[8];
} Plan;

static void
add_float (Plan *plan, uint32_t *n, const char *name, double number)
{
  plan->attrs[(*n)++] = (SlRawAttr){.name = (char *)name, .type = SL_RAW_FLOAT, .f = (float)number};
}

static void
add_flag (Plan *plan, uint32_t *n, const char *name, bool flag)
{
  plan->attrs[(*n)++] = (SlRawAttr){.name = (char *)name, .type = SL_RAW_INT, .i = flag};
}

static Plan
make_plan (const SlTrainerOptions *options, double rate_factor)
{
  const SlOptimizer *o = &options->optimizer;
  Plan plan = {0};
  uint32_t n = 0;
  add_float (&plan, &n, "rate_factor", rate_factor);
  add_float (&plan, &n, "decay", o->weight_decay);
  add_float (&plan, &n, "clip", options->clip_value);
  switch (o->kind) {
  case SL_OPTIMIZER_SGD:
    plan.op = "SgdUpdate";
    plan.n_moments = 1;
    plan.moments[0] = o->momentum > 0 ? "velocity" : NULL;
    add_float (&plan, &n, "momentum", o->momentum);
    add_flag (&plan, &n, "nesterov", o->nesterov);
    break;
  case SL_OPTIMIZER_RMSPROP:
    plan.op = "RmspropUpdate";
    plan.n_moments = 3;
    plan.moments[0] = "square";
    plan.moments[1] = o->momentum > 0 ? "velocity" : NULL;
    plan.moments[2] = o->centered ? "mean" : NULL;
    add_float (&plan, &n, "momentum", o->momentum);
    add_float (&plan, &n, "rho", o->rho);
    add_float (&plan, &n, "epsilon", o->epsilon);
    break;
  case SL_OPTIMIZER_ADAM:
  case SL_OPTIMIZER_ADAMW:
    plan.op = "AdamUpdate";
    plan.n_moments = 2;
    plan.moments[0] = "mean";
    plan.moments[1] = "square";
    add_float (&plan, &n, "beta1", o->beta1);
    add_float (&plan, &n, "beta2", o->beta2);
    add_float (&plan, &n, "epsilon", o->epsilon);
    add_flag (&plan, &n, "decoupled", o->kind == SL_OPTIMIZER_ADAMW);
    break;
  }
  return plan;
}

static SlValue *
add_moment (SlGraph *graph, const SlValue *parameter, const char *moment, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s/%s", parameter->name, moment);
  g_autoptr (SlTensor) zeros = sl_tensor_new (parameter->dtype, &parameter->shape, error);
  return zeros != NULL ? sl_graph_add_tensor (graph, name, SL_VALUE_STATE, zeros) : NULL;
}

/* The parameter's node and updates. */
static gboolean
add_update (SlGraph *graph, const Plan *plan, SlValue *parameter, SlValue *gradient,
            const SlTrainScalars *scalars, SlValue *factor, GPtrArray *ret_state, GError **error)
{
  SlValue *inputs[8] = {parameter}, *outputs[4] = {NULL};
  const uint32_t n = plan->n_moments;
  for (uint32_t i = 0; i < n; i++) {
    if (plan->moments[i] == NULL)
      continue;
    inputs[1 + i] = add_moment (graph, parameter, plan->moments[i], error);
    if (inputs[1 + i] == NULL)
      return FALSE;
    g_ptr_array_add (ret_state, inputs[1 + i]);
  }
  inputs[n + 1] = gradient;
  inputs[n + 2] = scalars->rate;
  inputs[n + 3] = factor;
  inputs[n + 4] = scalars->step;
  for (uint32_t i = 0; i <= n; i++) {
    if (inputs[i] == NULL)
      continue;
    g_autofree char *name = g_strconcat (inputs[i]->name, "/next", NULL);
    outputs[i] = sl_graph_add_value (graph, name, SL_VALUE_ACTIVATION);
    sl_graph_add_update (graph, inputs[i], outputs[i]);
  }
  SlNode *node = sl_graph_add_node (graph, sl_op_find (plan->op), parameter->name, NULL, n + 5,
                                    inputs, n + 1, outputs);
  for (const SlRawAttr *attr = plan->attrs; attr->name != NULL; attr++)
    if (!sl_attrs_set (node->op->attrs, node->attrs, attr, error))
      return FALSE;
  return sl_node_infer (node, error);
}

/* Parameters that some node reads and that no rule holds back. */
static GPtrArray *
list_trained (const SlGraph *graph, const SlTrainerOptions *options)
{
  GPtrArray *trained = g_ptr_array_new ();
  for (uint32_t i = 0; i < graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (graph->values, i);
    if (value->kind == SL_VALUE_PARAMETER && value->uses->len > 0 &&
        sl_train_rate_factor (options, value->name) != 0)
      g_ptr_array_add (trained, value);
  }
  return trained;
}

/* Norm and factor of all gradients; sums of squares stand right behind what makes the gradient,
 * while it is in a cache. */
static SlValue *
add_norm (SlGraph *graph, const SlTrainerOptions *options, SlValue *loss, uint32_t n,
          SlValue *const *gradients, SlValue **ret_norm, GError **error)
{
  g_autofree SlValue **sums = g_new (SlValue *, n);
  for (uint32_t i = 0; i < n; i++) {
    SlValue *sum = sl_train_node (graph, "SquareSum", "train/norm", NULL, 1, &gradients[i]);
    if (gradients[i]->producer != NULL)
      sum->producer->id = gradients[i]->producer->id;
    sums[i] = sum;
  }
  const SlRawAttr axis[] = {{.name = (char *)"axis", .type = SL_RAW_INT, .i = 0}, {0}};
  SlValue *inputs[] = {loss, sl_train_node (graph, "Concat", "train/norm", axis, n, sums)};
  SlValue *outputs[] = {sl_graph_add_value (graph, "train/factor", SL_VALUE_ACTIVATION),
                        sl_graph_add_value (graph, "train/norm", SL_VALUE_ACTIVATION)};
  SlNode *node = sl_graph_add_node (graph, sl_op_find ("ClipFactor"), "train/norm", NULL, 2, inputs,
                                    2, outputs);
  const SlRawAttr max = {
      .name = (char *)"max_norm", .type = SL_RAW_FLOAT, .f = (float)options->clip_norm};
  *ret_norm = outputs[1];
  if (!sl_attrs_set (node->op->attrs, node->attrs, &max, error) || !sl_node_infer (node, error))
    return NULL;
  return outputs[0];
}

/* A pattern that holds nothing back is a slip that would not show. */
static gboolean
check_rules (const SlGraph *graph, const SlTrainerOptions *options, GError **error)
{
  for (uint32_t i = 0; i < options->n_rules; i++) {
    const char *example = NULL;
    bool fits = options->rules[i].may_miss;
    for (uint32_t k = 0; k < graph->values->len && !fits; k++) {
      const SlValue *value = g_ptr_array_index (graph->values, k);
      if (value->kind != SL_VALUE_PARAMETER && value->kind != SL_VALUE_STATE)
        continue;
      example = value->name;
      fits = g_pattern_match_simple (options->rules[i].pattern, value->name);
    }
    if (!fits) {
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                   "no parameter's or statistic's name fits '%s' (expected * and ? for any text "
                   "and character; "
                   "one is '%s')",
                   options->rules[i].pattern, example != NULL ? example : "");
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
sl_train_add_updates (SlGraph *graph, const SlTrainerOptions *options,
                      const SlTrainScalars *scalars, SlValue **ret_norm, GPtrArray *ret_state,
                      GError **error)
{
  g_autoptr (GPtrArray) trained = list_trained (graph, options);
  SlValue *const *parameters = (SlValue **)trained->pdata;
  g_autofree SlValue **gradients = g_new0 (SlValue *, trained->len + 1);
  if (trained->len == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "the network has no parameter to train");
    return FALSE;
  }
  if (!check_rules (graph, options, error))
    return FALSE;
  if (!sl_grad_append (graph, scalars->loss, parameters, trained->len, gradients, error))
    return FALSE;
  SlValue *factor =
      add_norm (graph, options, scalars->loss, trained->len, gradients, ret_norm, error);
  for (uint32_t i = 0; factor != NULL && i < trained->len; i++) {
    const Plan plan = make_plan (options, sl_train_rate_factor (options, parameters[i]->name));
    if (!add_update (graph, &plan, parameters[i], gradients[i], scalars, factor, ret_state, error))
      return FALSE;
  }
  return factor != NULL;
}
