/* One training step of a network, for check_gradients.py to compare with another program's:
 *
 *   step-gradients [--batch 2] [--seed 1] [--tap NAME]... NETWORK FOLDER
 *
 * writes into FOLDER the network with the contents that the step began with (model.onnx), what it
 * saw and wanted (input.bin, target.bin) and the gradients: gradients.txt has name and shape, one a
 * line, gradients.bin their elements in the same order. With taps the step is one that yields these
 * values of the forward pass, too (taps.txt, taps.bin). Elements are float32, row-major. After one
 * step of gradient descent with momentum its velocity is the gradient, as it is. */
#include <sightline/sightline.h>

#include <stdio.h>
#include <string.h>

#define VELOCITY "/velocity"

/* Calls for each element of the view in row-major order. */
static void
walk (const SlTensorView *view, void (*visit) (float *element, size_t index, void *data),
      void *data)
{
  size_t elements = 0;
  sl_shape_get_elements (&view->shape, &elements);
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

/* What a step reads: pictures, classes, and 0 for its rate, number and seed, so that no parameter
 * moves. */
static void
fill_inputs (SlProgram *program, SlRun *run, int seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32)seed);
  for (uint32_t i = 0; i < sl_program_get_n_inputs (program); i++) {
    SlTensorView view;
    sl_run_get_input (run, i, &view);
    size_t classes = view.shape.rank == 2 ? (size_t)view.shape.dim[1] : 0;
    if (i == 0)
      walk (&view, draw, rand);
    else if (g_str_equal (sl_program_get_input (program, i)->name, "train/target"))
      walk (&view, choose_class, &classes);
    else
      memset (view.data, 0, sl_dtype_get_size (view.dtype));
  }
}

/* --- Files --- */

static gboolean
write_view (const SlTensorView *view, const char *folder, const char *name, GError **error)
{
  size_t elements = 0;
  sl_shape_get_elements (&view->shape, &elements);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree float *dense = g_new (float, elements);
  walk (view, collect, dense);
  return g_file_set_contents (path, (const char *)dense, (gssize)(elements * sizeof (float)),
                              error);
}

/* Tensors one behind the other: FOLDER/NAME.txt says which, FOLDER/NAME.bin has their elements. */
typedef struct Tensors {
  FILE *list, *data;
} Tensors;

static FILE *
open_file (const char *folder, const char *name, const char *suffix, GError **error)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  g_autofree char *path = g_build_filename (folder, file, NULL);
  FILE *stream = fopen (path, "wb");
  if (!stream)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s cannot be written", path);
  return stream;
}

static gboolean
tensors_open (Tensors *tensors, const char *folder, const char *name, GError **error)
{
  tensors->list = open_file (folder, name, ".txt", error);
  tensors->data = tensors->list ? open_file (folder, name, ".bin", error) : NULL;
  if (!tensors->data && tensors->list)
    fclose (tensors->list);
  return tensors->data != NULL;
}

static void
tensors_write (Tensors *tensors, const char *name, const SlShape *shape, const void *dense)
{
  size_t elements = 0;
  sl_shape_get_elements (shape, &elements);
  fputs (name, tensors->list);
  for (uint32_t d = 0; d < shape->rank; d++)
    fprintf (tensors->list, " %" G_GINT64_FORMAT, shape->dim[d]);
  fputc ('\n', tensors->list);
  fwrite (dense, sizeof (float), elements, tensors->data);
}

static gboolean
tensors_close (Tensors *tensors, const char *folder, GError **error)
{
  gboolean good = !ferror (tensors->list) && !ferror (tensors->data);
  good = fclose (tensors->list) == 0 && good;
  good = fclose (tensors->data) == 0 && good;
  if (!good)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: no room for the tensors", folder);
  return good;
}

static gboolean
write_gradients (SlTrainer *trainer, const char *folder, GError **error)
{
  Tensors gradients;
  if (!tensors_open (&gradients, folder, "gradients", error))
    return FALSE;
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (trainer); i++) {
    SlVariable variable;
    sl_trainer_get_variable (trainer, i, &variable);
    if (!g_str_has_suffix (variable.name, VELOCITY))
      continue;
    g_autofree char *name = g_strndup (variable.name, strlen (variable.name) - strlen (VELOCITY));
    const void *data = sl_variable_read (&variable, error);
    if (!data)
      return FALSE;
    tensors_write (&gradients, name, &variable.shape, data);
  }
  return tensors_close (&gradients, folder, error);
}

static gboolean
write_taps (SlProgram *program, SlRun *run, uint32_t n_taps, const char *folder, GError **error)
{
  Tensors taps;
  if (!tensors_open (&taps, folder, "taps", error))
    return FALSE;
  const uint32_t n = sl_program_get_n_outputs (program);
  gboolean good = TRUE;
  for (uint32_t i = n - n_taps; i < n && good; i++) {
    const SlPort *port = sl_program_get_output (program, i);
    g_autoptr (SlTensor) tensor = sl_run_copy_output (run, i, error);
    good = tensor != NULL;
    if (good)
      tensors_write (&taps, port->name, &port->shape, sl_tensor_get_data (tensor));
  }
  return tensors_close (&taps, folder, good ? error : NULL) && good;
}

/* --- The step --- */

/* By a program of the trainer's graph that has more outputs. Contents are the trainer's. */
static gboolean
step_tapped (SlTrainer *trainer, char **taps, const char *folder, int seed, GError **error)
{
  const SlProgramOptions options = {.taps = (const char *const *)taps,
                                    .n_taps = g_strv_length (taps)};
  SlModel *model = sl_program_get_model (sl_trainer_get_step_program (trainer));
  g_autoptr (SlProgram) program = sl_program_new (model, &options, error);
  g_autoptr (SlRun) run = program ? sl_run_new (program, error) : NULL;
  if (!run)
    return FALSE;
  fill_inputs (program, run, seed);
  return sl_run_execute (run, error) && write_taps (program, run, options.n_taps, folder, error);
}

static gboolean
step (const char *network, const char *folder, int batch, int seed, char **taps, GError **error)
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
  fill_inputs (sl_trainer_get_step_program (trainer), sl_trainer_get_step_run (trainer), seed);
  sl_trainer_get_input (trainer, &input);
  sl_trainer_get_target (trainer, &target);
  if (!write_view (&input, folder, "input.bin", error) ||
      !write_view (&target, folder, "target.bin", error) ||
      !sl_trainer_save_model (trainer, path, NULL, NULL, 0, error))
    return FALSE;
  gboolean done = taps ? step_tapped (trainer, taps, folder, seed, error)
                       : sl_trainer_step (trainer, 0, NULL, error);
  return done && write_gradients (trainer, folder, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int batch = 2, seed = 1;
  g_auto (GStrv) taps = NULL;
  const GOptionEntry entries[] = {
      {"batch", 'b', 0, G_OPTION_ARG_INT, &batch, "Samples of the step (2)", "N"},
      {"seed", 's', 0, G_OPTION_ARG_INT, &seed, "Of first contents and input (1)", "N"},
      {"tap", 't', 0, G_OPTION_ARG_STRING_ARRAY, &taps, "A value to write besides", "NAME"},
      {NULL}};
  g_autoptr (GOptionContext) context = g_option_context_new ("NETWORK FOLDER");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 3 || batch < 1) {
    fprintf (stderr, "step-gradients: %s\n", error ? error->message : "bad arguments (see --help)");
    return 2;
  }
  if (step (argv[1], argv[2], batch, seed, taps, &error))
    return 0;
  fprintf (stderr, "step-gradients: %s\n", error->message);
  return 1;
}
