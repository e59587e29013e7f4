#include "image/heat-table.h"

#include <float.h>

#define TOP_LEVEL (SL_HEAT_LEVELS - 1)
#define HEAT_SPAN (TOP_LEVEL - 1) /* from level 1, heat 0 */

SlHeatScale
sl_heat_scale (const SlHeatLook *look)
{
  float above_zero = look->threshold > FLT_MIN ? look->threshold : FLT_MIN;
  switch (look->style) {
  case SL_HEAT_MASK: /* two levels: 1 is black, 2 is white */
    return (SlHeatScale){.threshold = look->threshold, .gain = 0, .base = 2, .cold = 1};
  case SL_HEAT_MAP:
    return (SlHeatScale){.threshold = above_zero, .gain = HEAT_SPAN, .base = 1.5f, .cold = 1};
  default:
    return (SlHeatScale){.threshold = above_zero, .gain = HEAT_SPAN, .base = 1.5f, .cold = 0};
  }
}

static void
find_rgb (const uint8_t map[SL_COLORMAP_SIZE][3], double heat, double ret[3])
{
  double position = heat * (SL_COLORMAP_SIZE - 1);
  int k = position < SL_COLORMAP_SIZE - 2 ? (int)position : SL_COLORMAP_SIZE - 2;
  for (int c = 0; c < 3; c++)
    ret[c] = (map[k][c] + (position - k) * (map[k + 1][c] - map[k][c])) / 255;
}

void
sl_heat_colors (const SlFormatLayout *layout, SlColorMatrix matrix, SlColorRange range,
                const SlHeatLook *look, SlHeatColor *ret)
{
  uint8_t map[SL_COLORMAP_SIZE][3];
  bool blend = look->style == SL_HEAT_BLEND;
  sl_colormap_get (look->colormap, map);
  ret[0] = (SlHeatColor){.alpha = {0}};
  for (int level = 1; level < SL_HEAT_LEVELS; level++) {
    double heat = (double)(level - 1) / HEAT_SPAN, rgb[3];
    find_rgb (map, heat, rgb);
    if (look->style == SL_HEAT_MASK)
      rgb[0] = rgb[1] = rgb[2] = level > 1;
    sl_color_to_samples (layout, matrix, range, rgb, ret[level].samples);
    for (int c = 0; c < 3; c++)
      ret[level].alpha[c] = blend ? (double)look->opacity * heat : 1;
    ret[level].samples[SL_HEAT_ALPHA] = layout->bits == 8 ? 255 : 65535;
    ret[level].alpha[SL_HEAT_ALPHA] = blend ? 0 : 1;
  }
}

/* keep and add of (sample * keep + add) >> bits, with half a unit added for rounding. The weights
 * add up to one after rounding too, so that nothing leaves the range. */
static void
solve (const SlHeatColor *color, unsigned c, unsigned bits, uint32_t *ret_keep, uint32_t *ret_add)
{
  uint32_t one = 1u << bits, keep = (uint32_t)((1 - color->alpha[c]) * one + 0.5);
  *ret_keep = keep;
  *ret_add = (uint32_t)(color->samples[c] * (one - keep) + 0.5) + one / 2;
}

void
sl_heat_byte_table (const SlHeatColor *colors, unsigned lanes, const uint8_t *lane_component,
                    SlHeatByte *ret)
{
  for (unsigned i = 0; i < SL_HEAT_LEVELS * lanes; i++) {
    uint32_t keep, add;
    solve (&colors[i / lanes], lane_component[i % lanes], 8, &keep, &add);
    ret[i] = (SlHeatByte){.keep = (int16_t)keep, .add = (int16_t)((int32_t)add - 32768)};
  }
}

void
sl_heat_word_table (const SlHeatColor *colors, unsigned lanes, const uint8_t *lane_component,
                    SlHeatWord *ret)
{
  for (unsigned i = 0; i < SL_HEAT_LEVELS * lanes; i++)
    solve (&colors[i / lanes], lane_component[i % lanes], 15, &ret[i].keep, &ret[i].add);
}

void
sl_heat_quad_table (const SlHeatColor *colors, const uint8_t lane_component[4], SlHeatQuad *ret)
{
  for (unsigned i = 0; i < SL_HEAT_LEVELS; i++)
    for (unsigned k = 0; k < 4; k++) {
      uint32_t keep, add;
      solve (&colors[i], lane_component[k], 8, &keep, &add);
      ret[i].keep[k] = (uint16_t)keep;
      ret[i].add[k] = (uint16_t)add;
    }
}
