/* Rewrites on small networks: what is left of them, and that they compute the same. */
#include "graph/build.h"
#include "graph/everywhere.h"

#include <math.h>
#include <string.h>

static SlValue *
scalar (SlGraph *graph, double number)
{
  g_autoptr (SlTensor) tensor = sl_tensor_new (SL_FLOAT32, &(SlShape){.rank = 0}, NULL);
  *(float *)sl_tensor_get_data_writable (tensor) = (float)number;
  return sl_graph_add_tensor (graph, NULL, SL_VALUE_CONSTANT, tensor);
}

/* Network of one layer after a convolution of x (1, 3, 6, 5) with 8 channels. */
typedef SlValue *(*LayerFunc) (SlGraph *graph, SlValue *x);

typedef struct Case {
  const char *name;
  LayerFunc layer;
  const char *ops;  /* what is left */
  const char *runs; /* what a kernel runs for, NULL: all of it */
} Case;

static SlGraph *
network_of (LayerFunc layer)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 6, 5));
  SlValue *w = test_constant (graph, "w", SL_SHAPE (8, 3, 3, 3), 1);
  SlValue *conv = test_node (graph, "Conv", "conv", x, w, NULL);
  test_set_ints (conv, "pads", 4, (const int64_t[]){1, 1, 1, 1});
  sl_graph_mark_output (graph, layer (graph, conv));
  test_finish (graph);
  return graph;
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  SlGraph *graph = network_of (c->layer);
  g_autofree char *ops = test_list_ops (graph, false);
  g_autofree char *runs = test_list_ops (graph, true);
  g_assert_cmpstr (ops, ==, c->ops);
  g_assert_cmpstr (runs, ==, c->runs != NULL ? c->runs : c->ops);
  test_everywhere (graph, c->name);
}

/* --- Expressions --- */

static SlValue *
silu (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Mul", "y", test_node (graph, "Sigmoid", "gate", x, NULL), x, NULL);
}

static SlValue *
silu_of_other (SlGraph *graph, SlValue *x)
{
  SlValue *other = test_node (graph, "Abs", "other", x, NULL);
  return test_node (graph, "Mul", "y", test_node (graph, "Sigmoid", "gate", x, NULL), other, NULL);
}

static SlValue *
silu_with_gate_read (SlGraph *graph, SlValue *x)
{
  SlValue *gate = test_node (graph, "Sigmoid", "gate", x, NULL);
  sl_graph_mark_output (graph, gate);
  return test_node (graph, "Mul", "y", x, gate, NULL);
}

static SlValue *
mish (SlGraph *graph, SlValue *x)
{
  SlValue *plus = test_node (graph, "Softplus", "plus", x, NULL);
  return test_node (graph, "Mul", "y", x, test_node (graph, "Tanh", "gate", plus, NULL), NULL);
}

static SlValue *
hard_swish_by_sigmoid (SlGraph *graph, SlValue *x)
{
  SlValue *gate = test_node (graph, "HardSigmoid", "gate", x, NULL);
  test_set_float (gate, "alpha", 1 / 6.0F);
  return test_node (graph, "Mul", "y", x, gate, NULL);
}

/* alpha is not 1 / 6 */
static SlValue *
no_hard_swish (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Mul", "y", x, test_node (graph, "HardSigmoid", "gate", x, NULL), NULL);
}

static SlValue *
relu6_of_sum (SlGraph *graph, SlValue *x)
{
  SlValue *sum = test_node (graph, "Add", "sum", x, scalar (graph, 3), NULL);
  return test_node (graph, "Clip", "clip", sum, scalar (graph, 0), scalar (graph, 6), NULL);
}

static SlValue *
hard_swish_by_clip (SlGraph *graph, SlValue *x)
{
  SlValue *product = test_node (graph, "Mul", "product", x, relu6_of_sum (graph, x), NULL);
  return test_node (graph, "Div", "y", product, scalar (graph, 6), NULL);
}

static SlValue *
hard_swish_by_gate (SlGraph *graph, SlValue *x)
{
  SlValue *gate =
      test_node (graph, "Mul", "gate", relu6_of_sum (graph, x), scalar (graph, 1 / 6.0), NULL);
  return test_node (graph, "Mul", "y", gate, x, NULL);
}

static SlValue *
hard_sigmoid (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Div", "y", relu6_of_sum (graph, x), scalar (graph, 6), NULL);
}

static SlValue *
gelu (SlGraph *graph, SlValue *x)
{
  SlValue *inner = test_node (graph, "Div", "inner", x, scalar (graph, sqrt (2)), NULL);
  SlValue *erf = test_node (graph, "Erf", "erf", inner, NULL);
  SlValue *sum = test_node (graph, "Add", "sum", erf, scalar (graph, 1), NULL);
  SlValue *product = test_node (graph, "Mul", "product", x, sum, NULL);
  return test_node (graph, "Mul", "y", product, scalar (graph, 0.5), NULL);
}

static SlValue *
gelu_half_first (SlGraph *graph, SlValue *x)
{
  SlValue *inner = test_node (graph, "Mul", "inner", x, scalar (graph, sqrt (0.5)), NULL);
  SlValue *erf = test_node (graph, "Erf", "erf", inner, NULL);
  SlValue *sum = test_node (graph, "Add", "sum", scalar (graph, 1), erf, NULL);
  SlValue *half = test_node (graph, "Mul", "half", x, scalar (graph, 0.5), NULL);
  return test_node (graph, "Mul", "y", half, sum, NULL);
}

/* --- Powers --- */

static SlValue *
square (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Pow", "y", x, scalar (graph, 2), NULL);
}

static SlValue *
root_of_square (SlGraph *graph, SlValue *x)
{
  SlValue *one = test_node (graph, "Pow", "one", square (graph, x), scalar (graph, 1), NULL);
  return test_node (graph, "Pow", "root", one, scalar (graph, 0.5), NULL);
}

/* --- Channels on the last axis --- */

static SlValue *
transposed (SlGraph *graph, SlValue *x, const int64_t perm[4])
{
  SlValue *y = test_node (graph, "Transpose", NULL, x, NULL);
  test_set_ints (y, "perm", 4, perm);
  return y;
}

static const int64_t to_last[] = {0, 2, 3, 1}, to_first[] = {0, 3, 1, 2}, turned[] = {0, 1, 3, 2};

static SlValue *
dense_on_last_axis (SlGraph *graph, SlValue *x)
{
  SlValue *there = transposed (graph, x, to_last);
  SlValue *w = test_constant (graph, "dense", SL_SHAPE (8, 8), 2);
  SlValue *product = test_node (graph, "MatMul", "product", there, w, NULL);
  SlValue *sum = test_node (graph, "Add", "sum", product,
                            test_constant (graph, "bias", SL_SHAPE (8), 3), NULL);
  SlValue *scaled = test_node (graph, "Mul", "scaled", sum,
                               test_constant (graph, "scale", SL_SHAPE (8), 4), NULL);
  SlValue *act = test_node (graph, "Relu", "act", scaled, NULL);
  return test_node (graph, "Add", "y", transposed (graph, act, to_first), x, NULL);
}

static SlValue *
turned_picture (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Neg", "y", transposed (graph, x, turned), NULL);
}

static const Case cases[] = {
    {"silu", silu, "Conv", NULL},
    {"silu-of-other", silu_of_other, "Conv Abs Sigmoid Mul", NULL},
    {"silu-with-gate-read", silu_with_gate_read, "Conv Sigmoid Silu", NULL},
    {"mish", mish, "Conv Mish", NULL},
    {"hard-swish-by-sigmoid", hard_swish_by_sigmoid, "Conv", NULL},
    {"hard-swish-not", no_hard_swish, "Conv HardSigmoid Mul", NULL},
    {"hard-swish-by-clip", hard_swish_by_clip, "Conv", NULL},
    {"hard-swish-by-gate", hard_swish_by_gate, "Conv", NULL},
    {"hard-sigmoid", hard_sigmoid, "Conv HardSigmoid", NULL},
    {"gelu", gelu, "Conv Gelu", NULL},
    {"gelu-half-first", gelu_half_first, "Conv Gelu", NULL},
    {"square", square, "Conv Mul", NULL},
    {"root-of-square", root_of_square, "Conv Mul Sqrt", NULL},
    {"dense-on-last-axis", dense_on_last_axis, "Conv Transpose MatMul Transpose Add",
     "Conv MatMul Add"},
    {"turned-picture", turned_picture, "Conv Transpose Neg", NULL},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/passes/rewrites/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  return g_test_run ();
}
