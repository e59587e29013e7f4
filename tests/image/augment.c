#include "core/isa.h"
#include "core/random.h"
#include "image/augment-rows.h"

#include <sightline/augment.h>

#include <math.h>
#include <string.h>

#define W 5
#define H 4
#define N (W * H)

/* A draw that does nothing. */
static SlAugmentDraw
draw_nothing (void)
{
  return (SlAugmentDraw){.matrix = {1, 0, 0, 0, 1, 0},
                         .color_order = {0, 1, 2, 3},
                         .brightness = 1,
                         .contrast = 1,
                         .saturation = 1};
}

static void
fill (float *planes, unsigned channels)
{
  for (unsigned i = 0; i < channels * N; i++)
    planes[i] = (float)(i * 37 % 256);
}

static void
apply (const SlAugment *augment, const SlAugmentDraw *draw, unsigned channels, float *planes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlAugmenter) augmenter = sl_augmenter_new (augment, W, H, channels, &error);
  g_assert_no_error (error);
  sl_augmenter_apply (augmenter, draw, planes);
}

/* --- geometry, with numbers worked out here --- */

static float
shifted (const float *plane, SlFillRule rule, int x, int y)
{
  if (rule == SL_FILL_EDGE) {
    x = CLAMP (x, 0, W - 1);
    y = CLAMP (y, 0, H - 1);
  } else if (rule == SL_FILL_REFLECT) {
    x = x < 0 ? -1 - x : x >= W ? 2 * W - 1 - x : x;
    y = y < 0 ? -1 - y : y >= H ? 2 * H - 1 - y : y;
  } else if (x < 0 || y < 0 || x >= W || y >= H) {
    return 99;
  }
  return plane[y * W + x];
}

/* Mirroring and whole steps, and the same by interpolation. */
static void
test_shift (void)
{
  for (int kind = 0; kind < 4 * 3 * 2; kind++) {
    int flip_x = kind & 1 ? -1 : 1, flip_y = kind & 2 ? -1 : 1, by_x = 2, by_y = -1;
    const SlAugment augment = {.fill_rule = kind / 8 % 3, .fill = {99, 99, 99}};
    SlAugmentDraw draw = draw_nothing ();
    float before[3 * N], after[3 * N];
    draw.moved = TRUE;
    draw.whole = kind & 4;
    draw.matrix[0] = (float)flip_x;
    draw.matrix[2] = (float)(by_x + (flip_x < 0 ? W : 0));
    draw.matrix[4] = (float)flip_y;
    draw.matrix[5] = (float)(by_y + (flip_y < 0 ? H : 0));
    fill (before, 3);
    memcpy (after, before, sizeof after);
    apply (&augment, &draw, 3, after);
    for (int i = 0; i < 3 * N; i++) {
      int x = i % W, y = i % N / W;
      int from_x = (flip_x < 0 ? W - 1 - x : x) + by_x,
          from_y = (flip_y < 0 ? H - 1 - y : y) + by_y;
      g_assert_cmpfloat (after[i], ==,
                         shifted (before + i / N * N, augment.fill_rule, from_x, from_y));
    }
  }
}

/* A quarter turn and half-pixel steps have known results. */
static void
test_warp (void)
{
  SlAugmentDraw draw = draw_nothing ();
  float before[N], after[N];
  fill (before, 1);
  memcpy (after, before, sizeof after);
  draw.moved = TRUE;
  draw.matrix[2] = 0.5f; /* to between a pixel and the next */
  apply (&(SlAugment){.fill = {10, 10, 10}}, &draw, 1, after);
  for (int i = 0; i < N; i++) {
    float next = i % W == W - 1 ? 10 : before[i + 1];
    g_assert_cmpfloat_with_epsilon (after[i], (before[i] + next) / 2, 1e-4f);
  }
  /* x' = y + 0.25, y' = x: rows and columns exchanged */
  const float quarter[6] = {0, 1, 0.25f, 1, 0, 0};
  memcpy (draw.matrix, quarter, sizeof quarter);
  memcpy (after, before, sizeof after);
  apply (&(SlAugment){.fill_rule = SL_FILL_EDGE}, &draw, 1, after);
  for (int i = 0; i < N; i++) {
    int x = i / W, y = MIN (i % W, H - 1);
    float here = before[y * W + x], next = before[y * W + MIN (x + 1, W - 1)];
    g_assert_cmpfloat_with_epsilon (after[i], here * 0.75f + next * 0.25f, 1e-3f);
  }
}

/* What is drawn for one step alone is that step, about the middle. */
static void
test_matrices (void)
{
  for (guint32 sample = 0; sample < 50; sample++) {
    SlAugmentDraw draw;
    sl_augment_draw (&(SlAugment){.rotate = 30}, 1, 2, sample, 9, 7, 9, 7, &draw);
    const float *m = draw.matrix;
    g_assert_true (draw.moved && !draw.whole);
    g_assert_cmpfloat_with_epsilon (m[0] * m[4] - m[1] * m[3], 1, 1e-5f);
    g_assert_cmpfloat_with_epsilon (m[0] * m[0] + m[3] * m[3], 1, 1e-5f);
    g_assert_cmpfloat (m[0], >=, (float)cos (G_PI / 6) - 1e-5f);
    g_assert_cmpfloat_with_epsilon (m[0] * 4.5f + m[1] * 3.5f + m[2], 4.5f, 1e-4f);
    g_assert_cmpfloat_with_epsilon (m[3] * 4.5f + m[4] * 3.5f + m[5], 3.5f, 1e-4f);

    sl_augment_draw (&(SlAugment){.zoom = {2, 4}}, 1, 2, sample, 9, 7, 9, 7, &draw);
    g_assert_true (m[0] <= 0.5f && m[0] >= 0.25f && m[0] == m[4] && m[1] == 0 && m[3] == 0);
    g_assert_cmpfloat_with_epsilon (m[0] * 4.5f + m[2], 4.5f, 1e-4f);

    sl_augment_draw (&(SlAugment){.shear = 45}, 1, 2, sample, 9, 7, 9, 7, &draw);
    g_assert_true (m[0] == 1 && m[3] == 0 && m[4] == 1 && fabsf (m[1]) <= 1.0001f);

    sl_augment_draw (&(SlAugment){.translate = {0.5f, 0}}, 1, 2, sample, 9, 7, 9, 7, &draw);
    g_assert_true (m[0] == 1 && m[1] == 0 && fabsf (m[2]) <= 4.5f && m[5] == 0);

    sl_augment_draw (&(SlAugment){.crop_padding = 4, .flip_horizontal = 1}, 1, 2, sample, 9, 7, 9,
                     7, &draw);
    g_assert_true (draw.whole && m[0] == -1 && m[4] == 1);
    g_assert_true (fabsf (m[2] - 9) <= 4 && m[2] == floorf (m[2]) && fabsf (m[5]) <= 4);
  }
}

/* --- colours --- */

/* torchvision's definitions, in double, for one pixel. */
static double
gray_of (const double rgb[3])
{
  return 0.2989 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}

static void
turn_hue (double rgb[3], double circles)
{
  double value = MAX (MAX (rgb[0], rgb[1]), rgb[2]);
  double range = value - MIN (MIN (rgb[0], rgb[1]), rgb[2]), hue = 0;
  if (range == 0)
    return;
  if (value == rgb[0])
    hue = fmod ((rgb[1] - rgb[2]) / range + 6, 6);
  else if (value == rgb[1])
    hue = 2 + (rgb[2] - rgb[0]) / range;
  else
    hue = 4 + (rgb[0] - rgb[1]) / range;
  hue = fmod (hue + 6 * circles + 6, 6);
  static const double n[3] = {5, 3, 1};
  for (int c = 0; c < 3; c++) {
    double k = fmod (n[c] + hue, 6);
    rgb[c] = value - range * MAX (0, MIN (MIN (k, 4 - k), 1));
  }
}

static void
test_colors (void)
{
  for (int step = 0; step < 4; step++)
    for (double by = step == 3 ? -0.5 : 0; by <= (step == 3 ? 0.5 : 2.1); by += 0.125) {
      SlAugmentDraw draw = draw_nothing ();
      float before[3 * N], after[3 * N];
      double mean = 0;
      fill (before, 3);
      memcpy (after, before, sizeof after);
      for (int i = 0; i < N; i++)
        mean += gray_of ((double[]){(double)before[i], (double)before[N + i],
                                    (double)before[2 * N + i]}) /
                N;
      *(float *[]){&draw.brightness, &draw.contrast, &draw.saturation, &draw.hue}[step] = (float)by;
      apply (&(SlAugment){0}, &draw, 3, after);
      for (int i = 0; i < N; i++) {
        double rgb[3] = {(double)before[i], (double)before[N + i], (double)before[2 * N + i]};
        double gray = gray_of (rgb);
        if (step == 3)
          turn_hue (rgb, by);
        for (int c = 0; c < 3; c++) {
          if (step < 3)
            rgb[c] = by * rgb[c] + (1 - by) * (step == 0 ? 0 : step == 1 ? mean : gray);
          g_assert_cmpfloat_with_epsilon ((double)after[c * N + i], CLAMP (rgb[c], 0, 255), 2e-3);
        }
      }
    }
}

/* Contrast then brightness is another picture than brightness then contrast. */
static void
test_order (void)
{
  float pictures[2][N];
  for (guint8 i = 0; i < 2; i++) {
    SlAugmentDraw draw = draw_nothing ();
    draw.brightness = 2;
    draw.contrast = 0;
    draw.color_order[0] = i;
    draw.color_order[1] = 1 - i;
    fill (pictures[i], 1);
    apply (&(SlAugment){0}, &draw, 1, pictures[i]);
  }
  g_assert_cmpfloat (pictures[0][0], !=, pictures[1][0]);
  double mean = 0;
  for (int i = 0; i < N; i++)
    mean += (double)(i * 37 % 256) / N;
  g_assert_cmpfloat_with_epsilon ((double)pictures[1][3], MIN (2 * mean, 255), 1e-3);
}

static void
test_erase (void)
{
  SlAugmentDraw draw = draw_nothing ();
  float before[3 * N], after[3 * N];
  fill (before, 3);
  memcpy (after, before, sizeof after);
  memcpy (draw.erase, (guint32[4]){1, 2, 3, 2}, sizeof draw.erase);
  apply (&(SlAugment){.erase_color = {1, 2, 3}}, &draw, 3, after);
  for (int i = 0; i < 3 * N; i++) {
    int x = i % W, y = i % N / W;
    gboolean inside = x >= 1 && x < 4 && y >= 2 && y < 4;
    g_assert_cmpfloat (after[i], ==, inside ? (float)(1 + i / N) : before[i]);
  }
}

static void
test_blur (void)
{
  for (float sigma = 0.3f; sigma < 3; sigma += 0.4f) {
    SlAugmentDraw draw = draw_nothing ();
    float before[N], after[N];
    fill (before, 1);
    memcpy (after, before, sizeof after);
    draw.blur_sigma = sigma;
    apply (&(SlAugment){0}, &draw, 1, after);
    int radius = (int)ceilf (3 * sigma);
    for (int i = 0; i < N; i++) {
      double sum = 0, weights = 0;
      for (int dy = -radius; dy <= radius; dy++)
        for (int dx = -radius; dx <= radius; dx++) {
          int x = abs (i % W + dx) % (2 * W - 2), y = abs (i / W + dy) % (2 * H - 2);
          x = x >= W ? 2 * W - 2 - x : x;
          y = y >= H ? 2 * H - 2 - y : y;
          double weight = exp (-(dx * dx + dy * dy) / (2.0 * (double)sigma * (double)sigma));
          sum += weight * (double)before[y * W + x];
          weights += weight;
        }
      g_assert_cmpfloat_with_epsilon ((double)after[i], sum / weights, 1e-3);
    }
  }
}

/* --- what is drawn --- */

static void
test_same_seed (void)
{
  const SlAugment all = {.crop_area = {0.2f, 1},
                         .crop_padding = 3,
                         .flip_horizontal = 0.5f,
                         .rotate = 20,
                         .translate = {0.1f, 0.1f},
                         .brightness = 0.4f,
                         .contrast = 0.4f,
                         .hue = 0.1f,
                         .rgb_pca = 0.1f,
                         .erase = 0.5f};
  SlAugmentDraw a, b;
  for (guint32 sample = 0; sample < 20; sample++) {
    sl_augment_draw (&all, 7, 3, sample, 32, 32, 100, 80, &a);
    sl_augment_draw (&all, 7, 3, sample, 32, 32, 100, 80, &b);
    g_assert_cmpmem (&a, sizeof a, &b, sizeof b);
    sl_augment_draw (&all, 8, 3, sample, 32, 32, 100, 80, &b);
    g_assert_cmpfloat (a.matrix[2], !=, b.matrix[2]);
    sl_augment_draw (&all, 7, 4, sample, 32, 32, 100, 80, &b);
    g_assert_cmpfloat (a.matrix[2], !=, b.matrix[2]);
    sl_augment_draw (&all, 7, 3, sample + 1, 32, 32, 100, 80, &b);
    g_assert_cmpfloat (a.matrix[2], !=, b.matrix[2]);
  }
  sl_augment_draw (&(SlAugment){0}, 7, 3, 1, 32, 32, 100, 80, &a);
  g_assert_true (!a.cropped && !a.moved && a.brightness == 1 && a.contrast == 1 &&
                 a.saturation == 1 && a.hue == 0 && a.rgb_shift[0] == 0 && a.blur_sigma == 0 &&
                 a.noise == 0 && a.erase[2] == 0);
}

/* Frequencies and means of 20,000 draws, within five standard deviations. */
static void
test_distributions (void)
{
  const guint32 n = 20000;
  const SlAugment augment = {.crop_padding = 2,
                             .flip_horizontal = 0.25f,
                             .brightness = 0.4f,
                             .hue = 0.1f,
                             .rgb_pca = 0.1f,
                             .erase = 0.3f,
                             .erase_color = {0}};
  double flips = 0, brightness = 0, square = 0, hue = 0, erased = 0, red = 0, shifts[5] = {0};
  for (guint32 i = 0; i < n; i++) {
    SlAugmentDraw draw;
    sl_augment_draw (&augment, 5, 0, i, 32, 24, 32, 24, &draw);
    flips += draw.matrix[0] < 0;
    g_assert_true (draw.brightness >= 0.6f && draw.brightness <= 1.4f);
    g_assert_true (fabsf (draw.hue) <= 0.1f);
    brightness += (double)draw.brightness;
    square += pow ((double)draw.brightness - 1, 2);
    hue += (double)draw.hue;
    red += pow ((double)draw.rgb_shift[0] / 255, 2);
    shifts[(int)draw.matrix[5] + 2]++;
    erased += draw.erase[2] > 0;
    double area = (double)draw.erase[2] * draw.erase[3] / (32 * 24);
    g_assert_true (draw.erase[2] == 0 || (area > 0.012 && area < 0.36));
    g_assert_true (draw.erase[0] + draw.erase[2] <= 32 && draw.erase[1] + draw.erase[3] <= 24);
  }
  const double root = sqrt (n);
  g_assert_cmpfloat_with_epsilon (flips / n, 0.25, 5 * 0.433 / root);
  g_assert_cmpfloat_with_epsilon (brightness / n, 1, 5 * 0.231 / root);
  g_assert_cmpfloat_with_epsilon (square / n, 0.16 / 3, 5 * 0.048 / root);
  g_assert_cmpfloat_with_epsilon (hue / n, 0, 5 * 0.058 / root);
  for (int i = 0; i < 5; i++)
    g_assert_cmpfloat_with_epsilon (shifts[i] / n, 0.2, 5 * 0.4 / root);
  /* nearly all tries of a part to erase succeed */
  g_assert_cmpfloat_with_epsilon (erased / n, 0.3, 5 * 0.458 / root);
  /* the deviation of red is 0.1 times the length of (vector * eigenvalue) of that row */
  double wanted =
      0.01 * (pow (0.2175 * 0.5675, 2) + pow (0.0188 * 0.7192, 2) + pow (0.0045 * 0.4009, 2));
  g_assert_cmpfloat_with_epsilon (red / n, wanted, 5 * wanted * sqrt (2) / root);
}

static void
test_crop (void)
{
  double area = 0, n = 5000;
  for (guint32 i = 0; i < n; i++) {
    SlAugmentDraw draw;
    sl_augment_draw (&(SlAugment){.crop_area = {0.08f, 1}}, 5, 0, i, 8, 8, 400, 300, &draw);
    double w = (double)draw.crop[2] * 400, h = (double)draw.crop[3] * 300;
    g_assert_true (draw.cropped && w > 0 && h > 0);
    g_assert_true (w / h > 0.74 && w / h < 1.35);
    g_assert_true (draw.crop[0] >= 0 && draw.crop[0] + draw.crop[2] < 1.00001f);
    g_assert_true (draw.crop[1] >= 0 && draw.crop[1] + draw.crop[3] < 1.00001f);
    area += w * h / 120000;
  }
  /* torchvision's steps, tried 200,000 times, give 0.4336: large parts often do not fit */
  g_assert_cmpfloat_with_epsilon (area / n, 0.4336, 5 * 0.25 / sqrt (n));

  /* in memory: a phone's frame, turned to be viewed, and a frame with a crop of its own */
  SlAugmentDraw draw = {.cropped = TRUE, .crop = {0.5f, 0.125f, 0.25f, 0.5f}};
  SlPreprocess rules = {.resize = SL_RESIZE_CROP};
  SlImageInfo plain = {.width = 80, .height = 160};
  sl_augment_crop (&draw, &plain, &rules);
  g_assert_cmpint (rules.resize, ==, SL_RESIZE_STRETCH);
  g_assert_true (plain.crop.x == 40 && plain.crop.y == 20 && plain.crop.width == 20 &&
                 plain.crop.height == 80);
  SlImageInfo turned = {.width = 160, .height = 80, .orientation = 6};
  sl_augment_crop (&draw, &turned, &rules);
  /* viewed (x, y) of 80 x 160 is in memory at (y, 79 - x) */
  g_assert_true (turned.crop.x == 20 && turned.crop.y == 20 && turned.crop.width == 80 &&
                 turned.crop.height == 20);
  SlImageInfo part = {.width = 200, .height = 200, .crop = {100, 10, 80, 160}};
  sl_augment_crop (&draw, &part, &rules);
  g_assert_true (part.crop.x == 140 && part.crop.y == 30 && part.crop.width == 20 &&
                 part.crop.height == 80);
}

/* Mean and deviation of the noise, and that each sample has its own. */
static void
test_noise (void)
{
  const SlAugment augment = {.noise = 0.02f};
  float planes[2][3 * 64 * 64];
  g_autoptr (SlAugmenter) augmenter = sl_augmenter_new (&augment, 64, 64, 3, NULL);
  double sum = 0, square = 0, both = 0, n = 3 * 64 * 64;
  for (guint32 i = 0; i < 2; i++) {
    SlAugmentDraw draw;
    sl_augment_draw (&augment, 1, 1, i, 64, 64, 64, 64, &draw);
    for (int k = 0; k < n; k++)
      planes[i][k] = 128;
    sl_augmenter_apply (augmenter, &draw, planes[i]);
  }
  for (int k = 0; k < n; k++) {
    sum += (double)planes[0][k] - 128;
    square += pow ((double)planes[0][k] - 128, 2);
    both += ((double)planes[0][k] - 128) * ((double)planes[1][k] - 128);
  }
  const double sigma = 0.02 * 255, root = sqrt (n);
  g_assert_cmpfloat_with_epsilon (sum / n, 0, 5 * sigma / root);
  g_assert_cmpfloat_with_epsilon (square / n, sigma * sigma, 5 * sigma * sigma * sqrt (2) / root);
  g_assert_cmpfloat_with_epsilon (both / n, 0, 5 * sigma * sigma / root);
}

static void
test_checks (void)
{
  const SlAugment wrong[] = {
      {.flip_horizontal = 1.5f},
      {.flip_vertical = -0.1f},
      {.rotate = 181},
      {.shear = 90},
      {.translate = {0, 1.1f}},
      {.zoom = {2, 1}},
      {.zoom = {0, 2}},
      {.hue = 0.6f},
      {.brightness = -1},
      {.noise = NAN},
      {.blur = 0.5f},
      {.blur = 1, .blur_sigma = {1, 33}},
      {.crop_area = {0.5f, 1.5f}},
      {.crop_area = {0.5f, 0}},
      {.erase = 2},
      {.erase_color = {0, 256, 0}},
      {.mixup = -1},
      {.cutmix = INFINITY},
      {.fill_rule = SL_FILL_COUNT},
      {.crop_padding = 1 << 20},
  };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (sl_augment_check (&wrong[i], &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  }
  g_assert_true (sl_augment_check (&(SlAugment){0}, NULL));
  g_assert_true (sl_augment_check (
      &(SlAugment){.zoom = {0.5f, 2}, .rotate = 180, .blur = 1, .blur_sigma = {0.1f, 10}}, NULL));
}

/* Every set of loops gives the bits of the baseline. */
static void
test_loops (void)
{
  static const SlIsa sets[] = {SL_ISA_X86_64_V3, SL_ISA_X86_64_V4};
  enum { COUNT = 101 };
  const SlAugmentLoops *base = sl_augment_loops (SL_ISA_GENERIC);
  SlRandom random = sl_random_start (3, 99, 0, 0);
  for (gsize s = 0; s < G_N_ELEMENTS (sets); s++) {
    const SlAugmentLoops *loops = sl_augment_loops (sets[s]);
    if (loops == base || sl_isa_best () < sets[s])
      continue;
    float a[3][COUNT], b[3][COUNT], plane[COUNT], ret[2][COUNT];
    double sums[2][8] = {{0}};
    for (int i = 0; i < 3 * COUNT; i++)
      a[i / COUNT][i % COUNT] = b[i / COUNT][i % COUNT] = sl_random_between (&random, 0, 255);
    memcpy (plane, a[0], sizeof plane);
    float *left[3] = {a[0], a[1], a[2]}, *right[3] = {b[0], b[1], b[2]};
    const SlAugmentLine run = {0.3f, 0.1f, 0.17f, 0.21f, 37};
    base->line (ret[0], plane, 10, &run);
    loops->line (ret[1], plane, 10, &run);
    g_assert_cmpmem (ret[0], 37 * sizeof (float), ret[1], 37 * sizeof (float));
    base->scale (a[0], 1.3f, -4, COUNT);
    loops->scale (b[0], 1.3f, -4, COUNT);
    base->saturate (left, 1.3f, -0.3f, COUNT);
    loops->saturate (right, 1.3f, -0.3f, COUNT);
    base->turn_hue (left, 2.3f, COUNT);
    loops->turn_hue (right, 2.3f, COUNT);
    base->add_gray (sums[0], (const float *const *)left, COUNT);
    loops->add_gray (sums[1], (const float *const *)right, COUNT);
    g_assert_cmpmem (a, sizeof a, b, sizeof b);
    g_assert_cmpmem (sums[0], sizeof sums[0], sums[1], sizeof sums[1]);
    const float weights[3] = {0.2f, 0.5f, 0.3f};
    base->blend (ret[0], (const float *const *)left, weights, 3, COUNT);
    loops->blend (ret[1], (const float *const *)right, weights, 3, COUNT);
    g_assert_cmpmem (ret[0], sizeof ret[0], ret[1], sizeof ret[1]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/augment/shift", test_shift);
  g_test_add_func ("/image/augment/warp", test_warp);
  g_test_add_func ("/image/augment/matrices", test_matrices);
  g_test_add_func ("/image/augment/colors", test_colors);
  g_test_add_func ("/image/augment/order", test_order);
  g_test_add_func ("/image/augment/erase", test_erase);
  g_test_add_func ("/image/augment/blur", test_blur);
  g_test_add_func ("/image/augment/same-seed", test_same_seed);
  g_test_add_func ("/image/augment/distributions", test_distributions);
  g_test_add_func ("/image/augment/crop", test_crop);
  g_test_add_func ("/image/augment/noise", test_noise);
  g_test_add_func ("/image/augment/checks", test_checks);
  g_test_add_func ("/image/augment/loops", test_loops);
  return g_test_run ();
}
