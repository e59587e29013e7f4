/* Places: liveness, reuse, views; and whole random networks on the CPU against the reference. */
#include "graph/build.h"
#include "graph/everywhere.h"
#include "plan/plan.h"

#include <sightline/sightline.h>

#include <math.h>
#include <string.h>

static const SlTarget target = {.panel = 16};

static SlPlan *
plan (SlGraph *graph)
{
  g_autoptr (GError) error = NULL;
  SlPlan *result = sl_plan_new (graph, &target, G_MAXUINT64, &error);
  g_assert_no_error (error);
  g_autofree char *overlap = sl_plan_check (result);
  g_assert_cmpstr (overlap, ==, NULL);
  return result;
}

static SlValue *
set_channels_last (SlValue *value)
{
  value->layout = SL_LAYOUT_CHANNELS_LAST;
  return value;
}

static void
test_chain_uses_two_places (void)
{
  /* A transpose is not done in place: each step reads one place and writes another, the last one
   * the output's. */
  SlGraph *graph = sl_graph_new ();
  SlValue *value = test_input (graph, "x", SL_SHAPE (16, 64));
  for (int i = 0; i < 10; i++)
    value = test_node (graph, "Transpose", NULL, value, NULL);
  sl_graph_mark_output (graph, value);
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  g_assert_cmpuint (result->arena_bytes, ==, 3 * 4096); /* the input, and two in turn */
}

static void
test_in_place (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (16, 64));
  SlValue *a = test_node (graph, "Transpose", "a", x, NULL);
  SlValue *b = test_node (graph, "Relu", "b", a, NULL);
  SlValue *c = test_node (graph, "Relu", "c", x, NULL); /* not over the run's input */
  SlValue *d = test_node (graph, "Transpose", "d", b, NULL);
  SlValue *e = test_node (graph, "Transpose", "e", c, NULL);
  sl_graph_mark_output (graph, d);
  sl_graph_mark_output (graph, e);
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  g_assert_true (b->base == a);
  g_assert_null (c->base);
}

static void
test_in_place_only_when_read_last (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (4, 16));
  SlValue *a = test_node (graph, "Transpose", "a", x, NULL);
  SlValue *b = test_node (graph, "Relu", "b", a, NULL);
  SlValue *c = test_node (graph, "Mul", "c", b, a, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Transpose", "y", c, NULL));
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  g_assert_null (b->base);
  g_assert_nonnull (c->base);
}

/* a and b (1, 4, 5, 5) joined to (1, 8, 5, 5), channels-last. */
static SlGraph *
joined (SlValue **ret_a, SlValue **ret_b, SlValue **ret_joint)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = set_channels_last (test_input (graph, "x", SL_SHAPE (1, 4, 5, 5)));
  *ret_a = set_channels_last (test_node (graph, "Relu", "a", x, NULL));
  *ret_b = set_channels_last (test_node (graph, "Neg", "b", x, NULL));
  *ret_joint = set_channels_last (test_node (graph, "Concat", "joint", *ret_a, *ret_b, NULL));
  test_set_int (*ret_joint, "axis", 1);
  return graph;
}

static void
test_concat_view (void)
{
  SlValue *a, *b, *joint;
  SlGraph *graph = joined (&a, &b, &joint);
  sl_graph_mark_output (graph, set_channels_last (test_node (graph, "Exp", "y", joint, NULL)));
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  g_assert_true (a->base == joint && b->base == joint);
  g_assert_cmpuint (b->base_offset, ==, 16);
  g_assert_cmpuint (a->pixel_stride, ==, 8);
  for (uint32_t i = 0; i < result->steps->len; i++)
    g_assert_cmpstr (g_array_index (result->steps, SlStep, i).kernel, !=, "copy");
}

static void
test_concat_of_shared (void)
{
  /* Other readers may read a slice, if they can: a reshape cannot. */
  for (int can = 0; can < 2; can++) {
    SlValue *a, *b, *joint;
    SlGraph *graph = joined (&a, &b, &joint);
    SlValue *other = test_node (graph, can ? "Abs" : "Flatten", "other", a, NULL);
    if (can)
      set_channels_last (other);
    sl_graph_mark_output (graph, joint);
    sl_graph_mark_output (graph, other);
    test_finish (graph);
    g_autoptr (SlPlan) result = plan (graph);
    g_assert_true (a->base == (can ? joint : NULL));
    g_assert_true (b->base == joint);
  }
}

static void
test_concat_of_all_before (void)
{
  /* DenseNet: each layer reads all features so far, joined anew. The last joint value holds all;
   * the others are its beginning. */
  SlValue *a, *b, *joint;
  SlGraph *graph = joined (&a, &b, &joint);
  SlValue *c = set_channels_last (test_node (graph, "Exp", "c", joint, NULL));
  SlValue *all = set_channels_last (test_node (graph, "Concat", "all", a, b, c, NULL));
  test_set_int (all, "axis", 1);
  sl_graph_mark_output (graph, set_channels_last (test_node (graph, "Exp", "y", all, NULL)));
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  size_t offset;
  g_assert_true (a->base == all && b->base == all && c->base == all);
  g_assert_true (sl_value_get_root (joint, &offset) == all);
  g_assert_cmpuint (offset, ==, 0);
  g_assert_cmpuint (joint->pixel_stride, ==, 16);
  for (uint32_t i = 0; i < result->steps->len; i++)
    g_assert_cmpstr (g_array_index (result->steps, SlStep, i).kernel, !=, "copy");
}

static void
test_split_views (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = set_channels_last (test_input (graph, "x", SL_SHAPE (1, 6, 5, 5)));
  SlValue *inputs[] = {x, sl_graph_add_ints (graph, NULL, (const int64_t[]){2, 4}, 2)};
  SlValue *parts[] = {sl_graph_add_value (graph, "a", SL_VALUE_ACTIVATION),
                      sl_graph_add_value (graph, "b", SL_VALUE_ACTIVATION)};
  sl_graph_add_node (graph, sl_op_find ("Split"), NULL, NULL, 2, inputs, 2, parts);
  test_set_int (parts[0], "axis", 1);
  set_channels_last (parts[0]);
  set_channels_last (parts[1]);
  SlValue *flat = test_node (graph, "Flatten", "flat", parts[0], NULL);
  sl_graph_mark_output (graph, flat);
  sl_graph_mark_output (graph, set_channels_last (test_node (graph, "Exp", "y", parts[1], NULL)));
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  g_assert_null (parts[0]->base); /* its reader wants all in one block */
  g_assert_true (parts[1]->base == x);
  g_assert_cmpuint (parts[1]->base_offset, ==, 8);
  g_assert_cmpuint (parts[1]->pixel_stride, ==, 6);
}

static void
test_block_views (void)
{
  /* Some samples, or rows of a single one, are a block of memory for whatever reader. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 6, 5));
  SlValue *from = sl_graph_add_ints (graph, NULL, (const int64_t[]){2}, 1);
  SlValue *to = sl_graph_add_ints (graph, NULL, (const int64_t[]){4}, 1);
  SlValue *axes[] = {sl_graph_add_ints (graph, NULL, (const int64_t[]){1}, 1),
                     sl_graph_add_ints (graph, NULL, (const int64_t[]){2}, 1)};
  SlValue *rows = test_node (graph, "Slice", "rows", x, from, to, axes[0], NULL);
  SlValue *cols = test_node (graph, "Slice", "cols", x, from, to, axes[1], NULL);
  sl_graph_mark_output (graph, test_node (graph, "Exp", NULL, rows, NULL));
  sl_graph_mark_output (graph, test_node (graph, "Exp", NULL, cols, NULL));
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  g_assert_true (rows->base == x);
  g_assert_cmpuint (rows->base_offset, ==, 40);
  g_assert_null (cols->base);
}

static void
test_nested_concat (void)
{
  SlValue *a, *b, *joint;
  SlGraph *graph = joined (&a, &b, &joint);
  SlValue *x = graph->inputs->pdata[0];
  SlValue *c = set_channels_last (test_node (graph, "Abs", "c", x, NULL));
  SlValue *outer = set_channels_last (test_node (graph, "Concat", "outer", c, joint, NULL));
  test_set_int (outer, "axis", 1);
  sl_graph_mark_output (graph, outer);
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  size_t offset;
  g_assert_true (sl_value_get_root (b, &offset) == outer);
  g_assert_cmpuint (offset, ==, 4 * 4 + 4 * 4);
  g_assert_cmpuint (b->pixel_stride, ==, 12);
}

static void
test_long_chain_of_views (void)
{
  /* Where a value lies is found in a few steps, however many nodes pass a place on. */
  const int64_t shapes[2][3] = {{1, 64, 1}, {64, 1, 1}};
  SlGraph *graph = sl_graph_new ();
  SlValue *value = test_input (graph, "x", SL_SHAPE (64, 1, 1));
  for (uint32_t i = 0; i < 100; i++) {
    value = test_node (graph, "Neg", NULL, value, NULL);
    SlValue *shape = sl_graph_add_ints (graph, NULL, shapes[i % 2], 3);
    value = test_node (graph, "Reshape", NULL, value, shape, NULL);
  }
  SlValue *last = value;
  sl_graph_mark_output (graph, test_node (graph, "Neg", "y", last, NULL));
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  uint32_t hops = 0;
  for (const SlValue *at = last; at->base != NULL; at = at->base)
    hops++;
  g_assert_cmpuint (hops, >, 0);
  g_assert_cmpuint (hops, <, 4);
  g_assert_cmpuint (result->arena_bytes, ==, 3 * 256); /* input, output, and all between */
}

static void
test_memory_limit (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlGraph) graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 1 << 20));
  sl_graph_mark_output (graph, test_node (graph, "Exp", "y", x, NULL));
  test_finish (graph);
  g_assert_null (sl_plan_new (g_steal_pointer (&graph), &target, 1000, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_LIMIT);
  g_assert_nonnull (strstr (error->message, "8.0 MiB"));
}

/* --- Random networks --- */

static SlValue *
random_conv (SlGraph *graph, GRand *rand, SlValue *x, int64_t channels)
{
  int64_t in = x->shape.dim[1], kernel = g_rand_boolean (rand) ? 1 : 3;
  bool depthwise = in == channels && in > 1 && g_rand_int_range (rand, 0, 4) == 0;
  SlValue *w = test_constant (graph, NULL, SL_SHAPE (channels, depthwise ? 1 : in, kernel, kernel),
                              g_rand_int (rand));
  SlValue *bias = test_constant (graph, NULL, SL_SHAPE (channels), g_rand_int (rand));
  SlValue *y = test_node (graph, "Conv", NULL, x, w, bias, NULL);
  int64_t same[] = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
  test_set_ints (y, "pads", 4, same);
  if (depthwise)
    test_set_int (y, "group", in);
  return y;
}

/* Part of the channels, by Slice or as one or two parts of a Split. */
static SlValue *
random_part (SlGraph *graph, GRand *rand, SlValue *x)
{
  int64_t channels = x->shape.dim[1], cut = g_rand_int_range (rand, 0, (int)channels);
  SlValue *axis = sl_graph_add_ints (graph, NULL, (const int64_t[]){1}, 1);
  if (g_rand_boolean (rand) || cut == 0) {
    SlValue *from = sl_graph_add_ints (graph, NULL, &cut, 1);
    SlValue *to = sl_graph_add_ints (graph, NULL, &channels, 1);
    return test_node (graph, "Slice", NULL, x, from, to, axis, NULL);
  }
  SlValue *inputs[] = {x,
                       sl_graph_add_ints (graph, NULL, (const int64_t[]){cut, channels - cut}, 2)};
  SlValue *outputs[] = {sl_graph_add_value (graph, NULL, SL_VALUE_ACTIVATION),
                        sl_graph_add_value (graph, NULL, SL_VALUE_ACTIVATION)};
  sl_graph_add_node (graph, sl_op_find ("Split"), NULL, NULL, 2, inputs, 2, outputs);
  test_set_int (outputs[0], "axis", 1);
  return outputs[g_rand_boolean (rand)];
}

/* To channels on the last axis, something there, and back. */
static SlValue *
random_detour (SlGraph *graph, GRand *rand, SlValue *x)
{
  int64_t channels = x->shape.dim[1];
  SlValue *there = test_node (graph, "Transpose", NULL, x, NULL);
  test_set_ints (there, "perm", 4, (const int64_t[]){0, 2, 3, 1});
  SlValue *w = test_constant (graph, NULL, SL_SHAPE (channels, channels), g_rand_int (rand));
  SlValue *y = g_rand_boolean (rand) ? test_node (graph, "MatMul", NULL, there, w, NULL)
                                     : test_node (graph, "Abs", NULL, there, NULL);
  if (g_rand_boolean (rand))
    y = test_node (graph, "Add", NULL, y,
                   test_constant (graph, NULL, SL_SHAPE (channels), g_rand_int (rand)), NULL);
  SlValue *back = test_node (graph, "Transpose", NULL, y, NULL);
  test_set_ints (back, "perm", 4, (const int64_t[]){0, 3, 1, 2});
  return back;
}

/* A new value from the ones there are; all have the same height and width. */
static SlValue *
random_layer (SlGraph *graph, GRand *rand, GPtrArray *pool)
{
  static const char *const activations[] = {"Relu", "Sigmoid", "LeakyRelu", "Neg", "Tanh"};
  SlValue *x = pool->pdata[g_rand_int_range (rand, 0, (int)pool->len)];
  SlValue *other = pool->pdata[g_rand_int_range (rand, 0, (int)pool->len)];
  switch (g_rand_int_range (rand, 0, 9)) {
  case 4:
    return random_part (graph, rand, x);
  case 5:
    return random_detour (graph, rand, x);
  case 0:
    return test_node (graph, activations[g_rand_int_range (rand, 0, 5)], NULL, x, NULL);
  case 1: {
    SlValue *joint = test_node (graph, "Concat", NULL, x, other, NULL);
    test_set_int (joint, "axis", g_rand_boolean (rand) ? 1 : -3);
    return joint;
  }
  case 2:
    if (sl_shape_equal (&x->shape, &other->shape))
      return test_node (graph, "Add", NULL, x, other, NULL);
    return test_node (
        graph, "Mul", NULL, x,
        test_constant (graph, NULL, SL_SHAPE (x->shape.dim[1], 1, 1), g_rand_int (rand)), NULL);
  case 3: {
    SlValue *y = test_node (graph, "MaxPool", NULL, x, NULL);
    const int64_t kernel[] = {3, 3}, pads[] = {1, 1, 1, 1};
    test_set_ints (y, "kernel_shape", 2, kernel);
    test_set_ints (y, "pads", 4, pads);
    return y;
  }
  default:
    return random_conv (graph, rand, x, g_rand_int_range (rand, 1, 20));
  }
}

/* Values that nobody reads are outputs, so that nothing of the network is dead. */
static SlGraph *
random_network (uint32_t seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (GPtrArray) pool = g_ptr_array_new ();
  SlGraph *graph = sl_graph_new ();
  SlShape shape = SL_SHAPE (g_rand_int_range (rand, 1, 3), g_rand_int_range (rand, 1, 6),
                            g_rand_int_range (rand, 1, 9), g_rand_int_range (rand, 1, 9));
  g_ptr_array_add (pool, test_input (graph, "x", shape));
  for (int i = g_rand_int_range (rand, 2, 14); i > 0; i--) {
    SlValue *y = random_layer (graph, rand, pool);
    test_finish (graph);
    if (y->shape.dim[1] <= 64)
      g_ptr_array_add (pool, y);
  }
  for (uint32_t i = 1; i < pool->len; i++) {
    SlValue *value = pool->pdata[i];
    if (value->uses->len == 0)
      sl_graph_mark_output (graph, value);
  }
  return graph;
}

static void
test_random_networks (void)
{
  for (uint32_t seed = 1; seed <= 300; seed++) {
    g_autofree char *what = g_strdup_printf ("network %u", seed);
    g_autoptr (SlGraph) graph = random_network (seed);
    if (graph->outputs->len > 0)
      test_everywhere (g_steal_pointer (&graph), what);
  }
}

/* --- Parameters and state --- */

static SlValue *
variable (SlGraph *graph, const char *name, SlShape shape, uint32_t seed)
{
  SlValue *value = test_constant (graph, name, shape, seed);
  value->kind = SL_VALUE_PARAMETER;
  return value;
}

/* w is read by its product with x; the next content is what `op` makes of w and `with`. */
static SlGraph *
trained (const char *op, SlValue **ret_w, SlValue **ret_next)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (4, 4));
  SlValue *w = variable (graph, "w", SL_SHAPE (4, 4), 1);
  SlValue *y = test_node (graph, "MatMul", "y", x, w, NULL);
  sl_graph_mark_output (graph, y);
  *ret_next = test_node (graph, op, "next", w, y, NULL);
  *ret_w = w;
  return graph;
}

static void
test_update_in_place (void)
{
  SlValue *w, *next;
  SlGraph *graph = trained ("Sub", &w, &next);
  sl_graph_add_update (graph, w, next);
  test_finish (graph);
  g_autoptr (SlPlan) result = plan (graph);
  g_assert_true (next->base == w);
  g_assert_cmpuint (test_count (graph, "Identity"), ==, 0);
  /* Somebody who comes later, and would read the new for the old. */
  g_autofree char *wrong = NULL;
  SlValue *late = test_node (graph, "Neg", "late", w, NULL);
  late->base = w;
  wrong = sl_plan_check (result);
  g_assert_cmpstr (wrong, ==, "'w' is read by Neg when 'next' has overwritten it");
}

static void
test_update_by_copy (void)
{
  /* A product reads the whole of w for each element; a later reader needs what w was; the caller
   * reads an output after the run; and w and v change places. */
  for (int way = 0; way < 4; way++) {
    SlValue *w, *next;
    SlGraph *graph = trained (way == 0 ? "MatMul" : "Sub", &w, &next);
    if (way == 1)
      sl_graph_mark_output (graph, test_node (graph, "Add", "late", w, next, NULL));
    if (way == 2)
      sl_graph_mark_output (graph, next);
    if (way == 3) {
      SlValue *v = variable (graph, "v", SL_SHAPE (4, 4), 2);
      sl_graph_add_update (graph, v, test_node (graph, "Neg", "w-as-v", w, NULL));
      next = test_node (graph, "Neg", "v-as-w", v, NULL);
    }
    sl_graph_add_update (graph, w, next);
    test_finish (graph);
    g_autoptr (SlPlan) result = plan (graph);
    g_assert_cmpuint (test_count (graph, "Identity"), ==, 1);
  }
}

static void
test_update_of_another_shape (void)
{
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *w = variable (graph, "w", SL_SHAPE (4, 3), 1);
  SlValue *next = test_node (graph, "Transpose", "next", w, NULL);
  sl_graph_add_update (graph, w, next);
  test_finish (graph);
  g_assert_null (sl_plan_new (graph, &target, G_MAXUINT64, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "3x4"));
}

/* --- Small networks that once went wrong --- */

static void
test_bound_is_input (void)
{
  /* Two steps, the second of which reads the input again: not in place. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1));
  SlValue *above = test_node (graph, "Sigmoid", "above", x, NULL);
  SlValue *below = test_node (graph, "Neg", "below", above, NULL);
  SlValue *clip = test_node (graph, "Clip", "clip", below, above, below, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Exp", "y", clip, NULL));
  test_everywhere (graph, "clip");
}

static void
test_concat_of_second_outputs (void)
{
  /* A mask is written as a whole, so it is no slice of the joint value. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 4, 4)), *masks[2];
  SlValue *w = test_constant (graph, "w", SL_SHAPE (3, 3, 1, 1), 1);
  for (int i = 0; i < 2; i++) {
    SlValue *conv = test_node (graph, "Conv", NULL, x, w, NULL);
    SlValue *outputs[] = {sl_graph_add_value (graph, NULL, SL_VALUE_ACTIVATION),
                          sl_graph_add_value (graph, NULL, SL_VALUE_ACTIVATION)};
    sl_graph_add_node (graph, sl_op_find ("Dropout"), NULL, NULL, 1, &conv, 2, outputs);
    masks[i] = outputs[1];
  }
  SlValue *joint = test_node (graph, "Concat", "joint", masks[0], masks[1], NULL);
  test_set_int (joint, "axis", 1);
  sl_graph_mark_output (graph, joint);
  test_everywhere (graph, "masks");
}

static void
test_concat_of_reference (void)
{
  /* The reference writes dense memory: a matrix that it makes is no slice either. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (4, 3));
  SlValue *lrn = test_node (graph, "LRN", "lrn", x, NULL);
  test_set_int (lrn, "size", 3);
  SlValue *joint = test_node (graph, "Concat", "joint", x, lrn, NULL);
  test_set_int (joint, "axis", 1);
  sl_graph_mark_output (graph, joint);
  test_everywhere (graph, "lrn");
}

static void
test_reduction_of_product (void)
{
  /* Both nodes are put into simpler ones, the second while the first is new. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2, 3));
  SlValue *product = test_node (graph, "MatMul", "product", x,
                                test_constant (graph, "w", SL_SHAPE (3, 5), 1), NULL);
  SlValue *axis = sl_graph_add_ints (graph, "axis", (const int64_t[]){1}, 1);
  SlValue *y = test_node (graph, "ReduceSum", "y", product, axis, NULL);
  test_set_int (y, "keepdims", 0);
  sl_graph_mark_output (graph, y);
  test_everywhere (graph, "reduction");
}

static void
test_bias_of_scaled_product (void)
{
  /* beta is of a bias that is not there: the one that folding makes is whole. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (2, 3));
  SlValue *product =
      test_node (graph, "Gemm", "product", x, test_constant (graph, "w", SL_SHAPE (3, 5), 1), NULL);
  test_set_float (product, "beta", 0.5f);
  sl_graph_mark_output (graph, test_node (graph, "Add", "y", product,
                                          test_constant (graph, "b", SL_SHAPE (5), 2), NULL));
  test_everywhere (graph, "beta");
}

static void
test_nothing_to_compute (void)
{
  /* No sample, no channel, no position. */
  for (int dim = 0; dim < 4; dim++) {
    SlGraph *graph = sl_graph_new ();
    SlShape shape = SL_SHAPE (2, 3, 4, 5);
    shape.dim[dim] = 0;
    SlValue *x = test_input (graph, "x", shape);
    SlValue *w = test_constant (graph, "w", SL_SHAPE (6, shape.dim[1], 3, 3), 1);
    SlValue *conv = test_node (graph, "Conv", "conv", x, w,
                               test_constant (graph, "bias", SL_SHAPE (6), 2), NULL);
    test_set_ints (conv, "pads", 4, (const int64_t[]){2, 2, 1, 1});
    SlValue *axis = sl_graph_add_ints (graph, "axis", (const int64_t[]){1}, 1);
    SlValue *sum = test_node (graph, "ReduceSum", "sum", x, axis, NULL);
    test_set_int (sum, "keepdims", 0);
    SlValue *joint = test_node (graph, "Concat", "joint", x, x, NULL);
    test_set_int (joint, "axis", 1);
    sl_graph_mark_output (graph, test_node (graph, "Relu", "y", conv, NULL));
    sl_graph_mark_output (graph, sum);
    sl_graph_mark_output (graph, test_node (graph, "Flatten", "flat", joint, NULL));
    test_everywhere (graph, "nothing");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/arena/chain", test_chain_uses_two_places);
  g_test_add_func ("/plan/arena/memory-limit", test_memory_limit);
  g_test_add_func ("/plan/views/long-chain", test_long_chain_of_views);
  g_test_add_func ("/plan/views/in-place", test_in_place);
  g_test_add_func ("/plan/views/in-place-last-reader", test_in_place_only_when_read_last);
  g_test_add_func ("/plan/views/concat", test_concat_view);
  g_test_add_func ("/plan/views/concat-shared", test_concat_of_shared);
  g_test_add_func ("/plan/views/concat-of-all-before", test_concat_of_all_before);
  g_test_add_func ("/plan/views/split", test_split_views);
  g_test_add_func ("/plan/views/blocks", test_block_views);
  g_test_add_func ("/plan/views/concat-nested", test_nested_concat);
  g_test_add_func ("/plan/updates/in-place", test_update_in_place);
  g_test_add_func ("/plan/updates/copy", test_update_by_copy);
  g_test_add_func ("/plan/updates/shape", test_update_of_another_shape);
  g_test_add_func ("/plan/random-networks", test_random_networks);
  g_test_add_func ("/plan/networks/bound-is-input", test_bound_is_input);
  g_test_add_func ("/plan/networks/concat-of-second-outputs", test_concat_of_second_outputs);
  g_test_add_func ("/plan/networks/concat-of-reference", test_concat_of_reference);
  g_test_add_func ("/plan/networks/reduction-of-product", test_reduction_of_product);
  g_test_add_func ("/plan/networks/bias-of-scaled-product", test_bias_of_scaled_product);
  g_test_add_func ("/plan/networks/nothing-to-compute", test_nothing_to_compute);
  return g_test_run ();
}
