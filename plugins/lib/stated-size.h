/* Whether a file is as long as its own outermost structure says. */
#pragma once

#include <glib.h>

/* Reads the headers of RIFF (AVI), MP4 and Matroska files. TRUE if the file says how many bytes it
 * should have and has fewer; both numbers are then set. FALSE for all else, also for what cannot be
 * read. */
gboolean sl_stated_size_is_cut (const char *path, guint64 *ret_stated, guint64 *ret_actual);
