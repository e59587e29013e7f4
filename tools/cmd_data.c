/* `sightline data`: what a data set holds, and what augmentation makes of it. */
#include "command.h"
#include "dataset.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "sheet.h"
#include "text.h"

#include <sightline-gst/samples.h>
#include <sightline/sightline.h>

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#define CLASS_WIDTH 28

/* One part of the set, opened. */
typedef struct Part {
  const char *name;
  SlSampleSource *source;
  SlSamplesReport *report;
} Part;

typedef struct Options {
  char *part, *format, *sheet, *recipe;
  char **set;
  double clip_rate;
  gint size, copies, seed;
} Options;

static void
clear_part (gpointer data)
{
  Part *part = data;
  sl_sample_source_unref (part->source);
  sl_samples_report_free (part->report);
}

/* --- reports --- */

static guint32
count_sessions (SlSampleSource *source)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  uint32_t n = sl_sample_source_get_n_samples (source);
  for (uint32_t i = 0; i < n; i++)
    g_hash_table_add (seen, GUINT_TO_POINTER (sl_sample_source_get_group (source, i)));
  return g_hash_table_size (seen);
}

static void
print_classes (const Part *part)
{
  uint32_t n = sl_sample_source_get_n_samples (part->source);
  uint32_t n_classes = sl_sample_source_get_n_classes (part->source), least = n, most = 0;
  const char *const *names = sl_sample_source_get_class_names (part->source);
  g_autofree uint32_t *counts = g_new (uint32_t, n_classes);
  sl_sample_source_count (part->source, counts);
  tool_print_cell (part->name, CLASS_WIDTH);
  printf ("%10s %8s %11s\n", "samples", "share", "unreadable");
  for (uint32_t c = 0; c < n_classes; c++) {
    g_autofree char *count = tool_group_digits (counts[c]);
    g_autofree char *unread = tool_group_digits (part->report->unreadable_counts[c]);
    tool_print_cell (names[c], CLASS_WIDTH);
    printf ("%10s %6.1f %% %11s\n", count, 100.0 * counts[c] / n, unread);
    least = MIN (least, counts[c]);
    most = MAX (most, counts[c]);
  }
  g_autofree char *total = tool_group_digits (n);
  g_autofree char *unread = tool_group_digits (g_strv_length (part->report->unreadable));
  tool_print_cell ("all", CLASS_WIDTH);
  printf ("%10s %8s %11s\n", total, "", unread);
  if (!least)
    printf ("a class has no samples\n");
  else if (most > TOOL_DATASET_UNEVEN * least)
    printf ("the largest class has %.1f times the samples of the smallest\n", (double)most / least);
}

static void
print_range (const char *before, const guint32 range[2])
{
  if (range[0] == range[1])
    printf ("%s%u", before, range[0]);
  else
    printf ("%s%u to %u", before, range[0], range[1]);
}

static void
print_text (const Part *part)
{
  const SlSamplesReport *report = part->report;
  print_classes (part);
  print_range ("pictures ", report->width);
  print_range (" x ", report->height);
  g_autofree char *bytes = g_format_size_full (report->kept_bytes, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *kept = tool_group_digits (report->n_kept);
  printf (", %s of them in memory (%s)\n", kept, bytes);
  if (sl_sample_source_has_groups (part->source))
    printf ("%u capture sessions\n", count_sessions (part->source));
  if (report->n_clips)
    printf ("%" G_GUINT64_FORMAT " clips\n", report->n_clips);
  if (report->n_ignored)
    printf ("%" G_GUINT64_FORMAT " other files passed over\n", report->n_ignored);
  for (char **line = report->unreadable; *line; line++)
    printf ("unreadable: %s\n", *line);
  printf ("\n");
}

static void
add_range (JsonBuilder *builder, const char *name, const guint32 range[2])
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  json_builder_add_int_value (builder, range[0]);
  json_builder_add_int_value (builder, range[1]);
  json_builder_end_array (builder);
}

static void
add_classes (JsonBuilder *builder, const Part *part)
{
  uint32_t n_classes = sl_sample_source_get_n_classes (part->source);
  const char *const *names = sl_sample_source_get_class_names (part->source);
  g_autofree uint32_t *counts = g_new (uint32_t, n_classes);
  sl_sample_source_count (part->source, counts);
  json_builder_set_member_name (builder, "classes");
  json_builder_begin_array (builder);
  for (uint32_t c = 0; c < n_classes; c++) {
    json_builder_begin_object (builder);
    tool_json_string (builder, "name", names[c]);
    tool_json_int (builder, "samples", counts[c]);
    tool_json_int (builder, "unreadable", part->report->unreadable_counts[c]);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
print_json (const GArray *parts)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_array (builder);
  for (guint p = 0; p < parts->len; p++) {
    const Part *part = &g_array_index (parts, Part, p);
    json_builder_begin_object (builder);
    tool_json_string (builder, "part", part->name);
    tool_json_int (builder, "samples", sl_sample_source_get_n_samples (part->source));
    add_classes (builder, part);
    add_range (builder, "width", part->report->width);
    add_range (builder, "height", part->report->height);
    tool_json_int (builder, "clips", (gint64)part->report->n_clips);
    tool_json_int (builder, "ignored", (gint64)part->report->n_ignored);
    if (sl_sample_source_has_groups (part->source))
      tool_json_int (builder, "sessions", count_sessions (part->source));
    json_builder_set_member_name (builder, "unreadable");
    json_builder_begin_array (builder);
    for (char **line = part->report->unreadable; *line; line++)
      json_builder_add_string_value (builder, *line);
    json_builder_end_array (builder);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  tool_json_print (builder, TRUE);
}

/* --- the command --- */

/* Opens the parts that there are, or the one that was asked for, up to the first that is broken:
 * FALSE after that error. */
static gboolean
open_parts (const char *path, const Options *options, GArray *parts)
{
  const SlSamplesOptions how = {.clip_rate = options->clip_rate};
  for (unsigned p = 0; p < SL_PART_COUNT; p++) {
    Part part = {.name = sl_data_part_get_name (p)};
    g_autoptr (GError) error = NULL;
    if (options->part && strcmp (options->part, part.name) != 0)
      continue;
    part.source = sl_samples_open (path, p, &how, &part.report, &error);
    if (part.source) {
      g_array_append_val (parts, part);
    } else if (options->part || !g_error_matches (error, SL_ERROR, SL_ERROR_NOT_FOUND)) {
      tool_gerror (path, error);
      return FALSE;
    }
  }
  return TRUE;
}

/* What augmentation is shown: that of the recipe, else a bit of everything. */
static SlRecipe *
load_recipe (const Options *options, GError **error)
{
  static const char *const sample[][2] = {
      {"flip", "horizontal"}, {"rotate", "15"},    {"zoom", "0.15"},      {"translate", "0.1"},
      {"brightness", "0.3"},  {"contrast", "0.3"}, {"saturation", "0.3"}, {"hue", "0.05"},
  };
  g_autoptr (SlRecipe) recipe =
      options->recipe ? sl_recipe_load (options->recipe, error) : sl_recipe_new ();
  for (guint i = 0; recipe && !options->recipe && !options->set && i < G_N_ELEMENTS (sample); i++)
    if (!sl_recipe_set (recipe, "augment", sample[i][0], sample[i][1], error))
      return NULL;
  for (char **set = options->set; recipe && set && *set; set++) {
    g_auto (GStrv) parts = g_strsplit (*set, "=", 2);
    if (g_strv_length (parts) != 2) {
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "--set %s (expected KEY=VALUE)", *set);
      return NULL;
    }
    if (!sl_recipe_set (recipe, "augment", parts[0], parts[1], error))
      return NULL;
  }
  return g_steal_pointer (&recipe);
}

static gboolean
write_sheet (const Part *part, const Options *options)
{
  g_autoptr (GError) error = NULL;
  const SheetOptions sheet = {.size = (uint32_t)options->size,
                              .n_copies = (uint32_t)options->copies,
                              .seed = (guint64)options->seed};
  g_autoptr (SlRecipe) recipe = load_recipe (options, &error);
  if (recipe && tool_sheet_write (part->source, recipe, &sheet, options->sheet, &error))
    return TRUE;
  tool_gerror (options->sheet, error);
  return FALSE;
}

static int
data_run (int argc, char **argv)
{
  Options options = {.copies = 6};
  g_auto (GStrv) rest = NULL;
  const GOptionEntry entries[] = {
      {"part", 'p', 0, G_OPTION_ARG_STRING, &options.part, "train, val or test; default: all",
       "PART"},
      {"format", 'f', 0, G_OPTION_ARG_STRING, &options.format, "text (default) or json", "FORMAT"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.sheet,
       "write samples before and after augmentation", "SHEET.png"},
      {"recipe", 'r', 0, G_OPTION_ARG_FILENAME, &options.recipe,
       "its augmentation; default: some of everything", "RECIPE"},
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &options.set,
       "a key of the recipe's group [augment]; may be repeated", "KEY=VALUE"},
      {"size", 0, 0, G_OPTION_ARG_INT, &options.size,
       "pixels of a network's input; default: the pictures', at most 224", "N"},
      {"copies", 0, 0, G_OPTION_ARG_INT, &options.copies, "augmented pictures of each; default 6",
       "N"},
      {"seed", 0, 0, G_OPTION_ARG_INT, &options.seed, "of the augmentation", "N"},
      {"clip-rate", 0, 0, G_OPTION_ARG_DOUBLE, &options.clip_rate,
       "frames a second taken of clips; default 2", "HZ"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {
      "DIR",
      "Says what a data set holds: samples of each class, files that cannot be read, sizes.\n"
      "DIR is a folder CLASS/picture.jpg or train|val|test/CLASS/picture.jpg (clips, too), a tar\n"
      "archive of one (or a folder with only that), or a folder with the files of MNIST, its kin, "
      "or\n"
      "CIFAR-10. Folders between class and picture are capture sessions, and so are clips.",
      "With -o it draws a picture of each class as it is and augmented, to see what a recipe does\n"
      "before anything is trained on it.\n\n"
      "Examples:\n"
      "  sightline data mnist                              what there is\n"
      "  sightline data photos -o sheet.png                augmented by a bit of everything\n"
      "  sightline data photos -r my.recipe -o sheet.png   as the recipe would\n"
      "  sightline data photos.tar.xz -o sheet.png -s rotate=30 -s flip=both\n"
      "  sightline data photos -f json                     for scripts"};
  if (!tool_parse (argc, argv, &usage, entries))
    return TOOL_USAGE;
  if (!rest || rest[1])
    return tool_usage_error (argv[0], "%u folders (expected one)", rest ? g_strv_length (rest) : 0);
  if (options.format && !g_str_equal (options.format, "text") &&
      !g_str_equal (options.format, "json"))
    return tool_usage_error (argv[0], "unknown format %s (expected text or json)", options.format);
  if (options.part && !tool_dataset_find_part (options.part, &(SlDataPart){0}))
    return tool_usage_error (argv[0], "--part is '%s' (expected train, val or test)", options.part);
  if (options.size < 0 || options.size > 1024 || options.copies < 1 || options.copies > 64)
    return tool_usage_error (argv[0], "--size %d, --copies %d (expected 1 to 1024, and 1 to 64)",
                             options.size, options.copies);

  gst_init (NULL, NULL);
  tool_quiet_libraries ();
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_array_set_clear_func (parts, clear_part);
  int status = open_parts (rest[0], &options, parts) ? TOOL_OK : TOOL_FAILED;
  if (parts->len && options.format && g_str_equal (options.format, "json"))
    print_json (parts);
  for (guint p = 0; p < parts->len && (!options.format || g_str_equal (options.format, "text"));
       p++)
    print_text (&g_array_index (parts, Part, p));
  if (parts->len && options.sheet && !write_sheet (&g_array_index (parts, Part, 0), &options))
    status = TOOL_FAILED;
  g_free (options.part);
  g_free (options.format);
  g_free (options.sheet);
  g_free (options.recipe);
  g_strfreev (options.set);
  return status;
}

const Command cmd_data = {"data", "say what a data set holds, and show it", data_run};
