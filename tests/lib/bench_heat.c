/* Milliseconds of processor time to lay heat over a 1080p frame on one thread, all of it warm,
 * beside what GStreamer needs to blend a picture of the frame's size into it. */
#include <gst/video/gstvideometa.h>
#include <gst/video/video-overlay-composition.h>
#include <sightline-gst/heat.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WIDTH 1920
#define HEIGHT 1080
#define N_RUNS 60
#define GRID 7

/* Microseconds that this thread has run: another program's share does not count. */
static gint64
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static int
compare (const void *a, const void *b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

  return x < y ? -1 : x > y;
}

static gdouble
get_median (gint64 *times)
{
  qsort (times, N_RUNS, sizeof times[0], compare);
  return times[N_RUNS / 2] * 1e-3;
}

static GstVideoOverlayComposition *
make_composition (void)
{
  GstBuffer *pixels = gst_buffer_new_allocate (NULL, WIDTH * HEIGHT * 4, NULL);
  GstVideoOverlayRectangle *rectangle;
  GstVideoOverlayComposition *composition;

  gst_buffer_memset (pixels, 0, 0x60, -1);
  gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE,
                             GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, WIDTH, HEIGHT);
  rectangle = gst_video_overlay_rectangle_new_raw (
      pixels, 0, 0, WIDTH, HEIGHT, GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  composition = gst_video_overlay_composition_new (rectangle);
  gst_video_overlay_rectangle_unref (rectangle);
  gst_buffer_unref (pixels);
  return composition;
}

static void
run (GstVideoFormat format, const SlHeatGrid *grid, GstVideoOverlayComposition *composition)
{
  const SlHeatLook look = {.style = SL_HEAT_BLEND, .opacity = 0.6f};
  g_autoptr (SlFramePainter) painter = sl_frame_painter_new (1);
  gint64 ours[N_RUNS], theirs[N_RUNS];
  gdouble a, b;
  GstVideoFrame frame;
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, format, WIDTH, HEIGHT);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_buffer_memset (buffer, 0, 0x80, -1);
  gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE);
  for (guint i = 0; i < N_RUNS; i++) { /* in turns: a busy machine slows both */
    gint64 start = get_time (), between;

    sl_frame_painter_paint (painter, &frame, NULL, grid, &look, NULL);
    between = get_time ();
    gst_video_overlay_composition_blend (composition, &frame);
    ours[i] = between - start;
    theirs[i] = get_time () - between;
  }
  a = get_median (ours);
  b = get_median (theirs);
  printf ("%-10s median %6.2f ms  min %6.2f ms  composition %6.2f ms  min %6.2f ms  ratio %5.1f\n",
          gst_video_format_to_string (format), a, ours[0] * 1e-3, b, theirs[0] * 1e-3, b / a);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
}

int
main (int argc, char **argv)
{
  static const GstVideoFormat formats[] = {
      GST_VIDEO_FORMAT_I420,      GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_YUY2,
      GST_VIDEO_FORMAT_RGB,       GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_GRAY8,
      GST_VIDEO_FORMAT_I420_10LE, GST_VIDEO_FORMAT_A420, GST_VIDEO_FORMAT_v210,
  };
  gfloat values[GRID * GRID];
  SlHeatGrid grid = {
      .width = GRID, .height = GRID, .values = values, .matrix = {WIDTH, 0, 0, 0, HEIGHT, 0}};
  GstVideoOverlayComposition *composition;

  gst_init (&argc, &argv);
  for (guint i = 0; i < GRID * GRID; i++)
    values[i] = 0.1f + 0.9f * (gfloat)(i * 31 % 49) / 49;
  composition = make_composition ();
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    run (formats[i], &grid, composition);
  gst_video_overlay_composition_unref (composition);
  return 0;
}
