#include "scene.h"

#include <math.h>
#include <string.h>

typedef struct Picture {
  int width, height;
  size_t stride;
  uint8_t *pixels;
  SlSceneTruth truth;
} Picture;

static void
picture_clear (Picture *p)
{
  g_free (p->pixels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

static Picture
draw (const SlScene *scene, double seconds, int width, int height, size_t padding)
{
  Picture p = {.width = width, .height = height, .stride = 4 * (size_t)width + padding};
  p.pixels = g_malloc (p.stride * (size_t)height);
  memset (p.pixels, 0xa5, p.stride * (size_t)height);
  g_assert_true (sl_scene_draw (scene, seconds, p.pixels, width, height, p.stride, &p.truth));
  return p;
}

static uint32_t
pixel (const Picture *p, int x, int y)
{
  uint32_t word;
  memcpy (&word, p->pixels + (size_t)y * p->stride + 4 * (size_t)x, 4);
  return word;
}

/* How many pixels of two pictures of a size differ by more than @threshold in a channel. */
static int
count_differences (const Picture *a, const Picture *b, int threshold)
{
  int n = 0;
  for (int y = 0; y < a->height; y++) {
    for (int x = 0; x < a->width; x++) {
      uint32_t u = pixel (a, x, y), v = pixel (b, x, y);
      bool differs = false;
      for (int shift = 0; shift < 24; shift += 8)
        differs |= ABS ((int)(u >> shift & 255) - (int)(v >> shift & 255)) > threshold;
      n += differs;
    }
  }
  return n;
}

static void
test_repeats (void)
{
  const SlScene scene = {
      .seed = 7, .difficulty = SL_SCENE_DIFFICULTY (1), .klass = SL_SCENE_EVERY_CLASS, .turn = 1};
  for (int i = 0; i < 12; i++) {
    g_auto (Picture) a = draw (&scene, i * 0.7, 161, 90, 0);
    g_auto (Picture) other = draw (&scene, 3, 20, 20, 0); /* no memory of what came before */
    g_auto (Picture) b = draw (&scene, i * 0.7, 161, 90, 0);
    g_assert_cmpmem (a.pixels, a.stride * 90, b.pixels, b.stride * 90);
    g_assert_cmpmem (&a.truth, sizeof a.truth, &b.truth, sizeof b.truth);
  }
}

static void
test_seeds (void)
{
  SlScene scene = {.seed = 1, .difficulty = SL_SCENE_DIFFICULTY (0), .klass = 0};
  g_auto (Picture) a = draw (&scene, 0, 96, 96, 0);
  scene.seed = 2;
  g_auto (Picture) b = draw (&scene, 0, 96, 96, 0);
  g_assert_cmpint (count_differences (&a, &b, 8), >, 96 * 96 / 2);
}

static void
test_labels (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (int i = 0; i < sl_scene_n_classes (); i++)
    g_assert_true (g_hash_table_add (seen, (gpointer)sl_scene_label (i)));
  g_assert_true (g_hash_table_contains (seen, "nothing"));
}

/* One seed gives every class the same backdrop and the same place, so only the shape differs. */
static void
test_classes_differ (void)
{
  SlScene scene = {.seed = 11};
  int n = sl_scene_n_classes ();
  for (int i = 0; i < n; i++) {
    scene.klass = i;
    g_auto (Picture) a = draw (&scene, 1, 120, 120, 0);
    g_assert_cmpint (a.truth.klass, ==, i);
    for (int j = 0; j < i; j++) {
      scene.klass = j;
      g_auto (Picture) b = draw (&scene, 1, 120, 120, 0);
      g_assert_cmpint (count_differences (&a, &b, 16), >, 50);
    }
  }
}

/* Checks that what a shape brightens in its backdrop lies in its box, and returns how many sides of
 * the box it comes near to. Its shadow darkens, so it does not count. */
static int
check_box (const Picture *with, const Picture *without)
{
  const SlSceneTruth *t = &with->truth;
  int x0 = with->width, y0 = with->height, x1 = 0, y1 = 0;
  for (int y = 0; y < with->height; y++) {
    for (int x = 0; x < with->width; x++) {
      uint32_t u = pixel (with, x, y), v = pixel (without, x, y);
      int change = 0;
      for (int shift = 0; shift < 24; shift += 8)
        change = MAX (change, (int)(u >> shift & 255) - (int)(v >> shift & 255));
      if (change < 24)
        continue;
      x0 = MIN (x0, x);
      y0 = MIN (y0, y);
      x1 = MAX (x1, x + 1);
      y1 = MAX (y1, y + 1);
    }
  }
  double left = x0 - t->x, top = y0 - t->y;
  double right = t->x + t->width - x1, bottom = t->y + t->height - y1;
  g_assert_cmpfloat (MIN (MIN (left, right), MIN (top, bottom)), >, -1);
  return (left < 3) + (right < 3) + (top < 3) + (bottom < 3);
}

static void
test_box (void)
{
  int nothing = sl_scene_n_classes () - 1, sides = 0, near = 0;
  g_assert_cmpstr (sl_scene_label (nothing), ==, "nothing");
  for (int i = 0; i < 40 * nothing; i++) {
    SlScene scene = {.seed = (uint64_t)i, .klass = i % nothing};
    g_auto (Picture) with = draw (&scene, i * 0.37, 240, 135, 0);
    scene.klass = nothing;
    g_auto (Picture) without = draw (&scene, i * 0.37, 240, 135, 0);
    const SlSceneTruth *t = &with.truth;
    int x = (int)(t->x + t->width / 2), y = (int)(t->y + t->height / 2);
    uint32_t inside = pixel (&with, x, y) >> 8 & 255, outside = pixel (&without, x, y) >> 8 & 255;
    if (inside < outside + 60)
      continue;
    near += check_box (&with, &without);
    sides += 4;
  }
  g_assert_cmpint (sides, >, 4 * 40);
  /* The others have an outline darker than the backdrop, and a sharp corner is little but outline.
   */
  g_assert_cmpint (near, >, sides * 9 / 10);
}

static void
test_box_within (void)
{
  const SlScene scene = {
      .seed = 3, .difficulty = SL_SCENE_DIFFICULTY (1), .klass = SL_SCENE_EVERY_CLASS, .turn = 0.5};
  static const int sizes[][2] = {{160, 90}, {90, 160}, {64, 64}, {33, 200}};
  for (int i = 0; i < 400; i++) {
    const int *size = sizes[i % 4];
    g_auto (Picture) p = draw (&scene, i * 0.13, size[0], size[1], 0);
    const SlSceneTruth *t = &p.truth;
    int side = MIN (size[0], size[1]);
    g_assert_cmpfloat (t->x, >=, 0);
    g_assert_cmpfloat (t->y, >=, 0);
    g_assert_cmpfloat (t->x + t->width, <=, size[0]);
    g_assert_cmpfloat (t->y + t->height, <=, size[1]);
    bool empty = t->width == 0 && t->height == 0;
    g_assert_true (empty == g_str_equal (sl_scene_label (t->klass), "nothing"));
    if (!empty)
      g_assert_cmpfloat (MAX (t->width, t->height), >, 0.25 * side);
  }
}

/* A round of turns shows each class once; within a turn the class stays. */
static void
test_turns (void)
{
  const SlScene scene = {.seed = 5, .klass = SL_SCENE_EVERY_CLASS, .turn = 2};
  int n = sl_scene_n_classes ();
  for (int round = 0; round < 3; round++) {
    g_autofree bool *seen = g_new0 (bool, n);
    for (int i = 0; i < n; i++) {
      double start = 2.0 * (round * n + i);
      g_auto (Picture) begin = draw (&scene, start, 16, 16, 0);
      g_auto (Picture) end = draw (&scene, start + 1.9, 16, 16, 0);
      g_assert_cmpint (begin.truth.klass, ==, end.truth.klass);
      g_assert_false (seen[begin.truth.klass]);
      seen[begin.truth.klass] = true;
    }
  }
}

/* A shape drifts: a thirtieth of a second later it is near where it was, later it is elsewhere. */
static void
test_motion (void)
{
  double farthest = 0;
  for (uint64_t seed = 0; seed < 20; seed++) {
    const SlScene scene = {.seed = seed, .klass = 2};
    g_auto (Picture) a = draw (&scene, 4, 200, 200, 0);
    g_auto (Picture) b = draw (&scene, 4 + 1 / 30.0, 200, 200, 0);
    g_auto (Picture) c = draw (&scene, 8, 200, 200, 0);
    g_assert_cmpfloat (hypot (a.truth.x - b.truth.x, a.truth.y - b.truth.y), <, 6);
    farthest = MAX (farthest, hypot (a.truth.x - c.truth.x, a.truth.y - c.truth.y));
  }
  g_assert_cmpfloat (farthest, >, 40);
}

static void
test_sizes (void)
{
  static const int sizes[][2] = {{1, 1},   {1, 2},   {3, 1},    {2, 2},     {7, 5},
                                 {1, 300}, {300, 1}, {33, 257}, {641, 359}, {SL_SCENE_MAX_SIZE, 2}};
  for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    for (int klass = 0; klass < sl_scene_n_classes (); klass++) {
      const SlScene scene = {.seed = i, .difficulty = SL_SCENE_DIFFICULTY (1), .klass = klass};
      g_auto (Picture) p = draw (&scene, 0.5, sizes[i][0], sizes[i][1], 0);
      g_assert_cmpuint (pixel (&p, p.width - 1, p.height - 1) >> 24, ==, 0xff);
    }
  }
}

/* The padding of a row is not ours to write, and changes nothing in the picture. */
static void
test_stride (void)
{
  const SlScene scene = {.seed = 9, .difficulty = SL_SCENE_DIFFICULTY (0.8), .klass = 4};
  g_auto (Picture) tight = draw (&scene, 2, 75, 41, 0);
  g_auto (Picture) padded = draw (&scene, 2, 75, 41, 20);
  g_assert_cmpint (count_differences (&tight, &padded, 0), ==, 0);
  for (int y = 0; y < 41; y++) {
    for (size_t i = 4 * 75; i < padded.stride; i++)
      g_assert_cmpuint (padded.pixels[(size_t)y * padded.stride + i], ==, 0xa5);
  }
}

static void
test_times (void)
{
  const SlScene scene = {.seed = 9,
                         .difficulty = SL_SCENE_DIFFICULTY (0.8),
                         .klass = SL_SCENE_EVERY_CLASS,
                         .turn = 1e-9};
  g_auto (Picture) zero = draw (&scene, 0, 20, 20, 0);
  g_auto (Picture) before = draw (&scene, -5, 20, 20, 0);
  g_assert_cmpint (count_differences (&zero, &before, 0), ==, 0);
  g_auto (Picture) late = draw (&scene, 1e300, 20, 20, 0);
  g_assert_cmpint (count_differences (&zero, &late, 0), >, 0);
}

/* Harder scenes are noisier: two moments a millisecond apart differ in grain only. */
static void
test_difficulty (void)
{
  double noise[2] = {0, 0};
  for (uint64_t seed = 0; seed < 20; seed++) {
    for (int hard = 0; hard < 2; hard++) {
      const SlScene scene = {.seed = seed, .difficulty = SL_SCENE_DIFFICULTY (hard), .klass = 1};
      g_auto (Picture) a = draw (&scene, 1, 64, 64, 0);
      g_auto (Picture) b = draw (&scene, 1.001, 64, 64, 0);
      noise[hard] += count_differences (&a, &b, 5);
    }
  }
  g_assert_cmpfloat (noise[0], <, 20 * 64 * 64 * 0.02);
  g_assert_cmpfloat (noise[1], >, 20 * 64 * 64 * 0.2);
}

/* A place stays while shapes come and go, and is another one in the next session. */
static void
test_sessions (void)
{
  SlScene scene = {.seed = 3, .klass = sl_scene_n_classes () - 1, .session = 10};
  int changed = 0;
  for (int i = 0; i < 20; i++) {
    scene.turn = 0;
    g_auto (Picture) a = draw (&scene, i, 96, 54, 0);
    scene.turn = 0.7;
    g_auto (Picture) b = draw (&scene, i, 96, 54, 0);
    g_assert_cmpmem (a.pixels, a.stride * 54, b.pixels, b.stride * 54);
    g_auto (Picture) next = draw (&scene, i + 10, 96, 54, 0);
    changed += count_differences (&a, &next, 8) > 96 * 54 / 2;
  }
  g_assert_cmpint (changed, >, 15);
}

/* Without a session's length the place changes with the shape, and the two look the same where
 * sessions last as long as turns do not. */
static void
test_turn_is_session (void)
{
  SlScene scene = {.seed = 3, .klass = sl_scene_n_classes () - 1, .turn = 1};
  g_auto (Picture) a = draw (&scene, 0.9, 96, 54, 0);
  g_auto (Picture) b = draw (&scene, 1.1, 96, 54, 0);
  g_assert_cmpint (count_differences (&a, &b, 8), >, 96 * 54 / 2);
}

static void
test_diameters (void)
{
  static const double limits[][2] = {{0.02, 0.05}, {0.1, 0.2}, {0, 0}, {0.9, 0.9}};
  for (size_t i = 0; i < 4 * 50; i++) {
    const double *limit = limits[i % 4];
    /* "square" has its corners on the circle, and any side of its box is at least the circle's
     * radius times the root of 2, squeezed by at most a fifth. */
    const SlScene scene = {
        .seed = i, .klass = 7, .min_diameter = limit[0], .max_diameter = limit[1]};
    double low = limit[0] > 0 ? limit[0] : SL_SCENE_MIN_DIAMETER;
    double high = limit[1] > 0 ? limit[1] : SL_SCENE_MAX_DIAMETER;
    g_auto (Picture) p = draw (&scene, (double)i / 7, 200, 150, 0);
    const SlSceneTruth *t = &p.truth;
    g_assert_cmpfloat (MAX (t->width, t->height), <=, 150 * (high * 1.06 + 0.02));
    g_assert_cmpfloat (MIN (t->width, t->height), >=, 150 * low * 0.94 * 0.8 / G_SQRT2);
    g_assert_true (t->x >= 0 && t->y >= 0 && t->x + t->width <= 200 && t->y + t->height <= 150);
  }
}

/* Each part of the difficulty does what it says, and nothing to a clean scene if it is 0. */
static void
test_parts (void)
{
  const SlScene clean = {.seed = 4, .klass = 3}; /* a seed whose camera blurs */
  g_auto (Picture) plain = draw (&clean, 1, 200, 150, 0);
  int changes[4];
  for (int i = 0; i < 4; i++) {
    SlScene scene = clean;
    double *parts[] = {&scene.difficulty.clutter, &scene.difficulty.dimness, &scene.difficulty.blur,
                       &scene.difficulty.noise};
    *parts[i] = 1;
    g_auto (Picture) p = draw (&scene, 1, 200, 150, 0);
    changes[i] = count_differences (&plain, &p, 3);
    if (i != 2) /* what is out of focus is drawn on another grid */
      g_assert_cmpmem (&p.truth, sizeof p.truth, &plain.truth, sizeof plain.truth);
  }
  g_test_message ("pixels changed: clutter %d, dimness %d, blur %d, noise %d", changes[0],
                  changes[1], changes[2], changes[3]);
  g_assert_cmpint (changes[0], >, 300);   /* scraps cover little */
  g_assert_cmpint (changes[1], >, 15000); /* all is darker or lighter */
  g_assert_cmpint (changes[2], >, 300);   /* edges only */
  g_assert_cmpint (changes[3], >, 15000); /* everywhere */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scene/repeats", test_repeats);
  g_test_add_func ("/scene/seeds", test_seeds);
  g_test_add_func ("/scene/labels", test_labels);
  g_test_add_func ("/scene/classes-differ", test_classes_differ);
  g_test_add_func ("/scene/box", test_box);
  g_test_add_func ("/scene/box-within", test_box_within);
  g_test_add_func ("/scene/turns", test_turns);
  g_test_add_func ("/scene/motion", test_motion);
  g_test_add_func ("/scene/sizes", test_sizes);
  g_test_add_func ("/scene/stride", test_stride);
  g_test_add_func ("/scene/times", test_times);
  g_test_add_func ("/scene/difficulty", test_difficulty);
  g_test_add_func ("/scene/sessions", test_sessions);
  g_test_add_func ("/scene/turn-is-session", test_turn_is_session);
  g_test_add_func ("/scene/diameters", test_diameters);
  g_test_add_func ("/scene/parts", test_parts);
  return g_test_run ();
}
