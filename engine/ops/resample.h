/* From positions of an output to weighted positions of an input, along one axis: what Resize is
 * made of. */
#pragma once

#include "graph/op.h"

enum { SL_RESAMPLE_NEAREST, SL_RESAMPLE_LINEAR, SL_RESAMPLE_CUBIC };
enum {
  SL_RESAMPLE_HALF_PIXEL,
  SL_RESAMPLE_HALF_PIXEL_SYMMETRIC,
  SL_RESAMPLE_PYTORCH_HALF_PIXEL,
  SL_RESAMPLE_ALIGN_CORNERS,
  SL_RESAMPLE_ASYMMETRIC,
  SL_RESAMPLE_TF_HALF_PIXEL_FOR_NN, /* opset 11 and 12 */
  SL_RESAMPLE_TF_CROP_AND_RESIZE
};
enum {
  SL_RESAMPLE_ROUND_PREFER_FLOOR,
  SL_RESAMPLE_ROUND_PREFER_CEIL,
  SL_RESAMPLE_FLOOR,
  SL_RESAMPLE_CEIL
};

/* ONNX's spellings, in these orders. */
extern const char *const sl_resample_modes[], *const sl_resample_transformations[],
                                                  *const sl_resample_roundings[];

typedef struct SlResample {
  uint32_t mode, transformation;
  uint32_t nearest; /* how a position is rounded */
  float cubic_a;
  bool exclude_outside; /* what lies outside the input has no weight; else the edge stands there */
  bool antialias;       /* smaller outputs: filters are as wide as an output position */
  bool ceil_if_smaller; /* smaller outputs: nearest rounds up (opset 10) */
} SlResample;

typedef struct SlResampleAxis {
  int64_t in, out;
  double scale;      /* as given, or out / in; out is not exactly in * scale */
  double begin, end; /* of the region of interest, as fractions of the input */
} SlResampleAxis;

/* TRUE if each output is the input at the same position. */
bool sl_resample_is_identity (const SlResample *how, const SlResampleAxis *axis);

/* Inputs that one output reads at most; `axis` has some of both. */
size_t sl_resample_count_taps (const SlResample *how, const SlResampleAxis *axis);

typedef struct SlTaps {
  size_t n, out;  /* taps of an output position, positions */
  int64_t *index; /* [out][n], within the input */
  double *weight; /* [out][n], 0 for taps too many */
  bool *outside;  /* [out]: the position lies outside the input, which counts for
                     tf_crop_and_resize only */
} SlTaps;

void sl_taps_init (SlTaps *taps, const SlResample *how, const SlResampleAxis *axis);
void sl_taps_clear (SlTaps *taps);
