#include "scene-private.h"

#include <math.h>
#include <string.h>

/* Three years: beyond it nothing moves, and no sum of moves overflows. */
#define MAX_SECONDS 1e8

/* The places at which a row of grain may begin. */
#define GRAIN_OFFSETS 4096

/* A smooth path between 0 and 1 that takes its time: two incommensurable swings. */
double
sl_scene_wander (Random *random, double seconds)
{
  double slow = range (random, 0.25, 0.55), fast = range (random, 0.7, 1.3);
  double phase1 = range (random, 0, TURN), phase2 = range (random, 0, TURN);
  return 0.5 + 0.36 * sin (phase1 + slow * seconds) + 0.14 * sin (phase2 + fast * seconds);
}

Colour
sl_scene_hsl (double hue, double saturation, double lightness)
{
  double chroma = (1 - fabs (2 * lightness - 1)) * saturation, c[3];
  for (int i = 0; i < 3; i++) {
    double x = fmod (hue * 6 + 8 - 2 * i, 6);
    c[i] = lightness + chroma * (CLAMP (2 - fabs (x - 2), 0, 1) - 0.5);
  }
  return (Colour){c[0], c[1], c[2]};
}

/* The eye and chroma-subsampled video both tell brightness apart best, so it weighs most. */
static double
contrast (Colour a, Colour b)
{
  double luma = 0.3 * (a.r - b.r) + 0.59 * (a.g - b.g) + 0.11 * (a.b - b.b);
  double colour = hypot (hypot (a.r - b.r, a.g - b.g), a.b - b.b);
  return fabs (luma) + 0.25 * colour;
}

static Palette
choose_palette (const Frame *f)
{
  Random random = stream (f->session_seed, STREAM_COLOUR, 0);
  Palette p = {0};
  double hue = range (&random, 0, 1), saturation = range (&random, 0.15, 0.7);
  double light = range (&random, 0.1, 0.85), spread = range (&random, 0.1, 0.3);
  double other_hue = hue + range (&random, -0.2, 0.2);
  p.back[0] = sl_scene_hsl (hue, saturation, light);
  p.back[1] =
      sl_scene_hsl (other_hue, saturation, CLAMP (light + (light < 0.5 ? spread : -spread), 0, 1));

  if (f->turn_seed != f->session_seed)
    random = stream (f->turn_seed, STREAM_COLOUR, 1);
  double wanted = 0.5 - 0.26 * f->difficulty.dimness, best = -1;
  for (int i = 0; i < 24 && best < wanted; i++) {
    double shape_hue = range (&random, 0, 1), shape_saturation = range (&random, 0.35, 1);
    Colour c = sl_scene_hsl (shape_hue, shape_saturation, range (&random, 0.08, 0.92));
    double least = MIN (contrast (c, p.back[0]), contrast (c, p.back[1]));
    if (least > best) {
      best = least;
      p.shape = c;
    }
  }
  return p;
}

cairo_t *
sl_scene_coarse_new (const Frame *f)
{
  cairo_surface_t *surface = cairo_image_surface_create (
      CAIRO_FORMAT_RGB24, (int)ceil (f->width * f->unit), (int)ceil (f->height * f->unit));
  cairo_t *cr = cairo_create (surface);
  cairo_surface_destroy (surface);
  return cr;
}

void
sl_scene_coarse_paint (cairo_t *coarse, cairo_t *cr, double scale)
{
  /* A surface in error, for want of memory, passes its error on. */
  cairo_pattern_t *p = cairo_pattern_create_for_surface (cairo_get_target (coarse));
  cairo_pattern_set_extend (p, CAIRO_EXTEND_PAD);
  cairo_pattern_set_filter (p, CAIRO_FILTER_BILINEAR);
  cairo_save (cr);
  cairo_scale (cr, scale, scale);
  paint_pattern (cr, p);
  cairo_restore (cr);
  cairo_destroy (coarse);
}

/* What lies between a scene and its picture. */
typedef struct Camera {
  double softness; /* pixels of the picture to one that is drawn */
  uint16_t gain;   /* in 1/256 */
  int lift;        /* in levels */
  int grain;       /* largest noise, in levels */
  uint64_t seed;   /* of the noise of this very frame */
} Camera;

static Camera
choose_camera (const Frame *f)
{
  Random random = stream (f->session_seed, STREAM_CAMERA, 0);
  const SlSceneDifficulty *d = &f->difficulty;
  double blur = d->blur * range (&random, 0, 0.012);
  Camera camera = {.softness = MAX (1, blur * f->unit)};
  camera.gain = (uint16_t)(256 * (1 + d->dimness * range (&random, -0.5, 0.2)));
  camera.lift = (int)(d->dimness * range (&random, -12, 40));
  camera.grain = (int)(d->noise * range (&random, 0, 48));
  uint64_t moment;
  memcpy (&moment, &f->seconds, sizeof moment);
  camera.seed = mix (f->turn_seed ^ mix (moment));
  return camera;
}

/* Grain for one row and some more, so that each row can begin at another place of it: numbers for
 * every pixel of a large picture would take longer than drawing it. */
static int16_t *
make_grain (const Camera *c, Random *random, size_t n)
{
  int16_t *grain = g_new (int16_t, n);
  for (size_t i = 0; i < n; i++) {
    uint64_t bits = next (random);
    /* The sum of two uniform bytes: a triangle, close enough to a sensor's noise. */
    int noise = (int)(bits & 0xff) + (int)(bits >> 8 & 0xff) - 255;
    grain[i] = (int16_t)(c->lift + noise * c->grain / 256);
  }
  return grain;
}

/* Gain, lift and grain of one row; the bytes that are nobody's become opaque. In 16 bits
 * throughout, as processors multiply many at once. */
static void
expose_row (uint8_t *restrict row, const int16_t *restrict add, uint16_t gain, int width)
{
  for (int i = 0; i < 4 * width; i++) {
    uint16_t high = (uint16_t)(row[i] << 8);
    int16_t level = (int16_t)(((uint32_t)high * gain >> 16) + (uint32_t)add[i]);
    row[i] = (uint8_t)CLAMP (level, 0, 255);
  }
  uint32_t *words = (uint32_t *)(void *)row;
  for (int x = 0; x < width; x++)
    words[x] |= 0xff000000u;
}

static void
expose_rows (const Camera *c, uint8_t *pixels, int width, int height, size_t stride)
{
  Random random = {c->seed};
  g_autofree int16_t *grain = make_grain (c, &random, 4 * (size_t)width + GRAIN_OFFSETS);
  for (int y = 0; y < height; y++)
    expose_row (pixels + (size_t)y * stride, grain + pick (&random, GRAIN_OFFSETS), c->gain, width);
}

/* Which class turn @index shows: each round is a shuffle of all of them. */
static int
turn_class (const SlScene *scene, uint64_t index)
{
  if (scene->klass != SL_SCENE_EVERY_CLASS)
    return scene->klass;
  int n = sl_scene_n_classes ();
  g_autofree int *order = g_new0 (int, n);
  Random random = stream (scene->seed, STREAM_ORDER, index / (uint64_t)n);
  for (int i = 0; i < n; i++) {
    int j = pick (&random, i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  return order[index % (uint64_t)n];
}

static void
draw_frame (cairo_t *cr, const Frame *f, SlSceneTruth *truth)
{
  cairo_scale (cr, f->unit, f->unit);
  sl_scene_draw_backdrop (cr, f);
  sl_scene_draw_clutter (cr, f, STREAM_BEHIND, 0.15 + 0.85 * f->difficulty.clutter);
  sl_scene_draw_shape (cr, f, truth);
  sl_scene_draw_clutter (cr, f, STREAM_BEFORE, 0.25 * f->difficulty.clutter);
}

/* Draws with one drawn pixel for @softness pixels each way, and scales up. */
static void
draw_soft (cairo_t *cr, const Frame *sharp, double softness, SlSceneTruth *truth)
{
  Frame f = *sharp;
  f.unit /= softness;
  cairo_t *coarse = sl_scene_coarse_new (&f);
  draw_frame (coarse, &f, truth);
  sl_scene_coarse_paint (coarse, cr, softness);
}

/* From units to pixels. A shape never leaves the frame, but rounding may by a hair. */
static void
finish_truth (SlSceneTruth *truth, double unit, int width, int height)
{
  double x0 = MAX (0, truth->x * unit), y0 = MAX (0, truth->y * unit);
  double x1 = MIN (width, (truth->x + truth->width) * unit);
  double y1 = MIN (height, (truth->y + truth->height) * unit);
  *truth = (SlSceneTruth){truth->klass, x0, y0, MAX (0, x1 - x0), MAX (0, y1 - y0)};
}

static bool
is_share (double x)
{
  return x >= 0 && x <= 1;
}

static bool
is_valid (const SlScene *s)
{
  const SlSceneDifficulty *d = &s->difficulty;
  return is_share (d->clutter) && is_share (d->dimness) && is_share (d->blur) &&
         is_share (d->noise) && s->klass >= SL_SCENE_EVERY_CLASS &&
         s->klass < sl_scene_n_classes () && s->min_diameter >= 0 &&
         s->min_diameter <= SL_SCENE_DIAMETER_LIMIT && s->max_diameter >= 0 &&
         s->max_diameter <= SL_SCENE_DIAMETER_LIMIT;
}

/* How many spells of @length seconds, if it is any, have passed at @time. */
static uint64_t
count_spells (double time, double length)
{
  return length > 0 ? (uint64_t)(MIN (time / length, 0x1p62)) : 0;
}

static Frame
choose_frame (const SlScene *scene, double seconds, int width, int height)
{
  Frame f = {.difficulty = scene->difficulty, .seconds = CLAMP (seconds, 0, MAX_SECONDS)};
  f.unit = MIN (width, height);
  f.width = width / f.unit;
  f.height = height / f.unit;
  f.turn_seed = stream (scene->seed, STREAM_TURN, count_spells (f.seconds, scene->turn)).state;
  f.session_seed = f.turn_seed;
  if (scene->session > 0)
    f.session_seed =
        stream (scene->seed, STREAM_SESSION, count_spells (f.seconds, scene->session)).state;
  f.min_radius = (scene->min_diameter > 0 ? scene->min_diameter : SL_SCENE_MIN_DIAMETER) / 2;
  f.max_radius = (scene->max_diameter > 0 ? scene->max_diameter : SL_SCENE_MAX_DIAMETER) / 2;
  f.palette = choose_palette (&f);
  return f;
}

bool
sl_scene_draw (const SlScene *scene, double seconds, uint8_t *pixels, int width, int height,
               size_t stride, SlSceneTruth *truth)
{
  g_return_val_if_fail (scene && pixels && isfinite (seconds), false);
  g_return_val_if_fail (is_valid (scene), false);
  g_return_val_if_fail (width >= 1 && width <= SL_SCENE_MAX_SIZE, false);
  g_return_val_if_fail (height >= 1 && height <= SL_SCENE_MAX_SIZE, false);
  g_return_val_if_fail (stride >= (size_t)width * 4 && stride % 4 == 0 && stride <= INT_MAX, false);

  Frame f = choose_frame (scene, seconds, width, height);
  SlSceneTruth seen = {.klass = turn_class (scene, count_spells (f.seconds, scene->turn))};
  Camera camera = choose_camera (&f);

  cairo_surface_t *target =
      cairo_image_surface_create_for_data (pixels, CAIRO_FORMAT_RGB24, width, height, (int)stride);
  cairo_t *cr = cairo_create (target);
  if (camera.softness > 1)
    draw_soft (cr, &f, camera.softness, &seen);
  else
    draw_frame (cr, &f, &seen);
  bool done = cairo_status (cr) == CAIRO_STATUS_SUCCESS;
  cairo_destroy (cr);
  cairo_surface_flush (target);
  cairo_surface_destroy (target);
  expose_rows (&camera, pixels, width, height, stride);
  finish_truth (&seen, f.unit, width, height);
  if (truth)
    *truth = seen;
  return done;
}
