#include "graph/everywhere.h"

#include "onnx/onnx.h"

#include <sightline/sightline.h>

#include <math.h>
#include <string.h>

static SlRun *
run_on (SlModel *model, const char *device, gboolean unoptimized, uint32_t threads)
{
  g_autoptr (GError) error = NULL;
  SlProgramOptions options = {
      .device = sl_device_find (device, NULL), .unoptimized = unoptimized, .threads = threads};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  SlRun *run = sl_run_new (program, &error);
  g_assert_no_error (error);
  const SlPort *port = sl_program_get_input (program, 0);
  g_autoptr (SlTensor) x = sl_tensor_new (SL_FLOAT32, &port->shape, &error);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  float *data = sl_tensor_get_data_writable (x);
  for (size_t i = 0; i < sl_tensor_get_elements (x); i++)
    data[i] = (float)g_rand_double_range (rand, -1, 1);
  sl_run_set_input (run, 0, x, &error);
  g_assert_no_error (error);
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  return run;
}

static void
compare (SlRun *got, SlRun *want, uint32_t output, double tolerance, const char *what)
{
  g_autoptr (SlTensor) a = sl_run_copy_output (got, output, NULL);
  g_autoptr (SlTensor) b = sl_run_copy_output (want, output, NULL);
  double largest = 0, worst = 0;
  for (size_t i = 0; i < sl_tensor_get_elements (b); i++) {
    double difference = fabs (sl_tensor_get_double (a, i) - sl_tensor_get_double (b, i));
    largest = fmax (largest, fabs (sl_tensor_get_double (b, i)));
    worst = isnan (difference) ? INFINITY : fmax (worst, difference);
  }
  if (worst > tolerance * fmax (largest, 1e-3))
    g_error ("%s, output %u: difference %g of %g", what, output, worst, largest);
}

static SlModel *
test_model (SlGraph *graph, const char *name)
{
  g_autoptr (GError) error = NULL;
  SlOnnxMeta meta;
  sl_onnx_meta_init (&meta);
  g_autoptr (GBytes) bytes = sl_onnx_write (graph, &meta, &error);
  sl_onnx_meta_clear (&meta);
  g_assert_no_error (error);
  SlModel *model = sl_model_load_bytes (bytes, name, NULL, &error);
  g_assert_no_error (error);
  return model;
}

void
test_everywhere (SlGraph *network, const char *what)
{
  g_autoptr (SlGraph) graph = network;
  g_autoptr (SlModel) model = test_model (graph, what);
  g_autoptr (SlRun) oracle = run_on (model, "ref", TRUE, 1);
  g_autoptr (SlRun) passes = run_on (model, "ref", FALSE, 1);
  g_autoptr (SlRun) plain = run_on (model, "cpu", TRUE, 1);
  g_autoptr (SlRun) fast = run_on (model, "cpu", FALSE, 1);
  g_autoptr (SlRun) wide = run_on (model, "cpu", FALSE, 3);
  for (uint32_t i = 0; i < graph->outputs->len; i++) {
    compare (passes, oracle, i, 1e-6, what);
    compare (plain, oracle, i, 1e-5, what);
    compare (fast, oracle, i, 1e-5, what);
    compare (wide, fast, i, 0, what); /* same bits for any number of threads */
  }
}

char *
test_list_ops (SlGraph *graph, bool steps)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = test_model (graph, "ops");
  const SlProgramOptions options = {.device = sl_device_find ("cpu", NULL)};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  GString *ops = g_string_new (NULL);
  for (uint32_t i = 0; i < sl_program_get_n_layers (program); i++) {
    SlLayer layer;
    sl_program_get_layer (program, i, &layer);
    if (!steps || *layer.kernel != '\0')
      g_string_append_printf (ops, "%s%s", ops->len > 0 ? " " : "", layer.op);
  }
  return g_string_free (ops, FALSE);
}
