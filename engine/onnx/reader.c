/* ModelProto and GraphProto, cut into their parts: build.c makes the graph of them. */
#include "onnx/reader.h"

#include "core/limit.h"

#include "onnx/guess.h"
#include "onnx/schema.h"

#include <string.h>

#define MAX_METADATA 4096
#define MAX_DOMAINS 256
/* Constants that a shape and one number make. */
#define MAX_FILLED (G_GUINT64_CONSTANT (1) << 30)

void
sl_onnx_meta_init (SlOnnxMeta *meta)
{
  *meta = (SlOnnxMeta){.keys = g_ptr_array_new_with_free_func (g_free),
                       .values = g_ptr_array_new_with_free_func (g_free),
                       .producer = g_strdup ("")};
}

void
sl_onnx_meta_clear (SlOnnxMeta *meta)
{
  g_clear_pointer (&meta->keys, g_ptr_array_unref);
  g_clear_pointer (&meta->values, g_ptr_array_unref);
  g_clear_pointer (&meta->producer, g_free);
  meta->bytes = 0;
}

void
sl_onnx_meta_copy (const SlOnnxMeta *meta, SlOnnxMeta *ret_copy)
{
  sl_onnx_meta_init (ret_copy);
  for (uint32_t i = 0; i < meta->keys->len; i++) {
    g_ptr_array_add (ret_copy->keys, g_strdup (meta->keys->pdata[i]));
    g_ptr_array_add (ret_copy->values, g_strdup (meta->values->pdata[i]));
  }
  g_free (ret_copy->producer);
  ret_copy->producer = g_strdup (meta->producer);
  ret_copy->ir_version = meta->ir_version;
  ret_copy->opset = meta->opset;
}

void
sl_onnx_meta_set (SlOnnxMeta *meta, const char *key, const char *value)
{
  for (uint32_t i = 0; i < meta->keys->len; i++) {
    if (strcmp (meta->keys->pdata[i], key) != 0)
      continue;
    g_free (meta->values->pdata[i]);
    meta->values->pdata[i] = g_strdup (value);
    return;
  }
  g_ptr_array_add (meta->keys, g_strdup (key));
  g_ptr_array_add (meta->values, g_strdup (value));
}

/* Limits must be complete. */
static void
reader_init (SlOnnxReader *reader, GBytes *bytes, const char *folder, const SlModelLimits *limits,
             SlOnnxMeta *meta)
{
  *reader = (SlOnnxReader){.meta = meta, .limits = *limits, .text_left = limits->text_bytes};
  reader->source = (SlTensorSource){.file = bytes,
                                    .folder = folder,
                                    .largest = reader->limits.tensor_bytes,
                                    .left = reader->limits.file_bytes};
  reader->graph = sl_graph_new ();
  reader->graph->filled_limit = MIN (MAX_FILLED, reader->limits.tensor_bytes);
  reader->opsets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  reader->nodes = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_node_proto_free);
  reader->inputs = g_array_new (FALSE, FALSE, sizeof (SlValueProto));
  reader->outputs = g_array_new (FALSE, FALSE, sizeof (SlValueProto));
  g_array_set_clear_func (reader->inputs, (GDestroyNotify)sl_value_proto_clear);
  g_array_set_clear_func (reader->outputs, (GDestroyNotify)sl_value_proto_clear);
}

static void
reader_clear (SlOnnxReader *reader)
{
  sl_external_file_close (&reader->source.open);
  sl_graph_free (reader->graph);
  g_hash_table_unref (reader->opsets);
  g_ptr_array_unref (reader->nodes);
  g_array_unref (reader->inputs);
  g_array_unref (reader->outputs);
}

static bool
read_opset (SlOnnxReader *reader, SlWire *wire, const SlWireField *field)
{
  SlWire opset;
  SlWireField part;
  g_autofree char *domain = g_strdup ("");
  int64_t version = 0;
  if (!sl_wire_enter (wire, field, "OperatorSetIdProto", &opset))
    return false;
  while (sl_wire_next (&opset, &part)) {
    if (part.number == OPSET_DOMAIN)
      sl_wire_name (&opset, &part, &domain);
    else if (part.number == OPSET_VERSION)
      sl_wire_int (&opset, &part, &version);
  }
  if (!sl_wire_leave (wire, &opset))
    return false;
  if (version < 0 || version > G_MAXINT)
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start,
                         "imports version %" G_GINT64_FORMAT " of the operator set '%s'", version,
                         domain);
  if (strcmp (domain, "ai.onnx") == 0)
    domain[0] = '\0';
  if (g_hash_table_contains (reader->opsets, domain))
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start,
                         "imports the operator set '%s' twice", domain);
  if (g_hash_table_size (reader->opsets) == MAX_DOMAINS)
    return sl_wire_fail (wire, SL_ERROR_LIMIT, field->start, "imports more than %d operator sets",
                         MAX_DOMAINS);
  g_hash_table_insert (reader->opsets, g_steal_pointer (&domain), GINT_TO_POINTER ((int)version));
  return true;
}

static bool
read_metadata (SlOnnxReader *reader, SlWire *wire, const SlWireField *field)
{
  SlWire entry;
  SlWireField part;
  g_autofree char *key = NULL;
  g_autofree char *value = NULL;
  if (!sl_wire_enter (wire, field, "metadata_props", &entry))
    return false;
  while (sl_wire_next (&entry, &part)) {
    if (part.number == ENTRY_KEY)
      sl_wire_name (&entry, &part, &key);
    else if (part.number == ENTRY_VALUE)
      sl_wire_text (&entry, &part, reader->text_left, &value);
  }
  if (!sl_wire_leave (wire, &entry))
    return false;
  reader->text_left -= value != NULL ? strlen (value) : 0;
  if (key == NULL)
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start, "metadata_props has no key");
  if (g_ptr_array_find_with_equal_func (reader->meta->keys, key, g_str_equal, NULL))
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start, "metadata_props has '%s' twice",
                         key);
  if (reader->meta->keys->len == MAX_METADATA)
    return sl_wire_fail (wire, SL_ERROR_LIMIT, field->start, "has more than %d metadata_props",
                         MAX_METADATA);
  g_ptr_array_add (reader->meta->keys, g_steal_pointer (&key));
  g_ptr_array_add (reader->meta->values, value ? g_steal_pointer (&value) : g_strdup (""));
  return true;
}

/* Cuts the ModelProto into its parts; *ret_graph is where its GraphProto lies. */
static bool
read_model (SlOnnxReader *reader, SlWire *wire, SlWire *ret_graph)
{
  SlWireField field;
  g_autofree char *producer = g_strdup ("");
  g_autofree char *version = g_strdup ("");
  bool has_graph = false;

  while (sl_wire_next (wire, &field)) {
    switch (field.number) {
    case MODEL_IR_VERSION:
      sl_wire_int (wire, &field, &reader->ir_version);
      break;
    case MODEL_PRODUCER_NAME:
      sl_wire_text (wire, &field, SL_WIRE_MAX_NAME, &producer);
      break;
    case MODEL_PRODUCER_VERSION:
      sl_wire_text (wire, &field, SL_WIRE_MAX_NAME, &version);
      break;
    case MODEL_OPSET_IMPORT:
      read_opset (reader, wire, &field);
      break;
    case MODEL_METADATA_PROPS:
      read_metadata (reader, wire, &field);
      break;
    case MODEL_GRAPH:
      if (has_graph)
        sl_wire_fail (wire, SL_ERROR_MALFORMED, field.start, "has a second graph");
      else
        has_graph = sl_wire_enter (wire, &field, "GraphProto", ret_graph);
      break;
    case MODEL_TRAINING_INFO:
      sl_wire_fail (wire, SL_ERROR_UNSUPPORTED, field.start,
                    "holds training_info (expected a network for inference)");
      break;
    case MODEL_FUNCTIONS:
      sl_wire_fail (wire, SL_ERROR_UNSUPPORTED, field.start,
                    "holds functions (expected a network with its functions inlined)");
      break;
    }
  }
  if (!wire->failed && (reader->ir_version <= 0 || !has_graph))
    sl_wire_fail (wire, SL_ERROR_MALFORMED, 0, "has no %s", has_graph ? "IR version" : "graph");
  if (!wire->failed && reader->ir_version > SL_ONNX_MAX_IR)
    sl_wire_fail (wire, SL_ERROR_UNSUPPORTED, 0,
                  "has IR version %" G_GINT64_FORMAT " (expected 1 to %d)", reader->ir_version,
                  SL_ONNX_MAX_IR);
  if (!wire->failed)
    reader->meta->producer =
        (g_free (reader->meta->producer), g_strstrip (g_strjoin (" ", producer, version, NULL)));
  return !wire->failed;
}

static gboolean
check_opset (const SlOnnxReader *reader, GError **error)
{
  gpointer version = NULL;
  /* None at all will do for a file whose nodes are all of other domains: build.c sees to that. */
  if (!g_hash_table_lookup_extended (reader->opsets, "", NULL, &version))
    return TRUE;
  const int opset = GPOINTER_TO_INT (version);
  reader->meta->opset = opset;
  reader->meta->ir_version = reader->ir_version;
  if (opset >= SL_ONNX_MIN_OPSET && opset <= SL_ONNX_MAX_OPSET)
    return TRUE;
  g_set_error (error, SL_ERROR, opset == 0 ? SL_ERROR_MALFORMED : SL_ERROR_UNSUPPORTED,
               "imports version %d of ONNX's operators (expected %d to %d)", opset,
               SL_ONNX_MIN_OPSET, SL_ONNX_MAX_OPSET);
  return FALSE;
}

/* Room for one more value? */
static bool
check_values (const SlOnnxReader *reader, SlWire *wire, size_t start)
{
  const guint64 n =
      (guint64)reader->graph->values->len + reader->inputs->len + reader->outputs->len;
  return n < reader->limits.values ||
         sl_wire_fail (wire, SL_ERROR_LIMIT, start,
                       "has more than %u tensors" SL_LIMIT_HINT ("values"), reader->limits.values);
}

static bool
read_initializer (SlOnnxReader *reader, SlWire *wire, const SlWireField *field)
{
  SlWire part;
  g_autofree char *name = NULL;
  if (!check_values (reader, wire, field->start) ||
      !sl_wire_enter (wire, field, "initializer", &part))
    return false;
  g_autoptr (SlTensor) tensor = sl_onnx_tensor_read (&reader->source, &part, &name);
  if (tensor == NULL)
    return sl_wire_leave (wire, &part);
  if (name[0] == '\0')
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start, "has an initializer without name");
  if (sl_graph_find_value (reader->graph, name) != NULL)
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start, "has two initializers '%s'", name);
  sl_graph_add_tensor (reader->graph, name, SL_VALUE_CONSTANT, tensor);
  return true;
}

static bool
read_port (SlOnnxReader *reader, SlWire *wire, const SlWireField *field, const char *what,
           GArray *ports)
{
  SlWire part;
  SlValueProto value;
  if (!check_values (reader, wire, field->start) || !sl_wire_enter (wire, field, what, &part))
    return false;
  if (sl_onnx_value_read (&part, &value))
    g_array_append_val (ports, value);
  return sl_wire_leave (wire, &part);
}

static bool
read_node (SlOnnxReader *reader, SlWire *wire, const SlWireField *field)
{
  SlWire part;
  if (reader->nodes->len == reader->limits.nodes)
    return sl_wire_fail (wire, SL_ERROR_LIMIT, field->start,
                         "has more than %u nodes" SL_LIMIT_HINT ("nodes"), reader->limits.nodes);
  if (!sl_wire_enter (wire, field, "NodeProto", &part))
    return false;
  SlNodeProto *node = sl_onnx_node_read (&part, reader->limits.node_ends);
  if (node == NULL)
    return sl_wire_leave (wire, &part);
  g_ptr_array_add (reader->nodes, node);
  reader->ends += node->inputs->len + node->outputs->len;
  if (reader->ends > reader->limits.values)
    return sl_wire_fail (wire, SL_ERROR_LIMIT, field->start,
                         "its nodes name more than %u tensors" SL_LIMIT_HINT ("values"),
                         reader->limits.values);
  return sl_wire_leave (wire, &part);
}

static bool
read_graph (SlOnnxReader *reader, SlWire *wire)
{
  SlWireField field;
  while (sl_wire_next (wire, &field)) {
    switch (field.number) {
    case GRAPH_NODE:
      read_node (reader, wire, &field);
      break;
    case GRAPH_INITIALIZER:
      read_initializer (reader, wire, &field);
      break;
    case GRAPH_INPUT:
      read_port (reader, wire, &field, "input", reader->inputs);
      break;
    case GRAPH_OUTPUT:
      read_port (reader, wire, &field, "output", reader->outputs);
      break;
    case GRAPH_SPARSE_INITIALIZER:
      sl_wire_fail (wire, SL_ERROR_UNSUPPORTED, field.start,
                    "holds a sparse_initializer (expected dense tensors)");
      break;
    }
  }
  return !wire->failed;
}

static bool
read_parts (SlOnnxReader *reader, GBytes *bytes, GError **error)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  SlWire model, graph;
  if (size == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "is empty (expected an ONNX model)");
    return false;
  }
  if (size > reader->limits.file_bytes) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "has %" G_GSIZE_FORMAT
                 " bytes, the limit is %" G_GUINT64_FORMAT SL_LIMIT_HINT ("file"),
                 size, reader->limits.file_bytes);
    return false;
  }
  sl_wire_init (&model, data, size, "ModelProto", error);
  if (!read_model (reader, &model, &graph)) {
    const char *looks = sl_onnx_guess (data, size);
    if (looks != NULL) {
      g_clear_error (error);
      g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "is %s (expected an ONNX model)", looks);
    } else if ((*error)->code == SL_ERROR_MALFORMED) {
      g_prefix_error (error, "is no ONNX model, or damaged: ");
    }
    return false;
  }
  return check_opset (reader, error) && read_graph (reader, &graph);
}

static SlGraph *
read_bytes (GBytes *bytes, bool stays, const char *name, const char *folder,
            const SlModelLimits *limits, SlOnnxMeta *ret_meta, GError **error)
{
  SlOnnxReader reader;
  SlModelLimits all;
  SlGraph *graph = NULL;
  g_autoptr (GError) cause = NULL;
  if (!sl_onnx_complete_limits (limits, &all, error))
    return NULL;
  reader_init (&reader, bytes, folder, &all, ret_meta);
  reader.source.stays = stays;
  if (read_parts (&reader, bytes, &cause) && sl_onnx_build (&reader, &cause) &&
      sl_onnx_check_weights (reader.graph, bytes, &cause)) {
    ret_meta->bytes = g_bytes_get_size (bytes) + reader.source.external;
    graph = g_steal_pointer (&reader.graph);
  } else {
    g_propagate_prefixed_error (error, g_steal_pointer (&cause), "%s: ", name);
  }
  reader_clear (&reader);
  return graph;
}

SlGraph *
sl_onnx_read (GBytes *bytes, const char *name, const char *folder, const SlModelLimits *limits,
              SlOnnxMeta *ret_meta, GError **error)
{
  g_return_val_if_fail (bytes != NULL && name != NULL && ret_meta != NULL, NULL);
  return read_bytes (bytes, false, name, folder, limits, ret_meta, error);
}

SlGraph *
sl_onnx_read_stubs (GBytes *bytes, const char *name, const char *folder,
                    const SlModelLimits *limits, SlOnnxMeta *ret_meta, GError **error)
{
  g_return_val_if_fail (bytes != NULL && name != NULL && ret_meta != NULL, NULL);
  return read_bytes (bytes, true, name, folder, limits, ret_meta, error);
}
