#include "graph/graph.h"

#include "graph/op.h"

static void
print_type (const SlValue *value, GString *text)
{
  if (!value->has_shape)
    return;
  g_autofree char *shape = sl_shape_to_string (&value->shape);
  g_string_append_printf (text, " %s:%s", shape, sl_dtype_get_name (value->dtype));
  if (value->layout == SL_LAYOUT_CHANNELS_LAST)
    g_string_append (text, ":channels-last");
}

void
sl_act_print (const SlAct *act, GString *text)
{
  static const char *const acts[] = {"",     "clip", "leaky_relu", "sigmoid",
                                     "tanh", "silu", "hard_swish"};
  g_string_append (text, acts[act->kind]);
  if (act->kind == SL_ACT_CLIP || act->kind == SL_ACT_LEAKY)
    g_string_append_printf (text, "(%g, %g)", act->a, act->b);
}

void
sl_node_print_attrs (const SlNode *node, GString *text)
{
  const char *gap = "";
  for (const SlAttrSpec *spec = node->op->attrs; spec != NULL && spec->name != NULL; spec++) {
    if (sl_attrs_is_default (spec, node->attrs))
      continue;
    g_string_append (text, gap);
    sl_attrs_print (spec, node->attrs, text);
    gap = " ";
  }
  if (node->act.kind != SL_ACT_NONE) {
    g_string_append_printf (text, "%sthen=", gap);
    sl_act_print (&node->act, text);
  }
}

static void
print_names (SlValue *const *values, uint32_t n, bool with_type, GString *text)
{
  for (uint32_t i = 0; i < n; i++) {
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "",
                            values[i] != NULL ? values[i]->name : "-");
    if (with_type && values[i] != NULL)
      print_type (values[i], text);
  }
}

char *
sl_graph_print_text (const SlGraph *graph)
{
  GString *text = g_string_new (NULL);
  g_string_append (text, "inputs:  ");
  print_names ((SlValue **)graph->inputs->pdata, graph->inputs->len, true, text);
  g_string_append (text, "\noutputs: ");
  print_names ((SlValue **)graph->outputs->pdata, graph->outputs->len, true, text);
  g_string_append_c (text, '\n');
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    print_names (node->outputs, node->n_outputs, true, text);
    g_string_append_printf (text, " = %s (", node->op->name);
    print_names (node->inputs, node->n_inputs, false, text);
    g_string_append (text, ") ");
    sl_node_print_attrs (node, text);
    g_string_append_c (text, '\n');
  }
  return g_string_free (text, FALSE);
}

static char *
dot_escape (const char *text)
{
  g_autofree char *escaped = g_strescape (text, NULL);
  return g_strdup (escaped);
}

static void
print_dot_edge (const SlValue *from, const SlNode *to, GString *text)
{
  g_autofree char *shape = from->has_shape ? sl_shape_to_string (&from->shape) : g_strdup ("");
  if (from->producer != NULL)
    g_string_append_printf (text, "  n%u -> n%u [label=\"%s\"];\n", from->producer->id, to->id,
                            shape);
  else if (from->kind == SL_VALUE_INPUT)
    g_string_append_printf (text, "  v%u -> n%u [label=\"%s\"];\n", from->id, to->id, shape);
}

char *
sl_graph_print_dot (const SlGraph *graph)
{
  GString *text = g_string_new ("digraph sightline {\n  rankdir=TB;\n"
                                "  node [shape=box, style=rounded, fontname=\"sans\"];\n");
  for (uint32_t i = 0; i < graph->inputs->len; i++) {
    const SlValue *input = g_ptr_array_index (graph->inputs, i);
    g_autofree char *name = dot_escape (input->name);
    g_string_append_printf (text, "  v%u [label=\"%s\", shape=ellipse];\n", input->id, name);
  }
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    g_autoptr (GString) attrs = g_string_new (NULL);
    sl_node_print_attrs (node, attrs);
    g_autofree char *detail = dot_escape (attrs->str);
    g_string_append_printf (text, "  n%u [label=\"%s\\n%s\"];\n", node->id, node->op->name, detail);
    for (uint32_t k = 0; k < node->n_inputs; k++)
      if (node->inputs[k] != NULL)
        print_dot_edge (node->inputs[k], node, text);
  }
  for (uint32_t i = 0; i < graph->outputs->len; i++) {
    const SlValue *output = g_ptr_array_index (graph->outputs, i);
    g_autofree char *name = dot_escape (output->name);
    g_string_append_printf (text, "  o%u [label=\"%s\", shape=ellipse];\n", i, name);
    if (output->producer != NULL)
      g_string_append_printf (text, "  n%u -> o%u;\n", output->producer->id, i);
  }
  g_string_append (text, "}\n");
  return g_string_free (text, FALSE);
}
