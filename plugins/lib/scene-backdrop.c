/* What lies behind and before the shape: soft, or with features far smaller than any shape. */
#include "scene-private.h"

#include <math.h>

/* The most pixels that a backdrop has on its short side. */
#define BACKDROP_UNIT 270

static void
draw_gradient (cairo_t *cr, const Frame *f, Random *random)
{
  double start = range (random, 0, TURN), spin = range (random, -0.4, 0.4);
  double angle = start + spin * f->seconds;
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
  /* Wider pictures than anyone looks at get a lattice in the middle only. */
  return (int)MIN (hypot (f->width, f->height) / 2 / pitch + 3, 50);
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

/* Fills the pixels that a circle touches: cairo works a pattern out wherever it is asked to, and
 * this one is empty elsewhere. Whole pixels, since no edge may show. */
static void
fill_around (cairo_t *cr, const Frame *f, double x, double y, double radius)
{
  double side = 2 * ceil (radius * f->unit) + 2;
  cairo_save (cr);
  cairo_identity_matrix (cr);
  cairo_rectangle (cr, floor ((x - radius) * f->unit), floor ((y - radius) * f->unit), side, side);
  cairo_restore (cr);
  cairo_fill (cr);
}

/* Lights out of focus. */
static void
draw_lights (cairo_t *cr, const Frame *f, Random *random)
{
  draw_gradient (cr, f, random);
  int n = 8 + pick (random, 10);
  for (int i = 0; i < n; i++) {
    double radius = range (random, 0.15, 0.5), alpha = range (random, 0.15, 0.6);
    double x = f->width * (1.4 * sl_scene_wander (random, 0.6 * f->seconds) - 0.2);
    double y = f->height * (1.4 * sl_scene_wander (random, 0.6 * f->seconds) - 0.2);
    Colour c = f->palette.back[pick (random, 2)];
    cairo_pattern_t *p = cairo_pattern_create_radial (x, y, 0, x, y, radius);
    add_stop (p, 0, c, alpha);
    add_stop (p, 1, c, 0);
    cairo_set_source (cr, p);
    cairo_pattern_destroy (p);
    fill_around (cr, f, x, y, radius);
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

/* Large pictures get their backdrop out of focus, and much sooner: gradients are slow. */
void
sl_scene_draw_backdrop (cairo_t *cr, const Frame *f)
{
  static void (*const backdrops[]) (cairo_t *, const Frame *, Random *) = {
      draw_gradient, draw_stripes, draw_checks, draw_dots, draw_waves, draw_lights, draw_clouds,
  };
  Random random = stream (f->session_seed, STREAM_BACKDROP, 0);
  Frame far = *f;
  far.unit = MIN (f->unit, BACKDROP_UNIT);
  cairo_t *coarse = sl_scene_coarse_new (&far);
  cairo_scale (coarse, far.unit, far.unit);
  backdrops[pick (&random, G_N_ELEMENTS (backdrops))](coarse, &far, &random);
  sl_scene_coarse_paint (coarse, cr, 1 / far.unit);
}

static void
draw_scrap (cairo_t *cr, const Frame *f, Random *random)
{
  double size = range (random, 0.006, 0.035), alpha = range (random, 0.4, 1);
  double x = f->width * (1.2 * sl_scene_wander (random, f->seconds) - 0.1);
  double y = f->height * (1.2 * sl_scene_wander (random, f->seconds) - 0.1);
  double start = range (random, 0, TURN), spin = range (random, -1, 1);
  double hue = range (random, 0, 1);
  Colour c = sl_scene_hsl (hue, 0.6, range (random, 0.1, 0.9));
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_rotate (cr, start + spin * f->seconds);
  cairo_scale (cr, size, size);
  switch (pick (random, 4)) {
  case 0:
    sl_scene_trace_circle (cr);
    break;
  case 1:
    cairo_rectangle (cr, -1, -0.5, 2, 1);
    break;
  case 2:
    cairo_rectangle (cr, -3, -0.12, 6, 0.24);
    break;
  default:
    sl_scene_trace_triangle (cr);
  }
  set_colour (cr, c, alpha);
  cairo_fill (cr);
  cairo_restore (cr);
}

static void
draw_wire (cairo_t *cr, const Frame *f, Random *random)
{
  double y0 = f->height * sl_scene_wander (random, f->seconds),
         y1 = f->height * sl_scene_wander (random, f->seconds);
  double sag = range (random, -0.3, 0.3), width = range (random, 0.003, 0.009);
  Colour c = blend (f->palette.back[0], f->palette.shape, range (random, 0, 0.8));
  cairo_move_to (cr, 0, y0);
  cairo_curve_to (cr, f->width / 3, y0 + sag, f->width * 2 / 3, y1 + sag, f->width, y1);
  cairo_set_line_width (cr, width);
  set_colour (cr, c, 0.8);
  cairo_stroke (cr);
}

void
sl_scene_draw_clutter (cairo_t *cr, const Frame *f, Stream which, double amount)
{
  Random random = stream (f->session_seed, which, 0);
  int scraps = (int)(amount * range (&random, 10, 60));
  int wires = (int)(amount * range (&random, 0, 4));
  for (int i = 0; i < scraps; i++)
    draw_scrap (cr, f, &random);
  for (int i = 0; i < wires; i++)
    draw_wire (cr, f, &random);
}
