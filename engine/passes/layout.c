/* Physical layout: channels-last around spatial operators, row-major elsewhere. */
#include "passes/passes.h"

#include "ops/internal.h"

typedef struct Layouts {
  SlGraph *graph;
  GHashTable *twins; /* SlValue → the same in the other layout */
} Layouts;

/* `value` in `layout`: itself, what it was relaid from, or a relayout shared by all who want it. */
static SlValue *
in_layout (Layouts *pass, SlValue *value, SlLayout layout)
{
  if (value->layout == layout)
    return value;
  SlValue *twin = g_hash_table_lookup (pass->twins, value);
  if (twin == NULL) {
    twin = sl_relayout (pass->graph, value, layout);
    g_hash_table_insert (pass->twins, value, twin);
    g_hash_table_insert (pass->twins, twin, value);
  }
  return twin;
}

static void
want (Layouts *pass, SlNode *node, uint32_t index, SlLayout layout)
{
  SlValue *input = sl_node_input (node, index);
  if (input != NULL && input->layout != layout)
    sl_node_set_input (node, index, in_layout (pass, input, layout));
}

static SlLayouts
rule_of (const SlNode *node)
{
  const SlOpClass *op = node->op;
  if (op->row_major_only != NULL && op->row_major_only (node))
    return SL_LAYOUTS_ROW_MAJOR;
  return op->layouts;
}

/* TRUE if `input` has to lie in memory as the output does; what broadcasts is read as it is. */
static bool
follows (const SlNode *node, const SlValue *input)
{
  const SlShape *out = &node->outputs[0]->shape;
  SlShape joint;
  if (input->shape.rank != out->rank)
    return false;
  return (node->op->traits & SL_TRAIT_CONCAT) || sl_shape_equal (&input->shape, out) ||
         !sl_shape_broadcast (&input->shape, out, &joint) || !sl_shape_equal (&joint, out);
}

static void
follow (Layouts *pass, SlNode *node)
{
  SlLayout layout = SL_LAYOUT_ROW_MAJOR;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *input = node->inputs[i];
    if (input != NULL && input->layout == SL_LAYOUT_CHANNELS_LAST &&
        input->shape.rank == node->outputs[0]->shape.rank)
      layout = SL_LAYOUT_CHANNELS_LAST;
  }
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *input = node->inputs[i];
    if (input == NULL)
      continue;
    if (follows (node, input))
      want (pass, node, i, layout);
    else if (input->shape.rank != node->outputs[0]->shape.rank)
      want (pass, node, i, SL_LAYOUT_ROW_MAJOR);
  }
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL && node->outputs[i]->shape.rank == node->outputs[0]->shape.rank)
      node->outputs[i]->layout = layout;
}

static void
spatial (Layouts *pass, SlNode *node)
{
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    bool is_picture = i == 0 || (i == 3 && (node->op->traits & SL_TRAIT_RESIDUAL)) ||
                      (node->op->picture_inputs >> i & 1);
    want (pass, node, i, is_picture ? SL_LAYOUT_CHANNELS_LAST : SL_LAYOUT_ROW_MAJOR);
  }
  if (!node->op->row_major_output && node->outputs[0] != NULL)
    node->outputs[0]->layout = SL_LAYOUT_CHANNELS_LAST;
}

/* A reordering between channels on axis 1 and channels on the last axis moves nothing where the
 * former are stored channels-last and the latter row-major. FALSE: it is another one. */
static bool
reorder (Layouts *pass, SlNode *node)
{
  uint32_t perm[SL_MAX_RANK], rank = node->outputs[0]->shape.rank;
  bool to_last = true, to_first = true;
  if (node->op->get_order == NULL || rank < 3 || rank > 4)
    return false;
  node->op->get_order (node, perm);
  for (uint32_t i = 1; i < rank; i++) {
    to_last = to_last && perm[i] == (i + 1 < rank ? i + 1 : 1);
    to_first = to_first && perm[i] == (i == 1 ? rank - 1 : i - 1);
  }
  /* Of two dimensions behind the first the one is as good as the other. */
  if (to_last && to_first)
    to_last = node->inputs[0]->layout == SL_LAYOUT_CHANNELS_LAST;
  if (perm[0] != 0 || (!to_last && !to_first))
    return false;
  want (pass, node, 0, to_last ? SL_LAYOUT_CHANNELS_LAST : SL_LAYOUT_ROW_MAJOR);
  node->outputs[0]->layout = to_last ? SL_LAYOUT_ROW_MAJOR : SL_LAYOUT_CHANNELS_LAST;
  return true;
}

/* An input that only spatial operators read is given to us channels-last from the start. */
static void
choose_input (SlValue *input)
{
  if (input->uses->len == 0 || input->shape.rank < 3 || input->shape.rank > 4)
    return;
  for (uint32_t i = 0; i < input->uses->len; i++) {
    const SlNode *reader = g_ptr_array_index (input->uses, i);
    if (rule_of (reader) != SL_LAYOUTS_SPATIAL || reader->inputs[0] != input)
      return;
  }
  input->layout = SL_LAYOUT_CHANNELS_LAST;
}

gboolean
sl_pass_layout (SlPasses *passes, GError **error)
{
  g_autoptr (GHashTable) twins = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  Layouts pass = {passes->graph, twins};

  for (uint32_t i = 0; i < passes->graph->inputs->len; i++)
    choose_input (g_ptr_array_index (passes->graph->inputs, i));
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (reorder (&pass, node))
      continue;
    switch (rule_of (node)) {
    case SL_LAYOUTS_ROW_MAJOR:
      for (uint32_t k = 0; k < node->n_inputs; k++)
        want (&pass, node, k, SL_LAYOUT_ROW_MAJOR);
      break;
    case SL_LAYOUTS_SPATIAL:
      spatial (&pass, node);
      break;
    case SL_LAYOUTS_FOLLOW:
      follow (&pass, node);
      break;
    }
  }
  return TRUE;
}
