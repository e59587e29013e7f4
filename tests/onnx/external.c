#include "emit.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder "model" with weights.bin inside another, which has secret.bin. */
typedef struct {
  char *outer, *folder;
} Folders;

static const float weights[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static char *
in (const char *folder, const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
put (const char *folder, const char *name)
{
  g_autofree char *path = in (folder, name);
  g_assert_true (g_file_set_contents (path, (const char *)weights, sizeof weights, NULL));
}

static void
set_up (Folders *folders, gconstpointer unused)
{
  GError *error = NULL;
  folders->outer = g_dir_make_tmp ("sightline-external-XXXXXX", &error);
  g_assert_no_error (error);
  folders->folder = in (folders->outer, "model");
  g_assert_cmpint (g_mkdir (folders->folder, 0700), ==, 0);
  put (folders->outer, "secret.bin");
  put (folders->folder, "weights.bin");
}

static void
remove_tree (const char *path)
{
  GDir *dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = in (path, name);
    remove_tree (child);
  }
  if (dir != NULL)
    g_dir_close (dir);
  g_remove (path);
}

static void
tear_down (Folders *folders, gconstpointer unused)
{
  remove_tree (folders->outer);
  g_free (folders->outer);
  g_free (folders->folder);
}

static void
emit_entry (Emit *tensor, const char *key, const char *value)
{
  Emit *entry = emit_new ();
  emit_text (entry, 1, key);
  emit_text (entry, 2, value);
  emit_message (tensor, 13, entry);
}

/* y = x + w, w (4) in another file; NULL leaves a key out. */
static GBytes *
external_model (const char *location, const char *offset, const char *length, const char *checksum)
{
  static const gint64 dims[] = {4};
  Emit *graph = emit_new (), *tensor = emit_tensor ("w", 1, 1, dims, NULL, 0);
  if (location != NULL)
    emit_entry (tensor, "location", location);
  if (offset != NULL)
    emit_entry (tensor, "offset", offset);
  if (length != NULL)
    emit_entry (tensor, "length", length);
  if (checksum != NULL)
    emit_entry (tensor, "checksum", checksum);
  emit_entry (tensor, "something_else", "ignored");
  emit_int (tensor, 14, 1);
  emit_message (graph, 1, emit_node ("Add", "sum", "x w", "y"));
  emit_message (graph, 5, tensor);
  emit_message (graph, 11, emit_value ("x", 1, dims));
  emit_message (graph, 12, emit_value ("y", 1, dims));
  return g_byte_array_free_to_bytes (emit_model (graph, 13));
}

static SlGraph *
read_external (const char *folder, GBytes *bytes, guint64 limit, guint64 *ret_read, GError **error)
{
  const SlModelLimits limits = {.file_bytes = limit};
  SlOnnxMeta meta;
  sl_onnx_meta_init (&meta);
  SlGraph *graph = sl_onnx_read (bytes, "test.onnx", folder, &limits, &meta, error);
  if (ret_read != NULL)
    *ret_read = meta.bytes;
  sl_onnx_meta_clear (&meta);
  g_bytes_unref (bytes);
  return graph;
}

static void
refuse (const char *folder, GBytes *bytes, int code, const char *text)
{
  GError *error = NULL;
  g_assert_null (read_external (folder, bytes, 0, NULL, &error));
  check_error (error, code, text);
}

static void
test_read (Folders *folders, gconstpointer unused)
{
  g_autofree char *sum =
      g_compute_checksum_for_data (G_CHECKSUM_SHA1, (const guchar *)weights, sizeof weights);
  const struct {
    const char *location, *offset, *length, *checksum;
    float first;
  } cases[] = {
      {"weights.bin", NULL, NULL, NULL, 1},
      {"weights.bin", "4", NULL, NULL, 2},
      {"weights.bin", "16", "16", NULL, 5},
      {"./weights.bin", "0", "16", sum, 1},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GBytes *bytes =
        external_model (cases[i].location, cases[i].offset, cases[i].length, cases[i].checksum);
    const gsize size = g_bytes_get_size (bytes);
    GError *error = NULL;
    guint64 read;
    g_autoptr (SlGraph) graph = read_external (folders->folder, bytes, 0, &read, &error);
    g_assert_no_error (error);
    const SlTensor *w = sl_graph_find_value (graph, "w")->data;
    g_assert_cmpfloat (sl_tensor_get_double (w, 0), ==, cases[i].first);
    g_assert_cmpuint (read, ==, size + 16);
  }
}

static void
test_places_refused (Folders *folders, gconstpointer unused)
{
  g_autofree char *absolute = in (folders->folder, "weights.bin");
  g_autofree char *link = in (folders->folder, "link.bin");
  g_autofree char *parent = in (folders->folder, "parent");
  g_autofree char *hard = in (folders->folder, "hard.bin");
  g_autofree char *fifo = in (folders->folder, "fifo.bin");
  g_autofree char *secret = in (folders->outer, "secret.bin");
  g_assert_cmpint (symlink ("../secret.bin", link), ==, 0);
  g_assert_cmpint (symlink ("..", parent), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);

  const struct {
    const char *location;
    int code;
    const char *text;
  } cases[] = {
      {"../secret.bin", SL_ERROR_MALFORMED, "leads outside"},
      {"a/../../secret.bin", SL_ERROR_MALFORMED, "leads outside"},
      {absolute, SL_ERROR_MALFORMED, "leads outside"},
      {"link.bin", SL_ERROR_IO, "symbolic link"},
      {"parent/secret.bin", SL_ERROR_IO, "parent/secret.bin"},
      {"fifo.bin", SL_ERROR_IO, "special file"},
      {".", SL_ERROR_MALFORMED, "leads outside"},
      {"", SL_ERROR_MALFORMED, "leads outside"},
      {"missing.bin", SL_ERROR_IO, "'w': missing.bin"},
      {"/dev/zero", SL_ERROR_MALFORMED, "leads outside"},
      {"..\\secret.bin", SL_ERROR_IO, "cannot open"}, /* a name like any other here */
      {"C:\\secret.bin", SL_ERROR_IO, "cannot open"},
      {"*/_ORT_MEM_ADDR_/*", SL_ERROR_IO, "cannot open"}, /* ONNX Runtime's own */
      {"file:///etc/passwd", SL_ERROR_IO, "cannot open"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    refuse (folders->folder, external_model (cases[i].location, NULL, NULL, NULL), cases[i].code,
            cases[i].text);

  if (linkat (AT_FDCWD, secret, AT_FDCWD, hard, 0) == 0)
    refuse (folders->folder, external_model ("hard.bin", NULL, NULL, NULL), SL_ERROR_IO,
            "hard links");
  else
    g_test_message ("no hard links here: %s", g_strerror (errno));
  refuse (folders->outer, external_model ("model", NULL, NULL, NULL), SL_ERROR_IO, "is a folder");
}

static void
test_extents_refused (Folders *folders, gconstpointer unused)
{
  const struct {
    const char *offset, *length;
    const char *text;
  } cases[] = {
      {"17", NULL, "has 32 bytes (expected 16 at 17)"},
      {"9223372036854775807", NULL, "has 32 bytes"},
      {"9223372036854775808", NULL, "no number"},
      {"-1", NULL, "no number"},
      {"0x10", NULL, "no number"},
      {"1125899906842624", NULL, "has 32 bytes (expected 16 at 1125899906842624)"},
      {"0", "1125899906842624", "1125899906842624 bytes of external data (expected 16"},
      {"", NULL, "no number"},
      {"0", "15", "15 bytes of external data (expected 16"},
      {"0", "18446744073709551615", "no number"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    refuse (folders->folder, external_model ("weights.bin", cases[i].offset, cases[i].length, NULL),
            SL_ERROR_MALFORMED, cases[i].text);
  refuse (folders->folder, external_model (NULL, NULL, NULL, NULL), SL_ERROR_MALFORMED,
          "no location");
  refuse (folders->folder,
          external_model ("weights.bin", NULL, NULL, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
          SL_ERROR_MALFORMED, "has the SHA-1");
  refuse (NULL, external_model ("weights.bin", NULL, NULL, NULL), SL_ERROR_UNSUPPORTED,
          "lies in the file 'weights.bin'");
}

/* The same bytes stated many times over count each time: a small file cannot ask for much memory.
 */
static void
test_budget (Folders *folders, gconstpointer unused)
{
  enum { TENSORS = 100, ELEMENTS = 1000 };
  static const gint64 dims[] = {ELEMENTS};
  g_autofree char *path = in (folders->folder, "large.bin");
  g_autofree float *content = g_new0 (float, ELEMENTS);
  g_assert_true (g_file_set_contents (path, (const char *)content, ELEMENTS * 4, NULL));
  Emit *graph = emit_new ();
  for (int i = 0; i < TENSORS; i++) {
    g_autofree char *name = g_strdup_printf ("w%d", i);
    Emit *tensor = emit_tensor (name, 1, 1, dims, NULL, 0);
    emit_entry (tensor, "location", "large.bin");
    emit_int (tensor, 14, 1);
    emit_message (graph, 5, tensor);
  }
  emit_message (graph, 12, emit_value ("w0", 1, dims));
  GBytes *bytes = g_byte_array_free_to_bytes (emit_model (graph, 13));
  const guint64 needed = TENSORS * ELEMENTS * 4;
  GError *error = NULL;
  g_assert_null (read_external (folders->folder, g_bytes_ref (bytes), needed - 1, NULL, &error));
  check_error (g_steal_pointer (&error), SL_ERROR_LIMIT, "'w99': has 4000 bytes");
  g_autoptr (SlGraph) read = read_external (folders->folder, bytes, needed, NULL, &error);
  g_assert_no_error (error);
}

/* A location with a NUL in it, where C would see another name. */
static void
test_nul (Folders *folders, gconstpointer unused)
{
  static const gint64 dims[] = {4};
  Emit *graph = emit_new (), *tensor = emit_tensor ("w", 1, 1, dims, NULL, 0), *entry = emit_new ();
  emit_text (entry, 1, "location");
  emit_bytes (entry, 2, "weights.bin\0.txt", 16);
  emit_message (tensor, 13, entry);
  emit_int (tensor, 14, 1);
  emit_message (graph, 5, tensor);
  emit_message (graph, 12, emit_value ("w", 1, dims));
  refuse (folders->folder, g_byte_array_free_to_bytes (emit_model (graph, 13)), SL_ERROR_MALFORMED,
          "control character");
}

/* The tensor of a Constant is held to the same rules. */
static void
test_elsewhere (Folders *folders, gconstpointer unused)
{
  static const gint64 dims[] = {4};
  static const struct {
    const char *location, *text;
  } cases[] = {{"weights.bin", NULL}, {"../secret.bin", "leads outside"}};
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Emit *graph = emit_new (), *node = emit_node ("Constant", "k", "", "w"), *attr = emit_new ();
    Emit *tensor = emit_tensor (NULL, 1, 1, dims, NULL, 0);
    emit_entry (tensor, "location", cases[i].location);
    emit_int (tensor, 14, 1);
    emit_text (attr, 1, "value");
    emit_message (attr, 5, tensor);
    emit_int (attr, 20, 4);
    emit_message (node, 5, attr);
    emit_message (graph, 1, node);
    emit_message (graph, 12, emit_value ("w", 1, dims));
    GBytes *bytes = g_byte_array_free_to_bytes (emit_model (graph, 13));
    if (cases[i].text != NULL) {
      refuse (folders->folder, bytes, SL_ERROR_MALFORMED, cases[i].text);
      continue;
    }
    GError *error = NULL;
    g_autoptr (SlGraph) read = read_external (folders->folder, bytes, 0, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpfloat (sl_tensor_get_double (sl_graph_find_value (read, "w")->data, 3), ==, 4);
  }
}

/* What is written says nothing of other files: the data are in it. */
static void
test_written (Folders *folders, gconstpointer unused)
{
  GError *error = NULL;
  g_autoptr (SlGraph) read = read_external (
      folders->folder, external_model ("weights.bin", NULL, NULL, NULL), 0, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) bytes = sl_onnx_write (read, NULL, &error);
  g_assert_no_error (error);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_assert_null (memmem (data, size, "weights.bin", strlen ("weights.bin")));
  g_autoptr (SlGraph) again = read_bytes (data, size, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (sl_tensor_get_double (sl_graph_find_value (again, "w")->data, 3), ==, 4);
}

typedef struct {
  const char *path, *target;
  int stop;
} Swap;

/* weights.bin is in turn a file, a link that leads outside, shorter, and not there. */
static gpointer
swap (gpointer data)
{
  static const float other[8] = {-1, -1, -1, -1};
  Swap *race = data;
  g_autofree char *beside = g_strconcat (race->path, ".new", NULL);
  for (guint i = 0; !g_atomic_int_get (&race->stop); i++) {
    if (i % 3 == 0) {
      g_assert_true (g_file_set_contents (beside, (const char *)weights, sizeof weights, NULL));
    } else if (i % 3 == 1) {
      g_unlink (beside);
      g_assert_cmpint (symlink (race->target, beside), ==, 0);
    } else {
      g_assert_true (g_file_set_contents (beside, (const char *)other, 16, NULL));
    }
    g_assert_cmpint (g_rename (beside, race->path), ==, 0);
    if (truncate (race->path, i % 2 ? 16 : 8) != 0)
      g_unlink (race->path);
  }
  return NULL;
}

static void
test_race (Folders *folders, gconstpointer unused)
{
  static const float secret[8] = {99, 99, 99, 99, 99, 99, 99, 99};
  g_autofree char *path = in (folders->folder, "weights.bin");
  g_autofree char *canary = in (folders->outer, "canary.bin");
  g_assert_true (g_file_set_contents (canary, (const char *)secret, sizeof secret, NULL));
  Swap race = {.path = path, .target = "../canary.bin"};
  GThread *thread = g_thread_new ("swap", swap, &race);
  guint good = 0;
  for (int i = 0; i < 3000; i++) {
    GError *error = NULL;
    GBytes *bytes = external_model ("weights.bin", NULL, NULL, NULL);
    g_autoptr (SlGraph) read = read_external (folders->folder, bytes, 0, NULL, &error);
    g_assert_true ((read == NULL) == (error != NULL));
    if (read == NULL) {
      check_error (error, error->code, "'w': ");
      continue;
    }
    const double first = sl_tensor_get_double (sl_graph_find_value (read, "w")->data, 0);
    g_assert_true (first == 1 || first == -1);
    good++;
  }
  g_atomic_int_set (&race.stop, 1);
  g_thread_join (thread);
  g_test_message ("%u whole", good);
}

#define TEST(name, func) g_test_add ("/onnx/external/" name, Folders, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("read", test_read);
  TEST ("places-refused", test_places_refused);
  TEST ("extents-refused", test_extents_refused);
  TEST ("budget", test_budget);
  TEST ("nul", test_nul);
  TEST ("elsewhere", test_elsewhere);
  TEST ("written", test_written);
  TEST ("race", test_race);
  return g_test_run ();
}
