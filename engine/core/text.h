/* Text from outside, made fit for messages. */
#pragma once

#include <glib.h>

/* `text` on one line of valid UTF-8: bytes that are none become U+FFFD, control characters '?'.
 * Free with g_free(). */
char *sl_text_on_one_line (const char *text);
