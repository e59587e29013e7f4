#include "network.h"

#include "report.h"

#include <sightline-gst/shared-model.h>

void
tool_network_clear (ToolNetwork *network)
{
  g_clear_pointer (&network->model_path, g_free);
  g_clear_pointer (&network->label_path, g_free);
  g_clear_pointer (&network->preprocess_path, g_free);
  g_clear_pointer (&network->device_name, g_free);
}

SlModel *
tool_network_load_model (const ToolNetwork *network)
{
  g_autoptr (GError) error = NULL;
  SlModel *model = sl_shared_model_load (network->model_path, &error);
  if (!model)
    tool_gerror (network->model_path, error);
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
