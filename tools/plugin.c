#include "plugin.h"

#include <gst/gst.h>

/* From the folder of the program: of a build, and SIGHTLINE_PLUGIN_FOLDER, of an installation. */
static const char *const folders[] = {"../plugins", SIGHTLINE_PLUGIN_FOLDER};

void
tool_load_plugin (void)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("slclassify");
  g_autofree char *tool = factory ? NULL : g_file_read_link ("/proc/self/exe", NULL);
  if (!tool)
    return;
  g_autofree char *here = g_path_get_dirname (tool);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *folder = g_canonicalize_filename (folders[i], here);
    g_autofree char *path = g_build_filename (folder, "libgstsightline.so", NULL);
    g_autoptr (GstPlugin) plugin = gst_plugin_load_file (path, NULL);
    if (plugin)
      return;
  }
}
