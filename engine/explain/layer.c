#include "explain/layer.h"

#include "graph/op.h"
#include "session-private.h"

#include <string.h>

#define FREE_SIZE 224
#define MOST_COLOURS 4

SlGraph *
sl_explain_open (SlModel *model, const SlShape *input, GError **error)
{
  const uint32_t n = sl_model_get_n_inputs (model);
  g_autofree SlShape *shapes = g_new0 (SlShape, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    shapes[i] = n == 1 && input != NULL ? *input : sl_model_get_input (model, i)->shape;
    for (uint32_t d = 0; d < shapes[i].rank && input == NULL; d++)
      if (d == 0 || shapes[i].dim[d] < 0)
        shapes[i].dim[d] = d == 0 ? 1 : FREE_SIZE;
  }
  const SlProgramOptions options = {.shapes = shapes, .n_shapes = n, .frozen = TRUE};
  return sl_session_open_graph (model, &options, error);
}

SlValue *
sl_explain_find_logits (const SlGraph *graph, GError **error)
{
  SlValue *output = g_ptr_array_index (graph->outputs, 0), *value = output;
  uint32_t n_long = 0;
  while (value->producer != NULL && value->producer->outputs[0] == value &&
         (value->producer->op->traits & (SL_TRAIT_IDENTITY | SL_TRAIT_RESHAPE)))
    value = value->producer->inputs[0];
  if (value->producer != NULL && (value->producer->op->traits & SL_TRAIT_LINK))
    value = value->producer->inputs[0];
  else
    value = output;
  for (uint32_t i = 1; i < value->shape.rank; i++)
    n_long += value->shape.dim[i] != 1;
  if (n_long <= 1 && value->shape.rank > 0 && sl_dtype_is_float (value->dtype))
    return value;
  g_autofree char *shape = sl_shape_to_string (&value->shape);
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
               "the scores '%s' are %s %s (expected one float for each class)", value->name,
               sl_dtype_get_name (value->dtype), shape);
  return NULL;
}

/* --- Ways through the graph --- */

/* Which values, by id, are computed from the inputs without `past` (NULL: at all). */
static bool *
find_computed (const SlGraph *graph, const SlValue *past)
{
  bool *is_computed = g_new0 (bool, graph->values->len);
  for (uint32_t i = 0; i < graph->inputs->len; i++) {
    const SlValue *input = graph->inputs->pdata[i];
    is_computed[input->id] = input != past;
  }
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = graph->nodes->pdata[i];
    bool reads = false;
    for (uint32_t k = 0; k < node->n_inputs; k++)
      reads = reads || (node->inputs[k] != NULL && is_computed[node->inputs[k]->id]);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      if (node->outputs[k] != NULL && node->outputs[k] != past)
        is_computed[node->outputs[k]->id] = reads;
  }
  return is_computed;
}

bool
sl_explain_is_cut (const SlGraph *graph, const SlValue *value, const SlValue *to)
{
  g_autofree bool *is_computed = find_computed (graph, value);
  return !is_computed[to->id];
}

/* Which values, by id, `to` is computed from, itself included. */
static bool *
find_ancestors (const SlGraph *graph, const SlValue *to)
{
  bool *is_read = g_new0 (bool, graph->values->len);
  is_read[to->id] = true;
  for (uint32_t i = graph->nodes->len; i-- > 0;) {
    const SlNode *node = graph->nodes->pdata[i];
    bool counts = false;
    for (uint32_t k = 0; k < node->n_outputs; k++)
      counts = counts || (node->outputs[k] != NULL && is_read[node->outputs[k]->id]);
    for (uint32_t k = 0; counts && k < node->n_inputs; k++)
      if (node->inputs[k] != NULL)
        is_read[node->inputs[k]->id] = true;
  }
  return is_read;
}

/* --- The layer --- */

static bool
has_maps (const SlValue *value)
{
  return value->shape.rank == 4 && value->producer != NULL && sl_dtype_is_float (value->dtype) &&
         value->shape.dim[2] * value->shape.dim[3] > 1;
}

/* Fewer positions of the same channels, without weights. */
static bool
is_pooled (const SlValue *value)
{
  const SlNode *node = value->producer;
  const SlValue *from = sl_node_input (node, 0);
  for (uint32_t i = 1; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL)
      return false;
  return from != NULL && from->shape.rank == 4 && from->shape.dim[1] == value->shape.dim[1] &&
         from->shape.dim[2] * from->shape.dim[3] > value->shape.dim[2] * value->shape.dim[3];
}

static SlValue *
find_last (const SlGraph *graph, const bool *is_read, const SlValue *logits, GError **error)
{
  for (uint32_t i = graph->nodes->len; i-- > 0;) {
    const SlNode *node = graph->nodes->pdata[i];
    SlValue *value = node->n_outputs > 0 ? node->outputs[0] : NULL;
    if (value != NULL && is_read[value->id] && has_maps (value) && !is_pooled (value) &&
        !(node->op->traits & SL_TRAIT_REORDER) && sl_explain_is_cut (graph, value, logits))
      return value;
  }
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
               "the network has no layer with feature maps of floats and more than one position "
               "(occlusion and rise want none)");
  return NULL;
}

static SlValue *
find_named (const SlGraph *graph, const char *name)
{
  SlValue *value = sl_graph_find_value (graph, name);
  for (uint32_t i = 0; value == NULL && i < graph->nodes->len; i++) {
    const SlNode *node = graph->nodes->pdata[i];
    if (node->n_outputs > 0 && strcmp (node->name, name) == 0)
      value = node->outputs[0];
  }
  return value;
}

SlValue *
sl_explain_find_layer (const SlGraph *graph, const SlValue *logits, const char *name,
                       GError **error)
{
  g_autofree bool *is_read = find_ancestors (graph, logits);
  SlValue *last = find_last (graph, is_read, logits, name == NULL ? error : NULL);
  if (name == NULL)
    return last;
  SlValue *value = find_named (graph, name);
  if (value != NULL && is_read[value->id] && has_maps (value))
    return value;
  g_autofree char *hint =
      last != NULL ? g_strdup_printf (", for example '%s'", last->name) : g_strdup ("");
  g_autofree char *shape = value != NULL ? sl_shape_to_string (&value->shape) : NULL;
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
               "layer '%s' %s%s (expected one with feature maps (1, C, H, W)%s)", name,
               value == NULL         ? "is not in the network"
               : !is_read[value->id] ? "is nothing that the scores are made of"
                                     : "gives ",
               value != NULL && is_read[value->id] ? shape : "", hint);
  return NULL;
}

uint32_t
sl_explain_find_channels (const SlShape *shape)
{
  return shape->dim[1] > MOST_COLOURS && shape->dim[3] <= MOST_COLOURS ? 3 : 1;
}
