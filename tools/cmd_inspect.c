/* `sightline inspect`: what a network is made of, and what it wants to be fed with. */
#include "command.h"
#include "json.h"
#include "network.h"
#include "options.h"
#include "report.h"
#include "summary.h"
#include "text.h"

#include <sightline/sightline.h>

#include <stdio.h>
#include <string.h>

/* Widest columns of the table, in characters; longer names are cut in the middle. */
#define NAME_WIDTH 34
#define OP_WIDTH 20
#define SHAPE_WIDTH 18
/* Metadata longer than this are cut in the text form. */
#define VALUE_WIDTH 100

static void
print_port (const char *kind, const SlPort *port)
{
  g_autofree char *shape = sl_shape_to_string (&port->shape);
  printf ("%-10s %s  %s %s\n", kind, port->name, sl_dtype_get_name (port->dtype), shape);
}

static const char *
name_layer (const SlLayer *layer)
{
  return layer->name && *layer->name ? layer->name : layer->output;
}

/* How the network runs: layouts, kernels, what was fused into them. */
static void
print_optimized_layers (SlProgram *program)
{
  tool_print_cell ("layer", NAME_WIDTH - 4);
  tool_print_cell ("op", OP_WIDTH - 4);
  tool_print_cell ("output shape", SHAPE_WIDTH - 3);
  printf ("%-6s %-14s %s\n", "stored", "kernel", "fused");
  for (uint32_t i = 0; i < sl_program_get_n_layers (program); i++) {
    SlLayer layer;
    sl_program_get_layer (program, i, &layer);
    g_autofree char *shape = sl_shape_to_string (&layer.shape);
    tool_print_cell (name_layer (&layer), NAME_WIDTH - 4);
    tool_print_cell (layer.op, OP_WIDTH - 4);
    tool_print_cell (shape, SHAPE_WIDTH - 3);
    g_autofree char *stored =
        g_strdup_printf ("%s%s", layer.channels_last ? "last" : "rows", layer.is_part ? "*" : "");
    printf ("%-6s %-14s %s\n", stored, *layer.kernel ? layer.kernel : "(view)", layer.fused);
  }
}

/* What the rewrites did, and how it is to be read. */
static void
print_passes (SlProgram *program)
{
  guint views = 0, parts = 0, slow = 0, n = sl_program_get_n_passes (program);
  for (uint32_t i = 0; i < sl_program_get_n_layers (program); i++) {
    SlLayer layer;
    sl_program_get_layer (program, i, &layer);
    views += !*layer.kernel;
    parts += layer.is_part;
    slow += g_str_equal (layer.kernel, "reference");
  }
  printf ("\nstored: last = channels last, rows = row-major; * = inside of a wider value\n\n");
  for (uint32_t i = 0; i < n; i++) {
    SlPassInfo pass;
    sl_program_get_pass (program, i, &pass);
    if (pass.before != pass.after)
      printf ("%-28s %5u nodes become %5u\n", pass.name, pass.before, pass.after);
  }
  if (n > 0) {
    SlPassInfo first;
    sl_program_get_pass (program, 0, &first);
    printf ("%-28s %5u nodes become %5u\n", "altogether", first.before,
            sl_program_get_n_layers (program));
  }
  printf ("%-28s %5u layers, %u inside of wider values\n", "without a step (views)", views, parts);
  printf ("%-28s %5u layers\n", "by the slow reference", slow);
}

static const char *
describe_resize (const SlPreprocess *rules, char **ret_free)
{
  switch (rules->resize) {
  case SL_RESIZE_STRETCH:
    return "stretched to it";
  case SL_RESIZE_LETTERBOX:
    return "fitted into it with borders";
  default:
    if (rules->resize_size == 0)
      return "scaled to cover it, the middle cut out";
    return *ret_free = g_strdup_printf ("short side to %u, the middle cut out", rules->resize_size);
  }
}

static void
print_rules (const SlModelRules *rules)
{
  const SlPreprocess *p = &rules->preprocess;
  const char *order = p->channels == 1 ? "gray" : p->order == SL_ORDER_BGR ? "BGR" : "RGB";
  g_autofree char *resize = NULL;
  printf ("picture    %ux%u %s, %s; value = (0…255 * %g - mean) / std", p->width, p->height, order,
          describe_resize (p, &resize), p->scale);
  if (p->channels == 1)
    printf (", mean %g, std %g\n", p->mean[0], p->std[0]);
  else
    printf (", mean %g %g %g, std %g %g %g\n", p->mean[0], p->mean[1], p->mean[2], p->std[0],
            p->std[1], p->std[2]);
  printf ("rules from %s\n", rules->source);
  if (rules->assumed)
    printf ("note       %s\n", rules->assumed);
  if (rules->labels)
    printf ("labels     %u%s\n", rules->n_labels,
            rules->apply_softmax ? ", scores by softmax" : "");
  else
    printf ("labels     none%s\n", rules->apply_softmax ? ", scores by softmax" : "");
}

static void
print_metadata (SlModel *model)
{
  g_autofree const char **keys = sl_model_list_metadata (model);
  for (guint i = 0; keys && keys[i]; i++) {
    g_autofree char *value = tool_shorten (sl_model_get_metadata (model, keys[i]), VALUE_WIDTH);
    printf ("metadata   %s = %s\n", keys[i], g_strdelimit (value, "\r\n\033", ' '));
  }
}

static void
print_text (SlModel *model, SlProgram *program, const SlModelRules *rules, gboolean optimized)
{
  SlModelOrigin origin;
  sl_model_get_origin (model, &origin);
  g_autofree char *producer = g_strdelimit (g_strdup (origin.producer), "\r\n\033", ' ');
  printf ("network    %s\nsha256     %s\n", sl_model_get_name (model), sl_model_get_hash (model));
  if (origin.opset > 0)
    printf ("format     opset %d, IR version %" G_GINT64_FORMAT ", by %s\n", origin.opset,
            origin.ir_version, *producer ? producer : "an unnamed program");
  else
    printf ("format     network text\n");
  for (uint32_t i = 0; i < sl_model_get_n_inputs (model); i++)
    print_port ("input", sl_model_get_input (model, i));
  for (uint32_t i = 0; i < sl_model_get_n_outputs (model); i++)
    print_port ("output", sl_model_get_output (model, i));
  if (rules)
    print_rules (rules);
  else
    printf ("picture    not a picture network\n");
  print_metadata (model);
  putchar ('\n');
  if (optimized) {
    print_optimized_layers (program);
    print_passes (program);
  } else {
    tool_summary_print (program);
  }

  SlProgramInfo info;
  sl_program_get_info (program, &info);
  g_autofree char *parameters = tool_group_digits (sl_model_get_n_parameters (model));
  g_autofree char *madds = tool_group_digits ((guint64)(info.flops / 2));
  g_autoptr (GArray) rows = tool_summary_new (program, !optimized);
  printf ("\n%u layers, %s parameters, %s multiply-adds, %.1f MiB for weights, %.1f MiB to run\n",
          rows->len, parameters, madds, (double)info.weight_bytes / 1048576,
          (double)info.arena_bytes / 1048576);
}

static void
add_ports (JsonBuilder *builder, const char *name, SlModel *model, uint32_t n,
           const SlPort *(*get) (SlModel *, uint32_t))
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (uint32_t i = 0; i < n; i++) {
    const SlPort *port = get (model, i);
    json_builder_begin_object (builder);
    tool_json_string (builder, "name", port->name);
    tool_json_string (builder, "type", sl_dtype_get_name (port->dtype));
    tool_json_shape (builder, &port->shape);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_layers (JsonBuilder *builder, SlProgram *program, gboolean optimized)
{
  json_builder_set_member_name (builder, "layers");
  json_builder_begin_array (builder);
  g_autoptr (GArray) rows = tool_summary_new (program, !optimized);
  for (guint i = 0; i < rows->len; i++) {
    const ToolSummaryRow *row = &g_array_index (rows, ToolSummaryRow, i);
    const SlLayer layer = row->layer;
    json_builder_begin_object (builder);
    tool_json_string (builder, "name", layer.name);
    tool_json_string (builder, "layer_type", row->type);
    tool_json_string (builder, "op", layer.op);
    tool_json_string (builder, "output", layer.output);
    tool_json_string (builder, "kernel", layer.kernel);
    tool_json_string (builder, "attributes", layer.attributes);
    tool_json_string (builder, "fused", layer.fused);
    tool_json_string (builder, "stored", layer.channels_last ? "channels-last" : "row-major");
    json_builder_set_member_name (builder, "part");
    json_builder_add_boolean_value (builder, layer.is_part);
    tool_json_string (builder, "type", sl_dtype_get_name (layer.dtype));
    tool_json_shape (builder, &layer.shape);
    tool_json_int (builder, "parameters", (gint64)layer.parameters);
    tool_json_int (builder, "non_trainable", (gint64)layer.states);
    tool_json_int (builder, "multiply_adds", (gint64)(layer.flops / 2));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_passes (JsonBuilder *builder, SlProgram *program)
{
  json_builder_set_member_name (builder, "passes");
  json_builder_begin_array (builder);
  for (uint32_t i = 0; i < sl_program_get_n_passes (program); i++) {
    SlPassInfo pass;
    sl_program_get_pass (program, i, &pass);
    json_builder_begin_object (builder);
    tool_json_string (builder, "name", pass.name);
    tool_json_int (builder, "before", pass.before);
    tool_json_int (builder, "after", pass.after);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_triple (JsonBuilder *builder, const char *name, const float *values, uint32_t n)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (uint32_t i = 0; i < n; i++)
    json_builder_add_double_value (builder, (double)values[i]);
  json_builder_end_array (builder);
}

static void
add_rules (JsonBuilder *builder, const SlModelRules *rules)
{
  static const char *const resizes[] = {"stretch", "crop", "letterbox"};
  json_builder_set_member_name (builder, "preprocess");
  if (!rules) {
    json_builder_add_null_value (builder);
    return;
  }
  const SlPreprocess *p = &rules->preprocess;
  json_builder_begin_object (builder);
  tool_json_int (builder, "width", p->width);
  tool_json_int (builder, "height", p->height);
  tool_json_string (builder, "color",
                    p->channels == 1           ? "gray"
                    : p->order == SL_ORDER_BGR ? "bgr"
                                               : "rgb");
  tool_json_string (builder, "resize", resizes[p->resize]);
  tool_json_int (builder, "resize_size", p->resize_size);
  tool_json_double (builder, "scale", (double)p->scale);
  add_triple (builder, "mean", p->mean, p->channels);
  add_triple (builder, "std", p->std, p->channels);
  json_builder_set_member_name (builder, "softmax");
  json_builder_add_boolean_value (builder, rules->apply_softmax);
  tool_json_int (builder, "labels", rules->n_labels);
  tool_json_string (builder, "source", rules->source);
  tool_json_string (builder, "assumed", rules->assumed);
  json_builder_end_object (builder);
}

static void
print_json (SlModel *model, SlProgram *program, const SlModelRules *rules, gboolean optimized)
{
  SlProgramInfo info;
  SlModelOrigin origin;
  sl_program_get_info (program, &info);
  sl_model_get_origin (model, &origin);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  tool_json_string (builder, "path", sl_model_get_name (model));
  tool_json_string (builder, "sha256", sl_model_get_hash (model));
  tool_json_int (builder, "opset", origin.opset);
  tool_json_int (builder, "ir_version", origin.ir_version);
  tool_json_string (builder, "producer", origin.producer);
  add_ports (builder, "inputs", model, sl_model_get_n_inputs (model), sl_model_get_input);
  add_ports (builder, "outputs", model, sl_model_get_n_outputs (model), sl_model_get_output);
  tool_json_int (builder, "parameters", (gint64)sl_model_get_n_parameters (model));
  tool_json_int (builder, "non_trainable", (gint64)sl_model_get_n_states (model));
  tool_json_int (builder, "multiply_adds", (gint64)(info.flops / 2));
  tool_json_int (builder, "weight_bytes", (gint64)info.weight_bytes);
  tool_json_int (builder, "arena_bytes", (gint64)info.arena_bytes);
  add_rules (builder, rules);
  json_builder_set_member_name (builder, "metadata");
  json_builder_begin_object (builder);
  g_autofree const char **keys = sl_model_list_metadata (model);
  for (guint i = 0; keys && keys[i]; i++)
    tool_json_string (builder, keys[i], sl_model_get_metadata (model, keys[i]));
  json_builder_end_object (builder);
  add_layers (builder, program, optimized);
  add_passes (builder, program);
  json_builder_end_object (builder);
  tool_json_print (builder, TRUE);
}

typedef struct {
  ToolNetwork network;
  char *format;
  gboolean optimized;
} InspectOptions;

static int
inspect (const InspectOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = tool_network_load_model (&options->network);
  if (!model)
    return TOOL_FAILED;
  /* The reference knows no layouts and packing: its program is the network as the file states it.
   */
  const SlProgramOptions program_options = {
      .device = options->optimized ? NULL : sl_device_find ("ref", NULL),
      .unoptimized = !options->optimized};
  g_autoptr (SlProgram) program = sl_program_new (model, &program_options, &error);
  if (!program) {
    tool_gerror (sl_model_get_name (model), error);
    return TOOL_FAILED;
  }
  if (g_strcmp0 (options->format, "dot") == 0) {
    g_autofree char *dot = sl_program_print (program, SL_PRINT_DOT);
    fputs (dot, stdout);
    return TOOL_OK;
  }

  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, options->network.preprocess_path,
                                                       options->network.label_path, &error);
  if (!rules && !g_error_matches (error, SL_ERROR, SL_ERROR_UNSUPPORTED)) {
    tool_gerror (sl_model_get_name (model), error);
    return TOOL_FAILED;
  }
  if (g_strcmp0 (options->format, "json") == 0)
    print_json (model, program, rules, options->optimized);
  else
    print_text (model, program, rules, options->optimized);
  return TOOL_OK;
}

static int
inspect_run (int argc, char **argv)
{
  InspectOptions options = {0};
  g_auto (GStrv) files = NULL;
  const GOptionEntry entries[] = {
      {"format", 'f', 0, G_OPTION_ARG_STRING, &options.format, "text (default), json or dot",
       "FORMAT"},
      {"optimized", 0, 0, G_OPTION_ARG_NONE, &options.optimized,
       "The network as it runs, not as the file has it", NULL},
      {"labels", 'l', 0, G_OPTION_ARG_FILENAME, &options.network.label_path,
       "Class names, one a line, instead of the network's own", "FILE"},
      {"preprocess", 0, 0, G_OPTION_ARG_FILENAME, &options.network.preprocess_path,
       "Key file that says how pictures are prepared", "FILE"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
      G_OPTION_ENTRY_NULL};
  static const ToolUsage usage = {
      "[FILE.onnx|FILE.net]",
      "Shows a network's inputs, outputs, preparation of pictures, metadata and layers; without a\n"
      "file, those of the built-in network.",
      "Examples:\n"
      "  sightline inspect net.onnx\n"
      "  sightline inspect lenet5.net\n"
      "  sightline inspect resnet18        one of the networks that come with Sightline\n"
      "  sightline inspect net.onnx --optimized -f dot | dot -Tsvg > net.svg"};
  int status = TOOL_USAGE;
  if (tool_parse (argc, argv, &usage, entries)) {
    if (files && files[1])
      status = tool_usage_error (argv[0], "more than one network given");
    else if (options.format && !g_str_equal (options.format, "text") &&
             !g_str_equal (options.format, "json") && !g_str_equal (options.format, "dot"))
      status = tool_usage_error (argv[0], "unknown format %s (expected text, json or dot)",
                                 options.format);
    else {
      options.network.model_path = tool_network_find (files ? files[0] : NULL);
      status = inspect (&options);
    }
  }
  tool_network_clear (&options.network);
  g_free (options.format);
  return status;
}

const Command cmd_inspect = {"inspect", "show what a network is made of and wants to be fed with",
                             inspect_run};
