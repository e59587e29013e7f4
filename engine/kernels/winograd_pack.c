#include "kernels/winograd.h"
#include "kernels/winograd_product.h"

static const double g2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double g4[6][3] = {
    {1 / 4.0, 0, 0},
    {-1 / 6.0, -1 / 6.0, -1 / 6.0},
    {-1 / 6.0, 1 / 6.0, -1 / 6.0},
    {1 / 24.0, 1 / 12.0, 1 / 6.0},
    {1 / 24.0, -1 / 12.0, 1 / 6.0},
    {0, 0, 1},
};

/* Columns of the widest panel of any form. */
#define PACK_COLS (PRODUCT_COLS > SL_WINOGRAD_COLS ? PRODUCT_COLS : SL_WINOGRAD_COLS)

static size_t
panel_width (const SlPackWinogradParams *p)
{
  return p->width > 0 ? p->width : PRODUCT_COLS;
}

static size_t
pack_tiles (const void *params)
{
  const SlPackWinogradParams *p = params;
  return ceil_div (round_up (p->out_c, SL_WINOGRAD_COLS), panel_width (p));
}

/* The windows of one input channel and a panel of output channels, to their places: points lie
 * `plane` floats apart. */
static void
pack_windows (const double (*g)[3], size_t side, double window[9][PACK_COLS], size_t width,
              float *to, size_t plane)
{
  for (size_t y = 0; y < side; y++) {
    double row[3][PACK_COLS];
    for (size_t x = 0; x < 3; x++)
      for (size_t n = 0; n < width; n++)
        row[x][n] =
            g[y][0] * window[x][n] + g[y][1] * window[3 + x][n] + g[y][2] * window[6 + x][n];
    for (size_t x = 0; x < side; x++, to += plane)
      for (size_t n = 0; n < width; n++)
        to[n] = (float)(g[x][0] * row[0][n] + g[x][1] * row[1][n] + g[x][2] * row[2][n]);
  }
}

static void
pack_panel (const SlPackWinogradParams *p, const float *weights, size_t first, float *packed)
{
  size_t points = (p->tile + 2) * (p->tile + 2), all = round_up (p->out_c, SL_WINOGRAD_COLS);
  size_t group = p->width > 0 ? 0 : first / SL_WINOGRAD_GROUP * SL_WINOGRAD_GROUP;
  size_t group_cols = p->width > 0 ? all : min_size (SL_WINOGRAD_GROUP, all - group);
  size_t width = min_size (panel_width (p), all - first);
  size_t cols = first < p->out_c ? min_size (width, p->out_c - first) : 0;
  size_t col_step = p->turned ? 9 : (size_t)p->in_c * 9;
  size_t row_step = p->turned ? (size_t)p->out_c * 9 : 9;
  const float *src = weights + first * col_step;
  float *dst = packed + (group * points + first - group) * p->in_c;
  double window[9][PACK_COLS] = {{0}};

  for (size_t i = 0; i < p->in_c; i++, src += row_step, dst += width) {
    for (size_t n = 0; n < cols; n++)
      for (size_t k = 0; k < 9; k++)
        window[k][n] = (double)src[n * col_step + (p->turned ? 8 - k : k)];
    pack_windows (p->tile == 2 ? g2 : g4, p->tile + 2, window, width, dst, group_cols * p->in_c);
  }
}

static void
pack_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  for (size_t t = first; t < last; t++)
    pack_panel (params, buffers[0], t * panel_width (params), buffers[1]);
}

const SlKernel SL_KERNEL_NAME (sl_kernel_pack_winograd) = {
    .name = "pack_winograd",
    .params_size = sizeof (SlPackWinogradParams),
    .tiles = pack_tiles,
    .run = pack_run,
};
