/* The built `sightline` as a user meets it: run with arguments, judged by output and exit status.
 * Clips are made with GStreamer at run time. */
#pragma once

#include <glib.h>

typedef struct ToolRun {
  int status; /* exit status; -1: it was killed */
  char *out, *err;
  guint n_notes; /* lines that were taken out of `err`: this machine's Vulkan does not work */
} ToolRun;

/* Runs the tool with the arguments, up to NULL. `folder` (or NULL) is where it runs. */
void tool_run (ToolRun *run, const char *folder, ...) G_GNUC_NULL_TERMINATED;
void tool_run_clear (ToolRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolRun, tool_run_clear)

/* It failed with this status, and said so in exactly one line "sightline: …" that holds `text`;
 * nothing is on standard output. */
void tool_assert_error (const ToolRun *run, int status, const char *text);

/* It did everything. */
void tool_assert_ok (const ToolRun *run);

/* Lines of a text, without the empty one at the end. */
guint tool_count_lines (const char *text);

/* A new folder for one test, and the end of it with all that is in it. */
char *tool_folder_new (void);
void tool_folder_remove (const char *folder);

/* FOLDER/NAME; free with g_free(). */
char *tool_path (const char *folder, const char *name);

/* Runs a launch line that ends in a filesink without location, and writes FOLDER/NAME. FALSE, after
 * g_test_skip(), if one of its elements is not installed. */
gboolean tool_make_clip (const char *folder, const char *name, const char *launch);

/* Keeps the first `part` (0 … 1) of a file's bytes. */
void tool_cut (const char *path, double part);

/* The folder of real data or, after g_test_skip(), NULL. */
const char *tool_data (void);
