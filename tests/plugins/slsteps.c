/* The tracer of steps: a record for each step of each frame, while there is one. */
#include "fixture.h"

#include <gstslclassify.h>
#include <gstslsteps.h>
#include <string.h>

static GPtrArray *records; /* their text */

static void
take_record (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
             const gchar *function, gint line, GObject *object, GstDebugMessage *message,
             gpointer data)
{
  const gchar *text = gst_debug_message_get (message);

  if (g_str_has_prefix (text, "slsteps,"))
    g_ptr_array_add (records, g_strdup (text));
}

static void
process (Fixture *fixture, guint number)
{
  gst_buffer_unref (fixture_process (fixture, RED, number));
}

static guint64
get_number (const GstStructure *record, const gchar *field)
{
  guint64 value = G_MAXUINT64;

  g_assert_true (gst_structure_get_uint64 (record, field, &value));
  return value;
}

/* Each record can be read as a structure, as gst-stats does it. */
static void
check_records (const gchar *element, guint n_frames, guint64 most)
{
  const guint n_steps = records->len / n_frames;
  guint64 sum = 0;
  guint n_odd = 0;

  g_assert_cmpuint (n_steps, >, 0);
  g_assert_cmpuint (records->len, ==, n_steps * n_frames);
  for (guint i = 0; i < records->len; i++) {
    g_autoptr (GstStructure) record = gst_structure_from_string (records->pdata[i], NULL);
    guint step;

    g_assert_nonnull (record);
    g_assert_cmpstr (gst_structure_get_string (record, "element"), ==, element);
    g_assert_cmpstr (gst_structure_get_string (record, "device"), ==, "cpu");
    g_assert_nonnull (gst_structure_get_string (record, "layer"));
    n_odd += g_str_equal (gst_structure_get_string (record, "layer"), TINY_ODD_SCORE);
    g_assert_cmpuint (strlen (gst_structure_get_string (record, "kernel")), >, 0);
    g_assert_cmpuint (get_number (record, "frame"), ==, 1 + i / n_steps);
    g_assert_true (gst_structure_get_uint (record, "step", &step));
    g_assert_cmpuint (step, ==, i % n_steps);
    sum += get_number (record, "time");
  }
  g_assert_cmpuint (n_odd, >=, n_frames);
  /* The element's own watch saw all of it. */
  g_assert_cmpuint (sum, >, 0);
  g_assert_cmpuint (sum, <=, most * n_frames);
}

static void
test_records (void)
{
  g_autoptr (Fixture) fixture =
      fixture_new_infer (TINY_METADATA | TINY_ODD_NAME, "name", "an element; odd", "device", "cpu",
                         "late-policy", LATE_BLOCK, NULL);
  g_autoptr (GstTracer) tracer = NULL;
  g_autoptr (GstStructure) stats = NULL;

  fixture_set_caps (fixture, "RGB", 16, 16, NULL);
  process (fixture, 0);
  g_assert_cmpuint (records->len, ==, 0);
  tracer = g_object_new (GST_TYPE_SL_STEPS, NULL);
  for (guint i = 1; i < 4; i++)
    process (fixture, i);
  g_test_message ("%s", (const gchar *)records->pdata[0]);
  g_object_get (fixture->element, "stats", &stats, NULL);
  check_records (GST_OBJECT_NAME (fixture->element), 3, get_number (stats, "time-max"));
}

int
main (int argc, char **argv)
{
  int status;

  fixture_init (&argc, &argv);
  GST_ELEMENT_REGISTER (slclassify, NULL);
  records = g_ptr_array_new_with_free_func (g_free);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (take_record, NULL, NULL);
  gst_debug_set_active (TRUE);
  gst_debug_set_threshold_for_name ("GST_TRACER", GST_LEVEL_TRACE);
  g_test_add_func ("/plugins/slsteps/records", test_records);
  status = fixture_run ();
  gst_debug_remove_log_function (take_record);
  g_ptr_array_unref (records);
  return status;
}
