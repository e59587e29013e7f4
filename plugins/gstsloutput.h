/* Where rows of text go: a file, a descriptor, standard output. */
#pragma once

#include <gst/gst.h>

/* What becomes of a file that is there already. */
typedef enum {
  GST_SL_EXISTING_APPEND,  /* rows are added, if what is there looks like such rows */
  GST_SL_EXISTING_REPLACE, /* it stays until the new one is whole, and then gives way */
  GST_SL_EXISTING_REFUSE   /* an error */
} GstSlExisting;

typedef struct {
  const gchar *location; /* "-": standard output; NULL: `fd` */
  gint fd;               /* duplicated: it stays its owner's */
  GstSlExisting existing;
  const gchar *format;      /* for errors: "CSV" */
  const gchar *begins_with; /* what a file has to begin with to be added to; NULL: any text does */
  gboolean continuable;     /* files of this format can be added to */
} GstSlOutputSettings;

/* One thread at a time, but for gst_sl_output_interrupt() and _get_taken(). Errors are of
 * GST_RESOURCE_ERROR, one line that names the place. */
typedef struct GstSlOutput GstSlOutput;

/* Opens; never waits, for nobody who might read either. *ret_start is what has to be written before
 * the first row to get to the start of a line ("" or a line feed), or NULL if nothing is there yet,
 * so that a header is due. */
GstSlOutput *gst_sl_output_open (const GstSlOutputSettings *settings, const gchar **ret_start,
                                 GError **error);

/* Closes and frees; a file that was to replace another and was not synced is removed. */
void gst_sl_output_close (GstSlOutput *output);

/* Writes all of `row`. A file has it whole or not at all; a pipe too, if the row is not longer than
 * PIPE_BUF. Waits for the reader of a pipe. SL_ERROR_CANCELLED once interrupted. */
gboolean gst_sl_output_write (GstSlOutput *output, const gchar *row, gsize length, GError **error);

/* Ends a write that waits, and all later ones, until interrupted with FALSE. */
void gst_sl_output_interrupt (GstSlOutput *output, gboolean interrupted);

/* Bytes that were taken so far, to see whether a reader is still at work. */
gsize gst_sl_output_get_taken (GstSlOutput *output);

/* Makes a file durable, and gives it its name where it was to replace another. No rows: nothing. */
gboolean gst_sl_output_sync (GstSlOutput *output, GError **error);

/* A regular file: writes end by themselves. */
gboolean gst_sl_output_is_file (GstSlOutput *output);

/* For messages: the location, "standard output" or "descriptor N". */
const gchar *gst_sl_output_get_name (GstSlOutput *output);
