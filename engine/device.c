#include <sightline/device.h>

#include "core/isa.h"
#include "core/pool.h"

#include <string.h>

/* "model name" of the first processor; elsewhere the kernel's name of the architecture has to do.
 */
static char *
describe_cpu (void)
{
  g_autofree char *text = NULL;
  if (g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL)) {
    const char *line = strstr (text, "model name");
    const char *colon = line != NULL ? strchr (line, ':') : NULL;
    const char *end = colon != NULL ? strchr (colon, '\n') : NULL;
    if (end != NULL)
      return g_strstrip (g_strndup (colon + 1, (gsize)(end - colon - 1)));
  }
  return g_strdup ("CPU");
}

const SlDevice *const *
sl_device_list (void)
{
  static SlDevice cpu, ref;
  static const SlDevice *const list[] = {&cpu, &ref, NULL};
  static gsize ready;
  if (g_once_init_enter (&ready)) {
    g_autofree char *description = describe_cpu ();
    cpu = (SlDevice){.id = "cpu",
                     .backend = SL_BACKEND_CPU,
                     .description = g_intern_string (description),
                     .isa = sl_isa_name (sl_isa_best ()),
                     .threads = sl_pool_get_threads ()};
    ref = (SlDevice){.id = "ref",
                     .backend = SL_BACKEND_REFERENCE,
                     .description = "reference in double precision, for checking",
                     .isa = "generic",
                     .threads = 1};
    g_once_init_leave (&ready, 1);
  }
  return list;
}

const SlDevice *
sl_device_find (const char *name, GError **error)
{
  const SlDevice *const *list = sl_device_list ();
  if (name == NULL || name[0] == '\0' || strcmp (name, "auto") == 0)
    return list[0];
  for (uint32_t i = 0; list[i] != NULL; i++)
    if (strcmp (list[i]->id, name) == 0)
      return list[i];
  if (g_str_has_prefix (name, "vulkan"))
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "this build has no Vulkan backend (device '%s'; there are cpu and ref)", name);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "there is no device '%s' (there are auto, cpu and ref)", name);
  return NULL;
}
