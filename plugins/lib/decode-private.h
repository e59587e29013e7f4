/* The parts of a decoder: decode.c gives frames, decode-watch.c is what its streaming threads see
 * on the way, decode-outcome.c judges the end, decode-live.c is for cameras. */
#pragma once

#include <sightline-gst/decode.h>

#include "codec-log.h"
#include "demuxed.h"
#include "exif.h"

struct SlDecoder {
  SlDecoderOptions options;
  GstElement *pipeline, *input, *sink;
  GstBus *bus;
  GstSample *sample; /* of the frame that the caller has */
  GstVideoInfo info;
  GstCaps *caps;      /* that info was made from */
  gboolean live;      /* a camera: no end is expected */
  gboolean is_camera; /* of this machine */
  gboolean done;      /* the caller knows that it is over */
  char *failure;      /* what the bus said */
  char *reason;       /* of the outcome */
  char *note;         /* of a camera, for the caller */
  char *path;         /* of a file; NULL for anything else */

  guint64 frames;     /* given to the caller */
  guint64 damaged;    /* left out */
  guint64 jumps;      /* frames after the first that the codec marks as following a loss */
  GstClockTime end;   /* of the last frame, on the clock of the packets */
  guint orientation;  /* of the tags so far; 0: none had one */
  gint64 opened_at;   /* monotonic time */
  gint64 quiet_since; /* monotonic time; 0: a frame has just come */
  gint last_reads;    /* `reads` at that time */
  gint reads;         /* by the source so far; atomic */
  SlDemuxed *demuxed; /* has a lock of its own */
  SlCodecLog *log;    /* has a lock of its own */

  GMutex lock;         /* of what follows: streaming threads write it */
  char *container;     /* media type of the input as a whole */
  char *video_id;      /* stream id of the stream that is decoded */
  char *missing;       /* what GStreamer lacks, and where to get it */
  gboolean structured; /* a parser, demuxer or decoder is there: pads are streams */
  gboolean has_audio;
  gboolean skipped;     /* packets did not reach the codec because only key frames are wanted */
  gboolean untimed;     /* those that did tell no time: the codec would count it by what it gets */
  gboolean no_video;    /* all streams are known, and none is video */
  gboolean jpeg_broken; /* the JPEG data so far stop within a picture */
  guint8 jpeg_previous;
  SlExif *exif;    /* of the first JPEG picture */
  guint64 arrived; /* a camera's frames */
};

/* Makes the streaming threads tell the decoder what they see; before the pipeline starts. */
void sl_decoder_watch (SlDecoder *decoder);

/* An element that gives a camera's frames; NULL with an error. */
GstElement *sl_live_source_new (const char *source, GError **error);
/* Counts the frames that come, and sets the sink so that only the newest waits. */
void sl_live_watch (SlDecoder *decoder);
/* What that element says of itself: a note for the caller, and the end if nobody is there. */
void sl_live_take_status (SlDecoder *decoder, const GstStructure *structure);
/* When the frame was taken, in microseconds since 1970; as near as the pipeline's clock knows. */
gint64 sl_live_get_wall_time (SlDecoder *decoder);
