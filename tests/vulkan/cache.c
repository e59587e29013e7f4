/* What is kept of compiled pipelines: found again, and nobody's trouble when it is not as it should
 * be. */
#include "vulkan/harness.h"

#include "vulkan/cache.h"

#include <glib/gstdio.h>
#include <string.h>

static const char content[] = "what a driver made of our shaders";

static const SlVkPhysical *
physical (void)
{
  return sl_vk_physical_get (test_vulkan_device ()->number);
}

/* As a test begins. */
static void
forget (void)
{
  g_autofree char *path = sl_vk_cache_get_path (physical ());
  g_remove (path);
}

static bool
is_found (const SlVkPhysical *device)
{
  g_autoptr (GBytes) found = sl_vk_cache_read (device);
  if (found == NULL)
    return false;
  g_assert_cmpmem (g_bytes_get_data (found, NULL), g_bytes_get_size (found), content,
                   sizeof content);
  return true;
}

static void
test_kept (void)
{
  g_autofree char *path = sl_vk_cache_get_path (physical ());
  g_assert_true (g_str_has_prefix (path, g_get_user_cache_dir ()));
  forget ();
  g_assert_false (is_found (physical ()));
  g_assert_true (sl_vk_cache_write (physical (), content, sizeof content));
  g_assert_true (is_found (physical ()));
  g_assert_true (sl_vk_cache_write (physical (), content, sizeof content));
  g_assert_true (is_found (physical ()));
}

static void
say_nothing (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

/* No byte of the file may be another, none may be missing, and none may be behind it. */
static void
test_damaged (void)
{
  g_autofree char *path = sl_vk_cache_get_path (physical ()), *file = NULL;
  gsize size;
  const guint handler = g_log_set_handler ("sightline", G_LOG_LEVEL_DEBUG, say_nothing, NULL);
  g_assert_true (sl_vk_cache_write (physical (), content, sizeof content));
  g_assert_true (g_file_get_contents (path, &file, &size, NULL));
  for (gsize i = 0; i < size; i++) {
    file[i] ^= 0x10;
    g_assert_true (g_file_set_contents (path, file, (gssize)size, NULL));
    g_assert_false (is_found (physical ()));
    file[i] ^= 0x10;
    g_assert_true (g_file_set_contents (path, file, (gssize)i, NULL));
    g_assert_false (is_found (physical ()));
  }
  file = g_realloc (file, size + 1);
  file[size] = 'x';
  g_assert_true (g_file_set_contents (path, file, (gssize)size + 1, NULL));
  g_assert_false (is_found (physical ()));
  g_assert_true (g_file_set_contents (path, file, (gssize)size, NULL));
  g_assert_true (is_found (physical ()));
  g_log_remove_handler ("sightline", handler);
}

/* Of another driver: under another name, and of no use under this one. */
static void
test_other_driver (void)
{
  SlVkPhysical other = *physical ();
  other.identity = "the same with a newer driver";
  g_autofree char *path = sl_vk_cache_get_path (physical ());
  g_autofree char *other_path = sl_vk_cache_get_path (&other);
  g_assert_cmpstr (path, !=, other_path);
  g_assert_true (sl_vk_cache_write (physical (), content, sizeof content));
  g_assert_false (is_found (&other));
  g_assert_cmpint (g_rename (path, other_path), ==, 0);
  g_assert_false (is_found (&other));
  g_remove (other_path);
}

/* What cannot be written, or is no file, leaves programs as they are. */
static void
test_no_folder (void)
{
  g_autofree char *path = sl_vk_cache_get_path (physical ());
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *above = g_path_get_dirname (folder);
  g_autoptr (SlModel) model = test_vulkan_small_network ();
  g_mkdir_with_parents (above, 0700);
  forget ();
  g_rmdir (folder);
  /* A file where the folder should be: root may write into any folder. */
  g_assert_true (g_file_set_contents (folder, "", 0, NULL));
  g_assert_false (sl_vk_cache_write (physical (), content, sizeof content));
  g_assert_false (is_found (physical ()));
  sl_program_unref (test_vulkan_compare (model, NULL));
  g_assert_cmpint (g_remove (folder), ==, 0);
  /* A folder where the file should be. */
  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
  g_assert_false (sl_vk_cache_write (physical (), content, sizeof content));
  g_assert_false (is_found (physical ()));
  sl_program_unref (test_vulkan_compare (model, NULL));
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static GBytes *
read_file (void)
{
  g_autofree char *path = sl_vk_cache_get_path (physical ()), *file = NULL;
  gsize size;
  return g_file_get_contents (path, &file, &size, NULL)
             ? g_bytes_new_take (g_steal_pointer (&file), size)
             : NULL;
}

/* A program keeps what it built; the next one finds it, and writes nothing. */
static void
test_programs (void)
{
  g_autoptr (SlModel) model = test_vulkan_small_network ();
  g_autofree char *path = sl_vk_cache_get_path (physical ());
  forget ();
  sl_program_unref (test_vulkan_compare (model, NULL));
  g_autoptr (GBytes) first = read_file ();
  if (first == NULL) {
    g_test_skip ("the driver has no cache of pipelines");
    return;
  }
  g_autoptr (GBytes) kept = sl_vk_cache_read (physical ());
  g_assert_nonnull (kept);
  GStatBuf before, after;
  g_assert_cmpint (g_stat (path, &before), ==, 0);
  sl_program_unref (test_vulkan_compare (model, NULL));
  g_assert_cmpint (g_stat (path, &after), ==, 0);
  g_assert_cmpuint (before.st_ino, ==, after.st_ino);
  g_assert_cmpint (before.st_mtim.tv_nsec, ==, after.st_mtim.tv_nsec);
  /* Damaged, it is made anew. */
  g_assert_true (g_file_set_contents (path, content, sizeof content, NULL));
  sl_program_unref (test_vulkan_compare (model, NULL));
  g_autoptr (GBytes) again = sl_vk_cache_read (physical ());
  g_assert_nonnull (again);
}

/* A driver that keeps nothing is one that works. */
static void
test_no_cache (void)
{
  static const SlVkCall calls[] = {SL_VK_GetPipelineCacheData, SL_VK_MergePipelineCaches};
  g_autoptr (SlModel) model = test_vulkan_small_network ();
  for (size_t i = 0; i < G_N_ELEMENTS (calls); i++) {
    TestVulkanHooks *hooks = test_vulkan_hooks_new ();
    hooks->fail_call = (int)calls[i];
    hooks->fail_at = 0;
    hooks->result = VK_ERROR_OUT_OF_HOST_MEMORY;
    forget ();
    sl_program_unref (test_vulkan_compare (model, NULL));
    g_assert_true (hooks->has_failed);
    g_assert_null (read_file ());
    test_vulkan_hooks_free (hooks);
  }
}

static void *
write_often (void *data)
{
  for (int i = 0; i < 50; i++)
    g_assert_true (sl_vk_cache_write (physical (), content, sizeof content));
  return NULL;
}

/* Whoever writes meanwhile: what is read is whole. */
static void
test_at_once (void)
{
  GThread *threads[3];
  g_assert_true (sl_vk_cache_write (physical (), content, sizeof content));
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("test", write_often, NULL);
  for (int i = 0; i < 200; i++)
    g_assert_true (is_found (physical ()));
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/cache/kept", test_kept);
  g_test_add_func ("/vulkan/cache/damaged", test_damaged);
  g_test_add_func ("/vulkan/cache/other-driver", test_other_driver);
  g_test_add_func ("/vulkan/cache/no-folder", test_no_folder);
  g_test_add_func ("/vulkan/cache/programs", test_programs);
  g_test_add_func ("/vulkan/cache/no-cache", test_no_cache);
  g_test_add_func ("/vulkan/cache/at-once", test_at_once);
  return g_test_run ();
}
