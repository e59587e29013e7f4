/* Files of a tar archive, in memory. */
#pragma once

#include <sightline/error.h>

/* Takes a file's name, and its bytes or what is wrong with it. */
typedef void (*SlArchiveEntryFunc) (void *data, char *name, GBytes *bytes, char *problem);

/* Reads a tar archive, plain or packed. Folders are passed over. SL_ERROR_IO, SL_ERROR_MALFORMED
 * for what is no archive or damaged, SL_ERROR_LIMIT. */
gboolean sl_sample_archive_read (const char *path, SlArchiveEntryFunc add, void *data,
                                 GError **error);
