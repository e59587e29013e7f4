/* Milliseconds to turn a 1080p frame into a 224 x 224 input, for each format, on one thread and on
 * all. */
#include "core/isa.h"
#include "core/pool.h"

#include <sightline/image.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1920
#define HEIGHT 1080
#define SIZE 224
#define N_RUNS 200

typedef struct Format {
  const char *name;
  SlPixelFormat format;
  ptrdiff_t strides[3];
} Format;

static const Format formats[] = {
    {"I420", SL_PIXEL_I420, {WIDTH, WIDTH / 2, WIDTH / 2}},
    {"NV12", SL_PIXEL_NV12, {WIDTH, WIDTH}},
    {"YUY2", SL_PIXEL_YUY2, {WIDTH * 2}},
    {"RGB", SL_PIXEL_RGB, {WIDTH * 3}},
    {"BGRx", SL_PIXEL_BGRX, {WIDTH * 4}},
    {"GRAY8", SL_PIXEL_GRAY8, {WIDTH}},
    {"8-bit, unpacked", SL_PIXEL_UNPACKED_8, {0}},
    {"16-bit, unpacked", SL_PIXEL_UNPACKED_16, {0}},
};

static uint8_t memory[WIDTH * HEIGHT * 4];

/* Stands for GStreamer's unpack functions, whose own time is not ours. */
static gboolean
unpack (void *data, uint32_t row, void *ret)
{
  const Format *format = data;
  size_t n = WIDTH * (format->format == SL_PIXEL_UNPACKED_16 ? 8 : 4);
  memcpy (ret, memory + row % (HEIGHT / 2) * n, n);
  return TRUE;
}

static int
compare (const void *a, const void *b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
  return x < y ? -1 : x > y;
}

static void
run (const Format *format, unsigned threads)
{
  static float out[3 * SIZE * SIZE];
  static gint64 times[N_RUNS];
  SlImageInfo info = {.format = format->format,
                      .width = WIDTH,
                      .height = HEIGHT,
                      .matrix = SL_MATRIX_BT709,
                      .range = SL_RANGE_LIMITED};
  SlPreprocess rules;
  sl_preprocess_init (&rules, SIZE, SIZE, 3);
  rules.resize = SL_RESIZE_CROP;
  rules.resize_size = 256;
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, &rules, threads, NULL);
  SlImage image = {
      .planes = {memory, memory + WIDTH * HEIGHT, memory + WIDTH * HEIGHT * 5 / 4},
      .strides = {format->strides[0], format->strides[1], format->strides[2]},
      .unpack = unpack,
      .unpack_data = (void *)format,
  };

  for (int i = 0; i < N_RUNS; i++) {
    gint64 start = g_get_monotonic_time ();
    sl_image_sample (sampler, &image, out, (ptrdiff_t[]){1, SIZE * 3, 3});
    times[i] = g_get_monotonic_time () - start;
  }
  qsort (times, N_RUNS, sizeof times[0], compare);
  printf ("%-17s %2u threads  median %6.3f ms  min %6.3f ms\n", format->name, threads,
          (double)times[N_RUNS / 2] * 1e-3, (double)times[0] * 1e-3);
}

int
main (void)
{
  for (size_t i = 0; i < sizeof memory; i++)
    memory[i] = (uint8_t)(i * 2654435761u >> 24);
  printf ("%d x %d to %d x %d, short side 256, %s\n", WIDTH, HEIGHT, SIZE, SIZE,
          sl_isa_name (sl_isa_best ()));
  for (size_t i = 0; i < G_N_ELEMENTS (formats); i++) {
    run (&formats[i], 1);
    if (sl_pool_get_threads () > 1)
      run (&formats[i], sl_pool_get_threads ());
  }
  return 0;
}
