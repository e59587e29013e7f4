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
  if (!keeps_order || y->base != NULL || !is_dense (x) || x->kind == SL_VALUE_CONSTANT ||
      sl_value_is_wanted (y))
    return;
  set_base (y, x, 0);
}

/* TRUE if all that reads the value can read a slice of something wider. */
static bool
is_read_as_slice (const SlValue *value)
{
  for (uint32_t i = 0; i < value->uses->len; i++) {
    const SlNode *reader = g_ptr_array_index (value->uses, i);
    if (!(reader->op->traits & SL_TRAIT_SLICE_IN))
      return false;
  }
  return true;
}

static uint32_t
count_uses (const SlValue *value, const SlNode *reader)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < value->uses->len; i++)
    n += value->uses->pdata[i] == reader;
  return n;
}

/* A concatenation along the channels of channels-last values becomes a view under these conditions:
 * each input is output 0 of a node whose kernel can write a slice, appears in it once, is no output
 * of the run and has no other place already, and everything else that reads it can read a slice.
 * An input that is itself such a concatenation passes the wider stride on to its own inputs. */
static bool
can_lie_in_concat (const SlNode *concat, const SlValue *input)
{
  return input->kind == SL_VALUE_ACTIVATION && input->producer != NULL &&
         !sl_value_is_wanted (input) && count_uses (input, concat) == 1 &&
         is_read_as_slice (input) && input->base == NULL &&
         input->layout == SL_LAYOUT_CHANNELS_LAST &&
         (input->producer->op->traits & SL_TRAIT_SLICE_OUT) &&
         input == input->producer->outputs[0] &&
         sl_value_get_storage (input) == sl_value_get_storage (concat->outputs[0]);
}

/* Where every feature goes into every later concatenation (DenseNet), the last one has taken them
 * all, side by side, and an earlier one is the first part of it. */
static void
view_part_of_concat (SlNode *node)
{
  SlValue *y = node->outputs[0];
  const SlValue *first = node->inputs[0], *root = NULL;
  size_t offset = 0, at, channels = 0;
  if (y->base != NULL || sl_value_is_wanted (y) || first->base == NULL || !is_read_as_slice (y))
    return;
  root = sl_value_get_root (first, &offset);
  if (root == y)
    return;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *x = node->inputs[i];
    if (sl_value_get_root (x, &at) != root || x->pixel_stride != first->pixel_stride ||
        at != offset + channels * sl_value_get_element_size (y))
      return;
    channels += (size_t)x->shape.dim[1];
  }
  set_base (y, node->inputs[0], 0);
  y->pixel_stride = first->pixel_stride;
}

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
  size_t channel = 0, size = sl_value_get_element_size (y);
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    SlValue *x = node->inputs[i];
    if (can_lie_in_concat (node, x)) {
      set_base (x, y, channel * size);
      x->pixel_stride = y->pixel_stride > 0 ? y->pixel_stride : (size_t)y->shape.dim[1];
    }
    channel += (size_t)x->shape.dim[1];
  }
  view_part_of_concat (node);
}

/* Slice, Split: a part of the input that is one block of its memory, or some of the channels of a
 * channels-last value, all of whose readers can read a slice. */
static void
view_slice (SlNode *node, uint32_t index)
{
  uint32_t axis = 0;
  int64_t start = 0, before = 1;
  SlValue *x = node->inputs[0], *y = node->outputs[index];
  ptrdiff_t strides[SL_MAX_RANK];
  if (y == NULL || y->base != NULL || sl_value_is_wanted (y) || y->uses->len == 0 ||
      !sl_value_in_arena (x) || x->layout != y->layout ||
      !node->op->as_slice (node, index, &axis, &start))
    return;
  bool last = x->layout == SL_LAYOUT_CHANNELS_LAST;
  for (uint32_t i = 0; i < axis; i++)
    before *= x->shape.dim[i];
  bool is_block = is_dense (x) && (last ? axis == 0 : before == 1);
  bool is_channels = last && axis == 1 && is_read_as_slice (y);
  if (!is_block && !is_channels)
    return;
  sl_value_get_strides (x, strides);
  set_base (y, x, (size_t)start * (size_t)strides[axis] * sl_value_get_element_size (x));
  if (!is_block)
    y->pixel_stride = x->pixel_stride > 0 ? x->pixel_stride : (size_t)x->shape.dim[1];
}

static bool
agree (const SlValue *x, const SlValue *y)
{
  return sl_value_get_storage (x) == sl_value_get_storage (y) && x->layout == y->layout &&
         sl_shape_equal (&x->shape, &y->shape) && x->pixel_stride == y->pixel_stride;
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
    if (lifetimes[root->id].last != position || root->kind != SL_VALUE_ACTIVATION)
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
    for (uint32_t k = 0; node->op->as_slice != NULL && k < node->n_outputs; k++)
      view_slice (node, k);
  }
}

void
sl_plan_in_place (SlGraph *graph)
{
  GPtrArray *nodes = graph->nodes;
  g_autofree SlLifetime *lifetimes = sl_plan_lifetimes (graph);
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if ((node->op->traits & SL_TRAIT_IN_PLACE) && !sl_value_is_wanted (node->outputs[0]))
      compute_in_place (node, i, lifetimes);
  }
}
