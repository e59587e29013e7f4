/* A small network of everything that pictures are classified with: the gradients of all its
 * parameters on the CPU, as the passes leave them, against the reference, on one thread and on
 * three.
 */
#include "grad/grad.h"
#include "grad/on_cpu.h"
#include "graph/build.h"

#include <math.h>
#include <string.h>

static SlValue *
conv (SlGraph *graph, GPtrArray *wanted, const char *name, SlValue *x, SlShape weights)
{
  g_autofree char *w = g_strconcat (name, ".w", NULL), *b = g_strconcat (name, ".b", NULL);
  g_ptr_array_add (wanted, test_input (graph, w, weights));
  g_ptr_array_add (wanted, test_input (graph, b, SL_SHAPE (weights.dim[0])));
  SlValue *y = test_node (graph, "Conv", name, x, wanted->pdata[wanted->len - 2],
                          wanted->pdata[wanted->len - 1], NULL);
  const int64_t pad = weights.dim[2] / 2;
  test_set_ints (y, "pads", 4, (const int64_t[]){pad, pad, pad, pad});
  return y;
}

/* Two branches joined, a residual, an average over everything, a product; its logits. */
static SlValue *
add_layers (SlGraph *graph, GPtrArray *wanted, SlValue *x)
{
  SlValue *stem =
      test_node (graph, "Relu", "r0", conv (graph, wanted, "stem", x, SL_SHAPE (8, 3, 3, 3)), NULL);
  SlValue *pool = test_node (graph, "MaxPool", "pool", stem, NULL);
  test_set_ints (pool, "kernel_shape", 2, (const int64_t[]){3, 3});
  test_set_ints (pool, "strides", 2, (const int64_t[]){2, 2});
  SlValue *left = test_node (graph, "Relu", "r1",
                             conv (graph, wanted, "left", pool, SL_SHAPE (5, 8, 1, 1)), NULL);
  SlValue *right = test_node (graph, "LeakyRelu", "r2",
                              conv (graph, wanted, "right", pool, SL_SHAPE (7, 8, 3, 3)), NULL);
  SlValue *both = test_node (graph, "Concat", "both", left, right, NULL);
  test_set_int (both, "axis", 1);
  SlValue *more = conv (graph, wanted, "more", test_node (graph, "Tanh", "tanh", both, NULL),
                        SL_SHAPE (12, 12, 3, 3));
  SlValue *sum =
      test_node (graph, "Relu", "r3", test_node (graph, "Add", "sum", more, both, NULL), NULL);
  SlValue *mean = test_node (graph, "GlobalAveragePool", "mean", sum, NULL);
  g_ptr_array_add (wanted, test_input (graph, "fc.w", SL_SHAPE (12, 10)));
  g_ptr_array_add (wanted, test_input (graph, "fc.b", SL_SHAPE (10)));
  SlValue *fc = test_node (graph, "MatMul", "fc", test_node (graph, "Flatten", "flat", mean, NULL),
                           wanted->pdata[wanted->len - 2], NULL);
  return test_node (graph, "Add", "logits", fc, wanted->pdata[wanted->len - 1], NULL);
}

static SlGraph *
outputs_only (const SlGraph *graph, SlValue *const *gradients, uint32_t n)
{
  SlGraph *clone = sl_graph_clone (graph);
  for (uint32_t i = 0; i < n; i++)
    sl_graph_mark_output (clone, clone->values->pdata[gradients[i]->id]);
  return clone;
}

static void
compare (const char *what, const SlTensor *got, const SlRefTensor *wanted)
{
  double largest = 0;
  for (size_t i = 0; i < wanted->n; i++)
    largest = fmax (largest, fabs (wanted->f[i]));
  g_assert_cmpfloat (largest, >, 1e-4);
  for (size_t i = 0; i < wanted->n; i++)
    if (!(fabs (sl_tensor_get_double (got, i) - wanted->f[i]) <= 2e-5 * largest))
      g_error ("%s: element %zu is %.9g, expected %.9g within %g", what, i,
               sl_tensor_get_double (got, i), wanted->f[i], 2e-5 * largest);
}

static void
test_network (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlGraph) graph = sl_graph_new ();
  g_autoptr (GPtrArray) wanted = g_ptr_array_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (3, 3, 17, 15));
  SlValue *target = test_input (graph, "target", SL_SHAPE (3, 10));
  SlValue *scores = test_node (graph, "LogSoftmax", "scores", add_layers (graph, wanted, x), NULL);
  SlValue *loss = test_node (graph, "ReduceSum", "loss",
                             test_node (graph, "Mul", "each", scores, target, NULL), NULL);
  SlValue *gradients[16];
  g_assert_cmpuint (wanted->len, <=, G_N_ELEMENTS (gradients));
  test_finish (graph);
  sl_grad_append (graph, loss, (SlValue **)wanted->pdata, wanted->len, gradients, &error);
  g_assert_no_error (error);

  g_autoptr (Numeric) numeric = numeric_new (graph);
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  for (uint32_t i = 0; i < graph->inputs->len; i++) {
    SlRefTensor *tensor = numeric_get (numeric, graph->inputs->pdata[i]);
    for (size_t k = 0; k < tensor->n; k++)
      tensor->f[k] = g_rand_double_range (rand, -0.5, 0.5);
    sl_ref_round (tensor);
  }
  numeric_run (numeric, 0, graph->nodes->len);
  g_autoptr (GPtrArray) one =
      run_on_cpu (outputs_only (graph, gradients, wanted->len), numeric, true, 1);
  g_autoptr (GPtrArray) three =
      run_on_cpu (outputs_only (graph, gradients, wanted->len), numeric, true, 3);
  for (uint32_t i = 0; i < wanted->len; i++) {
    const SlTensor *a = one->pdata[i], *b = three->pdata[i];
    compare (((const SlValue *)wanted->pdata[i])->name, a, numeric_get (numeric, gradients[i]));
    g_assert_cmpmem (sl_tensor_get_data (a), sl_tensor_get_size (a), sl_tensor_get_data (b),
                     sl_tensor_get_size (b));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/grad/network", test_network);
  return g_test_run ();
}
