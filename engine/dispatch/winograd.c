/* Winograd's convolution: input tiles into scratch, a product for each point of the transform
 * there, and what comes of them into pixels. */
#include "kernels/winograd.h"

#include "dispatch/bands.h"
#include "dispatch/product.h"
#include "shaders/group.h"
#include "shaders/panel.h"
#include "shaders/winograd_input.h"
#include "shaders/winograd_output.h"
#include "shaders/winograd_weights.h"

/* Tiles are done in blocks whose matrices take no more scratch than this: a CPU keeps them in its
 * cache, a GPU has memory for better things. A block takes the weights from memory again, and has
 * LEAST_ROWS, though. */
#define CPU_BYTES (8 << 20)
#define GPU_BYTES (64 << 20)
#define LEAST_ROWS 224

#define WINDOW 3

/* One band's work. */
typedef struct Winograd {
  const SlConv2dParams *p; /* of the whole */
  const SlBand *band;
  uint32_t tile, points;
  uint32_t tiles_y, tiles_x;
  uint32_t cols; /* of the products: a multiple of four */
} Winograd;

/* Some of the band's tiles. */
typedef struct Block {
  uint32_t first, rows;
  size_t in, out; /* elements of all input matrices, and of all products */
} Block;

/* The band's pixels of an input or output with so many channels. */
static SlBand
with_channels (const SlBand *band, uint32_t channels)
{
  SlBand same = *band;
  same.channels = channels;
  return same;
}

/* Four channels of an invocation: cheap where an invocation is a lane of a vector of a CPU; on a
 * GPU the larger transform would not fit the registers. */
static bool
likes_fours (const SlDispatcher *to, const Winograd *w)
{
  return to->gpu->is_cpu || w->tile == 2;
}

static void
add_input (SlDispatcher *to, const Winograd *w, const Block *block)
{
  const SlConv2dParams *p = w->p;
  const SlBand band = with_channels (w->band, p->in_c);
  const bool by_fours =
      likes_fours (to, w) && (p->in_c | p->in_stride) % 4 == 0 && sl_dispatch_is_aligned (to, 0, 0);
  const uint64_t invocations = (uint64_t)block->rows * p->in_c / (by_fours ? 4 : 1);
  const SlWinogradInputPush push = {
      .invocations = (uint32_t)invocations,
      .channels = p->in_c,
      .first = block->first,
      .tiles_y = w->tiles_y,
      .tiles_x = w->tiles_x,
      .in_h = band.in_h,
      .in_w = band.in_w,
      .pad_top = band.pad,
      .pad_left = p->pad_left,
      .in_pixel = p->in_stride,
      .point = block->rows * p->in_c,
      .row = p->in_c,
  };
  const SlShader *shader = w->tile == 4 ? sl_dispatch_choose (to, winograd_input_f43)
                                        : sl_dispatch_choose (to, winograd_input_f23);
  SlDispatch *record = sl_dispatch_add (to, shader, &push);
  record->specs[SL_WINOGRAD_INPUT_BY_FOURS] = by_fours;
  sl_dispatch_bind (record, 0, 0, sl_band_get_in (&band), band.size,
                    offsetof (SlWinogradInputPush, at_in));
  sl_dispatch_bind_scratch (to, record, 1, 0, block->in * 4, 4,
                            offsetof (SlWinogradInputPush, at_out));
  sl_dispatch_groups (record, to->gpu, invocations, GROUP);
}

static bool
add_products (SlDispatcher *to, const Winograd *w, const Block *block)
{
  const uint32_t depth = w->p->in_c;
  const SlProduct product = {
      .groups = w->points,
      .images = 1,
      .cols = w->cols,
      .channels = depth,
      .taps_h = 1,
      .taps_w = 1,
      .out_h = 1,
      .out_w = block->rows,
      .in_h = 1,
      .in_w = block->rows,
      .stride_h = 1,
      .stride_w = 1,
      .step_h = 1,
      .step_w = 1,
      .in = {.operand = SL_PRODUCT_SCRATCH, .group = (size_t)block->rows * depth, .pixel = depth},
      .out = {.operand = SL_PRODUCT_SCRATCH,
              .first = block->in,
              .group = (size_t)block->rows * w->cols,
              .pixel = w->cols},
      .out_x = w->cols,
      .out_y = (size_t)block->rows * w->cols,
      .weight_group = (size_t)(w->cols + PANEL - 1) / PANEL * PANEL * depth,
      .weight_operand = 1,
      .bias_operand = SL_PRODUCT_NO_OPERAND,
      .residual_operand = SL_PRODUCT_NO_OPERAND,
      .shares_bias = true,
      .scratch_used = (block->in + block->out) * 4,
  };
  return sl_product_dispatch (to, &product);
}

static void
add_output (SlDispatcher *to, const Winograd *w, const Block *block)
{
  const SlConv2dParams *p = w->p;
  const SlBand band = with_channels (w->band, p->out_c);
  const bool by_fours = likes_fours (to, w) &&
                        (p->out_c | p->out_stride | p->residual_stride) % 4 == 0 &&
                        sl_dispatch_is_aligned (to, 2, 0) && sl_dispatch_is_aligned (to, 3, 0) &&
                        sl_dispatch_is_aligned (to, 4, 0);
  const uint64_t invocations = (uint64_t)block->rows * p->out_c / (by_fours ? 4 : 1);
  const SlWinogradOutputPush push = {
      .invocations = (uint32_t)invocations,
      .channels = p->out_c,
      .first = block->first,
      .tiles_y = w->tiles_y,
      .tiles_x = w->tiles_x,
      .out_h = band.out_h,
      .out_w = band.out_w,
      .out_pixel = p->out_stride,
      .residual_pixel = p->residual_stride,
      .point = block->rows * w->cols,
      .row = w->cols,
      .act_a = p->act.a,
      .act_b = p->act.b,
  };
  const SlShader *shader = w->tile == 4 ? sl_dispatch_choose (to, winograd_output_f43)
                                        : sl_dispatch_choose (to, winograd_output_f23);
  SlDispatch *record = sl_dispatch_add (to, shader, &push);
  record->specs[SL_WINOGRAD_OUTPUT_ACT] = p->act.kind;
  record->specs[SL_WINOGRAD_OUTPUT_HAS_BIAS] = to->steps->operands[2] != NULL;
  record->specs[SL_WINOGRAD_OUTPUT_HAS_RESIDUAL] = to->steps->operands[3] != NULL;
  record->specs[SL_WINOGRAD_OUTPUT_BY_FOURS] = by_fours;
  sl_dispatch_bind_scratch (to, record, 0, block->in * 4, block->out * 4, 4,
                            offsetof (SlWinogradOutputPush, at_in));
  sl_dispatch_bind (record, 1, 2, sl_extent (0, (uint64_t)p->out_c * 4), 4,
                    offsetof (SlWinogradOutputPush, at_bias));
  sl_dispatch_bind (record, 2, 3, sl_band_get_out (&band, p->residual_stride), band.size,
                    offsetof (SlWinogradOutputPush, at_residual));
  sl_dispatch_bind (record, 3, 4, sl_band_get_out (&band, p->out_stride), band.size,
                    offsetof (SlWinogradOutputPush, at_out));
  sl_dispatch_groups (record, to->gpu, invocations, GROUP);
}

/* Tiles of a block: few blocks, all of about a size. */
static uint32_t
choose_rows (const SlDispatcher *to, const Winograd *w, uint32_t tiles)
{
  const uint64_t most = MAX (w->p->in_c, w->cols), tile_bytes = (uint64_t)w->points * most * 4;
  const uint64_t wanted = (to->gpu->is_cpu ? CPU_BYTES : GPU_BYTES) /
                          ((uint64_t)w->points * (w->p->in_c + w->cols) * 4);
  const uint64_t bound = MAX (sl_gpu_get_range (to->gpu) / tile_bytes, 1);
  const uint64_t rows = MIN (MAX (wanted, LEAST_ROWS), bound);
  const uint64_t blocks = (tiles + rows - 1) / rows;
  return (uint32_t)((tiles + blocks - 1) / blocks);
}

/* What becomes of a band, and whether all of it can be done. */
typedef struct Task {
  const SlConv2dParams *p;
  uint32_t tile;
  bool *done;
} Task;

static void
add_band (SlDispatcher *to, const SlBand *band, const void *data)
{
  const Task *task = data;
  const uint32_t tile = task->tile;
  const Winograd w = {.p = task->p,
                      .band = band,
                      .tile = tile,
                      .points = (tile + 2) * (tile + 2),
                      .tiles_y = (band->out_h + tile - 1) / tile,
                      .tiles_x = (band->out_w + tile - 1) / tile,
                      .cols = (task->p->out_c + 3) / 4 * 4};
  const uint32_t tiles = band->images * w.tiles_y * w.tiles_x;
  const uint32_t rows = choose_rows (to, &w, tiles);
  for (uint32_t first = 0; first < tiles; first += rows) {
    Block block = {.first = first, .rows = MIN (rows, tiles - first)};
    block.in = ((size_t)w.points * block.rows * task->p->in_c + 3) / 4 * 4;
    block.out = (size_t)w.points * block.rows * w.cols;
    add_input (to, &w, &block);
    *task->done &= add_products (to, &w, &block);
    add_output (to, &w, &block);
  }
}

static uint32_t
dispatch_winograd (SlDispatcher *to, const void *params, uint32_t tile)
{
  const SlConv2dParams *p = params;
  bool done = true;
  const Task task = {p, tile, &done};
  const SlBand all = {.images = p->batch,
                      .channels = MAX (p->in_c, p->out_c),
                      .in_h = p->in_h,
                      .in_w = p->in_w,
                      .out_h = p->out_h,
                      .out_w = p->out_w,
                      .in_pixel = p->in_stride,
                      .out_pixel = MAX (p->out_stride, p->residual_stride),
                      .kernel = WINDOW,
                      .stride = 1,
                      .dilation = 1,
                      .pad = p->pad_top,
                      .size = sl_dispatch_get_size (to, 0)};
  return sl_bands_dispatch (to, &all, add_band, &task) && done ? 1 : 0;
}

/* Rows of the points from `begin` to `end`. */
static void
pack_rows (SlDispatcher *to, const SlPackWinogradParams *p, uint32_t begin, uint32_t end)
{
  const uint32_t area = WINDOW * WINDOW, side = p->tile + 2;
  const uint64_t windows = sl_winograd_elements (p) / (side * side), row = windows * side * 4;
  const SlWinogradWeightsPush push = {.windows = (uint32_t)windows,
                                      .cols = p->out_c,
                                      .depth = p->in_c,
                                      .col_stride = p->turned ? area : p->in_c * area,
                                      .row_stride = p->turned ? p->out_c * area : area,
                                      .begin = begin,
                                      .end = end};
  SlDispatch *record = sl_dispatch_add (
      to, p->tile == 4 ? &sl_shader_winograd_weights_f43 : &sl_shader_winograd_weights_f23, &push);
  record->specs[SL_WINOGRAD_WEIGHTS_TURNED] = p->turned;
  sl_dispatch_bind (record, 0, 0, sl_extent (0, (uint64_t)p->out_c * p->in_c * area * 4), 4,
                    offsetof (SlWinogradWeightsPush, at_in));
  sl_dispatch_bind (record, 1, 1, sl_extent (begin * row, (end - begin) * row), 4,
                    offsetof (SlWinogradWeightsPush, at_out));
  sl_dispatch_groups (record, to->gpu, windows, GROUP);
}

static uint32_t
dispatch_pack (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlPackWinogradParams *p = params;
  const uint32_t side = p->tile + 2;
  g_return_val_if_fail (p->width == PANEL, 0);
  const bool fits = sl_winograd_elements (p) * 4 <= sl_gpu_get_range (to->gpu);
  for (uint32_t row = 0; row < side; row += fits ? side : 1)
    pack_rows (to, p, row, fits ? side : row + 1);
  return 1;
}

/* Pictures alone: transformed weights and what scratch holds stay float32. */
#define HALVES SL_HALVES_ALL (SL_OPERAND (0) | SL_OPERAND (3) | SL_OPERAND (4))

const SlDispatchEntry sl_dispatch_winograd[] = {
    {"winograd_f23", sizeof (SlConv2dParams), dispatch_winograd, 2, HALVES},
    {"winograd_f43", sizeof (SlConv2dParams), dispatch_winograd, 4, HALVES},
    {"pack_winograd", sizeof (SlPackWinogradParams), dispatch_pack, 0, {0}},
    {0},
};
