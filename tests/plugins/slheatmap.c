/* slheatmap: the map of a known network, on the frame, in it and beside it. */
#include "heat-fixture.h"

#include <sightline/explain.h>

/* --- Results --- */

static void
check_square_grid (const SlHeatGrid *grid)
{
  g_assert_cmpuint (grid->width, ==, TINY_SIZE);
  g_assert_cmpuint (grid->height, ==, TINY_SIZE);
  g_assert_cmpfloat (grid->low, ==, 0);
  g_assert_cmpfloat_with_epsilon (grid->high, 20, 0.5); /* the network's weight, times 1 */
  for (gint j = 0; j < TINY_SIZE; j++)
    for (gint i = 0; i < TINY_SIZE; i++) {
      gfloat value = grid->values[j * TINY_SIZE + i];

      /* The filter that shrinks the picture reaches half a cell beyond. */
      if (i >= 2 && i < 6 && j >= 3 && j < 7)
        g_assert_cmpfloat (value, >, 0.7f);
      else if (i < 1 || i > 6 || j < 2)
        g_assert_cmpfloat (value, <, 0.01f);
    }
}

static void
check_square_box (const SlBox *box)
{
  g_assert_cmpfloat_with_epsilon (box->x, SQUARE_X, 4);
  g_assert_cmpfloat_with_epsilon (box->y, SQUARE_Y, 4);
  g_assert_cmpfloat_with_epsilon (box->x + box->width, SQUARE_X + SQUARE_SIZE, 4);
  g_assert_cmpfloat_with_epsilon (box->y + box->height, SQUARE_Y + SQUARE_SIZE, 4);
}

static void
test_meta (void)
{
  g_autoptr (Fixture) fixture = heat_make (NULL);
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (fixture->element));
  const gdouble whole[6] = {SIZE, 0, 0, 0, SIZE, 0};
  g_autoptr (GstBuffer) buffer = NULL;
  const SlGeometryMeta *meta;
  const SlLabelMeta *labels;

  heat_set_rgb_caps (fixture);
  gst_buffer_unref (heat_process_square (fixture, RED, 0));
  buffer = heat_process_square (fixture, GREEN, 1);
  meta = heat_get_meta (buffer);
  labels = sl_buffer_get_label_meta (buffer, name);
  g_assert_nonnull (meta);
  g_assert_cmpuint (labels->labels[0].index, ==, TINY_GREEN);
  g_assert_cmpstr (meta->producer, ==, name);
  g_assert_cmpstr (meta->model, ==, labels->model);
  g_assert_cmpuint (meta->frame, ==, 1);
  g_assert_cmpuint (meta->pts, ==, GST_SECOND / 25);
  g_assert_cmpuint (meta->age, ==, 0);
  g_assert_true (meta->fresh);
  check_square_grid (&meta->grid);
  g_assert_cmpuint (meta->grid.index, ==, TINY_GREEN);
  g_assert_cmpstr (meta->grid.label, ==, "green");
  g_assert_cmpmem (meta->grid.matrix, sizeof whole, whole, sizeof whole);
  g_assert_cmpuint (meta->n_boxes, ==, 1);
  check_square_box (&meta->boxes[0]);
  g_assert_cmpuint (meta->boxes[0].index, ==, TINY_GREEN);
  g_assert_cmpstr (meta->boxes[0].label, ==, "green");
  g_assert_cmpfloat (meta->boxes[0].score, ==, labels->labels[0].score);
}

static void
test_message (void)
{
  g_autoptr (Fixture) fixture = heat_make (NULL);
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *structure, *box;
  g_autoptr (GstStructure) map = NULL;
  const GValue *boxes;
  gdouble x;

  heat_set_rgb_caps (fixture);
  gst_buffer_unref (heat_process_square (fixture, BLUE, 0));
  message = fixture_wait (fixture, GST_MESSAGE_ELEMENT);
  structure = gst_message_get_structure (message);
  g_assert_true (gst_structure_has_name (structure, "slheatmap"));
  g_assert_nonnull (gst_structure_get_value (structure, "labels"));
  g_assert_true (gst_structure_get (structure, "map", GST_TYPE_STRUCTURE, &map, NULL));
  g_assert_cmpstr (gst_structure_get_string (map, "label"), ==, "blue");
  boxes = gst_structure_get_value (structure, "boxes");
  g_assert_cmpuint (gst_value_list_get_size (boxes), ==, 1);
  box = gst_value_get_structure (gst_value_list_get_value (boxes, 0));
  g_assert_true (gst_structure_get_double (box, "x", &x));
  g_assert_cmpfloat_with_epsilon (x, SQUARE_X, 4);
  g_assert_cmpstr (gst_structure_get_string (box, "label"), ==, "blue");
}

static const SlHeatGrid *
find_target (Fixture *fixture, const gchar *target, guint n, GstBuffer **ret)
{
  GstBuffer *buffer = heat_make_square (fixture, 0, 0, GREEN, n);
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, &fixture->info, buffer, GST_MAP_READWRITE));
  heat_fill (&frame, 40, 40, 16, RED);
  gst_video_frame_unmap (&frame);
  g_object_set (fixture->element, "target", target, NULL);
  *ret = heat_process (fixture, buffer);
  g_assert_cmpuint (fixture_best (*ret), ==, TINY_GREEN);
  return &heat_get_meta (*ret)->grid;
}

/* A class that is not the best one; while playing. */
static void
test_target (void)
{
  static const gchar *red[] = {"red", "RED", "0"};
  g_autoptr (Fixture) fixture = heat_make (NULL);
  const SlHeatGrid *grid;
  GstMessage *warning;
  GstBuffer *buffer;

  heat_set_rgb_caps (fixture);
  grid = find_target (fixture, "top", 0, &buffer);
  g_assert_cmpuint (grid->index, ==, TINY_GREEN);
  g_assert_cmpfloat (grid->values[TINY_SIZE + 1], >, 0.9f);
  g_assert_cmpfloat (grid->values[5 * TINY_SIZE + 5], ==, 0); /* red speaks against green */
  gst_buffer_unref (buffer);
  for (guint i = 0; i < G_N_ELEMENTS (red); i++) {
    grid = find_target (fixture, red[i], 1 + i, &buffer);
    g_assert_cmpuint (grid->index, ==, TINY_RED);
    g_assert_cmpfloat (grid->values[5 * TINY_SIZE + 5], >, 0.9f);
    g_assert_cmpfloat (grid->values[TINY_SIZE + 1], ==, 0);
    gst_buffer_unref (buffer);
  }
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING));

  /* Said once; labels go on. */
  for (guint i = 0; i < 3; i++) {
    grid = find_target (fixture, i < 2 ? "violet" : "4", 4 + i, &buffer);
    g_assert_cmpuint (grid->width, ==, 0);
    g_assert_cmpuint (heat_get_meta (buffer)->n_boxes, ==, 0);
    gst_buffer_unref (buffer);
  }
  for (guint i = 0; i < 3; i++) {
    warning = gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING);
    g_assert_true ((warning != NULL) == (i < 2)); /* "4" is another target */
    g_clear_pointer (&warning, gst_message_unref);
  }
  grid = find_target (fixture, "blue", 7, &buffer);
  g_assert_cmpuint (grid->index, ==, TINY_BLUE);
  g_assert_cmpfloat (grid->high, ==, 0); /* there is no blue */
  g_assert_cmpuint (heat_get_meta (buffer)->n_boxes, ==, 0);
  gst_buffer_unref (buffer);
}

/* The picture as it is stored lies on its side: the grid lies so too. */
static void
test_orientation (void)
{
  g_autoptr (Fixture) fixture = heat_make (NULL);
  GstTagList *tags = gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION, "rotate-90", NULL);
  g_autoptr (GstBuffer) buffer = NULL;
  const SlGeometryMeta *meta;

  heat_set_rgb_caps (fixture);
  gst_harness_push_event (fixture->harness, gst_event_new_tag (tags));
  buffer = heat_process_square (fixture, RED, 0);
  meta = heat_get_meta (buffer);
  g_assert_cmpfloat (meta->grid.matrix[0], ==, 0);
  g_assert_cmpfloat (meta->grid.matrix[4], ==, 0);
  check_square_box (&meta->boxes[0]);
  /* And it is drawn where the square is. */
  g_assert_cmpuint (heat_get_byte (buffer, SQUARE_X + 16, SQUARE_Y + 16, 0), <, 255);
  g_assert_cmpuint (heat_get_byte (buffer, 2, 2, 0) + heat_get_byte (buffer, 2, 2, 1), ==, 0);
}

static void
test_smoothing (void)
{
  g_autoptr (Fixture) fixture =
      heat_make ("smoothing", 0.5f, "output", OUTPUT_NONE, "target", "red", NULL);
  g_autoptr (GstBuffer) first = NULL, second = NULL, third = NULL;
  const SlHeatGrid *grid;
  GstSegment segment;

  heat_set_rgb_caps (fixture);
  first = heat_process (fixture, heat_make_square (fixture, 0, 0, RED, 0));
  second = heat_process (fixture, heat_make_square (fixture, 32, 32, RED, 1));
  grid = &heat_get_meta (second)->grid;
  g_assert_cmpfloat_with_epsilon (grid->values[TINY_SIZE + 1], 1, 0.01);
  g_assert_cmpfloat_with_epsilon (grid->values[6 * TINY_SIZE + 6], 1, 0.01);
  g_assert_cmpfloat_with_epsilon (grid->high, 10, 0.1);

  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  third = heat_process (fixture, heat_make_square (fixture, 0, 0, RED, 2));
  grid = &heat_get_meta (third)->grid;
  g_assert_cmpfloat_with_epsilon (grid->values[TINY_SIZE + 1], 1, 0.01);
  g_assert_cmpfloat (grid->values[6 * TINY_SIZE + 6], <, 0.01f);
}

static void
test_box_threshold (void)
{
  g_autoptr (Fixture) fixture = heat_make ("output", OUTPUT_NONE, "box-threshold", 0.95f, NULL);
  g_autoptr (GstBuffer) narrow = NULL, wide = NULL;

  heat_set_rgb_caps (fixture);
  narrow = heat_process_square (fixture, RED, 0);
  g_object_set (fixture->element, "box-threshold", 0.05f, NULL);
  wide = heat_process_square (fixture, RED, 1);
  g_assert_cmpfloat (heat_get_meta (narrow)->boxes[0].width + 4, <,
                     heat_get_meta (wide)->boxes[0].width);
}

static void
test_no_average (void)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "max.onnx", TINY_METADATA | TINY_MAX);
  g_autoptr (Fixture) fixture =
      fixture_new ("slheatmap", "model-file", path, "method", SL_EXPLAIN_CAM, NULL);

  heat_set_rgb_caps (fixture);
  g_assert_cmpint (gst_harness_push (fixture->harness, fixture_frame (fixture, RED, 0)), ==,
                   GST_FLOW_ERROR);
  fixture_expect_error (fixture, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                        "node average (GlobalMaxPool)");
}

/* --- Pictures --- */

/* Each style, changed while playing. */
static void
test_outputs (void)
{
  g_autoptr (Fixture) fixture = heat_make ("colormap", SL_COLORMAP_GREY, "opacity", 1.0f, NULL);
  const gint cx = SQUARE_X + 16, cy = SQUARE_Y + 16;
  GstBuffer *buffer;

  heat_set_rgb_caps (fixture);
  buffer = heat_process_square (fixture, RED, 0);
  for (gint c = 0; c < 3; c++) {
    g_assert_cmpuint (heat_get_byte (buffer, cx, cy, c), >, 245); /* white: the hottest grey */
    g_assert_cmpuint (heat_get_byte (buffer, 2, 2, c), ==, 0);
  }
  gst_buffer_unref (buffer);

  g_object_set (fixture->element, "opacity", 0.5f, NULL);
  buffer = heat_process_square (fixture, RED, 1);
  g_assert_cmpuint (heat_get_byte (buffer, cx, cy, 0), >, 245);
  g_assert_cmpfloat_with_epsilon (heat_get_byte (buffer, cx, cy, 1), 127, 6);
  gst_buffer_unref (buffer);

  g_object_set (fixture->element, "output", OUTPUT_MAP, "colormap", SL_COLORMAP_VIRIDIS, NULL);
  buffer = heat_process_square (fixture, RED, 2);
  g_assert_cmpuint (heat_get_byte (buffer, cx, cy, 0), >, 220); /* yellow */
  g_assert_cmpuint (heat_get_byte (buffer, 2, 2, 0), ==, 0x44); /* viridis begins at 440154 */
  g_assert_cmpuint (heat_get_byte (buffer, 2, 2, 2), ==, 0x54);
  gst_buffer_unref (buffer);

  g_object_set (fixture->element, "output", OUTPUT_MASK, NULL);
  buffer = heat_process_square (fixture, RED, 3);
  for (gint c = 0; c < 3; c++) {
    g_assert_cmpuint (heat_get_byte (buffer, cx, cy, c), ==, 255);
    g_assert_cmpuint (heat_get_byte (buffer, 2, 2, c), ==, 0);
  }
  gst_buffer_unref (buffer);

  g_object_set (fixture->element, "output", OUTPUT_NONE, NULL);
  buffer = heat_process_square (fixture, RED, 4);
  g_assert_cmpuint (heat_get_byte (buffer, cx, cy, 0), ==, 255);
  g_assert_cmpuint (heat_get_byte (buffer, cx, cy, 1), ==, 0);
  gst_buffer_unref (buffer);

  /* Hot places only. */
  g_object_set (fixture->element, "output", OUTPUT_BLEND, "heat-threshold", 1.0f, NULL);
  buffer = heat_process_square (fixture, RED, 5);
  g_assert_cmpuint (heat_get_byte (buffer, SQUARE_X + 1, SQUARE_Y + 1, 1), ==, 0);
  gst_buffer_unref (buffer);
}

/* Maps and masks are shown from the first frame on: without a result all is cold. */
static void
test_before_first_result (void)
{
  g_autoptr (Fixture) fixture =
      heat_make ("output", OUTPUT_MASK, "interval", 1000, "attach", ATTACH_FRESH, NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  heat_set_rgb_caps (fixture);
  gst_buffer_unref (heat_process_square (fixture, RED, 0));
  buffer = heat_process_square (fixture, RED, 1);
  g_assert_null (heat_get_meta (buffer));
  g_assert_cmpuint (heat_get_byte (buffer, SQUARE_X + 16, SQUARE_Y + 16, 0), ==, 0);
}

/* Frames of which nobody else knows are drawn into where they lie; others are copied, once; with
 * output=none none is. */
static void
test_copies (void)
{
  g_autoptr (Fixture) fixture = heat_make (NULL);
  GstBuffer *buffer, *kept;
  GstMemory *memory;

  heat_set_rgb_caps (fixture);
  buffer = heat_make_square (fixture, SQUARE_X, SQUARE_Y, RED, 0);
  memory = gst_buffer_peek_memory (buffer, 0);
  buffer = heat_process (fixture, buffer);
  g_assert_true (gst_buffer_peek_memory (buffer, 0) == memory);
  g_assert_cmpuint (heat_get_byte (buffer, SQUARE_X + 16, SQUARE_Y + 16, 0), <, 255);
  gst_buffer_unref (buffer);

  buffer = heat_make_square (fixture, SQUARE_X, SQUARE_Y, RED, 1);
  kept = gst_buffer_ref (buffer);
  buffer = heat_process (fixture, buffer);
  g_assert_true (gst_buffer_peek_memory (buffer, 0) != gst_buffer_peek_memory (kept, 0));
  g_assert_cmpuint (heat_get_byte (kept, SQUARE_X + 16, SQUARE_Y + 16, 0), ==, 255);
  gst_buffer_unref (buffer);
  gst_buffer_unref (kept);

  g_object_set (fixture->element, "output", OUTPUT_NONE, NULL);
  buffer = heat_make_square (fixture, SQUARE_X, SQUARE_Y, RED, 2);
  kept = gst_buffer_ref (buffer);
  buffer = heat_process (fixture, buffer);
  g_assert_true (gst_buffer_peek_memory (buffer, 0) == gst_buffer_peek_memory (kept, 0));
  g_assert_nonnull (heat_get_meta (buffer));
  g_assert_null (heat_get_meta (kept));
  gst_buffer_unref (buffer);
  gst_buffer_unref (kept);
}

static void
add_foreign_grid (GstBuffer *buffer)
{
  SlGeometryMeta *meta = sl_buffer_add_geometry_meta (buffer, "elsewhere", NULL);
  gfloat values[2] = {1, 0};
  gchar label[] = "thing";
  SlHeatGrid grid = {.width = 2,
                     .height = 1,
                     .values = values,
                     .label = label,
                     .matrix = {SIZE, 0, 0, 0, SIZE, 0}};

  sl_geometry_meta_set_grid (meta, &grid);
}

/* A grid that is there already is drawn; the network has a rest. */
static void
test_draws_only (void)
{
  g_autoptr (Fixture) fixture = heat_make ("colormap", SL_COLORMAP_GREY, "opacity", 1.0f, NULL);
  g_autoptr (GstBuffer) drawn = NULL, own = NULL;
  GstBuffer *buffer;

  heat_set_rgb_caps (fixture);
  buffer = heat_make_square (fixture, SQUARE_X, SQUARE_Y, RED, 0);
  add_foreign_grid (buffer);
  drawn = heat_process (fixture, buffer);
  g_assert_cmpuint (heat_get_byte (drawn, 4, 4, 1), ==, 255);
  g_assert_cmpuint (heat_get_byte (drawn, SIZE - 4, 4, 1), ==, 0);
  g_assert_null (sl_buffer_get_label_meta (drawn, NULL));
  g_assert_cmpuint (heat_get_stat (fixture, "inferred"), ==, 0);
  own = heat_process_square (fixture, RED, 1);
  g_assert_cmpuint (heat_get_stat (fixture, "inferred"), ==, 1);
  g_assert_cmpuint (heat_get_byte (own, 4, 4, 1), ==, 0);
}

/* Truth from a source has boxes, but no grid. */
static void
test_looks_despite_truth (void)
{
  g_autoptr (Fixture) fixture = heat_make (NULL);
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *buffer;

  heat_set_rgb_caps (fixture);
  buffer = heat_make_square (fixture, SQUARE_X, SQUARE_Y, RED, 0);
  sl_geometry_meta_append_box (sl_buffer_add_geometry_meta (buffer, "truth", NULL), 1, 2, 3, 4, 0,
                               1, "red");
  out = heat_process (fixture, buffer);
  g_assert_cmpuint (heat_get_stat (fixture, "inferred"), ==, 1);
  g_assert_cmpuint (heat_get_meta (out)->grid.width, ==, TINY_SIZE);
}

/* --- Formats --- */

/* Every raw format goes in; a frame without heat comes out bit by bit. */
static void
test_formats (void)
{
  static const gint sizes[][2] = {{1, 1}, {3, 5}, {161, 91}};
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);
  g_autoptr (Fixture) fixture = heat_make (NULL);
  guint n = 0;

  for (guint i = 0; i < n_formats; i++) {
    const gchar *name = gst_video_format_to_string (formats[i]);
    const GstVideoFormatInfo *finfo = gst_video_format_get_info (formats[i]);

    if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
      continue;
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++) {
      g_autoptr (GstBuffer) cold = NULL, before = NULL, hot = NULL, plain = NULL;
      GstMapInfo a, b;

      fixture_set_caps (fixture, name, sizes[j][0], sizes[j][1], NULL);
      before = fixture_frame (fixture, BLACK, n++);
      cold = heat_process (fixture, gst_buffer_copy_deep (before));
      g_assert_true (gst_buffer_map (before, &a, GST_MAP_READ));
      g_assert_true (gst_buffer_map (cold, &b, GST_MAP_READ));
      g_assert_cmpmem (a.data, a.size, b.data, b.size);
      gst_buffer_unmap (before, &a);
      gst_buffer_unmap (cold, &b);

      if (GST_VIDEO_FORMAT_INFO_IS_GRAY (finfo))
        continue; /* the network knows colours only */
      plain = fixture_frame (fixture, RED, n++);
      hot = heat_process (fixture, gst_buffer_copy_deep (plain));
      g_assert_true (gst_buffer_map (plain, &a, GST_MAP_READ));
      g_assert_true (gst_buffer_map (hot, &b, GST_MAP_READ));
      if (fixture_best (hot) == TINY_RED && memcmp (a.data, b.data, a.size) == 0)
        g_error ("%s %dx%d is not drawn into", name, sizes[j][0], sizes[j][1]);
      gst_buffer_unmap (plain, &a);
      gst_buffer_unmap (hot, &b);
    }
  }
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
}

/* A palette has no room for colours of heat: said once, and frames pass. */
static void
test_palette (void)
{
  g_autoptr (Fixture) fixture = heat_make ("output", OUTPUT_MAP, NULL);
  GstMessage *message;

  fixture_set_caps (fixture, "RGB8P", 32, 32, NULL);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&fixture->info), NULL);

    gst_buffer_memset (buffer, 0, 0, -1);
    gst_buffer_unref (heat_process (fixture, buffer));
  }
  message = gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_unref (message);
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
}

/* --- Streams --- */

static void
test_flush_and_eos (void)
{
  g_autoptr (Fixture) fixture = heat_make ("interval", 3, NULL);
  g_autoptr (GstBuffer) carried = NULL, gap = NULL, after = NULL;
  GstEvent *event;
  GstBuffer *buffer;
  GstSegment segment;

  heat_set_rgb_caps (fixture);
  gst_buffer_unref (heat_process_square (fixture, RED, 0));
  carried = heat_process_square (fixture, RED, 1);
  g_assert_cmpuint (heat_get_meta (carried)->age, ==, 1);
  g_assert_false (heat_get_meta (carried)->fresh);
  g_assert_cmpuint (heat_get_byte (carried, SQUARE_X + 16, SQUARE_Y + 16, 0), <, 255);

  buffer = gst_buffer_new ();
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  GST_BUFFER_PTS (buffer) = 2 * GST_SECOND / 25;
  gap = heat_process (fixture, buffer);
  g_assert_cmpuint (gst_buffer_get_size (gap), ==, 0);

  gst_harness_push_event (fixture->harness, gst_event_new_flush_start ());
  gst_harness_push_event (fixture->harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  after = heat_process_square (fixture, BLUE, 5);
  g_assert_cmpuint (heat_get_meta (after)->grid.index, ==, TINY_BLUE);
  g_assert_cmpuint (heat_get_meta (after)->age, ==, 0);

  g_assert_true (gst_harness_push_event (fixture->harness, gst_event_new_eos ()));
  do {
    event = gst_harness_pull_event (fixture->harness);
    g_assert_nonnull (event);
    gst_event_unref (event);
  } while (GST_EVENT_TYPE (event) != GST_EVENT_EOS);
}

/* Everything that can change does, on frames that go on. */
static void
test_changes_while_playing (void)
{
  static const gchar *formats[] = {"RGB", "I420", "NV12", "BGRx", "Y42B"};
  g_autoptr (Fixture) fixture = heat_make (NULL);

  for (guint i = 0; i < 60; i++) {
    if (i % 4 == 0)
      fixture_set_caps (fixture, formats[i / 4 % G_N_ELEMENTS (formats)], 40 + i, 30 + i % 7, NULL);
    g_object_set (fixture->element, "output", i % 5, "colormap", i % SL_COLORMAP_COUNT, "opacity",
                  (i % 11) / 10.0f, "heat-threshold", (i % 3) / 3.0f, "box-threshold",
                  (i % 7) / 7.0f, "smoothing", (i % 2) / 2.0f, "target", i % 6 ? "top" : "green",
                  NULL);
    gst_buffer_unref (fixture_process (fixture, i % 2 ? RED : GREEN, i));
  }
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
}

static void
test_states (void)
{
  g_autoptr (Fixture) fixture = heat_make (NULL);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  for (guint i = 0; i < 5; i++) {
    g_object_set (fixture->element, "output", i % 5, NULL);
    heat_set_rgb_caps (fixture);
    if (i != 2)
      gst_buffer_unref (heat_process_square (fixture, RED, 0));
    gst_element_set_state (fixture->element, GST_STATE_NULL);
    gst_element_set_state (fixture->element, GST_STATE_PLAYING);
    gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (fixture->harness,
                                  "video/x-raw,format=RGB,width=64,height=64,framerate=25/1");
    gst_harness_push_event (fixture->harness, gst_event_new_segment (&segment));
  }
}

/* --- Scenes --- */

typedef struct {
  guint frames, hits, boxes;
} Score;

static gdouble
get_overlap (const SlBox *a, const SlBox *b)
{
  gdouble width = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x);
  gdouble height = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);
  gdouble both = MAX (width, 0) * MAX (height, 0);

  return both / (a->width * a->height + b->width * b->height - both);
}

static void
judge (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  const SlGeometryMeta *found = sl_buffer_get_geometry_meta (buffer, "heat");
  const SlGeometryMeta *truth = sl_buffer_get_geometry_meta (buffer, "truth");
  const SlHeatGrid *grid;
  const SlBox *box;
  Score *score = data;
  gdouble u, v, x, y;
  guint hottest = 0;

  g_assert_nonnull (found);
  g_assert_nonnull (truth);
  if (truth->n_boxes == 0)
    return; /* nothing to find */
  grid = &found->grid;
  box = &truth->boxes[0];
  for (guint i = 1; i < grid->width * grid->height; i++)
    if (grid->values[i] > grid->values[hottest])
      hottest = i;
  u = (hottest % grid->width + 0.5) / grid->width;
  v = (hottest / grid->width + 0.5) / grid->height;
  x = grid->matrix[0] * u + grid->matrix[1] * v + grid->matrix[2];
  y = grid->matrix[3] * u + grid->matrix[4] * v + grid->matrix[5];
  score->frames++;
  score->hits +=
      x >= box->x && x <= box->x + box->width && y >= box->y && y <= box->y + box->height;
  score->boxes += found->n_boxes > 0 && get_overlap (&found->boxes[0], box) >= 0.5;
}

/* The built-in network finds what the source has drawn, another scene in each frame. */
static void
test_scenes (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("sltestsrc name=truth turn=0.03 num-buffers=300 ! "
                        "video/x-raw,format=I420,width=320,height=240 ! "
                        "slheatmap name=heat output=none ! fakesink name=sink signal-handoffs=true",
                        &error);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  Score score = {0};

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  bus = gst_element_get_bus (pipeline);
  g_signal_connect (sink, "handoff", G_CALLBACK (judge), &score);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 120 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    g_assert_no_error (error);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_test_message ("%u frames: hottest cell in the box %u, box overlaps by half %u", score.frames,
                  score.hits, score.boxes);
  g_assert_cmpuint (score.frames, >, 200);
  g_assert_cmpuint (100 * score.hits, >=, 95 * score.frames);
  g_assert_cmpuint (100 * score.boxes, >=, 60 * score.frames);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/slheatmap/meta", test_meta);
  g_test_add_func ("/slheatmap/message", test_message);
  g_test_add_func ("/slheatmap/target", test_target);
  g_test_add_func ("/slheatmap/orientation", test_orientation);
  g_test_add_func ("/slheatmap/smoothing", test_smoothing);
  g_test_add_func ("/slheatmap/box-threshold", test_box_threshold);
  g_test_add_func ("/slheatmap/no-average", test_no_average);
  g_test_add_func ("/slheatmap/outputs", test_outputs);
  g_test_add_func ("/slheatmap/before-first-result", test_before_first_result);
  g_test_add_func ("/slheatmap/copies", test_copies);
  g_test_add_func ("/slheatmap/draws-only", test_draws_only);
  g_test_add_func ("/slheatmap/looks-despite-truth", test_looks_despite_truth);
  g_test_add_func ("/slheatmap/formats", test_formats);
  g_test_add_func ("/slheatmap/palette", test_palette);
  g_test_add_func ("/slheatmap/flush-and-eos", test_flush_and_eos);
  g_test_add_func ("/slheatmap/changes-while-playing", test_changes_while_playing);
  g_test_add_func ("/slheatmap/states", test_states);
  g_test_add_func ("/slheatmap/scenes", test_scenes);
  return fixture_run ();
}
