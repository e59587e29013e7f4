#include "core/file.h"
#include "core/memory.h"

#include <sightline/error.h>

#include <glib/gstdio.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Folder {
  char *path;
} Folder;

static void
set_up (Folder *folder, gconstpointer unused)
{
  GError *error = NULL;
  folder->path = g_dir_make_tmp ("sightline-file-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
remove_tree (const char *path)
{
  GDir *dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_tree (child);
  }
  if (dir)
    g_dir_close (dir);
  g_remove (path);
}

static void
tear_down (Folder *folder, gconstpointer unused)
{
  remove_tree (folder->path);
  g_free (folder->path);
}

static char *
make (const Folder *folder, const char *name, const char *content)
{
  char *path = g_build_filename (folder->path, name, NULL);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  return path;
}

static void
test_read (Folder *folder, gconstpointer unused)
{
  g_autofree char *path = make (folder, "ten", "0123456789");
  g_autofree char *empty = make (folder, "empty", "");
  GError *error = NULL;

  g_autoptr (GBytes) bytes = sl_file_read (path, 10, &error);
  g_assert_no_error (error);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_assert_cmpmem (data, size, "0123456789", 10);
  g_assert_cmpuint ((guintptr)data % SL_ALIGNMENT, ==, 0);

  g_autoptr (GBytes) none = sl_file_read (empty, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (none), ==, 0);

  g_assert_null (sl_file_read (path, 9, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_LIMIT);
  g_clear_error (&error);
}

static void
test_read_refuses (Folder *folder, gconstpointer unused)
{
  g_autofree char *fifo = g_build_filename (folder->path, "fifo", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_autofree char *missing = g_build_filename (folder->path, "missing", NULL);
  /* A file of /proc says it is empty and is not: it "grows" while it is read. */
  const char *paths[] = {folder->path, fifo, missing, "/dev/zero", "/proc/self/status"};

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    GError *error = NULL;
    g_assert_null (sl_file_read (paths[i], 1 << 20, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_IO);
    g_assert_nonnull (strstr (error->message, paths[i]));
    g_clear_error (&error);
  }
}

static void
test_beneath (Folder *folder, gconstpointer unused)
{
  g_autofree char *sub = g_build_filename (folder->path, "sub", NULL);
  g_assert_cmpint (g_mkdir (sub, 0700), ==, 0);
  g_free (make (folder, "sub/data", "abc"));
  const char *names[] = {"sub/data", "./sub//data"};

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    GError *error = NULL;
    int fd = sl_file_open_beneath (folder->path, names[i], &error);
    g_assert_no_error (error);
    char text[3];
    g_assert_true (sl_file_read_at (fd, names[i], 0, text, 3, &error));
    g_assert_cmpmem (text, 3, "abc", 3);
    close (fd);
  }
}

static void
test_beneath_refuses (Folder *folder, gconstpointer unused)
{
  g_autofree char *root = g_build_filename (folder->path, "root", NULL);
  g_assert_cmpint (g_mkdir (root, 0700), ==, 0);
  g_autofree char *sub = g_build_filename (root, "sub", NULL);
  g_assert_cmpint (g_mkdir (sub, 0700), ==, 0);
  g_autofree char *secret = make (folder, "secret", "secret");
  g_free (make (folder, "root/good", "good"));
  g_autofree char *link = g_build_filename (root, "link", NULL);
  g_assert_cmpint (symlink ("good", link), ==, 0);
  g_autofree char *folder_link = g_build_filename (root, "up", NULL);
  g_assert_cmpint (symlink ("..", folder_link), ==, 0);
  g_autofree char *hard = g_build_filename (root, "hard", NULL);
  g_assert_cmpint (linkat (AT_FDCWD, secret, AT_FDCWD, hard, 0), ==, 0);
  g_autofree char *fifo = g_build_filename (root, "fifo", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);

  static const struct {
    const char *name;
    int code;
  } cases[] = {
      {"", SL_ERROR_MALFORMED},
      {".", SL_ERROR_MALFORMED},
      {"/etc/passwd", SL_ERROR_MALFORMED},
      {"../secret", SL_ERROR_MALFORMED},
      {"sub/../good", SL_ERROR_MALFORMED},
      {"..", SL_ERROR_MALFORMED},
      {"link", SL_ERROR_IO},
      {"up/secret", SL_ERROR_IO},
      {"hard", SL_ERROR_IO},
      {"fifo", SL_ERROR_IO},
      {"sub", SL_ERROR_IO},
      {"missing", SL_ERROR_IO},
      {"good/x", SL_ERROR_IO},
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    g_assert_cmpint (sl_file_open_beneath (root, cases[i].name, &error), ==, -1);
    g_assert_error (error, SL_ERROR, cases[i].code);
    g_clear_error (&error);
  }
}

static void
test_read_at (Folder *folder, gconstpointer unused)
{
  g_autofree char *path = make (folder, "ten", "0123456789");
  int fd = g_open (path, O_RDONLY, 0);
  GError *error = NULL;
  char text[10];

  g_assert_true (sl_file_read_at (fd, "ten", 7, text, 3, &error));
  g_assert_cmpmem (text, 3, "789", 3);
  g_assert_true (sl_file_read_at (fd, "ten", 10, text, 0, &error));

  g_assert_false (sl_file_read_at (fd, "ten", 7, text, 4, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_clear_error (&error);
  g_assert_false (sl_file_read_at (fd, "ten", G_MAXUINT64 - 1, text, 4, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
  g_clear_error (&error);
  close (fd);
}

static guint
count_entries (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;
  while (g_dir_read_name (dir))
    n++;
  return n;
}

static void
test_write (Folder *folder, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (folder->path, "out", NULL);
  GError *error = NULL;
  mode_t mask = umask (0027);
  g_assert_true (sl_file_write (path, "first", 5, &error));
  g_assert_no_error (error);
  g_assert_true (sl_file_write (path, "second", 6, &error));
  umask (mask);

  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "second");
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0640);
  g_assert_cmpuint (count_entries (folder->path), ==, 1);
}

static void
test_write_refuses (Folder *folder, gconstpointer unused)
{
  g_autofree char *sub = g_build_filename (folder->path, "sub", NULL);
  g_assert_cmpint (g_mkdir (sub, 0700), ==, 0);
  g_autofree char *slash = g_strconcat (folder->path, "/new/", NULL);
  g_autofree char *deep = g_build_filename (folder->path, "missing", "out", NULL);
  g_autofree char *fifo = g_build_filename (folder->path, "fifo", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  const char *paths[] = {sub, slash, deep, fifo, ""};

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    GError *error = NULL;
    g_assert_false (sl_file_write (paths[i], "x", 1, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_IO);
    g_clear_error (&error);
  }
  g_assert_cmpuint (count_entries (folder->path), ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/core/file/" name, Folder, NULL, set_up, func, tear_down)
  ADD ("read", test_read);
  ADD ("read-refuses", test_read_refuses);
  ADD ("beneath", test_beneath);
  ADD ("beneath-refuses", test_beneath_refuses);
  ADD ("read-at", test_read_at);
  ADD ("write", test_write);
  ADD ("write-refuses", test_write_refuses);
  return g_test_run ();
}
