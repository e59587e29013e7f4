#include "place.h"

#include <glib/gstdio.h>

#include <math.h>
#include <string.h>

static const char net[] = "Input 6x6x1\nFlatten\nDense 16 relu\nDropout 0.2\nDense 3 softmax\n";

typedef struct {
  guint8 pixels[SAMPLES][SIDE * SIDE];
  guint32 labels[SAMPLES];
  gboolean has_colors;
} Pictures;

static gboolean
load (void *data, uint32_t index, SlSample *ret_sample, GError **error)
{
  Pictures *pictures = data;
  const SlImageInfo gray = {.format = SL_PIXEL_GRAY8, .width = SIDE, .height = SIDE};
  const SlImageInfo rgb = {.format = SL_PIXEL_RGB, .width = COLOR_WIDTH, .height = COLOR_HEIGHT};
  *ret_sample = (SlSample){
      .info = pictures->has_colors ? rgb : gray,
      .image = {.planes = {pictures->pixels[index]},
                .strides = {pictures->has_colors ? 3 * COLOR_WIDTH : SIDE}},
  };
  return TRUE;
}

static char *
describe (void *data, uint32_t index)
{
  return g_strdup_printf ("picture %u", index);
}

static char *
get_hash (void *data, GError **error)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, sizeof (Pictures));
}

/* Class c has a bright pair of rows; noise over all. */
SlSampleSource *
place_make_source (guint32 seed, gboolean has_colors)
{
  static const char *const names[] = {"top", "middle", "bottom", NULL};
  Pictures *pictures = g_new0 (Pictures, 1);
  pictures->has_colors = has_colors;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (guint i = 0; i < SAMPLES; i++) {
    pictures->labels[i] = i % CLASSES;
    for (guint k = 0; k < SIDE * SIDE; k++)
      pictures->pixels[i][k] =
          (guint8)(g_rand_int_range (rand, 0, 150) + (k / SIDE / 2 == i % CLASSES ? 60 : 0));
  }
  const SlSampleSourceSpec spec = {
      .n_samples = SAMPLES,
      .labels = pictures->labels,
      .n_classes = CLASSES,
      .class_names = names,
      .load = load,
      .describe = describe,
      .get_hash = get_hash,
      .destroy = g_free,
      .data = pictures,
  };
  return sl_sample_source_new (&spec, NULL);
}

void
place_set_up (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  place->folder = g_dir_make_tmp ("sightline-fit-XXXXXX", &error);
  place->net = g_build_filename (place->folder, "tiny.net", NULL);
  place->run = g_build_filename (place->folder, "run", NULL);
  place->output = g_build_filename (place->folder, "out.onnx", NULL);
  g_assert_true (g_file_set_contents (place->net, net, -1, NULL));
  place->model = sl_model_load (place->net, NULL, &error);
  g_assert_no_error (error);
  place->source = place_make_source (1, FALSE);
  place->anew = TRUE;
  place->notes = g_ptr_array_new_with_free_func (g_free);
}

void
place_remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name (dir));) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    place_remove_tree (child);
  }
  g_remove (path);
}

void
place_tear_down (Place *place, gconstpointer unused)
{
  place_remove_tree (place->folder);
  g_free (place->folder);
  g_free (place->net);
  g_free (place->run);
  g_free (place->output);
  sl_model_unref (place->model);
  sl_sample_source_unref (place->source);
  g_ptr_array_unref (place->notes);
}

void
place_use_network (Place *place, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (place->net, text, -1, NULL));
  sl_model_unref (place->model);
  place->model = sl_model_load (place->net, NULL, &error);
  g_assert_no_error (error);
}

/* --- runs --- */

SlRecipe *
place_make_recipe (const char *keys)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strconcat ("[network]\nnet=tiny.net\n", keys, NULL);
  SlRecipe *recipe = sl_recipe_parse (text, strlen (text), "r", &error);
  g_assert_no_error (error);
  g_assert_true (sl_recipe_complete (recipe, &error));
  return recipe;
}

static void
take_note (void *data, const char *text)
{
  g_ptr_array_add (((Place *)data)->notes, g_strdup (text));
}

static gboolean
count_steps (void *data, const SlFitProgress *progress)
{
  Place *place = data;
  g_assert_true (isfinite (progress->loss) || progress->validating);
  g_assert_cmpuint (progress->step, <=, progress->n_steps);
  return ++place->n_progress != place->stop_at;
}

SlFit *
place_open_run (Place *place, const SlRecipe *recipe, gboolean resume, GError **error)
{
  const SlFitOptions options = {
      .recipe = recipe,
      .model = place->model,
      .train = place->source,
      .folder = place->run,
      .features = place->features,
      .resume = resume,
      .anew = !resume && place->anew,
      .device = place->device,
      .data = place,
      .note = take_note,
      .progress = count_steps,
  };
  place->n_progress = 0;
  return sl_fit_new (&options, error);
}

SlFit *
place_run (Place *place, const SlRecipe *recipe, gboolean resume, guint stop_at, SlFitEnd *ret_end)
{
  g_autoptr (GError) error = NULL;
  SlFit *fit = place_open_run (place, recipe, resume, &error);
  g_assert_no_error (error);
  place->stop_at = stop_at;
  g_assert_true (sl_fit_run (fit, ret_end, &error));
  g_assert_no_error (error);
  return fit;
}

char *
place_fingerprint (SlFit *fit)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  for (guint32 i = 0; i < sl_trainer_get_n_variables (fit->trainer); i++) {
    SlVariable variable;
    sl_trainer_get_variable (fit->trainer, i, &variable);
    g_checksum_update (sum, sl_variable_read (&variable, NULL), (gssize)variable.bytes);
  }
  for (guint i = 0; i < sl_history_get_n (fit->history); i++) {
    SlEpoch epoch = *sl_history_get (fit->history, i);
    epoch.seconds = epoch.images_per_second = epoch.waiting = 0;
    g_checksum_update (sum, (const guchar *)&epoch, sizeof epoch);
  }
  return g_strdup (g_checksum_get_string (sum));
}
