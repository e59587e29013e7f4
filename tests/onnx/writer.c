#include "emit.h"

#include "graph/op.h"

#include <string.h>

static SlGraph *
read_back (GBytes *bytes, SlOnnxMeta *meta)
{
  GError *error = NULL;
  sl_onnx_meta_init (meta);
  SlGraph *graph = sl_onnx_read (bytes, "written.onnx", NULL, NULL, meta, &error);
  g_assert_no_error (error);
  return graph;
}

static void
assert_same_value (const SlValue *a, const SlValue *b)
{
  g_assert_true ((a == NULL) == (b == NULL));
  if (a == NULL)
    return;
  g_assert_cmpstr (a->name, ==, b->name);
  g_assert_cmpint (a->kind, ==, b->kind);
  g_assert_true (a->is_output == b->is_output);
  g_assert_true ((a->data == NULL) == (b->data == NULL));
  if (a->kind != SL_VALUE_ACTIVATION || a->is_output) {
    g_assert_cmpint (a->dtype, ==, b->dtype);
    g_assert_true (sl_shape_equal (&a->shape, &b->shape));
  }
  if (a->data != NULL)
    g_assert_cmpmem (sl_tensor_get_data (a->data), sl_tensor_get_size (a->data),
                     sl_tensor_get_data (b->data), sl_tensor_get_size (b->data));
}

static char *
print_attrs (const SlNode *node)
{
  GString *text = g_string_new (NULL);
  for (const SlAttrSpec *spec = node->op->attrs; spec != NULL && spec->name != NULL; spec++)
    if (spec->name[0] != '.')
      sl_attrs_print (spec, node->attrs, text);
  return g_string_free (text, FALSE);
}

/* Nodes in the same order, reading and making the same values with the same attributes.
 * `allow_unnamed`: the second may have dropped names that stand twice. */
static void
assert_same_graph (const SlGraph *a, const SlGraph *b, bool allow_unnamed)
{
  g_assert_cmpuint (a->nodes->len, ==, b->nodes->len);
  g_assert_cmpuint (a->inputs->len, ==, b->inputs->len);
  g_assert_cmpuint (a->outputs->len, ==, b->outputs->len);
  for (guint i = 0; i < a->inputs->len; i++)
    assert_same_value (a->inputs->pdata[i], b->inputs->pdata[i]);
  for (guint i = 0; i < a->outputs->len; i++)
    assert_same_value (a->outputs->pdata[i], b->outputs->pdata[i]);
  for (guint i = 0; i < a->nodes->len; i++) {
    const SlNode *x = a->nodes->pdata[i], *y = b->nodes->pdata[i];
    g_autofree char *x_attrs = print_attrs (x);
    g_autofree char *y_attrs = print_attrs (y);
    g_assert_true (x->op == y->op);
    if (y->name[0] != '\0' || !allow_unnamed)
      g_assert_cmpstr (x->name, ==, y->name);
    g_assert_cmpstr (x_attrs, ==, y_attrs);
    for (guint k = 0; k < MAX (x->n_inputs, y->n_inputs); k++)
      assert_same_value (sl_node_input (x, k), sl_node_input (y, k));
    for (guint k = 0; k < MIN (x->n_outputs, y->n_outputs); k++)
      assert_same_value (x->outputs[k], y->outputs[k]);
  }
}

/* Written and read, twice: the same graph, then the same bytes. */
static void
round_trip (SlGraph *graph, bool allow_unnamed)
{
  GError *error = NULL;
  SlOnnxMeta meta;
  g_autoptr (GBytes) first = sl_onnx_write (graph, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SlGraph) again = read_back (first, &meta);
  assert_same_graph (graph, again, allow_unnamed);
  g_autoptr (GBytes) second = sl_onnx_write (again, &meta, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (first, second));
  sl_onnx_meta_clear (&meta);
}

static void
test_network (void)
{
  GError *error = NULL;
  g_autoptr (SlGraph) graph = read_model (emit_model (emit_network (), 13), &error);
  g_assert_no_error (error);
  round_trip (graph, false);
}

/* A left-out input in the middle, one at the end, an attribute of each kind. */
static void
test_ends_and_attributes (void)
{
  static const gint64 dims[] = {1, 2, 4, 4};
  Emit *graph = emit_new ();
  emit_message (graph, 1, emit_node ("Clip", "clip", "x - six", "c"));
  Emit *pool = emit_node ("MaxPool", "pool", "c", "p");
  emit_attr_ints (pool, "kernel_shape", 2, (const gint64[]){2, 2});
  emit_attr_ints (pool, "strides", 2, (const gint64[]){2, 2});
  emit_attr_int (pool, "ceil_mode", 1);
  emit_message (graph, 1, pool);
  Emit *leaky = emit_node ("LeakyRelu", "leaky", "p", "l"), *alpha = emit_new ();
  emit_text (alpha, 1, "alpha");
  emit_float (alpha, 2, 0.25f);
  emit_int (alpha, 20, 1);
  emit_message (leaky, 5, alpha);
  emit_message (graph, 1, leaky);
  Emit *average = emit_node ("AveragePool", "average", "l", "a"), *same = emit_new ();
  emit_attr_ints (average, "kernel_shape", 2, (const gint64[]){2, 2});
  emit_text (same, 1, "auto_pad");
  emit_text (same, 4, "SAME_UPPER");
  emit_int (same, 20, 3);
  emit_message (average, 5, same);
  emit_message (graph, 1, average);
  Emit *concat = emit_node ("Concat", "concat", "a l", "y");
  emit_attr_int (concat, "axis", 0);
  emit_message (graph, 1, concat);
  const float six = 6;
  emit_message (graph, 5, emit_tensor ("six", 1, 0, NULL, &six, sizeof six));
  emit_message (graph, 11, emit_value ("x", 4, dims));
  emit_message (graph, 12, emit_value ("y", 4, (const gint64[]){-1, 2, 2, 2}));
  GError *error = NULL;
  g_autoptr (SlGraph) read = read_model (emit_model (graph, 13), &error);
  g_assert_no_error (error);
  round_trip (read, false);
}

/* What older opsets state as attributes comes back as inputs, once. */
static void
test_upgraded (void)
{
  static const gint64 dims[] = {1, 2, 4, 4};
  Emit *graph = emit_new ();
  Emit *mean = emit_node ("ReduceMean", "mean", "x", "m");
  emit_attr_ints (mean, "axes", 2, (const gint64[]){2, 3});
  emit_message (graph, 1, mean);
  Emit *squeeze = emit_node ("Squeeze", "squeeze", "m", "y");
  emit_attr_ints (squeeze, "axes", 2, (const gint64[]){2, 3});
  emit_message (graph, 1, squeeze);
  emit_message (graph, 11, emit_value ("x", 4, dims));
  emit_message (graph, 12, emit_value ("y", 2, dims));
  GError *error = NULL;
  g_autoptr (SlGraph) read = read_model (emit_model (graph, 9), &error);
  g_assert_no_error (error);
  round_trip (read, false);
}

static void
test_metadata (void)
{
  GError *error = NULL;
  g_autoptr (SlGraph) graph = read_model (emit_model (emit_network (), 13), &error);
  SlOnnxMeta meta, back;
  sl_onnx_meta_init (&meta);
  g_ptr_array_add (meta.keys, g_strdup ("sightline.labels"));
  g_ptr_array_add (meta.values, g_strdup ("one\ntwo"));
  g_ptr_array_add (meta.keys, g_strdup ("empty"));
  g_ptr_array_add (meta.values, g_strdup (""));
  g_autoptr (GBytes) bytes = sl_onnx_write (graph, &meta, &error);
  g_assert_no_error (error);
  g_autoptr (SlGraph) read = read_back (bytes, &back);
  g_assert_cmpuint (back.keys->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpstr (back.keys->pdata[i], ==, meta.keys->pdata[i]);
    g_assert_cmpstr (back.values->pdata[i], ==, meta.values->pdata[i]);
  }
  g_assert_cmpstr (back.producer, ==, "sightline");
  sl_onnx_meta_clear (&meta);
  sl_onnx_meta_clear (&back);
}

/* Constants that nothing reads any more stay behind. */
static void
test_unused (void)
{
  GError *error = NULL;
  SlOnnxMeta meta;
  g_autoptr (SlGraph) graph = read_model (emit_model (emit_network (), 13), &error);
  sl_graph_add_ints (graph, "unused", (const int64_t[]){1, 2}, 2);
  g_autoptr (GBytes) bytes = sl_onnx_write (graph, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SlGraph) read = read_back (bytes, &meta);
  g_assert_null (sl_graph_find_value (read, "unused"));
  sl_onnx_meta_clear (&meta);
}

/* ONNX Runtime refuses a file in which two nodes have one name. */
static void
test_names_once (void)
{
  static const gint64 dims[] = {2};
  Emit *graph = emit_new ();
  emit_message (graph, 1, emit_node ("Relu", "same", "x", "a"));
  emit_message (graph, 1, emit_node ("Relu", "same", "a", "y"));
  emit_message (graph, 11, emit_value ("x", 1, dims));
  emit_message (graph, 12, emit_value ("y", 1, dims));
  GError *error = NULL;
  SlOnnxMeta meta;
  g_autoptr (SlGraph) read = read_model (emit_model (graph, 13), &error);
  g_autoptr (GBytes) bytes = sl_onnx_write (read, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SlGraph) again = read_back (bytes, &meta);
  g_assert_cmpstr (((SlNode *)again->nodes->pdata[0])->name, ==, "same");
  g_assert_cmpstr (((SlNode *)again->nodes->pdata[1])->name, ==, "");
  sl_onnx_meta_clear (&meta);
}

static void
test_refused (void)
{
  GError *error = NULL;
  g_autoptr (SlGraph) graph = read_model (emit_model (emit_network (), 13), &error);
  SlNode *conv = g_ptr_array_index (graph->nodes, 0);
  conv->act.kind = SL_ACT_CLIP;
  g_assert_null (sl_onnx_write (graph, NULL, &error));
  check_error (g_steal_pointer (&error), SL_ERROR_UNSUPPORTED,
               "node conv (Conv): cannot be written to an ONNX file: with a fused activation");
  conv->act.kind = SL_ACT_NONE;
  sl_node_add_input (conv, conv->inputs[0]);
  g_assert_null (sl_onnx_write (graph, NULL, &error));
  check_error (g_steal_pointer (&error), SL_ERROR_UNSUPPORTED, "an input of Sightline's own");
  sl_node_set_input (conv, 3, NULL);
  conv->n_inputs--;

  const SlOpClass *internal = NULL;
  for (const SlOpClass *const *const *family = sl_op_families; *family != NULL; family++)
    for (const SlOpClass *const *op = *family; *op != NULL; op++)
      if ((*op)->domain != NULL && strcmp ((*op)->domain, SL_DOMAIN) == 0)
        internal = *op;
  g_assert_nonnull (internal);
  SlValue *output = sl_graph_add_value (graph, "extra", SL_VALUE_ACTIVATION);
  sl_graph_add_node (graph, internal, "own", NULL, 1, conv->inputs, 1, &output);
  g_assert_null (sl_onnx_write (graph, NULL, &error));
  check_error (error, SL_ERROR_UNSUPPORTED, "an internal operator");
}

/* Every network of the shared data whose operators exist. */
static void
test_real (void)
{
  const char *data = g_getenv ("SIGHTLINE_DATA");
  g_autofree char *folder = g_build_filename (data != NULL ? data : "", "models", NULL);
  GDir *dir = g_dir_open (folder, 0, NULL);
  if (dir == NULL) {
    g_test_skip ("SIGHTLINE_DATA has no models");
    return;
  }
  for (const char *name; (name = g_dir_read_name (dir)) != NULL;) {
    if (!g_str_has_suffix (name, ".onnx"))
      continue;
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autoptr (GError) error = NULL;
    g_autofree char *content = NULL;
    gsize size;
    g_assert_true (g_file_get_contents (path, &content, &size, NULL));
    g_autoptr (SlGraph) graph = read_bytes (content, size, NULL, &error);
    g_assert_no_error (error);
    round_trip (graph, true);
  }
  g_dir_close (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx/writer/network", test_network);
  g_test_add_func ("/onnx/writer/ends-and-attributes", test_ends_and_attributes);
  g_test_add_func ("/onnx/writer/upgraded", test_upgraded);
  g_test_add_func ("/onnx/writer/metadata", test_metadata);
  g_test_add_func ("/onnx/writer/unused", test_unused);
  g_test_add_func ("/onnx/writer/names-once", test_names_once);
  g_test_add_func ("/onnx/writer/refused", test_refused);
  g_test_add_func ("/onnx/writer/real", test_real);
  return g_test_run ();
}
