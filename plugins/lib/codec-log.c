#include "codec-log.h"

#include <sightline-gst/decode.h>

#include <string.h>

struct SlCodecLog {
  guint id; /* never used twice: a thread may outlive the log that it is bound to */
  guint count;
  char *first;
};

static GMutex codec_log_lock; /* of what follows, and of the logs */
static GList *codec_logs;
static guint codec_log_last_id;
static GPrivate bound_id;

SlCodecLog *
sl_codec_log_new (void)
{
  SlCodecLog *log = g_new0 (SlCodecLog, 1);
  g_mutex_lock (&codec_log_lock);
  log->id = ++codec_log_last_id;
  codec_logs = g_list_prepend (codec_logs, log);
  g_mutex_unlock (&codec_log_lock);
  return log;
}

void
sl_codec_log_free (SlCodecLog *log)
{
  g_mutex_lock (&codec_log_lock);
  codec_logs = g_list_remove (codec_logs, log);
  g_mutex_unlock (&codec_log_lock);
  g_free (log->first);
  g_free (log);
}

void
sl_codec_log_bind (SlCodecLog *log)
{
  g_private_set (&bound_id, GUINT_TO_POINTER (log->id));
}

guint
sl_codec_log_get (SlCodecLog *log, char **ret_first)
{
  g_mutex_lock (&codec_log_lock);
  guint count = log->count;
  if (ret_first)
    *ret_first = g_strdup (log->first);
  g_mutex_unlock (&codec_log_lock);
  return count;
}

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
  guint id = GPOINTER_TO_UINT (g_private_get (&bound_id));
  g_mutex_lock (&codec_log_lock);
  for (GList *l = codec_logs; l; l = l->next) {
    SlCodecLog *log = l->data;
    if (id != 0 && log->id != id)
      continue;
    log->count++;
    if (!log->first)
      log->first = g_strdelimit (g_strchomp (g_strdup (text)), "\r\n", ' ');
  }
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
