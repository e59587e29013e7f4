/* From what the user names to files that are read one after another. */
#pragma once

#include <glib.h>

/* Files and URIs stay as they are; a folder becomes its videos and pictures, by suffix, sorted by
 * name, hidden ones left out, with those of its sub-folders where `recursive`. Links to folders are
 * not followed. Folders that cannot be read or hold nothing are reported on standard error and set
 * *ret_failed; the rest goes on. */
GPtrArray *tool_inputs_expand (char **names, gboolean recursive, gboolean *ret_failed);
