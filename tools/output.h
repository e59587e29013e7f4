/* Where results go: standard output, or a file that appears whole or not at all. */
#pragma once

#include <glib.h>

typedef struct ToolOutput ToolOutput;

/* Opens a temporary file beside `path`, or standard output where that is NULL or "-". What is no
 * regular file (a pipe, /dev/null) is written as it is. NULL with an error. */
ToolOutput *tool_output_open (const char *path, GError **error);

/* Where it goes, links followed; NULL for standard output. */
const char *tool_output_get_path (ToolOutput *output);

/* Name of the temporary file, for somebody else to write; NULL where there is none. */
const char *tool_output_get_temporary (ToolOutput *output);
/* Whether a run that has not ended writes a file of such a name. */
gboolean tool_output_is_busy (const char *temporary);

/* Takes `text` and empties it. Standard output sees it at once, a file in larger pieces. */
gboolean tool_output_write (ToolOutput *output, GString *text, GError **error);

/* All that was written so far is on disk. */
gboolean tool_output_sync (ToolOutput *output, GError **error);

/* Finishes and frees: fsync, rename, fsync of the folder. On failure what was there before stays.
 */
gboolean tool_output_commit (ToolOutput *output, GError **error);

/* Frees and leaves the temporary file, whole as far as tool_output_sync() was called. */
void tool_output_leave (ToolOutput *output);

/* Frees and removes the temporary file; what was there before stays. NULL is fine. */
void tool_output_discard (ToolOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolOutput, tool_output_discard)
