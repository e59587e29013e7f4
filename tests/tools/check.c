/* `sightline check` on cases made here: that it passes what is right, and above all that it fails
 * what is not. */
#include "tiny-model.h"
#include "tool.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define FLOAT 1
#define INT64 7

/* What the tiny network without Softmax answers to a red picture. */
static const float red_scores[TINY_CLASSES] = {20, -10, -10, 3};

static void
put_varint (GByteArray *out, guint64 value)
{
  do {
    guint8 byte = (guint8)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    g_byte_array_append (out, &byte, 1);
    value >>= 7;
  } while (value);
}

/* A TensorProto: dims, data_type, raw_data. */
static void
write_tensor (const char *folder, const char *name, int type, const gint64 *dims, guint rank,
              const void *data, gsize size)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autofree char *path = tool_path (folder, name);
  for (guint i = 0; i < rank; i++) {
    put_varint (out, 1 << 3);
    put_varint (out, (guint64)dims[i]);
  }
  put_varint (out, 2 << 3);
  put_varint (out, (guint64)type);
  put_varint (out, 9 << 3 | 2);
  put_varint (out, size);
  g_byte_array_append (out, data, (guint)size);
  g_assert_true (g_file_set_contents (path, (char *)out->data, out->len, NULL));
}

static char *
add_data_set (const char *folder, guint number)
{
  static float picture[3 * TINY_SIZE * TINY_SIZE];
  static const gint64 dims[] = {1, 3, TINY_SIZE, TINY_SIZE};
  g_autofree char *name = g_strdup_printf ("test_data_set_%u", number);
  char *data_set = tool_path (folder, name);
  for (guint i = 0; i < TINY_SIZE * TINY_SIZE; i++)
    picture[i] = 1;
  g_assert_cmpint (g_mkdir (data_set, 0755), ==, 0);
  write_tensor (data_set, "input_0.pb", FLOAT, dims, 4, picture, sizeof picture);
  return data_set;
}

static void
add_output (const char *data_set, const float *scores)
{
  static const gint64 dims[] = {1, TINY_CLASSES};
  write_tensor (data_set, "output_0.pb", FLOAT, dims, 2, scores, TINY_CLASSES * sizeof (float));
}

/* A case folder with the network and one data set, whose output is still missing. */
static char *
new_case (const char *folder, const char *name, TinyFlags flags, char **ret_data_set)
{
  char *path = tool_path (folder, name);
  g_assert_cmpint (g_mkdir (path, 0755), ==, 0);
  g_free (tiny_model_write (path, "model.onnx", flags | TINY_LOGITS));
  *ret_data_set = add_data_set (path, 0);
  return path;
}

static void
test_pass (void)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = tool_folder_new (), *data_set = NULL, *second = NULL;
  g_autofree char *path = new_case (folder, "right", TINY_PLAIN, &data_set);
  add_output (data_set, red_scores);
  second = add_data_set (path, 1);
  add_output (second, red_scores);
  for (guint i = 0; i < 2; i++) {
    tool_run (&run, folder, "check", "-d", i ? "ref" : "cpu", "right/", NULL);
    tool_assert_ok (&run);
    g_assert_cmpstr (run.err, ==, "");
    g_assert_cmpstr (run.out, ==, "pass right\n1 passed, 0 failed, 0 unsupported\n");
  }
  tool_folder_remove (folder);
}

/* NaN is NaN's equal, and no failure of its own. */
static void
test_not_a_number (void)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = tool_folder_new (), *data_set = NULL;
  g_autofree char *path = new_case (folder, "nan", TINY_NAN, &data_set);
  const float scores[TINY_CLASSES] = {20, -10, -10, NAN};
  add_output (data_set, scores);
  tool_run (&run, folder, "check", "nan", NULL);
  tool_assert_ok (&run);
  add_output (data_set, red_scores);
  tool_run (&run, folder, "check", "nan", NULL);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_true (g_str_has_prefix (run.out, "fail nan "));
  tool_folder_remove (folder);
}

static void
assert_fails (const char *folder, const char *name, const char *reason)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *prefix = g_strdup_printf ("fail %s ", name);
  tool_run (&run, folder, "check", name, NULL);
  g_test_message ("%s", run.out);
  g_assert_cmpint (run.status, ==, 1);
  g_assert_true (g_str_has_prefix (run.out, prefix));
  g_assert_nonnull (strstr (run.out, reason));
  g_assert_nonnull (strstr (run.out, "\n0 passed, 1 failed, 0 unsupported\n"));
  g_assert_cmpuint (tool_count_lines (run.out), ==, 2);
}

static void
test_fail (void)
{
  static const gint64 wide[] = {TINY_CLASSES, 1}, dims[] = {1, TINY_CLASSES};
  static const gint64 integers[TINY_CLASSES] = {20, -10, -10, 3};
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = tool_folder_new (), *data_set = NULL, *model = NULL;
  g_autofree char *path = new_case (folder, "case", TINY_PLAIN, &data_set);
  float scores[TINY_CLASSES];

  assert_fails (folder, "case", "0 outputs");
  memcpy (scores, red_scores, sizeof scores);
  scores[3] = 3.1f;
  add_output (data_set, scores);
  assert_fails (folder, "case", "1 of 4 elements differ, the first at 3: 3 (expected 3.0999999");
  tool_run (&run, folder, "check", "--rtol", "0.1", "case", NULL);
  tool_assert_ok (&run);
  tool_run (&run, folder, "check", "--rtol", "0", "--atol", "0", "--scaled", "0.1", "--show",
            "case", NULL);
  tool_assert_ok (&run);
  g_assert_nonnull (strstr (run.out, "pass case difference "));
  tool_run (&run, folder, "check", "--rtol", "0", "--atol", "0", "--scaled", "1e-4", "case", NULL);
  g_assert_cmpint (run.status, ==, 1);
  tool_run (&run, folder, "check", "--rtol", "0", "--atol", "0.2", "case", NULL);
  tool_assert_ok (&run);

  write_tensor (data_set, "output_0.pb", FLOAT, wide, 2, red_scores, sizeof red_scores);
  assert_fails (folder, "case", "shape 1x4 (expected 4x1)");
  write_tensor (data_set, "output_0.pb", INT64, dims, 2, integers, sizeof integers);
  assert_fails (folder, "case", "type float32 (expected int64)");
  write_tensor (data_set, "output_0.pb", FLOAT, dims, 2, red_scores, 5);
  assert_fails (folder, "case", "output_0.pb");

  add_output (data_set, red_scores);
  g_autofree char *second = add_data_set (path, 1);
  add_output (second, scores);
  assert_fails (folder, "case", "test_data_set_1");

  model = tool_path (path, "model.onnx");
  tool_cut (model, 0.5);
  assert_fails (folder, "case", "model.onnx");
  g_unlink (model);
  assert_fails (folder, "case", "model.onnx");
  tool_folder_remove (folder);
}

static void
test_no_data_set (void)
{
  g_autofree char *folder = tool_folder_new ();
  g_free (tiny_model_write (folder, "model.onnx", TINY_PLAIN));
  g_autofree char *name = g_path_get_basename (folder);
  g_autofree char *parent = g_path_get_dirname (folder);
  assert_fails (parent, name, "test_data_set_0");
  tool_folder_remove (folder);
}

/* An operator that nobody has is no failure, unless asked for. */
static void
test_unsupported (void)
{
  g_auto (ToolRun) run = {0};
  g_autofree char *folder = tool_folder_new (), *data_set = NULL, *bytes = NULL;
  g_autofree char *path = new_case (folder, "odd", TINY_PLAIN, &data_set);
  g_autofree char *model = tool_path (path, "model.onnx");
  gsize size;
  add_output (data_set, red_scores);
  g_assert_true (g_file_get_contents (model, &bytes, &size, NULL));
  char *op = memmem (bytes, size, "GlobalAveragePool", 17);
  g_assert_nonnull (op);
  memcpy (op, "GlobalFrobnicated", 17);
  g_assert_true (g_file_set_contents (model, bytes, (gssize)size, NULL));

  tool_run (&run, folder, "check", "odd", NULL);
  tool_assert_ok (&run);
  g_assert_true (g_str_has_prefix (run.out, "unsupported odd "));
  g_assert_nonnull (strstr (run.out, "GlobalFrobnicated"));
  g_assert_nonnull (strstr (run.out, "\n0 passed, 0 failed, 1 unsupported\n"));
  tool_run (&run, folder, "check", "--strict", "odd", NULL);
  g_assert_cmpint (run.status, ==, 1);
  tool_folder_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/check/pass", test_pass);
  g_test_add_func ("/tools/check/not-a-number", test_not_a_number);
  g_test_add_func ("/tools/check/fail", test_fail);
  g_test_add_func ("/tools/check/no-data-set", test_no_data_set);
  g_test_add_func ("/tools/check/unsupported", test_unsupported);
  return g_test_run ();
}
