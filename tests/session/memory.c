/* Constants are in memory while somebody reads them, once, and come back when they are needed. */
#include "onnx/emit.h"
#include "session-private.h"

#include <glib/gstdio.h>
#include <sightline/sightline.h>

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define HAS_SHADOW true
#else
#define HAS_SHADOW false
#endif

#define MIB ((guint64)1 << 20)

static char *folder;

static void
write_file (const char *path, Emit *model)
{
  GError *error = NULL;
  g_file_set_contents (path, (const char *)model->data, (gssize)model->len, &error);
  g_assert_no_error (error);
  g_byte_array_unref (model);
}

static Emit *
weights (const char *name, gint64 rows, gint64 cols)
{
  g_autofree float *numbers = g_new (float, (gsize)(rows * cols));
  for (gint64 i = 0; i < rows * cols; i++)
    numbers[i] = (float)((i * 7919) % 1009 - 504) / 4096;
  return emit_tensor (name, 1, 2, (const gint64[]){rows, cols}, numbers,
                      (gsize)(rows * cols) * sizeof (float));
}

/* x (?, n) → Gemm with w (n, n) transposed → y, and what `more` nodes make w of v. */
static char *
write_dense (const char *name, gint64 n, Emit *graph, const char *stored)
{
  char *path = g_build_filename (folder, name, NULL);
  Emit *gemm = emit_node ("Gemm", "dense", "x w", "y");
  emit_attr_int (gemm, "transB", 1);
  emit_message (graph, 1, gemm);
  emit_message (graph, 5, weights (stored, n, n));
  emit_message (graph, 11, emit_value ("x", 2, (const gint64[]){-1, n}));
  emit_message (graph, 12, emit_value ("y", 2, (const gint64[]){-1, n}));
  write_file (path, emit_model (graph, 13));
  return path;
}

static SlModel *
load (const char *path)
{
  GError *error = NULL;
  SlModel *model = sl_model_load (path, NULL, &error);
  g_assert_no_error (error);
  return model;
}

static SlProgram *
program_of (SlModel *model, uint32_t batch)
{
  GError *error = NULL;
  SlProgram *program = sl_program_new (model, &(SlProgramOptions){.batch = batch}, &error);
  g_assert_no_error (error);
  return program;
}

static SlTensor *
result_of (SlProgram *program)
{
  GError *error = NULL;
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) x =
      sl_tensor_new (SL_FLOAT32, &sl_program_get_input (program, 0)->shape, &error);
  float *numbers = sl_tensor_get_data_writable (x);
  for (size_t i = 0; i < sl_tensor_get_elements (x); i++)
    numbers[i] = (float)(i % 37) - 18;
  g_assert_true (sl_run_set_input (run, 0, x, &error));
  g_assert_true (sl_run_execute (run, &error));
  return sl_run_copy_output (run, 0, NULL);
}

static void
assert_same (const SlTensor *a, const SlTensor *b)
{
  g_assert_cmpmem (sl_tensor_get_data (a), sl_tensor_get_size (a), sl_tensor_get_data (b),
                   sl_tensor_get_size (b));
}

/* In a process of its own; 0 if its peak is what the program says it needs and 40 MiB. */
static int
use_file (const char *path)
{
  struct rusage usage;
  SlProgramInfo info;
  g_autoptr (SlModel) model = load (path);
  g_autoptr (SlProgram) program = program_of (model, 1);
  g_autoptr (SlTensor) y = result_of (program);
  sl_program_get_info (program, &info);
  getrusage (RUSAGE_SELF, &usage);
  const guint64 peak = (guint64)usage.ru_maxrss * 1024;
  const guint64 bound = info.weight_bytes + info.arena_bytes + 40 * MIB;
  if (peak > bound)
    g_printerr ("# %.1f MiB at most, expected %.1f\n", (double)peak / MIB, (double)bound / MIB);
  return y == NULL || info.weight_bytes < 64 * MIB || (!HAS_SHADOW && peak > bound);
}

static void
test_peak (void)
{
  int status;
  g_autofree char *path = write_dense ("large.onnx", 4096, emit_new (), "w");
  const pid_t pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (use_file (path));
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_remove (path);
}

/* Programs for other batches and backends, after those before them are gone, and after the file is.
 */
static void
test_again (void)
{
  g_autofree char *path = write_dense ("again.onnx", 128, emit_new (), "w");
  g_autoptr (SlModel) model = load (path), other = load (path);
  g_autoptr (SlProgram) reference = program_of (other, 2);
  g_autoptr (SlTensor) wanted = result_of (reference);
  g_autoptr (SlTensor) first = NULL;
  g_remove (path);
  for (int i = 0; i < 2; i++) {
    SlProgram *one = program_of (model, 1);
    g_autoptr (SlTensor) y = result_of (one);
    sl_program_unref (one);
    SlProgram *two = program_of (model, 2);
    g_autoptr (SlTensor) both = result_of (two);
    sl_program_unref (two);
    assert_same (both, wanted);
    if (first != NULL)
      assert_same (y, first);
    else
      first = sl_tensor_ref (y);
    /* Reads the file's tensor itself. */
    GError *error = NULL;
    const SlDevice *device = sl_device_find ("ref", &error);
    g_assert_no_error (error);
    SlProgram *exact = sl_program_new (
        model, &(SlProgramOptions){.batch = 1, .device = device, .unoptimized = TRUE}, &error);
    g_assert_no_error (error);
    g_autoptr (SlTensor) numbers = result_of (exact);
    sl_program_unref (exact);
    for (size_t k = 0; k < sl_tensor_get_elements (y); k++)
      g_assert_cmpfloat_with_epsilon (sl_tensor_get_double (numbers, k),
                                      sl_tensor_get_double (y, k), 1e-4);
  }
}

static void
test_hash_and_save (void)
{
  GError *error = NULL;
  gsize length;
  Emit *graph = emit_new ();
  emit_message (graph, 5, weights ("unused", 96, 96));
  g_autofree char *path = write_dense ("hash.onnx", 96, graph, "w");
  g_autofree char *copy = g_build_filename (folder, "copy.onnx", NULL);
  g_autofree char *content = NULL;
  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  g_autofree char *hash =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)content, length);
  g_autoptr (SlModel) model = load (path);
  g_assert_cmpstr (sl_model_get_hash (model), ==, hash);
  sl_model_save (model, copy, &error);
  g_assert_no_error (error);
  g_autoptr (SlModel) saved = load (copy);
  g_autoptr (SlProgram) one = program_of (model, 1), two = program_of (saved, 1);
  g_autoptr (SlTensor) a = result_of (one), b = result_of (two);
  assert_same (a, b);
  g_remove (path);
  g_remove (copy);
}

/* Changes a byte in place, or cuts the end off, and sets the time of change as a clock would. */
static void
change (const char *path, bool cut)
{
  struct stat status;
  const int fd = open (path, O_RDWR);
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  if (cut)
    g_assert_cmpint (ftruncate (fd, status.st_size / 2), ==, 0);
  else
    g_assert_cmpint (pwrite (fd, "\x3f", 1, status.st_size / 2), ==, 1);
  const struct timespec times[2] = {status.st_mtim,
                                    {status.st_mtim.tv_sec + 1, status.st_mtim.tv_nsec}};
  g_assert_cmpint (futimens (fd, times), ==, 0);
  close (fd);
}

static void
test_changed (void)
{
  for (int cut = 0; cut < 2; cut++) {
    GError *error = NULL;
    g_autofree char *path = write_dense ("changed.onnx", 128, emit_new (), "w");
    g_autofree char *copy = g_build_filename (folder, "copy.onnx", NULL);
    g_autoptr (SlModel) model = load (path), used = load (path);
    g_autoptr (SlProgram) before = program_of (used, 1);
    change (path, cut != 0);
    g_assert_null (sl_program_new (model, NULL, &error));
    check_error (error, SL_ERROR_IO, "changed.onnx: was changed after it was loaded");
    error = NULL;
    g_assert_false (sl_model_save (model, copy, &error));
    check_error (error, SL_ERROR_IO, "changed.onnx: was changed after it was loaded");
    g_assert_false (g_file_test (copy, G_FILE_TEST_EXISTS));
    g_assert_cmpstr (sl_model_get_hash (model), ==, "");
    /* What is packed already is not read again. */
    g_autoptr (SlProgram) after = program_of (used, 4);
    g_autoptr (SlTensor) y = result_of (after);
    g_assert_nonnull (y);
    g_remove (path);
  }
}

/* The packed weights that the program reads. */
static const void *
packed_of (SlProgram *program)
{
  const SlGraph *graph = sl_session_get_plan (program)->graph;
  for (uint32_t i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    if (value->data != NULL && sl_tensor_get_size (value->data) > 16384)
      return sl_tensor_get_data (value->data);
  }
  return NULL;
}

static void *
compile_one (void *model)
{
  static int batch;
  return program_of (model, 1 + (uint32_t)g_atomic_int_add (&batch, 1) % 3);
}

/* Several at once find one another's weights. */
static void
test_threads (void)
{
  Emit *graph = emit_new ();
  emit_message (graph, 1, emit_node ("Neg", "", "v", "u"));
  emit_message (graph, 1, emit_node ("Abs", "", "u", "w"));
  g_autofree char *path = write_dense ("threads.onnx", 512, graph, "v");
  g_autoptr (SlModel) model = load (path);
  GThread *threads[6];
  SlProgram *programs[G_N_ELEMENTS (threads)];
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("compile", compile_one, model);
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    programs[i] = g_thread_join (threads[i]);
  g_assert_nonnull (packed_of (programs[0]));
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (packed_of (programs[i]) == packed_of (programs[0]));
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    sl_program_unref (programs[i]);
  g_remove (path);
}

/* A thousand constants in a row, and levels each of which reads the one before twice over: neither
 * deep recursion nor making anything again and again. */
static void
test_chains (void)
{
  Emit *graph = emit_new ();
  for (int i = 0; i < 1000; i++) {
    g_autofree char *in = i > 0 ? g_strdup_printf ("c%d", i - 1) : g_strdup ("v");
    g_autofree char *out = g_strdup_printf ("c%d", i);
    emit_message (graph, 1, emit_node ("Neg", "", in, out));
  }
  for (int i = 0; i < 60; i++) {
    g_autofree char *a = i > 0 ? g_strdup_printf ("a%d", i - 1) : g_strdup ("c999");
    g_autofree char *b = i > 0 ? g_strdup_printf ("b%d", i - 1) : g_strdup ("v");
    g_autofree char *both = g_strdup_printf ("%s %s", a, b);
    g_autofree char *high = g_strdup_printf ("a%d", i), *low = g_strdup_printf ("b%d", i);
    emit_message (graph, 1, emit_node ("Max", "", both, i < 59 ? high : "w"));
    emit_message (graph, 1, emit_node ("Min", "", both, low));
  }
  g_autofree char *chained = write_dense ("chain.onnx", 72, graph, "v");
  g_autofree char *plain = write_dense ("plain.onnx", 72, emit_new (), "w");
  g_autoptr (SlModel) a = load (chained), b = load (plain);
  g_autoptr (SlProgram) one = program_of (a, 1), two = program_of (b, 1);
  g_autoptr (SlTensor) y = result_of (one), z = result_of (two);
  assert_same (y, z);
  g_remove (chained);
  g_remove (plain);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("sightline-XXXXXX", NULL);
  g_test_add_func ("/memory/peak", test_peak); /* first: its child needs a pool of its own */
  g_test_add_func ("/memory/again", test_again);
  g_test_add_func ("/memory/hash-and-save", test_hash_and_save);
  g_test_add_func ("/memory/changed", test_changed);
  g_test_add_func ("/memory/threads", test_threads);
  g_test_add_func ("/memory/chains", test_chains);
  int result = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return result;
}
