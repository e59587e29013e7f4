/* From what the user names to files that are read one after another. */
#pragma once

#include <glib.h>

/* Files and URIs stay as they are; a folder becomes its videos and pictures, by suffix, sorted by
 * name, hidden ones left out, with those of its sub-folders where `recursive`. Links to folders are
 * not followed. Folders that cannot be read or hold nothing are reported on standard error and set
 * *ret_failed; the rest goes on. */
GPtrArray *tool_inputs_expand (char **names, gboolean recursive, gboolean *ret_failed);

/* The files among the inputs, and whether `path` is one of them, perhaps by another name: what is
 * written there would replace it. Free with g_hash_table_unref(). */
GHashTable *tool_inputs_get_files (GPtrArray *inputs);
gboolean tool_inputs_hold (GHashTable *files, const char *path);

/* Where an input that tool_inputs_expand() made of `names` lies below the folder that was named;
 * only its last part for one that was named itself. Free with g_free(). */
char *tool_input_get_place (char **names, const char *path);

/* An input as it may be shown: without the password that a URI may hold. Free with g_free(). */
char *tool_input_get_name (const char *input);
