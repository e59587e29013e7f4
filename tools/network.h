/* The options that say which network runs where, shared by the commands that run one. */
#pragma once

#include <sightline/sightline.h>

/* Filled by the command's GOptionEntry table; all may be NULL. */
typedef struct ToolNetwork {
  char *model_path, *label_path, *preprocess_path, *device_name;
} ToolNetwork;

void tool_network_clear (ToolNetwork *network);

#define TOOL_NETWORK_ENTRIES(network)                              \
  {"model",                                                        \
   'm',                                                            \
   0,                                                              \
   G_OPTION_ARG_FILENAME,                                          \
   &(network).model_path,                                          \
   "Network to run (default: the built-in one)",                   \
   "FILE.onnx"},                                                   \
      {"labels",                                                   \
       'l',                                                        \
       0,                                                          \
       G_OPTION_ARG_FILENAME,                                      \
       &(network).label_path,                                      \
       "Class names, one a line, instead of the network's own",    \
       "FILE"},                                                    \
      {"preprocess",                                               \
       0,                                                          \
       0,                                                          \
       G_OPTION_ARG_FILENAME,                                      \
       &(network).preprocess_path,                                 \
       "Key file that says how pictures are prepared",             \
       "FILE"},                                                    \
  {                                                                \
    "device", 'd', 0, G_OPTION_ARG_STRING, &(network).device_name, \
        "auto, cpu, vulkan, a GPU, ref (default: auto)", "NAME"    \
  }

/* The path of the network that `name` is: a file, or one of those that Sightline ships by its name
 * ("resnet18"), in the folder that SIGHTLINE_NETWORKS names or the program's own. What is neither,
 * and NULL, comes back as it is. Free with g_free(). */
char *tool_network_find (const char *name);

/* The named model, else that of SIGHTLINE_MODEL, else the built-in one. Reports what is wrong
 * itself and returns NULL then. */
SlModel *tool_network_load_model (const ToolNetwork *network);

/* The rules for `model`, after saying on standard error what had to be assumed; NULL after a
 * report. */
SlModelRules *tool_network_load_rules (const ToolNetwork *network, SlModel *model);

/* The device asked for; NULL after a report. */
const SlDevice *tool_find_device (const char *name);

/* For a classifier, which chooses one itself where none is named: *ret_device is NULL then. FALSE
 * after a report. */
gboolean tool_network_find_device (const ToolNetwork *network, const SlDevice **ret_device);
