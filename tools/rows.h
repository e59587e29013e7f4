/* Rows of many inputs, written by several threads, on their way into one output: rows of an input
 * stay together, and inputs in order. */
#pragma once

#include "journal.h"

#include <sightline-gst/decode.h>

typedef struct ToolRows ToolRows;

/* For `n` inputs. `output` and `journal` (or NULL) stay the caller's. With `ordered` FALSE rows are
 * written as they come: cameras have no end that others could wait for. */
ToolRows *tool_rows_new (ToolOutput *output, ToolJournal *journal, guint n, gboolean ordered);
void tool_rows_free (ToolRows *rows);

/* Takes `text`, rows of input number `input`, and empties it. The first input that has not ended
 * goes straight to the output; the others' rows wait for their turn, and so does the caller once
 * much is waiting. Any thread. FALSE once the output cannot be written, which has been said. */
gboolean tool_rows_write (ToolRows *rows, guint input, GString *text);

/* Input number `input` is through. `source` names it in the journal; NULL: its rows are not worth
 * being kept there. */
void tool_rows_end (ToolRows *rows, guint input, const char *source, ToolStamp stamp,
                    SlOutcome outcome);

/* Puts the journal's lines on disk now and then; to be called while nothing is written, too. */
void tool_rows_tick (ToolRows *rows);

/* What stands before the first row. */
gboolean tool_rows_write_header (ToolRows *rows, GString *text);

gboolean tool_rows_is_broken (ToolRows *rows);
