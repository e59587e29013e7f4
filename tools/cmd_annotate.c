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
#include <sightline/sightline.h>

typedef struct {
  ToolNetwork network;
  ToolSelection selection;
  char *output_path;
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
                                      .network = &options->network});
}

static int
annotate_run (int argc, char **argv)
{
  AnnotateOptions options = {.selection.every = 1};
  g_autofree char *from = NULL, *to = NULL;
  g_auto (GStrv) inputs = NULL;
  const GOptionEntry entries[] = {
      TOOL_NETWORK_ENTRIES (options.network),
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output_path,
       "Clip to write: .mkv, .mp4 or .webm; appears when all is done", "FILE"},
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
      "Example:\n  sightline annotate -m net.onnx clip.mp4 -o seen.mkv"};
  int status = TOOL_USAGE;
  if (tool_parse (argc, argv, &usage, entries)) {
    if (!inputs || inputs[1])
      tool_usage_error (argv[0], "%s", inputs ? "more than one input given" : "no input given");
    else if (!options.output_path || !tool_container_find (options.output_path))
      tool_usage_error (argv[0], "-o %s (expected a file that ends in .mkv, .mp4 or .webm)",
                        options.output_path ? options.output_path : "is missing");
    else if (sl_decoder_source_is_live (inputs[0]))
      tool_usage_error (argv[0], "%s has no end (expected a clip)", inputs[0]);
    else
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
  g_free (options.output_path);
  return status;
}

const Command cmd_annotate = {"annotate", "draw the labels into a clip", annotate_run};
