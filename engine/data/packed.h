/* Files that state their own size, plain or gzip. */
#pragma once

#include <glib.h>

/* Learns from the first `n_head` bytes of the content how many bytes there must be. */
typedef gboolean (*SlStatedSizeFunc) (const char *path, const guint8 *head, gsize n_head,
                                      guint64 *ret_size, GError **error);

/* Most bytes that SlStatedSizeFunc is shown. */
#define SL_PACKED_HEAD 64

/* Reads `path`, unpacking it if it begins as gzip does. Nothing is allocated for the content before
 * the stated size is known to be within `limit` and possible for a file of this length; content of
 * any other size, or after its end, is SL_ERROR_MALFORMED. */
GBytes *sl_packed_read (const char *path, SlStatedSizeFunc stated_size, guint64 limit,
                        GError **error);
