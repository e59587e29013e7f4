#include "kernels/winograd.h"

#include <math.h>

/* A form with larger weights has to be faster by this factor. */
#define WORTHWHILE 0.95

/* Packing a window takes as long as its products with so many pixels. */
#define PACKED_PIXELS 256
/* Maps of a batch come from memory, which timings of one image do not show: on 64 maps of 32x32, 16
 * to 16 channels take 1.2 times as long where the table says 0.7; 64 to 64 on 8x8 take 0.63. */
#define WORTHWHILE_PACKED 0.65

static double
square_log_ratio (double a, double b)
{
  double ratio = log2 (a / b);
  return ratio * ratio;
}

static double
pixels_of (const SlConv2dParams *p)
{
  return (double)p->batch * p->out_h * p->out_w;
}

static const SlWinogradTiming *
find_nearest (const SlWinogradTiming *timings, const SlConv2dParams *p)
{
  const SlWinogradTiming *nearest = timings;
  double least = INFINITY;
  for (const SlWinogradTiming *row = timings; row->size > 0; row++) {
    double distance = square_log_ratio (pixels_of (p), (double)row->size * row->size) +
                      square_log_ratio (p->in_c, row->in_c) +
                      square_log_ratio (p->out_c, row->out_c);
    if (distance < least) {
      least = distance;
      nearest = row;
    }
  }
  return nearest;
}

static double
count_tiles (double images, uint32_t height, uint32_t width, uint32_t tile)
{
  return images * ceil (height / (double)tile) * ceil (width / (double)tile);
}

uint32_t
sl_winograd_choose (const SlWinogradTiming *timings, const SlConv2dParams *p, bool packs)
{
  bool defined = p->kernel_h == 3 && p->kernel_w == 3 && p->stride_h == 1 && p->stride_w == 1 &&
                 p->dilation_h == 1 && p->dilation_w == 1 && p->groups == 1;
  if (timings == NULL || !defined || pixels_of (p) <= 0 || p->in_c == 0 || p->out_c == 0)
    return 0;
  const SlWinogradTiming *row = find_nearest (timings, p);
  double direct = row->direct * pixels_of (p) / ((double)row->size * row->size);
  double f23 = row->f23 * count_tiles (p->batch, p->out_h, p->out_w, 2) /
               count_tiles (1, row->size, row->size, 2);
  double f43 = row->f43 * count_tiles (p->batch, p->out_h, p->out_w, 4) /
               count_tiles (1, row->size, row->size, 4);
  double best = direct;
  uint32_t tile = 0;
  if (packs) {
    f23 += direct * PACKED_PIXELS / pixels_of (p);
    return f23 < WORTHWHILE_PACKED * direct ? 2 : 0;
  }
  if (f23 < WORTHWHILE * best) {
    best = f23;
    tile = 2;
  }
  return f43 < WORTHWHILE * best ? 4 : tile;
}
