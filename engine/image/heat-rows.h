/* The inner loops of painting heat: levels of heat in, bytes of the frame blended. Built once per
 * instruction set. */
#pragma once

#include "core/isa.h"

#include <stddef.h>
#include <stdint.h>

/* Heat of a pixel as a number. Level 0: the pixel is not touched. Levels from 1 on are rows of the
 * colour tables; 1 is heat 0, the last is heat 1. */
#define SL_HEAT_LEVELS 1024

/* Heat to level: (int)(heat * gain + base), heat at most 1, where heat >= threshold; else cold. */
typedef struct SlHeatScale {
  float threshold, gain, base;
  int32_t cold;
} SlHeatScale;

/* A byte is (byte * keep + add) >> 8, all modulo 1 << 16. `add` is 32768 below that, so that both
 * are signed and one multiply-add instruction takes them. */
typedef struct SlHeatByte {
  int16_t keep, add;
} SlHeatByte;

/* The same for the four bytes of a pixel; `add` as it is. */
typedef struct SlHeatQuad {
  _Alignas(16) uint16_t add[4];
  uint16_t keep[4];
} SlHeatQuad;

/* A word is (word * keep + add) >> 15. */
typedef struct SlHeatWord {
  uint32_t keep, add;
} SlHeatWord;

typedef struct SlHeatLoops {
  /* ret[i] = level of heat + slope * i, i < n */
  void (*ramp) (uint16_t *ret, float heat, float slope, const SlHeatScale *scale, size_t n);

  /* ret[i]: the mean of a[2 i], a[2 i + 1], b[2 i], b[2 i + 1], i < n; 0 if one of them is 0 */
  void (*shrink) (uint16_t *ret, const uint16_t *a, const uint16_t *b, size_t n);

  /* ret[i * lanes + k] = levels[i] * lanes + k, i < n, k < lanes; lanes is 2 or 3 */
  void (*spread) (uint16_t *ret, const uint16_t *levels, unsigned lanes, size_t n);

  /* Index of each byte in tables of four rows a level. Pairs of pixels that share chroma, i < n:
   * bytes 4 i + first and 4 i + first + 2 take luma[2 i] and luma[2 i + 1], the others chroma[i];
   * `first` is 0 or 1. */
  void (*weave_422) (uint16_t *ret, const uint16_t *luma, const uint16_t *chroma, unsigned first,
                     size_t n);
  /* Unpacked pixels, i < n: values 4 i and 4 i + 1 take luma[i], the others chroma[i]. */
  void (*weave_444) (uint16_t *ret, const uint16_t *luma, const uint16_t *chroma, size_t n);

  /* bytes[i] blended with table[index[i]], i < n */
  void (*blend_bytes) (uint8_t *bytes, const uint16_t *index, const SlHeatByte *table, size_t n);
  void (*blend_words) (uint16_t *words, const uint16_t *index, const SlHeatWord *table, size_t n);

  /* pixel i of four bytes blended with table[levels[i]], i < n */
  void (*blend_quads) (uint8_t *bytes, const uint16_t *levels, const SlHeatQuad *table, size_t n);
} SlHeatLoops;

/* The loops built for `isa`, or the baseline's. All give the same bits. */
const SlHeatLoops *sl_heat_loops (SlIsa isa);
