#include "onnx/reader.h"

#include "graph/import.h"
#include "graph/op.h"

#include <string.h>

/* Nodes named for each missing operator. */
#define NAMED_NODES 8
/* A file that means harm can make the list as long as itself. */
#define MAX_LISTING 32768

/* Output 0 has the elements of input 0. */
#define PASSES_ON (SL_TRAIT_IDENTITY | SL_TRAIT_RESHAPE)

static int
opset_of (const SlOnnxReader *reader, const char *domain)
{
  return GPOINTER_TO_INT (g_hash_table_lookup (reader->opsets, domain));
}

/* The reader itself makes values of Constant nodes. */
static bool
is_constant (const SlNodeProto *proto)
{
  return strcmp (proto->op_type, "Constant") == 0 && proto->domain[0] == '\0';
}

static const SlOpClass *
find_op (const SlOnnxReader *reader, const SlNodeProto *proto, const SlOnnxForm **ret_form)
{
  return sl_op_find_onnx (proto->domain, proto->op_type, opset_of (reader, proto->domain),
                          ret_form);
}

static void
node_error (const SlNodeProto *proto, GError **error, SlErrorCode code, const char *text)
{
  g_set_error (error, SL_ERROR, code, "node '%s' (%s) at byte %zu: %s", sl_node_proto_label (proto),
               proto->op_type, proto->start, text);
}

/* One missing operator and the nodes that want it. */
typedef struct {
  char *name;
  GString *nodes;
  guint count;
} Missing;

static void
missing_free (void *data)
{
  Missing *missing = data;
  g_free (missing->name);
  g_string_free (missing->nodes, TRUE);
  g_free (missing);
}

static void
note_missing (GPtrArray *list, GHashTable *by_name, const SlNodeProto *proto)
{
  g_autofree char *name =
      g_strdup_printf ("%s%s%s", proto->domain, proto->domain[0] ? "." : "", proto->op_type);
  Missing *missing = g_hash_table_lookup (by_name, name);
  if (missing == NULL) {
    missing = g_new0 (Missing, 1);
    missing->name = g_steal_pointer (&name);
    missing->nodes = g_string_new (NULL);
    g_ptr_array_add (list, missing);
    g_hash_table_insert (by_name, missing->name, missing);
  }
  if (missing->count++ < NAMED_NODES)
    g_string_append_printf (missing->nodes, "%s'%s'", missing->nodes->len > 0 ? ", " : "",
                            sl_node_proto_label (proto));
}

/* Names every operator that Sightline lacks, in one error. */
static gboolean
check_operators (const SlOnnxReader *reader, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (missing_free);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  const SlOnnxForm *form;
  for (guint i = 0; i < reader->nodes->len; i++) {
    const SlNodeProto *proto = g_ptr_array_index (reader->nodes, i);
    if (proto->domain[0] == '\0' && opset_of (reader, "") == 0) {
      node_error (proto, error, SL_ERROR_MALFORMED,
                  "the file imports no version of ONNX's operators");
      return FALSE;
    }
    if (!is_constant (proto) && find_op (reader, proto, &form) == NULL)
      note_missing (list, by_name, proto);
  }
  if (list->len == 0)
    return TRUE;

  g_autoptr (GString) text = g_string_new (NULL);
  guint i = 0;
  for (; i < list->len && text->len < MAX_LISTING; i++) {
    const Missing *missing = g_ptr_array_index (list, i);
    g_string_append_printf (text, "%s%s (%s", i > 0 ? ", " : "", missing->name,
                            missing->nodes->str);
    if (missing->count > NAMED_NODES)
      g_string_append_printf (text, " and %u more", missing->count - NAMED_NODES);
    g_string_append_c (text, ')');
  }
  if (i < list->len)
    g_string_append_printf (text, " and %u more", list->len - i);
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "%u missing operator%s (opset %d): %s",
               list->len, list->len > 1 ? "s" : "", opset_of (reader, ""), text->str);
  return FALSE;
}

/* An initialiser that is listed among the inputs, as files of before 2019 must, is a constant all
 * the same. */
static gboolean
check_initializer (const SlValueProto *proto, const SlValue *value, GError **error)
{
  bool fits = (proto->dtype == SL_DTYPE_NONE || proto->dtype == value->dtype) &&
              (!proto->has_shape || proto->shape.rank == value->shape.rank);
  for (uint32_t i = 0; fits && proto->has_shape && i < proto->shape.rank; i++)
    fits = proto->shape.dim[i] < 0 || proto->shape.dim[i] == value->shape.dim[i];
  if (fits)
    return TRUE;
  g_autofree char *is = sl_shape_to_string (&value->shape);
  g_autofree char *stated = proto->has_shape ? sl_shape_to_string (&proto->shape) : NULL;
  g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "initializer '%s' is %s %s (its input says %s %s)",
               proto->name, sl_dtype_get_name (value->dtype), is, sl_dtype_get_name (proto->dtype),
               stated ? stated : "");
  return FALSE;
}

static gboolean
declare_inputs (SlOnnxReader *reader, GError **error)
{
  for (guint i = 0; i < reader->inputs->len; i++) {
    const SlValueProto *proto = &g_array_index (reader->inputs, SlValueProto, i);
    SlValue *value = sl_graph_find_value (reader->graph, proto->name);
    if (value != NULL && value->kind == SL_VALUE_CONSTANT) {
      if (!check_initializer (proto, value, error))
        return FALSE;
      continue;
    }
    if (value != NULL || proto->dtype == SL_DTYPE_NONE) {
      g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "input '%s' at byte %zu %s", proto->name,
                   proto->start, value != NULL ? "stands twice" : "has no element type");
      return FALSE;
    }
    value = sl_graph_add_value (reader->graph, proto->name, SL_VALUE_INPUT);
    value->dtype = proto->dtype;
    value->shape = proto->shape;
    value->has_shape = proto->has_shape;
    sl_graph_mark_input (reader->graph, value);
  }
  return TRUE;
}

/* The tensor that a Constant node's one attribute holds. */
static SlTensor *
constant_tensor (const SlRawAttr *attr, GError **error)
{
  const SlShape list = SL_SHAPE ((int64_t)attr->n);
  if (strcmp (attr->name, "value") == 0 && attr->type == SL_RAW_TENSOR)
    return sl_tensor_ref (attr->tensor);
  if (strcmp (attr->name, "value_int") == 0 && attr->type == SL_RAW_INT)
    return sl_tensor_new_copy (SL_INT64, &(SlShape){0}, &attr->i, error);
  if (strcmp (attr->name, "value_float") == 0 && attr->type == SL_RAW_FLOAT)
    return sl_tensor_new_copy (SL_FLOAT32, &(SlShape){0}, &attr->f, error);
  if (strcmp (attr->name, "value_ints") == 0 && attr->type == SL_RAW_INTS)
    return sl_tensor_new_copy (SL_INT64, &list, attr->ints, error);
  if (strcmp (attr->name, "value_floats") == 0 && attr->type == SL_RAW_FLOATS)
    return sl_tensor_new_copy (SL_FLOAT32, &list, attr->floats, error);
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "attribute '%s' (expected dense numbers)",
               attr->name);
  return NULL;
}

static gboolean
declare_constant (SlOnnxReader *reader, const SlNodeProto *proto, const char *name, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (GArray) attrs = sl_onnx_attrs_read (&reader->source, proto, error);
  if (attrs == NULL)
    return FALSE;
  if (attrs->len != 1 || proto->inputs->len != 0 || proto->outputs->len != 1) {
    node_error (proto, error, SL_ERROR_MALFORMED,
                "expected one attribute, no input and one output");
    return FALSE;
  }
  g_autoptr (SlTensor) tensor = constant_tensor (&g_array_index (attrs, SlRawAttr, 0), &cause);
  if (tensor == NULL) {
    node_error (proto, error, cause->code, cause->message);
    return FALSE;
  }
  sl_graph_add_tensor (reader->graph, name, SL_VALUE_CONSTANT, tensor);
  return TRUE;
}

/* Every output of every node becomes a value, so that nodes may stand in any order. */
static gboolean
declare_outputs (SlOnnxReader *reader, const SlNodeProto *proto, GError **error)
{
  for (guint i = 0; i < proto->outputs->len; i++) {
    const char *name = g_ptr_array_index (proto->outputs, i);
    if (name[0] == '\0')
      continue;
    if (reader->graph->values->len >= reader->limits.values) {
      node_error (proto, error, SL_ERROR_LIMIT, "too many tensors");
      return FALSE;
    }
    if (sl_graph_find_value (reader->graph, name) != NULL) {
      g_autofree char *text = g_strdup_printf ("output '%s' is the name of another tensor", name);
      node_error (proto, error, SL_ERROR_MALFORMED, text);
      return FALSE;
    }
    if (!is_constant (proto))
      sl_graph_add_value (reader->graph, name, SL_VALUE_ACTIVATION);
    else if (!declare_constant (reader, proto, name, error))
      return FALSE;
  }
  return TRUE;
}

/* The values of a node's inputs or outputs; NULL where left out. */
static GPtrArray *
find_values (const SlOnnxReader *reader, const SlNodeProto *proto, const GPtrArray *names,
             GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_sized_new (names->len);
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    SlValue *value = name[0] != '\0' ? sl_graph_find_value (reader->graph, name) : NULL;
    if (name[0] != '\0' && value == NULL) {
      g_autofree char *text =
          g_strdup_printf ("input %u, '%s', is no input, initializer or output of a node", i, name);
      node_error (proto, error, SL_ERROR_MALFORMED, text);
      return NULL;
    }
    g_ptr_array_add (values, value);
  }
  return g_steal_pointer (&values);
}

static gboolean
import_node (SlOnnxReader *reader, const SlNodeProto *proto, GError **error)
{
  const SlOnnxForm *form = NULL;
  const SlOpClass *op = find_op (reader, proto, &form);
  g_autoptr (GArray) attrs = sl_onnx_attrs_read (&reader->source, proto, error);
  g_autoptr (GPtrArray) inputs =
      attrs != NULL ? find_values (reader, proto, proto->inputs, error) : NULL;
  g_autoptr (GPtrArray) outputs =
      inputs != NULL ? find_values (reader, proto, proto->outputs, error) : NULL;
  if (outputs == NULL)
    return FALSE;

  const SlImport im = {
      .graph = reader->graph,
      .name = proto->name,
      .op_type = proto->op_type,
      .opset = opset_of (reader, proto->domain),
      .n_inputs = inputs->len,
      .n_outputs = outputs->len,
      .inputs = (SlValue *const *)inputs->pdata,
      .outputs = (SlValue *const *)outputs->pdata,
      .n_attrs = attrs->len,
      .attrs = (const SlRawAttr *)attrs->data,
  };
  return form->import != NULL ? form->import (&im, op, error) : sl_import_default (&im, op, error);
}

static gboolean
mark_outputs (SlOnnxReader *reader, GError **error)
{
  for (guint i = 0; i < reader->outputs->len; i++) {
    const SlValueProto *proto = &g_array_index (reader->outputs, SlValueProto, i);
    SlValue *value = sl_graph_find_value (reader->graph, proto->name);
    if (value == NULL || value->is_output) {
      g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "output '%s' at byte %zu %s", proto->name,
                   proto->start, value == NULL ? "is computed by no node" : "stands twice");
      return FALSE;
    }
    if (value->kind == SL_VALUE_ACTIVATION) {
      value->dtype = proto->dtype;
      value->shape = proto->shape;
      value->has_shape = proto->has_shape;
    }
    sl_graph_mark_output (reader->graph, value);
  }
  if (reader->outputs->len > 0)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "has no outputs (expected one or more)");
  return FALSE;
}

gboolean
sl_onnx_build (SlOnnxReader *reader, GError **error)
{
  if (!check_operators (reader, error) || !declare_inputs (reader, error))
    return FALSE;
  for (guint i = 0; i < reader->nodes->len; i++)
    if (!declare_outputs (reader, g_ptr_array_index (reader->nodes, i), error))
      return FALSE;
  for (guint i = 0; i < reader->nodes->len; i++) {
    const SlNodeProto *proto = g_ptr_array_index (reader->nodes, i);
    if (!is_constant (proto) && !import_node (reader, proto, error))
      return FALSE;
  }
  return mark_outputs (reader, error) && sl_graph_sort (reader->graph, error);
}

const char *
sl_onnx_output_op (const SlGraph *graph, uint32_t index)
{
  g_return_val_if_fail (index < graph->outputs->len, NULL);
  const SlValue *value = g_ptr_array_index (graph->outputs, index);
  while (value->producer != NULL && value->producer->op->traits & PASSES_ON)
    value = value->producer->inputs[0];
  return value->producer != NULL ? value->producer->op->name : NULL;
}
