/* Which buffers carry which results; and what derived elements make of them. */
#include "rig.h"

/* The message says how many frames had come meanwhile, and so does the event at the end. */
static void
test_delay (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstMessage) message = NULL;
  guint64 age;

  rig_init (&rig, LATE_LATEST);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  rig_pass (&rig, RED, 1);
  rig_pass (&rig, RED, 2);
  engine_open (&rig.engine);
  rig_settle (&rig);
  message = rig_pop (&rig, GST_MESSAGE_ELEMENT);
  g_assert_true (gst_structure_get_uint64 (gst_message_get_structure (message), "age", &age));
  g_assert_cmpuint (age, ==, 2);

  g_assert_true (gst_harness_push_event (rig.fixture->harness, gst_event_new_eos ()));
  rig_expect_events (&rig, "0 2 eos");
  g_assert_cmpuint (rig_stat (&rig, "age-last"), ==, 0);
  g_assert_cmpuint (rig_stat (&rig, "age-max"), ==, 2);
}

/* Two results between two buffers: the older goes ahead by itself. */
static void
test_two_results (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstBuffer) out = NULL;

  rig_init (&rig, LATE_LATEST);
  g_object_set (rig.fixture->element, "interval", 2, NULL);
  rig_pass (&rig, RED, 0);
  engine_wait (&rig.engine, 1);
  rig_pass (&rig, RED, 1);
  rig_pass (&rig, GREEN, 2);
  engine_open (&rig.engine);
  rig_settle (&rig);
  out = rig_process (&rig, BLUE, 3); /* not its turn */
  g_assert_cmpuint (fixture_best (out), ==, TINY_GREEN);
  g_assert_cmpuint (sl_buffer_get_label_meta (out, NULL)->age, ==, 1);
  rig_expect_events (&rig, "0");
  rig_expect_told (&rig, "0 2");
}

static void
test_attach (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  engine_open (&rig.engine);
  g_object_set (rig.fixture->element, "interval", 10, "max-age", frame_time (4), NULL);
  for (guint n = 0; n < 30; n++) {
    g_autoptr (GstBuffer) out = NULL;
    const SlLabelMeta *meta;
    guint age = n % 10;

    if (n == 10)
      g_object_set (rig.fixture->element, "max-age", G_GUINT64_CONSTANT (0), NULL);
    else if (n == 20)
      g_object_set (rig.fixture->element, "attach", ATTACH_FRESH, NULL);
    out = rig_process (&rig, RED, n);
    meta = sl_buffer_get_label_meta (out, NULL);
    g_assert_true ((meta != NULL) == (n < 10 ? age <= 4 : n < 20 ? TRUE : age == 0));
    if (meta) {
      g_assert_cmpuint (meta->age, ==, age);
      g_assert_true (meta->fresh == (age == 0));
      g_assert_cmpuint (meta->pts, ==, frame_time (n - age));
    }
  }
}

/* Without timestamps nothing is too old. */
static void
test_max_age_without_time (void)
{
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  engine_open (&rig.engine);
  g_object_set (rig.fixture->element, "interval", 100, "max-age", (guint64)1, NULL);
  rig_pass (&rig, RED, 0);
  for (guint n = 1; n < 4; n++) {
    GstBuffer *buffer = rig_frame (&rig, RED, n);

    GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
    g_assert_cmpint (gst_harness_push (rig.fixture->harness, buffer), ==, GST_FLOW_OK);
    buffer = gst_harness_pull (rig.fixture->harness);
    g_assert_cmpuint (sl_buffer_get_label_meta (buffer, NULL)->age, ==, n);
    gst_buffer_unref (buffer);
  }
}

static gfloat
get_score (GstBuffer *buffer, guint index)
{
  const SlLabelMeta *meta = sl_buffer_get_label_meta (buffer, NULL);

  for (guint i = 0; i < meta->n_labels; i++)
    if (meta->labels[i].index == index)
      return meta->labels[i].score;
  return -1;
}

static void
test_smoothing (void)
{
  static const struct {
    guint32 color;
    gboolean flush;
    gfloat red, blue;
  } steps[] = {
      {.color = RED, .red = 1},
      {.color = BLUE, .red = 0.75f, .blue = 0.25f},
      {.color = BLUE, .red = 0.5625f, .blue = 0.4375f},
      {.color = BLUE, .flush = TRUE, .blue = 1},
      {.color = RED, .red = 0.25f, .blue = 0.75f},
  };
  g_auto (Rig) rig = {0};

  rig_init (&rig, LATE_BLOCK);
  engine_open (&rig.engine);
  g_object_set (rig.fixture->element, "smoothing", 0.75f, NULL);
  for (guint n = 0; n < G_N_ELEMENTS (steps); n++) {
    g_autoptr (GstBuffer) out = NULL;

    if (steps[n].flush)
      rig_flush (&rig);
    out = rig_process (&rig, steps[n].color, n);
    g_assert_cmpfloat_with_epsilon (get_score (out, TINY_RED), steps[n].red, 1e-3f);
    g_assert_cmpfloat_with_epsilon (get_score (out, TINY_BLUE), steps[n].blue, 1e-3f);
  }
}

/* --- For derived elements --- */

static void
test_derived (void)
{
  g_auto (Rig) rig = {0};
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBuffer) out = NULL;
  const GstStructure *structure;
  TestInfer *element;
  gfloat red;

  rig_init_with (&rig, "testinfer", TINY_METADATA, LATE_BLOCK);
  element = (TestInfer *)rig.fixture->element;
  engine_open (&element->gate);
  engine_open (&rig.engine);
  rig_pass (&rig, RED, 0);
  message = rig_pop (&rig, GST_MESSAGE_ELEMENT);
  structure = gst_message_get_structure (message);
  g_assert_cmpstr (gst_structure_get_name (structure), ==, "testinfer");
  g_assert_true (gst_structure_get (structure, "red", G_TYPE_FLOAT, &red, NULL));
  g_assert_cmpfloat_with_epsilon (red, 1, 1e-3);

  element->wanted = FALSE;
  rig_pass (&rig, BLUE, 1);
  g_assert_cmpuint (rig_stat (&rig, "inferred"), ==, 1);
  g_assert_cmpuint (element->n_presented, ==, 2);
  g_assert_cmpuint (element->n_prepared, ==, 1);
  gst_element_set_state (rig.fixture->element, GST_STATE_READY);
  g_assert_cmpuint (element->n_released, ==, 1);
}

/* The weights of elements that name the same file are in memory once. */
static void
test_shared (void)
{
  g_auto (Rig) one = {0}, two = {0};

  rig_init (&one, LATE_BLOCK);
  rig_init (&two, LATE_BLOCK);
  g_assert_true (one.priv->loader.loaded.model == two.priv->loader.loaded.model);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  rig_register_elements ();
  g_test_add_func ("/carry/latest/delay", test_delay);
  g_test_add_func ("/carry/latest/two-results", test_two_results);
  g_test_add_func ("/carry/attach", test_attach);
  g_test_add_func ("/carry/attach/without-time", test_max_age_without_time);
  g_test_add_func ("/carry/smoothing", test_smoothing);
  g_test_add_func ("/carry/derived", test_derived);
  g_test_add_func ("/carry/shared", test_shared);
  return fixture_run ();
}
