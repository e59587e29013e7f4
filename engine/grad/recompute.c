#include "grad/recompute.h"

/* Operations for each element that an op reads or writes, up to which it counts as cheap: local
 * response normalisation has 15, dropout 6, a convolution a hundred and more. */
#define CHEAP 16

/* Values of less than this share of all that is kept stay where they are. */
#define SMALL_SHARE 4096

/* What becomes of a value of the forward pass, by its id. */
typedef struct Fate {
  bool is_forward;         /* a node of the forward pass computes it */
  bool is_read_late;       /* the backward pass reads it */
  bool crosses;            /* from one segment to a later one */
  bool is_dropped;         /* what reads it late reads its copy */
  bool is_reachable;       /* kept, or a copy of it can be had */
  bool is_needed;          /* a copy of it is made */
  uint32_t position, last; /* of its producer and of its last reader in the forward pass */
  size_t bytes;
  SlValue *copy;
} Fate;

typedef struct Pass {
  SlGraph *graph;
  uint32_t n_forward;
  uint32_t n_values; /* before copies are added */
  Fate *fates;
  size_t kept;    /* bytes of values that are read late */
  uint32_t *cuts; /* positions of first nodes of segments, but for the first one's */
  uint32_t n_cuts;
} Pass;

static SlNode *
node_at (const Pass *pass, uint32_t position)
{
  return g_ptr_array_index (pass->graph->nodes, position);
}

static Fate *
fate_of (const Pass *pass, const SlValue *value)
{
  return &pass->fates[value->id];
}

static void
look (Pass *pass)
{
  for (uint32_t i = 0; i < pass->graph->nodes->len; i++) {
    const SlNode *node = node_at (pass, i);
    for (uint32_t k = 0; k < node->n_outputs && i < pass->n_forward; k++)
      if (node->outputs[k] != NULL)
        *fate_of (pass, node->outputs[k]) = (Fate){.is_forward = true,
                                                   .position = i,
                                                   .last = i,
                                                   .bytes = sl_value_get_bytes (node->outputs[k])};
    for (uint32_t k = 0; k < node->n_inputs; k++) {
      Fate *fate = node->inputs[k] != NULL ? fate_of (pass, node->inputs[k]) : NULL;
      if (fate == NULL || !fate->is_forward)
        continue;
      if (i < pass->n_forward)
        fate->last = i;
      else if (!fate->is_read_late) {
        fate->is_read_late = true;
        pass->kept += fate->bytes;
      }
    }
  }
}

/* --- Where to cut --- */

/* Bytes that cross into the forward pass's node at each position, and that are kept up to it. */
static void
measure (const Pass *pass, size_t *ret_crossing, size_t *ret_kept)
{
  for (uint32_t id = 0; id < pass->n_values; id++) {
    const Fate *fate = &pass->fates[id];
    if (!fate->is_forward)
      continue;
    if (fate->is_read_late)
      ret_kept[fate->position + 1] += fate->bytes;
    ret_crossing[fate->position + 1] += fate->bytes;
    ret_crossing[fate->last + 1] -= fate->bytes;
  }
  for (uint32_t i = 1; i <= pass->n_forward; i++) {
    ret_kept[i] += ret_kept[i - 1];
    ret_crossing[i] += ret_crossing[i - 1];
  }
}

/* Near where so much has been kept, the position behind `after` into which least crosses; 0: there
 * is none. */
static uint32_t
find_cut (const Pass *pass, const size_t *crossing, const size_t *kept, double target, double width,
          uint32_t after)
{
  uint32_t best = 0;
  for (uint32_t i = after + 1; i < pass->n_forward; i++)
    if ((double)kept[i] > target - width / 2 && (double)kept[i] <= target + width / 2 &&
        (best == 0 || crossing[i] < crossing[best]))
      best = i;
  return best;
}

static void
cut (Pass *pass, uint32_t n_segments)
{
  g_autofree size_t *crossing = g_new0 (size_t, pass->n_forward + 2);
  g_autofree size_t *kept = g_new0 (size_t, pass->n_forward + 2);
  const double width = (double)pass->kept / n_segments;
  measure (pass, crossing, kept);
  pass->cuts = g_new0 (uint32_t, n_segments);
  for (uint32_t i = 1; i < n_segments; i++) {
    const uint32_t after = pass->n_cuts > 0 ? pass->cuts[pass->n_cuts - 1] : 0;
    const uint32_t position = find_cut (pass, crossing, kept, i * width, width, after);
    if (position > 0)
      pass->cuts[pass->n_cuts++] = position;
  }
  for (uint32_t id = 0; id < pass->n_values; id++) {
    Fate *fate = &pass->fates[id];
    for (uint32_t i = 0; i < pass->n_cuts && fate->is_forward; i++)
      fate->crosses =
          fate->crosses || (fate->position < pass->cuts[i] && fate->last >= pass->cuts[i]);
  }
}

/* --- What to drop --- */

static bool
is_cheap (const SlNode *node)
{
  size_t in = 0, out = 0;
  if (node->n_inputs == 0 || node->inputs[0] == NULL || node->outputs[0] == NULL)
    return false;
  sl_shape_get_elements (&node->inputs[0]->shape, &in);
  sl_shape_get_elements (&node->outputs[0]->shape, &out);
  return sl_node_get_cost (node).flops <= CHEAP * (double)(in + out);
}

/* What it makes may lie in the place of what it reads, so that dropping that alone gains nothing.
 */
static bool
is_view (const SlNode *node)
{
  return (node->op->traits &
          (SL_TRAIT_CONCAT | SL_TRAIT_RESHAPE | SL_TRAIT_IDENTITY | SL_TRAIT_REORDER)) != 0 ||
         node->op->as_slice != NULL;
}

static bool
is_kept (const Fate *fate)
{
  return fate->crosses || (fate->is_read_late && !fate->is_dropped);
}

/* In the last segment: whether all that the node reads can be had, and whether none of it is kept.
 */
static void
look_at_inputs (const Pass *pass, const SlNode *node, bool *ret_reachable, bool *ret_none_kept)
{
  *ret_reachable = *ret_none_kept = true;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const Fate *fate = node->inputs[i] != NULL ? fate_of (pass, node->inputs[i]) : NULL;
    if (fate == NULL || !fate->is_forward)
      continue;
    *ret_reachable = *ret_reachable && fate->is_reachable;
    *ret_none_kept = *ret_none_kept && !is_kept (fate);
  }
}

static void
decide (Pass *pass, uint32_t position)
{
  const SlNode *node = node_at (pass, position);
  const bool is_last = pass->n_cuts == 0 || position >= pass->cuts[pass->n_cuts - 1];
  bool reachable, none_kept;
  look_at_inputs (pass, node, &reachable, &none_kept);
  const bool again = !is_last || (reachable && is_cheap (node));
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    SlValue *value = node->outputs[i];
    if (value == NULL)
      continue;
    Fate *fate = fate_of (pass, value);
    fate->is_dropped = again && fate->is_read_late && !fate->crosses &&
                       !sl_value_is_wanted (value) && fate->bytes > pass->kept / SMALL_SHARE &&
                       (!is_last || !is_view (node) || none_kept);
    fate->is_reachable = again || is_kept (fate);
  }
}

/* --- Doing it --- */

/* Backwards: copies that copies are computed from. */
static void
mark_needed (Pass *pass)
{
  for (uint32_t i = pass->n_forward; i-- > 0;) {
    const SlNode *node = node_at (pass, i);
    bool needed = false;
    for (uint32_t k = 0; k < node->n_outputs; k++) {
      Fate *fate = node->outputs[k] != NULL ? fate_of (pass, node->outputs[k]) : NULL;
      if (fate != NULL)
        fate->is_needed = fate->is_needed || fate->is_dropped;
      needed = needed || (fate != NULL && fate->is_needed);
    }
    for (uint32_t k = 0; needed && k < node->n_inputs; k++) {
      Fate *fate = node->inputs[k] != NULL ? fate_of (pass, node->inputs[k]) : NULL;
      if (fate != NULL && fate->is_forward && !is_kept (fate))
        fate->is_needed = true;
    }
  }
}

static SlValue *
copy_value (Pass *pass, const SlValue *value)
{
  g_autofree char *name = g_strconcat (value->name, "/again", NULL);
  SlValue *copy = sl_graph_add_value (pass->graph, name, SL_VALUE_ACTIVATION);
  copy->dtype = value->dtype;
  copy->shape = value->shape;
  copy->has_shape = true;
  return copy;
}

/* The node again, for those outputs that are needed, and the first one, which none can do without.
 */
static void
copy_node (Pass *pass, const SlNode *node)
{
  g_autoptr (GPtrArray) ends = g_ptr_array_new ();
  bool needed = false;
  for (uint32_t i = 0; i < node->n_outputs; i++)
    needed = needed || (node->outputs[i] != NULL && fate_of (pass, node->outputs[i])->is_needed);
  if (!needed)
    return;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    SlValue *copy = node->inputs[i] != NULL ? fate_of (pass, node->inputs[i])->copy : NULL;
    g_ptr_array_add (ends, copy != NULL ? copy : node->inputs[i]);
  }
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    Fate *fate = node->outputs[i] != NULL ? fate_of (pass, node->outputs[i]) : NULL;
    const bool is_made = fate != NULL && (fate->is_needed || i == 0);
    SlValue *copy = is_made ? copy_value (pass, node->outputs[i]) : NULL;
    if (is_made && fate->is_needed)
      fate->copy = copy;
    g_ptr_array_add (ends, copy);
  }
  sl_graph_add_node (pass->graph, node->op, node->name, node->attrs, node->n_inputs,
                     (SlValue **)ends->pdata, node->n_outputs,
                     (SlValue **)ends->pdata + node->n_inputs);
}

uint32_t
sl_grad_recompute (SlGraph *graph, uint32_t n_forward, uint32_t n_segments)
{
  const uint32_t n_nodes = graph->nodes->len, n_values = graph->values->len;
  g_autofree Fate *fates = g_new0 (Fate, n_values);
  Pass pass = {.graph = graph, .n_forward = n_forward, .n_values = n_values, .fates = fates};
  look (&pass);
  cut (&pass, n_segments);
  for (uint32_t i = 0; i < n_forward; i++)
    decide (&pass, i);
  mark_needed (&pass);
  for (uint32_t i = 0; i < n_forward; i++)
    copy_node (&pass, node_at (&pass, i));
  for (uint32_t i = n_forward; i < n_nodes; i++) {
    SlNode *node = node_at (&pass, i);
    for (uint32_t k = 0; k < node->n_inputs; k++)
      if (node->inputs[k] != NULL && fate_of (&pass, node->inputs[k])->is_dropped)
        sl_node_set_input (node, k, fate_of (&pass, node->inputs[k])->copy);
  }
  g_free (pass.cuts);
  return pass.n_cuts + 1;
}
