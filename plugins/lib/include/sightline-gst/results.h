/* Results as text: what the command line, the daemon and slresults write. */
#pragma once

#include <sightline-gst/label-meta.h>

G_BEGIN_DECLS

typedef enum {
  SL_RESULT_TEXT, /* a line for people: source, frame, time, then labels with scores */
  SL_RESULT_JSONL, /* an object a line: {"source":…,"frame":…,"pts":…,"labels":[…],"model":…} */
  SL_RESULT_CSV /* quoted as RFC 4180 asks, one row a frame, columns for a fixed number of labels */
} SlResultFormat;

/* What was seen in one frame. */
typedef struct SlResult {
  const char *source; /* as the user named it; any bytes: what is not UTF-8 is replaced */
  guint64 frame;
  GstClockTime pts;      /* stream time; GST_CLOCK_TIME_NONE becomes null or an empty field */
  const char *model;     /* SHA-256 of the model file, hexadecimal */
  const SlLabel *labels; /* best first; scores are finite */
  guint n_labels;
} SlResult;

/* "text", "jsonl", "csv"; FALSE for any other name. */
SL_API gboolean sl_result_format_from_name (const char *name, SlResultFormat *ret_format);

/* What stands before the first row: CSV's line of column names, nothing for the others. `columns`:
 * labels that a CSV row has room for; the others write what there is. */
SL_API void sl_result_append_header (GString *out, SlResultFormat format, guint columns);

/* Appends one row, line feed included. The same input gives the same bytes in every locale. */
SL_API void sl_result_append (GString *out, SlResultFormat format, guint columns,
                              const SlResult *result);

G_END_DECLS
