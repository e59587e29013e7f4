#include "still-decoder.h"

#include "exif.h"
#include "still-head.h"

#include <sightline-gst/decode.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* By kind; all are of Debian's gstreamer1.0-plugins-good. gdk-pixbuf goes by the bytes, so its caps
 * only have to be some that the element takes; it does not list GIF and JPEG. */
static const struct {
  const char *element, *caps;
} formats[SL_STILL_OTHER] = {
    [SL_STILL_JPEG] = {"jpegdec", "image/jpeg"},
    [SL_STILL_PNG] = {"pngdec", "image/png"},
    [SL_STILL_PIXBUF] = {"gdkpixbufdec", "image/png"},
};

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
  Chain chains[SL_STILL_OTHER];
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
  for (int i = 0; i < SL_STILL_OTHER; i++)
    clear_chain (&decoder->chains[i]);
  g_free (decoder);
}

/* A pad without a template accepts only the caps that it has: no second picture of another size. */
static GstStaticPadTemplate any_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static gboolean
start_chain (Chain *chain, SlStillKind kind, GError **error)
{
  chain->element = gst_element_factory_make (formats[kind].element, NULL);
  if (!chain->element) {
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "GStreamer lacks %s (expected in Debian's gstreamer1.0-plugins-good)",
                 formats[kind].element);
    return FALSE;
  }
  gst_object_ref_sink (chain->element);
  chain->bus = gst_bus_new ();
  gst_element_set_bus (chain->element, chain->bus);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (chain->element), "max-errors"))
    g_object_set (chain->element, "max-errors", 0, NULL);
  chain->src = gst_object_ref_sink (gst_pad_new ("src", GST_PAD_SRC));
  chain->sink = gst_object_ref_sink (gst_pad_new_from_static_template (&any_template, "sink"));
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
  g_autoptr (GstCaps) caps = gst_caps_from_string (formats[kind].caps);
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
decode_in_chain (Chain *chain, SlStillKind kind, GBytes *file, GError **error)
{
  if (!chain->element && !start_chain (chain, kind, error))
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
  if (!sample)
    set_error_of_bus (chain->bus, "no picture came", error);
  /* After an error nobody knows what state it is in; and gdkpixbufdec, before
   * Debian's 1.22.0-5+deb12u4, gives a picture the format of the one before if that was as large.
   */
  if (!sample || kind == SL_STILL_PIXBUF)
    clear_chain (chain);
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
  /* By its name, not as fd://: libav's demuxers hang in what cannot be read at any place. */
  g_autofree char *uri = g_strdup_printf ("file:///proc/self/fd/%d", fd);
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
  SlStillHead head;
  *ret_orientation = 1;
  if (!sl_still_head_read (data, size, &head, error))
    return NULL;
  if (head.kind == SL_STILL_OTHER)
    return decode_with_pipeline (file, ret_orientation, error);
  if (!head.pixels || head.pixels > max_pixels) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "the picture has %" G_GUINT64_FORMAT " pixels (expected 1 to %" G_GUINT64_FORMAT
                 ")",
                 head.pixels, max_pixels);
    return NULL;
  }
  SlExif *exif = sl_exif_new (); /* of JPEG; other pictures are as they are */
  sl_exif_push (exif, data, size);
  *ret_orientation = sl_exif_get_orientation (exif);
  sl_exif_free (exif);
  return decode_in_chain (&decoder->chains[head.kind], head.kind, file, error);
}
