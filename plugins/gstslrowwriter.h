/* Rows on their way to an output: a bounded queue and a thread, so that video does not wait for
 * whoever reads them. */
#pragma once

#include "gstsloutput.h"

typedef struct {
  guint64 rows;    /* written whole */
  guint64 refused; /* left out: no room in the queue, an error, or given up at the end */
  guint64 bytes;   /* of `rows` */
  guint64 errors;  /* failed writes */
  guint64 queued;  /* bytes that wait */
} GstSlRowStats;

typedef struct GstSlRowWriter GstSlRowWriter;

/* A write failed: called in the writer's thread, or in that of gst_sl_row_writer_drain(). Once, and
 * again only if a write went well in between (a disk that was full for a while). */
typedef void (*GstSlRowErrorFunc) (gpointer data, const GError *error);

/* Starts the thread. Takes `output`, also if that fails. `max_bytes`: room in the queue; a row that
 * is longer fits only while there is no other. */
GstSlRowWriter *gst_sl_row_writer_new (GstSlOutput *output, gsize max_bytes,
                                       GstSlRowErrorFunc failed, gpointer data, GError **error);

/* Ends the thread, without the rows that still wait: drain before. */
void gst_sl_row_writer_free (GstSlRowWriter *writer);

/* One thread at a time for these. */

/* What stands before the rows; there is always room for it. */
void gst_sl_row_writer_begin (GstSlRowWriter *writer, const gchar *text);

/* Queues a row, which is copied. `wait`: for room. FALSE if there was none and the row is left out;
 * rows for a broken output are left out too, but that was reported. */
gboolean gst_sl_row_writer_push (GstSlRowWriter *writer, const GString *row, gboolean wait);

/* Waits until all rows are written, and makes them durable. A reader that takes nothing for
 * `patience` (or up to twice as long) is given up on, and the rows are left out; FALSE then, if the
 * output is broken, and if flushing ended it. */
gboolean gst_sl_row_writer_drain (GstSlRowWriter *writer, GstClockTime patience);

/* Any thread. */

/* While TRUE nothing waits: a push finds room, and a drain ends. */
void gst_sl_row_writer_set_flushing (GstSlRowWriter *writer, gboolean flushing);

void gst_sl_row_writer_get_stats (GstSlRowWriter *writer, GstSlRowStats *ret_stats);
