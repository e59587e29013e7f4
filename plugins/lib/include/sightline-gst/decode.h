/* Footage to frames: any file or URI that GStreamer opens, its first video stream decoded, one
 * frame after another, and at the end an honest word on whether that was all of it. Cameras too. */
#pragma once

#include <gst/video/video.h>
#include <sightline/error.h>

G_BEGIN_DECLS

/* Decodes ahead in threads of its own, two frames at most. One thread at a time may call its
 * functions; different decoders are independent of each other. */
typedef struct SlDecoder SlDecoder;

/* Zero in a field means its default. */
typedef struct SlDecoderOptions {
  /* Only frames that need no other to be decoded; the rest is read past, which is many times
   * faster. `number` counts key frames then, and damage among the rest goes unseen. */
  gboolean key_frames;
  /* Most threads of the codec; default: as many as it likes. With one, what libav says of damage
   * (sl_decoder_watch_codec_log()) is put down to the right one of several decoders. */
  guint threads;
} SlDecoderOptions;

/* A decoded frame, the decoder's until the next call. Its pixels are in system memory in whatever
 * raw format the codec gives: map `buffer` with `info` (gst_video_frame_map()) for reading. */
typedef struct SlDecodedFrame {
  GstSample *sample; /* buffer, caps and segment together */
  GstBuffer *buffer;
  const GstVideoInfo *info; /* changes where size or format change mid-stream */
  guint64 number;           /* decoded frames before this one */
  GstClockTime pts;  /* stream time; GST_CLOCK_TIME_NONE where the stream has no timestamps */
  guint orientation; /* how it has to be turned to be viewed, which is not done: EXIF's 1 … 8, of
                        the clip's orientation tag or a JPEG picture's EXIF part; 1: not at all */
  gint64 wall_time;  /* a camera's frame: when it was taken, microseconds since 1970 UTC; else 0 */
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

/* Opens a path, a URI (what contains "://") or a camera. Audio and subtitles are not decoded. What
 * is wrong with the content shows in the outcome; an error here is a file that is not there, or a
 * GStreamer without its core elements. gst_init() has been called. */
SL_API SlDecoder *sl_decoder_new (const char *source, GError **error);
/* `options` may be NULL. */
SL_API SlDecoder *sl_decoder_new_with_options (const char *source, const SlDecoderOptions *options,
                                               GError **error);
SL_API void sl_decoder_free (SlDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlDecoder, sl_decoder_free)

typedef enum {
  SL_DECODER_FRAME,  /* here is one */
  SL_DECODER_END,    /* none will come any more, whatever the reason */
  SL_DECODER_WAITING /* none came in time */
} SlDecoderState;

/* Waits for the next frame, but not longer than `timeout` after the last sign of life. Frames that
 * a codec marks as damaged are counted and left out: nobody should get a label for a picture that
 * was not filmed. */
SL_API SlDecoderState sl_decoder_poll (SlDecoder *decoder, GstClockTime timeout,
                                       SlDecodedFrame *ret_frame);

/* Waits for the next frame, however long that takes. FALSE at the end. */
SL_API gboolean sl_decoder_next (SlDecoder *decoder, SlDecodedFrame *ret_frame);

/* Whether a source is a camera: "camera:NUMBER", "camera:NAME" or an RTSP URI, read by `slsrc` of
 * Sightline's plugin. It has no end: once it has given a frame it is started anew when it fails,
 * until the decoder is freed. One that never gave any is over when an attempt fails, an RTSP
 * URI when one fails and the next would begin more than 5 s after the first. Of frames that the
 * caller is too slow for only the newest waits. */
SL_API gboolean sl_decoder_source_is_live (const char *source);

/* What has become of a camera's connection since the last call, one line; NULL if nothing has
 * changed. Free with g_free(). */
SL_API char *sl_decoder_take_note (SlDecoder *decoder);

/* A camera's frames that the caller was too slow for. */
SL_API guint64 sl_decoder_get_late (SlDecoder *decoder);

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
 * Messages from codec threads do not say whose they are: with several decoders at work at once,
 * each counts them all, unless SlDecoderOptions.threads is 1. */
SL_API void sl_decoder_watch_codec_log (void);

G_END_DECLS
