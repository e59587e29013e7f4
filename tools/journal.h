/* What is done of a long run, beside its output file, so that a run that was killed can go on.
 *
 * OUT's rows are written to a hidden file, as always, and `.OUT.progress` says for each input how
 * many of the bytes there are its rows. A line counts if it is whole, and only rows that are on
 * disk get one: whatever ends the run, rows without a line are dropped by the next one. */
#pragma once

#include "output.h"

#include <sightline-gst/decode.h>

typedef struct ToolJournal ToolJournal;

/* What tells that a file is still the one that was looked at; zeros where there is no file. To be
 * taken before it is opened: recordings grow. */
typedef struct ToolStamp {
  guint64 size;
  gint64 time; /* of the last change, in microseconds */
} ToolStamp;

ToolStamp tool_stamp_take (const char *source);

/* Starts a journal of what goes to `output`, which has a temporary file and is empty. `settings`,
 * one line, stands for all that rows depend on besides the input.
 *
 * With `resume` an earlier run's rows are taken over into `output`, save those of inputs that
 * failed or have changed since; an error if that run had other settings. Without, what an
 * interrupted run left behind is removed. */
ToolJournal *tool_journal_new (ToolOutput *output, const char *settings, gboolean resume,
                               GError **error);

/* Whether the rows of `source` were taken over, or the header ("") was; *ret_outcome (or NULL) is
 * how it came out. */
gboolean tool_journal_find (ToolJournal *journal, const char *source, SlOutcome *ret_outcome);

/* The last `bytes` that went to the output are the rows of `source`; "": the header; NULL: of
 * something not to be taken over. */
gboolean tool_journal_add (ToolJournal *journal, const char *source, ToolStamp stamp,
                           SlOutcome outcome, guint64 bytes, GError **error);

/* Puts rows and lines on disk: what has come since the last time, if that is a second ago or `now`
 * is set. */
gboolean tool_journal_flush (ToolJournal *journal, gboolean now, GError **error);

/* Number of inputs that a later run would take over. */
guint tool_journal_get_n_done (ToolJournal *journal);

/* Frees; the file is left for a later run, or removed. NULL is fine. */
void tool_journal_free (ToolJournal *journal, gboolean keep);
