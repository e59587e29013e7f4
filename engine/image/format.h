/* Where the components of each pixel format lie. */
#pragma once

#include <sightline/image.h>

#include <stdbool.h>

/* Samples of component c in row r: element offset + step * column of plane `plane`. Its grid is the
 * frame's, shifted right by shift_x and shift_y. */
typedef struct SlComponentLayout {
  uint8_t plane, offset, step, shift_x, shift_y;
} SlComponentLayout;

typedef enum { SL_FAMILY_RGB, SL_FAMILY_YUV, SL_FAMILY_GRAY, SL_FAMILY_ANY } SlColorFamily;

typedef struct SlFormatLayout {
  SlColorFamily family;
  uint8_t n_planes, n_components;
  uint8_t bits;                    /* of a sample: 8 or 16 */
  bool unpacked;                   /* rows come from the callback */
  SlComponentLayout components[3]; /* R, G, B or Y, Cb, Cr */
} SlFormatLayout;

/* Layout of a valid format. */
const SlFormatLayout *sl_format_layout (SlPixelFormat format);

/* RGB in 0 … 255 from the components as they lie in memory:
 * rgb[i] = sum over j of matrix[i][j] * component[j] + offset[i]. */
typedef struct SlColorTransform {
  float matrix[3][3], offset[3];
} SlColorTransform;

SlColorTransform sl_color_transform (const SlFormatLayout *layout, SlColorMatrix matrix,
                                     SlColorRange range);

/* The way back: a colour, R, G, B in 0 … 1, as samples of the layout's components (gray formats:
 * luma by `matrix`, BT.601 where that is SL_MATRIX_RGB). */
void sl_color_to_samples (const SlFormatLayout *layout, SlColorMatrix matrix, SlColorRange range,
                          const double rgb[3], double ret[3]);
