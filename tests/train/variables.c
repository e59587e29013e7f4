/* What is learned in a network from elsewhere. */
#include "train/small.h"

#include <sightline/sightline.h>

#include <math.h>

static SlValueKind
kind_of (SlModel *model, const char *name)
{
  return sl_graph_find_value (sl_model_get_graph (model), name)->kind;
}

static void
test_variables (void)
{
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (-1, 4));
  SlValue *offset = test_constant (graph, "offset", SL_SHAPE (4), 1);
  SlValue *centred = test_node (graph, "Sub", "centred", x, offset, NULL);
  SlValue *w = test_node (graph, "Identity", "w-again",
                          test_constant (graph, "w", SL_SHAPE (4, 5), 2), NULL);
  SlValue *product = test_node (graph, "MatMul", "product", centred, w, NULL);
  SlValue *biased = test_node (graph, "Add", "biased", test_constant (graph, "b", SL_SHAPE (5), 3),
                               product, NULL);
  SlValue *halved = test_node (graph, "Mul", "halved", biased,
                               test_constant (graph, "half", SL_SHAPE (1), 4), NULL);
  SlValue *y = test_node (graph, "PRelu", "y", halved,
                          test_constant (graph, "slope", SL_SHAPE (5), 5), NULL);
  sl_graph_mark_output (graph, y);
  g_autoptr (SlModel) model = sl_model_new_from_graph (graph, "variables", NULL);
  g_autoptr (SlModel) copy = sl_model_new_trainable (model, &error);
  g_assert_no_error (error);
  static const char *const learned[] = {"w", "b", "slope"};
  g_assert_cmpuint (sl_model_get_n_variables (model), ==, 0);
  g_assert_cmpuint (sl_model_get_n_variables (copy), ==, 3);
  for (size_t i = 0; i < G_N_ELEMENTS (learned); i++) {
    g_assert_cmpint (kind_of (copy, learned[i]), ==, SL_VALUE_PARAMETER);
    g_assert_cmpint (kind_of (model, learned[i]), ==, SL_VALUE_CONSTANT);
  }
  g_assert_cmpint (kind_of (copy, "offset"), ==, SL_VALUE_CONSTANT); /* of the input itself */
  g_assert_cmpint (kind_of (copy, "half"), ==, SL_VALUE_CONSTANT);
}

/* A program sees what is written into its model's contents, and no other model's. */
static void
test_live_contents (void)
{
  for (int k = 0; k < 2; k++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SlModel) file = small_convolutional (false);
    g_autoptr (SlModel) model = sl_model_new_trainable (file, &error);
    g_autoptr (SlModel) other = sl_model_new_trainable (model, &error);
    g_assert_no_error (error);
    const SlProgramOptions options = {.device = sl_device_find (k ? "ref" : "cpu", NULL)};
    g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
    g_autoptr (SlProgram) apart = sl_program_new (other, &options, &error);
    g_assert_no_error (error);
    g_autoptr (SlRun) run = sl_run_new (program, NULL);
    g_autoptr (SlRun) other_run = sl_run_new (apart, NULL);
    for (uint32_t i = 0; i < sl_model_get_n_variables (model); i++) {
      SlVariable variable;
      sl_model_get_variable (model, i, &variable);
      g_autofree float *content = g_new0 (float, variable.elements);
      for (size_t e = 0; e < variable.elements; e++)
        content[e] = strcmp (variable.name, "b2") == 0 ? 7 : 0;
      sl_variable_set (&variable, content);
    }
    SlRun *const runs[] = {run, other_run};
    for (int r = 0; r < 2; r++) {
      SlTensorView y;
      sl_run_execute (runs[r], &error);
      g_assert_no_error (error);
      sl_run_get_output (runs[r], 0, &y);
      g_assert_true ((*(const float *)y.data == 7) == (r == 0));
    }
  }
}

/* The first output of a run whose input is all zeros. */
static float
first_output (SlProgram *program)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  SlTensorView y;
  sl_run_get_output (run, 0, &y);
  return *(const float *)y.data;
}

/* A program that is frozen keeps the contents of its making, and packs them then. */
static void
test_frozen (void)
{
  g_autoptr (SlModel) file = small_convolutional (false);
  g_autoptr (SlModel) model = sl_model_new_trainable (file, NULL);
  const SlDevice *cpu = sl_device_find ("cpu", NULL);
  const SlProgramOptions live_options = {.device = cpu}, options = {.device = cpu, .frozen = TRUE};
  g_autoptr (SlProgram) live = sl_program_new (model, &live_options, NULL);
  g_autoptr (SlProgram) before = sl_program_new (model, &options, NULL);
  g_assert_cmpuint (sl_program_get_n_steps (before), <, sl_program_get_n_steps (live));
  const float first = first_output (live);
  g_assert_cmpfloat_with_epsilon (first_output (before), first, 1e-5);
  for (uint32_t i = 0; i < sl_model_get_n_variables (model); i++) {
    SlVariable variable;
    sl_model_get_variable (model, i, &variable);
    const float *old = sl_variable_read (&variable, NULL);
    g_autofree float *content = g_new (float, variable.elements);
    for (size_t e = 0; e < variable.elements; e++)
      content[e] = old[e] + 2;
    sl_variable_set (&variable, content);
  }
  g_autoptr (SlProgram) after = sl_program_new (model, &options, NULL);
  const float second = first_output (live);
  g_assert_cmpfloat (fabsf (second - first), >, 1e-3);
  g_assert_cmpfloat_with_epsilon (first_output (before), first, 1e-5);
  g_assert_cmpfloat_with_epsilon (first_output (after), second, 1e-5 * fabsf (second));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/variables/variables", test_variables);
  g_test_add_func ("/train/variables/live-contents", test_live_contents);
  g_test_add_func ("/train/variables/frozen", test_frozen);
  return g_test_run ();
}
