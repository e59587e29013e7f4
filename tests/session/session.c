/* Models, programs and runs through the public interface. */
#include "graph/build.h"
#include "core/half.h"
#include "cpu/cpu.h"
#include "model-private.h"
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "ref/ref.h"

#include <sightline/sightline.h>

#include <math.h>
#include <string.h>

/* Takes the graph over. */
static SlModel *
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

/* x (batch, 3, 8, 8) → Conv 16 3x3, Relu → GlobalAveragePool → Flatten → Gemm 10 → y (batch, 10);
 * the batch is free where `batch` is -1. */
static SlModel *
classifier (int64_t batch)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (batch, 3, 8, 8));
  SlValue *conv = test_node (graph, "Conv", "conv", x,
                             test_constant (graph, "w", SL_SHAPE (16, 3, 3, 3), 1), NULL);
  SlValue *relu = test_node (graph, "Relu", "relu", conv, NULL);
  SlValue *pool = test_node (graph, "GlobalAveragePool", "pool", relu, NULL);
  SlValue *flat = test_node (graph, "Flatten", "flat", pool, NULL);
  SlValue *y = test_node (graph, "Gemm", "y", flat,
                          test_constant (graph, "dense", SL_SHAPE (16, 10), 2), NULL);
  sl_graph_mark_output (graph, y);
  return model_of (graph);
}

static SlProgram *
program_for (SlModel *model, uint32_t batch)
{
  g_autoptr (GError) error = NULL;
  SlProgram *program = sl_program_new (model, &(SlProgramOptions){.batch = batch}, &error);
  g_assert_no_error (error);
  return program;
}

static SlTensor *
numbers (const SlShape *shape, uint32_t seed)
{
  SlTensor *tensor = sl_tensor_new (SL_FLOAT32, shape, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t i = 0; i < sl_tensor_get_elements (tensor); i++)
    data[i] = (float)g_rand_double_range (rand, -1, 1);
  return tensor;
}

static SlTensor *
run_once (SlRun *run, const SlTensor *x)
{
  g_autoptr (GError) error = NULL;
  sl_run_set_input (run, 0, x, &error);
  g_assert_no_error (error);
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  return sl_run_copy_output (run, 0, NULL);
}

static void
test_model_facts (void)
{
  g_autoptr (SlModel) model = classifier (-1);
  g_assert_cmpuint (sl_model_get_n_inputs (model), ==, 1);
  g_assert_cmpstr (sl_model_get_input (model, 0)->name, ==, "x");
  g_assert_cmpint (sl_model_get_input (model, 0)->shape.dim[0], ==, -1);
  g_assert_cmpuint (sl_model_get_n_parameters (model), ==, 16 * 27 + 160);
  g_assert_cmpuint (strlen (sl_model_get_hash (model)), ==, 64);
  g_assert_null (sl_model_get_metadata (model, "sightline.labels"));
}

static void
test_program_facts (void)
{
  g_autoptr (SlModel) model = classifier (-1);
  g_autoptr (SlProgram) program = program_for (model, 3);
  SlProgramInfo info;
  sl_program_get_info (program, &info);
  g_assert_true (sl_shape_equal (&sl_program_get_output (program, 0)->shape, &SL_SHAPE (3, 10)));
  g_assert_cmpuint (info.n_reference_steps, ==, 0);
  /* Two operations a multiply-add: 3 * (6*6*16*27 + 160), and little beside. */
  g_assert_cmpfloat (info.flops, >=, 2.0 * 3 * (36 * 16 * 27 + 160));
  g_assert_cmpfloat (info.flops, <=, 2.0 * 3 * (36 * 16 * 27 + 160) * 1.1);
  SlLayer first;
  sl_program_get_layer (program, 0, &first);
  g_assert_cmpstr (first.op, ==, "Conv");
  g_assert_cmpstr (first.kernel, ==, "conv2d_narrow");
  g_assert_nonnull (strstr (first.attributes, "then=clip(0, inf)"));
}

static void
test_batches_agree (void)
{
  /* Each picture of a batch gets the bits that it gets alone. */
  g_autoptr (SlModel) model = classifier (-1);
  g_autoptr (SlProgram) one = program_for (model, 1);
  g_autoptr (SlProgram) five = program_for (model, 5);
  g_autoptr (SlRun) single = sl_run_new (one, NULL);
  g_autoptr (SlRun) batch = sl_run_new (five, NULL);
  g_autoptr (SlTensor) x = numbers (&SL_SHAPE (5, 3, 8, 8), 3);
  g_autoptr (SlTensor) all = run_once (batch, x);
  for (int i = 0; i < 5; i++) {
    const float *picture = (const float *)sl_tensor_get_data (x) + i * 192;
    g_autoptr (SlTensor) part =
        sl_tensor_new_copy (SL_FLOAT32, &SL_SHAPE (1, 3, 8, 8), picture, NULL);
    g_autoptr (SlTensor) y = run_once (single, part);
    const float *row = (const float *)sl_tensor_get_data (all) + i * 10;
    for (int k = 0; k < 10; k++)
      g_assert_cmpfloat_with_epsilon (((const float *)sl_tensor_get_data (y))[k], row[k], 1e-6);
  }
}

static void
test_weights_are_shared (void)
{
  /* A second program, for another batch, adds no packed weights: only its graph. */
  g_autoptr (SlModel) model = classifier (-1);
  g_autoptr (SlProgram) one = program_for (model, 1);
  g_autoptr (SlProgram) two = program_for (model, 2);
  SlProgramInfo first, second;
  sl_program_get_info (one, &first);
  sl_program_get_info (two, &second);
  g_assert_cmpuint (first.weight_bytes, ==, second.weight_bytes);
  g_assert_cmpuint (first.weight_bytes, >, 0);
}

/* Half floats take half the memory, and move results by their rounding; weights that they hold
 * give the same bits. */
static void
test_half (void)
{
  for (int exact = 0; exact < 2; exact++) {
    SlGraph *graph = sl_graph_new ();
    SlValue *w = test_constant (graph, "w", SL_SHAPE (64, 32, 1, 1), 1);
    SlValue *dense = test_constant (graph, "dense", SL_SHAPE (64, 10), 2);
    SlValue *conv =
        test_node (graph, "Conv", "c", test_input (graph, "x", SL_SHAPE (1, 32, 8, 8)), w, NULL);
    SlValue *flat = test_node (graph, "Flatten", "f",
                               test_node (graph, "GlobalAveragePool", "p", conv, NULL), NULL);
    for (int i = 0; exact && i < 2; i++) {
      SlTensor *tensor = (i == 0 ? w : dense)->data;
      float *data = sl_tensor_get_data_writable (tensor);
      for (size_t k = 0; k < sl_tensor_get_elements (tensor); k++)
        data[k] = sl_half_to_float (sl_half_from_float (data[k]));
    }
    sl_graph_mark_output (graph, test_node (graph, "Gemm", "y", flat, dense, NULL));
    g_autoptr (SlModel) model = model_of (graph);
    g_autoptr (SlTensor) x = numbers (&SL_SHAPE (1, 32, 8, 8), 4);
    SlTensor *y[2];
    SlProgramInfo info[2];
    for (int half = 0; half < 2; half++) {
      g_autoptr (SlProgram) program =
          sl_program_new (model, &(SlProgramOptions){.half = half}, NULL);
      g_autoptr (SlRun) run = sl_run_new (program, NULL);
      sl_program_get_info (program, &info[half]);
      y[half] = run_once (run, x);
    }
    double most = 0, largest = 0;
    for (size_t i = 0; i < 10; i++) {
      const double full = sl_tensor_get_double (y[0], i);
      most = MAX (most, fabs (sl_tensor_get_double (y[1], i) - full));
      largest = MAX (largest, fabs (full));
    }
    g_assert_cmpuint (2 * info[1].weight_bytes, ==, info[0].weight_bytes);
    if (exact)
      g_assert_cmpfloat (most, ==, 0);
    else
      g_assert_true (most > 0 && most < 1e-3 * largest);
    sl_tensor_unref (y[0]);
    sl_tensor_unref (y[1]);
  }
}

static uint32_t computed;

static gboolean
compute (const SlNode *node, SlTensor *const *inputs, SlTensor **ret_outputs, GError **error)
{
  computed++;
  if (node->op->traits & (SL_TRAIT_PACKING | SL_TRAIT_RELAYOUT))
    return sl_cpu_evaluate (node, inputs, ret_outputs, error);
  return sl_ref_evaluate (node, inputs, ret_outputs, error);
}

static gboolean
stream (const SlNode *node, SlReadFunc read, void *data, SlTensor **ret_outputs, GError **error)
{
  return FALSE;
}

static const SlEvaluator evaluator = {compute, stream};

static gboolean
evaluate (void *model, const SlNode *node, SlTensor **ret_outputs, GError **error)
{
  g_autoptr (GPtrArray) held = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  return sl_constants_evaluate (sl_model_get_constants (model), node, &evaluator, held, ret_outputs,
                                error);
}

static void
test_store_finds_again (void)
{
  /* What one program folded and packed the next one takes. */
  SlTarget target = sl_cpu_get_target ();
  g_autoptr (SlModel) model = classifier (1);
  for (int i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SlGraph) graph = sl_graph_clone (sl_model_get_graph (model));
    SlPasses passes = {.graph = graph,
                       .target = &target,
                       .optimize = true,
                       .evaluate = evaluate,
                       .evaluate_data = model};
    computed = 0;
    sl_passes_run (&passes, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (computed, ==, i == 0 ? 2 : 0); /* weights of Conv and Gemm */
  }
}

static void
set_true (gpointer flag)
{
  *(gboolean *)flag = TRUE;
}

static void
test_store_forgets_programs (void)
{
  /* What is made of an input that a program fixed goes with that program. */
  g_autoptr (GError) error = NULL;
  gboolean gone = FALSE;
  float two = 2;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (4)), *k = test_input (graph, "k", SL_SHAPE (1));
  SlValue *factor = test_node (graph, "Exp", "factor", k, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Mul", "y", x, factor, NULL));
  g_autoptr (SlModel) model = model_of (graph);
  GBytes *bytes = g_bytes_new_with_free_func (&two, sizeof two, set_true, &gone);
  SlTensor *fixed[] = {NULL, sl_tensor_new_bytes (SL_FLOAT32, &SL_SHAPE (1), bytes, 0, NULL)};
  g_bytes_unref (bytes);
  SlProgram *program = sl_program_new (model, &(SlProgramOptions){.fixed = fixed}, &error);
  g_assert_no_error (error);
  sl_tensor_unref (fixed[1]);
  sl_program_unref (program);
  g_assert_true (gone);
}

static void
test_store_tells_outputs_apart (void)
{
  /* The same node twice, but one result of the first is not asked for. */
  SlGraph *graph = sl_graph_new ();
  SlValue *inputs[5] = {test_constant (graph, "x", SL_SHAPE (4, 2), 1)}, *outputs[2][3];
  for (uint32_t i = 1; i < 5; i++)
    inputs[i] = test_constant (graph, NULL, SL_SHAPE (2), i);
  for (uint32_t i = 0; i < 6; i++) {
    bool asked = i != 1;
    outputs[i / 3][i % 3] = asked ? sl_graph_add_value (graph, NULL, SL_VALUE_ACTIVATION) : NULL;
  }
  for (uint32_t i = 0; i < 2; i++) {
    sl_graph_add_node (graph, sl_op_find ("BatchNormalization"), NULL, NULL, 5, inputs, 3,
                       outputs[i]);
    test_set_int (outputs[i][0], "training_mode", 1);
    sl_graph_mark_output (graph, outputs[i][2]);
  }
  sl_graph_mark_output (graph, outputs[1][1]);
  g_autoptr (SlModel) model = model_of (graph);
  g_autoptr (SlProgram) program = program_for (model, 0);
  g_autoptr (SlRun) run = sl_run_new (program, NULL);
  g_assert_true (sl_run_execute (run, NULL));
  g_autoptr (SlTensor) mean = sl_run_copy_output (run, 2, NULL);
  g_assert_cmpfloat (fabs (sl_tensor_get_double (mean, 0)), >, 0);
}

/* Every step is timed, and the results are those of a run without times. */
static void
test_steps_are_timed (void)
{
  static const char *const devices[] = {"cpu", "ref"};
  g_autoptr (SlModel) model = classifier (1);
  g_autoptr (SlTensor) x = numbers (&SL_SHAPE (1, 3, 8, 8), 5);
  for (size_t d = 0; d < G_N_ELEMENTS (devices); d++) {
    g_autoptr (GError) error = NULL;
    const SlProgramOptions options = {.device = sl_device_find (devices[d], NULL)};
    g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
    g_assert_no_error (error);
    g_autoptr (SlRun) run = sl_run_new (program, NULL);
    g_autoptr (SlTensor) want = run_once (run, x);
    uint32_t n = sl_program_get_n_steps (program), layer = 0;
    g_assert_cmpuint (n, >, 0);
    g_autofree guint64 *ns = g_new (guint64, n + 1);
    memset (ns, 0xff, (n + 1) * sizeof ns[0]);
    sl_run_set_input (run, 0, x, NULL);
    g_assert_true (sl_run_execute_timed (run, ns, &error));
    g_autoptr (SlTensor) got = sl_run_copy_output (run, 0, NULL);
    g_assert_cmpmem (sl_tensor_get_data (got), sl_tensor_get_size (got), sl_tensor_get_data (want),
                     sl_tensor_get_size (want));
    for (uint32_t i = 0; i < n; i++) {
      SlStepInfo step;
      sl_program_get_step (program, i, &step);
      g_assert_cmpuint (step.layer, >=, layer);
      layer = step.layer;
      g_assert_cmpuint (ns[i], <, G_MAXUINT32);
    }
    g_assert_cmpuint (layer, <, sl_program_get_n_layers (program));
    g_assert_cmpuint (ns[n], ==, G_MAXUINT64);
  }
}

typedef struct Worker {
  SlProgram *program;
  const SlTensor *x, *want;
  int wrong;
} Worker;

static gpointer
work (gpointer data)
{
  Worker *worker = data;
  g_autoptr (SlRun) run = sl_run_new (worker->program, NULL);
  for (int i = 0; i < 200; i++) {
    g_autoptr (SlTensor) y = run_once (run, worker->x);
    worker->wrong += memcmp (sl_tensor_get_data (y), sl_tensor_get_data (worker->want),
                             sl_tensor_get_size (y)) != 0;
  }
  return NULL;
}

static void
test_runs_at_once (void)
{
  g_autoptr (SlModel) model = classifier (1);
  g_autoptr (SlProgram) program = program_for (model, 0);
  g_autoptr (SlRun) run = sl_run_new (program, NULL);
  Worker workers[4];
  GThread *threads[4];
  SlTensor *tensors[8];
  for (int i = 0; i < 4; i++) {
    tensors[2 * i] = numbers (&SL_SHAPE (1, 3, 8, 8), (uint32_t)i);
    tensors[2 * i + 1] = run_once (run, tensors[2 * i]);
    workers[i] = (Worker){program, tensors[2 * i], tensors[2 * i + 1], 0};
  }
  for (int i = 0; i < 4; i++)
    threads[i] = g_thread_new ("run", work, &workers[i]);
  for (int i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  for (int i = 0; i < 4; i++)
    g_assert_cmpint (workers[i].wrong, ==, 0);
  for (int i = 0; i < 8; i++)
    sl_tensor_unref (tensors[i]);
}

static gpointer
compile (gpointer model)
{
  return program_for (model, 2);
}

static void
test_compile_at_once (void)
{
  g_autoptr (SlModel) model = classifier (-1);
  GThread *threads[4];
  for (int i = 0; i < 4; i++)
    threads[i] = g_thread_new ("compile", compile, model);
  for (int i = 0; i < 4; i++)
    sl_program_unref (g_thread_join (threads[i]));
}

static void
test_nan_is_named (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = classifier (1);
  const char *const devices[] = {"cpu", "ref"};
  for (int i = 0; i < 2; i++) {
    SlProgramOptions options = {.device = sl_device_find (devices[i], NULL)};
    g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
    g_assert_no_error (error);
    g_autoptr (SlRun) run = sl_run_new (program, NULL);
    g_autoptr (SlTensor) x = numbers (&SL_SHAPE (1, 3, 8, 8), 1);
    ((float *)sl_tensor_get_data_writable (x))[100] = NAN;
    sl_run_set_input (run, 0, x, NULL);
    g_assert_false (sl_run_execute (run, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
    g_assert_nonnull (strstr (error->message, "Conv"));
    g_clear_error (&error);

    /* The run stays usable. */
    g_autoptr (SlTensor) good = numbers (&SL_SHAPE (1, 3, 8, 8), 2);
    g_autoptr (SlTensor) y = run_once (run, good);
    g_assert_true (isfinite (sl_tensor_get_double (y, 0)));
  }
}

static void
test_overflow_is_named (void)
{
  /* Finite in double precision, but not as what the output holds. */
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1));
  SlValue *big = test_node (graph, "Mul", "big", x, x, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Neg", "y", big, NULL));
  g_autoptr (SlModel) model = model_of (graph);
  const char *const devices[] = {"cpu", "ref"};
  for (int i = 0; i < 2; i++) {
    SlProgramOptions options = {.device = sl_device_find (devices[i], NULL)};
    g_autoptr (SlProgram) program = sl_program_new (model, &options, NULL);
    g_autoptr (SlRun) run = sl_run_new (program, NULL);
    g_autoptr (SlTensor) x30 = numbers (&SL_SHAPE (1), 1);
    *(float *)sl_tensor_get_data_writable (x30) = 1e30f;
    sl_run_set_input (run, 0, x30, NULL);
    g_assert_false (sl_run_execute (run, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
    g_assert_nonnull (strstr (error->message, "node big (Mul)"));
    g_clear_error (&error);
  }
}

static void
test_nan_leaves_other_outputs (void)
{
  /* Finding the node runs again what writes where y lies: y is whole all the same. */
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 4));
  SlValue *bad = test_node (graph, "Log", "bad", test_node (graph, "Neg", "minus", x, NULL), NULL);
  sl_graph_mark_output (graph, test_node (graph, "Transpose", "nan", bad, NULL));
  sl_graph_mark_output (graph, test_node (graph, "Exp", "y", x, NULL));
  g_autoptr (SlModel) model = model_of (graph);
  g_autoptr (SlProgram) program = program_for (model, 0);
  g_autoptr (SlRun) run = sl_run_new (program, NULL);
  g_autoptr (SlTensor) ones = numbers (&SL_SHAPE (1, 4), 1);
  for (int i = 0; i < 4; i++)
    ((float *)sl_tensor_get_data_writable (ones))[i] = 1;
  sl_run_set_input (run, 0, ones, NULL);
  g_assert_false (sl_run_execute (run, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  g_autoptr (SlTensor) y = sl_run_copy_output (run, 1, NULL);
  g_assert_cmpfloat_with_epsilon (sl_tensor_get_double (y, 3), G_E, 1e-6);
}

static void
expect_error (SlModel *model, const SlProgramOptions *options, int code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (sl_program_new (model, options, &error));
  g_assert_error (error, SL_ERROR, code);
  g_assert_nonnull (strstr (error->message, text));
}

static void
test_errors (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = classifier (-1);
  SlShape wrong = SL_SHAPE (1, 4, 8, 8), small = SL_SHAPE (1, 3, 2, 2);
  expect_error (model, &(SlProgramOptions){.shapes = &wrong, .n_shapes = 1}, SL_ERROR_SHAPE,
                "1x4x8x8");
  expect_error (model, &(SlProgramOptions){.shapes = &small, .n_shapes = 1}, SL_ERROR_SHAPE,
                "?x3x8x8");
  expect_error (model, &(SlProgramOptions){.shapes = &small, .n_shapes = 2}, SL_ERROR_SHAPE,
                "1 inputs");
  expect_error (model, &(SlProgramOptions){.memory_limit = 1000}, SL_ERROR_LIMIT, "1000 bytes");
  g_autoptr (SlTensor) flat = numbers (&SL_SHAPE (3, 8, 8), 1);
  g_autoptr (SlTensor) four = numbers (&wrong, 1);
  expect_error (model, &(SlProgramOptions){.fixed = &flat}, SL_ERROR_SHAPE, "input 'x' is 3x8x8");
  expect_error (model, &(SlProgramOptions){.fixed = &four}, SL_ERROR_SHAPE, "input 'x' is 1x4x8x8");

  g_autoptr (SlProgram) program = program_for (model, 1);
  g_autoptr (SlRun) run = sl_run_new (program, NULL);
  g_autoptr (SlTensor) x = numbers (&SL_SHAPE (1, 3, 8, 7), 1);
  g_assert_false (sl_run_set_input (run, 0, x, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
}

static void
test_huge_constants (void)
{
  /* 10^12 elements from a few bytes; and many that are small enough each. */
  for (int many = 0; many < 2; many++) {
    SlGraph *graph = sl_graph_new ();
    const int64_t dims[] = {many ? 4 : 1000000, 1000000};
    SlValue *one = test_constant (graph, "one", SL_SHAPE (1), 1);
    SlValue *shape = sl_graph_add_ints (graph, "shape", dims, 2);
    SlValue *sum = test_input (graph, "x", SL_SHAPE (1));
    for (int i = 0; i < (many ? 100 : 1); i++)
      sum = test_node (graph, "Add", NULL, sum, test_node (graph, "Expand", NULL, one, shape, NULL),
                       NULL);
    sl_graph_mark_output (graph, sum);
    g_autoptr (SlModel) model = model_of (graph);
    expect_error (model, &(SlProgramOptions){.memory_limit = G_MAXUINT64}, SL_ERROR_LIMIT,
                  "Expand");
  }
}

static void
test_huge_inputs (void)
{
  /* The product of the dimensions does not fit. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (-1, 1 << 30, 1 << 30));
  SlValue *axis = sl_graph_add_ints (graph, "axis", (const int64_t[]){0, 1, 2}, 3);
  sl_graph_mark_output (graph, test_node (graph, "ReduceMax", "y", x, axis, NULL));
  g_autoptr (SlModel) model = model_of (graph);
  expect_error (model, &(SlProgramOptions){.batch = G_MAXUINT32}, SL_ERROR_LIMIT, "'x'");
  g_autoptr (SlModel) usual = classifier (-1);
  expect_error (usual, &(SlProgramOptions){.batch = G_MAXUINT32}, SL_ERROR_LIMIT, "'x'");
}

static void
test_limit_counts_all (void)
{
  /* (1024, 1024) in 4 MiB: two of them in the arena, and two in double precision while the
   * reference computes, however many threads there are. */
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1024, 1024));
  SlValue *y = test_node (graph, "LRN", "y", x, NULL);
  test_set_int (y, "size", 3);
  sl_graph_mark_output (graph, y);
  g_autoptr (SlModel) model = model_of (graph);
  const char *const devices[] = {"cpu", "ref"};
  for (int i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    SlProgramOptions options = {.device = sl_device_find (devices[i], NULL), .threads = 1000000};
    options.memory_limit = 20 << 20;
    expect_error (model, &options, SL_ERROR_LIMIT, "24.0 MiB");
    options.memory_limit = 25 << 20;
    g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
    g_assert_no_error (error);
    g_autoptr (SlRun) run = sl_run_new (program, &error);
    g_assert_no_error (error);
    g_autoptr (SlTensor) ones = numbers (&SL_SHAPE (1024, 1024), 1);
    g_autoptr (SlTensor) normal = run_once (run, ones);
  }
}

/* Everything that passes and planner do: normalisation folded into a convolution, activations and a
 * sum fused into one, a concatenation without copies, results in place of inputs, nodes that fall
 * away. */
static const char *const blocks_values[] = {
    "x",      "weight", "conv", "norm", "relu", "drop",    "branch", "sum", "sum_relu",
    "joined", "tanh",   "exp",  "pool", "flat", "shifted", "folded", "y",
};

static SlModel *
blocks (void)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, 3, 8, 8)), *channel[4];
  SlValue *weight = test_constant (graph, "weight", SL_SHAPE (16, 3, 3, 3), 1);
  for (uint32_t i = 0; i < 4; i++)
    channel[i] = test_constant (graph, NULL, SL_SHAPE (16), 2 + i);
  float *variance = (float *)sl_tensor_get_data (channel[3]->data);
  for (int i = 0; i < 16; i++)
    variance[i] += 1;
  SlValue *conv = test_node (graph, "Conv", "conv", x, weight, NULL);
  SlValue *norm = test_node (graph, "BatchNormalization", "norm", conv, channel[0], channel[1],
                             channel[2], channel[3], NULL);
  SlValue *relu = test_node (graph, "Relu", "relu", norm, NULL);
  SlValue *drop = test_node (graph, "Dropout", "drop", relu, NULL);
  SlValue *branch =
      test_node (graph, "Conv", "branch", drop,
                 test_constant (graph, "branch_weight", SL_SHAPE (16, 16, 1, 1), 6), NULL);
  SlValue *sum = test_node (graph, "Add", "sum", branch, relu, NULL);
  SlValue *sum_relu = test_node (graph, "Relu", "sum_relu", sum, NULL);
  SlValue *joined = test_node (graph, "Concat", "joined", sum_relu, relu, NULL);
  test_set_int (joined, "axis", 1);
  SlValue *tanh = test_node (graph, "Tanh", "tanh", joined, NULL);
  SlValue *exp = test_node (graph, "Exp", "exp", tanh, NULL);
  SlValue *pool = test_node (graph, "GlobalAveragePool", "pool", exp, NULL);
  SlValue *flat = test_node (graph, "Flatten", "flat", pool, NULL);
  SlValue *folded =
      test_node (graph, "Neg", "folded", test_constant (graph, NULL, SL_SHAPE (1, 32), 7), NULL);
  SlValue *shifted = test_node (graph, "Add", "shifted", flat, folded, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Softmax", "y", shifted, NULL));
  return model_of (graph);
}

static SlRun *
run_with_taps (SlModel *model, const char *device, gboolean unoptimized, const char *const *taps,
               uint32_t n_taps)
{
  g_autoptr (GError) error = NULL;
  SlProgramOptions options = {.device = sl_device_find (device, NULL),
                              .taps = taps,
                              .n_taps = n_taps,
                              .unoptimized = unoptimized};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_program_get_n_outputs (program), ==, 1 + n_taps);
  for (uint32_t i = 0; i < n_taps; i++)
    g_assert_cmpstr (sl_program_get_output (program, 1 + i)->name, ==, taps[i]);
  SlRun *run = sl_run_new (program, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) x = numbers (&SL_SHAPE (1, 3, 8, 8), 8);
  g_autoptr (SlTensor) y = run_once (run, x);
  return run;
}

/* Output `index` of `run` is output `other` of the run that nothing was done to. */
static void
compare_outputs (SlRun *run, uint32_t index, SlRun *plain, uint32_t other)
{
  g_autoptr (SlTensor) have = sl_run_copy_output (run, index, NULL);
  g_autoptr (SlTensor) want = sl_run_copy_output (plain, other, NULL);
  g_assert_true (sl_shape_equal (sl_tensor_get_shape (have), sl_tensor_get_shape (want)));
  for (size_t i = 0; i < sl_tensor_get_elements (want); i++)
    g_assert_cmpfloat_with_epsilon (sl_tensor_get_double (have, i), sl_tensor_get_double (want, i),
                                    1e-5);
}

static void
test_taps (void)
{
  /* Each value alone, then all at once: what the file's node makes, on both backends. */
  const uint32_t n = G_N_ELEMENTS (blocks_values);
  const char *const devices[] = {"cpu", "ref"};
  g_autoptr (SlModel) model = blocks ();
  g_autoptr (SlRun) plain = run_with_taps (model, "ref", TRUE, blocks_values, n);
  for (int device = 0; device < 2; device++) {
    for (uint32_t i = 0; i < n; i++) {
      g_autoptr (SlRun) run = run_with_taps (model, devices[device], FALSE, &blocks_values[i], 1);
      compare_outputs (run, 0, plain, 0);
      compare_outputs (run, 1, plain, 1 + i);
    }
    g_autoptr (SlRun) all = run_with_taps (model, devices[device], FALSE, blocks_values, n);
    for (uint32_t i = 0; i <= n; i++)
      compare_outputs (all, i, plain, i);
  }
}

static void
test_taps_twice (void)
{
  const char *const taps[] = {"relu", "y", "relu"};
  g_autoptr (SlModel) model = blocks ();
  g_autoptr (SlRun) run = run_with_taps (model, "cpu", FALSE, taps, 3);
  compare_outputs (run, 2, run, 0);
  compare_outputs (run, 3, run, 1);
}

static void
test_taps_cost_little (void)
{
  /* What stands between fused nodes and the rest is kept: weights and the scores' bits are the
   * same, the memory grows by the value, and the steps by the copy into the concatenation that it
   * was written into without the tap. */
  const char *const taps[] = {"relu"};
  g_autoptr (SlModel) model = blocks ();
  g_autoptr (SlProgram) program = program_for (model, 0);
  SlProgramOptions options = {.taps = taps, .n_taps = 1};
  g_autoptr (SlProgram) tapped = sl_program_new (model, &options, NULL);
  SlProgramInfo without, with;
  sl_program_get_info (program, &without);
  sl_program_get_info (tapped, &with);
  g_assert_cmpuint (with.n_steps, ==, without.n_steps + 1);
  g_assert_cmpuint (with.weight_bytes, ==, without.weight_bytes);
  g_assert_cmpuint (with.arena_bytes, <=, without.arena_bytes + 16 * 6 * 6 * sizeof (float));
  g_autoptr (SlRun) first = sl_run_new (program, NULL);
  g_autoptr (SlRun) second = sl_run_new (tapped, NULL);
  g_autoptr (SlTensor) x = numbers (&SL_SHAPE (1, 3, 8, 8), 9);
  g_autoptr (SlTensor) y = run_once (first, x);
  g_autoptr (SlTensor) again = run_once (second, x);
  g_assert_cmpmem (sl_tensor_get_data (y), sl_tensor_get_size (y), sl_tensor_get_data (again),
                   sl_tensor_get_size (again));
}

static void
test_taps_unknown (void)
{
  const char *const taps[] = {"relu", "conv2"};
  g_autoptr (SlModel) model = blocks ();
  expect_error (model, &(SlProgramOptions){.taps = taps, .n_taps = 2}, SL_ERROR_UNSUPPORTED,
                "no value named 'conv2'");
}

/* 300 does not fit uint8: what the next node reads is 44, on the reference, too. */
static void
test_integers_wrap (void)
{
  const char *const devices[] = {"cpu", "ref"};
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1));
  SlValue *narrow = test_node (graph, "Cast", "narrow", x, NULL);
  SlValue *wide = test_node (graph, "Cast", "wide", narrow, NULL);
  test_set_int (narrow, "to", 2); /* TensorProto.UINT8 */
  test_set_int (wide, "to", 1);   /* FLOAT */
  sl_graph_mark_output (graph, wide);
  g_autoptr (SlModel) model = model_of (graph);
  g_autoptr (SlTensor) number = sl_tensor_new_copy (SL_FLOAT32, &SL_SHAPE (1), &(float){300}, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (devices); i++) {
    const SlProgramOptions options = {.device = sl_device_find (devices[i], NULL)};
    g_autoptr (SlProgram) program = sl_program_new (model, &options, NULL);
    g_autoptr (SlRun) run = sl_run_new (program, NULL);
    g_autoptr (SlTensor) y = run_once (run, number);
    g_assert_cmpfloat (sl_tensor_get_double (y, 0), ==, 44);
  }
}

static void
test_devices (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (sl_device_find ("auto", NULL) == sl_device_list ()[0]);
  g_assert_true (sl_device_find ("cpu", NULL)->backend == SL_BACKEND_CPU);
  g_assert_null (sl_device_find ("vulkan:1000000", &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
  g_clear_error (&error);
  g_assert_null (sl_device_find ("toaster", &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/model/facts", test_model_facts);
  g_test_add_func ("/session/program/facts", test_program_facts);
  g_test_add_func ("/session/program/integers-wrap", test_integers_wrap);
  g_test_add_func ("/session/program/batches", test_batches_agree);
  g_test_add_func ("/session/program/shared-weights", test_weights_are_shared);
  g_test_add_func ("/session/program/half", test_half);
  g_test_add_func ("/session/store/finds-again", test_store_finds_again);
  g_test_add_func ("/session/store/forgets-programs", test_store_forgets_programs);
  g_test_add_func ("/session/store/tells-outputs-apart", test_store_tells_outputs_apart);
  g_test_add_func ("/session/program/compile-at-once", test_compile_at_once);
  g_test_add_func ("/session/run/at-once", test_runs_at_once);
  g_test_add_func ("/session/run/timed", test_steps_are_timed);
  g_test_add_func ("/session/run/nan", test_nan_is_named);
  g_test_add_func ("/session/run/overflow", test_overflow_is_named);
  g_test_add_func ("/session/run/nan-leaves-other-outputs", test_nan_leaves_other_outputs);
  g_test_add_func ("/session/errors", test_errors);
  g_test_add_func ("/session/limits/constants", test_huge_constants);
  g_test_add_func ("/session/limits/inputs", test_huge_inputs);
  g_test_add_func ("/session/limits/counts-all", test_limit_counts_all);
  g_test_add_func ("/session/taps/values", test_taps);
  g_test_add_func ("/session/taps/twice", test_taps_twice);
  g_test_add_func ("/session/taps/cost", test_taps_cost_little);
  g_test_add_func ("/session/taps/unknown", test_taps_unknown);
  g_test_add_func ("/session/devices", test_devices);
  return g_test_run ();
}
