#include "gstslrowmaker.h"

/* Encoders with B-frames send a few frames later than ones that follow them. */
#define N_SEEN 16

/* Which results of a producer made rows lately. */
typedef struct {
  struct {
    guint64 frame;
    GstClockTime pts;
  } last[N_SEEN];
  guint n; /* in all; the next one takes the place n % N_SEEN */
} Seen;

struct GstSlRowMaker {
  GstSlRowMakerSettings settings;
  GstPad *pad; /* "sink" */
  GString *row;
  GHashTable *seen;     /* producer (gchar *) to Seen */
  gchar *upstream_name; /* NULL: not asked yet */
  gboolean asked_live, live;

  SlTimeline *timeline; /* NULL unless for WebVTT */
  gchar *told;          /* the producer whose time line it is; NULL: none so far */
  GstClockTime end;     /* stream time of the last buffer's end */
};

GstSlRowMaker *
gst_sl_row_maker_new (const GstSlRowMakerSettings *settings)
{
  GstSlRowMaker *self = g_new0 (GstSlRowMaker, 1);

  self->settings = *settings;
  self->pad = gst_element_get_static_pad (settings->element, "sink");
  self->row = g_string_new (NULL);
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (settings->layout.format == SL_RESULT_VTT)
    self->timeline = sl_timeline_new (&settings->timeline);
  self->end = GST_CLOCK_TIME_NONE;
  return self;
}

void
gst_sl_row_maker_free (GstSlRowMaker *self)
{
  gst_object_unref (self->pad);
  g_string_free (self->row, TRUE);
  g_hash_table_unref (self->seen);
  sl_timeline_free (self->timeline);
  g_free (self->upstream_name);
  g_free (self->told);
  g_free (self);
}

/* --- What upstream says --- */

void
gst_sl_row_maker_ask_again (GstSlRowMaker *self)
{
  self->asked_live = FALSE;
}

static void
ask_live (GstSlRowMaker *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();

  self->live = FALSE;
  if (gst_pad_peer_query (self->pad, query))
    gst_query_parse_latency (query, &self->live, NULL, NULL);
  self->asked_live = TRUE;
}

gboolean
gst_sl_row_maker_is_live (GstSlRowMaker *self)
{
  return self->live;
}

/* Files by their path; of other URIs nothing that may be a password. */
static gchar *
describe_uri (const gchar *uri)
{
  g_autoptr (GUri) parsed = NULL;
  gchar *path = g_filename_from_uri (uri, NULL, NULL);

  if (path)
    return path;
  parsed = g_uri_parse (uri, G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED, NULL);
  return parsed ? g_uri_to_string_partial (parsed, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY) : NULL;
}

static const gchar *
get_upstream_name (GstSlRowMaker *self)
{
  g_autoptr (GstQuery) query = NULL;
  g_autofree gchar *uri = NULL;

  if (self->upstream_name)
    return self->upstream_name;
  query = gst_query_new_uri ();
  if (gst_pad_peer_query (self->pad, query))
    gst_query_parse_uri (query, &uri);
  if (uri)
    self->upstream_name = describe_uri (uri);
  if (!self->upstream_name)
    self->upstream_name = gst_object_get_name (GST_OBJECT (self->settings.element));
  return self->upstream_name;
}

/* --- Times --- */

/* Encoders whose DTS would lie below 0 (x264enc) move segment and timestamps by about a thousand
 * hours, gst_video_encoder_set_min_pts(); the metas still tell of the frame as it was. */
#define ENCODER_START (500 * 3600 * GST_SECOND) /* and more */

static GstClockTime
follow_encoder (const GstSegment *segment, GstClockTime pts)
{
  return segment->start >= ENCODER_START && segment->time <= segment->start && pts < segment->start
             ? pts + segment->start - segment->time
             : pts;
}

static GstClockTime
get_stream_time (const GstSegment *segment, GstClockTime pts)
{
  guint64 time;

  pts = follow_encoder (segment, pts);
  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (pts) ||
      gst_segment_to_stream_time_full (segment, GST_FORMAT_TIME, pts, &time) <= 0)
    return GST_CLOCK_TIME_NONE;
  return time;
}

/* How long ago the frame of this timestamp was recorded, in microseconds. Only a live source's
 * timestamps tell; and nothing that is here is of the future. */
static gint64
get_time_since (GstSlRowMaker *self, const GstSegment *segment, GstClockTime pts)
{
  g_autoptr (GstClock) clock = NULL;
  GstClockTime recorded, now;

  if (segment->format != GST_FORMAT_TIME || !self->live)
    return 0;
  recorded = gst_segment_to_running_time (segment, GST_FORMAT_TIME, follow_encoder (segment, pts));
  clock = gst_element_get_clock (self->settings.element);
  if (!clock || !GST_CLOCK_TIME_IS_VALID (recorded))
    return 0;
  recorded += gst_element_get_base_time (self->settings.element);
  now = gst_clock_get_time (clock);
  return recorded < now ? (gint64)((now - recorded) / GST_USECOND) : 0;
}

/* --- Results on a buffer --- */

static gboolean
is_wanted (const GstSlRowWishes *wishes, const gchar *producer, const gchar *model)
{
  return wishes->producer ? g_strcmp0 (wishes->producer, producer) == 0 : model != NULL;
}

/* The pts of these is the meta's, not yet stream time. */
static SlResult
describe_labels (GstBuffer *buffer, const SlLabelMeta *meta)
{
  const SlGeometryMeta *geometry =
      meta->producer ? sl_buffer_get_geometry_meta (buffer, meta->producer) : NULL;
  SlResult result = {
      .frame = meta->frame,
      .pts = meta->pts,
      .model = meta->model,
      .labels = meta->labels,
      .n_labels = meta->n_labels,
      .producer = meta->producer ? meta->producer : "",
      .age = meta->age,
  };

  if (geometry && geometry->version <= SL_GEOMETRY_META_VERSION && geometry->frame == meta->frame) {
    result.boxes = geometry->boxes;
    result.n_boxes = geometry->n_boxes;
  }
  return result;
}

static SlResult
describe_boxes (const SlGeometryMeta *meta)
{
  return (SlResult){
      .frame = meta->frame,
      .pts = meta->pts,
      .model = meta->model,
      .boxes = meta->boxes,
      .n_boxes = meta->n_boxes,
      .producer = meta->producer ? meta->producer : "",
      .age = meta->age,
  };
}

/* By frame, not by the meta's `fresh`: the buffer that it was fresh on may have been dropped on the
 * way, or repeated (videorate). */
static gboolean
is_new (GstSlRowMaker *self, const SlResult *result)
{
  Seen *seen = g_hash_table_lookup (self->seen, result->producer);
  guint place;

  if (!seen) {
    seen = g_new0 (Seen, 1);
    g_hash_table_insert (self->seen, g_strdup (result->producer), seen);
  }
  for (guint i = 0; i < MIN (seen->n, N_SEEN); i++)
    if (seen->last[i].frame == result->frame && seen->last[i].pts == result->pts)
      return FALSE;
  place = seen->n++ % N_SEEN;
  seen->last[place].frame = result->frame;
  seen->last[place].pts = result->pts;
  return TRUE;
}

/* --- Rows --- */

static void
make_cues (GstSlRowMaker *self)
{
  const SlInterval *interval;

  while ((interval = sl_timeline_next (self->timeline))) {
    g_string_truncate (self->row, 0);
    sl_result_append_cue (self->row, interval);
    self->settings.func (self->settings.data, self->row);
  }
}

/* One time line is told: cues of several would cover each other. */
static void
tell_result (GstSlRowMaker *self, const GstSegment *segment, const SlResult *result)
{
  if (!self->told)
    self->told = g_strdup (result->producer);
  if (!g_str_equal (self->told, result->producer))
    return;
  sl_timeline_add (self->timeline, get_stream_time (segment, result->pts), result->labels,
                   result->n_labels);
  make_cues (self);
}

static void
make_row (GstSlRowMaker *self, const GstSlRowWishes *wishes, const GstSegment *segment,
          SlResult *result)
{
  const GstSlRowMakerSettings *settings = &self->settings;

  if (settings->wall_clock)
    result->wall_time = g_get_real_time () - get_time_since (self, segment, result->pts);
  result->pts = get_stream_time (segment, result->pts);
  result->source = wishes->source ? wishes->source : get_upstream_name (self);
  result->n_labels = MIN (result->n_labels, settings->layout.labels);
  g_string_truncate (self->row, 0);
  sl_result_append (self->row, &settings->layout, result);
  settings->func (settings->data, self->row);
}

/* `pts` is that of the buffer that carries the result; NONE if none did. */
static void
take_result (GstSlRowMaker *self, const GstSlRowWishes *wishes, const GstSegment *segment,
             SlResult *result, const GstClockTime *pts)
{
  if (!is_wanted (wishes, result->producer, result->model))
    return;
  if (self->timeline) {
    if (is_new (self, result))
      tell_result (self, segment, result);
  } else if (wishes->every_frame && pts) {
    result->frame += result->age;
    result->pts = *pts;
    make_row (self, wishes, segment, result);
  } else if (is_new (self, result)) {
    make_row (self, wishes, segment, result);
  }
}

void
gst_sl_row_maker_take (GstSlRowMaker *self, const GstSlRowWishes *wishes, const GstSegment *segment,
                       GstBuffer *buffer, gboolean alone)
{
  const GstClockTime *pts = alone ? NULL : &GST_BUFFER_PTS (buffer);
  gpointer state = NULL;
  GstMeta *meta;

  if (!self->asked_live)
    ask_live (self);
  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, SL_LABEL_META_API_TYPE))) {
    const SlLabelMeta *labels = (SlLabelMeta *)meta;
    SlResult result = describe_labels (buffer, labels);
    if (labels->version <= SL_LABEL_META_VERSION)
      take_result (self, wishes, segment, &result, pts);
  }
  state = NULL;
  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, SL_GEOMETRY_META_API_TYPE))) {
    const SlGeometryMeta *boxes = (SlGeometryMeta *)meta;
    SlResult result = describe_boxes (boxes);
    if (boxes->version <= SL_GEOMETRY_META_VERSION && boxes->n_boxes > 0 &&
        !(boxes->producer && sl_buffer_get_label_meta (buffer, boxes->producer)))
      take_result (self, wishes, segment, &result, pts);
  }

  if (self->timeline && pts) {
    GstClockTime end = get_stream_time (segment, *pts);
    if (GST_CLOCK_TIME_IS_VALID (end) && GST_BUFFER_DURATION_IS_VALID (buffer))
      end += GST_BUFFER_DURATION (buffer);
    self->end = end;
  }
}

void
gst_sl_row_maker_finish (GstSlRowMaker *self)
{
  if (!self->timeline)
    return;
  sl_timeline_close (self->timeline, self->end);
  self->end = GST_CLOCK_TIME_NONE;
  make_cues (self);
}

void
gst_sl_row_maker_reset (GstSlRowMaker *self)
{
  g_hash_table_remove_all (self->seen);
  g_clear_pointer (&self->upstream_name, g_free);
  self->asked_live = FALSE;
}
