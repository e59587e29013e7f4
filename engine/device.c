#include <sightline/device.h>

#include "core/isa.h"
#include "core/pool.h"
#include "vulkan/backend.h"

#include <string.h>

#define VULKAN "vulkan"
/* Letters that part of a name has at least: one stands in anybody's. */
#define MIN_PART 3

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

static const SlDevice *
get_cpu (void)
{
  static SlDevice cpu;
  static gsize ready;
  if (g_once_init_enter (&ready)) {
    g_autofree char *description = describe_cpu ();
    cpu = (SlDevice){.id = "cpu",
                     .backend = SL_BACKEND_CPU,
                     .description = g_intern_string (description),
                     .isa = sl_isa_name (sl_isa_best ()),
                     .threads = sl_pool_get_threads (),
                     .type = "",
                     .driver = "",
                     .uuid = "",
                     .features = "",
                     .matrices = ""};
    g_once_init_leave (&ready, 1);
  }
  return &cpu;
}

static const SlDevice *
get_reference (void)
{
  static const SlDevice reference = {.id = "ref",
                                     .backend = SL_BACKEND_REFERENCE,
                                     .description = "reference in double precision, for checking",
                                     .isa = "generic",
                                     .threads = 1,
                                     .type = "",
                                     .driver = "",
                                     .uuid = "",
                                     .features = "",
                                     .matrices = ""};
  return &reference;
}

static SlDevice
describe_vulkan (const SlVulkanInfo *info, uint32_t number)
{
  g_autofree char *id = g_strdup_printf (VULKAN ":%u", number);
  return (SlDevice){.id = g_intern_string (id),
                    .backend = SL_BACKEND_VULKAN,
                    .number = number,
                    .description = info->name,
                    .isa = "spir-v",
                    .threads = sl_pool_get_threads (),
                    .type = info->type,
                    .driver = info->driver,
                    .uuid = info->uuid,
                    .features = info->features,
                    .matrices = info->matrices,
                    .memory = info->memory};
}

const SlDevice *const *
sl_device_list (void)
{
  static const SlDevice **list;
  static gsize ready;
  if (g_once_init_enter (&ready)) {
    uint32_t n = 0, length = 0;
    const SlVulkanInfo *infos = sl_vulkan_list (&n, NULL);
    SlDevice *vulkan = g_new0 (SlDevice, n + 1);
    list = g_new0 (const SlDevice *, n + 3);
    list[length++] = get_cpu ();
    for (uint32_t i = 0; i < n; i++) {
      vulkan[i] = describe_vulkan (&infos[i], i);
      if (!infos[i].is_cpu)
        list[length++] = &vulkan[i];
    }
    for (uint32_t i = 0; i < n; i++)
      if (infos[i].is_cpu)
        list[length++] = &vulkan[i];
    list[length] = get_reference ();
    g_once_init_leave (&ready, 1);
  }
  return list;
}

/* --- By name --- */

/* "6D657361-3232…" becomes "6d6573613232…". */
static char *
fold_uuid (const char *text)
{
  GString *folded = g_string_new (NULL);
  for (; *text != '\0'; text++)
    if (*text != '-')
      g_string_append_c (folded, g_ascii_tolower (*text));
  return g_string_free (folded, FALSE);
}

/* TRUE if `text`, what stands behind "vulkan:" or alone, means the device. */
static bool
is_meant (const SlDevice *device, const char *text)
{
  g_autofree char *uuid = fold_uuid (device->uuid), *wanted_uuid = fold_uuid (text);
  g_autofree char *name = g_utf8_casefold (device->description, -1);
  g_autofree char *wanted_name = g_utf8_casefold (text, -1);
  const size_t length = strlen (text);
  return strcmp (uuid, wanted_uuid) == 0 ||
         ((length == 0 || length >= MIN_PART) && strstr (name, wanted_name) != NULL);
}

/* By number where there are so many; otherwise digits may be of a name: "3060". */
static const SlDevice *
find_vulkan (const char *text)
{
  const SlDevice *const *list = sl_device_list ();
  const bool is_number =
      text[0] != '\0' && strspn (text, "0123456789") == strlen (text) && strlen (text) < 10;
  for (uint32_t i = 0; is_number && list[i] != NULL; i++)
    if (list[i]->backend == SL_BACKEND_VULKAN &&
        list[i]->number == (uint32_t)g_ascii_strtoull (text, NULL, 10))
      return list[i];
  for (uint32_t i = 0; list[i] != NULL; i++)
    if (list[i]->backend == SL_BACKEND_VULKAN && is_meant (list[i], text))
      return list[i];
  return NULL;
}

/* "vulkan:0 (NVIDIA H200), vulkan:1 (llvmpipe)"; empty: none. */
static char *
print_vulkan (void)
{
  GString *text = g_string_new (NULL);
  for (const SlDevice *const *list = sl_device_list (); *list != NULL; list++)
    if ((*list)->backend == SL_BACKEND_VULKAN)
      g_string_append_printf (text, "%s%s (%s)", text->len > 0 ? ", " : "", (*list)->id,
                              (*list)->description);
  return g_string_free (text, FALSE);
}

static void
set_unknown (const char *name, bool is_vulkan, GError **error)
{
  g_autofree char *devices = print_vulkan ();
  g_autoptr (GError) reason = NULL;
  uint32_t n;
  sl_vulkan_list (&n, &reason);
  if (!is_vulkan)
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "there is no device '%s' (there are auto, cpu%s%s and ref)", name,
                 n > 0 ? ", " : "", devices);
  else if (n > 0)
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "no Vulkan device '%s' (there is %s)", name,
                 devices);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "no Vulkan device '%s': %s (there are cpu and ref)", name, reason->message);
}

gboolean
sl_device_is_auto (const char *name)
{
  return name == NULL || name[0] == '\0' || strcmp (name, "auto") == 0;
}

const SlDevice *
sl_device_find_gpu (GError **error)
{
  uint32_t n;
  const SlVulkanInfo *infos = sl_vulkan_list (&n, error);
  if (infos == NULL)
    return NULL;
  const SlDevice *best = find_vulkan ("0");
  if (!infos[best->number].is_cpu)
    return best;
  g_set_error (error, SL_ERROR, SL_ERROR_NOT_FOUND, "%s is a CPU that plays a GPU",
               best->description);
  return NULL;
}

const SlDevice *
sl_device_find (const char *name, GError **error)
{
  /* Vulkan for who asks: not every network runs there. */
  if (sl_device_is_auto (name) || strcmp (name, "cpu") == 0)
    return get_cpu ();
  if (strcmp (name, "ref") == 0)
    return get_reference ();
  const bool is_vulkan = g_str_has_prefix (name, VULKAN) &&
                         (name[strlen (VULKAN)] == '\0' || name[strlen (VULKAN)] == ':');
  const char *text = name;
  if (is_vulkan)
    text += strlen (VULKAN) + (name[strlen (VULKAN)] == ':');
  /* "vulkan" alone is part of every name; "vulkan:" is nobody's. */
  const SlDevice *device =
      is_vulkan && text[0] == '\0' && name[strlen (VULKAN)] == ':' ? NULL : find_vulkan (text);
  if (device == NULL)
    set_unknown (name, is_vulkan, error);
  return device;
}

/* --- Memory --- */

struct SlHostMemory {
  void *block; /* the backend's */
  void *data;
};

SlHostMemory *
sl_host_memory_new (const SlDevice *device, gsize size, GError **error)
{
  g_return_val_if_fail (device != NULL && size > 0, NULL);
  if (device->backend != SL_BACKEND_VULKAN) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s has no memory of its own (expected a GPU)", device->id);
    return NULL;
  }
  void *data;
  void *block = sl_vulkan_host_new (device->number, size, &data, error);
  if (block == NULL)
    return NULL;
  SlHostMemory *memory = g_new (SlHostMemory, 1);
  *memory = (SlHostMemory){block, data};
  return memory;
}

void *
sl_host_memory_get_data (SlHostMemory *memory)
{
  return memory->data;
}

void
sl_host_memory_free (SlHostMemory *memory)
{
  if (memory == NULL)
    return;
  sl_vulkan_host_free (memory->block);
  g_free (memory);
}
