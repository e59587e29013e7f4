/* What codecs say only in their log. */
#pragma once

#include <glib.h>

/* Errors and repairs that libav has logged in this process since sl_decoder_watch_codec_log(). */
guint sl_codec_log_count (void);

/* The first of them since the last call of sl_codec_log_forget(); free with g_free(). NULL if there
 * is none. */
char *sl_codec_log_get_first (void);
void sl_codec_log_forget (void);
