/* What each pass does to a graph, seen on small graphs. */
#include "graph/build.h"
#include "cpu/cpu.h"
#include "dispatch/dispatch.h"
#include "passes/passes.h"
#include "ref/ref.h"

#include <math.h>
#include <string.h>

static gboolean
evaluate (void *data, const SlNode *node, SlTensor **ret_outputs, GError **error)
{
  SlTensor *inputs[8] = {NULL};
  g_assert_cmpuint (node->n_inputs, <=, G_N_ELEMENTS (inputs));
  for (uint32_t i = 0; i < node->n_inputs; i++)
    inputs[i] = node->inputs[i] != NULL ? node->inputs[i]->data : NULL;
  if (node->op->traits & (SL_TRAIT_PACKING | SL_TRAIT_RELAYOUT))
    return sl_cpu_evaluate (node, inputs, ret_outputs, error);
  return sl_ref_evaluate (node, inputs, ret_outputs, error);
}

static void
run (SlGraph *graph, const SlTarget *target, bool optimize)
{
  g_autoptr (GError) error = NULL;
  SlPasses passes = {.graph = graph, .target = target, .optimize = optimize, .evaluate = evaluate};
  sl_graph_sort (graph, &error);
  g_assert_no_error (error);
  sl_passes_run (&passes, &error);
  g_assert_no_error (error);
}

/* x (1, 3, 8, 8) → Conv 4 3x3 → BatchNormalization → Relu → y */
static SlGraph *
conv_norm_relu (SlValueKind weights)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 8, 8));
  SlValue *w = test_constant (graph, "w", SL_SHAPE (4, 3, 3, 3), 1);
  w->kind = weights;
  SlValue *conv = test_node (graph, "Conv", "conv", x, w, NULL);
  SlValue *variance = test_constant (graph, "variance", SL_SHAPE (4), 5);
  float *v = sl_tensor_get_data_writable (variance->data);
  for (int i = 0; i < 4; i++)
    v[i] = fabsf (v[i]) + 0.5f;
  SlValue *norm = test_node (graph, "BatchNormalization", "norm", conv,
                             test_constant (graph, "gamma", SL_SHAPE (4), 2),
                             test_constant (graph, "beta", SL_SHAPE (4), 3),
                             test_constant (graph, "mean", SL_SHAPE (4), 4), variance, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Relu", "y", norm, NULL));
  return graph;
}

static void
test_fold_norm (void)
{
  g_autoptr (SlGraph) graph = conv_norm_relu (SL_VALUE_CONSTANT);
  run (graph, NULL, true);
  g_assert_cmpuint (graph->nodes->len, ==, 1);
  const SlNode *conv = test_find (graph, "y");
  g_assert_cmpstr (conv->op->name, ==, "Conv");
  g_assert_cmpint (conv->act.kind, ==, SL_ACT_CLIP);
  g_assert_cmpfloat (conv->act.a, ==, 0);
  g_assert_true (isinf (conv->act.b));

  /* Weights and bias are the products that the formula says. */
  const float *folded = sl_tensor_get_data (conv->inputs[1]->data);
  g_autoptr (SlGraph) again = conv_norm_relu (SL_VALUE_CONSTANT);
  const float *gamma = sl_tensor_get_data (sl_graph_find_value (again, "gamma")->data);
  const float *beta = sl_tensor_get_data (sl_graph_find_value (again, "beta")->data);
  const float *mean = sl_tensor_get_data (sl_graph_find_value (again, "mean")->data);
  const float *variance = sl_tensor_get_data (sl_graph_find_value (again, "variance")->data);
  const float *w = sl_tensor_get_data (sl_graph_find_value (again, "w")->data);
  const float *bias = sl_tensor_get_data (conv->inputs[2]->data);
  for (int o = 0; o < 4; o++) {
    double scale = gamma[o] / sqrt ((double)variance[o] + 1e-5);
    g_assert_cmpfloat_with_epsilon (bias[o], beta[o] - mean[o] * scale, 1e-6);
    for (int i = 0; i < 27; i++)
      g_assert_cmpfloat_with_epsilon (folded[o * 27 + i], w[o * 27 + i] * scale, 1e-6);
  }
}

static void
test_fold_long_chain (void)
{
  /* Each factor in turn, without looking at all those before it again. */
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 2, 3, 3));
  SlValue *value = test_node (graph, "Conv", "conv", x,
                              test_constant (graph, "w", SL_SHAPE (2, 2, 1, 1), 1), NULL);
  SlValue *factor = test_constant (graph, "factor", SL_SHAPE (2, 1, 1), 2);
  for (int i = 0; i < 10000; i++)
    value = test_node (graph, "Mul", NULL, value, factor, NULL);
  sl_graph_mark_output (graph, value);
  run (graph, NULL, true);
  g_assert_cmpuint (graph->nodes->len, ==, 1);
}

static void
test_trained_weights_stay (void)
{
  g_autoptr (SlGraph) graph = conv_norm_relu (SL_VALUE_PARAMETER);
  run (graph, NULL, true);
  const SlNode *conv = test_find (graph, "conv");
  g_assert_cmpint (conv->inputs[1]->kind, ==, SL_VALUE_PARAMETER);
  g_assert_cmpstr (conv->inputs[1]->name, ==, "w");
  g_assert_cmpuint (test_count (graph, "ChannelAffine"), ==, 1);
}

static void
test_shared_convolution_keeps_norm (void)
{
  g_autoptr (SlGraph) graph = conv_norm_relu (SL_VALUE_CONSTANT);
  sl_graph_mark_output (graph, sl_graph_find_value (graph, "conv"));
  run (graph, NULL, true);
  g_assert_cmpuint (test_count (graph, "Conv"), ==, 1);
  g_assert_cmpuint (test_count (graph, "ChannelAffine"), ==, 1);
  g_assert_cmpint (test_find (graph, "conv")->act.kind, ==, SL_ACT_NONE);
  g_assert_cmpint (test_find (graph, "y")->act.kind, ==, SL_ACT_CLIP);
}

static void
test_unoptimized_keeps_nodes (void)
{
  g_autoptr (SlGraph) graph = conv_norm_relu (SL_VALUE_CONSTANT);
  run (graph, NULL, false);
  g_assert_cmpuint (test_count (graph, "BatchNormalization"), ==, 1);
  g_assert_cmpuint (test_count (graph, "Relu"), ==, 1);
}

static void
test_residual (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 4, 6, 6));
  SlValue *a = test_node (graph, "Conv", "a", x,
                          test_constant (graph, "wa", SL_SHAPE (4, 4, 1, 1), 1), NULL);
  SlValue *b = test_node (graph, "Conv", "b", x,
                          test_constant (graph, "wb", SL_SHAPE (4, 4, 1, 1), 2), NULL);
  SlValue *sum = test_node (graph, "Add", "sum", a, b, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Relu", "y", sum, NULL));
  run (graph, NULL, true);
  g_assert_cmpuint (graph->nodes->len, ==, 2);
  const SlNode *last = test_find (graph, "y");
  g_assert_cmpuint (last->n_inputs, ==, 4);
  g_assert_true (last->inputs[3] == sl_graph_find_value (graph, "a"));
  g_assert_cmpint (last->act.kind, ==, SL_ACT_CLIP);
}

static void
test_residual_of_itself_stays (void)
{
  /* x + x: the convolution has two readers, both the sum. */
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 4, 6, 6));
  SlValue *a =
      test_node (graph, "Conv", "a", x, test_constant (graph, "w", SL_SHAPE (4, 4, 1, 1), 1), NULL);
  sl_graph_mark_output (graph, test_node (graph, "Add", "y", a, a, NULL));
  run (graph, NULL, true);
  g_assert_cmpuint (test_count (graph, "Add"), ==, 1);
}

static void
test_layout (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlTarget target = sl_cpu_get_target ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 8, 8));
  SlValue *a = test_node (graph, "Conv", "a", x,
                          test_constant (graph, "wa", SL_SHAPE (8, 3, 3, 3), 1), NULL);
  SlValue *b = test_node (graph, "Neg", "b", a, NULL);
  SlValue *c = test_node (graph, "Conv", "c", b,
                          test_constant (graph, "wc", SL_SHAPE (8, 8, 3, 3), 2), NULL);
  SlValue *flat = test_node (graph, "Flatten", "flat", c, NULL);
  sl_graph_mark_output (graph, flat);
  run (graph, &target, true);
  /* One relayout, where the dense part begins; none for the input, which is asked for as it is
   * needed. */
  g_assert_cmpuint (test_count (graph, "Relayout"), ==, 1);
  g_assert_cmpint (x->layout, ==, SL_LAYOUT_CHANNELS_LAST);
  g_assert_cmpint (b->layout, ==, SL_LAYOUT_CHANNELS_LAST);
  g_assert_cmpstr (flat->producer->inputs[0]->producer->op->name, ==, "Relayout");
  /* Weights have been packed at compile time. */
  g_assert_cmpuint (test_count (graph, "PackWeights"), ==, 0);
  g_assert_cmpint (c->producer->inputs[1]->kind, ==, SL_VALUE_CONSTANT);
  g_assert_cmpuint (c->producer->inputs[1]->shape.rank, ==, 1);
}

static void
test_packing_of_inputs_stays (void)
{
  /* Weights that are given with each run are packed in each run. */
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlTarget target = sl_cpu_get_target ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 8, 8));
  SlValue *w = test_input (graph, "w", SL_SHAPE (8, 3, 3, 3));
  sl_graph_mark_output (graph, test_node (graph, "Conv", "y", x, w, NULL));
  run (graph, &target, true);
  g_assert_cmpuint (test_count (graph, "PackWeights"), ==, 1);
}

static void
test_dead (void)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (4));
  SlValue *a = test_node (graph, "Relu", "a", x, NULL);
  test_node (graph, "Neg", "dead", test_node (graph, "Exp", "dying", a, NULL), NULL);
  sl_graph_mark_output (graph, a);
  run (graph, NULL, true);
  g_assert_cmpuint (graph->nodes->len, ==, 1);
}

static void
test_identity_output_keeps_its_place (void)
{
  /* Input straight to output: the copy has to stay, since the caller owns both places. */
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlTarget target = sl_cpu_get_target ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (4));
  sl_graph_mark_output (graph, test_node (graph, "Identity", "y", x, NULL));
  run (graph, &target, true);
  g_assert_cmpuint (graph->nodes->len, ==, 1);
}

/* x → Conv → Relu → y, all of 16 bits */
static SlGraph *
half_network (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 8, 8));
  x->dtype = SL_FLOAT16;
  g_autoptr (SlTensor) weights = sl_tensor_new (SL_FLOAT16, &SL_SHAPE (4, 3, 3, 3), NULL);
  SlValue *w = sl_graph_add_tensor (graph, "w", SL_VALUE_CONSTANT, weights);
  SlValue *conv = test_node (graph, "Conv", "conv", x, w, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Relu", "y", conv, NULL));
  return graph;
}

static void
run_half (SlGraph *graph, bool float_ports)
{
  g_autoptr (GError) error = NULL;
  const SlTarget target = sl_cpu_get_target ();
  SlPasses passes = {.graph = graph,
                     .target = &target,
                     .optimize = true,
                     .float_ports = float_ports,
                     .evaluate = evaluate};
  sl_graph_sort (graph, &error);
  g_assert_no_error (error);
  sl_passes_run (&passes, &error);
  g_assert_no_error (error);
}

/* Computed in float32, with the activation fused; the ends keep their type or do not. */
static void
test_widen (void)
{
  g_autoptr (SlGraph) kept = half_network ();
  run_half (kept, false);
  const SlValue *x = g_ptr_array_index (kept->inputs, 0), *y = g_ptr_array_index (kept->outputs, 0);
  g_assert_cmpint (x->dtype, ==, SL_FLOAT16);
  g_assert_cmpint (y->dtype, ==, SL_FLOAT16);
  g_assert_cmpstr (y->name, ==, "y");
  g_assert_cmpstr (y->producer->op->name, ==, "Cast");
  for (uint32_t i = 0; i < kept->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (kept->nodes, i);
    if (strcmp (node->op->name, "Conv") == 0) {
      g_assert_cmpint (node->inputs[0]->dtype, ==, SL_FLOAT32);
      g_assert_cmpint (node->inputs[1]->dtype, ==, SL_FLOAT32);
      g_assert_cmpint (node->act.kind, ==, SL_ACT_CLIP);
    }
  }

  g_autoptr (SlGraph) wide = half_network ();
  run_half (wide, true);
  x = g_ptr_array_index (wide->inputs, 0);
  y = g_ptr_array_index (wide->outputs, 0);
  g_assert_cmpint (x->dtype, ==, SL_FLOAT32);
  g_assert_cmpint (y->dtype, ==, SL_FLOAT32);
  g_assert_cmpstr (y->name, ==, "y");
  g_assert_cmpuint (wide->nodes->len, ==, 1);
}

static bool
is_half (const SlGraph *graph, const char *name)
{
  return sl_graph_find_value (graph, name)->is_half;
}

/* x → Conv → Softmax, which no shader takes as halves; Mul of both → GlobalAveragePool, and Conv
 * → Flatten, an output that nothing computes with. */
static void
test_halve (void)
{
  const SlTarget targets[] = {sl_dispatch_get_target (false), sl_dispatch_get_target (true)};
  for (int half = 0; half < 2; half++) {
    g_autoptr (SlGraph) graph = sl_graph_new ();
    SlValue *w = test_constant (graph, "w", SL_SHAPE (4, 3, 3, 3), 1);
    SlValue *conv =
        test_node (graph, "Conv", "conv", test_input (graph, "x", SL_SHAPE (1, 3, 8, 8)), w, NULL);
    SlValue *soft = test_node (graph, "Softmax", "soft", conv, NULL);
    SlValue *product = test_node (graph, "Mul", "product", conv, soft, NULL);
    sl_graph_mark_output (graph, test_node (graph, "GlobalAveragePool", "pool", product, NULL));
    SlValue *other = test_node (graph, "Conv", "other", product,
                                test_constant (graph, "v", SL_SHAPE (4, 4, 1, 1), 2), NULL);
    sl_graph_mark_output (graph, test_node (graph, "Flatten", "flat", other, NULL));
    run (graph, &targets[half], true);
    g_assert_cmpint (is_half (graph, "conv"), ==, half);
    g_assert_cmpint (is_half (graph, "product"), ==, half);
    g_assert_false (is_half (graph, "x"));
    g_assert_false (is_half (graph, "soft"));
    g_assert_false (is_half (graph, "pool"));
    g_assert_false (is_half (graph, "other")); /* what reads it moves it to an output */
    g_assert_false (is_half (graph, "flat"));
    /* x, conv for the softmax, that, and the pool's output. */
    g_assert_cmpuint (test_count (graph, "Store"), ==, half ? 4 : 0);
    const SlValue *packed = test_find (graph, "conv")->inputs[1];
    g_assert_cmpint (packed->dtype, ==, half ? SL_FLOAT16 : SL_FLOAT32);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/passes/fold-affine/norm", test_fold_norm);
  g_test_add_func ("/passes/fold-affine/long-chain", test_fold_long_chain);
  g_test_add_func ("/passes/fold-affine/trained-weights", test_trained_weights_stay);
  g_test_add_func ("/passes/fold-affine/shared-convolution", test_shared_convolution_keeps_norm);
  g_test_add_func ("/passes/unoptimized", test_unoptimized_keeps_nodes);
  g_test_add_func ("/passes/fuse-residual/two-convolutions", test_residual);
  g_test_add_func ("/passes/fuse-residual/itself", test_residual_of_itself_stays);
  g_test_add_func ("/passes/layout/relayouts", test_layout);
  g_test_add_func ("/passes/prepare/inputs", test_packing_of_inputs_stays);
  g_test_add_func ("/passes/drop-dead", test_dead);
  g_test_add_func ("/passes/simplify/identity-output", test_identity_output_keeps_its_place);
  g_test_add_func ("/passes/widen", test_widen);
  g_test_add_func ("/passes/halve", test_halve);
  return g_test_run ();
}
