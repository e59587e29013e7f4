#include <sightline-gst/samples.h>

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* A folder that goes with the test. */
static char *
make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("sl-samples-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *inner = g_build_filename (path, name, NULL);
    if (g_file_test (inner, G_FILE_TEST_IS_DIR) && !g_file_test (inner, G_FILE_TEST_IS_SYMLINK))
      remove_tree (inner);
    else
      g_unlink (inner);
  }
  g_rmdir (path);
}

static void
put (const char *folder, const char *name, const void *data, gsize length)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *above = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (above, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, data, (gssize)length, NULL));
}

static void
put_bytes (const char *folder, const char *name, GBytes *bytes)
{
  put (folder, name, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* A file of one colour. */
static GBytes *
make_picture (const char *type, guint width, guint height, guint8 r, guint8 g, guint8 b)
{
  GstVideoInfo info;
  GstMapInfo map;
  g_autoptr (GError) error = NULL;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBx, width, height);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; i += 4)
    memcpy (map.data + i, (guint8[4]){r, g, b, 255}, 4);
  gst_buffer_unmap (buffer, &map);
  g_autoptr (GstCaps) raw = gst_video_info_to_caps (&info);
  g_autoptr (GstCaps) wanted = gst_caps_new_empty_simple (type);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, raw, NULL, NULL);
  g_autoptr (GstSample) file = gst_video_convert_sample (sample, wanted, 10 * GST_SECOND, &error);
  g_assert_no_error (error);
  gst_buffer_map (gst_sample_get_buffer (file), &map, GST_MAP_READ);
  GBytes *bytes = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (gst_sample_get_buffer (file), &map);
  return bytes;
}

static void
put_picture (const char *folder, const char *name, guint8 r, guint8 g, guint8 b)
{
  g_autoptr (GBytes) bytes =
      make_picture (g_str_has_suffix (name, "png") ? "image/png" : "image/jpeg", 20, 10, r, g, b);
  put_bytes (folder, name, bytes);
}

/* The colour in the middle of a sample, as a network would get it. */
static void
check_color (SlSampleSource *source, uint32_t index, int r, int g, int b)
{
  SlSample sample;
  SlPreprocess rules;
  float rgb[3];
  const ptrdiff_t strides[3] = {1, 3, 3};
  g_autoptr (GError) error = NULL;
  sl_sample_source_load (source, index, &sample, &error);
  g_assert_no_error (error);
  sl_preprocess_init (&rules, 1, 1, 3);
  rules.scale = 1;
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&sample.info, &rules, 1, &error);
  g_assert_no_error (error);
  g_assert_true (sl_image_sample (sampler, &sample.image, rgb, strides));
  sl_sample_source_release (source, &sample);
  g_assert_cmpfloat_with_epsilon (rgb[0], (float)r, 4);
  g_assert_cmpfloat_with_epsilon (rgb[1], (float)g, 4);
  g_assert_cmpfloat_with_epsilon (rgb[2], (float)b, 4);
}

static SlSampleSource *
open_part (const char *path, SlDataPart part, const SlSamplesOptions *options,
           SlSamplesReport **ret_report)
{
  g_autoptr (GError) error = NULL;
  SlSampleSource *source = sl_samples_open (path, part, options, ret_report, &error);
  g_assert_no_error (error);
  return source;
}

static void
check_refused (const char *path, SlDataPart part, const SlSamplesOptions *options, int code,
               const char *text)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (sl_samples_open (path, part, options, NULL, &error));
  g_assert_error (error, SL_ERROR, code);
  g_assert_nonnull (strstr (error->message, text));
  g_assert_null (strchr (error->message, '\n'));
}

static void
put_good (const char *folder)
{
  put_picture (folder, "cat/b.jpg", 200, 30, 40);
  put_picture (folder, "cat/a.png", 10, 220, 30);
  put_picture (folder, "dog/c.jpeg", 20, 40, 210);
  put_picture (folder, "Ant/d.JPG", 128, 128, 128);
}

/* Everything that can be wrong with a file is listed with a reason, and nothing else suffers. */
static void
put_bad (const char *folder)
{
  g_autoptr (GBytes) jpeg = make_picture ("image/jpeg", 64, 64, 90, 100, 110);
  g_autoptr (GBytes) png = make_picture ("image/png", 64, 64, 90, 100, 110);
  gsize n_jpeg, n_png;
  const guint8 *jpeg_data = g_bytes_get_data (jpeg, &n_jpeg);
  const guint8 *png_data = g_bytes_get_data (png, &n_png);
  put (folder, "cat/cut.jpg", jpeg_data, n_jpeg - 40);
  put (folder, "cat/cut.png", png_data, n_png - 20);
  put (folder, "dog/empty.jpg", "", 0);
  put (folder, "dog/text.png", "no picture at all", 17);
  put (folder, "dog/head.jpg", jpeg_data, 3);
  /* 65,535 x 65,535 pixels stated: refused before they are allocated */
  g_autofree guint8 *huge = g_memdup2 (jpeg_data, n_jpeg);
  guint8 *size = memmem (huge, n_jpeg, "\xff\xc0", 2);
  memset (size + 5, 0xff, 4);
  put (folder, "dog/huge.jpg", huge, n_jpeg);
  g_autofree guint8 *wide = g_memdup2 (png_data, n_png);
  memcpy (wide + 16, "\x00\x00\xff\xff\x00\x00\xff\xff", 8);
  put (folder, "dog/wide.png", wide, n_png);
  /* no pictures, and so nobody's business */
  put (folder, "dog/notes.txt", "x", 1);
  put (folder, "dog/.hidden.jpg", "x", 1);
  put (folder, "top.jpg", jpeg_data, n_jpeg);
}

static void
check_set (SlSampleSource *source, const char *const *names, guint n)
{
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, n);
  g_assert_cmpstr (sl_sample_source_get_class_names (source)[0], ==, "Ant");
  g_assert_cmpuint (sl_sample_source_get_n_classes (source), ==, 3);
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = sl_sample_source_describe (source, i);
    g_assert_true (g_str_has_suffix (name, names[i]));
  }
}

static void
test_folder (void)
{
  static const char *const names[] = {"Ant/d.JPG", "cat/a.png", "cat/b.jpg", "dog/c.jpeg"};
  char *folder = make_folder ();
  put_good (folder);
  put_bad (folder);
  /* with pictures in memory, and decoded each time */
  for (int small = 0; small < 2; small++) {
    g_autoptr (SlSamplesReport) report = NULL;
    const SlSamplesOptions options = {.memory_limit = small ? 1 : 0, .threads = small ? 1 : 3};
    g_autoptr (SlSampleSource) source = open_part (folder, SL_PART_TRAIN, &options, &report);
    check_set (source, names, 4);
    check_color (source, 0, 128, 128, 128);
    check_color (source, 1, 10, 220, 30);
    check_color (source, 2, 200, 30, 40);
    check_color (source, 3, 20, 40, 210);
    g_assert_cmpuint (sl_sample_source_get_label (source, 2), ==, 1);
    g_assert_false (sl_sample_source_has_groups (source));

    g_assert_cmpuint (report->n_files, ==, 11);
    g_assert_cmpuint (report->n_ignored, ==, 2);
    g_assert_cmpuint (g_strv_length (report->unreadable), ==, 7);
    g_assert_cmpuint (report->unreadable_counts[1], ==, 2);
    g_assert_cmpuint (report->unreadable_counts[2], ==, 5);
    g_assert_cmpuint (report->n_kept, ==, small ? 0 : 4);
    g_assert_cmpuint (report->width[0], ==, 20);
    g_assert_cmpuint (report->height[1], ==, 10);
    static const char *const reasons[] = {
        "cut.jpg: the JPEG picture stops before its end",
        "cut.png: the PNG picture stops before its end",
        "empty.jpg: cannot be decoded",
        "head.jpg: the JPEG picture has no content",
        "huge.jpg: the picture has 4294836225 pixels",
        "text.png: cannot be decoded",
        "wide.png: the picture has 4294836225 pixels",
    };
    for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++) {
      if (!strstr (report->unreadable[i], reasons[i]))
        g_test_message ("%s", report->unreadable[i]);
      g_assert_nonnull (strstr (report->unreadable[i], reasons[i]));
    }
  }
  remove_tree (folder);
  g_free (folder);
}

/* What is gone after opening is an error of that sample alone. */
static void
test_vanished (void)
{
  char *folder = make_folder ();
  put_good (folder);
  const SlSamplesOptions options = {.memory_limit = 1};
  g_autoptr (SlSampleSource) source = open_part (folder, SL_PART_TRAIN, &options, NULL);
  g_autofree char *gone = g_build_filename (folder, "cat/a.png", NULL);
  g_unlink (gone);
  SlSample sample;
  g_autoptr (GError) error = NULL;
  g_assert_false (sl_sample_source_load (source, 1, &sample, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
  check_color (source, 2, 200, 30, 40);
  remove_tree (folder);
  g_free (folder);
}

static void
test_parts (void)
{
  char *folder = make_folder ();
  put_picture (folder, "train/b/1.jpg", 9, 9, 9);
  put_picture (folder, "train/c/1.jpg", 9, 9, 9);
  put_picture (folder, "test/a/1.jpg", 9, 9, 9);
  put_picture (folder, "extra/a/1.jpg", 9, 9, 9);
  put_picture (folder, "Validation/c/1.jpg", 9, 9, 9);
  put_picture (folder, "Validation/c/2.jpg", 9, 9, 9);
  static const struct {
    uint32_t n, label;
  } parts[] = {{2, 1}, {2, 2}, {1, 0}};
  for (unsigned p = 0; p < SL_PART_COUNT; p++) {
    g_autoptr (SlSampleSource) source = open_part (folder, p, NULL, NULL);
    g_assert_cmpuint (sl_sample_source_get_n_classes (source), ==, 3);
    g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, parts[p].n);
    g_assert_cmpuint (sl_sample_source_get_label (source, 0), ==, parts[p].label);
  }

  /* A part that is there and broken is not one that is not there. */
  g_autofree char *cut = g_build_filename (folder, "test/a/1.jpg", NULL);
  g_autofree char *locked = g_build_filename (folder, "test", NULL);
  g_assert_true (g_file_set_contents (cut, "\xff\xd8", 2, NULL));
  check_refused (folder, SL_PART_TEST, NULL, SL_ERROR_IO, "none of 1 files can be read");
  if (geteuid () != 0) {
    g_chmod (locked, 0);
    check_refused (folder, SL_PART_TEST, NULL, SL_ERROR_IO, "its 'test' part cannot be read");
    g_chmod (locked, 0755);
  }
  remove_tree (folder);
  put_picture (folder, "b/1.jpg", 9, 9, 9);
  check_refused (folder, SL_PART_TEST, NULL, SL_ERROR_NOT_FOUND, "no 'test' part");
  remove_tree (folder);
  g_free (folder);
}

static void
test_sessions (void)
{
  char *folder = make_folder ();
  put_picture (folder, "a/monday/1.jpg", 9, 9, 9);
  put_picture (folder, "a/monday/2.jpg", 9, 9, 9);
  put_picture (folder, "a/single.jpg", 9, 9, 9);
  put_picture (folder, "a/tuesday/1.jpg", 9, 9, 9);
  put_picture (folder, "b/monday/3.jpg", 9, 9, 9);
  g_autoptr (SlSampleSource) source = open_part (folder, SL_PART_TRAIN, NULL, NULL);
  uint32_t group[5];
  g_assert_true (sl_sample_source_has_groups (source));
  for (uint32_t i = 0; i < 5; i++)
    group[i] = sl_sample_source_get_group (source, i);
  g_assert_cmpuint (group[0], ==, group[1]);
  g_assert_cmpuint (group[0], ==, group[4]); /* Monday's of another class */
  g_assert_cmpuint (group[2], !=, group[0]);
  g_assert_cmpuint (group[3], !=, group[0]);
  g_assert_cmpuint (group[3], !=, group[2]);
  remove_tree (folder);
  g_free (folder);
}

/* The content decides, not where it lies. */
static void
test_hash (void)
{
  g_autoptr (GBytes) red = make_picture ("image/jpeg", 20, 10, 200, 30, 40);
  g_autoptr (GBytes) blue = make_picture ("image/jpeg", 20, 10, 20, 40, 210);
  g_autoptr (GBytes) other = make_picture ("image/jpeg", 20, 10, 20, 40, 225);
  char *hashes[3];
  for (int i = 0; i < 3; i++) {
    char *folder = make_folder ();
    put_bytes (folder, "a/1.jpg", red);
    put_bytes (folder, "b/1.jpg", i == 2 ? other : blue);
    g_autoptr (SlSampleSource) source = open_part (folder, SL_PART_TRAIN, NULL, NULL);
    hashes[i] = sl_sample_source_get_hash (source, NULL);
    remove_tree (folder);
    g_free (folder);
  }
  g_assert_cmpstr (hashes[0], ==, hashes[1]);
  g_assert_cmpstr (hashes[0], !=, hashes[2]);
  for (int i = 0; i < 3; i++)
    g_free (hashes[i]);
}

/* A phone's portrait: EXIF's orientation goes into the sample. */
static void
test_orientation (void)
{
  static const guint8 exif[] = "\xff\xe1\x00\x22"
                               "Exif\0\0"
                               "II*\0\x08\0\0\0"
                               "\x01\0"
                               "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
                               "\0\0\0\0";
  char *folder = make_folder ();
  g_autoptr (GBytes) plain = make_picture ("image/jpeg", 20, 10, 1, 2, 3);
  g_autoptr (GByteArray) turned = g_byte_array_new ();
  gsize n;
  const guint8 *data = g_bytes_get_data (plain, &n);
  g_byte_array_append (turned, data, 2);
  g_byte_array_append (turned, exif, sizeof exif - 1);
  g_byte_array_append (turned, data + 2, (guint)n - 2);
  put (folder, "a/1.jpg", turned->data, turned->len);
  SlSample sample;
  g_autoptr (SlSamplesReport) report = NULL;
  g_autoptr (SlSampleSource) source = open_part (folder, SL_PART_TRAIN, NULL, &report);
  g_assert_true (sl_sample_source_load (source, 0, &sample, NULL));
  g_assert_cmpuint (sample.info.orientation, ==, 6);
  g_assert_cmpuint (sample.info.width, ==, 20);
  sl_sample_source_release (source, &sample);
  g_assert_cmpuint (report->width[0], ==, 10);
  g_assert_cmpuint (report->height[0], ==, 20);
  remove_tree (folder);
  g_free (folder);
}

/* --- archives --- */

/* A file, or with `type` something else, in the oldest form that all tar programs read. */
static void
tar_add (GByteArray *tar, const char *name, char type, GBytes *content)
{
  guint8 head[512] = {0};
  gsize n = content ? g_bytes_get_size (content) : 0;
  guint sum = 0;
  g_strlcpy ((char *)head, name, 100);
  memcpy (head + 100,
          "0000644\0"
          "0000000\0"
          "0000000\0",
          24);
  g_snprintf ((char *)head + 124, 12, "%011" G_GINT64_MODIFIER "o", (guint64)n);
  memcpy (head + 136, "00000000000", 12);
  memset (head + 148, ' ', 8);
  head[156] = (guint8)type;
  if (type == '2')
    memcpy (head + 157, "/etc/passwd", 11);
  memcpy (head + 257,
          "ustar\0"
          "00",
          8);
  for (int i = 0; i < 512; i++)
    sum += head[i];
  g_snprintf ((char *)head + 148, 8, "%06o", sum);
  g_byte_array_append (tar, head, 512);
  if (content)
    g_byte_array_append (tar, g_bytes_get_data (content, NULL), (guint)n);
  g_byte_array_set_size (tar, (tar->len + 511) / 512 * 512);
}

static void
tar_end (GByteArray *tar)
{
  static const guint8 end[1024] = {0};
  g_byte_array_append (tar, end, sizeof end);
}

static void
test_archive (void)
{
  char *folder = make_folder ();
  g_autoptr (GByteArray) tar = g_byte_array_new ();
  g_autoptr (GBytes) red = make_picture ("image/jpeg", 20, 10, 200, 30, 40);
  g_autoptr (GBytes) blue = make_picture ("image/png", 20, 10, 20, 40, 210);
  g_autoptr (GBytes) text = g_bytes_new_static ("nothing", 7);
  tar_add (tar, "./set-1.0/", '5', NULL);
  tar_add (tar, "./set-1.0/train/red/1.jpg", '0', red);
  tar_add (tar, "./set-1.0/train/blue/1.png", '0', blue);
  tar_add (tar, "./set-1.0/train/red/broken.jpg", '0', text);
  tar_add (tar, "./set-1.0/train/red/link.jpg", '2', NULL);
  tar_add (tar, "./set-1.0/train/red/README", '0', text);
  tar_end (tar);
  put (folder, "set.tar", tar->data, tar->len);
  g_autofree char *path = g_build_filename (folder, "set.tar", NULL);
  g_autoptr (SlSamplesReport) report = NULL;
  g_autoptr (SlSampleSource) source = open_part (path, SL_PART_TRAIN, NULL, &report);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 2);
  g_assert_cmpstr (sl_sample_source_get_class_names (source)[0], ==, "blue");
  check_color (source, 0, 20, 40, 210);
  check_color (source, 1, 200, 30, 40);
  g_assert_cmpuint (g_strv_length (report->unreadable), ==, 2);
  g_assert_nonnull (strstr (report->unreadable[1], "link"));
  g_assert_false (sl_sample_source_has_groups (source));

  /* by the name of its folder, as long as there is no other */
  g_autoptr (SlSampleSource) named = open_part (folder, SL_PART_TRAIN, NULL, NULL);
  g_assert_cmpuint (sl_sample_source_get_n_samples (named), ==, 2);
  put (folder, "second.tar", tar->data, tar->len);
  check_refused (folder, SL_PART_TRAIN, NULL, SL_ERROR_IO, "or one tar archive");

  /* damaged, cut, and none */
  put (folder, "cut.tar", tar->data, tar->len - 4000);
  g_autofree char *cut = g_build_filename (folder, "cut.tar", NULL);
  check_refused (cut, SL_PART_TRAIN, NULL, SL_ERROR_MALFORMED, "cut.tar");
  put (folder, "none.tar", "no archive", 10);
  g_autofree char *none = g_build_filename (folder, "none.tar", NULL);
  check_refused (none, SL_PART_TRAIN, NULL, SL_ERROR_IO, "none.tar");
  check_refused ("/nowhere.tar", SL_PART_TRAIN, NULL, SL_ERROR_IO, "/nowhere.tar");
  remove_tree (folder);
  g_free (folder);
}

/* Names that lead out of an archive are listed and read by nobody. */
static void
test_archive_names (void)
{
  char *folder = make_folder ();
  g_autoptr (GByteArray) tar = g_byte_array_new ();
  g_autoptr (GBytes) red = make_picture ("image/jpeg", 20, 10, 200, 30, 40);
  tar_add (tar, "a/1.jpg", '0', red);
  tar_add (tar, "b/../../../1.jpg", '0', red);
  tar_add (tar, "/c/1.jpg", '0', red);
  tar_end (tar);
  put (folder, "set.tar", tar->data, tar->len);
  g_autofree char *path = g_build_filename (folder, "set.tar", NULL);
  g_autoptr (SlSamplesReport) report = NULL;
  g_autoptr (SlSampleSource) source = open_part (path, SL_PART_TRAIN, NULL, &report);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 1);
  g_assert_cmpuint (g_strv_length (report->unreadable), ==, 2);
  for (int i = 0; i < 2; i++)
    g_assert_nonnull (strstr (report->unreadable[i], "leads out"));
  remove_tree (folder);
  g_free (folder);
}

/* --- clips --- */

static void
make_clip (const char *folder, const char *name, const char *pattern)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *above = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (above, 0755), ==, 0);
  g_autofree char *line =
      g_strdup_printf ("videotestsrc num-buffers=30 pattern=%s ! "
                       "video/x-raw,format=RGB,width=32,height=24,framerate=10/1 ! "
                       "jpegenc ! avimux ! filesink location=\"%s\"",
                       pattern, path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_true (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
test_clips (void)
{
  char *folder = make_folder ();
  make_clip (folder, "red/clip.avi", "red");
  make_clip (folder, "blue/clip.avi", "blue");
  put_picture (folder, "blue/still.jpg", 0, 0, 255);
  put (folder, "red/broken.avi", "RIFF", 4);
  g_autoptr (SlSamplesReport) report = NULL;
  const SlSamplesOptions options = {.clip_rate = 2};
  g_autoptr (SlSampleSource) source = open_part (folder, SL_PART_TRAIN, &options, &report);
  /* three seconds, two frames each */
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 13);
  g_assert_cmpuint (report->n_clips, ==, 3);
  g_assert_cmpuint (g_strv_length (report->unreadable), ==, 1);
  g_assert_true (sl_sample_source_has_groups (source));
  for (uint32_t i = 0; i < 13; i++) {
    gboolean red = sl_sample_source_get_label (source, i) == 1;
    check_color (source, i, red ? 255 : 0, 0, red ? 0 : 255);
    g_assert_true ((sl_sample_source_get_group (source, i) ==
                    sl_sample_source_get_group (source, 0)) == (i < 6));
  }
  g_autofree char *name = sl_sample_source_describe (source, 1);
  g_assert_true (g_str_has_suffix (name, "blue/clip.avi[5]"));

  /* no clip's frames are on both sides of a split */
  g_autoptr (SlSampleSource) first = NULL;
  g_autoptr (SlSampleSource) second = NULL;
  g_assert_true (sl_sample_source_split (source, SL_SPLIT_GROUP, 0.3, 1, &first, &second, NULL));

  /* Clips are of any length: the limit is for pictures. */
  g_autofree char *path = g_build_filename (folder, "red/clip.avi", NULL);
  g_autofree char *small = sl_sample_source_get_hash (source, NULL);
  g_assert_cmpint (truncate (path, (off_t)SL_SAMPLES_MAX_FILE + 1), ==, 0);
  g_autofree char *large = sl_sample_source_get_hash (source, NULL);
  g_assert_true (small && large);
  g_assert_cmpstr (small, !=, large);
  const SlSamplesOptions little = {.memory_limit = 4000};
  check_refused (folder, SL_PART_TRAIN, &little, SL_ERROR_LIMIT, "more than 4000 bytes");
  remove_tree (folder);
  g_free (folder);
}

/* The same clip under two names, and as another class: whichever way the sessions are divided, its
 * frames are never on both sides. */
static void
test_copied_clip (void)
{
  char *folder = make_folder ();
  make_clip (folder, "a/monday.avi", "red");
  make_clip (folder, "a/tuesday.avi", "green");
  make_clip (folder, "b/friday.avi", "blue");
  static const char *const copies[] = {"a/zz-copy.avi", "b/copy.avi"};
  g_autofree char *original = g_build_filename (folder, "a/monday.avi", NULL), *bytes = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (original, &bytes, &length, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (copies); i++)
    put (folder, copies[i], bytes, length);

  g_autoptr (SlSampleSource) source = open_part (folder, SL_PART_TRAIN, NULL, NULL);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 5 * 6);
  for (guint64 seed = 0; seed < 20; seed++) {
    SlSampleSource *parts[2];
    gboolean has_red[2] = {FALSE};
    g_assert_true (
        sl_sample_source_split (source, SL_SPLIT_GROUP, 0.3, seed, &parts[0], &parts[1], NULL));
    for (guint p = 0; p < 2; p++) {
      for (uint32_t i = 0; i < sl_sample_source_get_n_samples (parts[p]); i++) {
        g_autofree char *name = sl_sample_source_describe (parts[p], i);
        has_red[p] |= strstr (name, "monday") || strstr (name, "copy");
      }
      sl_sample_source_unref (parts[p]);
    }
    g_assert_true (has_red[0] != has_red[1]);
  }
  remove_tree (folder);
  g_free (folder);
}

/* Photographs in JPEG: all of them, none refused. */
static void
test_real (void)
{
  const char *root = g_getenv ("SIGHTLINE_DATA");
  g_autofree char *path = root ? g_build_filename (root, "twoclass-trashnet-256", NULL) : NULL;
  if (!path || !g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_test_skip ("twoclass-trashnet-256 is not there");
    return;
  }
  static const uint32_t n[] = {320, 80};
  for (unsigned p = 0; p < 2; p++) {
    g_autoptr (SlSamplesReport) report = NULL;
    g_autoptr (SlSampleSource) source = open_part (path, p, NULL, &report);
    g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, n[p]);
    g_assert_cmpuint (g_strv_length (report->unreadable), ==, 0);
    g_assert_cmpstr (sl_sample_source_get_class_names (source)[1], ==, "plastic");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/lib/samples/folder", test_folder);
  g_test_add_func ("/lib/samples/vanished", test_vanished);
  g_test_add_func ("/lib/samples/parts", test_parts);
  g_test_add_func ("/lib/samples/sessions", test_sessions);
  g_test_add_func ("/lib/samples/hash", test_hash);
  g_test_add_func ("/lib/samples/orientation", test_orientation);
  g_test_add_func ("/lib/samples/archive", test_archive);
  g_test_add_func ("/lib/samples/archive-names", test_archive_names);
  g_test_add_func ("/lib/samples/clips", test_clips);
  g_test_add_func ("/lib/samples/copied-clip", test_copied_clip);
  g_test_add_func ("/lib/samples/real", test_real);
  return g_test_run ();
}
