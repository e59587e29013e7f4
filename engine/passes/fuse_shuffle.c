#include "passes/passes.h"

#include "ops/internal.h"

/* Groups of channels taken in turn, as exporters write it: channels split into (groups, channels of
 * a group), these two exchanged, and joined again. As one node it works in any layout. */

/* TRUE if `wide` is `narrow` with dimension 1 split in two. */
static bool
splits_channels (const SlShape *narrow, const SlShape *wide)
{
  if (narrow->rank < 2 || wide->rank != narrow->rank + 1 || narrow->dim[0] != wide->dim[0])
    return false;
  for (uint32_t i = 2; i < narrow->rank; i++)
    if (narrow->dim[i] != wide->dim[i + 1])
      return false;
  return wide->dim[1] > 0 && wide->dim[1] * wide->dim[2] == narrow->dim[1];
}

static bool
exchanges_halves (const SlNode *node)
{
  uint32_t perm[SL_MAX_RANK], rank = node->outputs[0]->shape.rank;
  node->op->get_order (node, perm);
  for (uint32_t i = 0; i < rank; i++)
    if (perm[i] != (i == 1 ? 2 : i == 2 ? 1 : i))
      return false;
  return rank > 2;
}

/* The Reshape whose output alone `value` is. */
static const SlNode *
private_reshape (const SlValue *value)
{
  const SlNode *node = value->producer;
  return node != NULL && (node->op->traits & SL_TRAIT_RESHAPE) && sl_value_is_private (value)
             ? node
             : NULL;
}

/* The channels' value before the shuffle that `join` ends, or NULL; *ret_groups: how many. */
static SlValue *
find_shuffle (const SlNode *join, int64_t *ret_groups)
{
  if (!(join->op->traits & SL_TRAIT_RESHAPE))
    return NULL;
  const SlValue *exchanged = join->inputs[0], *y = join->outputs[0];
  const SlNode *exchange = exchanged->producer;
  if (exchange == NULL || exchange->op->get_order == NULL || !sl_value_is_private (exchanged) ||
      !exchanges_halves (exchange))
    return NULL;
  const SlNode *split = private_reshape (exchange->inputs[0]);
  if (split == NULL || !sl_shape_equal (&split->inputs[0]->shape, &y->shape) ||
      !splits_channels (&y->shape, &split->outputs[0]->shape))
    return NULL;
  *ret_groups = split->outputs[0]->shape.dim[1];
  return split->inputs[0];
}

gboolean
sl_pass_fuse_shuffle (SlPasses *passes, GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *join = g_ptr_array_index (nodes, i);
    int64_t groups;
    SlValue *x = find_shuffle (join, &groups);
    if (x == NULL)
      continue;
    SlValue *y = sl_channel_shuffle (passes->graph, join->name, x, groups);
    y->producer->id = join->id;
    sl_graph_replace_value (passes->graph, join->outputs[0], y);
  }
  return TRUE;
}
