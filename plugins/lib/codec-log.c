#include "codec-log.h"

#include <sightline-gst/decode.h>

#include <string.h>

static GMutex codec_log_lock; /* of what follows */
static guint codec_log_count;
static char *codec_log_first;

/* libav's log arrives as GStreamer's; repaired pictures are told at the level "info". */
static void
on_log (GstDebugCategory *category, GstDebugLevel level, const char *file, const char *function,
        gint line, GObject *object, GstDebugMessage *message, gpointer data)
{
  if (strcmp (gst_debug_category_get_name (category), "libav") != 0)
    return;
  const char *text = gst_debug_message_get (message);
  if (!text || (level > GST_LEVEL_ERROR && !g_str_has_prefix (text, "concealing ")))
    return;
  g_mutex_lock (&codec_log_lock);
  codec_log_count++;
  if (!codec_log_first)
    codec_log_first = g_strdelimit (g_strchomp (g_strdup (text)), "\r\n", ' ');
  g_mutex_unlock (&codec_log_lock);
}

void
sl_decoder_watch_codec_log (void)
{
  if (!g_getenv ("GST_DEBUG"))
    gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_set_active (TRUE);
  gst_debug_set_threshold_for_name ("libav", GST_LEVEL_INFO);
  gst_debug_add_log_function (on_log, NULL, NULL);
}

guint
sl_codec_log_count (void)
{
  g_mutex_lock (&codec_log_lock);
  guint count = codec_log_count;
  g_mutex_unlock (&codec_log_lock);
  return count;
}

char *
sl_codec_log_get_first (void)
{
  g_mutex_lock (&codec_log_lock);
  char *first = g_strdup (codec_log_first);
  g_mutex_unlock (&codec_log_lock);
  return first;
}

void
sl_codec_log_forget (void)
{
  g_mutex_lock (&codec_log_lock);
  g_clear_pointer (&codec_log_first, g_free);
  g_mutex_unlock (&codec_log_lock);
}
