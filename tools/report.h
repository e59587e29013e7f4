/* What the tool says on standard error: one line an error, and a progress bar where somebody looks.
 * Any thread; a ToolProgress is one thread's at a time. */
#pragma once

#include <glib.h>

/* Prints "sightline: SUBJECT: text". Line feeds become spaces. */
void tool_error (const char *subject, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The same with an error's message; a subject that the message begins with is not said twice. */
void tool_gerror (const char *subject, const GError *error);

/* Prints a line that is no error. */
void tool_note (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Keeps GStreamer's and GLib's own warnings, which broken files provoke, off standard error; with
 * G_MESSAGES_DEBUG or GST_DEBUG set they stay. */
void tool_quiet_libraries (void);

/* A bar on standard error if that is a terminal (and standard output is not, where results would
 * run through it); else nothing happens. Draws at most ten times a second. */
typedef struct ToolProgress {
  const char *what; /* what is being worked on */
  gint64 start;     /* g_get_monotonic_time() */
  gint64 drawn;
} ToolProgress;

void tool_progress_start (ToolProgress *progress, const char *what);
/* `part`: 0 … 1, negative if unknown; `frames`: done so far. */
void tool_progress_update (ToolProgress *progress, double part, guint64 frames);
/* The same bar with `text` behind it, also where standard output is a terminal: for commands that
 * print nothing there. */
void tool_progress_draw (ToolProgress *progress, double part, const char *text);
void tool_progress_end (ToolProgress *progress);
