#include "small-set.h"

#include "tool.h"

#include <glib/gstdio.h>

#define SIDE 8

static void
put_be (GByteArray *out, guint32 value)
{
  const guint32 big = GUINT32_TO_BE (value);
  g_byte_array_append (out, (const guint8 *)&big, sizeof big);
}

static void
write_bytes (const char *folder, const char *name, const GByteArray *bytes)
{
  g_autofree char *path = tool_path (folder, name);
  g_assert_true (g_file_set_contents (path, (const char *)bytes->data, bytes->len, NULL));
}

static char *
name_file (const char *part, gboolean labels)
{
  return g_strdup_printf (labels ? "data/%s-labels-idx1-ubyte" : "data/%s-images-idx3-ubyte", part);
}

void
small_set_write (const char *folder, const char *part, guint n, guint32 seed, const guint8 *order)
{
  static const guint8 plain[SMALL_SET_CLASSES] = {0, 1, 2, 3};
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (GByteArray) images = g_byte_array_new (), labels = g_byte_array_new ();
  g_autofree char *images_name = name_file (part, FALSE), *labels_name = name_file (part, TRUE);
  put_be (images, 0x803);
  put_be (images, n);
  put_be (images, SIDE);
  put_be (images, SIDE);
  put_be (labels, 0x801);
  put_be (labels, n);
  for (guint i = 0; i < n; i++) {
    g_byte_array_append (labels, (order ? order : plain) + i % SMALL_SET_CLASSES, 1);
    for (guint k = 0; k < SIDE * SIDE; k++) {
      const gboolean bright = k / SIDE / 2 == i % SMALL_SET_CLASSES;
      const guint8 pixel = (guint8)(g_rand_int_range (rand, 0, 130) + (bright ? 90 : 0));
      g_byte_array_append (images, &pixel, 1);
    }
  }
  write_bytes (folder, images_name, images);
  write_bytes (folder, labels_name, labels);
}

void
small_set_remove (const char *folder, const char *part)
{
  for (int labels = 0; labels < 2; labels++) {
    g_autofree char *name = name_file (part, labels), *path = tool_path (folder, name);
    g_assert_cmpint (g_unlink (path), ==, 0);
  }
}

const char small_set_recipe[] = "[network]\n"
                                "net=small.net\n"
                                "[data]\n"
                                "path=data\n"
                                "[split]\n"
                                "validation=0.2\n"
                                "[augment]\n"
                                "crop-padding=1\n"
                                "[optimizer]\n"
                                "name=adam\n"
                                "rate=0.005\n"
                                "[train]\n"
                                "epochs=8\n"
                                "batch=20\n";

char *
small_set_new (void)
{
  char *folder = tool_folder_new ();
  g_autofree char *net = tool_path (folder, "small.net");
  g_autofree char *recipe = tool_path (folder, "small.recipe");
  g_autofree char *data = tool_path (folder, "data");
  g_assert_cmpint (g_mkdir (data, 0755), ==, 0);
  small_set_write (folder, "train", SMALL_SET_TRAIN, 1, NULL);
  small_set_write (folder, "t10k", SMALL_SET_TEST, 2, NULL);
  g_assert_true (g_file_set_contents (
      net, "Input 8x8x1\nFlatten\nDense 16 relu\nDropout 0.1\nDense 4 softmax\n", -1, NULL));
  g_assert_true (g_file_set_contents (recipe, small_set_recipe, -1, NULL));
  return folder;
}

gboolean
small_set_has (const char *folder, const char *name)
{
  g_autofree char *path = tool_path (folder, name);
  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}
