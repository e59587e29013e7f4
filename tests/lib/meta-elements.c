/* What GStreamer's own elements leave of our metas, and whether boxes and grids still lie where the
 * picture has what they mark. */
#include <sightline-gst/geometry-meta.h>
#include <sightline-gst/label-meta.h>

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#define WIDTH 64
#define HEIGHT 48
#define CAPS "video/x-raw,format=I420,width=64,height=48,framerate=25/1,pixel-aspect-ratio=1/1"

/* The one thing in the picture: white on black. */
#define X 16
#define Y 24
#define W 24
#define H 12

static const gchar *producers[] = {"source", "one", "two"}; /* the first one's is the truth */

static void
add_metas (GstBuffer *buffer)
{
  for (guint i = 0; i < G_N_ELEMENTS (producers); i++) {
    const gchar *model = i == 0 ? NULL : "cafe";
    SlLabelMeta *labels = sl_buffer_add_label_meta (buffer, producers[i], model);
    SlGeometryMeta *geometry = sl_buffer_add_geometry_meta (buffer, producers[i], model);
    gfloat values[] = {1, 0};
    gchar label[] = "white";
    /* The hot half of the grid lies on the white, turned by 90 degrees in the last one. */
    SlHeatGrid grid = {.width = 2, .height = 1, .values = values, .label = label};
    const gdouble flat[] = {2 * W, 0, X, 0, H, Y}, turned[] = {0, W, X, 2 * H, 0, Y};

    memcpy (grid.matrix, i == 2 ? turned : flat, sizeof flat);
    labels->frame = geometry->frame = 7 + i;
    sl_label_meta_append (labels, i, 0.5f, "white");
    sl_geometry_meta_append_box (geometry, X, Y, W, H, i, 0.5f, "white");
    sl_geometry_meta_set_grid (geometry, &grid);
  }
}

static GstBuffer *
make_frame (GstHarness *h, guint n)
{
  GstBuffer *buffer = gst_harness_create_buffer (h, WIDTH * HEIGHT * 3 / 2);
  GstMapInfo map;

  gst_buffer_memset (buffer, 0, 16, WIDTH * HEIGHT);
  gst_buffer_memset (buffer, WIDTH * HEIGHT, 128, -1);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (guint y = Y; y < Y + H; y++)
    memset (map.data + y * WIDTH + X, 235, W);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = n * GST_SECOND / 25;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  add_metas (buffer);
  return buffer;
}

/* The smallest box around what is rather white than black, looking at the first component. */
static SlBox
find_white (GstBuffer *buffer, GstCaps *caps)
{
  gint left = G_MAXINT, top = G_MAXINT, right = -1, bottom = -1;
  GstVideoFrame frame;
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  for (gint y = 0; y < info.height; y++)
    for (gint x = 0; x < info.width; x++) {
      const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (&frame, 0);

      if (data[y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, 0) +
               x * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0)] < 126)
        continue;
      left = MIN (left, x);
      right = MAX (right, x);
      top = MIN (top, y);
      bottom = MAX (bottom, y);
    }
  gst_video_frame_unmap (&frame);
  g_assert_cmpint (right, >=, 0);
  return (SlBox){.x = left, .y = top, .width = right + 1 - left, .height = bottom + 1 - top};
}

/* Edges are blurred by scaling, and found on whole pixels. */
#define TOLERANCE 1.01

static void
assert_on (gdouble x, gdouble y, gdouble width, gdouble height, const SlBox *white)
{
  g_assert_cmpfloat_with_epsilon (x, white->x, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (y, white->y, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (x + width, white->x + white->width, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (y + height, white->y + white->height, TOLERANCE);
}

/* Box and the grid's hot half, (0, 0) to (1/2, 1) of the unit square, against the white. */
static void
check_geometry (const SlGeometryMeta *meta, const SlBox *white)
{
  const SlBox *box = &meta->boxes[0];
  const gdouble *m = meta->grid.matrix;

  g_assert_cmpuint (meta->n_boxes, ==, 1);
  g_assert_cmpstr (box->label, ==, "white");
  assert_on (box->x, box->y, box->width, box->height, white);
  g_assert_cmpuint (meta->grid.width, ==, 2);
  g_assert_cmpfloat (meta->grid.values[0], ==, 1);
  g_assert_cmpstr (meta->grid.label, ==, "white");
  assert_on (m[2], m[5], m[0] / 2 + m[1], m[3] / 2 + m[4], white);
}

typedef struct {
  const gchar *name, *launch;
  gboolean labels, geometry; /* whether they are left */
} Case;

static void
check_buffer (const Case *c, GstBuffer *buffer, GstCaps *caps)
{
  SlBox white;

  if (c->geometry)
    white = find_white (buffer, caps);
  g_assert_cmpuint (gst_buffer_get_n_meta (buffer, SL_LABEL_META_API_TYPE), ==,
                    c->labels ? G_N_ELEMENTS (producers) : 0);
  g_assert_cmpuint (gst_buffer_get_n_meta (buffer, SL_GEOMETRY_META_API_TYPE), ==,
                    c->geometry ? G_N_ELEMENTS (producers) : 0);
  for (guint i = 0; i < G_N_ELEMENTS (producers); i++) {
    const SlLabelMeta *labels = sl_buffer_get_label_meta (buffer, producers[i]);
    const SlGeometryMeta *geometry = sl_buffer_get_geometry_meta (buffer, producers[i]);

    if (c->labels) {
      g_assert_cmpuint (labels->frame, ==, 7 + i);
      g_assert_cmpstr (labels->model, ==, i == 0 ? NULL : "cafe");
      g_assert_cmpuint (labels->n_labels, ==, 1);
      g_assert_cmpuint (labels->labels[0].index, ==, i);
      g_assert_cmpstr (labels->labels[0].label, ==, "white");
    }
    if (c->geometry) {
      g_assert_cmpuint (geometry->frame, ==, 7 + i);
      check_geometry (geometry, &white);
    }
  }
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autofree gchar *line = g_strdup_printf ("%s ! capsfilter", c->launch);
  GstHarness *h = gst_harness_new_parse (line);
  guint n = 0;
  GstBuffer *buffer;

  gst_harness_set_src_caps_str (h, CAPS);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (gst_harness_push (h, make_frame (h, i)), ==, GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h)) || (n == 0 && (buffer = gst_harness_pull (h)))) {
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);

    check_buffer (c, buffer, caps);
    gst_buffer_unref (buffer);
    n++;
  }
  g_assert_cmpuint (n, >, 0);
  gst_harness_teardown (h);
}

#define SQUARE ",pixel-aspect-ratio=1/1"

static const Case cases[] = {
    {"identity", "identity", TRUE, TRUE},
    {"queue", "queue", TRUE, TRUE},
    {"tee", "tee name=t ! queue ! fakesink t. ! queue", TRUE, TRUE},
    {"videorate", "videorate ! video/x-raw,framerate=50/1", TRUE, TRUE},
    {"videoconvert", "videoconvert ! video/x-raw,format=RGB", TRUE, TRUE},
    {"videoconvert/same", "videoconvert", TRUE, TRUE},
    {"videoscale/half", "videoscale ! video/x-raw,width=32,height=24", TRUE, TRUE},
    {"videoscale/odd", "videoscale ! video/x-raw,width=41,height=31", TRUE, TRUE},
    {"videoscale/pixels", "videoscale ! video/x-raw,width=32,height=40", TRUE, TRUE},
    {"videoscale/borders", "videoscale ! video/x-raw,width=48,height=48" SQUARE, TRUE, FALSE},
    {"videoscale/stretched", "videoscale add-borders=false ! video/x-raw,width=48,height=48" SQUARE,
     TRUE, FALSE},
    {"videoconvertscale", "videoconvertscale ! video/x-raw,format=RGB,width=200,height=150", TRUE,
     TRUE},
    {"videocrop", "videocrop left=16 top=8", TRUE, FALSE},
    {"videobox", "videobox left=8 top=-8", TRUE, FALSE},
    /* Not `method`, which 1.22.0 overlooks at construction. */
    {"videoflip", "videoflip video-direction=90r", TRUE, FALSE},
    {"videobalance", "videobalance hue=0.5", TRUE, TRUE},
    {"gamma", "gamma gamma=1.2", TRUE, TRUE},
    {"alpha", "alpha alpha=0.5 ! video/x-raw,format=AYUV", TRUE, FALSE},
    {"deinterlace", "deinterlace mode=interlaced", FALSE, FALSE},
    {"jpegenc", "jpegenc ! jpegdec", TRUE, TRUE},
    {"pngenc", "videoconvert ! pngenc ! pngdec ! videoconvert ! video/x-raw,format=GRAY8", TRUE,
     TRUE},
    {"vp8enc", "vp8enc deadline=1 ! vp8dec", TRUE, TRUE},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path = g_strconcat ("/meta-elements/", cases[i].name, NULL);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  return g_test_run ();
}
