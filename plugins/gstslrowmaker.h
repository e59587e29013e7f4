/* From the metas of buffers to the rows of a result file. */
#pragma once

#include <gst/gst.h>
#include <sightline-gst/results.h>

/* Gets each row, or cue of WebVTT; `row` is the maker's and changes with the next one. */
typedef void (*GstSlRowFunc) (gpointer data, const GString *row);

/* Set before the first buffer. */
typedef struct {
  SlResultLayout layout; /* `labels`: most that a row has */
  gboolean wall_clock;
  SlTimelineOptions timeline;
  GstElement *element; /* whose clock and pad "sink" are asked; not referenced */
  GstSlRowFunc func;
  gpointer data;
} GstSlRowMakerSettings;

/* May change at any buffer. */
typedef struct {
  const gchar *source;   /* NULL: what upstream calls it, else the element's name */
  const gchar *producer; /* NULL: every network's results, but no truth */
  gboolean every_frame;  /* a row for each buffer, not for each result */
} GstSlRowWishes;

typedef struct GstSlRowMaker GstSlRowMaker;

/* The streaming thread's, all of it. */
GstSlRowMaker *gst_sl_row_maker_new (const GstSlRowMakerSettings *settings);
void gst_sl_row_maker_free (GstSlRowMaker *maker);

/* Makes rows of what `buffer` carries. A result that comes more than once, on buffers that repeat
 * it, makes one row, about the frame that was looked at; with `every_frame` each buffer makes one,
 * about itself. `segment` is the stream's. `alone`: results that no buffer carried; `buffer` is no
 * part of the stream. */
void gst_sl_row_maker_take (GstSlRowMaker *maker, const GstSlRowWishes *wishes,
                            const GstSegment *segment, GstBuffer *buffer, gboolean alone);

/* Makes rows of what is complete because nothing follows, or what follows is somewhere else. */
void gst_sl_row_maker_finish (GstSlRowMaker *maker);

/* Another stream begins: frames are counted anew, and it has another name. */
void gst_sl_row_maker_reset (GstSlRowMaker *maker);

/* Whether upstream is live, as it said last; asked for at the first buffer of a segment. */
gboolean gst_sl_row_maker_is_live (GstSlRowMaker *maker);
void gst_sl_row_maker_ask_again (GstSlRowMaker *maker);
