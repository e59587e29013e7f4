/* slsrc against a real RTSP server in this process, which is stopped and started again. */
#include "slsrc-run.h"

#include <gst/rtsp-server/rtsp-server.h>

/* White pictures, and sound that nobody wants. */
#define MEDIA                                                                \
  "( videotestsrc is-live=true pattern=white ! "                             \
  "video/x-raw,format=I420,width=64,height=48,framerate=25/1 "               \
  "! jpegenc ! rtpjpegpay name=pay0 pt=26 "                                  \
  "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! mulawenc " \
  "! rtppcmupay name=pay1 pt=0 )"
#define WHITE_LUMA 235
#define QUICK " retry-min=20000000 retry-max=200000000 "

typedef struct Server {
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  GstRTSPServer *server;
  gint port;
} Server;

static gpointer
serve (gpointer data)
{
  Server *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* `port` 0: any. */
static Server *
server_start (gint port, gboolean locked)
{
  Server *self = g_new0 (Server, 1);
  g_autofree gchar *service = g_strdup_printf ("%d", port);
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();
  GstRTSPMountPoints *mounts;

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->server = gst_rtsp_server_new ();
  gst_rtsp_server_set_address (self->server, "127.0.0.1");
  gst_rtsp_server_set_service (self->server, service);
  gst_rtsp_media_factory_set_launch (factory, MEDIA);
  gst_rtsp_media_factory_set_shared (factory, TRUE);
  if (locked) {
    GstRTSPAuth *auth = gst_rtsp_auth_new ();
    g_autofree gchar *basic = gst_rtsp_auth_make_basic ("cook", "parsley");
    GstRTSPToken *token =
        gst_rtsp_token_new (GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "cook", NULL);

    gst_rtsp_auth_add_basic (auth, basic, token);
    gst_rtsp_token_unref (token);
    gst_rtsp_server_set_auth (self->server, auth);
    gst_rtsp_media_factory_add_role (factory, "cook", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
                                     G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
                                     G_TYPE_BOOLEAN, TRUE, NULL);
    g_object_unref (auth);
  }
  mounts = gst_rtsp_server_get_mount_points (self->server);
  gst_rtsp_mount_points_add_factory (mounts, "/white", factory);
  g_object_unref (mounts);
  g_assert_cmpuint (gst_rtsp_server_attach (self->server, self->context), >, 0);
  self->port = gst_rtsp_server_get_bound_port (self->server);
  self->thread = g_thread_new ("rtsp-server", serve, self);
  return self;
}

static GstRTSPFilterResult
remove_client (GstRTSPServer *server, GstRTSPClient *client, gpointer data)
{
  return GST_RTSP_FILTER_REMOVE;
}

static gboolean
close_all (gpointer data)
{
  Server *self = data;

  gst_rtsp_server_client_filter (self->server, remove_client, NULL);
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

/* Closes its connections and its port. */
static void
server_stop (Server *self)
{
  g_main_context_invoke (self->context, close_all, self);
  g_thread_join (self->thread);
  g_object_unref (self->server);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}

static gchar *
make_location (const Server *server, const gchar *scheme, const gchar *user)
{
  return g_strdup_printf ("%s://%s127.0.0.1:%d/white", scheme, user, server->port);
}

/* Frames, no frames but a card, frames again; all in one stream. */
static void
test_restart (gconstpointer scheme)
{
  Server *server = server_start (0, FALSE);
  g_autofree gchar *location = make_location (server, scheme, "");
  gint port = server->port;
  g_autoptr (Run) run = run_new_live (location, QUICK "timeout=1000000000", "");
  const GstStructure *info;

  for (guint64 round = 1; round <= 2; round++) {
    info = run_wait_status (run, "running");
    g_assert_cmpuint (run_get_count (info, "connects"), ==, round);
    gst_sample_unref (run_pull_until (run, WHITE_LUMA, LUMA_TOLERANCE));
    server_stop (server);
    info = run_wait_status (run, "retrying");
    g_assert_cmpuint (run_get_count (info, "frames"), >, 0);
    g_assert_cmpstr (gst_structure_get_string (info, "error"), !=, "");
    gst_sample_unref (run_pull_until (run, CARD_LUMA, LUMA_TOLERANCE));
    server = server_start (port, FALSE);
  }
  info = run_wait_status (run, "running");
  g_assert_cmpuint (run_get_count (info, "connects"), ==, 3);
  g_assert_cmpuint (run_get_count (info, "retries"), >=, 2);
  gst_sample_unref (run_pull_until (run, WHITE_LUMA, LUMA_TOLERANCE));
  gst_sample_unref (run_pull (run));
  run_check_order (run);
  g_assert_cmpuint (run->caps_events, ==, 1); /* the card is like the pictures */
  server_stop (server);
}

/* The consumer starts before the server does. */
static void
test_late_server (void)
{
  Server *server = server_start (0, FALSE);
  g_autofree gchar *location = make_location (server, "rtsp", "");
  gint port = server->port;
  g_autoptr (Run) run = NULL;
  g_autoptr (GstSample) card = NULL;
  GstVideoInfo video;

  server_stop (server);
  run = run_new_live (location, QUICK, "");
  run_wait_status (run, "retrying");
  card = run_pull (run);
  g_assert_true (gst_video_info_from_caps (&video, gst_sample_get_caps (card)));
  g_assert_cmpint (video.width, ==, 640);
  g_assert_cmpint (video.height, ==, 360);
  g_assert_cmpuint (ABS ((gint)run_get_luma (card) - CARD_LUMA), <=, LUMA_TOLERANCE);
  server = server_start (port, FALSE);
  run_wait_status (run, "running");
  gst_sample_unref (run_pull_until (run, WHITE_LUMA, LUMA_TOLERANCE));
  run_check_order (run);
  server_stop (server);
}

static void
test_gives_up (void)
{
  Server *server = server_start (0, FALSE);
  g_autofree gchar *location = make_location (server, "rtsp", "cook:parsley@");
  g_autoptr (Run) run = NULL;
  g_autoptr (GstStructure) info = NULL;
  const gchar *error;

  server_stop (server);
  run = run_new_live (location, QUICK "max-retries=2 fallback=none", "");
  run_expect_error (run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE,
                    "given up after 2 attempts");
  g_assert_null (gst_app_sink_pull_sample (run->sink)); /* the stream has an end */
  g_object_get (run->src, "status-info", &info, NULL);
  g_assert_cmpuint (run_get_count (info, "retries"), ==, 2);
  error = gst_structure_get_string (info, "error");
  g_assert_null (strstr (error, "parsley"));
}

static void
test_password (void)
{
  Server *server = server_start (0, TRUE);
  g_autofree gchar *good = make_location (server, "rtsp", "cook:parsley@");
  g_autofree gchar *bad = make_location (server, "rtsp", "cook:chives@");

  {
    g_autoptr (Run) run = run_new_live (good, QUICK, "");

    run_wait_status (run, "running");
  }
  {
    /* Asking again would not help, and servers lock out those who do. */
    g_autoptr (Run) run = run_new_live (bad, QUICK, "");

    run_expect_error (run, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED, "127.0.0.1");
  }
  server_stop (server);
}

/* Live sources give nothing in PAUSED, and nobody may wait for it; states change at any time. */
static void
test_states (void)
{
  Server *server = server_start (0, FALSE);
  g_autofree gchar *location = make_location (server, "rtsp", "");
  g_autoptr (Run) run = run_prepare (location, QUICK, "");
  GstState state;

  for (guint i = 0; i < 6; i++) {
    g_assert_cmpint (gst_element_set_state (run->pipeline, GST_STATE_PAUSED), ==,
                     GST_STATE_CHANGE_NO_PREROLL);
    gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
    if (i % 3 > 0)
      gst_sample_unref (run_pull (run));
    g_assert_cmpint (gst_element_set_state (run->pipeline, GST_STATE_PAUSED), ==,
                     GST_STATE_CHANGE_NO_PREROLL);
    if (i % 3 == 1) {
      g_assert_cmpint (gst_element_set_state (run->pipeline, GST_STATE_PLAYING), !=,
                       GST_STATE_CHANGE_FAILURE);
      gst_sample_unref (run_pull (run));
    }
    gst_element_set_state (run->pipeline, GST_STATE_NULL);
    gst_element_get_state (run->src, &state, NULL, GST_CLOCK_TIME_NONE);
    g_assert_cmpint (state, ==, GST_STATE_NULL);
    if (i == 2)
      server_stop (g_steal_pointer (&server)); /* and now with cards */
  }
}

static void
test_latency (void)
{
  Server *server = server_start (0, FALSE);
  g_autofree gchar *location = make_location (server, "rtsp", "");
  g_autoptr (Run) run = run_new_live (location, QUICK "latency=150000000", "");
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  g_autoptr (GstPad) pad = gst_element_get_static_pad (GST_ELEMENT (run->sink), "sink");
  GstClockTime min;
  gboolean live;

  run_wait_status (run, "running");
  g_assert_true (gst_pad_peer_query (pad, query));
  gst_query_parse_latency (query, &live, &min, NULL);
  g_assert_true (live);
  g_assert_cmpuint (min, >=, 150 * GST_MSECOND);
  server_stop (server);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_data_func ("/slsrc-rtsp/restart-tcp", "rtspt", test_restart);
  g_test_add_data_func ("/slsrc-rtsp/restart-udp", "rtspu", test_restart);
  g_test_add_func ("/slsrc-rtsp/late-server", test_late_server);
  g_test_add_func ("/slsrc-rtsp/gives-up", test_gives_up);
  g_test_add_func ("/slsrc-rtsp/password", test_password);
  g_test_add_func ("/slsrc-rtsp/states", test_states);
  g_test_add_func ("/slsrc-rtsp/latency", test_latency);
  status = g_test_run ();
  gst_rtsp_thread_pool_cleanup ();
  return status;
}
