/* Colours of heat in a frame's own samples, ready for the loops. */
#pragma once

#include "image/format.h"
#include "image/heat-rows.h"

#include <sightline/heat.h>

/* Heat to levels for a look. */
SlHeatScale sl_heat_scale (const SlHeatLook *look);

/* One row of the colour table: samples of the components and, in SL_HEAT_ALPHA, of alpha or the
 * byte that is ignored, each mixed in with weight `alpha` (0 … 1). */
#define SL_HEAT_ALPHA 3
typedef struct SlHeatColor {
  double samples[4];
  double alpha[4];
} SlHeatColor;

/* ret[SL_HEAT_LEVELS]; row 0 mixes nothing in. */
void sl_heat_colors (const SlFormatLayout *layout, SlColorMatrix matrix, SlColorRange range,
                     const SlHeatLook *look, SlHeatColor *ret);

/* Tables of `lanes` rows a level: lane k is component lane_component[k] (or SL_HEAT_ALPHA).
 * ret[SL_HEAT_LEVELS * lanes]. */
void sl_heat_byte_table (const SlHeatColor *colors, unsigned lanes, const uint8_t *lane_component,
                         SlHeatByte *ret);
void sl_heat_word_table (const SlHeatColor *colors, unsigned lanes, const uint8_t *lane_component,
                         SlHeatWord *ret);
void sl_heat_quad_table (const SlHeatColor *colors, const uint8_t lane_component[4],
                         SlHeatQuad *ret);
