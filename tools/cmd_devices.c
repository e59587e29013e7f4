/* `sightline devices`: where networks can run. */
#include "command.h"
#include "json.h"
#include "options.h"
#include "report.h"

#include <sightline/sightline.h>

#include <stdio.h>

static void
print_json (const SlDevice *const *devices)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_array (builder);
  for (; *devices; devices++) {
    const SlDevice *device = *devices;
    json_builder_begin_object (builder);
    tool_json_string (builder, "id", device->id);
    tool_json_string (builder, "description", device->description);
    tool_json_string (builder, "isa", device->isa);
    tool_json_int (builder, "threads", device->threads);
    if (device->backend == SL_BACKEND_VULKAN) {
      tool_json_string (builder, "type", device->type);
      tool_json_string (builder, "driver", device->driver);
      tool_json_string (builder, "uuid", device->uuid);
      tool_json_string (builder, "features", device->features);
      tool_json_string (builder, "cooperative_matrices", device->matrices);
      tool_json_int (builder, "memory", (gint64)device->memory);
    }
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  tool_json_print (builder, TRUE);
}

static void
print_vulkan (const SlDevice *device)
{
  g_autofree char *memory = g_format_size_full (device->memory, G_FORMAT_SIZE_IEC_UNITS);
  printf ("%-8s  %s, %s, %s, %s\n", device->id, device->description, device->type, memory,
          device->driver);
  printf ("%-8s  uuid %s; features used: %s\n", "", device->uuid,
          device->features[0] ? device->features : "none");
  printf ("%-8s  cooperative matrices: %s\n", "", device->matrices);
}

static void
print_text (const SlDevice *const *devices)
{
  for (; *devices; devices++)
    if ((*devices)->backend == SL_BACKEND_VULKAN)
      print_vulkan (*devices);
    else
      printf ("%-8s  %s, %s, %u thread%s\n", (*devices)->id, (*devices)->description,
              (*devices)->isa, (*devices)->threads, (*devices)->threads == 1 ? "" : "s");
}

/* A driver that does not work would be missed without a word. */
static void
note_missing (const SlDevice *const *devices)
{
  g_autoptr (GError) reason = NULL;
  for (; *devices; devices++)
    if ((*devices)->backend == SL_BACKEND_VULKAN)
      return;
  if (!sl_device_find_gpu (&reason))
    tool_note ("no Vulkan device: %s", reason->message);
}

static int
devices_run (int argc, char **argv)
{
  g_autofree char *format = NULL;
  g_auto (GStrv) rest = NULL;
  const GOptionEntry entries[] = {
      {"format", 'f', 0, G_OPTION_ARG_STRING, &format, "text (default) or json", "FORMAT"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {NULL,
                                  "Lists the devices that -d takes. \"auto\" is the CPU; for "
                                  "classify and heatmap it is the first "
                                  "GPU,\nif there is one.",
                                  "Example:\n  sightline devices -f json"};
  if (!tool_parse (argc, argv, &usage, entries))
    return TOOL_USAGE;
  if (rest)
    return tool_usage_error (argv[0], "unexpected argument %s", rest[0]);
  if (!format || g_str_equal (format, "text")) {
    print_text (sl_device_list ());
    note_missing (sl_device_list ());
  } else if (g_str_equal (format, "json")) {
    print_json (sl_device_list ());
  } else {
    return tool_usage_error (argv[0], "unknown format %s (expected text or json)", format);
  }
  return TOOL_OK;
}

const Command cmd_devices = {"devices", "list where networks can run", devices_run};
