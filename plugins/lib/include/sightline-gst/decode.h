/* Footage to frames: any file or URI that GStreamer opens, its first video stream decoded, one
 * frame after another, and at the end an honest word on whether that was all of it. */
#pragma once

#include <gst/video/video.h>
#include <sightline/error.h>

G_BEGIN_DECLS

/* Decodes ahead in threads of its own, two frames at most. One thread at a time may call its
 * functions; different decoders are independent of each other. */
typedef struct SlDecoder SlDecoder;

/* A decoded frame, the decoder's until the next call. Its pixels are in system memory in whatever
 * raw format the codec gives: map `buffer` with `info` (gst_video_frame_map()) for reading.
 * Rotation that the file asks for is not applied. */
typedef struct SlDecodedFrame {
  GstSample *sample; /* buffer, caps and segment together */
  GstBuffer *buffer;
  const GstVideoInfo *info; /* changes where size or format change mid-stream */
  guint64 number;           /* decoded frames before this one */
  GstClockTime pts; /* stream time; GST_CLOCK_TIME_NONE where the stream has no timestamps */
} SlDecodedFrame;

/* How an input came out. */
typedef enum {
  SL_OUTCOME_WHOLE,   /* all that the container states was decoded, and nothing was wrong */
  SL_OUTCOME_UNKNOWN, /* nothing was wrong, but the format states no duration: a cut would not show
                       */
  SL_OUTCOME_PARTIAL, /* frames came, but some are missing or damaged */
  SL_OUTCOME_FAILED   /* no frame came */
} SlOutcome;

/* "whole", "unknown", "partial", "failed" */
SL_API const char *sl_outcome_get_name (SlOutcome outcome);

/* Opens a path or a URI (what contains "://"). Audio and subtitles are not decoded. What is wrong
 * with the content shows in the outcome; an error here is a file that is not there, or a GStreamer
 * without its core elements. gst_init() has been called. */
SL_API SlDecoder *sl_decoder_new (const char *source, GError **error);
SL_API void sl_decoder_free (SlDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlDecoder, sl_decoder_free)

/* Waits for the next frame. FALSE at the end, whatever ended it. Frames that a codec marks as
 * damaged are counted and left out: nobody should get a label for a picture that was not filmed. */
SL_API gboolean sl_decoder_next (SlDecoder *decoder, SlDecodedFrame *ret_frame);

/* Whether there is sound beside the pictures; known when the first frame is. */
SL_API gboolean sl_decoder_has_audio (SlDecoder *decoder);

/* Part of the input decoded so far, 0 … 1; negative where its length is not known. */
SL_API double sl_decoder_get_progress (SlDecoder *decoder);

/* The outcome after sl_decoder_next() returned FALSE; before, of the part read so far. *ret_reason,
 * one line or NULL, is the decoder's; it may be given for WHOLE never, for the others always. */
SL_API SlOutcome sl_decoder_get_outcome (SlDecoder *decoder, const char **ret_reason);

/* libav repairs damaged pictures without telling GStreamer, save in its log. This makes decoders
 * listen to that log, so that such damage shows in the outcome. It changes the process's GStreamer
 * logging and is therefore an application's to call, once, before gst_init(); without it such
 * damage goes unseen. Where the environment asks for a GStreamer log (GST_DEBUG), that log stays.
 * Messages do not say whose they are: with several decoders at work at once, each counts them all.
 */
SL_API void sl_decoder_watch_codec_log (void);

G_END_DECLS
