/* `sightline check`: runs cases of ONNX's backend test and compares with the outputs that they
 * state. */
#include "command.h"
#include "network.h"
#include "options.h"
#include "report.h"

#include <sightline/sightline.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum { CASE_PASS, CASE_FAIL, CASE_UNSUPPORTED, CASE_KINDS } CaseResult;

static const char *const result_names[CASE_KINDS] = {"pass", "fail", "unsupported"};

typedef struct {
  const SlDevice *device;
  double rtol, atol, scaled;
  gboolean show, half;
} CheckOptions;

/* The largest difference of an output, and its largest number: what `show` prints. */
typedef struct {
  double difference, largest;
} Worst;

/* What Sightline does not do, or not that large, is "unsupported"; all else that goes wrong is a
 * failure. */
static CaseResult
sort_error (const GError *error)
{
  return g_error_matches (error, SL_ERROR, SL_ERROR_UNSUPPORTED) ||
                 g_error_matches (error, SL_ERROR, SL_ERROR_LIMIT)
             ? CASE_UNSUPPORTED
             : CASE_FAIL;
}

/* Loads DATASET/KIND_0.pb and on, until one is not there. FALSE with an error. */
static gboolean
load_tensors (const char *data_set, const char *kind, GPtrArray *tensors, GError **error)
{
  for (guint i = 0;; i++) {
    g_autofree char *name = g_strdup_printf ("%s_%u.pb", kind, i);
    g_autofree char *path = g_build_filename (data_set, name, NULL);
    if (!g_file_test (path, G_FILE_TEST_EXISTS))
      return TRUE;
    SlTensor *tensor = sl_tensor_load_pb (path, error);
    if (!tensor)
      return FALSE;
    g_ptr_array_add (tensors, tensor);
  }
}

/* Largest absolute number; infinities and NaN are not counted. */
static double
find_largest (const SlTensor *tensor)
{
  double largest = 0;
  for (size_t i = 0; i < sl_tensor_get_elements (tensor); i++) {
    double number = fabs (sl_tensor_get_double (tensor, i));
    if (isfinite (number))
      largest = MAX (largest, number);
  }
  return largest;
}

/* Keeps the output whose difference is the largest part of its largest number. */
static void
note_difference (const SlTensor *got, const SlTensor *want, Worst *worst)
{
  Worst here = {.largest = find_largest (want)};
  for (size_t i = 0; i < sl_tensor_get_elements (want); i++) {
    double difference = fabs (sl_tensor_get_double (got, i) - sl_tensor_get_double (want, i));
    if (isfinite (difference))
      here.difference = MAX (here.difference, difference);
  }
  if (worst->largest == 0 || here.difference * worst->largest > worst->difference * here.largest)
    *worst = here;
}

/* `atol` includes what is allowed for the output as a whole. */
static gboolean
is_close (const SlTensor *got, const SlTensor *want, size_t i, double rtol, double atol)
{
  if (!sl_dtype_is_float (sl_tensor_get_dtype (want))) {
    int64_t a = sl_tensor_get_int (got, i), b = sl_tensor_get_int (want, i);
    if (a == b)
      return TRUE;
    return fabs ((double)a - (double)b) <= atol + rtol * fabs ((double)b);
  }
  double a = sl_tensor_get_double (got, i), b = sl_tensor_get_double (want, i);
  if (isnan (a) || isnan (b))
    return isnan (a) && isnan (b);
  if (isinf (a) || isinf (b))
    return a == b;
  return fabs (a - b) <= atol + rtol * fabs (b);
}

/* NULL if they agree, else what differs; free with g_free(). */
static char *
compare (const SlTensor *got, const SlTensor *want, const CheckOptions *options)
{
  if (sl_tensor_get_dtype (got) != sl_tensor_get_dtype (want))
    return g_strdup_printf ("type %s (expected %s)", sl_dtype_get_name (sl_tensor_get_dtype (got)),
                            sl_dtype_get_name (sl_tensor_get_dtype (want)));
  if (!sl_shape_equal (sl_tensor_get_shape (got), sl_tensor_get_shape (want))) {
    g_autofree char *a = sl_shape_to_string (sl_tensor_get_shape (got));
    g_autofree char *b = sl_shape_to_string (sl_tensor_get_shape (want));
    return g_strdup_printf ("shape %s (expected %s)", a, b);
  }
  size_t n = sl_tensor_get_elements (want), wrong = 0, first = 0;
  double atol = options->atol + (options->scaled > 0 ? options->scaled * find_largest (want) : 0);
  for (size_t i = 0; i < n; i++)
    if (!is_close (got, want, i, options->rtol, atol) && wrong++ == 0)
      first = i;
  if (wrong == 0)
    return NULL;
  return g_strdup_printf ("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " elements differ, the first "
                          "at %" G_GSIZE_FORMAT ": %.9g (expected %.9g)",
                          wrong, n, first, sl_tensor_get_double (got, first),
                          sl_tensor_get_double (want, first));
}

/* The inputs that say shapes, axes and pads, NULL for the others: integers, and with `vectors` what
 * stands behind the first input with one dimension, such as scales. */
static SlTensor **
shape_inputs (GPtrArray *inputs, gboolean vectors)
{
  SlTensor **fixed = g_new0 (SlTensor *, inputs->len + 1);
  for (guint i = 0; i < inputs->len; i++) {
    SlTensor *input = g_ptr_array_index (inputs, i);
    if (sl_tensor_get_dtype (input) == SL_INT64 ||
        (vectors && i > 0 && sl_tensor_get_shape (input)->rank <= 1))
      fixed[i] = input;
  }
  return fixed;
}

/* A program for the shapes of these inputs. *ret_fixed says which of them became part of it: none,
 * the integers where a shape depends on them, or vectors too where that does not do. */
static SlProgram *
compile (SlModel *model, GPtrArray *inputs, const CheckOptions *options, SlTensor ***ret_fixed,
         GError **error)
{
  uint32_t expected = sl_model_get_n_inputs (model);
  if (inputs->len != expected) {
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "%u inputs are given (expected %u)", inputs->len,
                 expected);
    return NULL;
  }
  g_autofree SlShape *shapes = g_new0 (SlShape, MAX (inputs->len, 1));
  for (guint i = 0; i < inputs->len; i++)
    shapes[i] = *sl_tensor_get_shape (g_ptr_array_index (inputs, i));
  SlProgramOptions program_options = {
      .device = options->device, .shapes = shapes, .n_shapes = inputs->len, .half = options->half};
  *ret_fixed = NULL;
  for (int attempt = 0;; attempt++) {
    g_autoptr (GError) cause = NULL;
    SlProgram *program = sl_program_new (model, &program_options, &cause);
    if (program)
      return program;
    if (attempt == 2 || !g_error_matches (cause, SL_ERROR, SL_ERROR_UNSUPPORTED)) {
      g_propagate_error (error, g_steal_pointer (&cause));
      return NULL;
    }
    g_free (*ret_fixed);
    *ret_fixed = shape_inputs (inputs, attempt == 1);
    program_options.fixed = *ret_fixed;
  }
}

/* Computes all outputs of one data set. NaN and infinity in them are results like any other here.
 */
static gboolean
run (SlProgram *program, GPtrArray *inputs, SlTensor **fixed, GPtrArray *outputs, GError **error)
{
  uint32_t slot_input = 0;
  g_autoptr (SlRun) slot = sl_run_new (program, error);
  g_autoptr (GError) numeric = NULL;
  if (!slot)
    return FALSE;
  for (guint i = 0; i < inputs->len; i++) {
    if (fixed && fixed[i])
      continue;
    if (!sl_run_set_input (slot, slot_input++, g_ptr_array_index (inputs, i), error))
      return FALSE;
  }
  if (!sl_run_execute (slot, &numeric) && !g_error_matches (numeric, SL_ERROR, SL_ERROR_NUMERIC)) {
    g_propagate_error (error, g_steal_pointer (&numeric));
    return FALSE;
  }
  for (uint32_t i = 0; i < sl_program_get_n_outputs (program); i++) {
    SlTensor *output = sl_run_copy_output (slot, i, error);
    if (!output)
      return FALSE;
    g_ptr_array_add (outputs, output);
  }
  return TRUE;
}

/* One test_data_set_N. *ret_reason says why, unless it passes. */
static CaseResult
check_data_set (SlModel *model, const char *data_set, const CheckOptions *options, Worst *worst,
                char **ret_reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  g_autoptr (GPtrArray) wanted = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  g_autoptr (GPtrArray) got = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  g_autoptr (SlProgram) program = NULL;
  g_autofree SlTensor **fixed = NULL;
  if (!load_tensors (data_set, "input", inputs, &error) ||
      !load_tensors (data_set, "output", wanted, &error) ||
      !(program = compile (model, inputs, options, &fixed, &error)) ||
      !run (program, inputs, fixed, got, &error)) {
    *ret_reason = g_strdup (error->message);
    return sort_error (error);
  }
  if (wanted->len == 0 || wanted->len > got->len) {
    *ret_reason = g_strdup_printf ("%u outputs are stated (expected %u)", wanted->len, got->len);
    return CASE_FAIL;
  }
  for (guint i = 0; i < wanted->len; i++) {
    g_autofree char *difference =
        compare (g_ptr_array_index (got, i), g_ptr_array_index (wanted, i), options);
    if (!difference) {
      note_difference (g_ptr_array_index (got, i), g_ptr_array_index (wanted, i), worst);
      continue;
    }
    g_autofree char *name = g_path_get_basename (data_set);
    *ret_reason = g_strdup_printf ("%s, output %s: %s", name, sl_model_get_output (model, i)->name,
                                   difference);
    return CASE_FAIL;
  }
  return CASE_PASS;
}

static CaseResult
check_case (const char *folder, const CheckOptions *options, char **ret_reason)
{
  g_autoptr (GError) error = NULL;
  Worst worst = {0};
  g_autofree char *path = g_build_filename (folder, "model.onnx", NULL);
  g_autoptr (SlModel) model = sl_model_load (path, NULL, &error);
  if (!model) {
    *ret_reason = g_strdup (error->message);
    return sort_error (error);
  }
  for (guint i = 0;; i++) {
    g_autofree char *name = g_strdup_printf ("test_data_set_%u", i);
    g_autofree char *data_set = g_build_filename (folder, name, NULL);
    if (!g_file_test (data_set, G_FILE_TEST_IS_DIR)) {
      if (i == 0)
        *ret_reason = g_strdup ("no test_data_set_0 (expected at least one data set)");
      else if (options->show)
        *ret_reason = g_strdup_printf ("difference %.3g of %.3g", worst.difference, worst.largest);
      return i == 0 ? CASE_FAIL : CASE_PASS;
    }
    CaseResult result = check_data_set (model, data_set, options, &worst, ret_reason);
    if (result != CASE_PASS)
      return result;
  }
}

static int
check_cases (char **cases, const CheckOptions *options, gboolean strict)
{
  guint counts[CASE_KINDS] = {0};
  for (guint i = 0; cases[i]; i++) {
    g_autofree char *reason = NULL;
    g_autofree char *name = g_path_get_basename (cases[i]);
    CaseResult result = check_case (cases[i], options, &reason);
    counts[result]++;
    printf ("%s %s%s%s\n", result_names[result], name, reason ? " " : "",
            reason ? g_strdelimit (reason, "\r\n", ' ') : "");
    fflush (stdout);
  }
  printf ("%u passed, %u failed, %u unsupported\n", counts[CASE_PASS], counts[CASE_FAIL],
          counts[CASE_UNSUPPORTED]);
  if (counts[CASE_FAIL] > 0 || (strict && counts[CASE_UNSUPPORTED] > 0))
    return TOOL_FAILED;
  return TOOL_OK;
}

static int
check_run (int argc, char **argv)
{
  CheckOptions options = {.rtol = 1e-3, .atol = 1e-5};
  g_autofree char *device = NULL;
  g_auto (GStrv) cases = NULL;
  gboolean strict = FALSE;
  const GOptionEntry entries[] = {
      {"device", 'd', 0, G_OPTION_ARG_STRING, &device,
       "auto, cpu, vulkan, vulkan:N … (default: auto)", "NAME"},
      {"rtol", 0, 0, G_OPTION_ARG_DOUBLE, &options.rtol, "Relative tolerance (default: 1e-3)", "R"},
      {"atol", 0, 0, G_OPTION_ARG_DOUBLE, &options.atol, "Absolute tolerance (default: 1e-5)", "A"},
      {"scaled", 0, 0, G_OPTION_ARG_DOUBLE, &options.scaled,
       "Tolerance as a part of the output's largest number (default: 0)", "S"},
      {"half", 0, 0, G_OPTION_ARG_NONE, &options.half,
       "Keep weights, on a GPU activations too, as 16-bit floats", NULL},
      {"show", 0, 0, G_OPTION_ARG_NONE, &options.show,
       "Say the largest difference of cases that pass", NULL},
      {"strict", 0, 0, G_OPTION_ARG_NONE, &strict, "Unsupported cases fail too", NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &cases, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {
      "CASE…",
      "Runs cases of ONNX's backend test: folders with model.onnx and "
      "test_data_set_N/{input,output}_K.pb.\n"
      "An element agrees if |got - want| <= atol + rtol * |want| + scaled * max |want|; types and "
      "shapes\nhave to be the same.",
      "Prints a line a case (pass, fail or unsupported, its name, the reason) and the sums.\n"
      "Exit status 1 if any failed.\n\n"
      "Example:\n  sightline check -d ref onnx/backend/test/data/node/test_relu*"};
  if (!tool_parse (argc, argv, &usage, entries))
    return TOOL_USAGE;
  if (!cases)
    return tool_usage_error (argv[0], "no case given");
  if (!(options.rtol >= 0) || !(options.atol >= 0) || !(options.scaled >= 0))
    return tool_usage_error (argv[0], "tolerances have to be 0 or more");
  if (!(options.device = tool_find_device (device)))
    return TOOL_FAILED;
  return check_cases (cases, &options, strict);
}

const Command cmd_check = {"check", "compare with the outputs that ONNX test cases state",
                           check_run};
