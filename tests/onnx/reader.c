#include "emit.h"

#include "graph/op.h"

#include <string.h>

static const gint64 picture[] = {1, 3, 4, 4};

/* A graph of these nodes between x and y, all of shape `picture`. The list ends with NULL. */
static Emit *
graph_of (Emit *node, ...)
{
  Emit *graph = emit_new ();
  va_list nodes;
  va_start (nodes, node);
  for (; node != NULL; node = va_arg (nodes, Emit *))
    emit_message (graph, 1, node);
  va_end (nodes);
  emit_text (graph, 2, "g");
  emit_message (graph, 11, emit_value ("x", 4, picture));
  emit_message (graph, 12, emit_value ("y", 4, picture));
  return graph;
}

static Emit *
relu (const char *input, const char *output)
{
  return emit_node ("Relu", output, input, output);
}

static void
test_network (void)
{
  GError *error = NULL;
  g_autoptr (SlGraph) graph = read_model (emit_model (emit_network (), 13), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (graph->nodes->len, ==, 3);
  g_assert_cmpuint (graph->inputs->len, ==, 1);
  g_assert_cmpuint (graph->outputs->len, ==, 1);

  const SlNode *conv = g_ptr_array_index (graph->nodes, 0);
  const SlNode *sum = g_ptr_array_index (graph->nodes, 2);
  g_assert_cmpstr (conv->name, ==, "conv");
  g_assert_cmpstr (conv->op->name, ==, "Conv");
  g_assert_cmpuint (conv->n_inputs, ==, 3);
  g_assert_true (conv->inputs[0] == graph->inputs->pdata[0]);
  g_assert_cmpint (conv->inputs[0]->kind, ==, SL_VALUE_INPUT);
  g_assert_cmpint (conv->inputs[1]->kind, ==, SL_VALUE_CONSTANT);
  g_assert_cmpfloat (sl_tensor_get_double (conv->inputs[1]->data, 5), ==, -6);
  g_assert_cmpint (sum->inputs[1]->kind, ==, SL_VALUE_CONSTANT);
  g_assert_cmpuint (sum->inputs[1]->shape.rank, ==, 0);
  g_assert_true (sum->outputs[0] == graph->outputs->pdata[0]);
  g_assert_true (sl_shape_equal (&conv->inputs[0]->shape, &SL_SHAPE (1, 3, 4, 4)));
  g_assert_true (sl_shape_equal (&sum->outputs[0]->shape, &SL_SHAPE (1, 2, 4, 4)));
  g_assert_true (sl_graph_infer (graph, &error));
  g_assert_cmpstr (sl_onnx_output_op (graph, 0), ==, "Add");
}

/* Fields in any order, unknown fields, nodes behind what reads them, free dimensions. */
static void
test_order (void)
{
  static const gint64 free_shape[] = {-1, 3, 4, 4};
  GError *error = NULL;
  Emit *graph = emit_new ();
  emit_message (graph, 12, emit_value ("y", 4, free_shape));
  emit_int (graph, 1000, 5);
  emit_message (graph, 1, relu ("b", "y"));
  emit_message (graph, 1, relu ("a", "b"));
  emit_message (graph, 1, relu ("x", "a"));
  emit_message (graph, 11, emit_value ("x", 4, free_shape));
  g_autoptr (SlGraph) read = read_model (emit_model (graph, 13), &error);
  g_assert_no_error (error);
  const SlValue *x = g_ptr_array_index (read->inputs, 0);
  g_assert_cmpint (x->shape.dim[0], ==, -1);
  const SlNode *first = g_ptr_array_index (read->nodes, 0);
  g_assert_true (first->inputs[0] == x);
}

/* Before IR version 4 initialisers stand among the inputs as well. */
static void
test_listed_initializer (void)
{
  GError *error = NULL;
  Emit *graph = emit_network ();
  emit_message (graph, 11, emit_value ("b", 1, (const gint64[]){2}));
  g_autoptr (SlGraph) read = read_model (emit_model (graph, 9), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (read->inputs->len, ==, 1);
  g_assert_cmpint (sl_graph_find_value (read, "b")->kind, ==, SL_VALUE_CONSTANT);

  graph = emit_network ();
  emit_message (graph, 11, emit_value ("b", 1, (const gint64[]){3}));
  expect_refusal (emit_model (graph, 9), SL_ERROR_SHAPE, "initializer 'b' is float32 2");
}

static void
test_metadata (void)
{
  Emit *model = emit_model (emit_network (), 13), *entry = emit_new ();
  emit_text (entry, 1, "sightline.labels");
  emit_text (entry, 2, "cat\ndog");
  emit_message (model, 14, entry);
  emit_text (model, 3, "1.0");
  GError *error = NULL;
  SlOnnxMeta meta;
  sl_onnx_meta_init (&meta);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (model);
  g_autoptr (SlGraph) graph = sl_onnx_read (bytes, "m", NULL, NULL, &meta, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (meta.keys->len, ==, 1);
  g_assert_cmpstr (meta.keys->pdata[0], ==, "sightline.labels");
  g_assert_cmpstr (meta.values->pdata[0], ==, "cat\ndog");
  g_assert_cmpstr (meta.producer, ==, "emit 1.0");
  g_assert_cmpuint (meta.bytes, ==, g_bytes_get_size (bytes));
  sl_onnx_meta_clear (&meta);
}

/* The forms of Constant, with and without the attribute's stated type. */
static void
test_constants (void)
{
  static const struct {
    const char *name;
    guint field;
    int type;
    SlDType dtype;
    guint n;
  } cases[] = {
      {"value_int", 3, 2, SL_INT64, 1},
      {"value_float", 2, 1, SL_FLOAT32, 1},
      {"value_ints", 8, 7, SL_INT64, 2},
      {"value_floats", 7, 6, SL_FLOAT32, 2},
  };
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    const guint at = i / 2;
    Emit *constant = emit_node ("Constant", "", "", "c"), *attr = emit_new ();
    emit_text (attr, 1, cases[at].name);
    for (guint k = 0; k < cases[at].n; k++) {
      if (cases[at].dtype == SL_INT64)
        emit_int (attr, cases[at].field, 7);
      else
        emit_float (attr, cases[at].field, 7);
    }
    if (i % 2 == 0)
      emit_int (attr, 20, cases[at].type);
    emit_message (constant, 5, attr);
    GError *error = NULL;
    g_autoptr (SlGraph) graph =
        read_model (emit_model (graph_of (constant, relu ("x", "y"), NULL), 13), &error);
    g_assert_no_error (error);
    const SlValue *value = sl_graph_find_value (graph, "c");
    g_assert_cmpint (value->dtype, ==, cases[at].dtype);
    g_assert_cmpuint (value->shape.rank, ==, cases[at].n - 1);
    g_assert_cmpfloat (sl_tensor_get_double (value->data, cases[at].n - 1), ==, 7);
  }

  Emit *constant = emit_node ("Constant", "", "", "c"), *attr = emit_new ();
  emit_text (attr, 1, "value_string");
  emit_text (attr, 4, "text");
  emit_int (attr, 20, 3);
  emit_message (constant, 5, attr);
  expect_refusal (emit_model (graph_of (constant, relu ("x", "y"), NULL), 13), SL_ERROR_UNSUPPORTED,
                  "value_string");
  expect_refusal (emit_model (graph_of (emit_node ("Constant", "k", "", "c"), NULL), 13),
                  SL_ERROR_MALFORMED, "node 'k' (Constant)");
}

static void
test_missing_operators (void)
{
  Emit *custom = emit_node ("Fancy", "f", "x", "b");
  emit_text (custom, 7, "com.example");
  Emit *loop = emit_node ("Loop", "", "b", "d"), *body = emit_new ();
  emit_text (body, 1, "body");
  emit_message (body, 6, emit_new ());
  emit_int (body, 20, 5);
  emit_message (loop, 5, body);
  Emit *graph = graph_of (custom, emit_node ("NoSuch", "n1", "b", "c"), relu ("c", "e"), loop,
                          emit_node ("NoSuch", "n2", "e", "y"), NULL);
  GError *error = NULL;
  g_assert_null (read_model (emit_model (graph, 13), &error));
  g_assert_cmpstr (error->message, ==,
                   "test.onnx: 3 missing operators (opset 13): com.example.Fancy ('f'), "
                   "NoSuch ('n1', 'n2'), Loop ('d')");
  check_error (error, SL_ERROR_UNSUPPORTED, "");

  /* Many nodes of one operator are counted, not listed. */
  graph = emit_new ();
  for (int i = 0; i < 20; i++) {
    g_autofree char *name = g_strdup_printf ("n%d", i);
    emit_message (graph, 1, emit_node ("NoSuch", name, "x", name));
  }
  expect_refusal (emit_model (graph, 13), SL_ERROR_UNSUPPORTED, "'n7' and 12 more)");
}

static void
test_opsets (void)
{
  expect_refusal (emit_model (emit_network (), 0), SL_ERROR_MALFORMED, "version 0");
  expect_refusal (emit_model (emit_network (), 5), SL_ERROR_UNSUPPORTED,
                  "imports version 5 of ONNX's operators (expected 6 to 25)");
  expect_refusal (emit_model (emit_network (), 9999), SL_ERROR_UNSUPPORTED, "version 9999");
  expect_refusal (emit_model (emit_network (), -1), SL_ERROR_MALFORMED, "version -1");

  Emit *model = emit_model (emit_network (), 13), *again = emit_new ();
  emit_text (again, 1, "ai.onnx");
  emit_int (again, 2, 14);
  emit_message (model, 8, again);
  expect_refusal (model, SL_ERROR_MALFORMED, "twice");

  model = emit_new ();
  emit_int (model, 1, 8);
  emit_message (model, 7, emit_network ());
  expect_refusal (model, SL_ERROR_MALFORMED, "imports no version");

  model = emit_model (emit_network (), 13);
  emit_int (model, 1, 9999);
  expect_refusal (model, SL_ERROR_UNSUPPORTED, "has IR version 9999 (expected 1 to 13)");
  model = emit_model (emit_network (), 13);
  emit_int (model, 1, -1);
  expect_refusal (model, SL_ERROR_MALFORMED, "has no IR version");
}

/* Everything that names of tensors can get wrong. */
static void
test_names (void)
{
  expect_refusal (emit_model (graph_of (relu ("nowhere", "y"), NULL), 13), SL_ERROR_MALFORMED,
                  "node 'y' (Relu) at byte");
  expect_refusal (emit_model (graph_of (relu ("nowhere", "y"), NULL), 13), SL_ERROR_MALFORMED,
                  "input 0, 'nowhere',");
  expect_refusal (emit_model (graph_of (relu ("x", "a"), relu ("x", "a"), NULL), 13),
                  SL_ERROR_MALFORMED, "output 'a' is the name of another tensor");
  expect_refusal (emit_model (graph_of (relu ("x", "x"), NULL), 13), SL_ERROR_MALFORMED,
                  "output 'x' is the name of another tensor");
  expect_refusal (emit_model (graph_of (relu ("x", "z"), NULL), 13), SL_ERROR_MALFORMED,
                  "output 'y' at byte");
  expect_refusal (emit_model (graph_of (relu ("-", "y"), NULL), 13), SL_ERROR_MALFORMED,
                  "input 0 is left out");
  expect_refusal (emit_model (graph_of (relu ("x x", "y"), NULL), 13), SL_ERROR_MALFORMED,
                  "inputs");
  expect_refusal (
      emit_model (graph_of (relu ("b", "a"), relu ("a", "b"), relu ("b", "y"), NULL), 13),
      SL_ERROR_MALFORMED, "cycle");
  expect_refusal (emit_model (graph_of (relu ("y", "y"), NULL), 13), SL_ERROR_MALFORMED, "cycle");

  Emit *graph = graph_of (relu ("x", "y"), NULL);
  emit_message (graph, 12, emit_value ("y", 4, picture));
  expect_refusal (emit_model (graph, 13), SL_ERROR_MALFORMED, "stands twice");
  graph = graph_of (relu ("x", "y"), NULL);
  emit_message (graph, 11, emit_value ("x", 4, picture));
  expect_refusal (emit_model (graph, 13), SL_ERROR_MALFORMED, "input 'x' at byte");
  graph = emit_network ();
  emit_message (graph, 5, emit_tensor ("w", 1, 0, NULL, "1234", 4));
  expect_refusal (emit_model (graph, 13), SL_ERROR_MALFORMED, "two initializers 'w'");
  graph = emit_network ();
  emit_message (graph, 5, emit_tensor (NULL, 1, 0, NULL, "1234", 4));
  expect_refusal (emit_model (graph, 13), SL_ERROR_MALFORMED, "without name");
  graph = emit_new ();
  emit_message (graph, 1, relu ("x", "y"));
  emit_message (graph, 11, emit_value ("x", 4, picture));
  expect_refusal (emit_model (graph, 13), SL_ERROR_MALFORMED, "no outputs");
  expect_refusal (emit_model (graph_of (emit_node ("", "n", "x", "y"), NULL), 13),
                  SL_ERROR_MALFORMED, "node 'n' names no operator");
  expect_refusal (emit_model (graph_of (emit_node ("Relu", "a\nb", "x", "y"), NULL), 13),
                  SL_ERROR_MALFORMED, "control character");
}

static void
test_attributes (void)
{
  Emit *node = relu ("x", "y");
  emit_attr_int (node, "no_such", 1);
  expect_refusal (emit_model (graph_of (node, NULL), 13), SL_ERROR_UNSUPPORTED, "no_such");

  node = emit_node ("Flatten", "f", "x", "y");
  emit_attr_int (node, "axis", 1);
  emit_attr_int (node, "axis", 2);
  expect_refusal (emit_model (graph_of (node, NULL), 13), SL_ERROR_MALFORMED,
                  "attribute 'axis' stands twice");

  node = emit_node ("Flatten", "f", "x", "y");
  emit_attr_ints (node, "axis", 1, (const gint64[]){1});
  expect_refusal (emit_model (graph_of (node, NULL), 13), SL_ERROR_MALFORMED, "axis");

  /* States an integer, holds a float. */
  node = emit_node ("Flatten", "f", "x", "y");
  Emit *attr = emit_new ();
  emit_text (attr, 1, "axis");
  emit_float (attr, 2, 1);
  emit_int (attr, 20, 2);
  emit_message (node, 5, attr);
  expect_refusal (emit_model (graph_of (node, NULL), 13), SL_ERROR_MALFORMED,
                  "holds another kind than it states");

  node = emit_node ("Flatten", "f", "x", "y");
  attr = emit_new ();
  emit_text (attr, 1, "axis");
  emit_message (node, 5, attr);
  expect_refusal (emit_model (graph_of (node, NULL), 13), SL_ERROR_MALFORMED, "has no type");

  node = emit_node ("Flatten", "f", "x", "y");
  attr = emit_new ();
  emit_text (attr, 1, "axis");
  emit_message (attr, 6, emit_new ());
  emit_int (attr, 20, 5);
  emit_message (node, 5, attr);
  expect_refusal (emit_model (graph_of (node, NULL), 13), SL_ERROR_UNSUPPORTED, "is a subgraph");

  node = emit_node ("Flatten", "f", "x", "y");
  for (int i = 0; i < 300; i++)
    emit_attr_int (node, "axis", i);
  expect_refusal (emit_model (graph_of (node, NULL), 13), SL_ERROR_LIMIT,
                  "more than 256 attributes");
}

static void
test_refused_parts (void)
{
  static const struct {
    guint field;
    bool in_graph;
    const char *name;
  } cases[] = {
      {15, true, "sparse_initializer"},
      {20, false, "training_info"},
      {25, false, "functions"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Emit *graph = emit_network ();
    if (cases[i].in_graph)
      emit_message (graph, cases[i].field, emit_new ());
    Emit *model = emit_model (graph, 13);
    if (!cases[i].in_graph)
      emit_message (model, cases[i].field, emit_new ());
    expect_refusal (model, SL_ERROR_UNSUPPORTED, cases[i].name);
  }
}

/* A second input whose type is `type`. */
static Emit *
model_with_type (Emit *type)
{
  Emit *graph = emit_network (), *value = emit_new ();
  emit_text (value, 1, "second");
  if (type != NULL)
    emit_message (value, 2, type);
  emit_message (graph, 11, value);
  return emit_model (graph, 13);
}

static Emit *
tensor_type (int elem_type, guint rank, gint64 dim)
{
  Emit *type = emit_new (), *tensor = emit_new (), *shape = emit_new ();
  for (guint i = 0; i < rank; i++) {
    Emit *part = emit_new ();
    emit_int (part, 1, dim);
    emit_message (shape, 1, part);
  }
  emit_int (tensor, 1, elem_type);
  emit_message (tensor, 2, shape);
  emit_message (type, 1, tensor);
  return type;
}

static void
test_types (void)
{
  static const struct {
    guint field;
    const char *text;
  } kinds[] = {{4, "sequence"}, {5, "map"}, {8, "sparse"}, {9, "optional"}};
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    Emit *type = emit_new ();
    emit_message (type, kinds[i].field, emit_new ());
    expect_refusal (model_with_type (type), SL_ERROR_UNSUPPORTED, kinds[i].text);
  }
  expect_refusal (model_with_type (NULL), SL_ERROR_MALFORMED, "'second' at byte");
  expect_refusal (model_with_type (tensor_type (8, 1, 1)), SL_ERROR_UNSUPPORTED, "string");
  expect_refusal (model_with_type (tensor_type (77, 1, 1)), SL_ERROR_MALFORMED, "type 77");
  expect_refusal (model_with_type (tensor_type (1, 9, 1)), SL_ERROR_UNSUPPORTED, "8 dimensions");
  expect_refusal (model_with_type (tensor_type (1, 1, -7)), SL_ERROR_MALFORMED, "is -7");

  /* -1 is what some exporters write for a free dimension. */
  GError *error = NULL;
  g_autoptr (SlGraph) graph = read_model (model_with_type (tensor_type (1, 1, -1)), &error);
  g_assert_no_error (error);
  g_assert_false (sl_shape_is_known (&sl_graph_find_value (graph, "second")->shape));
}

static void
test_limits (void)
{
  g_autoptr (GByteArray) model = emit_model (emit_network (), 13);
  Emit *entry = emit_new ();
  emit_text (entry, 1, "key");
  emit_text (entry, 2, "value");
  emit_message (model, 14, entry);
  const struct {
    SlModelLimits limits;
    const char *text;
  } cases[] = {
      {{.file_bytes = model->len - 1}, "limit is"},
      {{.nodes = 3}, "more than 3 nodes"},
      {{.tensor_bytes = 23}, "'w': has 24 bytes, the limit is 23"},
      {{.node_ends = 2}, "more than 2 inputs or outputs"},
      {{.values = 3}, "more than 3 tensors"},
      {{.text_bytes = 4}, "has 5 bytes of text (limit is 4)"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    g_assert_null (read_bytes (model->data, model->len, &cases[i].limits, &error));
    check_error (error, SL_ERROR_LIMIT, cases[i].text);
  }
  const SlModelLimits enough = {.file_bytes = model->len, .nodes = 4, .tensor_bytes = 24};
  GError *error = NULL;
  g_autoptr (SlGraph) graph = read_bytes (model->data, model->len, &enough, &error);
  g_assert_no_error (error);
}

/* 16 tensors for each node that the limit allows, as initialisers or as outputs of a node. */
static void
test_tensor_limit (void)
{
  for (int form = 0; form < 2; form++) {
    const SlModelLimits limits = {.nodes = form == 0 ? 4 : 5};
    Emit *graph = emit_network (), *node = relu ("x", "t");
    for (int i = 0; i < 80; i++) {
      g_autofree char *name = g_strdup_printf ("t%d", i);
      if (form == 0)
        emit_message (graph, 5, emit_tensor (name, 1, 0, NULL, "1234", 4));
      else
        emit_text (node, 2, name);
    }
    if (form == 1)
      emit_message (graph, 1, g_byte_array_ref (node));
    g_byte_array_unref (node);
    g_autoptr (GByteArray) model = emit_model (graph, 13);
    GError *error = NULL;
    g_assert_null (read_bytes (model->data, model->len, &limits, &error));
    check_error (error, SL_ERROR_LIMIT,
                 form == 0 ? "more than 64 tensors" : "its nodes name more than 80 tensors");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx/reader/network", test_network);
  g_test_add_func ("/onnx/reader/order", test_order);
  g_test_add_func ("/onnx/reader/listed-initializer", test_listed_initializer);
  g_test_add_func ("/onnx/reader/metadata", test_metadata);
  g_test_add_func ("/onnx/reader/constants", test_constants);
  g_test_add_func ("/onnx/reader/missing-operators", test_missing_operators);
  g_test_add_func ("/onnx/reader/opsets", test_opsets);
  g_test_add_func ("/onnx/reader/names", test_names);
  g_test_add_func ("/onnx/reader/attributes", test_attributes);
  g_test_add_func ("/onnx/reader/refused-parts", test_refused_parts);
  g_test_add_func ("/onnx/reader/types", test_types);
  g_test_add_func ("/onnx/reader/limits", test_limits);
  g_test_add_func ("/onnx/reader/tensor-limit", test_tensor_limit);
  return g_test_run ();
}
