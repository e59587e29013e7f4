/* Where things are in a frame: boxes and a heat grid, as buffer metadata that moves along with
 * scaling and is dropped where it would be wrong. */
#pragma once

#include <gst/gst.h>
#include <sightline/error.h>

G_BEGIN_DECLS

/* Raised when fields change meaning; readers refuse what is newer than they know. */
#define SL_GEOMETRY_META_VERSION 1

#define SL_GEOMETRY_META_API_TYPE (sl_geometry_meta_api_get_type ())
#define SL_GEOMETRY_META_INFO (sl_geometry_meta_get_info ())

/* A box in pixels of the memory of the frame that carries it, so before any GstVideoCropMeta: x to
 * the right and y down from the outer corner of the top left pixel. It may reach beyond the frame.
 */
typedef struct SlBox {
  gdouble x, y, width, height;
  guint index;  /* class number */
  gfloat score; /* 0 … 1 */
  gchar *label; /* never NULL */
} SlBox;

/* A small map over a part of the frame: `width` x `height` cells, row by row, 0 (cold) … 1 (hottest
 * of this map). Cell (i, j) is centred at u = (i + 0.5) / width, v = (j + 0.5) / height, and (u, v)
 * lies at x = m[0] u + m[1] v + m[2], y = m[3] u + m[4] v + m[5] of the plane that boxes are in: so
 * a grid may lie turned (orientation tag), mirrored, on the middle of the frame only (centre crop)
 * or reach beyond it (letterbox). */
typedef struct SlHeatGrid {
  guint width, height; /* 0: there is none */
  gfloat *values;      /* width * height */
  gdouble matrix[6];
  guint index;      /* the class that it shows */
  gchar *label;     /* of that class; never NULL where there is a grid */
  gfloat low, high; /* values of the raw map (logits, class score contributions) that became 0, 1 */
} SlHeatGrid;

/* A buffer may carry several, one for each producing element. Read-only once attached.
 *
 * Tagged as video and size: elements that scale move boxes and grid along; those that crop, flip,
 * turn or add borders and do not know this meta drop it, and so does a copy of a part of the bytes.
 * Scaling to another display aspect ratio drops it too: whether the picture is stretched or gets
 * borders is then up to the element, which does not say. */
typedef struct SlGeometryMeta {
  GstMeta meta;
  guint version;
  gchar *producer; /* name of the element */
  gchar *model;    /* SHA-256 of the model file, hexadecimal; NULL: the truth (a synthetic source, a
                      person), not a network's result */
  guint64 frame;   /* count of frames since stream start that the result was computed on */
  GstClockTime pts; /* of that frame, GST_CLOCK_TIME_NONE if it had none */
  guint64 age;      /* frames between that frame and this one; 0: this very one */
  gboolean fresh;   /* first buffer that carries this result */
  guint n_boxes;
  SlBox *boxes;
  SlHeatGrid grid;
} SlGeometryMeta;

SL_API GType sl_geometry_meta_api_get_type (void);
SL_API const GstMetaInfo *sl_geometry_meta_get_info (void);

/* Adds an empty one (fresh, age 0); `producer` and `model` are copied, `model` may be NULL. The
 * buffer must be writable (its memory need not be). */
SL_API SlGeometryMeta *sl_buffer_add_geometry_meta (GstBuffer *buffer, const gchar *producer,
                                                    const gchar *model);
/* Appends a box; the text is copied. */
SL_API void sl_geometry_meta_append_box (SlGeometryMeta *meta, gdouble x, gdouble y, gdouble width,
                                         gdouble height, guint index, gfloat score,
                                         const gchar *label);
/* Sets the grid, in the place of one that is there; values and label are copied. */
SL_API void sl_geometry_meta_set_grid (SlGeometryMeta *meta, const SlHeatGrid *grid);
/* The last one of a named producer; `producer` NULL: the last one that a network made, else the
 * last one. NULL if there is none. */
SL_API SlGeometryMeta *sl_buffer_get_geometry_meta (GstBuffer *buffer, const gchar *producer);

/* Box number `i`, the meta's, or NULL beyond the last; and a cell of the grid, 0 outside of it. For
 * languages that cannot index arrays of C. */
SL_API const SlBox *sl_geometry_meta_get_box (const SlGeometryMeta *meta, guint i);
SL_API gfloat sl_geometry_meta_get_heat (const SlGeometryMeta *meta, guint column, guint row);

G_END_DECLS
