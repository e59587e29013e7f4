#include "scene.h"

#include <cairo.h>
#include <math.h>
#include <string.h>

/* Lengths are in units of the picture's short side, so that a scene looks alike at every size. */

#define TURN (2 * G_PI)

/* ---- Random numbers: splitmix64. Each purpose has a stream of its own, so that a change to one
 * part of the picture leaves the others as they are. ---- */

typedef struct Random {
  uint64_t state;
} Random;

typedef enum Stream {
  STREAM_TURN,
  STREAM_ORDER,
  STREAM_COLOUR,
  STREAM_BACKDROP,
  STREAM_SHAPE,
  STREAM_BEHIND,
  STREAM_BEFORE,
  STREAM_CAMERA,
} Stream;

static uint64_t
mix (uint64_t x)
{
  x = (x ^ (x >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C (0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static inline uint64_t
next (Random *random)
{
  return mix (random->state += UINT64_C (0x9e3779b97f4a7c15));
}

static Random
stream (uint64_t seed, Stream purpose, uint64_t index)
{
  return (Random){mix (mix (seed + purpose) + index)};
}

static double
range (Random *random, double low, double high)
{
  return low + (high - low) * (double)(next (random) >> 11) * 0x1p-53;
}

static int
pick (Random *random, int n)
{
  return (int)(next (random) % (uint64_t)n);
}

/* A smooth path between 0 and 1 that takes its time: two incommensurable swings. */
static double
wander (Random *random, double seconds)
{
  double slow = range (random, 0.25, 0.55), fast = range (random, 0.7, 1.3);
  double phase1 = range (random, 0, TURN), phase2 = range (random, 0, TURN);
  return 0.5 + 0.36 * sin (phase1 + slow * seconds) + 0.14 * sin (phase2 + fast * seconds);
}

/* ---- Colours ---- */

typedef struct Colour {
  double r, g, b;
} Colour;

typedef struct Palette {
  Colour back[2]; /* the backdrop's two ends */
  Colour shape;
} Palette;

static Colour
hsl (double hue, double saturation, double lightness)
{
  double chroma = (1 - fabs (2 * lightness - 1)) * saturation, c[3];
  for (int i = 0; i < 3; i++) {
    double x = fmod (hue * 6 + 8 - 2 * i, 6);
    c[i] = lightness + chroma * (CLAMP (2 - fabs (x - 2), 0, 1) - 0.5);
  }
  return (Colour){c[0], c[1], c[2]};
}

static Colour
blend (Colour a, Colour b, double t)
{
  return (Colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
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
choose_palette (uint64_t seed, double difficulty)
{
  Random random = stream (seed, STREAM_COLOUR, 0);
  Palette p;
  double hue = range (&random, 0, 1), saturation = range (&random, 0.15, 0.7);
  double light = range (&random, 0.1, 0.85), spread = range (&random, 0.1, 0.3);
  double other_hue = hue + range (&random, -0.2, 0.2);
  p.back[0] = hsl (hue, saturation, light);
  p.back[1] = hsl (other_hue, saturation, CLAMP (light + (light < 0.5 ? spread : -spread), 0, 1));

  double wanted = 0.5 - 0.26 * difficulty, best = -1;
  for (int i = 0; i < 24 && best < wanted; i++) {
    double shape_hue = range (&random, 0, 1), shape_saturation = range (&random, 0.35, 1);
    Colour c = hsl (shape_hue, shape_saturation, range (&random, 0.08, 0.92));
    double least = MIN (contrast (c, p.back[0]), contrast (c, p.back[1]));
    if (least > best) {
      best = least;
      p.shape = c;
    }
  }
  return p;
}

static void
set_colour (cairo_t *cr, Colour c, double alpha)
{
  cairo_set_source_rgba (cr, c.r, c.g, c.b, alpha);
}

static void
add_stop (cairo_pattern_t *pattern, double offset, Colour c, double alpha)
{
  cairo_pattern_add_color_stop_rgba (pattern, offset, c.r, c.g, c.b, alpha);
}

static void
paint_pattern (cairo_t *cr, cairo_pattern_t *pattern)
{
  cairo_set_source (cr, pattern);
  cairo_paint (cr);
  cairo_pattern_destroy (pattern);
}

/* ---- Shapes: paths in the unit circle ---- */

typedef struct Shape {
  const char *label;
  void (*trace) (cairo_t *cr); /* NULL: there is no shape */
} Shape;

static void
trace_polygon (cairo_t *cr, const double (*points)[2], int n)
{
  for (int i = 0; i < n; i++)
    cairo_line_to (cr, points[i][0], points[i][1]);
  cairo_close_path (cr);
}

/* Corners at @n equal angles, at a distance of 1 and @inner in turn. */
static void
trace_rays (cairo_t *cr, int n, double inner)
{
  for (int i = 0; i < n; i++) {
    double angle = TURN * i / n - TURN / 4, radius = i % 2 ? inner : 1;
    cairo_line_to (cr, radius * cos (angle), radius * sin (angle));
  }
  cairo_close_path (cr);
}

static void
trace_circle (cairo_t *cr)
{
  cairo_arc (cr, 0, 0, 0.95, 0, TURN);
  cairo_close_path (cr);
}

static void
trace_square (cairo_t *cr)
{
  trace_rays (cr, 4, 1);
}

static void
trace_triangle (cairo_t *cr)
{
  trace_rays (cr, 3, 1);
}

static void
trace_star (cairo_t *cr)
{
  trace_rays (cr, 10, 0.43);
}

static void
trace_cross (cairo_t *cr)
{
  static const double a = 0.3, b = 0.95;
  const double points[12][2] = {{-a, -b}, {a, -b}, {a, -a}, {b, -a}, {b, a},   {a, a},
                                {a, b},   {-a, b}, {-a, a}, {-b, a}, {-b, -a}, {-a, -a}};
  trace_polygon (cr, points, 12);
}

static void
trace_ring (cairo_t *cr)
{
  trace_circle (cr);
  cairo_new_sub_path (cr);
  cairo_arc_negative (cr, 0, 0, 0.52, 0, -TURN);
  cairo_close_path (cr);
}

static void
trace_heart (cairo_t *cr)
{
  cairo_move_to (cr, 0, 0.95);
  cairo_curve_to (cr, -0.55, 0.5, -1.0, 0.1, -0.92, -0.35);
  cairo_curve_to (cr, -0.82, -0.85, -0.2, -0.85, 0, -0.35);
  cairo_curve_to (cr, 0.2, -0.85, 0.82, -0.85, 0.92, -0.35);
  cairo_curve_to (cr, 1.0, 0.1, 0.55, 0.5, 0, 0.95);
  cairo_close_path (cr);
}

static void
trace_arrow (cairo_t *cr)
{
  static const double points[7][2] = {{1, 0},        {0.15, -0.72}, {0.15, -0.27}, {-0.95, -0.27},
                                      {-0.95, 0.27}, {0.15, 0.27},  {0.15, 0.72}};
  trace_polygon (cr, points, 7);
}

/* The unit circle without one of radius 0.8 whose centre lies 0.5 to the right. */
static void
trace_crescent (cairo_t *cr)
{
  static const double bite = 0.8, centre = 0.5;
  double x = (1 + centre * centre - bite * bite) / (2 * centre), y = sqrt (1 - x * x);
  cairo_arc (cr, 0, 0, 1, atan2 (y, x), TURN - atan2 (y, x));
  cairo_arc_negative (cr, centre, 0, bite, -atan2 (y, x - centre), atan2 (y, x - centre) - TURN);
  cairo_close_path (cr);
}

static void
trace_bolt (cairo_t *cr)
{
  static const double points[6][2] = {{0.2, -0.97}, {-0.52, 0.16}, {-0.06, 0.16},
                                      {-0.2, 0.97}, {0.52, -0.2},  {0.06, -0.2}};
  trace_polygon (cr, points, 6);
}

static const Shape shapes[] = {
    {"arrow", trace_arrow},       {"bolt", trace_bolt},     {"circle", trace_circle},
    {"crescent", trace_crescent}, {"cross", trace_cross},   {"heart", trace_heart},
    {"ring", trace_ring},         {"square", trace_square}, {"star", trace_star},
    {"triangle", trace_triangle}, {"nothing", NULL},
};

int
sl_scene_n_classes (void)
{
  return G_N_ELEMENTS (shapes);
}

const char *
sl_scene_label (int klass)
{
  g_return_val_if_fail (klass >= 0 && klass < sl_scene_n_classes (), NULL);
  return shapes[klass].label;
}

/* ---- Frame: what every part of the picture is drawn with ---- */

typedef struct Frame {
  uint64_t seed; /* of this turn */
  double difficulty, seconds;
  double width, height; /* in units: the shorter is 1 */
  double unit;          /* pixels of the drawing surface */
  Palette palette;
} Frame;

/* ---- Backdrops: soft, or with features far smaller than any shape ---- */

static void
draw_gradient (cairo_t *cr, const Frame *f, Random *random)
{
  double angle = range (random, 0, TURN) + range (random, -0.4, 0.4) * f->seconds;
  double x = cos (angle) * f->width / 2, y = sin (angle) * f->height / 2;
  cairo_pattern_t *p = cairo_pattern_create_linear (f->width / 2 - x, f->height / 2 - y,
                                                    f->width / 2 + x, f->height / 2 + y);
  add_stop (p, 0, f->palette.back[0], 1);
  add_stop (p, 1, f->palette.back[1], 1);
  paint_pattern (cr, p);
}

static void
draw_stripes (cairo_t *cr, const Frame *f, Random *random)
{
  double angle = range (random, 0, TURN), width = range (random, 0.05, 0.16);
  double hard = range (random, 0, 0.4), shift = range (random, -0.08, 0.08) * f->seconds;
  double x = cos (angle), y = sin (angle);
  cairo_pattern_t *p =
      cairo_pattern_create_linear (x * shift, y * shift, x * (shift + width), y * (shift + width));
  cairo_pattern_set_extend (p, CAIRO_EXTEND_REFLECT);
  add_stop (p, hard, f->palette.back[0], 1);
  add_stop (p, 1 - hard, f->palette.back[1], 1);
  paint_pattern (cr, p);
}

/* Moves the origin so that a lattice of @pitch, @angle and a slow drift covers the whole frame, and
 * returns how many cells lie each side of it. */
static int
enter_lattice (cairo_t *cr, const Frame *f, Random *random, double pitch)
{
  double angle = range (random, 0, TURN);
  double dx = fmod (range (random, -0.08, 0.08) * f->seconds, 2 * pitch);
  double dy = fmod (range (random, -0.08, 0.08) * f->seconds, 2 * pitch);
  cairo_translate (cr, f->width / 2, f->height / 2);
  cairo_rotate (cr, angle);
  cairo_translate (cr, dx, dy);
  /* Beyond some hundred cells (a picture hundreds of times wider than high) a lattice is not seen.
   */
  return (int)MIN (hypot (f->width, f->height) / 2 / pitch + 3, 200);
}

static void
draw_checks (cairo_t *cr, const Frame *f, Random *random)
{
  double pitch = range (random, 0.07, 0.15);
  set_colour (cr, f->palette.back[0], 1);
  cairo_paint (cr);
  int n = enter_lattice (cr, f, random, pitch);
  for (int i = -n; i < n; i++) {
    for (int j = -n + (i + n) % 2; j < n; j += 2)
      cairo_rectangle (cr, i * pitch, j * pitch, pitch, pitch);
  }
  set_colour (cr, f->palette.back[1], 0.6);
  cairo_fill (cr);
}

static void
draw_dots (cairo_t *cr, const Frame *f, Random *random)
{
  double pitch = range (random, 0.08, 0.16), radius = pitch * range (random, 0.15, 0.32);
  draw_gradient (cr, f, random);
  int n = enter_lattice (cr, f, random, pitch);
  for (int i = -n; i < n; i++) {
    for (int j = -n; j < n; j++) {
      cairo_new_sub_path (cr);
      cairo_arc (cr, i * pitch, (j + (i & 1) * 0.5) * pitch, radius, 0, TURN);
    }
  }
  set_colour (cr, blend (f->palette.back[0], f->palette.back[1], 0.5), 0.7);
  cairo_fill (cr);
}

/* Ranges of hills, or waves, one before the other. */
static void
draw_waves (cairo_t *cr, const Frame *f, Random *random)
{
  int rows = 4 + pick (random, 4), steps = 64;
  set_colour (cr, f->palette.back[0], 1);
  cairo_paint (cr);
  for (int row = 0; row < rows; row++) {
    double level = f->height * (row + 0.6) / (rows + 0.4), swing = range (random, 0.015, 0.06);
    double pace = range (random, 3, 9), phase = range (random, 0, TURN);
    phase += range (random, -1.2, 1.2) * f->seconds;
    cairo_move_to (cr, 0, f->height);
    for (int i = 0; i <= steps; i++) {
      double x = f->width * i / steps;
      cairo_line_to (cr, x,
                     level + swing * (sin (pace * x + phase) + 0.4 * sin (2.3 * pace * x - phase)));
    }
    cairo_line_to (cr, f->width, f->height);
    cairo_close_path (cr);
    set_colour (cr, blend (f->palette.back[0], f->palette.back[1], (row + 1.0) / rows), 1);
    cairo_fill (cr);
  }
}

/* Lights out of focus. */
static void
draw_lights (cairo_t *cr, const Frame *f, Random *random)
{
  draw_gradient (cr, f, random);
  int n = 8 + pick (random, 10);
  for (int i = 0; i < n; i++) {
    double radius = range (random, 0.15, 0.5), alpha = range (random, 0.15, 0.6);
    double x = f->width * (1.4 * wander (random, 0.6 * f->seconds) - 0.2);
    double y = f->height * (1.4 * wander (random, 0.6 * f->seconds) - 0.2);
    Colour c = f->palette.back[pick (random, 2)];
    cairo_pattern_t *p = cairo_pattern_create_radial (x, y, 0, x, y, radius);
    add_stop (p, 0, c, alpha);
    add_stop (p, 1, c, 0);
    paint_pattern (cr, p);
  }
}

static double
lattice_value (uint64_t seed, int x, int y)
{
  return (double)(mix (seed ^ mix (((uint64_t)(uint32_t)x << 32) | (uint32_t)y)) >> 11) * 0x1p-53;
}

/* Value noise: random numbers at integer points, smoothly joined. */
static double
noise_at (uint64_t seed, double x, double y)
{
  int xi = (int)floor (x), yi = (int)floor (y);
  double u = x - xi, v = y - yi;
  u = u * u * (3 - 2 * u);
  v = v * v * (3 - 2 * v);
  double top = lattice_value (seed, xi, yi) * (1 - u) + lattice_value (seed, xi + 1, yi) * u;
  double low =
      lattice_value (seed, xi, yi + 1) * (1 - u) + lattice_value (seed, xi + 1, yi + 1) * u;
  return top * (1 - v) + low * v;
}

/* Clouds: three octaves that drift apart, worked out on a coarse grid and scaled up. */
static void
draw_clouds (cairo_t *cr, const Frame *f, Random *random)
{
  enum { COARSE = 96 };
  uint64_t seed = next (random);
  double scale = range (random, 2, 5), drift = range (random, -0.35, 0.35) * f->seconds;
  cairo_surface_t *grid = cairo_image_surface_create (CAIRO_FORMAT_RGB24, COARSE, COARSE);
  uint8_t *data = cairo_image_surface_get_data (grid);
  if (!data) {
    cairo_surface_destroy (grid);
    return;
  }
  size_t stride = (size_t)cairo_image_surface_get_stride (grid);
  for (int j = 0; j < COARSE; j++) {
    for (int i = 0; i < COARSE; i++) {
      double x = scale * f->width * i / COARSE + drift, y = scale * f->height * j / COARSE, t = 0;
      for (int octave = 0; octave < 3; octave++, x = 2.1 * x + drift, y = 2.1 * y + 17)
        t += noise_at (seed + (uint64_t)octave, x, y) * (4 >> octave) / 7.0;
      Colour c = blend (f->palette.back[0], f->palette.back[1], CLAMP (2 * t - 0.5, 0, 1));
      uint32_t word = 0xff000000u | (uint32_t)(c.r * 255) << 16 | (uint32_t)(c.g * 255) << 8 |
                      (uint32_t)(c.b * 255);
      memcpy (data + (size_t)j * stride + (size_t)i * 4, &word, 4);
    }
  }
  cairo_surface_mark_dirty (grid);
  cairo_scale (cr, f->width / COARSE, f->height / COARSE);
  cairo_pattern_t *p = cairo_pattern_create_for_surface (grid);
  cairo_pattern_set_extend (p, CAIRO_EXTEND_PAD);
  cairo_pattern_set_filter (p, CAIRO_FILTER_BILINEAR);
  paint_pattern (cr, p);
  cairo_surface_destroy (grid);
}

static void
draw_backdrop (cairo_t *cr, const Frame *f)
{
  static void (*const backdrops[]) (cairo_t *, const Frame *, Random *) = {
      draw_gradient, draw_stripes, draw_checks, draw_dots, draw_waves, draw_lights, draw_clouds,
  };
  Random random = stream (f->seed, STREAM_BACKDROP, 0);
  cairo_save (cr);
  backdrops[pick (&random, G_N_ELEMENTS (backdrops))](cr, f, &random);
  cairo_restore (cr);
}

/* ---- Clutter: specks, lines and scraps that drift past ---- */

static void
draw_scrap (cairo_t *cr, const Frame *f, Random *random)
{
  double size = range (random, 0.006, 0.035), alpha = range (random, 0.4, 1);
  double x = f->width * (1.2 * wander (random, f->seconds) - 0.1);
  double y = f->height * (1.2 * wander (random, f->seconds) - 0.1);
  double angle = range (random, 0, TURN) + range (random, -1, 1) * f->seconds;
  double hue = range (random, 0, 1);
  Colour c = hsl (hue, 0.6, range (random, 0.1, 0.9));
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_rotate (cr, angle);
  cairo_scale (cr, size, size);
  switch (pick (random, 4)) {
  case 0:
    trace_circle (cr);
    break;
  case 1:
    cairo_rectangle (cr, -1, -0.5, 2, 1);
    break;
  case 2:
    cairo_rectangle (cr, -3, -0.12, 6, 0.24);
    break;
  default:
    trace_triangle (cr);
  }
  set_colour (cr, c, alpha);
  cairo_fill (cr);
  cairo_restore (cr);
}

static void
draw_wire (cairo_t *cr, const Frame *f, Random *random)
{
  double y0 = f->height * wander (random, f->seconds), y1 = f->height * wander (random, f->seconds);
  double sag = range (random, -0.3, 0.3), width = range (random, 0.003, 0.009);
  Colour c = blend (f->palette.back[0], f->palette.shape, range (random, 0, 0.8));
  cairo_move_to (cr, 0, y0);
  cairo_curve_to (cr, f->width / 3, y0 + sag, f->width * 2 / 3, y1 + sag, f->width, y1);
  cairo_set_line_width (cr, width);
  set_colour (cr, c, 0.8);
  cairo_stroke (cr);
}

static void
draw_clutter (cairo_t *cr, const Frame *f, Stream which, double amount)
{
  Random random = stream (f->seed, which, 0);
  int scraps = (int)(amount * range (&random, 10, 60));
  int wires = (int)(amount * range (&random, 0, 4));
  for (int i = 0; i < scraps; i++)
    draw_scrap (cr, f, &random);
  for (int i = 0; i < wires; i++)
    draw_wire (cr, f, &random);
}

/* ---- The shape ---- */

/* The fill is lit from above, the outline is a darker or lighter shade of it. */
static void
paint_shape (cairo_t *cr, const Frame *f, double radius, double outline, Random *random)
{
  static const Colour black = {0, 0, 0}, white = {1, 1, 1};
  double light = range (random, 0.05, 0.25), shade = range (random, 0.05, 0.2);
  Colour edge =
      blend (f->palette.shape, pick (random, 2) ? white : black, range (random, 0.3, 0.8));
  cairo_pattern_t *p = cairo_pattern_create_linear (0, -radius, 0, radius);
  add_stop (p, 0, blend (f->palette.shape, white, light), 1);
  add_stop (p, 1, blend (f->palette.shape, black, shade), 1);
  cairo_set_source (cr, p);
  cairo_pattern_destroy (p);
  cairo_fill_preserve (cr);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_width (cr, outline);
  if (outline > 0) {
    set_colour (cr, edge, 1);
    cairo_stroke_preserve (cr);
  }
}

/* A soft shadow: the outline drawn ever wider, each time hardly there. */
static void
cast_shadow (cairo_t *cr, const cairo_path_t *path, double radius)
{
  cairo_save (cr);
  cairo_translate (cr, 0.06 * radius, 0.1 * radius);
  cairo_append_path (cr, path);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  for (int i = 1; i <= 4; i++) {
    cairo_set_source_rgba (cr, 0, 0, 0, 0.06);
    cairo_set_line_width (cr, 0.05 * radius * i);
    cairo_stroke_preserve (cr);
  }
  cairo_set_source_rgba (cr, 0, 0, 0, 0.12);
  cairo_fill (cr);
  cairo_restore (cr);
}

static void
draw_shape (cairo_t *cr, const Frame *f, const Shape *shape, SlSceneTruth *truth)
{
  Random random = stream (f->seed, STREAM_SHAPE, 0);
  double radius = range (&random, 0.22, 0.42), breath = range (&random, 0, TURN);
  double outline = pick (&random, 3) ? range (&random, 0.006, 0.02) : 0;
  double squeeze = 1 + range (&random, -0.2, 0.2), spin = range (&random, -0.7, 0.7);
  double angle = range (&random, 0, TURN) + spin * f->seconds, lean = range (&random, 0, TURN);
  radius *= 1 + 0.06 * sin (breath + 0.8 * f->seconds);

  double reach = radius + outline / 2; /* from the centre, whatever the angle */
  double x = reach + (f->width - 2 * reach) * wander (&random, f->seconds);
  double y = reach + (f->height - 2 * reach) * wander (&random, f->seconds);

  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_save (cr);
  /* Squeezed along any axis, as a shape is that faces the camera at an angle. */
  cairo_rotate (cr, lean);
  cairo_scale (cr, radius * MIN (1, squeeze), radius * MIN (1, 1 / squeeze));
  cairo_rotate (cr, angle - lean);
  cairo_new_path (cr);
  shape->trace (cr);
  cairo_restore (cr);

  cairo_path_t *path = cairo_copy_path (cr);
  if (pick (&random, 3)) {
    cairo_new_path (cr);
    cast_shadow (cr, path, radius);
    cairo_append_path (cr, path);
  }
  cairo_path_destroy (path);
  paint_shape (cr, f, radius, outline, &random);

  double x0, y0, x1, y1;
  cairo_path_extents (cr, &x0, &y0, &x1, &y1);
  *truth = (SlSceneTruth){truth->klass, x + x0 - outline / 2, y + y0 - outline / 2,
                          x1 - x0 + outline, y1 - y0 + outline};
  cairo_new_path (cr);
  cairo_restore (cr);
}

/* ---- The camera: softness, exposure, noise ---- */

typedef struct Camera {
  double softness; /* pixels of the picture to one that is drawn */
  int gain;        /* in 1/256 */
  int lift;        /* in levels */
  int grain;       /* largest noise, in levels */
  uint64_t seed;   /* of the noise of this very frame */
} Camera;

static Camera
choose_camera (const Frame *f, double unit)
{
  Random random = stream (f->seed, STREAM_CAMERA, 0);
  double d = f->difficulty, blur = d * range (&random, 0, 0.012);
  Camera camera = {.softness = MAX (1, blur * unit)};
  camera.gain = (int)(256 * (1 + d * range (&random, -0.5, 0.2)));
  camera.lift = (int)(d * range (&random, -12, 40));
  camera.grain = (int)(d * range (&random, 0, 48));
  uint64_t moment;
  memcpy (&moment, &f->seconds, sizeof moment);
  camera.seed = mix (f->seed ^ mix (moment));
  return camera;
}

static inline int
expose (const Camera *c, uint32_t level, uint64_t bits)
{
  /* The sum of two uniform bytes: a triangle, close enough to a sensor's noise. */
  int noise = (int)(bits & 0xff) + (int)(bits >> 8 & 0xff) - 255;
  int value = ((int)level * c->gain >> 8) + c->lift + noise * c->grain / 256;
  return CLAMP (value, 0, 255);
}

static void
expose_rows (const Camera *c, uint8_t *pixels, int width, int height, size_t stride)
{
  Random random = {c->seed};
  for (int y = 0; y < height; y++) {
    uint32_t *row = (uint32_t *)(void *)(pixels + (size_t)y * stride);
    for (int x = 0; x < width; x++) {
      uint64_t bits = c->grain ? next (&random) : 0x7f80 * UINT64_C (0x100010001);
      int r = expose (c, row[x] >> 16 & 0xff, bits), g = expose (c, row[x] >> 8 & 0xff, bits >> 16);
      row[x] = 0xff000000u | (uint32_t)r << 16 | (uint32_t)g << 8 |
               (uint32_t)expose (c, row[x] & 0xff, bits >> 32);
    }
  }
}

/* ---- The whole picture ---- */

/* Which class turn @index shows: each round is a shuffle of all of them. */
static int
turn_class (const SlScene *scene, uint64_t index)
{
  int n = sl_scene_n_classes (), order[G_N_ELEMENTS (shapes)];
  if (scene->klass != SL_SCENE_EVERY_CLASS)
    return scene->klass;
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
  const Shape *shape = &shapes[truth->klass];
  cairo_scale (cr, f->unit, f->unit);
  draw_backdrop (cr, f);
  draw_clutter (cr, f, STREAM_BEHIND, 0.15 + 0.85 * f->difficulty);
  if (shape->trace)
    draw_shape (cr, f, shape, truth);
  draw_clutter (cr, f, STREAM_BEFORE, 0.25 * f->difficulty);
}

/* Draws with one drawn pixel for @softness pixels each way, and scales up. */
static bool
draw_soft (const Frame *sharp, double softness, cairo_surface_t *target, SlSceneTruth *truth)
{
  Frame f = *sharp;
  f.unit /= softness;
  int width = MAX (1, (int)ceil (f.width * f.unit)),
      height = MAX (1, (int)ceil (f.height * f.unit));
  cairo_surface_t *surface = softness > 1
                                 ? cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height)
                                 : cairo_surface_reference (target);
  cairo_t *cr = cairo_create (surface);
  draw_frame (cr, &f, truth);
  bool done = cairo_status (cr) == CAIRO_STATUS_SUCCESS;
  cairo_destroy (cr);
  if (softness > 1) {
    cr = cairo_create (target);
    cairo_scale (cr, softness, softness);
    cairo_pattern_t *p = cairo_pattern_create_for_surface (surface);
    cairo_pattern_set_extend (p, CAIRO_EXTEND_PAD);
    cairo_pattern_set_filter (p, CAIRO_FILTER_BILINEAR);
    paint_pattern (cr, p);
    done = done && cairo_status (cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy (cr);
  }
  cairo_surface_destroy (surface);
  return done;
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

bool
sl_scene_draw (const SlScene *scene, double seconds, uint8_t *pixels, int width, int height,
               size_t stride, SlSceneTruth *truth)
{
  g_return_val_if_fail (scene && pixels && isfinite (seconds), false);
  g_return_val_if_fail (scene->difficulty >= 0 && scene->difficulty <= 1, false);
  g_return_val_if_fail (
      scene->klass >= SL_SCENE_EVERY_CLASS && scene->klass < sl_scene_n_classes (), false);
  g_return_val_if_fail (width >= 1 && width <= SL_SCENE_MAX_SIZE, false);
  g_return_val_if_fail (height >= 1 && height <= SL_SCENE_MAX_SIZE, false);
  g_return_val_if_fail (stride >= (size_t)width * 4 && stride % 4 == 0 && stride <= INT_MAX, false);

  double unit = MIN (width, height), time = MAX (0, seconds);
  uint64_t index = scene->turn > 0 ? (uint64_t)(time / scene->turn) : 0;
  Frame f = {.difficulty = scene->difficulty, .seconds = time, .unit = unit};
  f.seed = stream (scene->seed, STREAM_TURN, index).state;
  f.width = width / unit;
  f.height = height / unit;
  f.palette = choose_palette (f.seed, f.difficulty);
  SlSceneTruth seen = {.klass = turn_class (scene, index)};
  Camera camera = choose_camera (&f, unit);

  cairo_surface_t *target =
      cairo_image_surface_create_for_data (pixels, CAIRO_FORMAT_RGB24, width, height, (int)stride);
  bool done = draw_soft (&f, camera.softness, target, &seen);
  cairo_surface_flush (target);
  done = done && cairo_surface_status (target) == CAIRO_STATUS_SUCCESS;
  cairo_surface_destroy (target);
  expose_rows (&camera, pixels, width, height, stride);
  finish_truth (&seen, unit, width, height);
  if (truth)
    *truth = seen;
  return done;
}
