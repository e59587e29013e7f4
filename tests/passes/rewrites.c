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

/* Mean and deviation over the last axes of x in NHWC; `square` by Pow or by a product. */
static SlValue *
normalized (SlGraph *graph, SlValue *x, uint32_t n, const int64_t *axes, bool pow)
{
  SlValue *over = sl_graph_add_ints (graph, NULL, axes, n);
  SlValue *mean = test_node (graph, "ReduceMean", NULL, x, over, NULL);
  SlValue *centred = test_node (graph, "Sub", NULL, x, mean, NULL);
  SlValue *square = pow ? test_node (graph, "Pow", NULL, centred, scalar (graph, 2), NULL)
                        : test_node (graph, "Mul", NULL, centred, centred, NULL);
  SlValue *variance = test_node (graph, "ReduceMean", NULL, square, over, NULL);
  SlValue *above = test_node (graph, "Add", NULL, variance, scalar (graph, 1e-5), NULL);
  return test_node (graph, "Div", NULL, centred, test_node (graph, "Sqrt", NULL, above, NULL),
                    NULL);
}

static SlValue *
nhwc (SlGraph *graph, SlValue *x)
{
  SlValue *y = test_node (graph, "Transpose", NULL, x, NULL);
  test_set_ints (y, "perm", 4, (const int64_t[]){0, 2, 3, 1});
  return y;
}

static SlValue *
layer_norm (SlGraph *graph, SlValue *x)
{
  SlValue *y = normalized (graph, nhwc (graph, x), 1, (const int64_t[]){-1}, true);
  SlValue *scaled =
      test_node (graph, "Mul", NULL, y, test_constant (graph, "gamma", SL_SHAPE (8), 7), NULL);
  return test_node (graph, "Add", "y", scaled, test_constant (graph, "beta", SL_SHAPE (8), 8),
                    NULL);
}

static SlValue *
layer_norm_without_shift (SlGraph *graph, SlValue *x)
{
  SlValue *y = normalized (graph, nhwc (graph, x), 2, (const int64_t[]){2, 3}, false);
  return test_node (graph, "Mul", "y", test_constant (graph, "gamma", SL_SHAPE (5, 8), 7), y, NULL);
}

/* Not over the last axes. */
static SlValue *
no_layer_norm (SlGraph *graph, SlValue *x)
{
  SlValue *y = normalized (graph, nhwc (graph, x), 1, (const int64_t[]){2}, false);
  return test_node (graph, "Mul", "y", y, test_constant (graph, "gamma", SL_SHAPE (8), 7), NULL);
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

/* --- Borders --- */

static SlValue *
padded (SlGraph *graph, SlValue *x, const int64_t pads[8], double number)
{
  SlValue *amounts = sl_graph_add_ints (graph, NULL, pads, 8);
  return test_node (graph, "Pad", NULL, x, amounts, scalar (graph, number), NULL);
}

static const int64_t nothing[8], border[] = {0, 0, 1, 2, 0, 0, 2, 1},
                                 cut[] = {0, 0, -1, 0, 0, 0, 0, 0},
                                 channels[] = {0, 1, 0, 0, 0, 0, 0, 0};

static SlValue *
no_padding (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Exp", "y", padded (graph, x, nothing, 7), NULL);
}

static SlValue *
conv_of (SlGraph *graph, SlValue *x, int64_t in)
{
  SlValue *w = test_constant (graph, "w2", SL_SHAPE (4, in, 3, 3), 5);
  SlValue *y = test_node (graph, "Conv", "y", x, w, NULL);
  test_set_ints (y, "pads", 4, (const int64_t[]){1, 1, 1, 1});
  return y;
}

static SlValue *
conv_of_border (SlGraph *graph, SlValue *x)
{
  return conv_of (graph, padded (graph, x, border, 0), 8);
}

static SlValue *
conv_of_ones (SlGraph *graph, SlValue *x)
{
  return conv_of (graph, padded (graph, x, border, 1), 8);
}

static SlValue *
conv_of_cut (SlGraph *graph, SlValue *x)
{
  return conv_of (graph, padded (graph, x, cut, 0), 8);
}

static SlValue *
conv_of_more_channels (SlGraph *graph, SlValue *x)
{
  return conv_of (graph, padded (graph, x, channels, 0), 9);
}

static SlValue *
average_of (SlGraph *graph, SlValue *x)
{
  SlValue *y = test_node (graph, "AveragePool", "y", padded (graph, x, border, 0), NULL);
  test_set_ints (y, "kernel_shape", 2, (const int64_t[]){3, 3});
  return y;
}

/* Zeros count, but those of the pool do not. */
static SlValue *
average_with_own_pads (SlGraph *graph, SlValue *x)
{
  SlValue *y = average_of (graph, x);
  test_set_ints (y, "pads", 4, (const int64_t[]){1, 0, 0, 0});
  return y;
}

/* A border's zeros may be larger than all there is; a pool's own border never is. */
static SlValue *
maximum_of (SlGraph *graph, SlValue *x)
{
  SlValue *y = test_node (graph, "MaxPool", "y", padded (graph, x, border, 0), NULL);
  test_set_ints (y, "kernel_shape", 2, (const int64_t[]){3, 3});
  return y;
}

/* --- Channels exchanged, cut, joined --- */

static SlValue *
part (SlGraph *graph, SlValue *x, int64_t first, int64_t last)
{
  return test_node (graph, "Slice", NULL, x, sl_graph_add_ints (graph, NULL, &first, 1),
                    sl_graph_add_ints (graph, NULL, &last, 1),
                    sl_graph_add_ints (graph, NULL, (const int64_t[]){1}, 1), NULL);
}

static SlValue *
exchanged (SlGraph *graph, SlValue *x, int64_t groups, const int64_t perm[5])
{
  const int64_t wide[] = {1, groups, 8 / groups, 6, 5}, narrow[] = {1, 8, 6, 5};
  SlValue *split =
      test_node (graph, "Reshape", NULL, x, sl_graph_add_ints (graph, NULL, wide, 5), NULL);
  SlValue *turn = test_node (graph, "Transpose", NULL, split, NULL);
  test_set_ints (turn, "perm", 5, perm);
  return test_node (graph, "Reshape", NULL, turn, sl_graph_add_ints (graph, NULL, narrow, 4), NULL);
}

static SlValue *
shuffle (SlGraph *graph, SlValue *x)
{
  SlValue *y = exchanged (graph, x, 2, (const int64_t[]){0, 2, 1, 3, 4});
  return test_node (graph, "Exp", "y", y, NULL);
}

static SlValue *
shuffle_of_four (SlGraph *graph, SlValue *x)
{
  return exchanged (graph, x, 4, (const int64_t[]){0, 2, 1, 3, 4});
}

static SlValue *
no_shuffle (SlGraph *graph, SlValue *x)
{
  return exchanged (graph, x, 2, (const int64_t[]){0, 2, 1, 4, 3});
}

/* ShuffleNet's unit: half the channels go round the convolution. */
static SlValue *
shuffle_unit (SlGraph *graph, SlValue *x)
{
  SlValue *mixed = exchanged (graph, x, 2, (const int64_t[]){0, 2, 1, 3, 4});
  SlValue *conv = conv_of (graph, part (graph, mixed, 4, 8), 4);
  SlValue *y = test_node (graph, "Concat", "joint", part (graph, mixed, 0, 4), conv, NULL);
  test_set_int (y, "axis", 1);
  return test_node (graph, "Exp", "z", y, NULL);
}

static SlValue *
whole_slice (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Exp", "y", part (graph, x, 0, 8), NULL);
}

static SlValue *
dense_block (SlGraph *graph, SlValue *x)
{
  SlValue *a = conv_of (graph, x, 8);
  SlValue *joint = test_node (graph, "Concat", "joint", x, a, NULL);
  test_set_int (joint, "axis", 1);
  SlValue *w = test_constant (graph, "w3", SL_SHAPE (4, 12, 1, 1), 6);
  SlValue *b = test_node (graph, "Conv", "b", joint, w, NULL);
  SlValue *all = test_node (graph, "Concat", "all", x, a, b, NULL);
  test_set_int (all, "axis", 1);
  return test_node (graph, "Exp", "z", all, NULL);
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
    {"layer-norm", layer_norm, "Conv Transpose LayerNormalization", "Conv LayerNormalization"},
    {"layer-norm-without-shift", layer_norm_without_shift, "Conv Transpose LayerNormalization",
     "Conv LayerNormalization"},
    {"layer-norm-not", no_layer_norm,
     "Conv Transpose ReduceMean Sub Mul ReduceMean Add Sqrt Div Mul",
     "Conv ReduceMean Sub Mul ReduceMean Add Sqrt Div Mul"},
    {"square", square, "Conv Mul", NULL},
    {"root-of-square", root_of_square, "Conv Mul Sqrt", NULL},
    {"dense-on-last-axis", dense_on_last_axis, "Conv Transpose MatMul Transpose Add",
     "Conv MatMul Add"},
    {"pad-nothing", no_padding, "Conv Exp", NULL},
    {"pad-conv", conv_of_border, "Conv Conv", NULL},
    {"pad-conv-ones", conv_of_ones, "Conv Pad Conv", NULL},
    {"pad-conv-cut", conv_of_cut, "Conv Pad Conv", NULL},
    {"pad-conv-channels", conv_of_more_channels, "Conv Pad Conv", NULL},
    {"pad-average", average_of, "Conv AveragePool", NULL},
    {"pad-average-own", average_with_own_pads, "Conv Pad AveragePool", NULL},
    {"pad-maximum", maximum_of, "Conv Pad MaxPool", NULL},
    {"shuffle", shuffle, "Conv ChannelShuffle Exp", NULL},
    {"shuffle-of-four", shuffle_of_four, "Conv ChannelShuffle", NULL},
    {"shuffle-not", no_shuffle, "Conv Relayout Reshape Transpose Reshape",
     "Conv Relayout Transpose Reshape"},
    {"shuffle-unit", shuffle_unit, "Conv ChannelShuffle Slice Conv Slice Concat Exp",
     "Conv ChannelShuffle Conv Slice Exp"},
    {"slice-whole", whole_slice, "Conv Exp", NULL},
    {"dense-block", dense_block, "Conv Conv Concat Conv Concat Exp", "Conv Conv Conv Exp"},
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
