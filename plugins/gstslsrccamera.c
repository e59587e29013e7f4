#include "gstslsrccamera.h"

#include <math.h>
#include <string.h>

#define WANTED_WIDTH 1280
#define WANTED_HEIGHT 720
#define WANTED_RATE 30
/* Too few frames are worse than too few pixels: a network scales anyway. */
#define RATE_WEIGHT 2

/* --- Modes --- */

/* How little decoding a media type needs: the lower, the better; negative: not to be used. */
static gint
rank_media (const GstCaps *caps, guint i)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, i));
  const GstCapsFeatures *features = gst_caps_get_features (caps, i);

  if (!gst_caps_features_is_equal (features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
    return -1;
  if (g_str_equal (name, "video/x-raw"))
    return 0;
  if (g_str_equal (name, "image/jpeg"))
    return 1;
  return g_str_has_prefix (name, "video/") && !g_str_equal (name, "video/x-bayer") ? 2 : -1;
}

/* What is left of a mode under what downstream takes. Compressed modes are held to size and rate
 * only. NULL if nothing is. */
static GstStructure *
restrict_mode (const GstStructure *mode, const GstStructure *allowed, gboolean raw)
{
  static const gchar *const fields[] = {"width", "height", "framerate"};
  g_autoptr (GstStructure) limits = NULL;

  if (raw)
    return gst_structure_intersect (mode, allowed);
  limits = gst_structure_new_empty (gst_structure_get_name (mode));
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (gst_structure_has_field (allowed, fields[i]))
      gst_structure_set_value (limits, fields[i], gst_structure_get_value (allowed, fields[i]));
  return gst_structure_intersect (mode, limits);
}

/* Settles size and rate, and says how far they are from what is wanted, in octaves. */
static gdouble
fixate_mode (GstStructure *mode)
{
  gint width = WANTED_WIDTH, height = WANTED_HEIGHT, n = WANTED_RATE, d = 1;
  gdouble distance;

  gst_structure_fixate_field_nearest_int (mode, "width", WANTED_WIDTH);
  gst_structure_fixate_field_nearest_int (mode, "height", WANTED_HEIGHT);
  gst_structure_fixate_field_nearest_fraction (mode, "framerate", WANTED_RATE, 1);
  gst_structure_fixate (mode);
  gst_structure_get_int (mode, "width", &width);
  gst_structure_get_int (mode, "height", &height);
  gst_structure_get_fraction (mode, "framerate", &n, &d);
  distance = fabs (log2 ((gdouble)width * height / (WANTED_WIDTH * WANTED_HEIGHT)));
  if (n > 0) /* 0/1: as it comes */
    distance += RATE_WEIGHT * MAX (0.0, log2 ((gdouble)WANTED_RATE * d / n));
  return distance;
}

/* Drivers know more fields (colorimetry …) than they take back; these are the ones that count. */
static GstCaps *
mode_to_caps (const GstStructure *mode)
{
  static const gchar *const fields[] = {"format", "width", "height", "framerate"};
  GstStructure *structure = gst_structure_new_empty (gst_structure_get_name (mode));

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (gst_structure_has_field (mode, fields[i]))
      gst_structure_set_value (structure, fields[i], gst_structure_get_value (mode, fields[i]));
  return gst_caps_new_full (structure, NULL);
}

GstCaps *
gst_sl_src_camera_choose_mode (const GstCaps *offered, const GstCaps *allowed)
{
  g_autoptr (GstCaps) any = gst_caps_new_empty_simple ("video/x-raw");
  g_autoptr (GstStructure) best = NULL;
  gdouble best_distance = G_MAXDOUBLE;
  gint best_rank = 0;

  if (gst_caps_is_any (allowed))
    allowed = any;
  for (guint i = 0; i < gst_caps_get_size (offered); i++) {
    const GstStructure *mode = gst_caps_get_structure (offered, i);
    gint rank = rank_media (offered, i);

    for (guint j = 0; rank >= 0 && j < gst_caps_get_size (allowed); j++) {
      g_autoptr (GstStructure) left =
          restrict_mode (mode, gst_caps_get_structure (allowed, j), rank == 0);
      gdouble distance = left ? fixate_mode (left) : G_MAXDOUBLE;

      if (!left || distance > best_distance || (distance == best_distance && rank >= best_rank))
        continue;
      g_clear_pointer (&best, gst_structure_free);
      best = g_steal_pointer (&left);
      best_distance = distance;
      best_rank = rank;
    }
  }
  return best ? mode_to_caps (best) : NULL;
}

/* --- Devices --- */

static GList *
list_cameras (void)
{
  g_autoptr (GstDeviceMonitor) monitor = gst_device_monitor_new ();

  /* No provider of such devices at all is no reason to warn. */
  if (gst_device_monitor_add_filter (monitor, "Video/Source", NULL) == 0)
    return NULL;
  return gst_device_monitor_get_devices (monitor);
}

static gboolean
is_number (const gchar *text)
{
  return *text && strspn (text, "0123456789") == strlen (text);
}

static GstDevice *
find_camera (GList *cameras, const gchar *wanted)
{
  g_autofree gchar *folded = g_utf8_casefold (wanted, -1);
  GstDevice *found = NULL;

  if (is_number (wanted)) {
    guint64 n = g_ascii_strtoull (wanted, NULL, 10);

    return n < g_list_length (cameras) ? g_list_nth_data (cameras, (guint)n) : NULL;
  }
  for (GList *item = cameras; item; item = item->next) {
    g_autofree gchar *name = gst_device_get_display_name (item->data);
    g_autofree gchar *folded_name = g_utf8_casefold (name, -1);

    if (g_str_equal (folded_name, folded))
      return item->data;
    if (!found && strstr (folded_name, folded))
      found = item->data;
  }
  return found;
}

static gchar *
describe_cameras (GList *cameras)
{
  GString *text = g_string_new (NULL);
  guint n = 0;

  if (!cameras)
    return g_string_free (g_string_append (text, "there are no cameras"), FALSE);
  g_string_append (text, "there are ");
  for (GList *item = cameras; item; item = item->next) {
    g_autofree gchar *name = gst_device_get_display_name (item->data);

    g_string_append_printf (text, "%s%u \"%s\"", n > 0 ? ", " : "", n, name);
    n++;
  }
  return g_string_free (text, FALSE);
}

static GstElement *
open_camera (GstDevice *camera, const GstCaps *allowed, GstCaps **ret_mode, GError **error)
{
  g_autoptr (GstCaps) offered = gst_device_get_caps (camera);
  g_autoptr (GstCaps) mode = offered ? gst_sl_src_camera_choose_mode (offered, allowed) : NULL;
  g_autofree gchar *name = gst_device_get_display_name (camera);
  GstElement *source;

  if (!mode) {
    g_autofree gchar *text = gst_caps_to_string (allowed);

    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                 "camera \"%s\" has no mode that gives %s", name, text);
    return NULL;
  }
  source = gst_device_create_element (camera, NULL);
  if (source)
    *ret_mode = g_steal_pointer (&mode);
  else
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
                 "camera \"%s\" cannot be opened", name);
  return source;
}

GstElement *
gst_sl_src_camera_open (const gchar *wanted, const GstCaps *allowed, GstCaps **ret_mode,
                        GError **error)
{
  GList *cameras = list_cameras ();
  GstDevice *camera = find_camera (cameras, wanted);
  GstElement *source = NULL;

  if (camera) {
    source = open_camera (camera, allowed, ret_mode, error);
  } else {
    g_autofree gchar *list = describe_cameras (cameras);

    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "no camera %s%s%s (%s)",
                 is_number (wanted) ? "" : "\"", wanted, is_number (wanted) ? "" : "\"", list);
  }
  g_list_free_full (cameras, gst_object_unref);
  return source;
}
