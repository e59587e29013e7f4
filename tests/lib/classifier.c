/* Frames to scores, with the tiny network of known answers. */
#include "tiny-model.h"

#include <glib/gstdio.h>
#include <sightline-gst/classifier.h>

static gchar *folder;

static SlClassifier *
make_classifier (TinyFlags flags, const gchar *label_file, SlModelRules **ret_rules, GError **error)
{
  g_autofree gchar *path = tiny_model_write (folder, "tiny.onnx", flags);
  g_autoptr (SlModel) model = sl_model_load (path, NULL, error);

  g_assert_nonnull (model);
  *ret_rules = sl_model_rules_new (model, NULL, label_file, error);
  return *ret_rules ? sl_classifier_new (model, *ret_rules, NULL, error) : NULL;
}

/* Classifies a solid RGB frame of a size. */
static const float *
classify (SlClassifier *classifier, gint width, gint height, guint32 rgb)
{
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GError) error = NULL;
  const float *scores = NULL;
  GstVideoFrame frame;
  GstVideoInfo info;
  uint32_t n = 0;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE));
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++) {
      guint8 *pixel = (guint8 *)frame.data[0] + y * frame.info.stride[0] + 3 * x;

      pixel[0] = rgb >> 16;
      pixel[1] = rgb >> 8;
      pixel[2] = rgb;
    }
  g_assert_true (sl_classifier_set_info (classifier, &info, &error));
  g_assert_true (sl_classifier_run (classifier, &frame, &scores, &n, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, TINY_CLASSES);
  gst_video_frame_unmap (&frame);
  return scores;
}

static void
check_colors (TinyFlags flags)
{
  g_autoptr (GError) error = NULL;
  SlModelRules *rules;
  SlClassifier *classifier = make_classifier (flags, NULL, &rules, &error);
  static const guint32 colors[] = {0xff0000, 0x00ff00, 0x0000ff, 0x000000};
  static const gint sizes[][2] = {{64, 48}, {1, 1}, {7, 300}, {8, 8}};

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint k = 0; k < TINY_CLASSES; k++) {
      const float *scores = classify (classifier, sizes[i][0], sizes[i][1], colors[k]);
      float sum = 0;

      for (guint c = 0; c < TINY_CLASSES; c++)
        sum += scores[c];
      g_assert_cmpfloat (ABS (sum - 1), <, 1e-4f);
      g_assert_cmpfloat (scores[k], >, k == TINY_NONE ? 0.8f : 0.99f);
    }
  sl_classifier_free (classifier);
  sl_model_rules_free (rules);
}

static void
test_colors (void)
{
  check_colors (TINY_METADATA);
}

static void
test_assumed (void)
{
  check_colors (TINY_PLAIN);
}

static void
test_logits (void)
{
  check_colors (TINY_METADATA | TINY_LOGITS);
}

static void
test_bgr (void)
{
  g_autoptr (GError) error = NULL;
  SlModelRules *rules;
  SlClassifier *classifier = make_classifier (TINY_METADATA | TINY_BGR, NULL, &rules, &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (classify (classifier, 16, 16, 0xff0000)[TINY_BLUE], >, 0.99f);
  sl_classifier_free (classifier);
  sl_model_rules_free (rules);
}

/* A property's rule beats the file's. */
static void
test_rule_set (void)
{
  g_autofree gchar *path = tiny_model_write (folder, "tiny.onnx", TINY_METADATA | TINY_BGR);
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = sl_model_load (path, NULL, &error);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_autoptr (SlClassifier) classifier = NULL;

  g_assert_no_error (error);
  g_assert_true (sl_model_rules_set (rules, "color", "rgb", &error));
  classifier = sl_classifier_new (model, rules, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (classify (classifier, 16, 16, 0xff0000)[TINY_RED], >, 0.99f);
  g_clear_pointer (&classifier, sl_classifier_free);

  g_assert_false (sl_model_rules_set (rules, "color", "mauve", &error));
  g_assert_nonnull (strstr (error->message, "mauve"));
}

static void
test_labels_do_not_fit (void)
{
  g_autofree gchar *labels = g_build_filename (folder, "two.txt", NULL);
  g_autoptr (GError) error = NULL;
  SlModelRules *rules;
  SlClassifier *classifier;

  g_assert_true (g_file_set_contents (labels, "one\ntwo\n", -1, NULL));
  classifier = make_classifier (TINY_METADATA, labels, &rules, &error);
  g_assert_null (classifier);
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  g_assert_nonnull (strchr (error->message, '4'));
  g_assert_nonnull (strchr (error->message, '2'));
  sl_model_rules_free (rules);
}

static void
test_nan (void)
{
  g_autoptr (GError) error = NULL;
  SlModelRules *rules;
  SlClassifier *classifier = make_classifier (TINY_METADATA | TINY_NAN, NULL, &rules, &error);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 64, NULL);
  const float *scores = NULL;
  GstVideoFrame frame;
  GstVideoInfo info;
  uint32_t n = 0;

  g_assert_no_error (error);
  gst_buffer_memset (buffer, 0, 0, -1);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, 8, 8);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  g_assert_true (sl_classifier_set_info (classifier, &info, &error));
  g_assert_false (sl_classifier_run (classifier, &frame, &scores, &n, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_NUMERIC);
  g_assert_nonnull (strstr (error->message, "score")); /* the node that made it */
  g_assert_null (scores);
  gst_video_frame_unmap (&frame);
  sl_classifier_free (classifier);
  sl_model_rules_free (rules);
}

static void
test_too_large (void)
{
  g_autoptr (GError) error = NULL;
  SlModelRules *rules;
  SlClassifier *classifier = make_classifier (TINY_METADATA, NULL, &rules, &error);
  GstVideoInfo info;

  g_assert_no_error (error);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, SL_IMAGE_MAX_SIZE + 1, 1);
  g_assert_false (sl_classifier_set_info (classifier, &info, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_LIMIT);
  sl_classifier_free (classifier);
  sl_model_rules_free (rules);
}

/* Two frames under way at once: both are sampled before either is executed. */
static void
test_slots (void)
{
  g_autofree gchar *path = tiny_model_write (folder, "tiny.onnx", TINY_METADATA);
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = sl_model_load (path, NULL, &error);
  g_autoptr (SlModelRules) rules = sl_model_rules_new (model, NULL, NULL, &error);
  g_autoptr (SlClassifier) classifier =
      sl_classifier_new (model, rules, &(SlClassifierOptions){.n_slots = 2}, &error);
  static const guint32 colors[] = {0xff0000, 0x0000ff};
  const float *scores[2];
  uint32_t n;

  g_assert_no_error (error);
  for (guint slot = 0; slot < 2; slot++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 8 * 8 * 4, NULL);
    GstVideoFrame frame;
    GstVideoInfo info;

    gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBx, 8, 8);
    g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE));
    for (guint i = 0; i < 64; i++)
      GST_WRITE_UINT32_BE ((guint8 *)frame.data[0] + 4 * i, colors[slot] << 8);
    g_assert_true (sl_classifier_set_info (classifier, &info, &error));
    g_assert_true (sl_classifier_sample (classifier, slot, &frame, FALSE, &error));
    gst_video_frame_unmap (&frame);
  }
  for (guint slot = 0; slot < 2; slot++)
    g_assert_true (sl_classifier_execute (classifier, slot, &scores[slot], &n, &error));
  g_assert_cmpfloat (scores[0][TINY_RED], >, 0.99f);
  g_assert_cmpfloat (scores[1][TINY_BLUE], >, 0.99f);
}

static void
test_orientation_tag (void)
{
  /* In the order of EXIF's numbers, as GStreamer's EXIF reader names them. */
  static const gchar *names[] = {"rotate-0",        "flip-rotate-0",   "rotate-180",
                                 "flip-rotate-180", "flip-rotate-270", "rotate-90",
                                 "flip-rotate-90",  "rotate-270"};
  g_autoptr (GstTagList) none = gst_tag_list_new (GST_TAG_TITLE, "upright", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstTagList) tags = gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION, names[i], NULL);

    g_assert_cmpuint (sl_orientation_from_tags (tags), ==, i + 1);
  }
  g_assert_cmpuint (sl_orientation_from_tags (none), ==, 1);
}

/* Where the input lies follows the orientation. */
static void
test_placement (void)
{
  g_autoptr (GError) error = NULL;
  SlModelRules *rules;
  SlClassifier *classifier = make_classifier (TINY_METADATA, NULL, &rules, &error);
  double m[6];

  classify (classifier, 64, 48, 0xff0000);
  sl_classifier_get_placement (classifier, m);
  g_assert_cmpfloat (m[0], ==, 64);
  g_assert_cmpfloat (m[4], ==, 48);
  g_assert_true (m[1] == 0 && m[2] == 0 && m[3] == 0 && m[5] == 0);

  sl_classifier_set_orientation (classifier, 6);
  classify (classifier, 64, 48, 0xff0000);
  sl_classifier_get_placement (classifier, m);
  /* The viewer's top left is the frame's bottom left, and to the right is up. */
  g_assert_true (m[0] == 0 && m[1] == 64 && m[2] == 0);
  g_assert_true (m[3] == -48 && m[4] == 0 && m[5] == 48);
  sl_classifier_free (classifier);
  sl_model_rules_free (rules);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  folder = g_dir_make_tmp ("sightline-classifier-XXXXXX", NULL);
  g_test_add_func ("/classifier/colors", test_colors);
  g_test_add_func ("/classifier/assumed", test_assumed);
  g_test_add_func ("/classifier/logits", test_logits);
  g_test_add_func ("/classifier/bgr", test_bgr);
  g_test_add_func ("/classifier/rule-set", test_rule_set);
  g_test_add_func ("/classifier/labels-do-not-fit", test_labels_do_not_fit);
  g_test_add_func ("/classifier/nan", test_nan);
  g_test_add_func ("/classifier/too-large", test_too_large);
  g_test_add_func ("/classifier/slots", test_slots);
  g_test_add_func ("/classifier/orientation-tag", test_orientation_tag);
  g_test_add_func ("/classifier/placement", test_placement);
  status = g_test_run ();
  tiny_folder_remove (folder);
  g_free (folder);
  return status;
}
