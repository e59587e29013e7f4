/* slheatmap with the tiny network, and frames with a square of one colour. */
#pragma once

#include "fixture.h"

#include <sightline-gst/heat.h>

#define SIZE 64
/* A square of 4 x 4 cells of the network's 8 x 8 input. */
#define SQUARE_X 16
#define SQUARE_Y 24
#define SQUARE_SIZE 32

enum { OUTPUT_BLEND, OUTPUT_MAP, OUTPUT_MASK, OUTPUT_SIDE_BY_SIDE, OUTPUT_NONE };

/* An slheatmap with the tiny network and properties (name, value …, NULL), playing. */
Fixture *heat_make (const gchar *property, ...);
/* A square of one colour in an RGB frame. */
void heat_fill (GstVideoFrame *frame, gint left, gint top, gint size, guint32 rgb);
/* An RGB frame, black, with a square. */
GstBuffer *heat_make_square (Fixture *fixture, gint x, gint y, guint32 rgb, guint n);
/* Pushes a frame and pulls what comes out. */
GstBuffer *heat_process (Fixture *fixture, GstBuffer *buffer);
/* The same with a square at SQUARE_X, SQUARE_Y. */
GstBuffer *heat_process_square (Fixture *fixture, guint32 rgb, guint n);
/* SIZE x SIZE, RGB. */
void heat_set_rgb_caps (Fixture *fixture);
/* Where the network looked. */
const SlGeometryMeta *heat_get_meta (GstBuffer *buffer);
/* Of an RGB frame of SIZE x SIZE. */
guint8 heat_get_byte (GstBuffer *buffer, gint x, gint y, gint c);
/* A number of the element's statistics. */
guint64 heat_get_stat (Fixture *fixture, const gchar *name);
