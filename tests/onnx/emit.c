#include "emit.h"

#include <string.h>

Emit *
emit_new (void)
{
  return g_byte_array_new ();
}

void
emit_varint (Emit *to, guint64 value)
{
  do {
    guint8 byte = (guint8)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    g_byte_array_append (to, &byte, 1);
    value >>= 7;
  } while (value > 0);
}

void
emit_tag (Emit *to, guint field, guint wire_type)
{
  emit_varint (to, (guint64)field << 3 | wire_type);
}

void
emit_int (Emit *to, guint field, gint64 value)
{
  emit_tag (to, field, 0);
  emit_varint (to, (guint64)value);
}

void
emit_float (Emit *to, guint field, float value)
{
  emit_tag (to, field, 5);
  g_byte_array_append (to, (const guint8 *)&value, 4);
}

void
emit_bytes (Emit *to, guint field, const void *data, gsize size)
{
  emit_tag (to, field, 2);
  emit_varint (to, size);
  g_byte_array_append (to, data, (guint)size);
}

void
emit_text (Emit *to, guint field, const char *text)
{
  emit_bytes (to, field, text, strlen (text));
}

void
emit_message (Emit *to, guint field, Emit *child)
{
  emit_bytes (to, field, child->data, child->len);
  g_byte_array_unref (child);
}

Emit *
emit_tensor (const char *name, int type, guint rank, const gint64 *dims, const void *raw,
             gsize size)
{
  Emit *tensor = emit_new ();
  for (guint i = 0; i < rank; i++)
    emit_int (tensor, 1, dims[i]);
  emit_int (tensor, 2, type);
  if (name != NULL)
    emit_text (tensor, 8, name);
  if (raw != NULL)
    emit_bytes (tensor, 9, raw, size);
  return tensor;
}

Emit *
emit_value_of (const char *name, int elem_type, guint rank, const gint64 *dims)
{
  Emit *shape = emit_new (), *tensor = emit_new (), *type = emit_new (), *value = emit_new ();
  for (guint i = 0; i < rank; i++) {
    Emit *dim = emit_new ();
    if (dims[i] >= 0)
      emit_int (dim, 1, dims[i]);
    emit_message (shape, 1, dim);
  }
  emit_int (tensor, 1, elem_type);
  emit_message (tensor, 2, shape);
  emit_message (type, 1, tensor);
  emit_text (value, 1, name);
  emit_message (value, 2, type);
  return value;
}

Emit *
emit_value (const char *name, guint rank, const gint64 *dims)
{
  return emit_value_of (name, 1, rank, dims);
}

static void
emit_names (Emit *node, guint field, const char *names)
{
  g_auto (GStrv) parts = g_strsplit (names, " ", -1);
  for (char **part = parts; *part != NULL && **part != '\0'; part++)
    emit_text (node, field, strcmp (*part, "-") != 0 ? *part : "");
}

Emit *
emit_node (const char *op, const char *name, const char *inputs, const char *outputs)
{
  Emit *node = emit_new ();
  emit_names (node, 1, inputs);
  emit_names (node, 2, outputs);
  emit_text (node, 3, name);
  emit_text (node, 4, op);
  return node;
}

void
emit_attr_int (Emit *node, const char *name, gint64 value)
{
  Emit *attr = emit_new ();
  emit_text (attr, 1, name);
  emit_int (attr, 3, value);
  emit_int (attr, 20, 2);
  emit_message (node, 5, attr);
}

void
emit_attr_ints (Emit *node, const char *name, guint n, const gint64 *values)
{
  Emit *attr = emit_new ();
  emit_text (attr, 1, name);
  for (guint i = 0; i < n; i++)
    emit_int (attr, 8, values[i]);
  emit_int (attr, 20, 7);
  emit_message (node, 5, attr);
}

Emit *
emit_model (Emit *graph, gint64 opset)
{
  Emit *model = emit_new (), *import = emit_new ();
  emit_int (model, 1, 8);
  emit_text (model, 2, "emit");
  emit_message (model, 7, graph);
  emit_text (import, 1, "");
  emit_int (import, 2, opset);
  emit_message (model, 8, import);
  return model;
}

Emit *
emit_network (void)
{
  static const float w[6] = {1, -2, 3, -4, 5, -6}, b[2] = {0.5f, -0.5f}, one = 1;
  Emit *graph = emit_new ();

  Emit *conv = emit_node ("Conv", "conv", "x w b", "c");
  emit_attr_ints (conv, "kernel_shape", 2, (const gint64[]){1, 1});
  emit_attr_ints (conv, "strides", 2, (const gint64[]){1, 1});
  emit_message (graph, 1, conv);
  emit_message (graph, 1, emit_node ("Relu", "", "c", "r"));

  Emit *constant = emit_node ("Constant", "", "", "one"), *attr = emit_new ();
  emit_text (attr, 1, "value");
  emit_message (attr, 5, emit_tensor (NULL, 1, 0, NULL, &one, sizeof one));
  emit_int (attr, 20, 4);
  emit_message (constant, 5, attr);
  emit_message (graph, 1, constant);
  emit_message (graph, 1, emit_node ("Add", "sum", "r one", "y"));

  emit_text (graph, 2, "network");
  emit_message (graph, 5, emit_tensor ("w", 1, 4, (const gint64[]){2, 3, 1, 1}, w, sizeof w));
  emit_message (graph, 5, emit_tensor ("b", 1, 1, (const gint64[]){2}, b, sizeof b));
  emit_message (graph, 11, emit_value ("x", 4, (const gint64[]){1, 3, 4, 4}));
  emit_message (graph, 12, emit_value ("y", 4, (const gint64[]){1, 2, 4, 4}));
  return graph;
}

SlGraph *
read_bytes (const void *data, gsize size, const SlModelLimits *limits, GError **error)
{
  /* A copy of exactly this size, so that a sanitizer sees a byte read too far. */
  g_autoptr (GBytes) bytes = g_bytes_new_take (size > 0 ? g_memdup2 (data, size) : NULL, size);
  SlOnnxMeta meta;
  sl_onnx_meta_init (&meta);
  SlGraph *graph = sl_onnx_read (bytes, "test.onnx", NULL, limits, &meta, error);
  sl_onnx_meta_clear (&meta);
  return graph;
}

SlGraph *
read_model (Emit *model, GError **error)
{
  SlGraph *graph = read_bytes (model->data, model->len, NULL, error);
  g_byte_array_unref (model);
  return graph;
}

void
check_error (GError *error, int code, const char *text)
{
  g_assert_error (error, SL_ERROR, code);
  if (strstr (error->message, text) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, text);
  g_assert_null (strchr (error->message, '\n'));
  g_error_free (error);
}

void
expect_refusal (Emit *model, int code, const char *text)
{
  GError *error = NULL;
  g_assert_null (read_model (model, &error));
  check_error (error, code, text);
}
