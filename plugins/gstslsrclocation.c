#include "gstslsrclocation.h"

#include <string.h>

#define CAMERA_PREFIX "camera:"
#define EXPECTED \
  "(expected a path, file://, http://, https://, rtsp://, camera:NUMBER or camera:NAME)"

static const struct {
  const gchar *pattern;
  GstSlSrcKind kind;
} schemes[] = {
    {"file", GST_SL_SRC_FILE},
    {"http", GST_SL_SRC_HTTP},
    {"https", GST_SL_SRC_HTTP},
    {"rtsp*", GST_SL_SRC_RTSP},
};

/* "scheme://user:password@host/path?query" in its parts. */
static void
split_uri (GstSlSrcLocation *location)
{
  const gchar *authority = strstr (location->uri, "://") + 3;
  gsize length = strcspn (authority, "/?#");
  const gchar *at = g_strrstr_len (authority, length, "@");
  const gchar *host = at ? at + 1 : authority;

  if (at)
    location->user = g_strndup (authority, at - authority);
  location->shown = g_strdup_printf ("%.*s%.*s", (gint)(authority - location->uri), location->uri,
                                     (gint)strcspn (host, "?#"), host);
}

static gboolean
parse_uri (const gchar *text, GstSlSrcLocation *ret, GError **error)
{
  g_autofree gchar *scheme = gst_uri_get_protocol (text);

  for (guint i = 0; scheme && i < G_N_ELEMENTS (schemes); i++)
    if (g_pattern_match_simple (schemes[i].pattern, scheme)) {
      ret->kind = schemes[i].kind;
      ret->uri = g_strdup (text);
      split_uri (ret);
      return TRUE;
    }
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
               "%s:// is not known " EXPECTED, scheme ? scheme : "");
  return FALSE;
}

gboolean
gst_sl_src_location_parse (const gchar *text, GstSlSrcLocation *ret, GError **error)
{
  memset (ret, 0, sizeof *ret);
  if (!text || !*text) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                 "location is not set " EXPECTED);
    return FALSE;
  }
  if (g_str_has_prefix (text, CAMERA_PREFIX)) {
    ret->kind = GST_SL_SRC_CAMERA;
    ret->camera = g_strstrip (g_strdup (text + strlen (CAMERA_PREFIX)));
    ret->shown = g_strdup (text);
    if (*ret->camera)
      return TRUE;
    gst_sl_src_location_clear (ret);
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                 "\"%s\" names no camera " EXPECTED, text);
    return FALSE;
  }
  if (gst_uri_is_valid (text) && strstr (text, "://"))
    return parse_uri (text, ret, error);
  ret->kind = GST_SL_SRC_FILE;
  ret->shown = g_strdup (text);
  ret->uri = gst_filename_to_uri (text, error);
  if (!ret->uri)
    gst_sl_src_location_clear (ret);
  return ret->uri != NULL;
}

void
gst_sl_src_location_clear (GstSlSrcLocation *location)
{
  g_clear_pointer (&location->uri, g_free);
  g_clear_pointer (&location->camera, g_free);
  g_clear_pointer (&location->shown, g_free);
  g_clear_pointer (&location->user, g_free);
}

static void
replace (GString *text, const gchar *secret, const gchar *by)
{
  if (secret && *secret)
    g_string_replace (text, secret, by, 0);
}

gchar *
gst_sl_src_location_redact (const GstSlSrcLocation *location, const gchar *text)
{
  g_autoptr (GString) clean = g_string_new (text);

  if (!text || !location->uri)
    return g_strdup (text);
  replace (clean, location->uri, location->shown);
  if (location->user) {
    g_autofree gchar *decoded = g_uri_unescape_string (location->user, NULL);
    g_autofree gchar *prefix = g_strconcat (location->user, "@", NULL);
    const gchar *password = strchr (location->user, ':');

    replace (clean, prefix, "");
    replace (clean, location->user, "***");
    replace (clean, decoded, "***");
    replace (clean, password ? password + 1 : NULL, "***");
  }
  if (strchr (location->uri, '?'))
    replace (clean, strchr (location->uri, '?'), "");
  return g_string_free (g_steal_pointer (&clean), FALSE);
}
