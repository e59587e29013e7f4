/* Heat maps as colours on frames: a small grid of values, laid over a frame by a matrix, is painted
 * into the frame's own format, in place. Also the box around what is hot. */
#pragma once

#include <sightline/error.h>
#include <sightline/image.h>

G_BEGIN_DECLS

/* --- Colour maps --- */

typedef enum {
  SL_COLORMAP_VIRIDIS, /* even in brightness, good for colour-blind eyes */
  SL_COLORMAP_TURBO,   /* a rainbow without jet's false edges */
  SL_COLORMAP_INFERNO, /* from black: on dark pictures, in print */
  SL_COLORMAP_JET,     /* the one that papers use */
  SL_COLORMAP_GREY,
  SL_COLORMAP_COUNT
} SlColormap;

#define SL_COLORMAP_SIZE 256

/* "viridis", "turbo", "inferno", "jet", "grey". */
SL_API const char *sl_colormap_get_name (SlColormap map);
/* FALSE, and *ret untouched, if there is no such name. */
SL_API gboolean sl_colormap_from_name (const char *name, SlColormap *ret);
/* The colours R, G, B from cold (0) to hot (255). Within 1 of matplotlib's of the same name; jet is
 * the original formula, which differs from matplotlib's by up to 20. */
SL_API void sl_colormap_get (SlColormap map, uint8_t ret[SL_COLORMAP_SIZE][3]);

/* --- Painting --- */

/*  BLEND  colour mixed in with opacity * heat: what is cold stays as it is. Pixels of heat 0, below
 *         the threshold or beyond the grid keep their bits. So does a chroma sample, unless all
 *         pixels that share it are warm; it then takes their mean heat.
 *  MAP    the map alone, opaque. Pixels below the threshold or beyond the grid have its coldest
 *         colour.
 *  MASK   white where heat >= threshold, black elsewhere and beyond the grid. */
typedef enum { SL_HEAT_BLEND, SL_HEAT_MAP, SL_HEAT_MASK, SL_HEAT_STYLE_COUNT } SlHeatStyle;

typedef struct SlHeatLook {
  SlHeatStyle style;
  SlColormap colormap;
  float opacity;   /* 0 … 1, of the hottest; BLEND only */
  float threshold; /* 0 … 1 */
} SlHeatLook;

/* Frames that are painted on: what stays the same from one to the next. */
typedef struct SlHeatSurface {
  /* As for the sampler; crop is the part that may change (MAP and MASK fill it); orientation, par
   * and siting are not looked at, since the matrix places the grid. */
  SlImageInfo image;
  gboolean interlaced; /* two fields in one frame: rows 0 and 2 share 4:2:0 chroma, 1 and 3 */
  /* For the unpacked formats only: 1 << shift_x columns and 1 << shift_y rows (shifts up to 2) have
   * the chroma of one sample in memory; all of them unpack to it. */
  unsigned shift_x, shift_y;
  gboolean whole_rows; /* rows cannot be unpacked and packed in part */
} SlHeatSurface;

/* Columns first … first + n - 1 of row `row` to `ret`, or back from `pixels`, in the unpacked form
 * of the format. `first` is a multiple of 4, and n is one too or ends with the row. The memory is
 * aligned to 64 bytes. Called from several threads at once for different rows, but rows that share
 * chroma come from one thread. FALSE ends the painting. */
typedef gboolean (*SlHeatUnpackFunc) (void *data, uint32_t row, uint32_t first, uint32_t n,
                                      void *ret);
typedef gboolean (*SlHeatPackFunc) (void *data, uint32_t row, uint32_t first, uint32_t n,
                                    const void *pixels);

/* One frame's memory, read and written. As SlImage. */
typedef struct SlHeatTarget {
  void *planes[4];
  ptrdiff_t strides[4];
  SlHeatUnpackFunc unpack; /* for the unpacked formats, instead of planes */
  SlHeatPackFunc pack;
  void *data; /* of both */
} SlHeatTarget;

/* Most cells in either direction of a grid. */
#define SL_HEAT_MAX_GRID 4096

/* Geometry, colours and scratch for one surface, grid size, placement and look: made once, used for
 * each frame by one thread at a time. */
typedef struct SlHeatPainter SlHeatPainter;

/* The grid covers the unit square: cell (i, j) of width x height is centred at
 * u = (i + 0.5) / width, v = (j + 0.5) / height, and (u, v) lies at pixel position
 * x = m[0] u + m[1] v + m[2], y = m[3] u + m[4] v + m[5], where the frame's first pixel reaches
 * from 0 to 1. So a grid may lie turned, mirrored, on a part of the frame or beyond its edges.
 * Turns by quarters (and mirrors) are fast, other angles are not. Values between the centres are
 * interpolated bilinearly; those of the border reach to the grid's edge.
 * `max_threads`: as for the sampler. Errors: SL_ERROR_LIMIT for sizes, SL_ERROR_UNSUPPORTED for
 * other values (a matrix without area too), SL_ERROR_MEMORY. */
SL_API SlHeatPainter *sl_heat_painter_new (const SlHeatSurface *surface, uint32_t grid_width,
                                           uint32_t grid_height, const double matrix[6],
                                           const SlHeatLook *look, unsigned max_threads,
                                           GError **error);
SL_API void sl_heat_painter_free (SlHeatPainter *painter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlHeatPainter, sl_heat_painter_free)

/* Paints `grid` (grid_width * grid_height values, row by row, 0 … 1; NaN counts as 0) into the
 * frame. Allocates nothing; the same bits for any number of threads and on any instruction set.
 * Rows without change are neither read nor written. FALSE only if unpack or pack said so; the frame
 * is then painted in part. */
SL_API gboolean sl_heat_paint (SlHeatPainter *painter, const float *grid,
                               const SlHeatTarget *target);

/* A grid of width x height values, 0 … 1, as one of steps as many cells in both directions,
 * smoothly: by cubic convolution (Keys, 1981; a = -1/2), cut off at 0 and 1. Maps of few cells look
 * creased when they are painted bilinearly; refined ones do not. What is cold all around stays 0.
 * Allocates nothing. sl_heat_find_steps() says how many steps a grid wants: 1 if it is fine enough.
 */
SL_API uint32_t sl_heat_find_steps (uint32_t width, uint32_t height);
SL_API void sl_heat_refine (const float *grid, uint32_t width, uint32_t height, uint32_t steps,
                            float *ret);

/* --- Localisation --- */

/* The box around the largest connected region of values >= threshold, on the grid as it is painted
 * (bilinear, some steps a cell): left, top, right, bottom in the unit square. Of regions of the
 * same size, the one with the hottest value. FALSE if there is none, or no memory to look for it.
 */
SL_API gboolean sl_heat_find_box (const float *grid, uint32_t width, uint32_t height,
                                  float threshold, double ret_box[4]);

G_END_DECLS
