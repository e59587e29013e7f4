/* One file, one model: as long as somebody holds it. */
#include "tiny-model.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <sightline-gst/shared-model.h>

#define N_THREADS 8

static gchar *folder;

static void
test_same_file (void)
{
  g_autofree gchar *path = tiny_model_write (folder, "tiny.onnx", TINY_METADATA);
  g_autofree gchar *detour = g_build_filename (folder, ".", "tiny.onnx", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) first = sl_shared_model_load (path, &error);
  g_autoptr (SlModel) second = sl_shared_model_load (path, &error);
  g_autoptr (SlModel) third = sl_shared_model_load (detour, &error);

  g_assert_no_error (error);
  g_assert_true (first == second && first == third);
}

/* A file that was written anew is another model, and who has the old one keeps it. */
static void
test_replaced (void)
{
  g_autofree gchar *path = tiny_model_write (folder, "tiny.onnx", TINY_METADATA);
  g_autofree gchar *other = NULL;
  g_autoptr (SlModel) before = sl_shared_model_load (path, NULL);
  g_autoptr (SlModel) after = NULL;

  other = tiny_model_write (folder, "other.onnx", TINY_METADATA | TINY_BGR);
  g_assert_cmpint (g_rename (other, path), ==, 0);
  after = sl_shared_model_load (path, NULL);
  g_assert_nonnull (after);
  g_assert_true (before != after);
  g_assert_cmpstr (sl_model_get_hash (before), !=, sl_model_get_hash (after));
}

static void
test_builtin (void)
{
  g_autoptr (GBytes) bytes = sl_builtin_model_get_bytes ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) first = NULL;
  g_autoptr (SlModel) second = NULL;

  g_unsetenv ("SIGHTLINE_MODEL");
  first = sl_shared_model_load (NULL, &error);
  if (!bytes) {
    g_assert_error (error, SL_ERROR, SL_ERROR_IO);
    return;
  }
  g_assert_no_error (error);
  second = sl_shared_model_load (NULL, &error);
  g_assert_true (first == second);
  g_assert_null (sl_model_get_path (first));
}

static gpointer
load_and_drop (gpointer path)
{
  for (guint i = 0; i < 50; i++) {
    g_autoptr (SlModel) model = sl_shared_model_load (path, NULL);

    g_assert_nonnull (model);
    g_assert_cmpuint (sl_model_get_n_inputs (model), ==, 1);
  }
  return NULL;
}

/* Threads load and drop the same file all at once: the model comes and goes. */
static void
test_threads (void)
{
  g_autofree gchar *path = tiny_model_write (folder, "tiny.onnx", TINY_METADATA);
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new (NULL, load_and_drop, path);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

static void
test_failure (void)
{
  g_autofree gchar *missing = g_build_filename (folder, "missing.onnx", NULL);
  g_autofree gchar *garbage = g_build_filename (folder, "garbage.onnx", NULL);

  g_assert_true (g_file_set_contents (garbage, "garbage", -1, NULL));
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GError) absent = NULL;
    g_autoptr (GError) broken = NULL;

    g_assert_null (sl_shared_model_load (missing, &absent));
    g_assert_error (absent, SL_ERROR, SL_ERROR_IO);
    g_assert_null (sl_shared_model_load (garbage, &broken));
    g_assert_error (broken, SL_ERROR, SL_ERROR_MALFORMED);
  }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  folder = g_dir_make_tmp ("sightline-shared-XXXXXX", NULL);
  g_test_add_func ("/shared-model/same-file", test_same_file);
  g_test_add_func ("/shared-model/replaced", test_replaced);
  g_test_add_func ("/shared-model/builtin", test_builtin);
  g_test_add_func ("/shared-model/threads", test_threads);
  g_test_add_func ("/shared-model/failure", test_failure);
  status = g_test_run ();
  tiny_folder_remove (folder);
  g_free (folder);
  return status;
}
