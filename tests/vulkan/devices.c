/* Which devices there are, and how they are asked for. */
#include "vulkan/harness.h"

#include <string.h>

static const SlDevice *
first_vulkan (void)
{
  for (const SlDevice *const *list = sl_device_list (); *list != NULL; list++)
    if ((*list)->backend == SL_BACKEND_VULKAN)
      return *list;
  g_assert_not_reached ();
}

static void
test_list (void)
{
  const SlDevice *const *list = sl_device_list ();
  bool plays = false;
  uint32_t n = 0;
  for (; *list != NULL; list++) {
    const SlDevice *device = *list;
    g_assert_true (device == sl_device_find (device->id, NULL));
    if (device->backend != SL_BACKEND_VULKAN)
      continue;
    /* What plays a GPU stands behind all that are one. */
    g_assert_true (!plays || strcmp (device->type, "CPU") == 0);
    plays = strcmp (device->type, "CPU") == 0;
    g_assert_cmpuint (device->number, ==, n++);
    g_assert_cmpuint (device->memory, >, 0);
    g_assert_cmpuint (strlen (device->uuid), ==, 36);
    g_assert_cmpuint (strlen (device->driver), >, 0);
  }
  g_assert_true (list[-1]->backend == SL_BACKEND_REFERENCE);
  g_assert_cmpint (sl_device_find ("auto", NULL)->backend, ==, SL_BACKEND_CPU);
  g_assert_cmpint (sl_device_find (NULL, NULL)->backend, ==, SL_BACKEND_CPU);
}

static void
test_names (void)
{
  const SlDevice *device = first_vulkan ();
  g_autofree char *by_uuid = g_strdup_printf ("vulkan:%s", device->uuid);
  g_auto (GStrv) groups = g_strsplit (device->uuid, "-", -1);
  g_autofree char *digits = g_strjoinv ("", groups);
  g_autofree char *upper = g_ascii_strup (digits, -1);
  g_autofree char *by_digits = g_strdup_printf ("vulkan:%s", upper);
  g_autofree char *part = g_ascii_strup (device->description, 5);
  g_autofree char *by_part = g_strdup_printf ("vulkan:%s", part);
  const char *const names[] = {"vulkan", "vulkan:0", by_uuid, by_digits, part, by_part};
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_true (sl_device_find (names[i], NULL) == device);
}

/* Digits that are no device's number are part of a name: "256 bits". */
static void
test_digits (void)
{
  const SlDevice *device = first_vulkan ();
  const char *at = device->description;
  for (size_t n; *at != '\0'; at += MAX (n, 1)) {
    n = strspn (at, "0123456789");
    g_autofree char *digits = g_strndup (at, n);
    if (n >= 3)
      g_assert_true (sl_device_find (digits, NULL) == device);
  }
}

static void
test_unknown (void)
{
  const char *const names[] = {"vulkan:1000", "vulkan:99999999999999999999",
                               "vulkan:",     "vulkan:x?",
                               "vulkans",     "toaster",
                               "vulkan:-1",   "l",
                               "vulkan:ll"};
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (sl_device_find (names[i], &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
    g_assert_nonnull (strstr (error->message, names[i]));
    g_assert_nonnull (strstr (error->message, "vulkan:0"));
    g_assert_null (strchr (error->message, '\n'));
  }
}

static void
test_shared (void)
{
  g_autoptr (GError) error = NULL;
  const uint32_t number = first_vulkan ()->number;
  SlVkDevice *device = sl_vk_device_get (number, &error);
  g_assert_no_error (error);
  SlVkDevice *same = sl_vk_device_get (number, &error);
  g_assert_true (same == device);
  g_atomic_int_set (&device->lost, 1);
  SlVkDevice *another = sl_vk_device_get (number, &error);
  g_assert_no_error (error);
  g_assert_true (another != device);
  sl_vk_device_unref (same);
  sl_vk_device_unref (device);
  sl_vk_device_unref (another);
}

/* The layer that the other tests lean on hears what is wrong. */
static void
test_validation (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlVkDevice) device = sl_vk_device_get (first_vulkan ()->number, &error);
  g_assert_no_error (error);
  if (!sl_vk_validates ()) {
    g_test_skip ("SIGHTLINE_VULKAN_VALIDATE is not 1");
    return;
  }
  g_assert_true (sl_vk_check_messages (&error));
  const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                        .flags = 0x40000000};
  VkCommandPool pool = VK_NULL_HANDLE;
  if (device->table.vkCreateCommandPool (device->handle, &info, NULL, &pool) == VK_SUCCESS)
    device->table.vkDestroyCommandPool (device->handle, pool, NULL);
  g_assert_false (sl_vk_check_messages (&error));
  g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
  g_clear_error (&error);
  g_assert_true (sl_vk_check_messages (&error));
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/devices/list", test_list);
  g_test_add_func ("/vulkan/devices/names", test_names);
  g_test_add_func ("/vulkan/devices/digits", test_digits);
  g_test_add_func ("/vulkan/devices/unknown", test_unknown);
  g_test_add_func ("/vulkan/devices/shared", test_shared);
  g_test_add_func ("/vulkan/devices/validation", test_validation);
  return g_test_run ();
}
