#include <sightline-gst/shared-model.h>

#include <gio/gio.h>
#include <glib/gstdio.h>

#define BUILTIN_RESOURCE "/org/sightline/scenes.onnx"
#define BUILTIN_NAME "scenes.onnx (built in)"

GBytes *
sl_builtin_model_get_bytes (void)
{
  return g_resources_lookup_data (BUILTIN_RESOURCE, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

/* SlModelLoadFunc */
static SlModel *
load_builtin (void *data, GError **error)
{
  g_autoptr (GBytes) bytes = sl_builtin_model_get_bytes ();

  if (bytes)
    return sl_model_load_bytes (bytes, BUILTIN_NAME, NULL, error);
  g_set_error_literal (error, SL_ERROR, SL_ERROR_IO,
                       "no network is named, and none is built in (expected an ONNX file)");
  return NULL;
}

/* SlModelLoadFunc; `data` is the path. */
static SlModel *
load_file (void *data, GError **error)
{
  return sl_model_load (data, NULL, error);
}

SlModel *
sl_shared_model_load (const char *path, GError **error)
{
  g_autofree char *full = NULL;
  g_autofree char *key = NULL;
  GStatBuf info;

  if (!path)
    path = g_getenv ("SIGHTLINE_MODEL");
  if (!path)
    return sl_model_share ("", load_builtin, NULL, error);
  if (g_stat (path, &info) != 0)
    return sl_model_load (path, NULL, error); /* which says why that will not do */

  /* The path is part of it: a side file with rules is looked for beside it. */
  full = g_canonicalize_filename (path, NULL);
  key = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GINT64_FORMAT
                         ":%" G_GINT64_FORMAT ".%09ld:%" G_GINT64_FORMAT ".%09ld:%s",
                         (guint64)info.st_dev, (guint64)info.st_ino, (gint64)info.st_size,
                         (gint64)info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                         (gint64)info.st_ctim.tv_sec, info.st_ctim.tv_nsec, full);
  return sl_model_share (key, load_file, (void *)path, error);
}
