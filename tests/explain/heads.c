#include "explain/heads.h"

#include "onnx/onnx.h"

SlModel *
model_of (SlGraph *network)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlGraph) graph = network;
  SlOnnxMeta meta;
  sl_onnx_meta_init (&meta);
  g_autoptr (GBytes) bytes = sl_onnx_write (graph, &meta, &error);
  sl_onnx_meta_clear (&meta);
  g_assert_no_error (error);
  SlModel *model = sl_model_load_bytes (bytes, "test", NULL, &error);
  g_assert_no_error (error);
  return model;
}

SlModel *
head_model (const Head *head)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, HEAD_CHANNELS, HEAD_HEIGHT, HEAD_WIDTH));
  SlValue *logits = head->logits (graph, x);
  if (head->link != NULL)
    sl_graph_mark_output (graph, test_node (graph, head->link, "scores", logits, NULL));
  sl_graph_mark_output (graph, logits);
  return model_of (graph);
}

/* --- Parts --- */

static SlValue *
vector (SlGraph *graph, int64_t n, uint32_t seed)
{
  return test_constant (graph, NULL, SL_SHAPE (n), seed);
}

static SlValue *
ints (SlGraph *graph, uint32_t n, const int64_t *values)
{
  return sl_graph_add_ints (graph, NULL, values, n);
}

#define INTS(graph, ...) \
  ints (graph, sizeof ((int64_t[]){__VA_ARGS__}) / sizeof (int64_t), (const int64_t[]){__VA_ARGS__})

static SlValue *
gap (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "GlobalAveragePool", "gap", x, NULL);
}

static SlValue *
flat_gap (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Flatten", "flat", gap (graph, x), NULL);
}

static SlValue *
gemm (SlGraph *graph, const char *name, SlValue *x, int64_t rows, uint32_t seed)
{
  SlValue *weights = test_constant (graph, NULL, SL_SHAPE (rows, x->shape.dim[1]), seed);
  SlValue *y = test_node (graph, "Gemm", name, x, weights, vector (graph, rows, seed + 1), NULL);
  test_set_int (y, "transB", 1);
  return y;
}

/* Flattened averages know no shape before inference. */
static SlValue *
of_channels (SlValue *value)
{
  value->shape = SL_SHAPE (1, HEAD_CHANNELS);
  return value;
}

static SlValue *
average_pool (SlGraph *graph, SlValue *x, const int64_t *kernel, const int64_t *pads)
{
  SlValue *y = test_node (graph, "AveragePool", "pool", x, NULL);
  test_set_ints (y, "kernel_shape", 2, kernel);
  test_set_ints (y, "pads", 4, pads);
  return y;
}

/* --- Heads that are found --- */

static SlValue *
dense (SlGraph *graph, SlValue *x)
{
  return gemm (graph, "logits", of_channels (flat_gap (graph, x)), HEAD_CLASSES, 1);
}

static SlValue *
dense_factors (SlGraph *graph, SlValue *x)
{
  SlValue *weights = test_constant (graph, NULL, SL_SHAPE (HEAD_CHANNELS, HEAD_CLASSES), 1);
  SlValue *bias = test_constant (graph, NULL, SL_SHAPE (1, 1), 2);
  SlValue *y = test_node (graph, "Gemm", "logits", flat_gap (graph, x), weights, bias, NULL);
  test_set_float (y, "alpha", 0.5f);
  test_set_float (y, "beta", -3);
  return y;
}

static SlValue *
mean_matmul_add (SlGraph *graph, SlValue *x)
{
  SlValue *mean = test_node (graph, "ReduceMean", "mean", x, INTS (graph, -1, 2), NULL);
  test_set_int (mean, "keepdims", 0);
  SlValue *weights = test_constant (graph, NULL, SL_SHAPE (HEAD_CHANNELS, HEAD_CLASSES), 1);
  SlValue *product = test_node (graph, "MatMul", "product", mean, weights, NULL);
  return test_node (graph, "Add", "logits", vector (graph, HEAD_CLASSES, 2), product, NULL);
}

static SlValue *
matmul_left (SlGraph *graph, SlValue *x)
{
  SlValue *column =
      test_node (graph, "Reshape", NULL, gap (graph, x), INTS (graph, HEAD_CHANNELS, 1), NULL);
  SlValue *weights = test_constant (graph, NULL, SL_SHAPE (HEAD_CLASSES, HEAD_CHANNELS), 1);
  SlValue *product = test_node (graph, "MatMul", NULL, weights, column, NULL);
  return test_node (graph, "Transpose", "logits", product, NULL);
}

static SlValue *
gemm_left (SlGraph *graph, SlValue *x)
{
  SlValue *weights = test_constant (graph, NULL, SL_SHAPE (HEAD_CHANNELS, HEAD_CLASSES), 1);
  SlValue *bias = test_constant (graph, NULL, SL_SHAPE (HEAD_CLASSES, 1), 2);
  SlValue *y = test_node (graph, "Gemm", "column", weights, flat_gap (graph, x), bias, NULL);
  test_set_int (y, "transA", 1);
  test_set_int (y, "transB", 1);
  return test_node (graph, "Reshape", "logits", y, INTS (graph, 1, -1), NULL);
}

static SlValue *
conv_behind (SlGraph *graph, SlValue *x)
{
  SlValue *weights = test_constant (graph, NULL, SL_SHAPE (HEAD_CLASSES, HEAD_CHANNELS, 1, 1), 1);
  SlValue *drop = test_node (graph, "Dropout", NULL, gap (graph, x), NULL);
  SlValue *conv =
      test_node (graph, "Conv", "conv", drop, weights, vector (graph, HEAD_CLASSES, 2), NULL);
  return test_node (graph, "Flatten", "logits", conv, NULL);
}

static SlValue *
conv_before (SlGraph *graph, SlValue *x)
{
  SlValue *weights = test_constant (graph, NULL, SL_SHAPE (HEAD_CLASSES, HEAD_CHANNELS, 1, 1), 1);
  SlValue *conv =
      test_node (graph, "Conv", "conv", x, weights, vector (graph, HEAD_CLASSES, 2), NULL);
  SlValue *relu = test_node (graph, "Relu", "relu", conv, NULL);
  return test_node (graph, "GlobalAveragePool", "logits", relu, NULL);
}

static SlValue *
channels_last (SlGraph *graph, SlValue *x)
{
  SlValue *turned = test_node (graph, "Transpose", "turned", x, NULL);
  test_set_ints (turned, "perm", 4, (const int64_t[]){0, 2, 3, 1});
  SlValue *mean = test_node (graph, "ReduceMean", "mean", turned, INTS (graph, 1, 2), NULL);
  SlValue *squeezed = test_node (graph, "Squeeze", NULL, mean, INTS (graph, 1, 2), NULL);
  return gemm (graph, "logits", of_channels (squeezed), HEAD_CLASSES, 1);
}

/* Rows of a constant in another order, another shape, and half of it. */
static SlValue *
derived_weights (SlGraph *graph, SlValue *x)
{
  SlValue *stored = test_constant (graph, NULL, SL_SHAPE (HEAD_CHANNELS * HEAD_CLASSES, 1), 1);
  SlValue *matrix =
      test_node (graph, "Reshape", NULL, stored, INTS (graph, HEAD_CLASSES, HEAD_CHANNELS), NULL);
  SlValue *turned = test_node (graph, "Transpose", NULL, matrix, NULL);
  SlValue *half = test_node (graph, "Mul", NULL, turned, vector (graph, 1, 3), NULL);
  return test_node (graph, "MatMul", "logits", flat_gap (graph, x), half, NULL);
}

static SlValue *
covering_pool (SlGraph *graph, SlValue *x)
{
  SlValue *pool = average_pool (graph, x, (const int64_t[]){HEAD_HEIGHT, HEAD_WIDTH},
                                (const int64_t[]){0, 0, 0, 0});
  SlValue *flat = test_node (graph, "Reshape", NULL, pool, INTS (graph, 0, -1), NULL);
  return gemm (graph, "logits", of_channels (flat), HEAD_CLASSES, 1);
}

/* As Caffe's GoogLeNet: the window hangs over the edge, and what lies beyond does not count. */
static SlValue *
larger_pool (SlGraph *graph, SlValue *x)
{
  SlValue *pool = average_pool (graph, x, (const int64_t[]){HEAD_HEIGHT + 1, HEAD_WIDTH + 1},
                                (const int64_t[]){0, 0, 1, 1});
  SlValue *flat = test_node (graph, "Flatten", NULL, pool, NULL);
  return gemm (graph, "logits", of_channels (flat), HEAD_CLASSES, 1);
}

static SlValue *
normalised (SlGraph *graph, SlValue *x, int64_t n, uint32_t seed)
{
  SlValue *variance = vector (graph, n, seed + 3);
  float *data = sl_tensor_get_data_writable (variance->data);
  for (int64_t i = 0; i < n; i++)
    data[i] += 1;
  return test_node (graph, "BatchNormalization", NULL, x, vector (graph, n, seed),
                    vector (graph, n, seed + 1), vector (graph, n, seed + 2), variance, NULL);
}

/* Maps of elements on both sides of the linear layer. */
static SlValue *
scaled (SlGraph *graph, SlValue *x)
{
  SlValue *channels = test_constant (graph, NULL, SL_SHAPE (HEAD_CHANNELS, 1, 1), 10);
  SlValue *scale = test_node (graph, "Mul", NULL, channels, gap (graph, x), NULL);
  SlValue *before = normalised (graph, scale, HEAD_CHANNELS, 20);
  SlValue *flat = test_node (graph, "Flatten", NULL, before, NULL);
  SlValue *y = gemm (graph, NULL, of_channels (flat), HEAD_CLASSES, 1);
  SlValue *behind = normalised (graph, y, HEAD_CLASSES, 30);
  SlValue *difference =
      test_node (graph, "Sub", NULL, vector (graph, HEAD_CLASSES, 40), behind, NULL);
  return test_node (graph, "Div", "logits", difference, vector (graph, 1, 41), NULL);
}

static SlValue *
scaled_channels (SlGraph *graph, SlValue *x)
{
  SlValue *y =
      test_node (graph, "Mul", NULL, flat_gap (graph, x), vector (graph, HEAD_CHANNELS, 1), NULL);
  return test_node (graph, "Add", "logits", y, vector (graph, 1, 2), NULL);
}

/* --- Heads that are refused --- */

static SlValue *
maximum (SlGraph *graph, SlValue *x)
{
  SlValue *max = test_node (graph, "GlobalMaxPool", "maximum", x, NULL);
  return gemm (graph, "logits", of_channels (test_node (graph, "Flatten", NULL, max, NULL)),
               HEAD_CLASSES, 1);
}

static SlValue *
relu_between (SlGraph *graph, SlValue *x)
{
  SlValue *relu = test_node (graph, "Relu", "between", flat_gap (graph, x), NULL);
  return gemm (graph, "logits", of_channels (relu), HEAD_CLASSES, 1);
}

static SlValue *
two_layers (SlGraph *graph, SlValue *x)
{
  SlValue *hidden = gemm (graph, "hidden", of_channels (flat_gap (graph, x)), HEAD_CHANNELS, 1);
  return gemm (graph, "logits", of_channels (hidden), HEAD_CLASSES, 3);
}

static SlValue *
both_pools (SlGraph *graph, SlValue *x)
{
  SlValue *max = test_node (graph, "GlobalMaxPool", NULL, x, NULL);
  SlValue *both = test_node (graph, "Concat", "both", gap (graph, x), max, NULL);
  test_set_int (both, "axis", 1);
  return test_node (graph, "Flatten", "logits", both, NULL);
}

static SlValue *
partial_pool (SlGraph *graph, SlValue *x)
{
  SlValue *pool = average_pool (graph, x, (const int64_t[]){HEAD_HEIGHT - 1, HEAD_WIDTH},
                                (const int64_t[]){0, 0, 0, 0});
  return test_node (graph, "Flatten", "logits", pool, NULL);
}

static SlValue *
diluted_pool (SlGraph *graph, SlValue *x)
{
  SlValue *pool = average_pool (graph, x, (const int64_t[]){HEAD_HEIGHT + 1, HEAD_WIDTH},
                                (const int64_t[]){0, 0, 1, 0});
  test_set_int (pool, "count_include_pad", 1);
  return test_node (graph, "Flatten", "logits", pool, NULL);
}

static SlValue *
mean_of_channels (SlGraph *graph, SlValue *x)
{
  SlValue *mean = test_node (graph, "ReduceMean", "mean", x, INTS (graph, 1), NULL);
  return test_node (graph, "Flatten", "logits", mean, NULL);
}

static SlValue *
no_average (SlGraph *graph, SlValue *x)
{
  return test_node (graph, "Flatten", "logits", x, NULL);
}

static SlValue *
scores_inside (SlGraph *graph, SlValue *x)
{
  SlValue *scores = test_node (graph, "Softmax", "inside", flat_gap (graph, x), NULL);
  return test_node (graph, "Mul", "logits", scores, vector (graph, HEAD_CHANNELS, 1), NULL);
}

static SlValue *
other_output (SlGraph *graph, SlValue *x)
{
  SlValue *outputs[] = {sl_graph_add_value (graph, "kept", SL_VALUE_ACTIVATION),
                        sl_graph_add_value (graph, "mask", SL_VALUE_ACTIVATION)};
  SlValue *flat = flat_gap (graph, x);
  sl_graph_add_node (graph, sl_op_find ("Dropout"), "drop", NULL, 1, &flat, 2, outputs);
  return outputs[1];
}

const Head heads[] = {
    {"dense", dense, "Softmax", NULL},
    {"dense/factors", dense_factors, NULL, NULL},
    {"dense/mean-matmul-add", mean_matmul_add, "LogSoftmax", NULL},
    {"dense/matmul-left", matmul_left, "Sigmoid", NULL},
    {"dense/gemm-left", gemm_left, NULL, NULL},
    {"dense/derived-weights", derived_weights, NULL, NULL},
    {"dense/scaled", scaled, "Softmax", NULL},
    {"conv/behind", conv_behind, "Softmax", NULL},
    {"conv/before", conv_before, "Softmax", NULL},
    {"none/scaled", scaled_channels, "Softmax", NULL},
    {"average/channels-last", channels_last, "Softmax", NULL},
    {"average/covering-pool", covering_pool, "Softmax", NULL},
    {"average/larger-pool", larger_pool, NULL, NULL},
    {"refused/maximum", maximum, NULL, "node maximum (GlobalMaxPool)"},
    {"refused/relu-between", relu_between, "Softmax", "node between (Relu)"},
    {"refused/two-layers", two_layers, NULL, "node hidden (Gemm)"},
    {"refused/both-pools", both_pools, NULL, "node both (Concat)"},
    {"refused/partial-pool", partial_pool, NULL, "node pool (AveragePool)"},
    {"refused/diluted-pool", diluted_pool, NULL, "node pool (AveragePool)"},
    {"refused/mean-of-channels", mean_of_channels, NULL, "node mean (ReduceMean)"},
    {"refused/no-average", no_average, NULL, "made of 'x' without an average"},
    {"refused/scores-inside", scores_inside, "Softmax", "node inside (Softmax)"},
    {"refused/other-output", other_output, NULL, "node drop (Dropout)"},
    {NULL, NULL, NULL, NULL},
};
