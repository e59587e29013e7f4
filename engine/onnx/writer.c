/* A graph as a ModelProto. The same graph gives the same bytes. */
#include "onnx/onnx.h"

#include "graph/live.h"
#include "graph/op.h"
#include "onnx/schema.h"
#include "onnx/tensor.h"
#include "onnx/value.h"

#include <string.h>

#define IR_VERSION 8
#define PRODUCER "sightline"
/* Protocol buffers end here; ONNX's own readers refuse more. */
#define MAX_FILE_BYTES ((size_t)INT32_MAX)
/* Estimate of what names, shapes and attributes take for each node or value. */
#define BYTES_PER_ITEM 256

/* What a file holds as an initialiser; those that nothing reads are left behind. */
static bool
is_stored (const SlValue *value)
{
  return value->data != NULL && value->kind != SL_VALUE_ACTIVATION &&
         value->kind != SL_VALUE_INPUT && (value->uses->len > 0 || value->is_output);
}

/* The opset from which on the operator has its canonical form: the newest of its own forms that
 * needs no import code, or the newest at all where each has some. */
static int
canonical_since (const SlOpClass *op)
{
  int plain = 0, any = 0;
  for (const SlOnnxForm *form = op->forms; form != NULL && form->since > 0; form++) {
    if (form->op_type != NULL && strcmp (form->op_type, op->name) != 0)
      continue;
    any = MAX (any, form->since);
    if (form->import == NULL)
      plain = MAX (plain, form->since);
  }
  return plain > 0 ? plain : any;
}

/* What operators that Sightline writes have gained after SL_ONNX_WRITE_OPSET without their form
 * changing. */
static const struct {
  const char *op;
  const char *attr;  /* that says more than its default … */
  uint32_t n_inputs; /* … or as many inputs as this; both absent: the operator itself */
  int since;
} additions[] = {
    {"AveragePool", "dilations", 0, 19},
    {"Gelu", NULL, 0, 20},
    {"Mish", NULL, 0, 18},
    {"Pad", NULL, 4, 18},
};

/* The opset from which on a file may say what this node says. */
static int
stated_since (const SlNode *node)
{
  for (guint i = 0; i < G_N_ELEMENTS (additions); i++) {
    if (strcmp (additions[i].op, node->op->name) != 0 || node->n_inputs < additions[i].n_inputs)
      continue;
    if (additions[i].attr == NULL)
      return additions[i].since;
    for (const SlAttrSpec *spec = node->op->attrs; spec != NULL && spec->name != NULL; spec++)
      if (strcmp (spec->name, additions[i].attr) == 0 && !sl_attrs_is_default (spec, node->attrs))
        return additions[i].since;
  }
  return 0;
}

static int
choose_opset (const SlGraph *graph)
{
  int opset = SL_ONNX_WRITE_OPSET;
  for (guint i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    opset = MAX (opset, MAX (canonical_since (node->op), stated_since (node)));
  }
  return opset;
}

static gboolean
check_nodes (const SlGraph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    const char *problem = NULL;
    if (node->op->domain != NULL && strcmp (node->op->domain, SL_DOMAIN) == 0)
      problem = "an internal operator";
    else if (node->act.kind != SL_ACT_NONE)
      problem = "with a fused activation";
    else if (node->op->max_inputs != SL_VARIADIC && node->n_inputs > node->op->max_inputs)
      problem = "with an input of Sightline's own";
    if (problem == NULL)
      continue;
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "cannot be written to an ONNX file: %s (expected the graph before compilation)",
                   problem);
    return FALSE;
  }
  return TRUE;
}

/* Size of the file, or nearly: the sum of what is stored. */
static gboolean
estimate_size (const SlGraph *graph, size_t *ret, GError **error)
{
  size_t size = (size_t)(graph->nodes->len + graph->values->len) * BYTES_PER_ITEM;
  for (guint i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    if (is_stored (value))
      size += sl_tensor_get_size (value->data);
    if (size > MAX_FILE_BYTES) {
      g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                   "the network has more bytes than an ONNX file can hold (limit is %zu)",
                   MAX_FILE_BYTES);
      return FALSE;
    }
  }
  *ret = size;
  return TRUE;
}

static void
write_attr (SlWireOut *out, const SlAttrSpec *spec, const void *attrs)
{
  const void *at = (const char *)attrs + spec->offset;
  const size_t begin = sl_wire_begin (out, NODE_ATTRIBUTE);
  sl_wire_put_text (out, ATTR_NAME, spec->name);
  int64_t type = ATTR_TYPE_INT;
  switch (spec->type) {
  case SL_ATTR_INT:
    sl_wire_put_int (out, ATTR_I, *(const int64_t *)at);
    break;
  case SL_ATTR_BOOL:
    sl_wire_put_int (out, ATTR_I, *(const bool *)at);
    break;
  case SL_ATTR_FLOAT:
    sl_wire_put_float (out, ATTR_F, *(const float *)at);
    type = ATTR_TYPE_FLOAT;
    break;
  case SL_ATTR_ENUM:
    sl_wire_put_text (out, ATTR_S, spec->choices[*(const uint32_t *)at]);
    type = ATTR_TYPE_STRING;
    break;
  case SL_ATTR_INTS:
    for (uint32_t i = 0; i < ((const SlInts *)at)->n; i++)
      sl_wire_put_int (out, ATTR_INTS, ((const SlInts *)at)->v[i]);
    type = ATTR_TYPE_INTS;
    break;
  }
  sl_wire_put_int (out, ATTR_TYPE, type);
  sl_wire_end (out, begin);
}

/* Names of a node's inputs or outputs; those left out at the end are not written. */
static void
write_ends (SlWireOut *out, uint32_t number, uint32_t n, SlValue *const *ends)
{
  while (n > 0 && ends[n - 1] == NULL)
    n--;
  for (uint32_t i = 0; i < n; i++)
    sl_wire_put_text (out, number, ends[i] != NULL ? ends[i]->name : "");
}

/* `names` holds those of the nodes before: readers want each only once, and a node may do without.
 */
static void
write_node (SlWireOut *out, const SlNode *node, GHashTable *names)
{
  const size_t begin = sl_wire_begin (out, GRAPH_NODE);
  write_ends (out, NODE_INPUT, node->n_inputs, node->inputs);
  write_ends (out, NODE_OUTPUT, node->n_outputs, node->outputs);
  if (node->name[0] != '\0' && g_hash_table_add (names, node->name))
    sl_wire_put_text (out, NODE_NAME, node->name);
  sl_wire_put_text (out, NODE_OP_TYPE, node->op->name);
  if (node->op->domain != NULL && node->op->domain[0] != '\0')
    sl_wire_put_text (out, NODE_DOMAIN, node->op->domain);
  for (const SlAttrSpec *spec = node->op->attrs; spec != NULL && spec->name != NULL; spec++)
    if (spec->name[0] != '.' && (spec->required || !sl_attrs_is_default (spec, node->attrs)))
      write_attr (out, spec, node->attrs);
  sl_wire_end (out, begin);
}

static void
write_graph (SlWireOut *out, const SlGraph *graph)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  const size_t begin = sl_wire_begin (out, MODEL_GRAPH);
  for (guint i = 0; i < graph->nodes->len; i++)
    write_node (out, g_ptr_array_index (graph->nodes, i), names);
  sl_wire_put_text (out, GRAPH_NAME, PRODUCER);
  for (guint i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    if (is_stored (value))
      sl_onnx_tensor_write (out, GRAPH_INITIALIZER, value->name, value->data);
  }
  for (guint i = 0; i < graph->inputs->len + graph->outputs->len; i++) {
    const bool is_input = i < graph->inputs->len;
    const SlValue *value =
        is_input ? graph->inputs->pdata[i] : graph->outputs->pdata[i - graph->inputs->len];
    sl_onnx_value_write (out, is_input ? GRAPH_INPUT : GRAPH_OUTPUT, value->name, value->dtype,
                         value->has_shape ? &value->shape : NULL);
  }
  sl_wire_end (out, begin);
}

static void
write_model (SlWireOut *out, const SlGraph *graph, const SlOnnxMeta *meta, int opset)
{
  sl_wire_put_int (out, MODEL_IR_VERSION, IR_VERSION);
  sl_wire_put_text (out, MODEL_PRODUCER_NAME, PRODUCER);
  write_graph (out, graph);
  const size_t begin = sl_wire_begin (out, MODEL_OPSET_IMPORT);
  sl_wire_put_text (out, OPSET_DOMAIN, "");
  sl_wire_put_int (out, OPSET_VERSION, opset);
  sl_wire_end (out, begin);
  for (guint i = 0; meta != NULL && i < meta->keys->len; i++) {
    const size_t entry = sl_wire_begin (out, MODEL_METADATA_PROPS);
    sl_wire_put_text (out, ENTRY_KEY, g_ptr_array_index (meta->keys, i));
    sl_wire_put_text (out, ENTRY_VALUE, g_ptr_array_index (meta->values, i));
    sl_wire_end (out, entry);
  }
}

/* What training changes may be newer on a device. */
static gboolean
update_contents (const SlGraph *graph, GError **error)
{
  for (guint i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    if (sl_value_is_variable (value) && !sl_live_update (value->data, error))
      return FALSE;
  }
  return TRUE;
}

GBytes *
sl_onnx_write (const SlGraph *graph, const SlOnnxMeta *meta, GError **error)
{
  g_return_val_if_fail (graph != NULL, NULL);

  size_t size;
  SlWireOut out = {0};
  if (!check_nodes (graph, error) || !update_contents (graph, error) ||
      !estimate_size (graph, &size, error))
    return NULL;
  sl_wire_out_reserve (&out, size);
  write_model (&out, graph, meta, choose_opset (graph));
  if (!out.failed && out.length <= MAX_FILE_BYTES)
    return g_bytes_new_take (out.data, out.length);
  if (out.failed)
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory for a file of %zu bytes or more",
                 size);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT, "the file would have %zu bytes (limit is %zu)",
                 out.length, MAX_FILE_BYTES);
  sl_wire_out_clear (&out);
  return NULL;
}
