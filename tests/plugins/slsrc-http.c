/* slsrc and an HTTP camera that sends a few JPEG pictures as multipart/x-mixed-replace, then hangs
 * up; and a clip that is not there. */
#include "slsrc-run.h"

#include <gio/gio.h>
#include <string.h>

#define PICTURES 6
#define WHITE_LUMA 235

typedef struct Server {
  GSocketService *service;
  guint16 port;
  GBytes *picture;
} Server;

static GBytes *
make_picture (void)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "videotestsrc num-buffers=1 pattern=white ! video/x-raw,format=I420,width=64,height=48 "
      "! jpegenc ! appsink name=k",
      NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "k");
  g_autoptr (GstSample) sample = NULL;
  GstBuffer *buffer;
  gpointer data;
  gsize size;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  sample = gst_app_sink_pull_sample (GST_APP_SINK (sink));
  buffer = gst_sample_get_buffer (sample);
  gst_buffer_extract_dup (buffer, 0, -1, &data, &size);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return g_bytes_new_take (data, size);
}

/* One client at a time, in the service's thread. */
static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
  Server *server = data;
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  gchar request[4096] = "";
  gsize size;
  gconstpointer picture = g_bytes_get_data (server->picture, &size);

  if (g_input_stream_read (in, request, sizeof request - 1, NULL, NULL) <= 0)
    return TRUE;
  if (!strstr (request, "/camera")) {
    g_output_stream_printf (out, NULL, NULL, NULL,
                            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return TRUE;
  }
  g_output_stream_printf (out, NULL, NULL, NULL,
                          "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                          "Content-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n");
  for (guint i = 0; i < PICTURES; i++) {
    if (!g_output_stream_printf (
            out, NULL, NULL, NULL,
            "--next\r\nContent-Type: image/jpeg\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
            size) ||
        !g_output_stream_write_all (out, picture, size, NULL, NULL, NULL) ||
        !g_output_stream_printf (out, NULL, NULL, NULL, "\r\n"))
      break;
    g_usleep (40 * G_TIME_SPAN_MILLISECOND); /* it is a camera */
  }
  return TRUE;
}

/* The service needs the default main context; slsrc does not. */
static gpointer
serve (gpointer data)
{
  g_main_loop_run (data);
  return NULL;
}

static void
server_init (Server *server)
{
  GInetAddress *loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  GSocketAddress *address = g_inet_socket_address_new (loopback, 0), *effective = NULL;

  server->picture = make_picture ();
  server->service = g_socket_service_new ();
  g_assert_true (g_socket_listener_add_address (G_SOCKET_LISTENER (server->service), address,
                                                G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                                &effective, NULL));
  server->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  g_signal_connect (server->service, "incoming", G_CALLBACK (on_incoming), server);
  g_object_unref (effective);
  g_object_unref (address);
  g_object_unref (loopback);
}

static void
test_camera (gconstpointer data)
{
  const Server *server = data;
  g_autofree gchar *location =
      g_strdup_printf ("http://cook:parsley@127.0.0.1:%u/camera?key=mint", server->port);
  g_autoptr (Run) run =
      run_new_live (location, "is-live=true retry-min=300000000 retry-max=300000000", "");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (GST_ELEMENT (run->sink), "sink");
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  g_autofree gchar *shown = NULL;
  const GstStructure *info;
  GstClockTime min, max;
  gboolean live;

  info = run_wait_status (run, "running");
  gst_sample_unref (run_pull_until (run, WHITE_LUMA, LUMA_TOLERANCE));
  g_assert_true (gst_pad_peer_query (pad, query));
  gst_query_parse_latency (query, &live, &min, &max);
  g_assert_true (live);
  g_assert_cmpuint (max, >=, min);
  info = run_wait_status (run, "retrying");
  g_assert_cmpstr (gst_structure_get_string (info, "reason"), ==, "eos");
  g_assert_cmpuint (run_get_count (info, "frames"), ==, PICTURES);
  shown = gst_structure_to_string (info);
  g_assert_null (strstr (shown, "parsley"));
  g_assert_null (strstr (shown, "mint"));
  gst_sample_unref (run_pull_until (run, CARD_LUMA, LUMA_TOLERANCE));
  info = run_wait_status (run, "running");
  g_assert_cmpuint (run_get_count (info, "connects"), ==, 2);
  gst_sample_unref (run_pull_until (run, WHITE_LUMA, LUMA_TOLERANCE));
  run_check_order (run);
}

/* As a clip it has its end, and a wrong address is an error at once. */
static void
test_clip (gconstpointer data)
{
  const Server *server = data;
  g_autofree gchar *location = g_strdup_printf ("http://127.0.0.1:%u/camera", server->port);
  g_autofree gchar *wrong = g_strdup_printf ("http://127.0.0.1:%u/nothing", server->port);

  {
    g_autoptr (Run) run = run_new (location, "", "");
    const GstStructure *info;

    for (guint i = 0; i < PICTURES; i++)
      gst_sample_unref (run_pull (run));
    g_assert_null (gst_app_sink_pull_sample (run->sink));
    info = run_wait_status (run, "stopped");
    g_assert_cmpuint (run_get_count (info, "frames"), ==, PICTURES);
  }
  {
    g_autoptr (Run) run = run_new (wrong, "", "");

    run_expect_error (run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "/nothing: ");
  }
}

static void
skip (void)
{
  g_test_skip ("GStreamer has no souphttpsrc");
}

int
main (int argc, char **argv)
{
  g_autoptr (GstElementFactory) soup = NULL;
  Server server = {0};
  GMainLoop *loop;
  GThread *thread;
  int status;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  soup = gst_element_factory_find ("souphttpsrc");
  if (!soup) {
    g_test_add_func ("/slsrc-http/camera", skip);
    return g_test_run ();
  }
  server_init (&server);
  loop = g_main_loop_new (NULL, FALSE);
  thread = g_thread_new ("http-server", serve, loop);
  g_test_add_data_func ("/slsrc-http/camera", &server, test_camera);
  g_test_add_data_func ("/slsrc-http/clip", &server, test_clip);
  status = g_test_run ();
  g_socket_service_stop (server.service);
  g_main_loop_quit (loop);
  g_thread_join (thread);
  g_main_loop_unref (loop);
  g_socket_listener_close (G_SOCKET_LISTENER (server.service));
  g_object_unref (server.service);
  g_bytes_unref (server.picture);
  return status;
}
