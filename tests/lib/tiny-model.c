#include "tiny-model.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* --- Protocol buffers, just enough --- */

static void
put_varint (GByteArray *out, guint64 value)
{
  do {
    guint8 byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);

    g_byte_array_append (out, &byte, 1);
    value >>= 7;
  } while (value);
}

static void
put_int (GByteArray *out, guint field, guint64 value)
{
  put_varint (out, field << 3);
  put_varint (out, value);
}

static void
put_bytes (GByteArray *out, guint field, gconstpointer data, gsize size)
{
  put_varint (out, field << 3 | 2);
  put_varint (out, size);
  g_byte_array_append (out, data, size);
}

static void
put_string (GByteArray *out, guint field, const gchar *text)
{
  put_bytes (out, field, text, strlen (text));
}

/* Puts a message and frees it. */
static void
put_message (GByteArray *out, guint field, GByteArray *message)
{
  put_bytes (out, field, message->data, message->len);
  g_byte_array_unref (message);
}

/* --- ONNX (field numbers of onnx.proto) --- */

static GByteArray *
value_info (const gchar *name, const gint64 *dims, guint rank)
{
  GByteArray *info = g_byte_array_new (), *type = g_byte_array_new ();
  GByteArray *tensor = g_byte_array_new (), *shape = g_byte_array_new ();

  for (guint i = 0; i < rank; i++) {
    GByteArray *dim = g_byte_array_new ();

    put_int (dim, 1, dims[i]);
    put_message (shape, 1, dim);
  }
  put_int (tensor, 1, 1); /* FLOAT */
  put_message (tensor, 2, shape);
  put_message (type, 1, tensor);
  put_string (info, 1, name);
  put_message (info, 2, type);
  return info;
}

static GByteArray *
initializer (const gchar *name, const gint64 *dims, guint rank, const gfloat *values)
{
  GByteArray *tensor = g_byte_array_new ();
  gsize n = 1;

  for (guint i = 0; i < rank; i++) {
    put_int (tensor, 1, dims[i]);
    n *= dims[i];
  }
  put_int (tensor, 2, 1);
  put_string (tensor, 8, name);
  put_bytes (tensor, 9, values,
             n * sizeof *values); /* little-endian, as every machine that tests run on */
  return tensor;
}

static GByteArray *
node (const gchar *name, const gchar *op, const gchar *inputs, const gchar *output)
{
  g_auto (GStrv) names = g_strsplit (inputs, " ", -1);
  GByteArray *message = g_byte_array_new ();

  for (gchar **input = names; *input; input++)
    put_string (message, 1, *input);
  put_string (message, 2, output);
  put_string (message, 3, name);
  put_string (message, 4, op);
  return message;
}

static GByteArray *
metadata (const gchar *key, const gchar *value)
{
  GByteArray *entry = g_byte_array_new ();

  put_string (entry, 1, key);
  put_string (entry, 2, value);
  return entry;
}

static GByteArray *
graph (TinyFlags flags)
{
  static const gint64 input[] = {1, 3, TINY_SIZE, TINY_SIZE};
  static const gint64 output[] = {1, TINY_CLASSES}, weight[] = {3, TINY_CLASSES};
  static const gfloat weights[] = {
      20,  -10, -10, 0, /* from red */
      -10, 20,  -10, 0, /* from green */
      -10, -10, 20,  0, /* from blue */
  };
  static const gfloat bias[] = {0, 0, 0, 3}, shift[] = {0, 0, 0, NAN};
  const gchar *result = flags & TINY_LOGITS ? "scores" : "logits";
  GByteArray *graph = g_byte_array_new ();

  put_message (graph, 1,
               node ("average", flags & TINY_MAX ? "GlobalMaxPool" : "GlobalAveragePool", "picture",
                     "means"));
  put_message (graph, 1, node ("flat", "Flatten", "means", "flat_means"));
  put_message (graph, 1,
               node (flags & TINY_ODD_NAME ? TINY_ODD_SCORE : "score", "Gemm",
                     "flat_means weight bias", flags & TINY_NAN ? "raw" : result));
  if (flags & TINY_NAN) /* no file with such weights would be read */
    put_message (graph, 1, node ("score_shift", "Add", "raw shift", result));
  if (!(flags & TINY_LOGITS))
    put_message (graph, 1, node ("share", "Softmax", "logits", "scores"));
  put_string (graph, 2, "tiny");
  put_message (graph, 5, initializer ("weight", weight, 2, weights));
  put_message (graph, 5, initializer ("bias", output + 1, 1, bias));
  put_message (graph, 5, initializer ("shift", output + 1, 1, shift));
  put_message (graph, 11, value_info ("picture", input, 4));
  put_message (graph, 12, value_info ("scores", output, 2));
  return graph;
}

gchar *
tiny_model_write (const gchar *folder, const gchar *name, TinyFlags flags)
{
  const gchar *const rules[][2] = {
      {"sightline.version", "1"},
      {"sightline.labels", "red\ngreen\nblue\nnone"},
      {"sightline.range", "0..1"},
      {"sightline.color", flags & TINY_BGR ? "bgr" : "rgb"},
      {"sightline.mean", "0,0,0"},
      {"sightline.std", "1,1,1"},
      {"sightline.resize", "stretch"},
      {"sightline.output", flags & TINY_LOGITS ? "logits" : "probabilities"},
  };
  GByteArray *model = g_byte_array_new (), *opset = g_byte_array_new ();
  gchar *path = g_build_filename (folder, name, NULL);
  GError *error = NULL;

  put_int (model, 1, 8);
  put_message (model, 7, graph (flags));
  put_string (opset, 1, "");
  put_int (opset, 2, 17);
  put_message (model, 8, opset);
  if (flags & TINY_METADATA)
    for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
      put_message (model, 14, metadata (rules[i][0], rules[i][1]));

  g_file_set_contents (path, (const gchar *)model->data, model->len, &error);
  g_assert_no_error (error);
  g_byte_array_unref (model);
  return path;
}

void
tiny_folder_remove (const gchar *folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
}
