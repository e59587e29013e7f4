/* Many state cycles: nothing may leak. GStreamer objects are counted by its own leaks tracer, the
 * rest by the process's memory. Arguments: how many cycles. */
#define GST_USE_UNSTABLE_API /* of tracers */
#include "fixture.h"

#include <gst/gsttracer.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static guint n_cycles = 30;

/* Resident memory in bytes. */
static gsize
get_memory (void)
{
  g_autofree gchar *text = NULL;
  gsize pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*u %zu", &pages);
  return pages * sysconf (_SC_PAGESIZE);
}

static void
run_once (const gchar *path, guint cycle)
{
  /* Every other one is live, with a thread beside the stream. */
  g_autofree gchar *line = g_strdup_printf (
      "sltestsrc num-buffers=%u is-live=%d ! "
      "video/x-raw,format=I420,width=64,height=48,framerate=1000/1 ! "
      "slclassify model-file=%s ! slresults location=%s/cycles.jsonl ! sloverlay ! fakesink",
      1 + cycle % 3, cycle % 2, path, fixture_folder);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;

  g_assert_no_error (error);
  /* Some end while the model is loading, some while frames flow, some at their end. */
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  if (cycle % 3 == 2)
    g_usleep (cycle % 7 * 100);
  if (cycle % 3 > 0)
    message = gst_bus_timed_pop_filtered (bus, cycle % 3 == 1 ? 10 * GST_SECOND : 0,
                                          GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (message)
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* GstTask's threads let go of their task a little after it has stopped. */
#define SETTLE_TIME (500 * G_TIME_SPAN_MILLISECOND)

static guint
count_alive (void)
{
  g_autoptr (GstTracer) tracer = NULL;
  GList *tracers = gst_tracing_get_active_tracers ();
  GstStructure *live = NULL;
  guint n = 0;

  for (GList *item = tracers; item; item = item->next)
    if (g_str_equal (G_OBJECT_TYPE_NAME (item->data), "GstLeaksTracer"))
      tracer = gst_object_ref (item->data);
  g_list_free_full (tracers, gst_object_unref);
  if (!tracer)
    g_error ("run with GST_TRACERS=leaks");

  g_usleep (SETTLE_TIME);
  g_signal_emit_by_name (tracer, "get-live-objects", &live);
  if (live) {
    const GValue *list = gst_structure_get_value (live, "live-objects-list");

    n = gst_value_list_get_size (list);
    for (guint i = 0; i < n && i < 5; i++) {
      g_autofree gchar *text = g_strdup_value_contents (gst_value_list_get_value (list, i));

      g_test_message ("alive: %s", text);
    }
    gst_structure_free (live);
  }
  return n;
}

static void
test_cycles (void)
{
  g_autofree gchar *path = tiny_model_write (fixture_folder, "tiny.onnx", TINY_METADATA);
  guint warm_up = MAX (10, n_cycles / 10), alive;
  gsize before;

  for (guint i = 0; i < warm_up; i++)
    run_once (path, i);
  alive = count_alive ();
  before = get_memory ();
  for (guint i = 0; i < n_cycles; i++)
    run_once (path, i);
  g_assert_cmpuint (count_alive (), <=, alive);
  g_test_message ("%u cycles: %.1f MiB before, %.1f MiB after", n_cycles, before / 1048576.0,
                  get_memory () / 1048576.0);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is freed for a while, and finds leaks by itself \
                              */
  /* A leak of one small object a cycle stays below this; one of a model or frame does not. */
  g_assert_cmpuint (get_memory (), <, before + 8 * 1048576);
#endif
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  if (argc > 1)
    n_cycles = atoi (argv[1]);
  g_test_add_func ("/cycles", test_cycles);
  return fixture_run ();
}
