/* Building, ordering, cloning and printing graphs; attributes; tensors and shapes. */
#include "graph/build.h"

#include <string.h>

static uint32_t
position (const SlGraph *graph, const char *name)
{
  guint at = 0;
  g_assert_true (g_ptr_array_find (graph->nodes, test_find (graph, name), &at));
  return at;
}

static void
test_sort_order (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 4));
  SlValue *a = test_node (graph, "Relu", "a", x, NULL);
  SlValue *b = test_node (graph, "Relu", "b", a, NULL);
  /* Put in front of b afterwards: it runs directly before b, not at the end. */
  SlValue *c = test_node (graph, "Relu", "c", x, NULL);
  SlValue *late = test_node (graph, "Neg", "late", a, NULL);
  sl_node_set_input (b->producer, 0, late);
  sl_graph_mark_output (graph, b);
  sl_graph_mark_output (graph, c);
  test_finish (graph);
  g_assert_cmpuint (position (graph, "a"), ==, 0);
  g_assert_cmpuint (position (graph, "late"), ==, 1);
  g_assert_cmpuint (position (graph, "b"), ==, 2);
  g_assert_cmpuint (position (graph, "c"), ==, 3);
}

static void
test_sort_deep (void)
{
  /* Reversed, so that one visit goes through all of it: no C stack of that depth is needed. */
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1));
  SlValue *first = test_node (graph, "Relu", NULL, x, NULL), *later = first;
  for (int i = 0; i < 50000; i++) {
    SlValue *before = test_node (graph, "Relu", NULL, x, NULL);
    sl_node_set_input (later->producer, 0, before);
    later = before;
  }
  sl_graph_mark_output (graph, first);
  test_finish (graph);
  g_assert_true (graph->nodes->pdata[graph->nodes->len - 1] == first->producer);
}

static void
test_cycle (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  g_autoptr (GError) error = NULL;
  SlValue *x = test_input (graph, "x", SL_SHAPE (1));
  SlValue *a = test_node (graph, "Add", "a", x, x, NULL);
  SlValue *b = test_node (graph, "Relu", "b", a, NULL);
  sl_node_set_input (a->producer, 1, b);
  g_assert_false (sl_graph_sort (graph, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_assert_nonnull (strstr (error->message, "cycle"));
}

static void
test_missing_producer (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  g_autoptr (GError) error = NULL;
  SlValue *nowhere = sl_graph_add_value (graph, "nowhere", SL_VALUE_ACTIVATION);
  sl_graph_mark_output (graph, test_node (graph, "Relu", "a", nowhere, NULL));
  g_assert_false (sl_graph_sort (graph, &error));
  g_assert_nonnull (strstr (error->message, "nowhere"));
}

static void
test_replace_keeps_output_names (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2));
  SlValue *a = test_node (graph, "Relu", "a", x, NULL);
  SlValue *y = test_node (graph, "Neg", "y", a, NULL);
  sl_graph_mark_output (graph, y);
  sl_graph_replace_value (graph, y, a);
  g_assert_true (graph->outputs->pdata[0] == a);
  g_assert_cmpstr (a->name, ==, "y");
  g_assert_true (sl_graph_find_value (graph, "y") == a);
  g_assert_true (a->is_output && !y->is_output);
}

static void
test_clone (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 8, 8));
  SlValue *w = test_constant (graph, "w", SL_SHAPE (4, 3, 3, 3), 1);
  SlValue *y = test_node (graph, "Conv", "y", x, w, NULL);
  sl_graph_mark_output (graph, y);
  test_finish (graph);
  g_autofree char *before = sl_graph_print_text (graph);
  g_autoptr (SlGraph) copy = sl_graph_clone (graph);
  g_autofree char *after = sl_graph_print_text (copy);
  g_assert_cmpstr (before, ==, after);
  g_assert_true (sl_graph_find_value (copy, "w")->data == w->data);
  g_assert_true (sl_graph_find_value (copy, "y") != y);
  g_assert_nonnull (strstr (before, "1x4x6x6:float32 = Conv (x, w) kernel_shape=[3, 3]"));
}

/* Keras's numbers: sqrt (6 / (784 + 512)); sqrt (2 / 27) / 0.8796…; PyTorch's 1 / sqrt (16). */
static void
test_initializers (void)
{
  const SlInitializer *glorot = sl_initializer_find ("glorot_uniform");
  const SlInitializer *he = sl_initializer_find ("he_normal");
  const SlInitializer *pytorch = sl_initializer_find ("pytorch_uniform");
  g_assert_cmpfloat_with_epsilon (sl_initializer_get_size (glorot, 784, 512), 0.06804138, 1e-8);
  g_assert_cmpfloat_with_epsilon (sl_initializer_get_size (he, 27, 64), 0.30941063, 1e-7);
  g_assert_cmpfloat_with_epsilon (sl_initializer_get_size (pytorch, 16, 1), 0.25, 1e-12);
  g_assert_cmpfloat (sl_initializer_get_size (sl_initializer_find ("ones"), 3, 5), ==, 1);
  g_assert_null (sl_initializer_find ("glorot"));
  for (size_t i = 0; sl_initializer_list (i) != NULL; i++)
    g_assert_true (sl_initializer_find (sl_initializer_list (i)->name) == sl_initializer_list (i));

  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *weights = sl_graph_add_value (graph, "w", SL_VALUE_PARAMETER);
  weights->initializer = glorot;
  weights->fan_in = 784;
  weights->fan_out = 512;
  g_autoptr (SlGraph) clone = sl_graph_clone (graph);
  const SlValue *twin = sl_graph_find_value (clone, "w");
  g_assert_true (twin->initializer == glorot);
  g_assert_cmpfloat (twin->fan_in, ==, 784);
  g_assert_cmpfloat (twin->fan_out, ==, 512);
}

static void
test_names (void)
{
  /* A name that is taken gets a number, and stays as short when it is derived from once more. */
  g_autoptr (SlGraph) graph = sl_graph_new ();
  const char *wish = "w";
  for (int i = 0; i < 1000; i++) {
    SlValue *value = sl_graph_add_value (graph, wish, SL_VALUE_ACTIVATION);
    g_assert_true (sl_graph_find_value (graph, value->name) == value);
    wish = value->name;
  }
  g_assert_cmpstr (wish, ==, "w.999");
  g_assert_cmpstr (sl_graph_add_value (graph, "v.2", SL_VALUE_ACTIVATION)->name, ==, "v.2");
  g_assert_cmpstr (sl_graph_add_value (graph, ".5", SL_VALUE_ACTIVATION)->name, ==, ".5");
}

static void
test_dot (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "in\"put", SL_SHAPE (2));
  sl_graph_mark_output (graph, test_node (graph, "Relu", "y", x, NULL));
  test_finish (graph);
  g_autofree char *dot = sl_graph_print_dot (graph);
  g_assert_true (g_str_has_prefix (dot, "digraph sightline {\n"));
  g_assert_nonnull (strstr (dot, "in\\\"put"));
  g_assert_nonnull (strstr (dot, "Relu"));
}

static void
test_shapes (void)
{
  size_t n = 99;
  SlShape broadcast;
  g_assert_true (sl_shape_get_elements (&SL_SHAPE (2, 3), &n));
  g_assert_cmpuint (n, ==, 6);
  g_assert_true (sl_shape_get_elements (&(SlShape){0}, &n));
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (sl_shape_get_elements (&SL_SHAPE (2, -1), &n));
  g_assert_false (sl_shape_get_elements (&SL_SHAPE (INT64_MAX, 2), &n));
  g_assert_false (sl_shape_get_elements (&SL_SHAPE (1 << 30, 1 << 30, 4), &n));
  /* An empty tensor has strides, so its other dimensions have to fit all the same. */
  g_assert_true (sl_shape_get_elements (&SL_SHAPE (1 << 30, 0, 5), &n));
  g_assert_cmpuint (n, ==, 0);
  g_assert_false (sl_shape_get_elements (&SL_SHAPE (INT64_MAX, 0, 2), &n));
  g_assert_false (sl_shape_get_elements (&SL_SHAPE (0, -1), &n));

  g_assert_true (sl_shape_broadcast (&SL_SHAPE (4, 1, 5), &SL_SHAPE (3, 1), &broadcast));
  g_assert_true (sl_shape_equal (&broadcast, &SL_SHAPE (4, 3, 5)));
  g_assert_false (sl_shape_broadcast (&SL_SHAPE (4, 2), &SL_SHAPE (3), &broadcast));
}

/* One operator between inputs a, b and output y; NULL in `inputs`: left out. */
static gboolean
import (const char *op_type, uint32_t n_inputs, SlValue *const *inputs, SlGraph *graph,
        GError **error)
{
  const SlOnnxForm *form;
  const SlOpClass *op = sl_op_find_onnx ("", op_type, 17, &form);
  SlValue *output = sl_graph_add_value (graph, "y", SL_VALUE_ACTIVATION);
  SlImport im = {.graph = graph,
                 .name = "it",
                 .op_type = op_type,
                 .opset = 17,
                 .n_inputs = n_inputs,
                 .n_outputs = 1,
                 .inputs = inputs,
                 .outputs = &output};
  return form->import != NULL ? form->import (&im, op, error) : sl_import_default (&im, op, error);
}

static void
test_left_out_inputs (void)
{
  const char *const ops[] = {"Concat", "Mean", "Max", "Relu"};
  for (size_t i = 0; i < G_N_ELEMENTS (ops); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SlGraph) graph = sl_graph_new ();
    SlValue *x = test_input (graph, "x", SL_SHAPE (2));
    SlValue *inputs[] = {i == 3 ? NULL : x, NULL, x};
    g_assert_false (import (ops[i], i == 3 ? 1 : 3, inputs, graph, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
    g_assert_nonnull (strstr (error->message, "left out"));
  }
}

static void
test_output_that_nothing_computes (void)
{
  /* Saved statistics exist only in training. */
  g_autoptr (GError) error = NULL;
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *inputs[5] = {test_input (graph, "x", SL_SHAPE (1, 4, 2, 2))}, *outputs[5] = {NULL};
  for (uint32_t i = 1; i < 5; i++)
    inputs[i] = test_constant (graph, NULL, SL_SHAPE (4), i);
  outputs[0] = sl_graph_add_value (graph, "y", SL_VALUE_ACTIVATION);
  outputs[4] = sl_graph_add_value (graph, "saved", SL_VALUE_ACTIVATION);
  SlNode *node = sl_graph_add_node (graph, sl_op_find ("BatchNormalization"), "norm", NULL, 5,
                                    inputs, 5, outputs);
  g_assert_false (sl_node_infer (node, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "saved"));
}

static void
test_windows_that_do_not_fit (void)
{
  /* Numbers of an adversary: products of them do not fit an int64, or what kernels count with. */
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 4, 8, 8));
  SlValue *w = test_constant (graph, "w", SL_SHAPE (4, 3, 3, 3), 1);
  SlValue *conv = test_node (graph, "Conv", "conv", x, w, NULL);
  test_set_int (conv, "group", INT64_MAX);
  SlValue *empty = test_node (graph, "Conv", "empty", test_input (graph, "z", SL_SHAPE (1, 0, 8)),
                              test_constant (graph, "v", SL_SHAPE (0, 0, 3), 1), NULL);
  test_set_int (empty, "group", (int64_t)1 << 32);
  SlValue *pool = test_node (graph, "MaxPool", "pool", x, NULL);
  test_set_ints (pool, "kernel_shape", 2, (const int64_t[]){1 << 24, 1});
  test_set_ints (pool, "dilations", 2, (const int64_t[]){1 << 24, 1});
  test_set_string (pool, "auto_pad", "SAME_UPPER");
  SlValue *refused[] = {conv, empty, pool};
  for (size_t i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (sl_node_infer (refused[i]->producer, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  }
}

static void
test_tensor_bytes (void)
{
  g_autoptr (GError) error = NULL;
  float numbers[] = {1, 2, 3};
  g_autoptr (GBytes) bytes = g_bytes_new (numbers, sizeof numbers);
  g_autoptr (SlTensor) whole = sl_tensor_new_bytes (SL_FLOAT32, &SL_SHAPE (3), bytes, 0, &error);
  g_assert_no_error (error);
  g_assert_true (sl_tensor_get_data (whole) == g_bytes_get_data (bytes, NULL));
  g_autoptr (SlTensor) odd = sl_tensor_new_bytes (SL_FLOAT32, &SL_SHAPE (2), bytes, 1, &error);
  g_assert_no_error (error);
  g_assert_true ((uintptr_t)sl_tensor_get_data (odd) % 4 == 0);
  g_assert_null (sl_tensor_new_bytes (SL_FLOAT32, &SL_SHAPE (3), bytes, 4, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (sl_tensor_new_bytes (SL_FLOAT32, &SL_SHAPE (1), bytes, G_MAXSIZE - 1, &error));
  g_clear_error (&error);
  g_assert_null (sl_tensor_new (SL_FLOAT32, &SL_SHAPE (-1), &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
}

static void
test_attr_errors (void)
{
  const SlOpClass *conv = sl_op_find ("Conv");
  g_autofree void *attrs = g_malloc0 (conv->attrs_size);
  int64_t many[SL_INTS_MAX + 1] = {0};
  sl_attrs_init (conv->attrs, attrs);
  const struct {
    SlRawAttr raw;
    SlErrorCode code;
  } cases[] = {
      {{.name = (char *)"group", .type = SL_RAW_FLOAT}, SL_ERROR_MALFORMED},
      {{.name = (char *)"strides", .type = SL_RAW_INT}, SL_ERROR_MALFORMED},
      {{.name = (char *)"strides", .type = SL_RAW_INTS, .n = SL_INTS_MAX + 1, .ints = many},
       SL_ERROR_LIMIT},
      {{.name = (char *)"auto_pad", .type = SL_RAW_STRING, .s = (char *)"SAME"},
       SL_ERROR_UNSUPPORTED},
      {{.name = (char *)"colour", .type = SL_RAW_INT}, SL_ERROR_UNSUPPORTED},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (sl_attrs_set (conv->attrs, attrs, &cases[i].raw, &error));
    g_assert_error (error, SL_ERROR, (int)cases[i].code);
    g_assert_nonnull (strstr (error->message, cases[i].raw.name));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/sort/order", test_sort_order);
  g_test_add_func ("/graph/sort/deep", test_sort_deep);
  g_test_add_func ("/graph/sort/cycle", test_cycle);
  g_test_add_func ("/graph/sort/missing-producer", test_missing_producer);
  g_test_add_func ("/graph/replace/output-names", test_replace_keeps_output_names);
  g_test_add_func ("/graph/clone", test_clone);
  g_test_add_func ("/graph/initializers", test_initializers);
  g_test_add_func ("/graph/names", test_names);
  g_test_add_func ("/graph/dot", test_dot);
  g_test_add_func ("/graph/shapes", test_shapes);
  g_test_add_func ("/graph/import/left-out-inputs", test_left_out_inputs);
  g_test_add_func ("/graph/infer/output-that-nothing-computes", test_output_that_nothing_computes);
  g_test_add_func ("/graph/infer/windows-that-do-not-fit", test_windows_that_do_not_fit);
  g_test_add_func ("/graph/tensor/bytes", test_tensor_bytes);
  g_test_add_func ("/graph/attrs/errors", test_attr_errors);
  return g_test_run ();
}
