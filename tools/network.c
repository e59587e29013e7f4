#include "network.h"

#include "report.h"

#include <sightline-gst/shared-model.h>

#include <string.h>

/* From the folder of the program: of a build in the source's folder, and of an installation. */
static const char *const folders[] = {"../../pipelines/networks", SIGHTLINE_NETWORK_FOLDER};

static char *
find_in (const char *folder, const char *name)
{
  g_autofree char *file =
      g_str_has_suffix (name, ".net") ? g_strdup (name) : g_strconcat (name, ".net", NULL);
  g_autofree char *path = g_build_filename (folder, file, NULL);
  return g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path) : NULL;
}

char *
tool_network_find (const char *name)
{
  const char *own = g_getenv ("SIGHTLINE_NETWORKS");
  if (!name || strchr (name, '/') || g_file_test (name, G_FILE_TEST_EXISTS))
    return g_strdup (name);
  char *found = own ? find_in (own, name) : NULL;
  g_autofree char *tool = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *here = tool ? g_path_get_dirname (tool) : g_strdup (".");
  for (guint i = 0; !found && i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *folder = g_canonicalize_filename (folders[i], here);
    found = find_in (folder, name);
  }
  return found ? found : g_strdup (name);
}

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

gboolean
tool_network_find_device (const ToolNetwork *network, const SlDevice **ret_device)
{
  *ret_device = NULL;
  return sl_device_is_auto (network->device_name) ||
         (*ret_device = tool_find_device (network->device_name)) != NULL;
}
