#include "network.h"

#include "report.h"

#include <gio/gio.h>

#define BUILTIN_RESOURCE "/org/sightline/scenes.onnx"
#define BUILTIN_NAME "scenes.onnx (built in)"

void
tool_network_clear (ToolNetwork *network)
{
  g_clear_pointer (&network->model_path, g_free);
  g_clear_pointer (&network->label_path, g_free);
  g_clear_pointer (&network->preprocess_path, g_free);
  g_clear_pointer (&network->device_name, g_free);
}

GBytes *
tool_get_builtin_model (void)
{
  return g_resources_lookup_data (BUILTIN_RESOURCE, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

SlModel *
tool_network_load_model (const ToolNetwork *network)
{
  const char *path = network->model_path ? network->model_path : g_getenv ("SIGHTLINE_MODEL");
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) builtin = path ? NULL : tool_get_builtin_model ();
  SlModel *model = NULL;
  if (path)
    model = sl_model_load (path, NULL, &error);
  else if (builtin)
    model = sl_model_load_bytes (builtin, BUILTIN_NAME, NULL, &error);
  else
    tool_error ("no network", "this sightline was built without one (expected -m FILE.onnx)");
  if (error)
    tool_gerror (path ? path : BUILTIN_NAME, error);
  return model;
}

SlModelRules *
tool_network_load_rules (const ToolNetwork *network, SlModel *model)
{
  g_autoptr (GError) error = NULL;
  SlModelRules *rules =
      sl_model_rules_new (model, network->preprocess_path, network->label_path, &error);
  if (!rules)
    tool_gerror (sl_model_get_name (model), error);
  else if (rules->assumed)
    tool_note ("%s: %s", sl_model_get_name (model), rules->assumed);
  return rules;
}

const SlDevice *
tool_find_device (const char *name)
{
  g_autoptr (GError) error = NULL;
  const SlDevice *device = sl_device_find (name ? name : "auto", &error);
  if (!device)
    tool_gerror (name, error);
  return device;
}
