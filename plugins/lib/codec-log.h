/* What codecs say only in their log. */
#pragma once

#include <glib.h>

/* Errors and repairs that libav has logged while one input was decoded. libav does not say whose a
 * message is, so it goes to the log that its thread is bound to, and from a thread of libav's own
 * (it has some unless it is told to decode with one thread) to all logs there are. */
typedef struct SlCodecLog SlCodecLog;

SlCodecLog *sl_codec_log_new (void);
void sl_codec_log_free (SlCodecLog *log);

/* What the calling thread decodes from now on belongs to `log`. */
void sl_codec_log_bind (SlCodecLog *log);

/* Messages so far; *ret_first (or NULL) becomes the first, or NULL. Free with g_free(). */
guint sl_codec_log_get (SlCodecLog *log, char **ret_first);
