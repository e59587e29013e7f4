/* One training step of a network, for check_gradients.py to compare with another program's:
 *
 *   step-gradients [--batch 2] [--seed 1] NETWORK FOLDER
 *
 * writes into FOLDER the network with the contents that the step began with (model.onnx), what it
 * saw and wanted (input.bin, target.bin), and the gradients (gradients.txt: name and shape, one a
 * line, gradients.bin: their elements in the same order). Elements are float32, row-major. After
 * one step of gradient descent with momentum its velocity is the gradient, as it is. */
#include <sightline/sightline.h>

#include <stdio.h>
#include <string.h>

#define VELOCITY "/velocity"

/* Calls for each element of the view in row-major order. */
static void
walk (const SlTensorView *view, void (*visit) (float *element, size_t index, void *data),
      void *data)
{
  size_t elements = 1;
  for (uint32_t d = 0; d < view->shape.rank; d++)
    elements *= (size_t)view->shape.dim[d];
  for (size_t i = 0; i < elements; i++) {
    size_t rest = i;
    ptrdiff_t at = 0;
    for (uint32_t d = view->shape.rank; d-- > 0; rest /= (size_t)view->shape.dim[d])
      at += (ptrdiff_t)(rest % (size_t)view->shape.dim[d]) * view->stride[d];
    visit ((float *)view->data + at, i, data);
  }
}

/* Numbers from -1.5 to 1.5, about as far spread as normalised pictures are. */
static void
draw (float *element, size_t index, void *data)
{
  (void)index;
  *element = (float)g_rand_double_range (data, -1.5, 1.5);
}

/* Of each sample another class. */
static void
choose_class (float *element, size_t index, void *data)
{
  const size_t classes = *(const size_t *)data;
  *element = index % classes == index / classes * 7 % classes;
}

static void
collect (float *element, size_t index, void *data)
{
  ((float *)data)[index] = *element;
}

static gboolean
write_view (const SlTensorView *view, const char *folder, const char *name, GError **error)
{
  size_t elements = 1;
  for (uint32_t d = 0; d < view->shape.rank; d++)
    elements *= (size_t)view->shape.dim[d];
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree float *dense = g_new (float, elements);
  walk (view, collect, dense);
  return g_file_set_contents (path, (const char *)dense, (gssize)(elements * sizeof (float)),
                              error);
}

static FILE *
open_file (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  FILE *file = fopen (path, "wb");
  if (!file)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s cannot be written", path);
  return file;
}

static gboolean
write_gradients (SlTrainer *trainer, const char *folder, GError **error)
{
  FILE *list = open_file (folder, "gradients.txt", error);
  FILE *data = list ? open_file (folder, "gradients.bin", error) : NULL;
  gboolean good = data != NULL;
  for (uint32_t i = 0; good && i < sl_trainer_get_n_variables (trainer); i++) {
    SlVariable variable;
    sl_trainer_get_variable (trainer, i, &variable);
    if (!g_str_has_suffix (variable.name, VELOCITY))
      continue;
    fprintf (list, "%.*s", (int)(strlen (variable.name) - strlen (VELOCITY)), variable.name);
    for (uint32_t d = 0; d < variable.shape.rank; d++)
      fprintf (list, " %" G_GINT64_FORMAT, variable.shape.dim[d]);
    fputc ('\n', list);
    good = fwrite (variable.data, 1, variable.bytes, data) == variable.bytes;
  }
  good = (!data || fclose (data) == 0) && good;
  good = (!list || fclose (list) == 0) && good;
  if (!good && error && !*error)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: no room for gradients", folder);
  return good;
}

static gboolean
step (const char *network, const char *folder, int batch, int seed, GError **error)
{
  SlTrainerOptions options = {.batch = (uint32_t)batch, .seed = (guint64)seed};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_SGD);
  options.optimizer.momentum = 0.9;
  g_autoptr (SlModel) model = sl_model_load (network, NULL, error);
  g_autoptr (SlTrainer) trainer = model ? sl_trainer_new (model, &options, error) : NULL;
  if (!trainer)
    return FALSE;
  g_autofree char *path = g_build_filename (folder, "model.onnx", NULL);
  SlTensorView input, target;
  SlTrainResult result;
  sl_trainer_get_input (trainer, &input);
  sl_trainer_get_target (trainer, &target);
  size_t classes = (size_t)target.shape.dim[1];
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32)seed);
  walk (&input, draw, rand);
  walk (&target, choose_class, &classes);
  if (!write_view (&input, folder, "input.bin", error) ||
      !write_view (&target, folder, "target.bin", error) ||
      !sl_trainer_save_model (trainer, path, NULL, NULL, 0, error) ||
      !sl_trainer_step (trainer, 1e-3, &result, error))
    return FALSE;
  printf ("%.9g\n", result.loss);
  return write_gradients (trainer, folder, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int batch = 2, seed = 1;
  const GOptionEntry entries[] = {
      {"batch", 'b', 0, G_OPTION_ARG_INT, &batch, "Samples of the step (2)", "N"},
      {"seed", 's', 0, G_OPTION_ARG_INT, &seed, "Of first contents and input (1)", "N"},
      {NULL}};
  g_autoptr (GOptionContext) context = g_option_context_new ("NETWORK FOLDER");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 3 || batch < 1) {
    fprintf (stderr, "step-gradients: %s\n", error ? error->message : "bad arguments (see --help)");
    return 2;
  }
  if (step (argv[1], argv[2], batch, seed, &error))
    return 0;
  fprintf (stderr, "step-gradients: %s\n", error->message);
  return 1;
}
