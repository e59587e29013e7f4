/* Pictures as people have them: of all sizes and kinds in one folder, turned by their camera, of
 * printers and animations, and with headers that promise too much. */
#include <sightline-gst/samples.h>

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#define WIDTH 16
#define HEIGHT 8
#define COLUMNS                                                                    \
  8 /* that a picture is looked at in: the first and the last are of one half each \
     */

/* Left half and right half of every picture here. */
static const guint8 left[3] = {200, 30, 40}, right[3] = {20, 40, 210};

typedef struct {
  char *folder;
  GPtrArray *names; /* in the order of their bytes: file "a", file "b" … */
} Set;

static void
set_up (Set *set, gconstpointer unused)
{
  set->folder = g_dir_make_tmp ("sl-pictures-XXXXXX", NULL);
  set->names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *class = g_build_filename (set->folder, "class", NULL);
  g_assert_cmpint (g_mkdir (class, 0755), ==, 0);
}

static void
tear_down (Set *set, gconstpointer unused)
{
  g_autofree char *class = g_build_filename (set->folder, "class", NULL);
  for (guint i = 0; i < set->names->len; i++) {
    g_autofree char *path = g_build_filename (class, set->names->pdata[i], NULL);
    g_unlink (path);
  }
  g_rmdir (class);
  g_rmdir (set->folder);
  g_free (set->folder);
  g_ptr_array_unref (set->names);
}

static void
put (Set *set, const char *suffix, const void *data, gsize length)
{
  char *name = g_strdup_printf ("%03u.%s", set->names->len, suffix);
  g_autofree char *path = g_build_filename (set->folder, "class", name, NULL);
  g_ptr_array_add (set->names, name);
  g_assert_true (g_file_set_contents (path, data, (gssize)length, NULL));
}

static void
put_array (Set *set, const char *suffix, const GByteArray *bytes)
{
  put (set, suffix, bytes->data, bytes->len);
}

static SlSampleSource *
open_set (Set *set, SlSamplesReport **ret_report)
{
  g_autoptr (GError) error = NULL;
  const SlSamplesOptions options = {.threads = 1}; /* so that one decoder takes them all */
  SlSampleSource *source =
      sl_samples_open (set->folder, SL_PART_TRAIN, &options, ret_report, &error);
  g_assert_no_error (error);
  return source;
}

static void
check_pixel (const float *rgb, guint x, const guint8 expected[3], float tolerance)
{
  for (guint c = 0; c < 3; c++)
    g_assert_cmpfloat_with_epsilon (rgb[3 * x + c], (float)expected[c], tolerance);
}

/* Both halves of a sample as a network gets them. */
static void
check_halves (SlSampleSource *source, uint32_t index, const guint8 first[3], const guint8 second[3],
              float tolerance)
{
  SlSample sample;
  SlPreprocess rules;
  float rgb[COLUMNS * 3];
  const ptrdiff_t strides[3] = {1, COLUMNS * 3, 3};
  g_autoptr (GError) error = NULL;
  sl_sample_source_load (source, index, &sample, &error);
  g_assert_no_error (error);
  sl_preprocess_init (&rules, COLUMNS, 1, 3);
  rules.scale = 1;
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&sample.info, &rules, 1, &error);
  g_assert_no_error (error);
  g_assert_true (sl_image_sample (sampler, &sample.image, rgb, strides));
  g_test_message ("picture %u: format %d, %ux%u, stride %td", index, sample.info.format,
                  sample.info.width, sample.info.height, sample.image.strides[0]);
  sl_sample_source_release (source, &sample);
  check_pixel (rgb, 0, first, tolerance);
  check_pixel (rgb, COLUMNS - 1, second, tolerance);
}

/* --- files --- */

static GBytes *
encode (const char *type, guint width, guint height)
{
  GstVideoInfo info;
  GstMapInfo map;
  g_autoptr (GError) error = NULL;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGBx, width, height);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size / 4; i++)
    memcpy (map.data + 4 * i, i % width < width / 2 ? left : right, 3);
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
put_le (GByteArray *out, guint32 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++) {
    guint8 byte = (guint8)(value >> 8 * i);
    g_byte_array_append (out, &byte, 1);
  }
}

/* 24 bits a pixel, rows from the bottom up. */
static GByteArray *
make_bmp (guint32 width, guint32 height)
{
  GByteArray *out = g_byte_array_new ();
  g_byte_array_append (out, (const guint8 *)"BM", 2);
  put_le (out, 54 + WIDTH * HEIGHT * 3, 4);
  put_le (out, 0, 4);
  put_le (out, 54, 4);
  put_le (out, 40, 4);
  put_le (out, width, 4);
  put_le (out, height, 4);
  put_le (out, 1, 2);
  put_le (out, 24, 2);
  for (guint i = 0; i < 6; i++)
    put_le (out, i == 1 ? WIDTH * HEIGHT * 3 : 0, 4);
  for (guint i = 0; i < WIDTH * HEIGHT; i++) {
    const guint8 *color = i % WIDTH < WIDTH / 2 ? left : right;
    g_byte_array_append (out, (const guint8[]){color[2], color[1], color[0]}, 3);
  }
  return out;
}

/* One picture of an animation: codes of 3 bits for 2 colours, a clear code before each pixel, so
 * that no table grows. */
static void
add_gif_picture (GByteArray *out, guint32 width, guint32 height, gboolean swap)
{
  g_autoptr (GByteArray) packed = g_byte_array_new ();
  guint32 bits = 0;
  guint n_bits = 0;
  for (guint i = 0; i <= 2 * WIDTH * HEIGHT; i++) {
    const guint at = i / 2 % WIDTH, color = (at < WIDTH / 2) == swap;
    const guint32 code = i == 2 * WIDTH * HEIGHT ? 5 : i % 2 ? color : 4;
    bits |= code << n_bits;
    for (n_bits += 3; n_bits >= 8; n_bits -= 8, bits >>= 8)
      put_le (packed, bits & 255, 1);
  }
  put_le (packed, bits, 1);
  put_le (out, 0x2c, 1);
  put_le (out, 0, 4);
  put_le (out, width, 2);
  put_le (out, height, 2);
  put_le (out, 0, 1);
  put_le (out, 2, 1);
  for (guint at = 0; at < packed->len; at += 255) {
    const guint n = MIN (packed->len - at, 255);
    put_le (out, n, 1);
    g_byte_array_append (out, packed->data + at, n);
  }
  put_le (out, 0, 1);
}

static GByteArray *
make_gif (guint n_pictures, guint32 width, guint32 height)
{
  static const guint8 black[3] = {0};
  GByteArray *out = g_byte_array_new ();
  g_byte_array_append (out, (const guint8 *)"GIF89a", 6);
  put_le (out, WIDTH, 2);
  put_le (out, HEIGHT, 2);
  put_le (out, 0x91, 1); /* a table of 4 colours */
  put_le (out, 0, 2);
  g_byte_array_append (out, left, 3);
  g_byte_array_append (out, right, 3);
  g_byte_array_append (out, black, 3);
  g_byte_array_append (out, black, 3);
  for (guint i = 0; i < n_pictures; i++) {
    g_byte_array_append (out, (const guint8 *)"\x21\xf9\x04\x00\x0a\x00\x00\x00", 8);
    add_gif_picture (out, i + 1 == n_pictures ? width : WIDTH,
                     i + 1 == n_pictures ? height : HEIGHT, i % 2 == 1);
  }
  put_le (out, ';', 1);
  return out;
}

static GByteArray *
make_tiff (guint32 width, guint32 height)
{
  const guint32 entries[][4] = {
      /* tag, type, count, value */
      {256, 4, 1, width}, {257, 4, 1, height}, {258, 3, 1, 8},      {259, 3, 1, 1}, {262, 3, 1, 2},
      {273, 4, 1, 134},   {277, 3, 1, 3},      {278, 4, 1, height}, {279, 4, 1, 0}, {284, 3, 1, 1}};
  GByteArray *out = g_byte_array_new ();
  g_byte_array_append (out, (const guint8 *)"II*\0\x08\0\0\0", 8);
  put_le (out, G_N_ELEMENTS (entries), 2);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++) {
    put_le (out, entries[i][0], 2);
    put_le (out, entries[i][1], 2);
    put_le (out, entries[i][2], 4);
    put_le (out, entries[i][0] == 279 ? WIDTH * HEIGHT * 3 : entries[i][3], 4);
  }
  put_le (out, 0, 4);
  g_assert_cmpuint (out->len, ==, 134);
  for (guint i = 0; i < WIDTH * HEIGHT; i++)
    g_byte_array_append (out, i % WIDTH < WIDTH / 2 ? left : right, 3);
  return out;
}

static guint32
crc (const guint8 *data, gsize n)
{
  guint32 sum = 0xffffffffu;
  for (gsize i = 0; i < n; i++) {
    sum ^= data[i];
    for (guint k = 0; k < 8; k++)
      sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
  }
  return ~sum;
}

static void
put_be (GByteArray *out, guint32 value)
{
  const guint32 big = GUINT32_TO_BE (value);
  g_byte_array_append (out, (const guint8 *)&big, 4);
}

static void
add_chunk (GByteArray *out, const char *type, const GByteArray *content)
{
  put_be (out, content->len);
  const guint at = out->len;
  g_byte_array_append (out, (const guint8 *)type, 4);
  g_byte_array_append (out, content->data, content->len);
  put_be (out, crc (out->data + at, content->len + 4));
}

/* RGB of 16 bits, stored without compression. */
static GByteArray *
make_deep_png (void)
{
  GByteArray *out = g_byte_array_new ();
  g_autoptr (GByteArray) head = g_byte_array_new (), content = g_byte_array_new ();
  g_autoptr (GByteArray) rows = g_byte_array_new (), end = g_byte_array_new ();
  guint32 a = 1, b = 0;
  for (guint y = 0; y < HEIGHT; y++) {
    put_le (rows, 0, 1);
    for (guint x = 0; x < WIDTH; x++)
      for (guint c = 0; c < 3; c++)
        put_le (rows, (x < WIDTH / 2 ? left : right)[c] * 257u, 2);
  }
  for (guint i = 0; i < rows->len; i++) {
    a = (a + rows->data[i]) % 65521;
    b = (b + a) % 65521;
  }
  put_be (head, WIDTH);
  put_be (head, HEIGHT);
  g_byte_array_append (head, (const guint8[]){16, 2, 0, 0, 0}, 5);
  g_byte_array_append (content, (const guint8[]){0x78, 0x01, 0x01}, 3);
  put_le (content, rows->len, 2);
  put_le (content, ~rows->len, 2);
  g_byte_array_append (content, rows->data, rows->len);
  put_be (content, b << 16 | a);
  g_byte_array_append (out, (const guint8 *)"\x89PNG\r\n\x1a\n", 8);
  add_chunk (out, "IHDR", head);
  add_chunk (out, "IDAT", content);
  add_chunk (out, "IEND", end);
  return out;
}

/* EXIF's orientation behind the first two bytes of a JPEG file. */
static void
put_turned (Set *set, GBytes *jpeg, guint8 orientation)
{
  guint8 exif[] = "\xff\xe1\x00\x22"
                  "Exif\0\0"
                  "II*\0\x08\0\0\0"
                  "\x01\0"
                  "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
                  "\0\0\0\0";
  gsize n;
  const guint8 *data = g_bytes_get_data (jpeg, &n);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  exif[28] = orientation;
  g_byte_array_append (out, data, 2);
  g_byte_array_append (out, exif, sizeof exif - 1);
  g_byte_array_append (out, data + 2, (guint)n - 2);
  put_array (set, "jpg", out);
}

/* --- tests --- */

/* A decoder that has seen one size takes the next one, too. */
static void
test_sizes (Set *set, gconstpointer unused)
{
  static const guint sizes[][2] = {{40, 30}, {64, 20}, {16, 16}, {200, 120}, {64, 20}, {18, 90}};
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) jpeg = encode ("image/jpeg", sizes[i][0], sizes[i][1]);
    g_autoptr (GBytes) png = encode ("image/png", sizes[i][0], sizes[i][1]);
    g_autoptr (GByteArray) bmp = make_bmp (WIDTH, HEIGHT);
    put (set, "jpg", g_bytes_get_data (jpeg, NULL), g_bytes_get_size (jpeg));
    put (set, "png", g_bytes_get_data (png, NULL), g_bytes_get_size (png));
    put_array (set, "bmp", bmp);
  }
  g_autoptr (SlSamplesReport) report = NULL;
  g_autoptr (SlSampleSource) source = open_set (set, &report);
  g_assert_cmpuint (g_strv_length (report->unreadable), ==, 0);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 3 * G_N_ELEMENTS (sizes));
  for (guint i = 0; i < 3 * G_N_ELEMENTS (sizes); i++)
    check_halves (source, i, left, right, 6);
}

/* GIF (the first picture of an animation), BMP, TIFF, PNG of 16 bits. */
static void
test_kinds (Set *set, gconstpointer unused)
{
  g_autoptr (GByteArray) still = make_gif (1, WIDTH, HEIGHT);
  g_autoptr (GByteArray) moving = make_gif (5, WIDTH, HEIGHT);
  g_autoptr (GByteArray) bmp = make_bmp (WIDTH, HEIGHT), tiff = make_tiff (WIDTH, HEIGHT);
  g_autoptr (GByteArray) deep = make_deep_png ();
  const struct {
    const char *suffix;
    const GByteArray *bytes;
  } files[] = {{"gif", still}, {"gif", moving}, {"bmp", bmp}, {"tif", tiff},
               {"png", deep},  {"jpg", still},  {"png", bmp}}; /* content counts, not names */
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    put_array (set, files[i].suffix, files[i].bytes);
  g_autoptr (SlSamplesReport) report = NULL;
  g_autoptr (SlSampleSource) source = open_set (set, &report);
  for (char **line = report->unreadable; *line; line++)
    g_test_message ("%s", *line);
  g_assert_cmpuint (g_strv_length (report->unreadable), ==, 0);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, G_N_ELEMENTS (files));
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    check_halves (source, i, left, right, 1);
}

/* JPEG of four components, half of each ink, as small as it gets: no coefficient but zeros. */
static void
test_cmyk (Set *set, gconstpointer unused)
{
  static const guint8 head[] = {0xff, 0xd8, 0xff, 0xdb, 0, 67, 0};
  static const guint8 rest[] = {
      0xff, 0xc0, 0, 20, 8,    0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3,    0x11, 0,   4, 0x11, 0,
      0xff, 0xc4, 0, 20, 0x00, 1, 0, 0, 0, 0, 0, 0,    0, 0, 0,    0, 0,    0,    0,   0, 0,    0,
      0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0,    0, 0, 0,    0, 0,    0,    0,   0, 0,    0,
      0xff, 0xda, 0, 14, 4,    1, 0, 2, 0, 3, 0, 4,    0, 0, 63,   0, 0x00, 0xff, 0xd9};
  static const guint8 dark[3] = {64, 64, 64};
  guint8 steps[64];
  g_autoptr (GByteArray) out = g_byte_array_new ();
  memset (steps, 1, sizeof steps);
  g_byte_array_append (out, head, sizeof head);
  g_byte_array_append (out, steps, sizeof steps);
  g_byte_array_append (out, rest, sizeof rest);
  put_array (set, "jpg", out);
  g_autoptr (SlSampleSource) source = open_set (set, NULL);
  check_halves (source, 0, dark, dark, 2);
}

/* All that a camera may say of how it was held. */
static void
test_orientations (Set *set, gconstpointer unused)
{
  g_autoptr (GBytes) jpeg = encode ("image/jpeg", 2 * WIDTH, 2 * HEIGHT);
  for (guint8 orientation = 1; orientation <= 8; orientation++)
    put_turned (set, jpeg, orientation);
  g_autoptr (SlSampleSource) source = open_set (set, NULL);
  for (guint i = 0; i < 4; i++) {
    const gboolean is_mirrored = i == 1 || i == 2;
    check_halves (source, i, is_mirrored ? right : left, is_mirrored ? left : right, 6);
  }
  for (guint i = 4; i < 8; i++) { /* on their side: the halves are above each other */
    SlSample sample;
    g_assert_true (sl_sample_source_load (source, i, &sample, NULL));
    g_assert_cmpuint (sample.info.orientation, ==, i + 1);
    sl_sample_source_release (source, &sample);
  }
}

/* 65,535 x 65,535 stated: refused by the header, before anything is allocated; also where only the
 * last picture of an animation is so large. */
static void
test_huge (Set *set, gconstpointer unused)
{
  g_autoptr (GByteArray) bmp = make_bmp (65535, 65535), tiff = make_tiff (65535, 65535);
  g_autoptr (GByteArray) gif = make_gif (3, 65535, 65535), good = make_bmp (WIDTH, HEIGHT);
  g_autoptr (GByteArray) upside_down = make_bmp (65535, (guint32)-65535);
  put_array (set, "bmp", bmp);
  put_array (set, "tif", tiff);
  put_array (set, "gif", gif);
  put_array (set, "bmp", upside_down);
  put_array (set, "bmp", good);
  g_autoptr (SlSamplesReport) report = NULL;
  g_autoptr (SlSampleSource) source = open_set (set, &report);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 1);
  g_assert_cmpuint (g_strv_length (report->unreadable), ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_nonnull (strstr (report->unreadable[i], "the picture has 4294836225 pixels"));
}

/* Cut anywhere, a file is a sample or is listed; nothing else happens. */
static void
test_cut (Set *set, gconstpointer unused)
{
  g_autoptr (GByteArray) gif = make_gif (2, WIDTH, HEIGHT), bmp = make_bmp (WIDTH, HEIGHT);
  g_autoptr (GByteArray) tiff = make_tiff (WIDTH, HEIGHT), deep = make_deep_png ();
  GByteArray *const files[] = {gif, bmp, tiff, deep};
  static const char *const suffixes[] = {"gif", "bmp", "tif", "png"};
  put_array (set, "bmp", bmp);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    for (guint n = 4; n < files[i]->len; n += 13)
      put (set, suffixes[i], files[i]->data, n);
  g_autoptr (SlSamplesReport) report = NULL;
  g_autoptr (SlSampleSource) source = open_set (set, &report);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source) + g_strv_length (report->unreadable),
                    ==, set->names->len);
  for (char **line = report->unreadable; *line; line++)
    g_assert_true (g_utf8_validate (*line, -1, NULL) && !strchr (*line, '\n'));
}

/* Photographs as they come: sizes, JPEG and PNG mixed, one after the other. */
static void
test_real (Set *set, gconstpointer unused)
{
  const char *root = g_getenv ("SIGHTLINE_DATA");
  g_autofree char *path = root ? g_build_filename (root, "photos", NULL) : NULL;
  if (!path || !g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_test_skip ("photos is not there");
    return;
  }
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSamplesReport) report = NULL;
  g_autoptr (SlSampleSource) source = sl_samples_open (path, SL_PART_TRAIN, NULL, &report, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (report->unreadable), ==, 0);
  g_assert_cmpuint (sl_sample_source_get_n_samples (source), ==, 29);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add ("/lib/pictures/" name, Set, NULL, set_up, test, tear_down)
  ADD ("sizes", test_sizes);
  ADD ("kinds", test_kinds);
  ADD ("cmyk", test_cmyk);
  ADD ("orientations", test_orientations);
  ADD ("huge", test_huge);
  ADD ("cut", test_cut);
  ADD ("real", test_real);
  return g_test_run ();
}
