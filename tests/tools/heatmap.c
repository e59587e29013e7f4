/* `sightline heatmap`: maps of a network whose weights are known, on pictures whose colours are. */
#include "tiny-model.h"
#include "tool.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <json-glib/json-glib.h>
#include <string.h>

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = tool_folder_new ();
  g_free (tiny_model_write (self->folder, "tiny.onnx", TINY_METADATA));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  tool_folder_remove (self->folder);
  g_free (self->folder);
}

/* 64x48 pixels: red in the top left corner, blue elsewhere. The red class gives 20 for a red pixel
 * and -10 for a blue one. */
#define WIDTH 64
#define HEIGHT 48
#define CORNER                                                                             \
  "videotestsrc num-buffers=1 pattern=red ! video/x-raw,format=AYUV,width=24,height=18 ! " \
  "videobox right=-40 bottom=-30 fill=blue ! videoconvert ! video/x-raw,format=RGB ! "
#define MOVIE                                                                                 \
  "videotestsrc num-buffers=12 pattern=red ! video/x-raw,width=64,height=48,framerate=4/1 ! " \
  "jpegenc quality=95 ! matroskamux ! filesink"

static gboolean
is_in_corner (int x, int y)
{
  return x < 24 && y < 18;
}

/* --- rows --- */

static JsonObject *
parse_row (const char *line, JsonParser *parser)
{
  g_autoptr (GError) error = NULL;
  json_parser_load_from_data (parser, line, -1, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (parser));
}

static void
test_rows (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autoptr (JsonParser) parser = json_parser_new ();
  if (!tool_make_clip (self->folder, "corner.png", CORNER "pngenc ! filesink"))
    return;
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--target", "RED", "corner.png", "-o",
            "-", NULL);
  tool_assert_ok (&run);
  g_assert_cmpuint (tool_count_lines (run.out), ==, 1);
  JsonObject *row = parse_row (run.out, parser);
  g_assert_cmpstr (json_object_get_string_member (row, "source"), ==, "corner.png");
  g_assert_cmpstr (json_object_get_string_member (row, "label"), ==, "red");
  g_assert_cmpint (json_object_get_int_member (row, "index"), ==, TINY_RED);
  g_assert_cmpint (json_object_get_int_member (row, "width"), ==, TINY_SIZE);
  g_assert_cmpint (json_object_get_int_member (row, "height"), ==, TINY_SIZE);
  g_assert_cmpuint (strlen (json_object_get_string_member (row, "model")), ==, 64);
  const double matrix[] = {WIDTH, 0, 0, 0, HEIGHT, 0};
  for (guint i = 0; i < 6; i++)
    g_assert_cmpfloat (
        json_array_get_double_element (json_object_get_array_member (row, "matrix"), i), ==,
        matrix[i]);
  JsonArray *values = json_object_get_array_member (row, "values");
  g_assert_cmpuint (json_array_get_length (values), ==, TINY_SIZE * TINY_SIZE);
  for (guint y = 0; y < TINY_SIZE; y++)
    for (guint x = 0; x < TINY_SIZE; x++) {
      /* A cell of the network's input is 8x6 pixels; those at the edge mix. */
      gboolean red = x < 2 && y<2, blue = x> 3 || y > 3;
      double value = json_array_get_double_element (values, y * TINY_SIZE + x);
      if (red)
        g_assert_cmpfloat_with_epsilon (value, 20, 0.5);
      if (blue)
        g_assert_cmpfloat_with_epsilon (value, -10, 0.5);
    }
}

static void
test_rows_of_clip (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *path = tool_path (self->folder, "maps.jsonl");
  g_autofree char *text = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  if (!tool_make_clip (self->folder, "in.mkv", MOVIE))
    return;
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--every", "4", "--from", "1",
            "in.mkv", "-o", "maps.jsonl", NULL);
  tool_assert_ok (&run);
  g_assert_cmpstr (run.out, ==, "");
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (tool_count_lines (text), ==, 2);
  for (int i = 0; i < 2; i++) {
    JsonObject *row = parse_row (lines[i], parser);
    g_assert_cmpint (json_object_get_int_member (row, "frame"), ==, 4 + 4 * i);
    g_assert_cmpfloat_with_epsilon (json_object_get_double_member (row, "pts"), 1 + i, 0.01);
  }
}

/* --- pictures --- */

typedef struct {
  int width, height;
  guint8 *rgb;
} Picture;

static void
picture_clear (Picture *picture)
{
  g_free (picture->rgb);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

static void
read_picture (const char *folder, const char *name, Picture *picture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = tool_path (folder, name);
  g_autofree char *launch =
      g_strdup_printf ("filesrc location=\"%s\" ! pngdec ! videoconvert ! "
                       "video/x-raw,format=RGB ! appsink name=sink sync=false",
                       path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstSample) sample =
      gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 20 * GST_SECOND);
  GstVideoInfo info;
  GstVideoFrame frame;
  g_assert_nonnull (sample);
  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_true (gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
  g_clear_pointer (&picture->rgb, g_free);
  picture->width = info.width;
  picture->height = info.height;
  picture->rgb = g_malloc (3 * (gsize)info.width * info.height);
  for (int y = 0; y < info.height; y++)
    memcpy (picture->rgb + 3 * y * info.width,
            (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
            3 * info.width);
  gst_video_frame_unmap (&frame);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static const guint8 *
pixel (const Picture *picture, int x, int y)
{
  return picture->rgb + 3 * (y * picture->width + x);
}

static void
test_blend (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_auto (Picture) before = {0}, after = {0};
  if (!tool_make_clip (self->folder, "corner.png", CORNER "pngenc ! filesink"))
    return;
  read_picture (self->folder, "corner.png", &before);
  for (int blue = 0; blue < 2; blue++) {
    tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--colormap", "grey", "--opacity",
              "1", "--target", blue ? "blue" : "red", "corner.png", "-o", "seen.png", NULL);
    tool_assert_ok (&run);
    g_assert_cmpstr (run.out, ==, "");
    read_picture (self->folder, "seen.png", &after);
    g_assert_cmpint (after.width, ==, WIDTH);
    g_assert_cmpint (after.height, ==, HEIGHT);
    /* The hottest is the colour map's white, the coldest as it was; the cells at the edge between
     * them mix, and interpolation reaches half a cell further. */
    for (int y = 0; y < HEIGHT; y++)
      for (int x = 0; x < WIDTH; x++) {
        if (ABS (x - 24) < 12 || ABS (y - 18) < 12)
          continue;
        for (int k = 0; k < 3; k++)
          if (is_in_corner (x, y) != blue)
            g_assert_cmpint (pixel (&after, x, y)[k], >, 230);
          else
            g_assert_cmpint (ABS (pixel (&after, x, y)[k] - pixel (&before, x, y)[k]), <, 16);
      }
  }
}

/* JPEG's EXIF part with one entry, the orientation. */
static void
set_orientation (const char *folder, const char *name, guint8 orientation)
{
  const guint8 exif[] = {0xff, 0xe1, 0, 34, 'E',         'x', 'i', 'f', 0,    0,    'I', 'I',
                         42,   0,    8, 0,  0,           0,   1,   0,   0x12, 0x01, 3,   0,
                         1,    0,    0, 0,  orientation, 0,   0,   0,   0,    0,    0,   0};
  g_autofree char *path = tool_path (folder, name);
  g_autofree char *bytes = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_byte_array_append (out, (guint8 *)bytes, 2);
  g_byte_array_append (out, exif, sizeof exif);
  g_byte_array_append (out, (guint8 *)bytes + 2, (guint)size - 2);
  g_assert_true (g_file_set_contents (path, (char *)out->data, out->len, NULL));
}

/* The picture is turned for the reader, and so is what lies on it. */
static void
test_orientation (Fixture *self, gconstpointer data)
{
  /* Where the corner of the stored picture comes to lie. */
  static const struct {
    gboolean right, below, on_side;
  } expected[] = {{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {0, 1, 0},
                  {0, 0, 1}, {1, 0, 1}, {1, 1, 1}, {0, 1, 1}};
  g_auto (ToolRun) run = {0};
  g_auto (Picture) mask = {0};
  for (guint8 i = 0; i < 8; i++) {
    if (!tool_make_clip (self->folder, "turned.jpg", CORNER "jpegenc quality=95 ! filesink"))
      return;
    set_orientation (self->folder, "turned.jpg", i + 1);
    tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--style", "mask", "--threshold",
              "0.5", "--target", "red", "turned.jpg", "-o", "seen.png", NULL);
    tool_assert_ok (&run);
    read_picture (self->folder, "seen.png", &mask);
    g_assert_cmpint (mask.width, ==, expected[i].on_side ? HEIGHT : WIDTH);
    g_assert_cmpint (mask.height, ==, expected[i].on_side ? WIDTH : HEIGHT);
    const int wide = expected[i].on_side ? 18 : 24, high = expected[i].on_side ? 24 : 18;
    for (int y = 0; y < mask.height; y++)
      for (int x = 0; x < mask.width; x++) {
        int from_x = expected[i].right ? mask.width - 1 - x : x;
        int from_y = expected[i].below ? mask.height - 1 - y : y;
        if (ABS (from_x - wide) < 6 || ABS (from_y - high) < 6)
          continue;
        g_assert_cmpint (pixel (&mask, x, y)[0], ==, from_x < wide && from_y < high ? 255 : 0);
      }
  }
}

static void
test_folder (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_auto (Picture) picture = {0};
  if (!tool_make_clip (self->folder, "a.png", CORNER "pngenc ! filesink") ||
      !tool_make_clip (self->folder, "b.jpg", CORNER "jpegenc ! filesink") ||
      !tool_make_clip (self->folder, "c.mkv", MOVIE))
    return;
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "a.png", "b.jpg", "c.mkv", "-o",
            "seen/", NULL);
  tool_assert_ok (&run);
  static const char *const names[] = {"seen/a.png", "seen/b.png", "seen/c.png"};
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    read_picture (self->folder, names[i], &picture);
    g_assert_cmpint (picture.width, ==, WIDTH);
  }
  /* Of two inputs for one name the first is written, and the second said to be not. */
  g_assert_true (tool_make_clip (self->folder, "b.png", CORNER "pngenc ! filesink"));
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "b.jpg", "b.png", "-o", "seen", NULL);
  tool_assert_error (&run, 1, "b.png is another input's");
}

/* --- clips --- */

/* All frames and the sound are there, and each frame is painted. */
static void
test_clip (Fixture *self, gconstpointer data)
{
  static const char *const names[] = {"seen.mkv", "seen.mp4", "seen.webm"};
  g_auto (ToolRun) run = {0};
  g_auto (Picture) picture = {0};
  if (!tool_make_clip (self->folder, "in.mkv",
                       "audiotestsrc num-buffers=86 samplesperbuffer=1024 ! vorbisenc ! queue ! m. "
                       "videotestsrc num-buffers=8 pattern=red ! "
                       "video/x-raw,format=AYUV,width=24,height=18,framerate=4/1 ! "
                       "videobox right=-40 bottom=-30 fill=blue ! videoconvert ! "
                       "jpegenc quality=95 ! queue ! m. matroskamux name=m ! filesink"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--target", "red", "--style",
              "mask", "--threshold", "0.5", "in.mkv", "-o", names[i], NULL);
    tool_assert_ok (&run);
    g_assert_cmpstr (run.out, ==, "");
    g_assert_nonnull (strstr (run.err, "whole, 8 frames"));
    /* What was written is a clip like any other: its last frame as a picture. */
    tool_run (&run, self->folder, "classify", "-m", "tiny.onnx", "-f", "jsonl", names[i], NULL);
    tool_assert_ok (&run);
    g_assert_cmpuint (tool_count_lines (run.out), ==, 8);
    tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--opacity", "0", "--from", "1.7",
              names[i], "-o", "last.png", NULL);
    tool_assert_ok (&run);
    read_picture (self->folder, "last.png", &picture);
    g_assert_cmpint (pixel (&picture, 8, 6)[1], >, 200);
    g_assert_cmpint (pixel (&picture, 56, 40)[1], <, 50);
  }
}

/* --- what goes wrong --- */

static void
test_errors (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *out = tool_path (self->folder, "out.png");
  g_autofree char *text = NULL;
  if (!tool_make_clip (self->folder, "corner.png", CORNER "pngenc ! filesink"))
    return;
  g_assert_true (g_file_set_contents (out, "before", -1, NULL));
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--target", "purple", "corner.png",
            "-o", "out.png", NULL);
  tool_assert_error (&run, 2, "purple: no such class");
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--target", "4", "corner.png", "-o",
            "out.png", NULL);
  tool_assert_error (&run, 2, "4: no such class");
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "missing.png", "-o", "out.png", NULL);
  tool_assert_error (&run, 1, "missing.png");
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "corner.png", "corner.png", "-o",
            "out.png", NULL);
  tool_assert_error (&run, 1, "2 inputs for one picture");
  g_assert_true (g_file_get_contents (out, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "before");
  if (!tool_make_clip (self->folder, "in.mkv", MOVIE))
    return;
  tool_run (&run, self->folder, "heatmap", "-m", "tiny.onnx", "--from", "100", "in.mkv", "-o",
            "out.png", NULL);
  tool_assert_error (&run, 1, "no frame in the time asked for");
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  for (const char *name = g_dir_read_name (dir); name; name = g_dir_read_name (dir))
    g_assert_cmpint (name[0], !=, '.');
}

/* Of a network with another head, class activation maps are refused, with the layer named;
 * gradients have maps. */
static void
test_other_head (Fixture *self, gconstpointer data)
{
  g_auto (ToolRun) run = {0};
  const char *folder = tool_data ();
  if (!folder)
    return;
  g_autofree char *model = g_build_filename (folder, "models", "winml_mnist.onnx", NULL);
  g_autofree char *rules = tool_path (self->folder, "rules.ini");
  g_assert_true (
      g_file_set_contents (rules,
                           "[sightline]\ncolor=gray\nrange=0..255\nmean=0\nstd=1\nresize=stretch\n"
                           "output=logits\n",
                           -1, NULL));
  if (!tool_make_clip (self->folder, "x.png", CORNER "pngenc ! filesink"))
    return;
  tool_run (&run, self->folder, "heatmap", "-m", model, "--preprocess", rules, "--method", "cam",
            "x.png", "-o", "out.png", NULL);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_nonnull (strstr (run.err, "node Pooling160 (MaxPool)"));
  tool_run (&run, self->folder, "heatmap", "-m", model, "--preprocess", rules, "x.png", "-o", "-",
            NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "\"width\":14,\"height\":14"));
  tool_run (&run, self->folder, "heatmap", "-m", model, "--preprocess", rules, "--method",
            "layercam", "--layer", "Plus30", "--target", "3", "--against", "8", "x.png", "-o", "-",
            NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "\"width\":28,\"height\":28"));
  tool_run (&run, self->folder, "heatmap", "-m", model, "--preprocess", rules, "--method", "grad",
            "x.png", "-o", "-", NULL);
  tool_assert_error (&run, 2, "unknown method grad (expected one of auto, cam, gradcam,");
}

#define ADD(name, function) \
  g_test_add ("/tools/heatmap/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  ADD ("rows", test_rows);
  ADD ("rows-of-clip", test_rows_of_clip);
  ADD ("blend", test_blend);
  ADD ("orientation", test_orientation);
  ADD ("folder", test_folder);
  ADD ("clip", test_clip);
  ADD ("errors", test_errors);
  ADD ("other-head", test_other_head);
  return g_test_run ();
}
