/* Runs that go on from a network which says of itself how pictures are prepared. */
#include "place.h"

#include <string.h>

#define SHORT "[split]\nvalidation=0.2\n[train]\nepochs=1\nbatch=32\n"

static SlRecipe *
make_recipe (const char *keys)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strconcat ("[network]\nbase=out.onnx\n" SHORT, keys, NULL);
  SlRecipe *recipe = sl_recipe_parse (text, strlen (text), "r", &error);
  g_assert_no_error (error);
  g_assert_true (sl_recipe_complete (recipe, &error));
  return recipe;
}

static void
set_up (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  SlFitEnd end;
  place_set_up (place, unused);
  g_autoptr (SlRecipe) recipe = place_make_recipe (
      SHORT "[preprocess]\nrange=-1..1\nresize=crop\nresize-size=7\nmean=0.25\nstd=0.5\n");
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, 0, &end);
  g_assert_true (sl_fit_save_model (fit, place->output, &error));
  sl_model_unref (place->model);
  place->model = sl_model_load (place->output, NULL, &error);
  g_assert_no_error (error);
  g_free (place->run);
  place->run = g_build_filename (place->folder, "second", NULL);
  g_ptr_array_set_size (place->notes, 0);
}

static void
check (Place *place, const char *keys, float scale, SlResizeRule resize, const char *range)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRecipe) recipe = make_recipe (keys);
  g_autoptr (SlFit) fit = place_open_run (place, recipe, FALSE, &error);
  g_assert_no_error (error);
  const SlPreprocess *rules = &fit->rules->preprocess;
  g_assert_cmpfloat (rules->scale, ==, scale);
  g_assert_cmpint (rules->resize, ==, resize);
  g_assert_cmpfloat (rules->std[0], ==, 0.5f);
  g_autofree char *line = g_strdup_printf ("\nrange=%s\n", range);
  g_assert_nonnull (strstr (fit->recipe_text, line));

  /* What the run writes down makes the same run. */
  g_autoptr (SlRecipe) again =
      sl_recipe_parse (fit->recipe_text, strlen (fit->recipe_text), "again", &error);
  g_assert_no_error (error);
  g_assert_true (sl_recipe_complete (again, &error));
  g_clear_pointer (&fit, sl_fit_free);
  g_autoptr (SlFit) same = place_open_run (place, again, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (same->rules->preprocess.scale, ==, scale);
  g_assert_cmpint (same->rules->preprocess.resize, ==, resize);
}

/* What the recipe leaves open is the network's; what it says holds, also where it is the default.
 */
static void
test_rules (Place *place, gconstpointer unused)
{
  check (place, "", 2 / 255.f, SL_RESIZE_CROP, "-1..1");
  check (place, "[preprocess]\nrange=0..1\n", 1 / 255.f, SL_RESIZE_CROP, "0..1");
  check (place, "[preprocess]\nresize=stretch\n", 2 / 255.f, SL_RESIZE_STRETCH, "-1..1");
  check (place, "[preprocess]\nrange=0..255\nresize=letterbox\n", 1, SL_RESIZE_LETTERBOX, "0..255");
}

/* The last of a source that is in order of classes is all of one class: that is said. */
static void
test_missing (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRecipe) recipe =
      make_recipe ("[data]\nlimit=30\n") /* of each class 10, whatever the order */;
  uint32_t order[SAMPLES], counts[CLASSES], n = 0;
  for (uint32_t c = 0; c < CLASSES; c++)
    for (uint32_t i = c; i < SAMPLES; i += CLASSES)
      order[n++] = i;
  SlSampleSource *sorted = sl_sample_source_new_subset (place->source, order, n, NULL);
  sl_sample_source_unref (place->source);
  place->source = sorted;
  g_autoptr (SlFit) fit = place_open_run (place, recipe, FALSE, &error);
  g_assert_no_error (error);
  sl_sample_source_count (sl_fit_get_train (fit), counts);
  for (uint32_t c = 0; c < CLASSES; c++)
    g_assert_cmpuint (counts[c], ==, 10);
  g_assert_cmpuint (place->notes->len, ==, 0);

  g_assert_true (sl_recipe_set (recipe, "split", "by", "last", NULL));
  g_clear_pointer (&fit, sl_fit_free);
  fit = place_open_run (place, recipe, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_ptr_array_index (place->notes, 0), ==,
                   "class 'top' has no validation samples (with [split] by=random each class has "
                   "its share)");
}

/* --- Features of what stays --- */

#define FROZEN "[network]\ncase=small-similar\n"
#define SLOW "[network]\ncase=large-similar\n"

/* What a whole run in a folder of its own leaves; *ret_begins: at features. */
static char *
run_anew (Place *place, const char *keys, guint stop_at, gboolean *ret_begins)
{
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe = make_recipe (keys);
  place_remove_tree (place->run);
  g_ptr_array_set_size (place->notes, 0);
  g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, stop_at, &end);
  if (stop_at > 0) {
    g_assert_cmpint (end, ==, SL_FIT_INTERRUPTED);
    g_clear_pointer (&fit, sl_fit_free);
    fit = place_run (place, recipe, TRUE, 0, &end);
  }
  g_assert_cmpint (end, ==, SL_FIT_DONE);
  *ret_begins = fit->begin != NULL;
  return place_fingerprint (fit);
}

static gboolean
has_note (const Place *place, const char *part)
{
  for (guint i = 0; i < place->notes->len; i++)
    if (strstr (place->notes->pdata[i], part))
      return TRUE;
  return FALSE;
}

static char *
find_kept (const Place *place)
{
  g_autoptr (GDir) dir = g_dir_open (place->features, 0, NULL);
  const char *name = dir ? g_dir_read_name (dir) : NULL;
  g_assert_nonnull (name);
  char *path = g_build_filename (place->features, name, NULL);
  g_assert_null (g_dir_read_name (dir));
  return path;
}

/* The same bits with features as without; they are found again; a file that is damaged is not
 * believed. */
static void
test_features (Place *place, gconstpointer unused)
{
  gboolean begins;
  gsize length;
  g_autofree char *content = NULL;
  g_autofree char *plain = run_anew (place, FROZEN "features=false\n", 0, &begins);
  g_assert_false (begins);
  place->features = g_build_filename (place->folder, "features", NULL);
  g_autofree char *computed = run_anew (place, FROZEN, 0, &begins);
  g_assert_true (begins);
  g_assert_true (has_note (place, "features of 130 samples computed"));
  g_assert_cmpstr (computed, ==, plain);
  g_autofree char *kept = run_anew (place, FROZEN, 0, &begins);
  g_assert_true (has_note (place, "features of 130 samples, kept"));
  g_assert_cmpstr (kept, ==, plain);
  g_autofree char *resumed = run_anew (place, FROZEN, 2, &begins);
  g_assert_cmpstr (resumed, ==, plain);

  g_autofree char *path = find_kept (place);
  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  content[length / 2] ^= 1;
  g_assert_true (g_file_set_contents (path, content, (gssize)length, NULL));
  g_autofree char *repaired = run_anew (place, FROZEN, 0, &begins);
  g_assert_true (has_note (place, "features of 130 samples computed"));
  g_assert_cmpstr (repaired, ==, plain);
  g_clear_pointer (&place->features, g_free);
}

/* Where pictures change, or layers learn, there is nothing to keep. */
static void
test_no_features (Place *place, gconstpointer unused)
{
  static const char *const others[] = {"", SLOW, FROZEN "[augment]\nflip=horizontal\n",
                                       FROZEN "[augment]\nmask=0.1\n",
                                       "[network]\ncase=large-different\n"};
  gboolean begins;
  g_autofree char *frozen = run_anew (place, FROZEN, 0, &begins);
  g_assert_true (begins);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *other = run_anew (place, others[i], 0, &begins);
    g_assert_false (begins);
    g_assert_cmpstr (other, !=, frozen);
  }
}

/* Another rule for the last layer's own bias comes before the case. */
static void
test_explicit (Place *place, gconstpointer unused)
{
  gboolean begins;
  g_autofree char *frozen = run_anew (place, FROZEN, 0, &begins);
  g_autofree char *half = run_anew (place, FROZEN "rate-factors=dense_1/*=0.5\n", 0, &begins);
  g_assert_true (begins);
  g_assert_cmpstr (half, !=, frozen);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/train/base/rules", Place, NULL, set_up, test_rules, place_tear_down);
  g_test_add ("/train/base/missing", Place, NULL, set_up, test_missing, place_tear_down);
  g_test_add ("/train/base/features", Place, NULL, set_up, test_features, place_tear_down);
  g_test_add ("/train/base/no-features", Place, NULL, set_up, test_no_features, place_tear_down);
  g_test_add ("/train/base/explicit", Place, NULL, set_up, test_explicit, place_tear_down);
  return g_test_run ();
}
