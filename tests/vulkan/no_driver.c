/* A system whose Vulkan does not work: said where it is asked for, and in nobody's way otherwise.
 */
#include "vulkan/harness.h"

#include <string.h>

static VkResult
refuse (void *data, SlVkCall call)
{
  return call == SL_VK_CreateInstance ? VK_ERROR_INITIALIZATION_FAILED : VK_SUCCESS;
}

static void
test_no_instance (void)
{
  static const SlVkHooks hooks = {.call = refuse};
  sl_vk_hooks = &hooks;
  for (int again = 0; again < 2; again++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (sl_device_find ("vulkan", &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
    g_assert_nonnull (strstr (error->message, "Vulkan"));
    g_assert_null (strchr (error->message, '\n'));
    sl_vk_hooks = NULL; /* it is remembered */
  }
  const SlDevice *const *list = sl_device_list ();
  g_assert_true (list[0]->backend == SL_BACKEND_CPU);
  g_assert_true (list[1]->backend == SL_BACKEND_REFERENCE);
  g_assert_null (list[2]);
  g_assert_true (sl_device_find ("auto", NULL) == list[0]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vulkan/no-driver/no-instance", test_no_instance);
  return g_test_run ();
}
