/* What the files of the scene renderer share. Lengths are in units of the picture's short side, so
 * that a scene looks alike at every size. */
#pragma once

#include "scene.h"

#include <cairo.h>
#include <string.h>

#define TURN (2 * G_PI)

/* ---- Random numbers: splitmix64. Each purpose has a stream of its own, so that a change to one
 * part of the picture leaves the others as they are. C leaves open which of two calls in one
 * expression is made first: never draw two numbers in one. ---- */

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
  STREAM_SESSION,
} Stream;

static inline uint64_t
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

static inline Random
stream (uint64_t seed, Stream purpose, uint64_t index)
{
  return (Random){mix (mix (seed + purpose) + index)};
}

static inline double
range (Random *random, double low, double high)
{
  return low + (high - low) * (double)(next (random) >> 11) * 0x1p-53;
}

/* 0 ≤ result < n */
static inline int
pick (Random *random, int n)
{
  return (int)(next (random) % (uint64_t)n);
}

/* A smooth path between 0 and 1 that takes its time. */
double sl_scene_wander (Random *random, double seconds);

/* ---- Colours: red, green and blue from 0 to 1 ---- */

typedef struct Colour {
  double r, g, b;
} Colour;

typedef struct Palette {
  Colour back[2]; /* the backdrop's two ends */
  Colour shape;   /* stands out from both */
} Palette;

Colour sl_scene_hsl (double hue, double saturation, double lightness);

static inline Colour
blend (Colour a, Colour b, double t)
{
  return (Colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

static inline void
set_colour (cairo_t *cr, Colour c, double alpha)
{
  cairo_set_source_rgba (cr, c.r, c.g, c.b, alpha);
}

static inline void
add_stop (cairo_pattern_t *pattern, double offset, Colour c, double alpha)
{
  cairo_pattern_add_color_stop_rgba (pattern, offset, c.r, c.g, c.b, alpha);
}

/* Paints with @pattern and frees it. */
static inline void
paint_pattern (cairo_t *cr, cairo_pattern_t *pattern)
{
  cairo_set_source (cr, pattern);
  cairo_paint (cr);
  cairo_pattern_destroy (pattern);
}

/* ---- The parts of a picture ---- */

typedef struct Frame {
  uint64_t turn_seed;    /* of the shape */
  uint64_t session_seed; /* of backdrop, clutter and camera; the same if they change with it */
  SlSceneDifficulty difficulty;
  double seconds;
  double min_radius, max_radius; /* of shapes, in units */
  double width, height;          /* in units: the shorter is 1 */
  double unit;                   /* pixels of the drawing surface */
  Palette palette;
} Frame;

/* A context for a picture of its own with f->unit pixels to the unit, and painting it over @cr with
 * one of its pixels taking @scale units of @cr. The second frees @coarse; what failed in it fails
 * in @cr. */
cairo_t *sl_scene_coarse_new (const Frame *f);
void sl_scene_coarse_paint (cairo_t *coarse, cairo_t *cr, double scale);

void sl_scene_draw_backdrop (cairo_t *cr, const Frame *f);

/* Specks, lines and scraps, far smaller than any shape; @amount 0 to 1. */
void sl_scene_draw_clutter (cairo_t *cr, const Frame *f, Stream which, double amount);

/* Draws the shape of truth->klass, if it has one, and sets the box (in units). */
void sl_scene_draw_shape (cairo_t *cr, const Frame *f, SlSceneTruth *truth);

/* A path in the unit circle. */
void sl_scene_trace_circle (cairo_t *cr);
void sl_scene_trace_triangle (cairo_t *cr);
