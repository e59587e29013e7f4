/* Values that need no place of their own. */
#include "plan/plan.h"

/* TRUE if every element of the output lies where it lay in the input, both dense: relayouts of one
 * channel or one position, transposes between NCHW stored channels-last and NHWC. */
static bool
keeps_places (const SlNode *node)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  ptrdiff_t from[SL_MAX_RANK] = {0}, to[SL_MAX_RANK] = {0};
  uint32_t perm[SL_MAX_RANK];
  for (uint32_t i = 0; i < SL_MAX_RANK; i++)
    perm[i] = i;
  if (node->op->get_order != NULL)
    node->op->get_order (node, perm);
  sl_value_get_strides (x, from);
  sl_value_get_strides (y, to);
  for (uint32_t i = 0; i < y->shape.rank; i++)
    if (y->shape.dim[i] > 1 && from[perm[i]] != to[i])
      return false;
  return true;
}

static bool
is_dense (const SlValue *value)
{
  return value->pixel_stride == 0;
}

/* `value` lies in the place of `base`, `offset` bytes behind it. Points at the root as it is now,
 * so that a chain of any length is a few steps long. */
static void
set_base (SlValue *value, SlValue *base, size_t offset)
{
  size_t root_offset;
  value->base = (SlValue *)sl_value_get_root (base, &root_offset);
  value->base_offset = root_offset + offset;
}

/* Reshape, relayout, transpose: the output is the input under another name. */
static void
view_of_input (SlNode *node)
{
  SlValue *x = node->inputs[0], *y = node->outputs[0];
  bool keeps_order =
      (node->op->traits & SL_TRAIT_RESHAPE) ? x->layout == y->layout : keeps_places (node);
  /* An output of the run has a place that the caller reads after it, an input one that he writes:
   * not shared. */
  if (!keeps_order || y->base != NULL || !is_dense (x) || !sl_value_in_arena (x) || y->is_output)
    return;
  set_base (y, x, 0);
}

/* A concatenation along the channels of channels-last values becomes a view under these conditions:
 * each input is output 0 of a node whose kernel can write a slice, for this concatenation alone
 * (sole use, not an output of the run), appears in it once, and has no other place already. An
 * input that is itself such a concatenation passes the wider stride on to its own inputs. */
static bool
can_lie_in_concat (const SlNode *concat, const SlValue *input)
{
  return input->kind == SL_VALUE_ACTIVATION && input->producer != NULL && !input->is_output &&
         input->uses->len == 1 && input->base == NULL && input->layout == SL_LAYOUT_CHANNELS_LAST &&
         (input->producer->op->traits & SL_TRAIT_SLICE_OUT) &&
         input == input->producer->outputs[0] && input->dtype == concat->outputs[0]->dtype;
}

/* What reads the joint value has to read what its place looks like: a concatenation that lies in a
 * wider one is read by that one alone. */
static void
view_concat (SlNode *node)
{
  SlValue *y = node->outputs[0];
  if (y->layout != SL_LAYOUT_CHANNELS_LAST)
    return;
  for (uint32_t i = 0; i < node->n_inputs;
       i++) /* along the channels: every other dimension agrees */
    for (uint32_t d = 0; d < y->shape.rank; d++)
      if (d != 1 && node->inputs[i]->shape.dim[d] != y->shape.dim[d])
        return;
  size_t channel = 0, size = sl_dtype_get_size (y->dtype);
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    SlValue *x = node->inputs[i];
    if (can_lie_in_concat (node, x)) {
      set_base (x, y, channel * size);
      x->pixel_stride = y->pixel_stride > 0 ? y->pixel_stride : (size_t)y->shape.dim[1];
    }
    channel += (size_t)x->shape.dim[1];
  }
}

static bool
agree (const SlValue *x, const SlValue *y)
{
  return x->dtype == y->dtype && x->layout == y->layout && sl_shape_equal (&x->shape, &y->shape) &&
         x->pixel_stride == y->pixel_stride;
}

/* TRUE if an input besides number `index` lies in the same place. */
static bool
is_read_twice (const SlNode *node, uint32_t index)
{
  size_t offset;
  const SlValue *root = sl_value_get_root (node->inputs[index], &offset);
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (i != index && node->inputs[i] != NULL &&
        sl_value_get_root (node->inputs[i], &offset) == root)
      return true;
  return false;
}

/* The output may overwrite an input that nobody reads any more: neither a later node nor a later
 * step of this one. */
static void
compute_in_place (SlNode *node, uint32_t position, SlLifetime *lifetimes)
{
  SlValue *y = node->outputs[0];
  for (uint32_t i = 0; i < MIN (node->n_inputs, 2) && y->base == NULL; i++) {
    SlValue *x = node->inputs[i];
    if (x == NULL || !sl_value_in_arena (x) || !agree (x, y) || is_read_twice (node, i))
      continue;
    size_t offset;
    const SlValue *root = sl_value_get_root (x, &offset);
    if (lifetimes[root->id].last != position || root->kind == SL_VALUE_INPUT)
      continue;
    set_base (y, x, 0);
    lifetimes[root->id].last = MAX (lifetimes[root->id].last, lifetimes[y->id].last);
    lifetimes[y->id].used = false;
  }
}

void
sl_plan_views (SlGraph *graph)
{
  GPtrArray *nodes = graph->nodes;
  /* Backwards: an outer concatenation gives its stride to the ones inside it. */
  for (uint32_t i = nodes->len; i-- > 0;) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (node->op->traits & SL_TRAIT_CONCAT)
      view_concat (node);
  }
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (node->op->traits & (SL_TRAIT_RESHAPE | SL_TRAIT_RELAYOUT | SL_TRAIT_REORDER))
      view_of_input (node);
  }
  g_autofree SlLifetime *lifetimes = sl_plan_lifetimes (graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if ((node->op->traits & SL_TRAIT_IN_PLACE) && !node->outputs[0]->is_output)
      compute_in_place (node, i, lifetimes);
  }
}
