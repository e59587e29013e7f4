#include "dataset.h"

#include "report.h"
#include "text.h"

#include <sightline-gst/samples.h>

#include <string.h>

/* Files that cannot be read and are named; the rest are counted. */
#define MAX_NAMED 20

char *
tool_dataset_find (const SlRecipe *recipe)
{
  const char *root = g_getenv ("SIGHTLINE_DATA");
  if (root && *root && !g_path_is_absolute (recipe->data.path)) {
    g_autofree char *path = g_build_filename (root, recipe->data.path, NULL);
    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&path);
  }
  return sl_recipe_resolve (recipe, recipe->data.path);
}

gboolean
tool_dataset_find_part (const char *name, SlDataPart *ret)
{
  for (guint i = 0; i < SL_PART_COUNT; i++)
    if (strcmp (sl_data_part_get_name ((SlDataPart)i), name) == 0) {
      *ret = (SlDataPart)i;
      return TRUE;
    }
  return FALSE;
}

SlSampleSource *
tool_dataset_open (const char *path, SlDataPart part, GError **error)
{
  g_autoptr (SlSamplesReport) report = NULL;
  SlSampleSource *source = sl_samples_open (path, part, NULL, &report, error);
  guint n = report ? g_strv_length (report->unreadable) : 0;
  for (guint i = 0; i < MIN (n, MAX_NAMED); i++)
    tool_note ("left out: %s", report->unreadable[i]);
  if (n > MAX_NAMED)
    tool_note ("left out: %u more files that cannot be read", n - MAX_NAMED);
  return source;
}

SlSampleSource *
tool_dataset_open_if_there (const char *path, SlDataPart part, GError **error)
{
  GError *cause = NULL;
  SlSampleSource *source = tool_dataset_open (path, part, &cause);
  if (g_error_matches (cause, SL_ERROR, SL_ERROR_NOT_FOUND))
    g_clear_error (&cause);
  if (cause)
    g_propagate_error (error, cause);
  return source;
}

static void
find_extremes (SlSampleSource *source, guint32 *ret_fewest, guint32 *ret_most)
{
  const guint32 n = sl_sample_source_get_n_classes (source);
  g_autofree guint32 *counts = g_new0 (guint32, n);
  sl_sample_source_count (source, counts);
  *ret_fewest = *ret_most = 0;
  for (guint32 i = 0; i < n; i++) {
    if (counts[i] < counts[*ret_fewest])
      *ret_fewest = i;
    if (counts[i] > counts[*ret_most])
      *ret_most = i;
  }
}

static guint32
count_class (SlSampleSource *source, guint32 class)
{
  g_autofree guint32 *counts = g_new0 (guint32, sl_sample_source_get_n_classes (source));
  sl_sample_source_count (source, counts);
  return counts[class];
}

char *
tool_dataset_describe (SlSampleSource *source)
{
  guint32 fewest, most;
  find_extremes (source, &fewest, &most);
  g_autofree char *n = tool_group_digits (sl_sample_source_get_n_samples (source));
  g_autofree char *low = tool_group_digits (count_class (source, fewest));
  g_autofree char *high = tool_group_digits (count_class (source, most));
  return g_strdup_printf ("%s samples of %u classes, %s to %s each", n,
                          sl_sample_source_get_n_classes (source), low, high);
}

/* A session of capture with samples in both. */
static gboolean
share_session (SlSampleSource *train, SlSampleSource *validation)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  if (!sl_sample_source_has_groups (train) || !sl_sample_source_has_groups (validation))
    return FALSE;
  for (guint32 i = 0; i < sl_sample_source_get_n_samples (train); i++)
    g_hash_table_add (seen, GUINT_TO_POINTER (sl_sample_source_get_group (train, i)));
  for (guint32 i = 0; i < sl_sample_source_get_n_samples (validation); i++)
    if (g_hash_table_contains (seen, GUINT_TO_POINTER (sl_sample_source_get_group (validation, i))))
      return TRUE;
  return FALSE;
}

char *
tool_dataset_find_fault (SlSampleSource *train, SlSampleSource *validation)
{
  guint32 fewest, most;
  find_extremes (train, &fewest, &most);
  const guint32 low = count_class (train, fewest), high = count_class (train, most);
  const char *const *names = sl_sample_source_get_class_names (train);
  if (sl_sample_source_get_n_classes (train) < 2)
    return g_strdup_printf ("all samples are of one class, '%s': there is nothing to tell apart",
                            names[0]);
  if (low == 0)
    return g_strdup_printf (
        "class '%s' has no samples to train on%s", names[fewest],
        validation && count_class (validation, fewest) > 0
            ? ", all validate (the data lie in the order of their classes: [split] by=random)"
            : "");
  if (low == 1)
    return g_strdup_printf ("class '%s' has a single sample to train on", names[fewest]);
  if (validation && share_session (train, validation))
    return g_strdup ("samples of one capture session train and validate, so validation looks "
                     "better than it is ([split] by=session keeps them apart)");
  if (high > TOOL_DATASET_UNEVEN * low)
    return g_strdup_printf ("class '%s' has %u samples, '%s' %u ([data] balance=sampling or "
                            "[loss] class-weights=balanced makes up for it)",
                            names[most], high, names[fewest], low);
  return NULL;
}
