#include "demuxed.h"

/* Demuxers of formats that write their duration down. Others (MPEG-TS, Ogg, IVF …) make it up from
 * what is there, which after a cut is less, and looks whole. */
static const char *const stating_demuxers[] = {"asfdemux", "avidemux", "flvdemux", "matroskademux",
                                               "mxfdemux", "qtdemux",  NULL};

typedef struct {
  SlDemuxed *owner;
  GstPad *pad;
  gboolean has_edits;       /* of a format whose gaps are edits */
  GstClockTime first, last; /* least and largest timestamp of packets */
  GstClockTime end;         /* largest end of a packet */
  GstClockTime stop;        /* of the stream, if the file says so for each; else NONE */
  GstClockTime duration;    /* of the file */
  guint64 packets, edits;
} Stream;

struct SlDemuxed {
  GMutex lock; /* of all below */
  GPtrArray *streams;
};

static void
stream_free (gpointer data)
{
  Stream *stream = data;
  gst_object_unref (stream->pad);
  g_free (stream);
}

SlDemuxed *
sl_demuxed_new (void)
{
  SlDemuxed *demuxed = g_new0 (SlDemuxed, 1);
  g_mutex_init (&demuxed->lock);
  demuxed->streams = g_ptr_array_new_with_free_func (stream_free);
  return demuxed;
}

void
sl_demuxed_free (SlDemuxed *demuxed)
{
  g_ptr_array_unref (demuxed->streams);
  g_mutex_clear (&demuxed->lock);
  g_free (demuxed);
}

static void
see_event (Stream *stream, GstEvent *event)
{
  const GstSegment *segment;
  if (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT)
    return;
  gst_event_parse_segment (event, &segment);
  if (segment->format != GST_FORMAT_TIME)
    return;
  stream->stop = segment->stop;
  stream->duration = segment->duration;
}

static void
see_packet (Stream *stream, GstBuffer *packet)
{
  GstClockTime pts = GST_BUFFER_PTS (packet);
  if (stream->packets++ > 0 && stream->has_edits && GST_BUFFER_IS_DISCONT (packet))
    stream->edits++;
  if (!GST_CLOCK_TIME_IS_VALID (pts))
    return;
  GstClockTime end =
      pts + (GST_BUFFER_DURATION_IS_VALID (packet) ? GST_BUFFER_DURATION (packet) : 0);
  if (!GST_CLOCK_TIME_IS_VALID (stream->first)) {
    stream->first = stream->last = pts;
    stream->end = end;
  }
  stream->first = MIN (stream->first, pts);
  stream->last = MAX (stream->last, pts);
  stream->end = MAX (stream->end, end);
}

static GstPadProbeReturn
on_data (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stream *stream = data;
  g_mutex_lock (&stream->owner->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    see_packet (stream, GST_PAD_PROBE_INFO_BUFFER (info));
  else
    see_event (stream, GST_PAD_PROBE_INFO_EVENT (info));
  g_mutex_unlock (&stream->owner->lock);
  return GST_PAD_PROBE_OK;
}

static void
on_pad_added (GstElement *demuxer, GstPad *pad, SlDemuxed *demuxed)
{
  if (gst_pad_get_direction (pad) != GST_PAD_SRC)
    return;
  Stream *stream = g_new0 (Stream, 1);
  stream->owner = demuxed;
  stream->pad = gst_object_ref (pad);
  stream->has_edits = g_str_equal (GST_OBJECT_NAME (gst_element_get_factory (demuxer)), "qtdemux");
  stream->first = stream->stop = stream->duration = GST_CLOCK_TIME_NONE;
  g_mutex_lock (&demuxed->lock);
  g_ptr_array_add (demuxed->streams, stream);
  g_mutex_unlock (&demuxed->lock);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_data,
                     stream, NULL);
}

void
sl_demuxed_see_element (SlDemuxed *demuxed, GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  if (factory && g_strv_contains (stating_demuxers, GST_OBJECT_NAME (factory)))
    g_signal_connect (element, "pad-added", G_CALLBACK (on_pad_added), demuxed);
}

static const Stream *
find_stream (SlDemuxed *demuxed, const char *stream_id)
{
  for (guint i = 0; i < demuxed->streams->len; i++) {
    const Stream *stream = g_ptr_array_index (demuxed->streams, i);
    g_autofree char *id = gst_pad_get_stream_id (stream->pad);
    if (id && g_strcmp0 (id, stream_id) == 0)
      return stream;
  }
  return NULL;
}

/* An end of the stream itself is compared with that stream; a duration of the file may be another
 * stream's, so the one that goes furthest counts. */
static void
get_ends (SlDemuxed *demuxed, const Stream *stream, SlDemuxedStream *ret)
{
  if (GST_CLOCK_TIME_IS_VALID (stream->stop)) {
    ret->stated = stream->stop;
    ret->read = stream->end;
  } else {
    ret->stated = stream->duration > 0 ? stream->duration : GST_CLOCK_TIME_NONE;
    ret->read = 0;
    for (guint i = 0; i < demuxed->streams->len; i++) {
      const Stream *other = g_ptr_array_index (demuxed->streams, i);
      ret->read = MAX (ret->read, other->end);
    }
  }
  /* Where packets have no duration the last one takes as long as the others. */
  if (stream->end == stream->last)
    ret->read += ret->interval;
}

gboolean
sl_demuxed_get_stream (SlDemuxed *demuxed, const char *stream_id, SlDemuxedStream *ret)
{
  g_mutex_lock (&demuxed->lock);
  const Stream *stream = find_stream (demuxed, stream_id);
  gboolean found = stream && GST_CLOCK_TIME_IS_VALID (stream->first);
  if (found) {
    ret->first = stream->first;
    ret->end = MIN (stream->end, stream->stop); /* NONE is the largest number */
    ret->edits = stream->edits;
    ret->interval = stream->packets > 1 ? (stream->last - stream->first) / (stream->packets - 1)
                                        : stream->end - stream->last;
    get_ends (demuxed, stream, ret);
  }
  g_mutex_unlock (&demuxed->lock);
  return found;
}
