/* Files that are no model, or one that was damaged: every one is refused in one line, none harms.
 */
#include "emit.h"

#include "fuzz/fuzz.h"

#include <string.h>

static void
refuse_bytes (const void *data, gsize size, const char *text)
{
  GError *error = NULL;
  g_assert_null (read_bytes (data, size, NULL, &error));
  check_error (error, SL_ERROR_MALFORMED, text);
}

static void
test_no_models (void)
{
  static const struct {
    const char *bytes;
    gsize size;
    const char *text;
  } files[] = {
      {"", 0, "test.onnx: is empty"},
      {"\x89PNG\r\n\x1a\n\0\0\0\r", 12, "test.onnx: is a PNG picture (expected an ONNX model)"},
      {"<!DOCTYPE html><html>", 21, "is an HTML page"},
      {"<HTML><body>", 12, "is an HTML page"},
      {"version https://git-lfs.github.com/spec/v1\n", 43, "is a Git LFS pointer"},
      {"name: \"squeezenet\"\nlayer {\n", 27, "is text (expected"},
      {"\x1f\x8b\x08\0\0\0\0\0", 8, "is gzip data"},
      {"PK\x03\x04\x14\0\0\0", 8, "is a zip archive"},
      {"\xfd\x37zXZ\0", 6, "is xz data"},
      {"BZh91AY&SY", 10, "is bzip2 data"},
      {"\x28\xb5\x2f\xfd\x24", 5, "is Zstandard data"},
      {"\x1c\0\0\0TFL3", 8, "is a TensorFlow Lite network"},
      {"\x89HDF\r\n\x1a\n", 8, "is an HDF5 file"},
      {"\xff\xd8\xff\xe0", 4, "is a JPEG picture"},
      {"short", 5, "is no ONNX model, or damaged"},
      {"\xff\xfe\xfd\xfc", 4, "is no ONNX model, or damaged"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    refuse_bytes (files[i].bytes, files[i].size, files[i].text);
  for (int byte = 0; byte < 256; byte++) {
    const guint8 one = (guint8)byte;
    refuse_bytes (&one, 1, "test.onnx: ");
  }
}

/* Random bytes, seeded: whatever they are, the answer is an error of one line. */
static void
test_random (void)
{
  guint8 data[512];
  for (int round = 0; round < 20000; round++) {
    const gsize size = (gsize)g_test_rand_int_range (1, sizeof data);
    for (gsize i = 0; i < size; i++)
      data[i] = (guint8)g_test_rand_int_range (0, 256);
    GError *error = NULL;
    g_assert_null (read_bytes (data, size, NULL, &error));
    g_assert_nonnull (error);
    check_error (error, error->code, "test.onnx: ");
  }
}

static void
test_truncated (void)
{
  g_autoptr (GByteArray) model = emit_model (emit_network (), 13);
  for (guint size = 0; size < model->len; size++) {
    GError *error = NULL;
    g_assert_null (read_bytes (model->data, size, NULL, &error));
    check_error (error, error->code, "test.onnx: ");
  }
}

/* Reads what may or may not be a model; an error must be one line, and what was read can be
 * written. */
static void
read_anyhow (const guint8 *data, gsize size)
{
  LLVMFuzzerTestOneInput (data, size);
  GError *error = NULL;
  g_autoptr (SlGraph) graph = read_bytes (data, size, NULL, &error);
  g_assert_true ((graph == NULL) == (error != NULL));
  if (graph != NULL) {
    g_autofree char *text = sl_graph_print_text (graph);
    g_assert_nonnull (text);
  } else {
    check_error (error, error->code, "test.onnx: ");
  }
}

/* Each bit of each byte turned, and each byte made the values that lengths and tags fear most. */
static void
test_flipped (void)
{
  static const guint8 values[] = {0x00, 0x7f, 0x80, 0xff};
  g_autoptr (GByteArray) model = emit_model (emit_network (), 13);
  for (guint at = 0; at < model->len; at++) {
    const guint8 original = model->data[at];
    for (int bit = 0; bit < 8; bit++) {
      model->data[at] = original ^ (guint8)(1 << bit);
      read_anyhow (model->data, model->len);
    }
    for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
      model->data[at] = values[i];
      read_anyhow (model->data, model->len);
    }
    model->data[at] = original;
  }
}

/* Pieces cut out, doubled or overwritten by others. */
static void
test_spliced (void)
{
  g_autoptr (GByteArray) model = emit_model (emit_network (), 13);
  for (int round = 0; round < 20000; round++) {
    g_autoptr (GByteArray) copy = g_byte_array_new ();
    g_byte_array_append (copy, model->data, model->len);
    for (int cut = g_test_rand_int_range (1, 4); cut > 0; cut--) {
      const guint from = (guint)g_test_rand_int_range (0, (gint)copy->len);
      const guint n = (guint)g_test_rand_int_range (0, (gint)MIN (copy->len - from, 64) + 1);
      const guint to = (guint)g_test_rand_int_range (0, (gint)(copy->len - n) + 1);
      switch (g_test_rand_int_range (0, 3)) {
      case 0:
        g_byte_array_remove_range (copy, from, n);
        break;
      case 1:
        memmove (copy->data + to, copy->data + from, n);
        break;
      default: {
        g_autofree guint8 *piece = g_memdup2 (copy->data + from, n);
        g_byte_array_append (copy, piece, n);
        break;
      }
      }
      if (copy->len == 0)
        break;
    }
    read_anyhow (copy->data, copy->len);
  }
}

/* Messages inside messages, 100,000 deep, through every field that can hold itself. */
static void
test_nested (void)
{
  enum { DEPTH = 100000 };
  static const struct {
    guint outer; /* of the GraphProto, or of the ModelProto */
    bool in_graph;
    guint inner[2]; /* in turn */
  } cases[] = {
      {1, true, {5, 6}},   /* node, attribute, graph … */
      {11, true, {2, 4}},  /* input, type, sequence … */
      {5, true, {3, 3}},   /* initializer, segment … */
      {7, false, {1, 1}},  /* a second graph */
      {99, false, {1, 2}}, /* something unknown */
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    /* Built from the inside out: lengths in front, so the prefixes are gathered and turned round.
     */
    gsize length = 0;
    g_autoptr (GPtrArray) heads = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
    for (guint depth = 0; depth < DEPTH; depth++) {
      Emit *head = emit_new ();
      emit_tag (head, cases[i].inner[depth % 2], 2);
      emit_varint (head, length);
      length += head->len;
      g_ptr_array_add (heads, g_byte_array_free_to_bytes (head));
    }
    Emit *nest = emit_new ();
    for (guint depth = DEPTH; depth-- > 0;) {
      gsize size;
      const void *head = g_bytes_get_data (heads->pdata[depth], &size);
      g_byte_array_append (nest, head, (guint)size);
    }
    Emit *graph = emit_network ();
    if (cases[i].in_graph)
      emit_message (graph, cases[i].outer, nest);
    Emit *model = emit_model (graph, 13);
    if (!cases[i].in_graph)
      emit_message (model, cases[i].outer, nest);
    read_anyhow (model->data, model->len);
    g_byte_array_unref (model);
  }
}

/* 100,000 nodes one behind the other, in the wrong order: no recursion over the graph either. */
static void
test_deep_chain (void)
{
  enum { DEPTH = 100000 };
  static const gint64 dims[] = {1};
  Emit *graph = emit_new ();
  for (int i = DEPTH; i > 0; i--) {
    g_autofree char *from = g_strdup_printf ("v%d", i - 1);
    g_autofree char *to = g_strdup_printf ("v%d", i);
    emit_message (graph, 1, emit_node ("Relu", "", from, to));
  }
  emit_message (graph, 11, emit_value ("v0", 1, dims));
  emit_message (graph, 12, emit_value ("v100000", 1, dims));
  GError *error = NULL;
  g_autoptr (SlGraph) read = read_model (emit_model (graph, 13), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (read->nodes->len, ==, DEPTH);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx/malformed/no-models", test_no_models);
  g_test_add_func ("/onnx/malformed/random", test_random);
  g_test_add_func ("/onnx/malformed/truncated", test_truncated);
  g_test_add_func ("/onnx/malformed/flipped", test_flipped);
  g_test_add_func ("/onnx/malformed/spliced", test_spliced);
  g_test_add_func ("/onnx/malformed/nested", test_nested);
  g_test_add_func ("/onnx/malformed/deep-chain", test_deep_chain);
  return g_test_run ();
}
