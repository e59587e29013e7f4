#include "scene-private.h"

#include <math.h>

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

void
sl_scene_trace_circle (cairo_t *cr)
{
  cairo_arc (cr, 0, 0, 0.95, 0, TURN);
  cairo_close_path (cr);
}

static void
trace_square (cairo_t *cr)
{
  trace_rays (cr, 4, 1);
}

void
sl_scene_trace_triangle (cairo_t *cr)
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
  sl_scene_trace_circle (cr);
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
    {"arrow", trace_arrow},
    {"bolt", trace_bolt},
    {"circle", sl_scene_trace_circle},
    {"crescent", trace_crescent},
    {"cross", trace_cross},
    {"heart", trace_heart},
    {"ring", trace_ring},
    {"square", trace_square},
    {"star", trace_star},
    {"triangle", sl_scene_trace_triangle},
    {"nothing", NULL},
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

/* The fill is lit from above, the outline is a darker or lighter shade of it. */
static void
paint_shape (cairo_t *cr, const Frame *f, double radius, double outline, Random *random)
{
  static const Colour black = {0, 0, 0}, white = {1, 1, 1};
  double light = range (random, 0.05, 0.25), shade = range (random, 0.05, 0.2);
  bool bright = pick (random, 2);
  Colour edge = blend (f->palette.shape, bright ? white : black, range (random, 0.3, 0.8));
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
  for (int i = 1; i <= 8; i++) {
    cairo_set_source_rgba (cr, 0, 0, 0, 0.035);
    cairo_set_line_width (cr, 0.025 * radius * i);
    cairo_stroke_preserve (cr);
  }
  cairo_set_source_rgba (cr, 0, 0, 0, 0.12);
  cairo_fill (cr);
  cairo_restore (cr);
}

void
sl_scene_draw_shape (cairo_t *cr, const Frame *f, SlSceneTruth *truth)
{
  const Shape *shape = &shapes[truth->klass];
  if (!shape->trace)
    return;
  Random random = stream (f->turn_seed, STREAM_SHAPE, 0);
  double radius = range (&random, f->min_radius, f->max_radius), breath = range (&random, 0, TURN);
  double outline = pick (&random, 3) ? range (&random, 0.006, 0.02) : 0;
  double squeeze = 1 + range (&random, -0.2, 0.2), spin = range (&random, -0.7, 0.7);
  double start = range (&random, 0, TURN), lean = range (&random, 0, TURN);
  outline = MIN (outline, radius / 10); /* small shapes are not all outline */
  radius *= 1 + 0.06 * sin (breath + 0.8 * f->seconds);

  double reach = radius + outline / 2; /* from the centre, whatever the angle */
  double x = reach + (f->width - 2 * reach) * sl_scene_wander (&random, f->seconds);
  double y = reach + (f->height - 2 * reach) * sl_scene_wander (&random, f->seconds);

  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_save (cr);
  /* Squeezed along any axis, as a shape is that faces the camera at an angle. */
  cairo_rotate (cr, lean);
  cairo_scale (cr, radius * MIN (1, squeeze), radius * MIN (1, 1 / squeeze));
  cairo_rotate (cr, start + spin * f->seconds - lean);
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
