/* Whole networks give the same bits from run to run and for any number of threads, in each
 * instruction set; and with whole numbers, which every sum holds exactly, the same in all sets. */
#include "core/isa.h"
#include "graph/build.h"
#include "onnx/onnx.h"

#include <sightline/sightline.h>

#include <math.h>
#include <stdio.h>

#define MOST_THREADS 8 /* set in main(): more than there are cores, so that tiles change hands */
#define ROUNDS 3
#define LARGEST 4 /* of whole numbers between layers */

typedef struct Maker {
  SlGraph *graph;
  uint32_t seed;
  bool whole; /* numbers */
} Maker;

static SlValue *
constant (Maker *maker, SlShape shape)
{
  SlValue *value = test_constant (maker->graph, NULL, shape, ++maker->seed);
  float *data = sl_tensor_get_data_writable (value->data);
  for (size_t i = 0; maker->whole && i < sl_tensor_get_elements (value->data); i++)
    data[i] = rintf (data[i] * 4);
  return value;
}

static SlValue *
bound (Maker *maker, float number)
{
  SlValue *value = test_constant (maker->graph, NULL, (SlShape){0}, 1);
  *(float *)sl_tensor_get_data_writable (value->data) = number;
  return value;
}

static SlValue *
clip (Maker *maker, SlValue *x, float lo)
{
  return test_node (maker->graph, "Clip", NULL, x, bound (maker, lo), bound (maker, LARGEST), NULL);
}

typedef struct Window {
  int64_t kernel, stride, pad, group;
} Window;

static void
set_window (SlValue *y, const Window *w)
{
  test_set_ints (y, "kernel_shape", 2, (const int64_t[]){w->kernel, w->kernel});
  test_set_ints (y, "strides", 2, (const int64_t[]){w->stride, w->stride});
  test_set_ints (y, "pads", 4, (const int64_t[]){w->pad, w->pad, w->pad, w->pad});
}

static SlValue *
conv (Maker *maker, SlValue *x, int64_t channels, Window w)
{
  test_finish (maker->graph);
  SlValue *y = test_node (
      maker->graph, "Conv", NULL, x,
      constant (maker, SL_SHAPE (channels, x->shape.dim[1] / w.group, w.kernel, w.kernel)),
      constant (maker, SL_SHAPE (channels)), NULL);
  set_window (y, &w);
  test_set_int (y, "group", w.group);
  return y;
}

static SlValue *
pool (Maker *maker, const char *op, SlValue *x, Window w)
{
  SlValue *y = test_node (maker->graph, op, NULL, x, NULL);
  set_window (y, &w);
  return y;
}

/* (2, 64, 32, 32): a first layer, depthwise, 1x1, 3x3 (Winograd's where that is allowed) with a
 * residual, and groups. */
static SlValue *
add_trunk (Maker *maker, SlValue *x)
{
  SlValue *stem = clip (maker, conv (maker, x, 32, (Window){3, 2, 1, 1}), 0);
  SlValue *depthwise = clip (maker, conv (maker, stem, 32, (Window){3, 1, 1, 32}), -LARGEST);
  SlValue *narrow = clip (maker, conv (maker, depthwise, 64, (Window){1, 1, 0, 1}), -LARGEST);
  SlValue *square = conv (maker, narrow, 64, (Window){3, 1, 1, 1});
  SlValue *sum = test_node (maker->graph, "Add", NULL, square, narrow, NULL);
  SlValue *grouped = conv (maker, clip (maker, sum, 0), 64, (Window){3, 1, 1, 4});
  return clip (maker, grouped, -LARGEST);
}

/* (2, 24, 32, 32): both kinds of pooling side by side, and up again. */
static SlValue *
add_waist (Maker *maker, SlValue *x)
{
  SlValue *most = pool (maker, "MaxPool", x, (Window){2, 2, 0, 1});
  SlValue *mean = pool (maker, "AveragePool", x, (Window){2, 2, 0, 1});
  SlValue *joint = test_node (maker->graph, "Concat", NULL, most, mean, NULL);
  test_set_int (joint, "axis", 1);
  SlValue *up = test_node (maker->graph, "ConvTranspose", NULL, joint,
                           constant (maker, SL_SHAPE (128, 24, 2, 2)), NULL);
  test_set_ints (up, "strides", 2, (const int64_t[]){2, 2});
  return clip (maker, up, -LARGEST);
}

/* What only floats go through: norms, functions, and sums that are carried over tiles. */
static SlValue *
add_functions (Maker *maker, SlValue *x)
{
  SlGraph *graph = maker->graph;
  SlValue *lrn = test_node (graph, "LRN", NULL, x, NULL);
  test_set_int (lrn, "size", 5);
  SlValue *sigmoid = test_node (graph, "Sigmoid", NULL, lrn, NULL);
  SlValue *norm =
      test_node (graph, "InstanceNormalization", NULL, sigmoid, constant (maker, SL_SHAPE (24)),
                 constant (maker, SL_SHAPE (24)), NULL);
  SlValue *layer =
      test_node (graph, "LayerNormalization", NULL, norm, constant (maker, SL_SHAPE (32)), NULL);
  SlValue *swish =
      test_node (graph, "Mul", NULL, layer, test_node (graph, "Tanh", NULL, layer, NULL), NULL);
  return test_node (graph, "Softmax", NULL, test_node (graph, "Erf", NULL, swish, NULL), NULL);
}

static SlModel *
make_model (bool whole)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlGraph) graph = sl_graph_new ();
  Maker maker = {.graph = graph, .whole = whole};
  SlValue *x = test_input (graph, "x", SL_SHAPE (2, 3, 64, 64));
  SlValue *maps = add_waist (&maker, add_trunk (&maker, x));
  sl_graph_mark_output (graph, maps);
  if (!whole)
    sl_graph_mark_output (graph, add_functions (&maker, maps));
  SlValue *mean = test_node (graph, "GlobalAveragePool", NULL, maps, NULL);
  SlValue *scores = test_node (graph, "Gemm", NULL, test_node (graph, "Flatten", NULL, mean, NULL),
                               constant (&maker, SL_SHAPE (24, 1000)), NULL);
  sl_graph_mark_output (graph, scores);
  sl_graph_mark_output (
      graph, test_node (graph, "MatMul", NULL, maps, constant (&maker, SL_SHAPE (32, 200)), NULL));
  test_finish (graph);

  SlOnnxMeta meta;
  sl_onnx_meta_init (&meta);
  g_autoptr (GBytes) bytes = sl_onnx_write (graph, &meta, &error);
  sl_onnx_meta_clear (&meta);
  g_assert_no_error (error);
  SlModel *model = sl_model_load_bytes (bytes, whole ? "whole" : "floats", NULL, &error);
  g_assert_no_error (error);
  return model;
}

static void
set_inputs (SlRun *run, SlProgram *program)
{
  g_autoptr (GError) error = NULL;
  for (uint32_t i = 0; i < sl_program_get_n_inputs (program); i++) {
    const SlPort *port = sl_program_get_input (program, i);
    g_autoptr (SlTensor) x = sl_tensor_new (SL_FLOAT32, &port->shape, &error);
    g_autoptr (GRand) rand = g_rand_new_with_seed (5 + i);
    g_assert_no_error (error);
    float *data = sl_tensor_get_data_writable (x);
    for (size_t k = 0; k < sl_tensor_get_elements (x); k++)
      data[k] = (float)g_rand_int_range (rand, -LARGEST, LARGEST + 1);
    sl_run_set_input (run, i, x, &error);
    g_assert_no_error (error);
  }
}

/* All outputs of a run, one behind the other, in their bits. */
static GBytes *
execute (SlRun *run, SlProgram *program)
{
  g_autoptr (GError) error = NULL;
  GByteArray *bytes = g_byte_array_new ();
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  for (uint32_t i = 0; i < sl_program_get_n_outputs (program); i++) {
    g_autoptr (SlTensor) y = sl_run_copy_output (run, i, &error);
    g_assert_no_error (error);
    g_byte_array_append (bytes, sl_tensor_get_data (y), (guint)sl_tensor_get_size (y));
  }
  g_assert_cmpuint (bytes->len, >, 0);
  return g_byte_array_free_to_bytes (bytes);
}

/* What a program made for so many threads computes, every time that it runs. */
static GBytes *
results_of (SlModel *model, uint32_t threads, gboolean half)
{
  g_autoptr (GError) error = NULL;
  const SlProgramOptions options = {
      .device = sl_device_find ("cpu", NULL), .threads = threads, .half = half};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  set_inputs (run, program);
  GBytes *first = execute (run, program);
  for (int i = 1; i < ROUNDS; i++) {
    g_autoptr (GBytes) again = execute (run, program);
    g_assert_true (g_bytes_equal (again, first));
  }
  return first;
}

static void
check_threads (SlModel *model, gboolean half)
{
  static const uint32_t counts[] = {2, 3, MOST_THREADS};
  g_autoptr (GBytes) alone = results_of (model, 1, half);
  for (size_t i = 0; i < G_N_ELEMENTS (counts); i++) {
    g_autoptr (GBytes) together = results_of (model, counts[i], half);
    g_assert_true (g_bytes_equal (together, alone));
  }
}

static void
check_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = sl_model_load (path, NULL, &error);
  g_assert_no_error (error);
  check_threads (model, FALSE);
}

/* --- In a process of its own for each set --- */

#define CHILD "/same-bits/subprocess/"

static void
run_threads (void)
{
  g_assert_cmpstr (sl_device_find ("cpu", NULL)->isa, ==, g_getenv ("SIGHTLINE_ISA"));
  for (int direct = 0; direct < 2; direct++) {
    g_setenv ("SIGHTLINE_WINOGRAD", direct ? "0" : "", TRUE);
    g_autoptr (SlModel) model = make_model (false);
    check_threads (model, FALSE);
    check_threads (model, TRUE);
  }
  g_unsetenv ("SIGHTLINE_WINOGRAD");
  check_file (g_getenv ("SIGHTLINE_SCENES"));
}

/* Networks of the world, quantised ones too, where they are. */
static void
run_files (void)
{
  static const char *const names[] = {"winml_SqueezeNet_fp32.onnx", "nns_mobilenet_v2_onnxzoo.onnx",
                                      "coral_mobilenet_v1_0.25_128_quant.onnx"};
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path =
        g_build_filename (g_getenv ("SIGHTLINE_DATA"), "models", names[i], NULL);
    if (g_file_test (path, G_FILE_TEST_EXISTS))
      check_file (path);
  }
}

static char *
digest_whole (void)
{
  g_setenv ("SIGHTLINE_WINOGRAD", "0", TRUE);
  g_autoptr (SlModel) model = make_model (true);
  check_threads (model, FALSE);
  g_autoptr (GBytes) bytes = results_of (model, 2, FALSE), half = results_of (model, 2, TRUE);
  g_assert_true (g_bytes_equal (bytes, half)); /* such weights lose nothing */
  return g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
}

static void
run_whole_numbers (void)
{
  g_autofree char *digest = digest_whole ();
  printf ("digest %s\n", digest);
}

/* --- The sets of this machine --- */

static void
in_each_set (const char *test, const char *expected)
{
  for (unsigned i = 0; i < SL_ISA_COUNT; i++) {
    if (!sl_isa_supported ((SlIsa)i))
      continue;
    g_test_message ("%s", sl_isa_name ((SlIsa)i));
    g_setenv ("SIGHTLINE_ISA", sl_isa_name ((SlIsa)i), TRUE);
    g_test_trap_subprocess (test, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed ();
    if (expected != NULL)
      g_test_trap_assert_stdout (expected);
  }
}

static void
test_threads (void)
{
  in_each_set (CHILD "threads", NULL);
}

static void
test_files (void)
{
  g_autofree char *folder = g_build_filename (g_getenv ("SIGHTLINE_DATA"), "models", NULL);
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR)) {
    g_test_skip ("no networks: SIGHTLINE_DATA names no folder with models");
    return;
  }
  in_each_set (CHILD "files", NULL);
}

static void
test_whole_numbers (void)
{
  g_autofree char *digest = digest_whole ();
  g_autofree char *expected = g_strdup_printf ("*digest %s\n*", digest);
  in_each_set (CHILD "whole-numbers", expected);
}

int
main (int argc, char **argv)
{
  g_setenv ("SIGHTLINE_THREADS", G_STRINGIFY (MOST_THREADS), TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/same-bits/threads", test_threads);
  g_test_add_func ("/same-bits/files", test_files);
  g_test_add_func ("/same-bits/whole-numbers", test_whole_numbers);
  g_test_add_func (CHILD "threads", run_threads);
  g_test_add_func (CHILD "files", run_files);
  g_test_add_func (CHILD "whole-numbers", run_whole_numbers);
  return g_test_run ();
}
