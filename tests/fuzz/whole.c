#include "whole.h"

#include "fuzz.h"
#include "graph/op.h"
#include "model-private.h"
#include "onnx/onnx.h"
#include "session-private.h"

#include <sightline/sightline.h>

#include <string.h>

/* What a fuzzer finds beyond them is only slow. */
static const SlModelLimits limits = {.file_bytes = 1 << 20, .nodes = 256, .tensor_bytes = 1 << 20};
#define MEMORY (16 << 20)
#define WORK 1e5

/* What was read can be written, unless an operator has no form in a file, and then be read again.
 */
static void
check_writer (SlModel *model)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) written = sl_onnx_write (sl_model_get_graph (model), NULL, &error);
  if (written == NULL) {
    fuzz_check_error (g_steal_pointer (&error));
    return;
  }
  SlOnnxMeta meta;
  sl_onnx_meta_init (&meta);
  g_autoptr (SlGraph) again = sl_onnx_read (written, "again", NULL, NULL, &meta, &error);
  if (again == NULL)
    fuzz_fail ("written, but not to be read: %s", error->message);
  sl_onnx_meta_clear (&meta);
}

/* Numbers that follow from the index alone, the same in each run. */
static void
fill (const SlTensorView *view, SlTensor *to)
{
  const size_t n = sl_tensor_get_elements (to), size = sl_dtype_get_size (view->dtype);
  uint8_t *data = sl_tensor_get_data_writable (to);
  for (size_t i = 0; i < n; i++) {
    const int number = (int)(i * 7 % 17) - 8;
    const SlRefTensor element = {.dtype = view->dtype,
                                 .n = 1,
                                 .data = sl_dtype_is_float (view->dtype)
                                             ? (void *)&(double){number / 8.0}
                                             : (void *)&(int64_t){number > 0 ? number : 0}};
    sl_ref_store (&element, data + i * size);
  }
}

/* Executes and returns the outputs; NULL if the run has none to show. */
static GPtrArray *
execute (SlRun *run, SlProgram *program)
{
  GError *error = NULL;
  if (!sl_run_execute (run, &error)) {
    if (!g_error_matches (error, SL_ERROR, SL_ERROR_NUMERIC))
      fuzz_fail ("a run failed: %s", error->message);
    fuzz_check_error (error);
  }
  GPtrArray *outputs = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  for (uint32_t i = 0; i < sl_program_get_n_outputs (program); i++) {
    SlTensor *output = sl_run_copy_output (run, i, &error);
    if (output == NULL)
      fuzz_fail ("no output: %s", error->message);
    g_ptr_array_add (outputs, output);
  }
  return outputs;
}

/* Twice the same run gives twice the same bits, and its inputs stay as they are. */
static void
run_twice (SlProgram *program)
{
  GError *error = NULL;
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  if (run == NULL)
    fuzz_fail ("within the limits, but: %s", error->message);
  for (uint32_t i = 0; i < sl_program_get_n_inputs (program); i++) {
    SlTensorView view;
    sl_run_get_input (run, i, &view);
    g_autoptr (SlTensor) content = sl_tensor_new (view.dtype, &view.shape, NULL);
    fill (&view, content);
    if (!sl_run_set_input (run, i, content, &error))
      fuzz_fail ("an input of its own shape: %s", error->message);
  }
  g_autoptr (GPtrArray) first = execute (run, program);
  g_autoptr (GPtrArray) second = execute (run, program);
  for (guint i = 0; i < first->len; i++)
    if (memcmp (sl_tensor_get_data (first->pdata[i]), sl_tensor_get_data (second->pdata[i]),
                sl_tensor_get_size (first->pdata[i])) != 0)
      fuzz_fail ("output %u differs from run to run", i);
}

static SlProgram *
compile (SlModel *model, const char *device, gboolean unoptimized)
{
  const SlProgramOptions options = {.device = sl_device_find (device, NULL),
                                    .threads = 1,
                                    .memory_limit = MEMORY,
                                    .constant_limit = MEMORY,
                                    .constant_work = WORK,
                                    .run_work = WORK,
                                    .unoptimized = unoptimized};
  GError *error = NULL;
  SlProgram *program = sl_program_new (model, &options, &error);
  if (program == NULL) {
    fuzz_check_error (error);
    return NULL;
  }
  g_autofree char *overlap = sl_plan_check (sl_session_get_plan (program));
  if (overlap != NULL && strcmp (device, "cpu") == 0)
    fuzz_fail ("the plan: %s", overlap);
  g_autofree char *text = sl_program_print (program, SL_PRINT_TEXT);
  g_assert (text != NULL);
  return program;
}

static void
check_shapes (SlProgram *a, SlProgram *b)
{
  for (uint32_t i = 0; i < sl_program_get_n_outputs (a); i++) {
    const SlPort *left = sl_program_get_output (a, i), *right = sl_program_get_output (b, i);
    if (left->dtype != right->dtype || !sl_shape_equal (&left->shape, &right->shape))
      fuzz_fail ("output '%s' has two shapes", left->name);
  }
}

void
fuzz_try_model (const uint8_t *data, size_t size, const char *name)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  GError *error = NULL;
  g_autoptr (SlModel) model = sl_model_load_bytes (bytes, name, &limits, &error);
  if (model == NULL) {
    fuzz_check_error (error);
    return;
  }
  check_writer (model);
  g_autoptr (SlProgram) fast = compile (model, "cpu", FALSE);
  g_autoptr (SlProgram) plain = compile (model, "ref", TRUE);
  if (fast != NULL)
    run_twice (fast);
  if (plain != NULL)
    run_twice (plain);
  if (fast != NULL && plain != NULL)
    check_shapes (fast, plain);
}
