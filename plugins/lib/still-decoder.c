#include "still-decoder.h"

#include "exif.h"

#include <sightline-gst/decode.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- what the files say of themselves --- */

typedef enum { STILL_JPEG, STILL_PNG, STILL_OTHER, N_STILLS } StillFormat;

static const struct {
  const char *element, *caps;
} formats[STILL_OTHER] = {
    [STILL_JPEG] = {"jpegdec", "image/jpeg"},
    [STILL_PNG] = {"pngdec", "image/png"},
};

static StillFormat
recognize (const guint8 *data, gsize size)
{
  if (size >= 3 && memcmp (data, "\xff\xd8\xff", 3) == 0)
    return STILL_JPEG;
  if (size >= 8 && memcmp (data, "\x89PNG\r\n\x1a\n", 8) == 0)
    return STILL_PNG;
  return STILL_OTHER;
}

static gboolean
refuse (GError **error, const char *found, const char *expected)
{
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s (expected %s)", found, expected);
  return FALSE;
}

/* Walks the segments to the first scan. FALSE with an error where there is none. */
static gboolean
check_jpeg (const guint8 *data, gsize size, guint64 *ret_pixels, GError **error)
{
  gsize at = 2;
  *ret_pixels = 0;
  while (at + 4 <= size && data[at] == 0xff) {
    guint marker = data[at + 1], length = (guint)data[at + 2] << 8 | data[at + 3];
    if (marker == 0xff) { /* filling */
      at++;
      continue;
    }
    /* frame headers: all of 0xc0 … 0xcf but tables */
    if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc &&
        at + 9 <= size)
      *ret_pixels =
          (guint64)(data[at + 5] << 8 | data[at + 6]) * (guint64)(data[at + 7] << 8 | data[at + 8]);
    if (marker == 0xda) {
      /* A scan's own 0xff bytes are followed by others than this. */
      if (!*ret_pixels)
        return refuse (error, "the JPEG picture has no size", "a frame header");
      if (!memmem (data + at, size - at, "\xff\xd9", 2))
        return refuse (error, "the JPEG picture stops before its end", "an end marker");
      return TRUE;
    }
    if (length < 2)
      break;
    at += 2 + (gsize)length;
  }
  return refuse (error, "the JPEG picture has no content", "a scan");
}

static gboolean
check_png (const guint8 *data, gsize size, guint64 *ret_pixels, GError **error)
{
  if (size < 24 || memcmp (data + 12, "IHDR", 4) != 0)
    return refuse (error, "the PNG picture has no size", "a header");
  *ret_pixels = (guint64)GST_READ_UINT32_BE (data + 16) * GST_READ_UINT32_BE (data + 20);
  if (!memmem (data, size, "IEND", 4))
    return refuse (error, "the PNG picture stops before its end", "an end chunk");
  return TRUE;
}

/* --- decoding in the caller's thread --- */

/* A decoder with a pad of ours on each side. */
typedef struct Chain {
  GstElement *element;
  GstBus *bus;
  GstPad *src, *sink;
  GstCaps *caps;  /* of what came out */
  GstBuffer *got; /* the first picture */
  guint64 n_pushed;
} Chain;

struct SlStillDecoder {
  Chain chains[STILL_OTHER];
};

SlStillDecoder *
sl_still_decoder_new (void)
{
  return g_new0 (SlStillDecoder, 1);
}

static GstFlowReturn
on_picture (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Chain *chain = gst_pad_get_element_private (pad);
  if (chain->got)
    gst_buffer_unref (buffer);
  else
    chain->got = buffer;
  return GST_FLOW_OK;
}

static gboolean
on_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Chain *chain = gst_pad_get_element_private (pad);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    GstCaps *caps;
    gst_event_parse_caps (event, &caps);
    gst_caps_replace (&chain->caps, caps);
  }
  gst_event_unref (event);
  return TRUE;
}

static void
clear_chain (Chain *chain)
{
  if (!chain->element)
    return;
  gst_element_set_state (chain->element, GST_STATE_NULL);
  gst_pad_set_active (chain->src, FALSE);
  gst_pad_set_active (chain->sink, FALSE);
  gst_clear_buffer (&chain->got);
  gst_clear_caps (&chain->caps);
  gst_element_set_bus (chain->element, NULL);
  gst_object_unref (chain->src);
  gst_object_unref (chain->sink);
  gst_object_unref (chain->bus);
  gst_object_unref (chain->element);
  *chain = (Chain){0};
}

void
sl_still_decoder_free (SlStillDecoder *decoder)
{
  if (!decoder)
    return;
  for (int i = 0; i < STILL_OTHER; i++)
    clear_chain (&decoder->chains[i]);
  g_free (decoder);
}

static gboolean
start_chain (Chain *chain, StillFormat format, GError **error)
{
  chain->element = gst_element_factory_make (formats[format].element, NULL);
  if (!chain->element) {
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "GStreamer lacks %s (expected in Debian's gstreamer1.0-plugins-good)",
                 formats[format].element);
    return FALSE;
  }
  gst_object_ref_sink (chain->element);
  chain->bus = gst_bus_new ();
  gst_element_set_bus (chain->element, chain->bus);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (chain->element), "max-errors"))
    g_object_set (chain->element, "max-errors", 0, NULL);
  chain->src = gst_object_ref_sink (gst_pad_new ("src", GST_PAD_SRC));
  chain->sink = gst_object_ref_sink (gst_pad_new ("sink", GST_PAD_SINK));
  gst_pad_set_element_private (chain->sink, chain);
  gst_pad_set_chain_function (chain->sink, on_picture);
  gst_pad_set_event_function (chain->sink, on_event);

  g_autoptr (GstPad) in = gst_element_get_static_pad (chain->element, "sink");
  g_autoptr (GstPad) out = gst_element_get_static_pad (chain->element, "src");
  gst_pad_link_full (chain->src, in, GST_PAD_LINK_CHECK_NOTHING);
  gst_pad_link_full (out, chain->sink, GST_PAD_LINK_CHECK_NOTHING);
  gst_pad_set_active (chain->src, TRUE);
  gst_pad_set_active (chain->sink, TRUE);
  gst_element_set_state (chain->element, GST_STATE_PLAYING);

  GstSegment segment; /* of time: each buffer is a whole picture */
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_autoptr (GstCaps) caps = gst_caps_from_string (formats[format].caps);
  gst_pad_push_event (chain->src, gst_event_new_stream_start ("still"));
  gst_pad_push_event (chain->src, gst_event_new_caps (caps));
  gst_pad_push_event (chain->src, gst_event_new_segment (&segment));
  return TRUE;
}

/* What the element said on its bus, or `otherwise`. */
static void
set_error_of_bus (GstBus *bus, const char *otherwise, GError **error)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) cause = NULL;
  g_autofree char *detail = NULL;
  if (message)
    gst_message_parse_error (message, &cause, &detail);
  const char *text = detail ? strrchr (detail, '\n') : NULL;
  g_autofree char *line = g_strdup (text ? text + 1 : cause ? cause->message : otherwise);
  g_strdelimit (line, "\n\r", ' ');
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "cannot be decoded: %s (expected a picture)",
               g_strstrip (line));
}

static GstSample *
decode_in_chain (Chain *chain, StillFormat format, GBytes *file, GError **error)
{
  if (!chain->element && !start_chain (chain, format, error))
    return NULL;
  GstBuffer *buffer = gst_buffer_new_wrapped_bytes (file);
  GST_BUFFER_PTS (buffer) = chain->n_pushed++ * GST_SECOND;
  GST_BUFFER_DURATION (buffer) = GST_SECOND;
  GstFlowReturn flow = gst_pad_push (chain->src, buffer);
  GstSample *sample = NULL;
  if (flow == GST_FLOW_OK && chain->got && chain->caps &&
      !GST_BUFFER_FLAG_IS_SET (chain->got, GST_BUFFER_FLAG_CORRUPTED))
    sample = gst_sample_new (chain->got, chain->caps, NULL, NULL);
  gst_clear_buffer (&chain->got);
  if (!sample) { /* nobody knows what state it is in */
    set_error_of_bus (chain->bus, "no picture came", error);
    clear_chain (chain);
  }
  return sample;
}

/* --- everything else, by a pipeline --- */

/* A descriptor of a nameless file with the same bytes. */
static int
make_file (GBytes *bytes)
{
  gsize size, done = 0;
  const char *data = g_bytes_get_data (bytes, &size);
  int fd = memfd_create ("sightline-still", MFD_CLOEXEC);
  while (fd >= 0 && done < size) {
    gssize n = write (fd, data + done, size - done);
    if (n <= 0) {
      close (fd);
      return -1;
    }
    done += (gsize)n;
  }
  if (fd >= 0)
    lseek (fd, 0, SEEK_SET);
  return fd;
}

static GstSample *
decode_with_pipeline (GBytes *file, guint *ret_orientation, GError **error)
{
  int fd = make_file (file);
  if (fd < 0) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_MEMORY, "no memory for a copy of the file");
    return NULL;
  }
  g_autofree char *uri = g_strdup_printf ("fd://%d", fd);
  const SlDecoderOptions options = {.threads = 1};
  SlDecoder *decoder = sl_decoder_new_with_options (uri, &options, error);
  GstSample *sample = NULL;
  SlDecodedFrame frame;
  if (decoder && sl_decoder_next (decoder, &frame)) {
    sample = gst_sample_ref (frame.sample);
    *ret_orientation = frame.orientation;
  } else if (decoder) {
    const char *reason;
    sl_decoder_get_outcome (decoder, &reason);
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "cannot be decoded: %s",
                 reason ? reason : "no picture came");
  }
  sl_decoder_free (decoder);
  close (fd);
  return sample;
}

GstSample *
sl_still_decoder_decode (SlStillDecoder *decoder, GBytes *file, guint64 max_pixels,
                         guint *ret_orientation, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (file, &size);
  StillFormat format = recognize (data, size);
  guint64 pixels = 0;
  *ret_orientation = 1;
  if (format == STILL_OTHER)
    return decode_with_pipeline (file, ret_orientation, error);
  if (!(format == STILL_JPEG ? check_jpeg : check_png) (data, size, &pixels, error))
    return NULL;
  if (!pixels || pixels > max_pixels) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "the picture has %" G_GUINT64_FORMAT " pixels (expected 1 to %" G_GUINT64_FORMAT
                 ")",
                 pixels, max_pixels);
    return NULL;
  }
  if (format == STILL_JPEG) {
    SlExif *exif = sl_exif_new ();
    sl_exif_push (exif, data, size);
    *ret_orientation = sl_exif_get_orientation (exif);
    sl_exif_free (exif);
  }
  return decode_in_chain (&decoder->chains[format], format, file, error);
}
