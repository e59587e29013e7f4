#include <sightline/history.h>

#include <glib/gstdio.h>

#include <math.h>
#include <string.h>

static const SlEpoch first = {1,    938, 0.1 + 0.2, 0.5,  1.0 / 3, 0.75,
                              1e-3, 2.5, 12345.6,   0.01, TRUE};
static const SlEpoch second = {2, 1876, 1e-300, 0, NAN, NAN, 0.1, 1, NAN, INFINITY, FALSE};

static SlHistory *
make (void)
{
  SlHistory *history = sl_history_new ();
  sl_history_add (history, &first);
  sl_history_add (history, &second);
  return history;
}

static void
assert_two (const SlHistory *history)
{
  g_assert_cmpuint (sl_history_get_n (history), ==, 2);
  const SlEpoch *a = sl_history_get (history, 0), *b = sl_history_get (history, 1);
  g_assert_cmpmem (a, sizeof *a, &first, sizeof first);
  g_assert_cmpint (b->epoch, ==, 2);
  g_assert_cmpfloat (b->loss, ==, second.loss);
  g_assert_true (isnan (b->val_loss) && isnan (b->waiting));
  g_assert_false (b->best);
}

static void
test_text (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlHistory) history = make ();
  g_autofree char *text = sl_history_to_text (history);
  g_assert_cmpstr (
      text, ==,
      "{\"epoch\":1,\"step\":938,\"loss\":0.30000000000000004,\"accuracy\":0.5,"
      "\"val_loss\":0.3333333333333333,\"val_accuracy\":0.75,\"rate\":0.001,\"seconds\":2.5,"
      "\"images_per_second\":12345.6,\"waiting\":0.01,\"best\":true}\n"
      "{\"epoch\":2,\"step\":1876,\"loss\":1e-300,\"accuracy\":0,\"rate\":0.1,\"seconds\":1,"
      "\"best\":false}\n");
  g_autoptr (SlHistory) again = sl_history_parse (text, strlen (text), "h", &error);
  g_assert_no_error (error);
  assert_two (again);
}

/* Cut anywhere it is the lines that are whole. */
static void
test_cut (void)
{
  g_autoptr (SlHistory) history = make ();
  g_autofree char *text = sl_history_to_text (history);
  const gsize first_line = (gsize)(strchr (text, '\n') - text) + 1;
  for (gsize n = 0; n < strlen (text); n++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SlHistory) cut = sl_history_parse (text, n, "h", &error);
    g_assert_no_error (error);
    g_assert_cmpuint (sl_history_get_n (cut), ==, n >= first_line);
  }
}

static void
test_odd (void)
{
  const char good[] = " { \"epoch\" : 3 , \"new\":\"a \\\" b\", \"n\":null,\"loss\":-1.5e2 } \r\n";
  const char *const bad[] = {"\n",
                             "{}\n",
                             "[1]\n",
                             "{\"epoch\":1\n",
                             "{\"epoch\"}\n",
                             "{\"epoch\":0}\n",
                             "{\"epoch\":1.5}\n",
                             "{\"epoch\":1,}\n",
                             "{\"epoch\":1} x\n",
                             "{\"epoch\":1,\"loss\":nan}\n",
                             "{\"epoch\":1,\"loss\":{}}\n",
                             "{\"epoch\":1,\"x\":\"a\\\n",
                             "{\"epoch\":1,\"loss\":1e999}\n"};
  g_autoptr (GError) error = NULL;
  g_autoptr (SlHistory) history = sl_history_parse (good, strlen (good), "h", &error);
  g_assert_no_error (error);
  g_assert_cmpint (sl_history_get (history, 0)->epoch, ==, 3);
  g_assert_cmpfloat (sl_history_get (history, 0)->loss, ==, -150);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_assert_null (sl_history_parse (bad[i], strlen (bad[i]), "h", &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
    g_assert_cmpstr (error->message, ==,
                     "h: line 1 is no epoch (expected {\"epoch\":1,\"loss\":0.5,…})");
    g_clear_error (&error);
  }
}

static void
test_append (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("sightline-history-XXXXXX", &error);
  g_autofree char *path = g_build_filename (folder, "h.jsonl", NULL);
  g_assert_true (sl_history_append (path, &first, &error));
  g_assert_true (sl_history_append (path, &second, &error));
  g_autoptr (SlHistory) history = sl_history_load (path, &error);
  g_assert_no_error (error);
  assert_two (history);

  /* A line that the writer did not finish is replaced by the next one, however long it is. */
  g_autoptr (SlHistory) one = sl_history_new ();
  sl_history_add (one, &first);
  for (gsize n = 1; n < 10000; n = n * 3 + 1) {
    g_autofree char *text = sl_history_to_text (one);
    g_autofree char *rest = g_strnfill (n, 'x');
    g_autofree char *whole = g_strconcat (text, rest, NULL);
    g_assert_true (g_file_set_contents (path, whole, -1, NULL));
    g_assert_true (sl_history_append (path, &second, &error));
    g_autoptr (SlHistory) again = sl_history_load (path, &error);
    g_assert_no_error (error);
    assert_two (again);
  }
  g_assert_true (sl_history_save (one, path, &error));
  g_autoptr (SlHistory) replaced = sl_history_load (path, &error);
  g_assert_cmpuint (sl_history_get_n (replaced), ==, 1);
  g_remove (path);
  g_rmdir (folder);
  g_assert_false (sl_history_append (path, &first, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/history/text", test_text);
  g_test_add_func ("/train/history/cut", test_cut);
  g_test_add_func ("/train/history/odd", test_odd);
  g_test_add_func ("/train/history/append", test_append);
  return g_test_run ();
}
