#include "graph/graph.h"

#include "graph/op.h"

#include <string.h>

static void
value_free (void *data)
{
  SlValue *value = data;
  g_clear_pointer (&value->data, sl_tensor_unref);
  g_ptr_array_unref (value->uses);
  g_free (value->name);
  g_free (value);
}

static void
node_free (void *data)
{
  SlNode *node = data;
  if (node == NULL)
    return;
  g_free (node->name);
  g_free (node->attrs);
  g_free (node->inputs);
  g_free (node->outputs);
  g_free (node);
}

SlGraph *
sl_graph_new (void)
{
  SlGraph *graph = g_new0 (SlGraph, 1);
  graph->values = g_ptr_array_new_with_free_func (value_free);
  graph->nodes = g_ptr_array_new_with_free_func (node_free);
  graph->inputs = g_ptr_array_new ();
  graph->outputs = g_ptr_array_new ();
  graph->updates = g_array_new (FALSE, FALSE, sizeof (SlUpdate));
  graph->names = g_hash_table_new (g_str_hash, g_str_equal);
  return graph;
}

void
sl_graph_free (SlGraph *graph)
{
  if (graph == NULL)
    return;
  g_hash_table_unref (graph->names);
  g_ptr_array_unref (graph->inputs);
  g_ptr_array_unref (graph->outputs);
  g_array_unref (graph->updates);
  g_ptr_array_unref (graph->nodes);
  g_ptr_array_unref (graph->values);
  g_free (graph);
}

/* Without a number at the end: what is derived from the derived has no longer name. */
static int
stem_length (const char *name)
{
  size_t length = strlen (name), digits = 0;
  while (digits < length && g_ascii_isdigit (name[length - digits - 1]))
    digits++;
  bool is_numbered = digits > 0 && digits < length && name[length - digits - 1] == '.';
  return (int)(is_numbered ? length - digits - 1 : length);
}

/* A name that no value has: the wish itself, or the wish with a number: the value's, or one that no
 * call before this has tried. */
static char *
unique_name (SlGraph *graph, const char *wish)
{
  if (wish != NULL && !g_hash_table_contains (graph->names, wish))
    return g_strdup (wish);
  if (wish == NULL)
    wish = "";
  int stem = stem_length (wish);
  graph->next_name = MAX (graph->next_name, graph->values->len);
  for (;;) {
    char *name = g_strdup_printf ("%.*s.%u", stem, wish, graph->next_name++);
    if (!g_hash_table_contains (graph->names, name))
      return name;
    g_free (name);
  }
}

SlValue *
sl_graph_add_value (SlGraph *graph, const char *name, SlValueKind kind)
{
  SlValue *value = g_new0 (SlValue, 1);
  value->id = graph->values->len;
  value->name = unique_name (graph, name);
  value->kind = kind;
  value->uses = g_ptr_array_new ();
  g_ptr_array_add (graph->values, value);
  g_hash_table_insert (graph->names, value->name, value);
  return value;
}

SlValue *
sl_graph_add_tensor (SlGraph *graph, const char *name, SlValueKind kind, SlTensor *data)
{
  SlValue *value = sl_graph_add_value (graph, name, kind);
  value->data = sl_tensor_ref (data);
  value->dtype = sl_tensor_get_dtype (data);
  value->shape = *sl_tensor_get_shape (data);
  value->has_shape = true;
  return value;
}

SlValue *
sl_graph_add_ints (SlGraph *graph, const char *name, const int64_t *ints, size_t n)
{
  g_autoptr (SlTensor) tensor = sl_tensor_new_copy (SL_INT64, &SL_SHAPE ((int64_t)n), ints, NULL);
  return sl_graph_add_tensor (graph, name, SL_VALUE_CONSTANT, tensor);
}

SlValue *
sl_graph_find_value (const SlGraph *graph, const char *name)
{
  return g_hash_table_lookup (graph->names, name);
}

void
sl_graph_rename_value (SlGraph *graph, SlValue *value, const char *name)
{
  g_hash_table_remove (graph->names, value->name);
  g_free (value->name);
  value->name = unique_name (graph, name);
  g_hash_table_insert (graph->names, value->name, value);
}

SlNode *
sl_graph_add_node (SlGraph *graph, const SlOpClass *op, const char *name, const void *attrs,
                   uint32_t n_inputs, SlValue *const *inputs, uint32_t n_outputs,
                   SlValue *const *outputs)
{
  SlNode *node = g_new0 (SlNode, 1);
  node->id = graph->next_node++;
  node->name = g_strdup (name != NULL ? name : "");
  node->op = op;
  if (op->attrs_size > 0) {
    node->attrs = g_malloc0 (op->attrs_size);
    if (attrs != NULL)
      memcpy (node->attrs, attrs, op->attrs_size);
    else
      sl_attrs_init (op->attrs, node->attrs);
  }
  node->n_inputs = n_inputs;
  node->inputs = g_new0 (SlValue *, n_inputs);
  for (uint32_t i = 0; i < n_inputs; i++)
    sl_node_set_input (node, i, inputs[i]);
  node->n_outputs = n_outputs;
  node->outputs = g_new0 (SlValue *, n_outputs);
  for (uint32_t i = 0; i < n_outputs; i++) {
    if (outputs[i] == NULL)
      continue;
    g_assert (outputs[i]->producer == NULL && outputs[i]->kind == SL_VALUE_ACTIVATION);
    outputs[i]->producer = node;
    node->outputs[i] = outputs[i];
  }
  g_ptr_array_add (graph->nodes, node);
  return node;
}

GPtrArray *
sl_graph_list_nodes (const SlGraph *graph)
{
  GPtrArray *nodes = g_ptr_array_sized_new (graph->nodes->len);
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    g_ptr_array_add (nodes, graph->nodes->pdata[i]);
  return nodes;
}

static gboolean
infer_nothing (SlNode *node, GError **error)
{
  return TRUE;
}

/* What is left of a node until the list is swept. */
static const SlOpClass removed_op = {.name = "", .domain = SL_DOMAIN, .infer = infer_nothing};

void
sl_graph_remove_node (SlGraph *graph, SlNode *node)
{
  for (uint32_t i = 0; i < node->n_inputs; i++)
    sl_node_set_input (node, i, NULL);
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL)
      node->outputs[i]->producer = NULL;
  node->n_inputs = node->n_outputs = 0;
  node->act = (SlAct){0};
  node->op = &removed_op;
}

void
sl_graph_sweep (SlGraph *graph)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    SlNode *node = g_ptr_array_index (graph->nodes, i);
    if (node->op == &removed_op)
      node_free (node);
    else
      graph->nodes->pdata[n++] = node;
  }
  for (uint32_t i = n; i < graph->nodes->len; i++)
    graph->nodes->pdata[i] = NULL; /* moved or freed */
  g_ptr_array_set_size (graph->nodes, (gint)n);
}

/* Takes one entry out. Looked for from both ends: those who remove many go from one to the other.
 */
static void
remove_use (GPtrArray *uses, const SlNode *node)
{
  for (guint front = 0, back = uses->len; front < back;) {
    if (uses->pdata[--back] == node) {
      g_ptr_array_remove_index_fast (uses, back);
      return;
    }
    if (uses->pdata[front++] == node) {
      g_ptr_array_remove_index_fast (uses, front - 1);
      return;
    }
  }
}

void
sl_node_set_input (SlNode *node, uint32_t index, SlValue *value)
{
  g_assert (index < node->n_inputs);
  SlValue *old = node->inputs[index];
  if (old != NULL)
    remove_use (old->uses, node);
  node->inputs[index] = value;
  if (value != NULL)
    g_ptr_array_add (value->uses, node);
}

void
sl_node_add_input (SlNode *node, SlValue *value)
{
  node->inputs = g_renew (SlValue *, node->inputs, node->n_inputs + 1);
  node->inputs[node->n_inputs++] = NULL;
  sl_node_set_input (node, node->n_inputs - 1, value);
}

void
sl_node_set_output (SlNode *node, uint32_t index, SlValue *value)
{
  g_return_if_fail (index < node->n_outputs && node->outputs[index] == NULL);
  g_return_if_fail (value->producer == NULL && value->kind == SL_VALUE_ACTIVATION);
  node->outputs[index] = value;
  value->producer = node;
}

void
sl_node_add_output (SlNode *node, SlValue *value)
{
  node->outputs = g_renew (SlValue *, node->outputs, node->n_outputs + 1);
  node->outputs[node->n_outputs++] = NULL;
  if (value != NULL)
    sl_node_set_output (node, node->n_outputs - 1, value);
}

SlValue *
sl_node_add_workspace (SlGraph *graph, SlNode *node, size_t elements)
{
  SlValue *value = sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION);
  value->dtype = SL_FLOAT32;
  value->shape = SL_SHAPE ((int64_t)elements);
  value->has_shape = true;
  value->is_workspace = true;
  sl_node_add_output (node, value);
  return value;
}

SlValue *
sl_node_get_workspace (const SlNode *node)
{
  SlValue *last = node->n_outputs > 0 ? node->outputs[node->n_outputs - 1] : NULL;
  return last != NULL && last->is_workspace ? last : NULL;
}

static void
swap_names (SlGraph *graph, SlValue *a, SlValue *b)
{
  char *name = a->name;
  a->name = b->name;
  b->name = name;
  g_hash_table_replace (graph->names, a->name, a);
  g_hash_table_replace (graph->names, b->name, b);
}

void
sl_graph_replace_value (SlGraph *graph, SlValue *old, SlValue *replacement)
{
  g_assert (old != replacement);
  while (old->uses->len > 0) {
    SlNode *node = g_ptr_array_index (old->uses, 0);
    for (uint32_t i = 0; i < node->n_inputs; i++)
      if (node->inputs[i] == old)
        sl_node_set_input (node, i, replacement);
  }
  for (uint32_t i = 0; old->is_next && i < graph->updates->len; i++) {
    SlUpdate *update = &g_array_index (graph->updates, SlUpdate, i);
    if (update->next == old)
      update->next = replacement;
  }
  replacement->is_next = replacement->is_next || old->is_next;
  old->is_next = false;
  if (!old->is_output)
    return;
  for (uint32_t i = 0; i < graph->outputs->len; i++)
    if (g_ptr_array_index (graph->outputs, i) == old)
      graph->outputs->pdata[i] = replacement;
  old->is_output = false;
  replacement->is_output = true;
  swap_names (graph, old, replacement);
}

static bool
is_needed (const SlNode *node)
{
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL &&
        (node->outputs[i]->uses->len > 0 || sl_value_is_wanted (node->outputs[i])))
      return true;
  return false;
}

SlValue *
sl_graph_begin_with (SlGraph *graph, SlValue *value, const char *name)
{
  SlValue *input = sl_graph_add_value (graph, name, SL_VALUE_INPUT);
  input->dtype = value->dtype;
  input->shape = value->shape;
  input->has_shape = true;
  sl_graph_replace_value (graph, value, input);
  g_ptr_array_set_size (graph->inputs, 0);
  sl_graph_mark_input (graph, input);
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (graph);
  for (uint32_t i = nodes->len; i-- > 0;)
    if (!is_needed (nodes->pdata[i]))
      sl_graph_remove_node (graph, nodes->pdata[i]);
  sl_graph_sweep (graph);
  return input;
}

void
sl_graph_mark_input (SlGraph *graph, SlValue *value)
{
  g_assert (value->kind == SL_VALUE_INPUT);
  g_ptr_array_add (graph->inputs, value);
}

void
sl_graph_mark_output (SlGraph *graph, SlValue *value)
{
  value->is_output = true;
  g_ptr_array_add (graph->outputs, value);
}

void
sl_graph_add_update (SlGraph *graph, SlValue *value, SlValue *next)
{
  const SlUpdate update = {value, next};
  g_assert (sl_value_is_variable (value) && !sl_value_is_variable (next));
  for (uint32_t i = 0; i < graph->updates->len; i++)
    g_assert (g_array_index (graph->updates, SlUpdate, i).value != value);
  next->is_next = true;
  g_array_append_val (graph->updates, update);
}

static SlValue *
clone_value (SlGraph *copy, const SlValue *value)
{
  SlValue *twin = sl_graph_add_value (copy, value->name, value->kind);
  twin->dtype = value->dtype;
  twin->shape = value->shape;
  twin->has_shape = value->has_shape;
  twin->is_output = value->is_output;
  twin->is_workspace = value->is_workspace;
  twin->layout = value->layout;
  twin->pixel_stride = value->pixel_stride;
  twin->initializer = value->initializer;
  twin->fan_in = value->fan_in;
  twin->fan_out = value->fan_out;
  if (value->data != NULL)
    twin->data = sl_tensor_ref (value->data);
  return twin;
}

SlGraph *
sl_graph_clone (const SlGraph *graph)
{
  SlGraph *copy = sl_graph_new ();
  for (uint32_t i = 0; i < graph->values->len; i++)
    clone_value (copy, g_ptr_array_index (graph->values, i));

  g_autoptr (GPtrArray) ends = g_ptr_array_new ();
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    g_ptr_array_set_size (ends, 0);
    for (uint32_t k = 0; k < node->n_inputs + node->n_outputs; k++) {
      const SlValue *end = k < node->n_inputs ? node->inputs[k] : node->outputs[k - node->n_inputs];
      g_ptr_array_add (ends, end != NULL ? copy->values->pdata[end->id] : NULL);
    }
    SlNode *twin = sl_graph_add_node (copy, node->op, node->name, node->attrs, node->n_inputs,
                                      (SlValue **)ends->pdata, node->n_outputs,
                                      (SlValue **)ends->pdata + node->n_inputs);
    twin->act = node->act;
  }
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    sl_graph_mark_input (copy, copy->values->pdata[((SlValue *)graph->inputs->pdata[i])->id]);
  for (uint32_t i = 0; i < graph->outputs->len; i++)
    sl_graph_mark_output (copy, copy->values->pdata[((SlValue *)graph->outputs->pdata[i])->id]);
  for (uint32_t i = 0; i < graph->updates->len; i++) {
    const SlUpdate *update = &g_array_index (graph->updates, SlUpdate, i);
    sl_graph_add_update (copy, copy->values->pdata[update->value->id],
                         copy->values->pdata[update->next->id]);
  }
  return copy;
}

void
sl_node_error (const SlNode *node, GError **error, SlErrorCode code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  const char *name = node->name;
  if (name[0] == '\0' && node->n_outputs > 0 && node->outputs[0] != NULL)
    name = node->outputs[0]->name;
  g_set_error (error, SL_ERROR, code, "node %s (%s): %s", name, node->op->name, text);
}
