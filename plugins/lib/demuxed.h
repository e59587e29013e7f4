/* The packets of a file as they leave its demuxer: how far the file goes, and how far it says that
 * it goes. */
#pragma once

#include <gst/gst.h>

/* Watches demuxers of formats that write their duration down. Streaming threads tell it, any thread
 * may ask. */
typedef struct SlDemuxed SlDemuxed;

SlDemuxed *sl_demuxed_new (void);
/* After the pipeline has stopped. */
void sl_demuxed_free (SlDemuxed *demuxed);

/* Shows it every element that comes into the pipeline. */
void sl_demuxed_see_element (SlDemuxed *demuxed, GstElement *element);

/* One stream in the light of all; times on the clock of the packets. */
typedef struct SlDemuxedStream {
  GstClockTime first;    /* timestamp; NONE if there was none */
  GstClockTime end;      /* of the stream's last packet, not beyond its stated end */
  GstClockTime interval; /* from a packet to the next, on average */
  GstClockTime stated;   /* where the file says that it ends; NONE if it does not */
  GstClockTime read;     /* how far it was read, to be compared with stated */
  guint64 edits;         /* places where the file's edit list jumps */
} SlDemuxedStream;

/* FALSE if no such stream has been seen. */
gboolean sl_demuxed_get_stream (SlDemuxed *demuxed, const char *stream_id, SlDemuxedStream *ret);
