/* The gradient pass: sums over readers, broadcasting, what is not asked and what has none. Single
 * operators are checked by the tables in tests/ops (runner.c). */
#include "grad/grad.h"
#include "grad/numeric.h"
#include "grad/readme.h"
#include "graph/build.h"

#include <string.h>

/* The gradients of `loss` as numbers, at inputs that count 1, 2, 3 … */
static Numeric *
run (SlGraph *graph, SlValue *loss, SlValue *const *wanted, uint32_t n, SlValue **ret_gradients)
{
  g_autoptr (GError) error = NULL;
  test_finish (graph);
  sl_grad_append (graph, loss, wanted, n, ret_gradients, &error);
  g_assert_no_error (error);
  Numeric *numeric = numeric_new (graph);
  for (uint32_t i = 0; i < graph->inputs->len; i++) {
    SlRefTensor *x = numeric_get (numeric, graph->inputs->pdata[i]);
    for (size_t k = 0; k < x->n; k++)
      x->f[k] = (double)k + 1;
  }
  numeric_run (numeric, 0, graph->nodes->len);
  return numeric;
}

static void
expect (const Numeric *numeric, const SlValue *gradient, uint32_t n, const double *numbers)
{
  const SlRefTensor *got = numeric_get (numeric, gradient);
  g_assert_cmpuint (got->n, ==, n);
  for (uint32_t i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (got->f[i], numbers[i], 1e-12);
}

/* sum (x * x + x - x / 2): four readers, two of them one node. */
static void
test_readers (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (3)), *gradient;
  g_autoptr (SlTensor) two = sl_tensor_new_copy (SL_FLOAT32, &SL_SHAPE (1), &(float){2}, NULL);
  SlValue *c = sl_graph_add_tensor (graph, "two", SL_VALUE_CONSTANT, two);
  SlValue *sum =
      test_node (graph, "Add", "sum", test_node (graph, "Mul", "square", x, x, NULL), x, NULL);
  SlValue *y =
      test_node (graph, "Sub", "y", sum, test_node (graph, "Div", "half", x, c, NULL), NULL);
  SlValue *loss = test_node (graph, "ReduceSum", "loss", y, NULL);
  g_autoptr (Numeric) numeric = run (graph, loss, &x, 1, &gradient);
  expect (numeric, gradient, 3, (double[]){2.5, 4.5, 6.5});
}

/* A bias of one dimension, a factor of two, read by a matrix: both are summed down, and what both
 * sides repeat is, too. */
static void
test_broadcast (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2, 3));
  SlValue *bias = test_input (graph, "bias", SL_SHAPE (3));
  SlValue *factor = test_input (graph, "factor", SL_SHAPE (2, 1));
  SlValue *y =
      test_node (graph, "Add", "y", test_node (graph, "Mul", "p", x, factor, NULL), bias, NULL);
  SlValue *loss = test_node (graph, "ReduceSum", "loss", y, NULL);
  SlValue *wanted[] = {x, bias, factor}, *gradients[3];
  g_autoptr (Numeric) numeric = run (graph, loss, wanted, 3, gradients);
  for (uint32_t i = 0; i < 3; i++)
    g_assert_true (sl_shape_equal (&gradients[i]->shape, &wanted[i]->shape));
  expect (numeric, gradients[0], 6, (double[]){1, 1, 1, 2, 2, 2});
  expect (numeric, gradients[1], 3, (double[]){2, 2, 2});
  expect (numeric, gradients[2], 2, (double[]){6, 15});
}

/* An activation, what stands before it, the loss itself, one twice, one that the loss never reads,
 * one that it reads through integers only. */
static void
test_wanted (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2)),
          *apart = test_input (graph, "apart", SL_SHAPE (2));
  SlValue *cut = test_input (graph, "cut", SL_SHAPE (2));
  SlValue *half = test_node (graph, "Add", "half", x, x, NULL);
  SlValue *where = test_node (graph, "Greater", "where", cut, apart, NULL);
  SlValue *y = test_node (graph, "Where", "y", where, half,
                          test_node (graph, "Mul", "square", half, half, NULL), NULL);
  SlValue *loss = test_node (graph, "ReduceSum", "loss", y, NULL);
  SlValue *wanted[] = {half, x, loss, x, cut}, *gradients[5];
  g_autoptr (Numeric) numeric = run (graph, loss, wanted, 5, gradients);
  expect (numeric, gradients[0], 2, (double[]){4, 8});
  expect (numeric, gradients[1], 2, (double[]){8, 16});
  expect (numeric, gradients[2], 1, (double[]){1});
  g_assert_true (gradients[3] == gradients[1]);
  expect (numeric, gradients[4], 2, (double[]){0, 0});
}

/* What stands before all wanted values, or beside them, is not looked at. */
static void
test_only_between (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2, 2)),
          *w = test_input (graph, "w", SL_SHAPE (2, 2));
  SlValue *no = test_node (graph, "DynamicQuantizeLinear", "no", x, NULL);
  SlValue *before = test_node (graph, "DequantizeLinear", "before", no,
                               test_constant (graph, "scale", (SlShape){0}, 1), NULL);
  SlValue *y = test_node (graph, "MatMul", "y", before, w, NULL);
  SlValue *loss = test_node (graph, "ReduceSum", "loss", y, NULL), *gradient;
  test_finish (graph);
  uint32_t n_nodes = graph->nodes->len;
  g_assert_true (sl_grad_append (graph, loss, &w, 1, &gradient, NULL));
  g_assert_true (sl_shape_equal (&gradient->shape, &w->shape));
  /* One product, of w alone: x has no gradient and needs none. */
  uint32_t products = 0;
  for (uint32_t i = n_nodes; i < graph->nodes->len; i++)
    products += g_str_equal (((const SlNode *)graph->nodes->pdata[i])->op->name, "Gemm");
  g_assert_cmpuint (products, ==, 1);
}

static void
refuse (SlGraph *graph, SlValue *loss, SlValue *wanted, SlErrorCode code, const char *message)
{
  g_autoptr (GError) error = NULL;
  SlValue *gradient;
  test_finish (graph);
  g_assert_false (sl_grad_append (graph, loss, &wanted, 1, &gradient, &error));
  g_assert_error (error, SL_ERROR, (gint)code);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_refused (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2, 2));
  SlValue *scale = test_constant (graph, "scale", (SlShape){0}, 1);
  SlValue *bytes = test_node (graph, "QuantizeLinear", "bytes", x, scale, NULL);
  SlValue *back = test_node (graph, "DequantizeLinear", "back", bytes, scale, NULL);
  SlValue *loss = test_node (graph, "ReduceSum", "loss", back, NULL);
  refuse (graph, back, x, SL_ERROR_SHAPE, "the loss 'back' is 2x2, expected one number");
  refuse (graph, loss, bytes, SL_ERROR_UNSUPPORTED,
          "the gradient of 'bytes' is uint8, expected floats");
}

static void
test_refused_op (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2, 2)),
          *scale = test_input (graph, "s", (SlShape){0});
  SlValue *bytes = test_node (graph, "QuantizeLinear", "bytes", x, scale, NULL);
  SlValue *back = test_node (graph, "DequantizeLinear", "back", bytes, scale, NULL);
  SlValue *loss = test_node (graph, "ReduceSum", "loss", back, NULL);
  refuse (graph, loss, scale, SL_ERROR_UNSUPPORTED,
          "node back (DequantizeLinear): the op has no gradient");
}

/* engine/ops/README.md names all ops without a gradient, and no other. */
static void
test_list (void)
{
  g_autoptr (GHashTable) listed = readme_list ("Operators without a gradient");
  g_autoptr (GHashTable) partly = readme_list ("Forms without a gradient");
  uint32_t without = 0;
  for (const SlOpClass *const *const *family = sl_op_families; *family != NULL; family++)
    for (const SlOpClass *const *op = *family; *op != NULL; op++) {
      const bool is_listed = g_hash_table_contains (listed, (*op)->name);
      without += (*op)->gradient == NULL;
      if (is_listed != ((*op)->gradient == NULL))
        g_error ("%s %s a gradient, but is %slisted", (*op)->name, is_listed ? "has" : "has not",
                 is_listed ? "" : "not ");
      g_assert_false (is_listed && g_hash_table_contains (partly, (*op)->name));
    }
  g_assert_cmpuint (g_hash_table_size (listed), ==, without);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/grad/append/readers", test_readers);
  g_test_add_func ("/grad/append/broadcast", test_broadcast);
  g_test_add_func ("/grad/append/wanted", test_wanted);
  g_test_add_func ("/grad/append/only-between", test_only_between);
  g_test_add_func ("/grad/append/refused", test_refused);
  g_test_add_func ("/grad/append/refused-op", test_refused_op);
  g_test_add_func ("/grad/append/list", test_list);
  return g_test_run ();
}
