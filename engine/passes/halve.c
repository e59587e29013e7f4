/* A GPU that is asked to keeps float32 activations as float16 in memory (SlTarget.get_halves) and
 * computes in float32. A node does so if its steps can and something that it reads lies so already:
 * weights, which were packed as float16, begin it. Where a node reads what it cannot, another keeps
 * it for it the other way (Store). Inputs and outputs of the graph stay float32, and so do logits:
 * products write either. */
#include "passes/passes.h"

#include "core/half.h"
#include "graph/stub.h"
#include "ops/internal.h"

/* What the steps of a node take a value as. */
typedef enum {
  ROLE_FLOAT, /* float32, or nothing that this is about */
  ROLE_HALF,  /* float16, with all others of this kind */
  ROLE_ANY,   /* either, on its own */
} Role;

typedef struct Plan {
  uint8_t *roles; /* Role of each input, then of each output; NULL: all float32 */
  bool moves;     /* computes nothing */
  bool wants;     /* half inputs are of use to somebody */
} Plan;

typedef struct Halve {
  SlGraph *graph;
  const SlTarget *target;
  GArray *plans;     /* Plan, by SlNode.mark */
  GHashTable *twins; /* SlValue → the same, stored the other way */
} Halve;

static void
plan_clear (void *data)
{
  g_free (((Plan *)data)->roles);
}

static SlValue *
end_of (const SlNode *node, uint32_t index)
{
  return index < node->n_inputs ? node->inputs[index] : node->outputs[index - node->n_inputs];
}

static bool
is_stored_half (const SlValue *value)
{
  return sl_value_get_storage (value) == SL_FLOAT16;
}

/* --- What could be halves --- */

/* Notes what a step takes `value` as. FALSE: another step takes it as something else. */
static bool
note_role (const SlNode *node, const SlValue *value, Role role, uint8_t *roles, bool *seen)
{
  for (uint32_t i = 0; i < node->n_inputs + node->n_outputs; i++) {
    if (end_of (node, i) != value)
      continue;
    if (value->is_workspace || (seen[i] && roles[i] != role))
      return false;
    seen[i] = true;
    roles[i] = (uint8_t)role;
  }
  return true;
}

static Role
role_of (const SlHalves *halves, uint32_t operand)
{
  if (halves->all >> operand & 1)
    return ROLE_HALF;
  return halves->any >> operand & 1 ? ROLE_ANY : ROLE_FLOAT;
}

/* The node's roles; NULL if its steps do not agree on them, or have none. */
static uint8_t *
find_roles (const Halve *pass, const SlNode *node, const GArray *steps, bool *ret_moves)
{
  const uint32_t n = node->n_inputs + node->n_outputs;
  g_autofree uint8_t *roles = g_new0 (uint8_t, n + 1);
  g_autofree bool *seen = g_new0 (bool, n + 1);
  bool has_half = false;
  *ret_moves = true;
  for (uint32_t i = 0; i < steps->len; i++) {
    const SlStep *step = &g_array_index (steps, SlStep, i);
    const SlHalves halves = pass->target->get_halves (step);
    *ret_moves = *ret_moves && halves.moves;
    for (uint32_t k = 0; k < step->n_operands; k++) {
      const SlValue *value = step->operands[k];
      const Role role = role_of (&halves, k);
      const bool is_float = value != NULL && (value->dtype == SL_FLOAT32 || is_stored_half (value));
      if (is_float && !note_role (node, value, role, roles, seen))
        return NULL;
      has_half = has_half || (is_float && role == ROLE_HALF);
    }
  }
  return has_half ? g_steal_pointer (&roles) : NULL;
}

/* By the steps that the node would have as it is. */
static Plan
plan_node (const Halve *pass, const SlNode *node)
{
  Plan plan = {0};
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (SlStep));
  g_array_set_clear_func (steps, (GDestroyNotify)sl_step_clear);
  sl_lower_node (&(SlLowering){.steps = steps, .target = pass->target, .node = node});
  plan.roles = find_roles (pass, node, steps, &plan.moves);
  return plan;
}

static Plan *
plan_of (const Halve *pass, const SlNode *node)
{
  return &g_array_index (pass->plans, Plan, node->mark);
}

static bool
has_reader_that_wants (const Halve *pass, const SlValue *value)
{
  for (uint32_t i = 0; value != NULL && i < value->uses->len; i++)
    if (plan_of (pass, value->uses->pdata[i])->wants)
      return true;
  return false;
}

/* Nodes in order. What only moves numbers to where float32 is needed is no reason for halves. */
static void
plan_all (Halve *pass, const GPtrArray *nodes)
{
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = nodes->pdata[i];
    const Plan plan = plan_node (pass, node);
    node->mark = i;
    g_array_append_val (pass->plans, plan);
  }
  for (uint32_t i = nodes->len; i-- > 0;) {
    const SlNode *node = nodes->pdata[i];
    Plan *plan = plan_of (pass, node);
    plan->wants = plan->roles != NULL && !plan->moves;
    for (uint32_t k = 0; k < node->n_outputs && plan->roles != NULL; k++)
      plan->wants = plan->wants || has_reader_that_wants (pass, node->outputs[k]);
  }
}

/* --- What becomes of it --- */

static bool
is_halved (const Plan *plan, const SlNode *node)
{
  for (uint32_t i = 0; plan->wants && i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && plan->roles[i] == ROLE_HALF && is_stored_half (node->inputs[i]))
      return true;
  return false;
}

/* A constant of float32 with float16 as content. NULL: there is no memory for it. */
static SlValue *
halve_constant (Halve *pass, const SlValue *value)
{
  g_autoptr (SlTensor) half = sl_tensor_new (SL_FLOAT16, &value->shape, NULL);
  if (half == NULL)
    return NULL;
  const float *from = sl_tensor_get_data (value->data);
  uint16_t *into = sl_tensor_get_data_writable (half);
  for (size_t i = 0; i < sl_tensor_get_elements (half); i++)
    into[i] = sl_half_from_float (from[i]);
  SlValue *twin = sl_graph_add_tensor (pass->graph, value->name, SL_VALUE_CONSTANT, half);
  twin->dtype = SL_FLOAT32;
  twin->layout = value->layout;
  twin->is_half = true;
  return twin;
}

/* What is large may not have been read so far (a stub): that a run converts. */
static SlValue *
twin_of (Halve *pass, SlValue *value)
{
  SlValue *twin = g_hash_table_lookup (pass->twins, value);
  if (twin == NULL) {
    if (value->kind == SL_VALUE_CONSTANT && !sl_tensor_is_stub (value->data))
      twin = halve_constant (pass, value);
    if (twin == NULL)
      twin = sl_store (pass->graph, value, !value->is_half, NULL);
    g_hash_table_insert (pass->twins, value, twin);
  }
  return twin;
}

static void
halve_output (Halve *pass, SlNode *node, uint32_t index)
{
  SlValue *output = node->outputs[index];
  if (!output->is_output) {
    output->is_half = true;
    return;
  }
  SlValue *value = sl_pass_detach_output (pass->graph, node, index);
  value->is_half = true;
  sl_store (pass->graph, value, false, output);
}

static void
halve_node (Halve *pass, SlNode *node)
{
  const Plan *plan = plan_of (pass, node);
  const bool halved = is_halved (plan, node);
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    SlValue *input = node->inputs[i];
    const Role role = halved ? plan->roles[i] : ROLE_FLOAT;
    if (input != NULL && input->dtype == SL_FLOAT32 && role != ROLE_ANY &&
        input->is_half != (role == ROLE_HALF))
      sl_node_set_input (node, i, twin_of (pass, input));
  }
  for (uint32_t i = 0; halved && i < node->n_outputs; i++) {
    const Role role = plan->roles[node->n_inputs + i];
    const SlValue *output = node->outputs[i];
    if (output != NULL && output->dtype == SL_FLOAT32 &&
        (role == ROLE_HALF ||
         (role == ROLE_ANY && !output->is_output && has_reader_that_wants (pass, output))))
      halve_output (pass, node, i);
  }
}

gboolean
sl_pass_halve (SlPasses *passes, GError **error)
{
  if (passes->target->get_halves == NULL)
    return TRUE;
  g_autoptr (GHashTable) twins = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  g_autoptr (GArray) plans = g_array_new (FALSE, FALSE, sizeof (Plan));
  g_array_set_clear_func (plans, plan_clear);
  Halve pass = {passes->graph, passes->target, plans, twins};
  plan_all (&pass, nodes);
  for (uint32_t i = 0; i < nodes->len; i++)
    halve_node (&pass, nodes->pdata[i]);
  return TRUE;
}
