/* slheatmap: frames twice as wide, what that means for caps, and what new caps mean for results. */
#include "heat-fixture.h"

static gint
get_out_width (Fixture *fixture)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (fixture->harness->sinkpad);
  gint width = 0;

  gst_structure_get_int (gst_caps_get_structure (caps, 0), "width", &width);
  return width;
}

/* The left half is the frame, the right one what blending gives. */
static void
check_beside (const gchar *format, gint width, gint height)
{
  g_autoptr (Fixture) plain = heat_make (NULL),
                      beside = heat_make ("output", OUTPUT_SIDE_BY_SIDE, NULL);
  g_autoptr (GstBuffer) picture = NULL, blended = NULL, both = NULL;
  GstVideoFrame left, right, frame;
  GstVideoInfo info;

  fixture_set_caps (plain, format, width, height, NULL);
  fixture_set_caps (beside, format, width, height, NULL);
  picture = fixture_frame (plain, RED, 0);
  blended = heat_process (plain, gst_buffer_copy_deep (picture));
  both = heat_process (beside, gst_buffer_copy_deep (picture));
  g_assert_cmpint (get_out_width (beside), ==, 2 * width);
  g_assert_nonnull (sl_buffer_get_label_meta (both, NULL));
  g_assert_nonnull (heat_get_meta (both));
  g_assert_cmpuint (GST_BUFFER_PTS (both), ==, GST_BUFFER_PTS (picture));

  gst_video_info_set_format (&info, GST_VIDEO_INFO_FORMAT (&plain->info), 2 * width, height);
  g_assert_true (gst_video_frame_map (&left, &plain->info, picture, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&right, &plain->info, blended, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&frame, &info, both, GST_MAP_READ));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&left); c++) {
    gint n = GST_VIDEO_FRAME_COMP_WIDTH (&left, c), step = GST_VIDEO_FRAME_COMP_PSTRIDE (&left, c);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&left, c); y++)
      for (gint x = 0; x < n; x++) {
        gsize at = (gsize)y * GST_VIDEO_FRAME_COMP_STRIDE (&left, c) + x * step;
        gsize there = (gsize)y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, c) + x * step;
        const guint8 *out = (guint8 *)GST_VIDEO_FRAME_COMP_DATA (&frame, c) + there;

        g_assert_cmpuint (out[0], ==, ((guint8 *)GST_VIDEO_FRAME_COMP_DATA (&left, c))[at]);
        /* Odd widths: the sample in the middle is shared. */
        if (width % 2 == 0)
          g_assert_cmpuint (out[n * step], ==,
                            ((guint8 *)GST_VIDEO_FRAME_COMP_DATA (&right, c))[at]);
      }
  }
  gst_video_frame_unmap (&frame);
  gst_video_frame_unmap (&right);
  gst_video_frame_unmap (&left);
}

static void
test_beside (void)
{
  check_beside ("I420", 64, 48);
  check_beside ("NV12", 160, 90);
  check_beside ("RGB", 64, 48);
  check_beside ("YUY2", 64, 48);
  check_beside ("A420", 64, 48);
  check_beside ("I420", 161, 91);
  check_beside ("RGBx", 161, 91);
}

/* There and back while playing, and new caps in between. */
static void
test_beside_changes (void)
{
  g_autoptr (Fixture) fixture = heat_make (NULL);

  heat_set_rgb_caps (fixture);
  gst_buffer_unref (heat_process_square (fixture, RED, 0));
  g_assert_cmpint (get_out_width (fixture), ==, SIZE);
  for (guint i = 0; i < 3; i++) {
    g_object_set (fixture->element, "output", OUTPUT_SIDE_BY_SIDE, NULL);
    gst_buffer_unref (heat_process_square (fixture, RED, 1 + 3 * i));
    g_assert_cmpint (get_out_width (fixture), ==, 2 * SIZE);
    fixture_set_caps (fixture, "RGB", SIZE + 10, SIZE, NULL);
    gst_buffer_unref (heat_process_square (fixture, RED, 2 + 3 * i));
    g_assert_cmpint (get_out_width (fixture), ==, 2 * SIZE + 20);
    heat_set_rgb_caps (fixture);
    g_object_set (fixture->element, "output", OUTPUT_BLEND, NULL);
    gst_buffer_unref (heat_process_square (fixture, RED, 3 + 3 * i));
    g_assert_cmpint (get_out_width (fixture), ==, SIZE);
  }
}

static void
check_caps (GstElement *element, const gchar *pad_name, const gchar *filter, const gchar *wanted)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);
  g_autoptr (GstCaps) filter_caps = gst_caps_from_string (filter);
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, filter_caps);
  g_autoptr (GstCaps) wanted_caps = gst_caps_from_string (wanted);
  g_autoptr (GstCaps) width = gst_caps_copy (caps);

  for (guint i = 0; i < gst_caps_get_size (width); i++) {
    GstStructure *structure = gst_caps_get_structure (width, i);
    GValue value = G_VALUE_INIT;

    if (gst_structure_get_value (structure, "width"))
      g_value_init (&value, G_VALUE_TYPE (gst_structure_get_value (structure, "width")));
    if (G_IS_VALUE (&value)) {
      g_value_copy (gst_structure_get_value (structure, "width"), &value);
      gst_structure_remove_all_fields (structure);
      gst_structure_take_value (structure, "width", &value);
    }
  }
  if (!gst_caps_is_equal (width, wanted_caps))
    g_error ("%s: got %s, wanted %s", filter, gst_caps_to_string (width), wanted);
}

/* What a pad says depends on what is behind the other one. */
static void
test_beside_caps (void)
{
  static const struct {
    const gchar *downstream, *wanted;
  } cases[] = {
      {"width=128", "video/x-raw,width=64"},
      {"width=127", NULL},
      {"width=[101,200]", "video/x-raw,width=[51,100]"},
      {"width={64,65,90}", "video/x-raw,width={32,45}"},
      {"width=[1,2147483647]", "video/x-raw,width=[1,1073741823]"},
      {"width=[2,3]", "video/x-raw,width=1"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *text =
        g_strdup_printf ("video/x-raw,format=RGB,%s,height=48,framerate=25/1", cases[i].downstream);
    GstElement *element = gst_element_factory_make ("slheatmap", NULL);
    GstHarness *harness;

    g_object_set (element, "output", OUTPUT_SIDE_BY_SIDE, NULL);
    harness = gst_harness_new_with_element (element, "sink", NULL);
    gst_object_unref (element);
    {
      g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");
      GstPadTemplate *template =
          gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, gst_caps_from_string (text));
      g_autoptr (GstPad) peer = gst_pad_new_from_template (template, "sink");

      if (!cases[i].wanted) { /* no such width comes out */
        g_assert_cmpint (gst_pad_link (src, peer), ==, GST_PAD_LINK_NOFORMAT);
      } else {
        g_assert_cmpint (gst_pad_link (src, peer), ==, GST_PAD_LINK_OK);
        check_caps (element, "sink", "video/x-raw,format=RGB,framerate=25/1,height=48",
                    cases[i].wanted);
      }
      gst_pad_unlink (src, peer);
      gst_object_unref (template);
    }
    gst_harness_teardown (harness);
  }
}

/* What was found in a frame of another size: the label holds, the place does not. */
static void
test_other_size (void)
{
  g_autoptr (Fixture) fixture = heat_make ("interval", 100, NULL);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) out = NULL;

    fixture_set_caps (fixture, "RGB", i == 1 ? SIZE / 2 : SIZE, SIZE, NULL);
    out = heat_process (fixture, i == 0 ? heat_make_square (fixture, SQUARE_X, SQUARE_Y, RED, 0)
                                        : fixture_frame (fixture, BLACK, i));
    g_assert_cmpuint (fixture_best (out), ==, TINY_RED);
    g_assert_true ((sl_buffer_get_geometry_meta (out, NULL) != NULL) == (i != 1));
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/slheatmap-beside/pixels", test_beside);
  g_test_add_func ("/slheatmap-beside/changes", test_beside_changes);
  g_test_add_func ("/slheatmap-beside/caps", test_beside_caps);
  g_test_add_func ("/slheatmap-beside/other-size", test_other_size);
  return fixture_run ();
}
