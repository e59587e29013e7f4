/* `sightline annotate`: a clip with its labels drawn in. */
#include "clip.h"
#include "command.h"
#include "encoding.h"
#include "network.h"
#include "options.h"
#include "plugin.h"
#include "report.h"
#include "selection.h"
#include "stop.h"

#include <sightline-gst/decode.h>
#include <sightline/heat.h>
#include <sightline/sightline.h>

#define DEFAULT_OPACITY 0.6

typedef struct {
  ToolNetwork network;
  ToolSelection selection;
  char *output_path, *colormap;
  gboolean heatmap;
  double opacity;
} AnnotateOptions;

/* Checks the network before anything else is done, as classify does. NULL after a report. As long
 * as it is kept, slclassify takes the same one. */
static SlModel *
check_network (const ToolNetwork *network)
{
  g_autoptr (SlModel) model = tool_network_load_model (network);
  g_autoptr (SlModelRules) rules = model ? tool_network_load_rules (network, model) : NULL;
  return rules && tool_find_device (network->device_name) ? g_steal_pointer (&model) : NULL;
}

static int
annotate (const AnnotateOptions *options, const char *source)
{
  g_autoptr (SlModel) model = check_network (&options->network);
  if (!model)
    return TOOL_FAILED;
  return tool_clip_write (&(ToolClip){.source = source,
                                      .output_path = options->output_path,
                                      .selection = &options->selection,
                                      .network = &options->network,
                                      .heatmap = options->heatmap,
                                      .colormap = options->colormap ? options->colormap : "turbo",
                                      .opacity = options->opacity});
}

/* What GOption cannot check. Returns TOOL_OK or, after a report, TOOL_USAGE. */
static int
check_options (const char *command, AnnotateOptions *options, char **inputs)
{
  SlColormap colormap;
  if (!inputs || inputs[1])
    return tool_usage_error (command, "%s",
                             inputs ? "more than one input given" : "no input given");
  if (!options->output_path || !tool_container_find (options->output_path))
    return tool_usage_error (command, "-o %s (expected a file that ends in .mkv, .mp4 or .webm)",
                             options->output_path ? options->output_path : "is missing");
  if (sl_decoder_source_is_live (inputs[0]))
    return tool_usage_error (command, "%s has no end (expected a clip)", inputs[0]);
  if (!options->heatmap && (options->colormap || options->opacity != DEFAULT_OPACITY))
    return tool_usage_error (command, "--%s is of a heat map (expected --heatmap too)",
                             options->colormap ? "colormap" : "opacity");
  if (options->colormap && !sl_colormap_from_name (options->colormap, &colormap))
    return tool_usage_error (command,
                             "unknown colour map %s (expected turbo, viridis, inferno, jet or "
                             "grey)",
                             options->colormap);
  if (!(options->opacity >= 0 && options->opacity <= 1))
    return tool_usage_error (command, "--opacity %g (expected 0 to 1)", options->opacity);
  return TOOL_OK;
}

static int
annotate_run (int argc, char **argv)
{
  AnnotateOptions options = {.selection.every = 1, .opacity = DEFAULT_OPACITY};
  g_autofree char *from = NULL, *to = NULL;
  g_auto (GStrv) inputs = NULL;
  const GOptionEntry entries[] = {
      TOOL_NETWORK_ENTRIES (options.network),
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output_path,
       "Clip to write: .mkv, .mp4 or .webm; appears when all is done", "FILE"},
      {"heatmap", 0, 0, G_OPTION_ARG_NONE, &options.heatmap,
       "Show where the network sees the best class, and a box around it", NULL},
      {"colormap", 0, 0, G_OPTION_ARG_STRING, &options.colormap,
       "turbo (default), viridis, inferno, jet or grey", "NAME"},
      {"opacity", 0, 0, G_OPTION_ARG_DOUBLE, &options.opacity,
       "Of the hottest, 0 to 1 (default: 0.6)", "PART"},
      {"from", 0, 0, G_OPTION_ARG_STRING, &from, "Begin at this time of the clip", "T"},
      {"to", 0, 0, G_OPTION_ARG_STRING, &to, "End before this time of the clip", "T"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &inputs, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {
      "INPUT -o OUTPUT", "Writes a clip with the labels of each frame drawn in, and its sound.",
      "Sound is passed through if the container can hold it, else encoded anew; subtitles are left "
      "out.\n"
      "A clip that says how it has to be turned is written upright. Times are seconds, M:SS or "
      "H:MM:SS.\n"
      "A cut or damaged clip is written as far as it goes, called partial, and the exit status is "
      "1.\n\n"
      "Examples:\n"
      "  sightline annotate -m net.onnx clip.mp4 -o seen.mkv\n"
      "  sightline annotate --heatmap clip.mp4 -o seen.mp4"};
  int status = TOOL_USAGE;
  if (tool_parse (argc, argv, &usage, entries)) {
    status = check_options (argv[0], &options, inputs);
    if (status == TOOL_OK)
      status = tool_selection_parse (argv[0], &options.selection, from, to);
  }
  if (status == TOOL_OK) {
    tool_stop_watch ();
    tool_quiet_libraries ();
    sl_decoder_watch_codec_log ();
    gst_init (NULL, NULL);
    tool_load_plugin ();
    status = annotate (&options, inputs[0]);
  }
  tool_network_clear (&options.network);
  g_free (options.colormap);
  g_free (options.output_path);
  return status;
}

const Command cmd_annotate = {"annotate", "draw the labels into a clip", annotate_run};
