/* Results as text: what the command line, the daemon and slresults write. The same input gives the
 * same bytes in every locale, and whatever files, classes and elements are called, a row stays one
 * row: what is not UTF-8 is replaced. */
#pragma once

#include <sightline-gst/geometry-meta.h>
#include <sightline-gst/label-meta.h>
#include <sightline-gst/timeline.h>

G_BEGIN_DECLS

typedef enum {
  SL_RESULT_TEXT, /* a line for people: source, frame, time, then labels with scores */
  SL_RESULT_JSONL, /* an object a line: {"source":…,"frame":…,"pts":…,"labels":[…],"model":…} */
  SL_RESULT_CSV, /* quoted as RFC 4180 asks, one row a frame, columns for a fixed number of labels
                  */
  SL_RESULT_VTT  /* WebVTT: a cue for each interval of a time line, no rows */
} SlResultFormat;

/* "text", "jsonl", "csv", "vtt"; FALSE for any other name. */
SL_API gboolean sl_result_format_from_name (const char *name, SlResultFormat *ret_format);

/* By the suffix of a file's name, in any case: txt and log are text, jsonl, ndjson and json are
 * jsonl, csv, vtt. FALSE for any other. */
SL_API gboolean sl_result_format_from_path (const char *path, SlResultFormat *ret_format);

/* CSV columns beside the usual ones; they stand between `model` and the labels, in this order. */
typedef enum {
  SL_RESULT_COLUMN_TIME = 1 << 0, /* wall clock */
  SL_RESULT_COLUMN_PRODUCER = 1 << 1,
  SL_RESULT_COLUMN_AGE = 1 << 2
} SlResultColumns;

/* What rows look like. CSV needs the same columns in each; the other formats write what there is
 * and go by `format` alone. */
typedef struct SlResultLayout {
  SlResultFormat format;
  guint labels;  /* that a CSV row has room for; more are left out */
  guint columns; /* of SlResultColumns */
} SlResultLayout;

/* What was seen in one frame. Zero means absent for all from `wall_time` on: rows without them are
 * what they were before these fields came. Numbers that are not finite become null or empty. */
typedef struct SlResult {
  const char *source; /* as the user named it; any bytes */
  guint64 frame;
  GstClockTime pts;  /* stream time; GST_CLOCK_TIME_NONE becomes null or an empty field */
  const char *model; /* SHA-256 of the model file, hexadecimal; NULL for the truth: null, empty */
  const SlLabel *labels; /* best first */
  guint n_labels;

  gint64 wall_time;     /* when the frame was shown or read: microseconds since 1970 UTC.
                           JSONL "time":"2026-11-22T04:17:29.123456Z"; text begins with it */
  const char *producer; /* name of the element. JSONL "producer"; text has it before the labels */
  guint64 age; /* frames that the result is older than the row's. JSONL "age"; text says so */
  const SlBox *boxes; /* JSONL "boxes":[{"x":…,"y":…,"width":…,"height":…,"index":…,"label":…,
                         "score":…}], in pixels; the other formats leave them out */
  guint n_boxes;
} SlResult;

/* What stands before the first row: CSV's line of column names, WebVTT's signature. */
SL_API void sl_result_append_header (GString *out, const SlResultLayout *layout);

/* Appends one row, line feed included. Not for SL_RESULT_VTT. */
SL_API void sl_result_append (GString *out, const SlResultLayout *layout, const SlResult *result);

/* Appends a WebVTT cue, blank line included: the label, and its score in percent. Cues in the order
 * that sl_timeline_next() gives make a valid file, at any cue that it ends with. */
SL_API void sl_result_append_cue (GString *out, const SlInterval *interval);

G_END_DECLS
