/* `sightline heatmap`: where the network looks, as pictures and as numbers. */
#include "clip.h"
#include "command.h"
#include "encoding.h"
#include "heat.h"
#include "inputs.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "plugin.h"
#include "report.h"
#include "selection.h"
#include "stop.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define DEFAULT_OPACITY 0.6

typedef enum { KIND_ROWS, KIND_PICTURE, KIND_FOLDER, KIND_CLIP } OutputKind;

typedef struct {
  ToolNetwork network;
  ToolSelection selection;
  SlHeatLook look;
  OutputKind kind;
  ToolHeatOptions heat;
  char *output_path;
  gboolean recursive;
} HeatmapOptions;

/* As they stand on the command line. */
typedef struct {
  char *method, *style, *colormap, *from, *to;
  double opacity, threshold;
} HeatmapTexts;

typedef struct {
  const HeatmapOptions *options;
  ToolHeat *heat;
  ToolOutput *rows;    /* NULL: pictures */
  char **names;        /* inputs as the user named them */
  GHashTable *files;   /* of the inputs: tool_inputs_get_files() */
  GHashTable *written; /* paths of pictures */
  GString *text;       /* on its way to an output */
  guint done;          /* inputs that gave something */
  gboolean failed;     /* something asked for was not done */
  gboolean broken;     /* the rows cannot be written: no use going on */
  gboolean live;       /* the input is a camera */
} Heatmap;

static void
texts_clear (HeatmapTexts *texts)
{
  g_free (texts->method);
  g_free (texts->style);
  g_free (texts->colormap);
  g_free (texts->from);
  g_free (texts->to);
}

static gboolean
find_style (const char *name, SlHeatStyle *ret)
{
  static const char *const names[] = {"blend", "map", "mask"};
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], name) == 0) {
      *ret = (SlHeatStyle)i;
      return TRUE;
    }
  return FALSE;
}

/* --- rows --- */

static void
add_numbers (JsonBuilder *builder, const char *name, const double *doubles, const float *floats,
             size_t n)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (size_t i = 0; i < n; i++)
    json_builder_add_double_value (builder, doubles ? doubles[i] : (double)floats[i]);
  json_builder_end_array (builder);
}

static void
append_row (Heatmap *self, const char *source, const SlDecodedFrame *frame, const ToolHeatMap *map)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  tool_json_string (builder, "source", source);
  tool_json_int (builder, "frame", (gint64)frame->number);
  tool_json_double (builder, "pts",
                    GST_CLOCK_TIME_IS_VALID (frame->pts) ? (double)frame->pts / GST_SECOND : NAN);
  tool_json_int (builder, "index", map->index);
  tool_json_string (builder, "label", map->label);
  tool_json_double (builder, "score", (double)map->score);
  tool_json_int (builder, "width", map->width);
  tool_json_int (builder, "height", map->height);
  add_numbers (builder, "matrix", map->matrix, NULL, G_N_ELEMENTS (map->matrix));
  add_numbers (builder, "values", NULL, map->values, (size_t)map->width * map->height);
  tool_json_string (builder, "model", sl_model_get_hash (tool_heat_get_model (self->heat)));
  json_builder_end_object (builder);

  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *row = json_to_string (root, FALSE);
  g_string_append_printf (self->text, "%s\n", row);
}

static gboolean
write_row (Heatmap *self, const char *source, const SlDecodedFrame *frame, const ToolHeatMap *map)
{
  g_autoptr (GError) error = NULL;
  append_row (self, source, frame, map);
  if (tool_output_write (self->rows, self->text, &error))
    return TRUE;
  tool_gerror (NULL, error);
  self->broken = self->failed = TRUE;
  return FALSE;
}

/* --- pictures --- */

/* Where an input's picture goes: into a folder by the place that the input has in its own. NULL
 * with an error if another input's is there already. */
static char *
name_picture (Heatmap *self, const char *source, GError **error)
{
  if (self->options->kind == KIND_PICTURE)
    return g_strdup (self->options->output_path);
  g_autofree char *place = tool_input_get_place (self->names, source);
  char *dot = strrchr (place, '.');
  if (dot && dot != place && !strchr (dot, G_DIR_SEPARATOR))
    *dot = '\0';
  g_autofree char *file = g_strconcat (place, ".png", NULL);
  g_autofree char *path = g_build_filename (self->options->output_path, file, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  if (g_hash_table_contains (self->written, path))
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s is another input's (expected names that differ)",
                 path);
  else if (g_mkdir_with_parents (folder, 0777) != 0)
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: %s", folder, g_strerror (errno));
  else
    return g_steal_pointer (&path);
  return NULL;
}

static gboolean
write_picture (Heatmap *self, const char *source, const SlDecodedFrame *frame,
               const ToolHeatMap *map, GError **error)
{
  char *path = name_picture (self, source, error);
  if (!path)
    return FALSE;
  g_hash_table_add (self->written, path);
  if (tool_inputs_hold (self->files, path)) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s is an input (expected another place for -o)",
                 path);
    return FALSE;
  }
  g_autoptr (ToolPicture) picture = tool_picture_new (frame, error);
  if (!picture || !tool_heat_paint (self->heat, map, picture, &self->options->look, error))
    return FALSE;
  tool_picture_turn (picture, frame->orientation);
  g_string_truncate (self->text, 0);
  g_autoptr (ToolOutput) output = tool_output_open (path, error);
  return output && tool_picture_append_png (self->text, picture, error) &&
         tool_output_write (output, self->text, error) &&
         tool_output_commit (g_steal_pointer (&output), error);
}

/* --- clips --- */

static GstSample *
paint_frame (void *data, const SlDecodedFrame *frame, GError **error)
{
  Heatmap *self = data;
  ToolHeatMap map;
  g_autoptr (ToolPicture) picture = NULL;
  if (!tool_heat_run (self->heat, frame, &map, error) ||
      !(picture = tool_picture_new (frame, error)) ||
      !tool_heat_paint (self->heat, &map, picture, &self->options->look, error))
    return NULL;
  return tool_picture_make_sample (picture, frame);
}

static int
write_clip (Heatmap *self, const char *source)
{
  return tool_clip_write (&(ToolClip){.source = source,
                                      .output_path = self->options->output_path,
                                      .selection = &self->options->selection,
                                      .paint = paint_frame,
                                      .data = self});
}

/* --- one input --- */

/* The frames that were asked for; of pictures the first one. */
static void
take_frames (Heatmap *self, const char *source, SlDecoder *decoder, guint64 *ret_taken,
             GError **error)
{
  const gboolean all = self->options->kind == KIND_ROWS;
  ToolSelection selection = self->options->selection;
  ToolProgress progress;
  SlDecodedFrame frame;
  ToolHeatMap map;
  tool_progress_start (&progress, source);
  tool_selection_start (&selection);
  while ((all || *ret_taken == 0) && tool_selection_next (&selection, decoder, &frame, error)) {
    if (!tool_heat_run (self->heat, &frame, &map, error) ||
        !(all ? write_row (self, source, &frame, &map)
              : write_picture (self, source, &frame, &map, error)))
      break;
    (*ret_taken)++;
    tool_progress_update (&progress, sl_decoder_get_progress (decoder), *ret_taken);
  }
  tool_progress_end (&progress);
}

/* What an input gave, as classify has it. A picture needs no more than its one frame. */
static void
heat_input (Heatmap *self, const char *source)
{
  g_autoptr (GError) error = NULL;
  const char *reason = NULL;
  guint64 taken = 0;
  SlOutcome outcome = SL_OUTCOME_FAILED;
  g_autoptr (SlDecoder) decoder = sl_decoder_new (source, &error);
  if (decoder) {
    take_frames (self, source, decoder, &taken, &error);
    outcome = sl_decoder_get_outcome (decoder, &reason);
  }
  self->done += taken > 0;
  if (self->broken || (tool_stop_requested () && !error)) /* said elsewhere */
    return;
  if (error) {
    tool_gerror (source, error);
  } else if (taken == 0 && outcome != SL_OUTCOME_FAILED) {
    tool_error (source, "no frame in the time asked for");
  } else if (outcome == SL_OUTCOME_FAILED) {
    tool_error (source, "%s", reason);
  } else if (outcome == SL_OUTCOME_PARTIAL && self->options->kind == KIND_ROWS) {
    tool_error (source, "partial, %" G_GUINT64_FORMAT " frames: %s", taken, reason);
  } else {
    return;
  }
  self->failed = TRUE;
}

/* --- all of them --- */

/* FALSE after a report. */
static gboolean
open_output (Heatmap *self)
{
  g_autoptr (GError) error = NULL;
  const char *path = self->options->output_path;
  if (self->options->kind == KIND_ROWS)
    self->rows = tool_output_open (path, &error);
  if (!error)
    return TRUE;
  tool_gerror (NULL, error);
  return FALSE;
}

/* A file of rows is replaced only if there are some. */
static void
finish (Heatmap *self)
{
  g_autoptr (GError) error = NULL;
  /* Rows of a camera have no other end. */
  if (tool_stop_requested () && !(self->rows && self->live && self->done > 0)) {
    tool_error ("interrupted", "stopped");
    self->failed = TRUE;
  } else if (self->rows && !self->broken && self->done > 0 &&
             !tool_output_commit (g_steal_pointer (&self->rows), &error)) {
    tool_gerror (NULL, error);
    self->failed = TRUE;
  }
}

static int
heatmap (const HeatmapOptions *options, char **names)
{
  Heatmap self = {.options = options, .names = names, .live = sl_decoder_source_is_live (names[0])};
  int status;
  tool_load_plugin ();
  g_autoptr (ToolHeat) heat = tool_heat_new (&options->network, &options->heat, &status);
  if (!heat)
    return status;
  self.heat = heat;
  if (options->kind == KIND_CLIP)
    return write_clip (&self, names[0]);
  if (!open_output (&self))
    return TOOL_FAILED;
  g_autoptr (GPtrArray) inputs = tool_inputs_expand (names, options->recursive, &self.failed);
  g_autoptr (GHashTable) written = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self.written = written;
  g_autoptr (GHashTable) files = tool_inputs_get_files (inputs);
  self.files = files;
  self.text = g_string_new (NULL);
  if (options->kind == KIND_PICTURE && inputs->len > 1) {
    tool_error (options->output_path, "%u inputs for one picture (expected a folder after -o)",
                inputs->len);
    self.failed = TRUE;
  } else if (self.rows && tool_inputs_hold (files, options->output_path)) {
    tool_error (options->output_path, "is an input too (expected another file for -o)");
    self.failed = TRUE;
  } else {
    for (guint i = 0; i < inputs->len && !self.broken && !tool_stop_requested (); i++)
      heat_input (&self, g_ptr_array_index (inputs, i));
    finish (&self);
  }
  tool_output_discard (self.rows);
  g_string_free (self.text, TRUE);
  return self.failed ? TOOL_FAILED : TOOL_OK;
}

/* --- the command line --- */

static gboolean
has_suffix (const char *path, const char *suffix)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  return g_str_has_suffix (lower, suffix);
}

/* What -o asks for. */
static gboolean
find_kind (const char *path, OutputKind *ret_kind)
{
  if (strcmp (path, "-") == 0 || has_suffix (path, ".jsonl"))
    *ret_kind = KIND_ROWS;
  else if (has_suffix (path, ".png"))
    *ret_kind = KIND_PICTURE;
  else if (tool_container_find (path))
    *ret_kind = KIND_CLIP;
  else if (g_str_has_suffix (path, "/") || g_file_test (path, G_FILE_TEST_IS_DIR))
    *ret_kind = KIND_FOLDER;
  else
    return FALSE;
  return TRUE;
}

static gboolean
is_part (double value)
{
  return value >= 0 && value <= 1;
}

static char *
list_methods (const char *between, gboolean with_help)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < SL_EXPLAIN_METHOD_COUNT; i++) {
    const char *name = sl_explain_method_get_name ((SlExplainMethod)i);
    g_string_append (text, i > 0 ? between : "");
    if (with_help)
      g_string_append_printf (text, "%-22s%s", name,
                              sl_explain_method_get_help ((SlExplainMethod)i));
    else
      g_string_append (text, name);
  }
  return g_string_free (text, FALSE);
}

/* What GOption cannot check. Returns TOOL_OK or, after a report, TOOL_USAGE. */
static int
check_options (const char *command, HeatmapOptions *options, const HeatmapTexts *texts,
               char **inputs)
{
  if (!inputs)
    return tool_usage_error (command, "no input given");
  if (!options->output_path || !find_kind (options->output_path, &options->kind))
    return tool_usage_error (command,
                             "-o %s (expected a .png, .mkv, .mp4, .webm, a folder, .jsonl or -)",
                             options->output_path ? options->output_path : "is missing");
  if (texts->method && !sl_explain_method_from_name (texts->method, &options->heat.method)) {
    g_autofree char *names = list_methods (", ", FALSE);
    return tool_usage_error (command, "unknown method %s (expected one of %s)", texts->method,
                             names);
  }
  if (texts->colormap && !sl_colormap_from_name (texts->colormap, &options->look.colormap))
    return tool_usage_error (command,
                             "unknown colour map %s (expected viridis, turbo, inferno, jet or "
                             "grey)",
                             texts->colormap);
  if (texts->style && !find_style (texts->style, &options->look.style))
    return tool_usage_error (command, "unknown style %s (expected blend, map or mask)",
                             texts->style);
  if (!is_part (texts->opacity) || !is_part (texts->threshold))
    return tool_usage_error (command, "--%s %g (expected 0 to 1)",
                             is_part (texts->opacity) ? "threshold" : "opacity",
                             is_part (texts->opacity) ? texts->threshold : texts->opacity);
  if (options->kind == KIND_CLIP && (inputs[1] || sl_decoder_source_is_live (inputs[0])))
    return tool_usage_error (command, "%s for a clip (expected one file)",
                             inputs[1] ? "more than one input" : inputs[0]);
  for (guint i = 0; options->kind == KIND_ROWS && inputs[1] && inputs[i]; i++)
    if (sl_decoder_source_is_live (inputs[i]))
      return tool_usage_error (command, "%s has no end (expected nothing beside it)", inputs[i]);
  if (options->heat.threads < 0)
    return tool_usage_error (command, "--threads %d (expected 1 or more)", options->heat.threads);
  options->look.opacity = (float)texts->opacity;
  options->look.threshold = (float)texts->threshold;
  return tool_selection_parse (command, &options->selection, texts->from, texts->to);
}

static int
heatmap_run (int argc, char **argv)
{
  HeatmapOptions options = {.selection.every = 1, .look.colormap = SL_COLORMAP_TURBO};
  HeatmapTexts texts = {.opacity = DEFAULT_OPACITY};
  g_auto (GStrv) inputs = NULL;
  const GOptionEntry entries[] = {
      TOOL_NETWORK_ENTRIES (options.network),
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output_path,
       "A .png, a folder for several, a clip (.mkv, .mp4, .webm), or raw maps (.jsonl, -)", "OUT"},
      {"target", 't', 0, G_OPTION_ARG_STRING, &options.heat.target,
       "Class by label or number (default: top, each frame's best)", "CLASS"},
      {"against", 0, 0, G_OPTION_ARG_STRING, &options.heat.against,
       "What speaks for the target rather than for this class", "CLASS"},
      {"method", 0, 0, G_OPTION_ARG_STRING, &texts.method,
       "How maps are made, see below (default: auto)", "METHOD"},
      {"layer", 0, 0, G_OPTION_ARG_STRING, &options.heat.layer,
       "Whose feature maps (default: the last of the network)", "NAME"},
      {"style", 0, 0, G_OPTION_ARG_STRING, &texts.style, "blend (default), map or mask", "STYLE"},
      {"colormap", 0, 0, G_OPTION_ARG_STRING, &texts.colormap,
       "turbo (default), viridis, inferno, jet or grey", "NAME"},
      {"opacity", 0, 0, G_OPTION_ARG_DOUBLE, &texts.opacity,
       "Of the hottest, 0 to 1 (default: 0.6)", "PART"},
      {"threshold", 0, 0, G_OPTION_ARG_DOUBLE, &texts.threshold,
       "Leave out what is colder, 0 to 1 (default: 0)", "PART"},
      {"every", 0, 0, G_OPTION_ARG_INT, &options.selection.every, "Look at each N-th frame", "N"},
      {"from", 0, 0, G_OPTION_ARG_STRING, &texts.from, "Begin at this time of the clip", "T"},
      {"to", 0, 0, G_OPTION_ARG_STRING, &texts.to, "End before this time of the clip", "T"},
      {"recursive", 0, 0, G_OPTION_ARG_NONE, &options.recursive, "Sub-folders of folders too",
       NULL},
      {"threads", 0, 0, G_OPTION_ARG_INT, &options.heat.threads, "Most threads of the network",
       "N"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &inputs, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  g_autofree char *methods = list_methods ("\n  ", TRUE);
  g_autofree char *description = g_strdup_printf (
      "A picture is an input's first frame, or the first one from --from on. Raw maps are a JSON "
      "object a line, for each\n"
      "frame of a clip; \"matrix\" places a map's unit square on the frame.\n\n"
      "Methods:\n  %s\n"
      "Layers are named as `sightline inspect` lists them.\n\n"
      "Examples:\n"
      "  sightline heatmap photo.jpg -o seen.png\n"
      "  sightline heatmap -m net.onnx --target dog --colormap viridis photos/ -o seen/\n"
      "  sightline heatmap -m net.onnx --method layercam --target dog --against cat pets.jpg -o "
      "why.png\n"
      "  sightline heatmap -m net.onnx clip.mp4 -o seen.mkv\n"
      "  sightline heatmap -m net.onnx --every 25 clip.mp4 -o maps.jsonl",
      methods);
  const ToolUsage usage = {
      "INPUT… -o OUT",
      "Shows where the network looks: the map of a class over a picture or a clip, or its numbers.",
      description};
  int status = TOOL_USAGE;
  if (tool_parse (argc, argv, &usage, entries))
    status = check_options (argv[0], &options, &texts, inputs);
  if (status == TOOL_OK) {
    tool_stop_watch ();
    tool_quiet_libraries ();
    sl_decoder_watch_codec_log ();
    gst_init (NULL, NULL);
    status = heatmap (&options, inputs);
  }
  tool_network_clear (&options.network);
  texts_clear (&texts);
  g_free (options.heat.target);
  g_free (options.heat.against);
  g_free (options.heat.layer);
  g_free (options.output_path);
  return status;
}

const Command cmd_heatmap = {"heatmap", "show where the network looks", heatmap_run};
