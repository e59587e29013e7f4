#include "files.h"

#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

char *
files_make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("sl-data-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

void
files_remove (char *folder)
{
  const char *name;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_unlink (path);
  }
  g_rmdir (folder);
  g_free (folder);
}

char *
files_write (const char *folder, const char *name, GBytes *content)
{
  gsize length;
  const char *data = g_bytes_get_data (content, &length);
  char *path = g_build_filename (folder, name, NULL);
  g_assert_true (g_file_set_contents (path, data, (gssize)length, NULL));
  return path;
}

GBytes *
files_idx (const guint32 *dims, const guint8 *data, gsize n)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 head[4] = {0, 0, 8, 0};
  while (dims[head[3]])
    head[3]++;
  g_byte_array_append (bytes, head, sizeof head);
  for (unsigned d = 0; d < head[3]; d++) {
    guint32 dim = GUINT32_TO_BE (dims[d]);
    g_byte_array_append (bytes, (const guint8 *)&dim, sizeof dim);
  }
  g_byte_array_append (bytes, data, (guint)n);
  return g_byte_array_free_to_bytes (bytes);
}

GBytes *
files_gzip (GBytes *content)
{
  gsize length;
  z_stream stream = {.next_in = (guint8 *)g_bytes_get_data (content, &length)};
  g_assert_cmpint (deflateInit2 (&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
  gsize room = deflateBound (&stream, length);
  guint8 *packed = g_malloc (room);
  stream.avail_in = (uInt)length;
  stream.next_out = packed;
  stream.avail_out = (uInt)room;
  g_assert_cmpint (deflate (&stream, Z_FINISH), ==, Z_STREAM_END);
  length = stream.total_out;
  deflateEnd (&stream);
  return g_bytes_new_take (packed, length);
}

char *
files_find_real (const char *name)
{
  const char *root = g_getenv ("SIGHTLINE_DATA");
  char *path = root ? g_build_filename (root, name, NULL) : NULL;
  if (path && g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_autofree char *reason = g_strdup_printf ("%s is not there", path ? path : "SIGHTLINE_DATA");
  g_test_skip (reason);
  g_free (path);
  return NULL;
}

typedef struct Pictures {
  uint32_t width, height;
  guint8 *pixels;
} Pictures;

static gboolean
load (void *data, uint32_t index, SlSample *ret, GError **error)
{
  const Pictures *pictures = data;
  gsize size = (gsize)pictures->width * pictures->height;
  ret->info =
      (SlImageInfo){.format = SL_PIXEL_GRAY8, .width = pictures->width, .height = pictures->height};
  ret->image = (SlImage){.planes = {pictures->pixels + index * size}, .strides = {pictures->width}};
  return TRUE;
}

static char *
describe (void *data, uint32_t index)
{
  return g_strdup_printf ("made[%u]", index);
}

static char *
get_hash (void *data, GError **error)
{
  return g_strdup ("made");
}

static void
destroy (void *data)
{
  g_free (((Pictures *)data)->pixels);
  g_free (data);
}

SlSampleSource *
files_gray_source (uint32_t n, uint32_t width, uint32_t height, uint32_t n_classes,
                   const uint32_t *groups)
{
  Pictures *pictures = g_new (Pictures, 1);
  *pictures = (Pictures){width, height, g_malloc ((gsize)n * width * height)};
  guint8 *pixel = pictures->pixels;
  g_autofree uint32_t *labels = g_new (uint32_t, n);
  for (uint32_t i = 0; i < n; i++) {
    labels[i] = i % n_classes;
    for (uint32_t y = 0; y < height; y++)
      for (uint32_t x = 0; x < width; x++)
        *pixel++ = (guint8)(7 * i + 3 * x + 5 * y);
  }
  g_auto (GStrv) names = g_new0 (char *, (gsize)n_classes + 1);
  for (uint32_t c = 0; c < n_classes; c++)
    names[c] = g_strdup_printf ("class %u", c);
  SlSampleSource *source = sl_sample_source_new (
      &(SlSampleSourceSpec){
          .n_samples = n,
          .labels = labels,
          .groups = groups,
          .n_classes = n_classes,
          .class_names = (const char *const *)names,
          .load = load,
          .describe = describe,
          .get_hash = get_hash,
          .destroy = destroy,
          .data = pictures,
      },
      NULL);
  g_assert_nonnull (source);
  return source;
}
