/* Pictures per second that one thread makes for training, by what is done to them. */
#include "data/picture.h"

#include <stdio.h>
#include <time.h>

#define N_ROUNDS 7

typedef struct Case {
  const char *name;
  SlAugment augment;
  gboolean plain;
} Case;

static const Case cases[] = {
    {.name = "nothing", .plain = TRUE},
    {.name = "padding 4, flip", .augment = {.crop_padding = 4, .flip_horizontal = 0.5f}},
    {.name = "resized crop, flip", .augment = {.crop_area = {0.08f, 1}, .flip_horizontal = 0.5f}},
    {.name = "turn, shear, zoom", .augment = {.rotate = 15, .shear = 10, .zoom = {0.8f, 1.2f}}},
    {.name = "brightness, contrast, saturation",
     .augment = {.brightness = 0.4f, .contrast = 0.4f, .saturation = 0.4f}},
    {.name = "hue", .augment = {.hue = 0.1f}},
    {.name = "RGB-PCA", .augment = {.rgb_pca = 0.1f}},
    {.name = "blur, 1.5 pixels", .augment = {.blur = 1, .blur_sigma = {1.5f, 1.5f}}},
    {.name = "noise", .augment = {.noise = 0.02f}},
    {.name = "erasing", .augment = {.erase = 0.5f}},
};

/* Seconds that this thread has had a core to itself: others may be busy. */
static double
get_time (void)
{
  struct timespec now;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The shortest time of a picture, in seconds. */
static double
measure (const Case *what, uint32_t from, uint32_t to, const guint8 *pixels, float *ret)
{
  SlPreprocess rules;
  const ptrdiff_t strides[3] = {1, (ptrdiff_t)to * 3, 3};
  const SlSample sample = {
      .info = {.format = SL_PIXEL_RGB, .width = from, .height = from},
      .image = {.planes = {pixels}, .strides = {(ptrdiff_t)from * 3}},
  };
  sl_preprocess_init (&rules, to, to, 3);
  rules.resize = SL_RESIZE_CROP;
  rules.resize_size = to;
  g_autoptr (SlPictureMaker) maker =
      sl_picture_maker_new (&rules, what->plain ? NULL : &what->augment, NULL);
  double best = 1e9;
  guint32 n = to < 64 ? 3000 : 40;
  for (int round = 0; round < N_ROUNDS; round++) {
    double start = get_time ();
    for (guint32 i = 0; i < n; i++)
      sl_picture_maker_fill (maker, &sample, &(SlPictureKey){1, 0, i}, ret, strides, NULL);
    best = MIN (best, (get_time () - start) / n);
  }
  return best;
}

int
main (void)
{
  static const uint32_t sizes[][2] = {{32, 32}, {256, 224}};
  static guint8 pixels[256 * 256 * 3];
  static float ret[224 * 224 * 3];
  for (gsize i = 0; i < sizeof pixels; i++)
    pixels[i] = (guint8)(i * 2654435761u >> 24);
  printf ("%-34s %14s %14s\n", "pictures a second of one core", "32 x 32", "256 to 224");
  for (gsize c = 0; c < G_N_ELEMENTS (cases); c++) {
    printf ("%-34s", cases[c].name);
    for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++)
      printf (" %14.0f", 1 / measure (&cases[c], sizes[s][0], sizes[s][1], pixels, ret));
    printf ("\n");
  }
  return 0;
}
