/**
 * SECTION:element-sltestsrc
 * @title: sltestsrc
 *
 * Makes video of synthetic scenes, one shape before a moving backdrop with clutter, and says on
 * each frame what it shows: the class as #SlLabelMeta, where the shape lies as #SlGeometryMeta.
 * Both name this element as their producer and no model. The built-in network was trained on such
 * scenes.
 *
 * A frame depends on its time, its size and the properties only: the same ones give the same
 * pixels, also after a seek. Without a framerate (0/1) the stream is one frame.
 *
 * ## Launch lines
 * |[
 * gst-launch-1.0 sltestsrc num-buffers=60 ! sloverlay ! videoconvert ! autovideosink
 * ]| shows scenes, two seconds each, with the names of their shapes.
 * |[
 * gst-launch-1.0 sltestsrc is-live=true num-buffers=30 class=star difficulty=1 \
 *   ! video/x-raw,width=320,height=240,framerate=30/1 \
 *   ! slclassify model-file=scenes.onnx ! fakesink
 * ]| asks a network about a star that is hard to see.
 * |[
 * gst-launch-1.0 sltestsrc num-buffers=100 session=1 turn=0.4 noise=0.8 \
 *   ! video/x-raw,format=I420,framerate=25/1 ! jpegenc ! avimux ! filesink location=scenes.avi
 * ]| records footage from four places.
 *
 * Since: 0.1
 */
#include "gstsltestsrc.h"

#include "gstslframe.h"
#include "gstslscene.h"

#include <gst/video/video.h>
#include <sightline-gst/geometry-meta.h>
#include <sightline-gst/label-meta.h>

#define DEFAULT_IS_LIVE FALSE
#define DEFAULT_TIMESTAMP_OFFSET 0
#define DEFAULT_WIDTH 640
#define DEFAULT_HEIGHT 360
#define DEFAULT_RATE 30
#define CONVERTER_LINES 8

/* What sl_scene_draw () draws. */
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define NATIVE_FORMAT GST_VIDEO_FORMAT_BGRx
#define NATIVE_FORMAT_ALPHA GST_VIDEO_FORMAT_BGRA
#else
#define NATIVE_FORMAT GST_VIDEO_FORMAT_xRGB
#define NATIVE_FORMAT_ALPHA GST_VIDEO_FORMAT_ARGB
#endif

enum { PROP_0, PROP_IS_LIVE, PROP_TIMESTAMP_OFFSET, PROP_SCENE };

struct _GstSlTestSrc {
  GstPushSrc parent;

  /* Under the object lock. */
  GstSlScene scene;
  gint64 timestamp_offset;
  GstVideoInfo info; /* of the current caps; only the streaming thread writes it */

  /* The streaming thread's, or whoever's has stopped that. Frame `next` is shown at `origin` and
   * `next` times its duration, and `before` frames come before `origin`. */
  guint64 next, before;
  GstClockTime origin;
  GstClockTime sought;          /* where the stream is to go on; NONE: behind the last frame */
  GstVideoConverter *converter; /* from `canvas`; NULL: frames are drawn where they lie */
  GstVideoFrame canvas;
};

G_DEFINE_TYPE (GstSlTestSrc, gst_sl_test_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE (sltestsrc, "sltestsrc", GST_RANK_NONE, GST_TYPE_SL_TEST_SRC)

/* --- Time: frames lie on a grid, however they are come by --- */

static GstClockTime
frame_time (const GstSlTestSrc *self, guint64 n)
{
  const GstVideoInfo *info = &self->info;

  if (GST_VIDEO_INFO_FPS_N (info) == 0)
    return self->origin;
  return self->origin + gst_util_uint64_scale (n, GST_SECOND * GST_VIDEO_INFO_FPS_D (info),
                                               GST_VIDEO_INFO_FPS_N (info));
}

/* Makes the frame that is shown at `sought` the next one. */
static void
go_to_sought (GstSlTestSrc *self)
{
  const GstVideoInfo *info = &self->info;
  GstClockTime time = self->sought;

  self->sought = GST_CLOCK_TIME_NONE;
  self->next = self->before = 0;
  if (GST_VIDEO_INFO_FPS_N (info) == 0) {
    self->origin = time;
    return;
  }
  self->origin = 0;
  self->next = gst_util_uint64_scale (time, GST_VIDEO_INFO_FPS_N (info),
                                      GST_SECOND * GST_VIDEO_INFO_FPS_D (info));
  /* Times are rounded down to nanoseconds, so that of a frame may seem to be before it. */
  if (frame_time (self, self->next + 1) <= time)
    self->next++;
}

/* The rate changes: the grid begins anew behind the last frame. */
static void
rebase (GstSlTestSrc *self)
{
  self->origin = frame_time (self, self->next);
  self->before += self->next;
  self->next = 0;
}

/* The stream is as long as num-buffers says, wherever it was begun and whatever was sought. */
static gboolean
is_over (GstSlTestSrc *self)
{
  GstBaseSrc *src = GST_BASE_SRC (self);
  guint64 number = self->before + self->next;

  if (GST_VIDEO_INFO_FPS_N (&self->info) == 0 && self->next > 0)
    return TRUE;
  if (src->num_buffers < 0)
    return FALSE;
  if (number >= (guint64)src->num_buffers)
    return TRUE;
  src->num_buffers_left = (gint)((guint64)src->num_buffers - number - 1);
  return FALSE;
}

static gboolean
gst_sl_test_src_do_seek (GstBaseSrc *src, GstSegment *segment)
{
  GstSlTestSrc *self = GST_SL_TEST_SRC (src);
  guint64 offset;

  GST_OBJECT_LOCK (self);
  offset = (guint64)self->timestamp_offset;
  GST_OBJECT_UNLOCK (self);
  segment->time = segment->start;
  src->num_buffers_left = src->num_buffers; /* is_over () says more once the rate is known */
  self->sought = segment->position > offset ? segment->position - offset : 0;
  return TRUE;
}

/* Nothing runs backward. To say so only when asked to seek would be too late: the stream would have
 * been flushed, and would go on without a segment. */
static gboolean
gst_sl_test_src_event (GstBaseSrc *src, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    gdouble rate;

    gst_event_parse_seek (event, &rate, NULL, NULL, NULL, NULL, NULL, NULL);
    if (rate <= 0)
      return FALSE;
  }
  return GST_BASE_SRC_CLASS (gst_sl_test_src_parent_class)->event (src, event);
}

static gboolean
gst_sl_test_src_is_seekable (GstBaseSrc *src)
{
  return TRUE;
}

static void
gst_sl_test_src_get_times (GstBaseSrc *src, GstBuffer *buffer, GstClockTime *start,
                           GstClockTime *end)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  *start = *end = GST_CLOCK_TIME_NONE;
  if (!gst_base_src_is_live (src) || !GST_CLOCK_TIME_IS_VALID (pts))
    return;
  /* After a seek the two differ, and the frame shown there may have begun before. */
  *start =
      gst_segment_to_running_time (&src->segment, GST_FORMAT_TIME, MAX (pts, src->segment.start));
  if (GST_CLOCK_TIME_IS_VALID (*start) && GST_BUFFER_DURATION_IS_VALID (buffer))
    *end = *start + GST_BUFFER_DURATION (buffer);
}

/* --- Caps --- */

static void
append_formats (GValue *list, const GstVideoFormat *formats, guint n)
{
  g_value_init (list, GST_TYPE_LIST);
  for (guint i = 0; i < n; i++) {
    const GstVideoFormatInfo *info = gst_video_format_get_info (formats[i]);
    GValue name = G_VALUE_INIT;

    if (!info->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info))
      continue;
    g_value_init (&name, G_TYPE_STRING);
    g_value_set_static_string (&name, info->name);
    gst_value_list_append_and_take_value (list, &name);
  }
}

/* Every format that can be written, those first that cost least or that most elements take. */
static GstCaps *
make_template_caps (void)
{
  static const GstVideoFormat preferred[] = {
      NATIVE_FORMAT,         NATIVE_FORMAT_ALPHA,   GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_RGBA,
      GST_VIDEO_FORMAT_RGB,  GST_VIDEO_FORMAT_BGR,  GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_NV12,
      GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_GRAY8};
  GValue first = G_VALUE_INIT, rest = G_VALUE_INIT, all = G_VALUE_INIT;
  guint n;
  const GstVideoFormat *raw = gst_video_formats_raw (&n);
  GstCaps *caps = gst_caps_new_simple ("video/x-raw", "width", GST_TYPE_INT_RANGE, 1,
                                       SL_SCENE_MAX_SIZE, "height", GST_TYPE_INT_RANGE, 1,
                                       SL_SCENE_MAX_SIZE, "framerate", GST_TYPE_FRACTION_RANGE, 0,
                                       1, G_MAXINT, 1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1,
                                       1, "interlace-mode", G_TYPE_STRING, "progressive", NULL);

  append_formats (&first, preferred, G_N_ELEMENTS (preferred));
  append_formats (&rest, raw, n);
  gst_value_list_merge (&all, &first, &rest);
  gst_structure_take_value (gst_caps_get_structure (caps, 0), "format", &all);
  g_value_unset (&rest);
  g_value_unset (&first);
  return caps;
}

static GstCaps *
gst_sl_test_src_fixate (GstBaseSrc *src, GstCaps *caps)
{
  GstStructure *structure;

  caps = gst_caps_make_writable (gst_caps_truncate (caps));
  structure = gst_caps_get_structure (caps, 0);
  gst_structure_fixate_field_nearest_int (structure, "width", DEFAULT_WIDTH);
  gst_structure_fixate_field_nearest_int (structure, "height", DEFAULT_HEIGHT);
  gst_structure_fixate_field_nearest_fraction (structure, "framerate", DEFAULT_RATE, 1);
  return GST_BASE_SRC_CLASS (gst_sl_test_src_parent_class)->fixate (src, caps);
}

static void
drop_converter (GstSlTestSrc *self)
{
  if (!self->converter)
    return;
  g_clear_pointer (&self->converter, gst_video_converter_free);
  gst_video_frame_unmap (&self->canvas);
}

static gboolean
make_converter (GstSlTestSrc *self)
{
  const GstVideoInfo *info = &self->info;
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoInfo native;

  gst_video_info_set_format (&native, NATIVE_FORMAT, GST_VIDEO_INFO_WIDTH (info),
                             GST_VIDEO_INFO_HEIGHT (info));
  native.fps_n = GST_VIDEO_INFO_FPS_N (info);
  native.fps_d = GST_VIDEO_INFO_FPS_D (info);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&native), NULL);
  if (!buffer || !gst_video_frame_map (&self->canvas, &native, buffer, GST_MAP_READWRITE))
    return FALSE;
  self->converter = gst_video_converter_new (&native, info, NULL);
  if (!self->converter)
    gst_video_frame_unmap (&self->canvas);
  return self->converter != NULL;
}

static gboolean
gst_sl_test_src_set_caps (GstBaseSrc *src, GstCaps *caps)
{
  GstSlTestSrc *self = GST_SL_TEST_SRC (src);
  GstVideoInfo info;

  if (!gst_video_info_from_caps (&info, caps))
    return FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (self->sought) &&
      (info.fps_n != self->info.fps_n || info.fps_d != self->info.fps_d))
    rebase (self);
  drop_converter (self);
  GST_OBJECT_LOCK (self);
  self->info = info;
  GST_OBJECT_UNLOCK (self);
  gst_base_src_set_blocksize (src, (guint)MIN (GST_VIDEO_INFO_SIZE (&info), G_MAXUINT));
  return TRUE;
}

static gboolean
gst_sl_test_src_decide_allocation (GstBaseSrc *src, GstQuery *query)
{
  gboolean offered = gst_query_get_n_allocation_pools (query) > 0;
  g_autoptr (GstBufferPool) pool = NULL;
  guint size = 0, min = 0, max = 0;
  GstStructure *config;
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, NULL);
  if (offered)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  if (!pool)
    pool = gst_video_buffer_pool_new ();
  size = MAX (size, GST_SL_TEST_SRC (src)->info.size);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_set_config (pool, config);
  if (offered)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min, max);
  else
    gst_query_add_allocation_pool (query, pool, size, min, max);
  return GST_BASE_SRC_CLASS (gst_sl_test_src_parent_class)->decide_allocation (src, query);
}

/* --- Queries --- */

static gboolean
query_duration (GstBaseSrc *src, const GstVideoInfo *info, GstQuery *query)
{
  GstFormat format;
  gint64 duration;

  gst_query_parse_duration (query, &format, NULL);
  if (src->num_buffers < 0 || GST_VIDEO_INFO_FPS_N (info) == 0 ||
      !gst_video_info_convert (info, GST_FORMAT_DEFAULT, src->num_buffers, format, &duration))
    return FALSE;
  gst_query_set_duration (query, format, duration);
  return TRUE;
}

static gboolean
query_convert (const GstVideoInfo *info, GstQuery *query)
{
  GstFormat from, to;
  gint64 value, result;

  gst_query_parse_convert (query, &from, &value, &to, NULL);
  if (!gst_video_info_convert (info, from, value, to, &result))
    return FALSE;
  gst_query_set_convert (query, from, value, to, result);
  return TRUE;
}

static gboolean
gst_sl_test_src_query (GstBaseSrc *src, GstQuery *query)
{
  GstSlTestSrc *self = GST_SL_TEST_SRC (src);
  GstVideoInfo info;

  GST_OBJECT_LOCK (self);
  info = self->info;
  GST_OBJECT_UNLOCK (self);
  if (GST_VIDEO_INFO_FORMAT (&info) != GST_VIDEO_FORMAT_UNKNOWN) {
    switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CONVERT:
      return query_convert (&info, query);
    case GST_QUERY_DURATION:
      if (query_duration (src, &info, query))
        return TRUE;
      break;
    case GST_QUERY_LATENCY:
      if (GST_VIDEO_INFO_FPS_N (&info) == 0)
        break;
      /* As from a camera, whose picture is there when it has been exposed. */
      gst_query_set_latency (query, gst_base_src_is_live (src),
                             gst_util_uint64_scale (GST_SECOND, info.fps_d, info.fps_n),
                             GST_CLOCK_TIME_NONE);
      return TRUE;
    default:
      break;
    }
  }
  return GST_BASE_SRC_CLASS (gst_sl_test_src_parent_class)->query (src, query);
}

/* --- Frames --- */

/* Whether the renderer can write there. */
static gboolean
is_native (const GstVideoFrame *frame)
{
  GstVideoFormat format = GST_VIDEO_FRAME_FORMAT (frame);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);

  return (format == NATIVE_FORMAT || format == NATIVE_FORMAT_ALPHA) && stride > 0 &&
         stride % 4 == 0 && GPOINTER_TO_SIZE (GST_VIDEO_FRAME_PLANE_DATA (frame, 0)) % 4 == 0;
}

static gboolean
draw_frame (GstSlTestSrc *self, const SlScene *scene, GstVideoFrame *frame, SlSceneTruth *truth)
{
  gint width = GST_VIDEO_INFO_WIDTH (&self->info), height = GST_VIDEO_INFO_HEIGHT (&self->info);
  gdouble seconds = (gdouble)frame_time (self, self->next) / GST_SECOND;
  GstVideoFrame *canvas = is_native (frame) ? frame : &self->canvas;

  if (canvas != frame) {
    /* GstVideoConverter (1.22 and 1.26) remembers the lines that it unpacked last, and takes those
     * of the frame before for this one's where a frame has no more than that. */
    if (height <= CONVERTER_LINES)
      drop_converter (self);
    if (!self->converter && !make_converter (self))
      return FALSE;
  }
  if (!sl_scene_draw (scene, seconds, GST_VIDEO_FRAME_PLANE_DATA (canvas, 0), width, height,
                      (gsize)GST_VIDEO_FRAME_PLANE_STRIDE (canvas, 0), truth))
    return FALSE;
  if (canvas != frame)
    gst_video_converter_frame (self->converter, canvas, frame);
  return TRUE;
}

static void
stamp_buffer (GstSlTestSrc *self, GstBuffer *buffer, guint64 timestamp_offset)
{
  GstClockTime time = frame_time (self, self->next);
  guint64 number = self->before + self->next;

  GST_BUFFER_PTS (buffer) = time + timestamp_offset;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = GST_VIDEO_INFO_FPS_N (&self->info) == 0
                                     ? GST_CLOCK_TIME_NONE
                                     : frame_time (self, self->next + 1) - time;
  GST_BUFFER_OFFSET (buffer) = number;
  GST_BUFFER_OFFSET_END (buffer) = number + 1;
}

/* The class "nothing" gets its label, and geometry without a box. */
static void
attach_truth (GstSlTestSrc *self, GstBuffer *buffer, const SlSceneTruth *truth)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (self));
  SlLabelMeta *labels = sl_buffer_add_label_meta (buffer, name, NULL);
  SlGeometryMeta *geometry = sl_buffer_add_geometry_meta (buffer, name, NULL);
  const gchar *label = sl_scene_label (truth->klass);
  guint index = (guint)truth->klass;

  labels->frame = geometry->frame = GST_BUFFER_OFFSET (buffer);
  labels->pts = geometry->pts = GST_BUFFER_PTS (buffer);
  sl_label_meta_append (labels, index, 1, label);
  if (truth->width > 0)
    sl_geometry_meta_append_box (geometry, truth->x, truth->y, truth->width, truth->height, index,
                                 1, label);
}

static GstFlowReturn
gst_sl_test_src_fill (GstPushSrc *push, GstBuffer *buffer)
{
  GstSlTestSrc *self = GST_SL_TEST_SRC (push);
  guint64 timestamp_offset;
  SlSceneTruth truth;
  GstVideoFrame frame;
  gboolean drawn;
  SlScene scene;

  GST_OBJECT_LOCK (self);
  scene = gst_sl_scene_resolve (&self->scene);
  timestamp_offset = (guint64)self->timestamp_offset;
  GST_OBJECT_UNLOCK (self);

  if (GST_CLOCK_TIME_IS_VALID (self->sought))
    go_to_sought (self);
  if (is_over (self))
    return GST_FLOW_EOS;
  if (!gst_sl_frame_map (GST_ELEMENT (self), &frame, &self->info, buffer, GST_MAP_WRITE))
    return GST_FLOW_ERROR;
  drawn = draw_frame (self, &scene, &frame, &truth);
  gst_video_frame_unmap (&frame);
  if (!drawn) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
                       ("No memory for a frame of %dx%d", GST_VIDEO_INFO_WIDTH (&self->info),
                        GST_VIDEO_INFO_HEIGHT (&self->info)),
                       (NULL));
    return GST_FLOW_ERROR;
  }
  stamp_buffer (self, buffer, timestamp_offset);
  attach_truth (self, buffer, &truth);
  self->next++;
  return GST_FLOW_OK;
}

static gboolean
gst_sl_test_src_start (GstBaseSrc *src)
{
  GstSlTestSrc *self = GST_SL_TEST_SRC (src);

  self->sought = 0;
  GST_OBJECT_LOCK (self);
  gst_video_info_init (&self->info);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_sl_test_src_stop (GstBaseSrc *src)
{
  drop_converter (GST_SL_TEST_SRC (src));
  return TRUE;
}

/* --- Properties --- */

static void
gst_sl_test_src_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSlTestSrc *self = GST_SL_TEST_SRC (object);

  if (id == PROP_IS_LIVE) { /* takes the object lock itself */
    gst_base_src_set_live (GST_BASE_SRC (self), g_value_get_boolean (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (id == PROP_TIMESTAMP_OFFSET)
    self->timestamp_offset = g_value_get_int64 (value);
  else if (id - PROP_SCENE < GST_SL_N_SCENE_PROPS)
    gst_sl_scene_set (&self->scene, id - PROP_SCENE, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_sl_test_src_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSlTestSrc *self = GST_SL_TEST_SRC (object);

  if (id == PROP_IS_LIVE) {
    g_value_set_boolean (value, gst_base_src_is_live (GST_BASE_SRC (self)));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (id == PROP_TIMESTAMP_OFFSET)
    g_value_set_int64 (value, self->timestamp_offset);
  else if (id - PROP_SCENE < GST_SL_N_SCENE_PROPS)
    gst_sl_scene_get (&self->scene, id - PROP_SCENE, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->set_property = gst_sl_test_src_set_property;
  object_class->get_property = gst_sl_test_src_get_property;
  g_object_class_install_property (
      object_class, PROP_IS_LIVE,
      g_param_spec_boolean ("is-live", "Is live", "Make frames as the clock goes, as a camera does",
                            DEFAULT_IS_LIVE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (object_class, PROP_TIMESTAMP_OFFSET,
                                   g_param_spec_int64 ("timestamp-offset", "Timestamp offset",
                                                       "Added to the timestamps of buffers (ns)", 0,
                                                       G_MAXINT64, DEFAULT_TIMESTAMP_OFFSET,
                                                       flags | GST_PARAM_MUTABLE_PLAYING));
  gst_sl_scene_install (object_class, PROP_SCENE);
}

static void
gst_sl_test_src_class_init (GstSlTestSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *src_class = GST_BASE_SRC_CLASS (klass);
  g_autoptr (GstCaps) caps = make_template_caps ();

  install_properties (G_OBJECT_CLASS (klass));
  src_class->start = gst_sl_test_src_start;
  src_class->stop = gst_sl_test_src_stop;
  src_class->fixate = gst_sl_test_src_fixate;
  src_class->set_caps = gst_sl_test_src_set_caps;
  src_class->decide_allocation = gst_sl_test_src_decide_allocation;
  src_class->query = gst_sl_test_src_query;
  src_class->is_seekable = gst_sl_test_src_is_seekable;
  src_class->event = gst_sl_test_src_event;
  src_class->do_seek = gst_sl_test_src_do_seek;
  src_class->get_times = gst_sl_test_src_get_times;
  GST_PUSH_SRC_CLASS (klass)->fill = gst_sl_test_src_fill;

  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_element_class_set_static_metadata (
      element_class, "Sightline test source", "Source/Video",
      "Makes synthetic scenes, each frame with the truth about its class and place",
      "The Sightline developers");
  gst_element_class_add_static_metadata (
      element_class, "example",
      "gst-launch-1.0 sltestsrc num-buffers=60 ! sloverlay ! videoconvert ! autovideosink");
}

static void
gst_sl_test_src_init (GstSlTestSrc *self)
{
  gst_sl_scene_init (&self->scene);
  gst_video_info_init (&self->info);
  self->timestamp_offset = DEFAULT_TIMESTAMP_OFFSET;
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
  gst_base_src_set_live (GST_BASE_SRC (self), DEFAULT_IS_LIVE);
}
