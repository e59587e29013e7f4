/* Where slheatmap sees the shape of a scene, held against where sltestsrc put it: on the running
 * pipeline, with the built-in network. Each frame is a scene of its own. */
#include "fixture.h"

#include <sightline-gst/geometry-meta.h>

typedef struct Score {
  guint frames, named;  /* all; with the right label first */
  guint shapes, inside; /* that show a shape; with the map's maximum in its box */
  guint covered;        /* whose box has an IoU of at least a half with the map's */
} Score;

/* Where the hottest cell has its centre, in pixels. */
static void
find_maximum (const SlHeatGrid *grid, gdouble *ret_x, gdouble *ret_y)
{
  const gdouble *m = grid->matrix;
  guint best = 0;
  gdouble u, v;

  for (guint i = 1; i < grid->width * grid->height; i++)
    if (grid->values[i] > grid->values[best])
      best = i;
  u = (best % grid->width + 0.5) / grid->width;
  v = (best / grid->width + 0.5) / grid->height;
  *ret_x = m[0] * u + m[1] * v + m[2];
  *ret_y = m[3] * u + m[4] * v + m[5];
}

/* Intersection over union. */
static gdouble
get_overlap (const SlBox *a, const SlBox *b)
{
  gdouble width = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x);
  gdouble height = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);
  gdouble both = MAX (width, 0) * MAX (height, 0);

  return both / (a->width * a->height + b->width * b->height - both);
}

static GstPadProbeReturn
score_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  const SlGeometryMeta *truth = sl_buffer_get_geometry_meta (buffer, "truth");
  const SlGeometryMeta *found = sl_buffer_get_geometry_meta (buffer, "heat");
  const SlLabelMeta *labels = sl_buffer_get_label_meta (buffer, "heat");
  Score *score = data;
  gdouble x, y;

  g_assert_true (truth && found && labels);
  g_assert_cmpuint (found->age, ==, 0);
  g_assert_cmpuint (labels->frame, ==, truth->frame);
  score->frames++;
  score->named += g_str_equal (labels->labels[0].label,
                               sl_buffer_get_label_meta (buffer, "truth")->labels[0].label);
  if (truth->n_boxes == 0)
    return GST_PAD_PROBE_OK;
  score->shapes++;
  g_assert_cmpuint (found->grid.width, >, 0);
  find_maximum (&found->grid, &x, &y);
  score->inside += x >= truth->boxes[0].x && x < truth->boxes[0].x + truth->boxes[0].width &&
                   y >= truth->boxes[0].y && y < truth->boxes[0].y + truth->boxes[0].height;
  score->covered += found->n_boxes > 0 && get_overlap (&found->boxes[0], &truth->boxes[0]) >= 0.5;
  return GST_PAD_PROBE_OK;
}

static Score
run (const gchar *properties, const gchar *caps, const gchar *method)
{
  g_autofree gchar *line =
      g_strdup_printf ("sltestsrc name=truth turn=0.04 %s ! video/x-raw,framerate=25/1,%s ! "
                       "slheatmap name=heat output=none method=%s ! fakesink name=sink",
                       properties, caps, method);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error), sink = NULL;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstPad) pad = NULL;
  Score score = {0};

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, score_frame, &score, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_assert_no_error (error);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_test_message ("%s, %s, %s: right label in %u of %u frames; maximum inside the box in %u of %u "
                  "(%.1f %%), IoU at least 0.5 in %u (%.1f %%)",
                  properties, caps, method, score.named, score.frames, score.inside, score.shapes,
                  100.0 * score.inside / score.shapes, score.covered,
                  100.0 * score.covered / score.shapes);
  return score;
}

/* What the project promises; check_scenes.py says how far above that the network is. */
static void
expect_promise (const Score *score, guint frames)
{
  g_assert_cmpuint (score->frames, ==, frames);
  g_assert_cmpuint (score->shapes, >, frames / 2);
  g_assert_cmpuint (100 * score->named, >=, 95 * score->frames);
  g_assert_cmpuint (100 * score->inside, >=, 95 * score->shapes);
  g_assert_cmpuint (100 * score->covered, >=, 70 * score->shapes);
}

static void
test_default (void)
{
  Score score = run ("num-buffers=220 seed=11", "width=640,height=360", "cam");

  expect_promise (&score, 220);
}

static void
test_gradcam (void)
{
  Score score = run ("num-buffers=220 seed=11", "width=640,height=360", "gradcam");

  expect_promise (&score, 220);
}

static void
test_hard (void)
{
  Score score =
      run ("num-buffers=220 seed=12 difficulty=1", "format=I420,width=321,height=241", "cam");

  expect_promise (&score, 220);
}

static void
test_upright (void)
{
  Score score =
      run ("num-buffers=110 seed=13 session=1", "format=NV12,width=180,height=320", "cam");

  expect_promise (&score, 110);
}

/* A network that was trained on large shapes is lost with specks: the score can fall. */
static void
test_specks (void)
{
  Score score = run ("num-buffers=66 seed=14 min-size=0.02 max-size=0.04 class=star",
                     "width=320,height=180", "cam");

  g_assert_cmpuint (100 * score.named, <, 50 * score.frames);
  g_assert_cmpuint (100 * score.covered, <, 20 * score.shapes);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/slheatmap-scenes/default", test_default);
  g_test_add_func ("/slheatmap-scenes/gradcam", test_gradcam);
  g_test_add_func ("/slheatmap-scenes/hard", test_hard);
  g_test_add_func ("/slheatmap-scenes/upright", test_upright);
  g_test_add_func ("/slheatmap-scenes/specks", test_specks);
  return fixture_run ();
}
