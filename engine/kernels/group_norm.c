#include "kernels/layer_norm.h"
#include "kernels/act.h"
#include "kernels/grid.h"

/* Positions that are summed as floats, over several chains, before they go to a double. */
#define LEAF 256
#define CHAINS 4

/* Vectors of neighbouring channels that one walk down the positions takes along: the cache hands
 * out pairs of lines. */
#define VECS 2

/* A tile is one image's block of whole groups, as many as one walk takes along at least: the sums
 * of a channel run down the positions in one lane. */
static size_t
block_groups (const SlGroupNormParams *p)
{
  return min_size (p->groups, ceil_div (VECS * VEC_WIDTH, p->channels / p->groups));
}

static size_t
group_norm_tiles (const void *params)
{
  const SlGroupNormParams *p = params;
  return p->images * ceil_div (p->groups, block_groups (p));
}

/* For each channel of a block, as find_moments() says. */
typedef struct Block {
  double *first, *second;
  float *mean, *factor, *offset;
  size_t channels, stride; /* padded to whole vectors */
} Block;

static size_t
block_stride (const SlGroupNormParams *p)
{
  return round_up (block_groups (p) * (p->channels / p->groups), VEC_WIDTH);
}

static size_t
group_norm_scratch (const void *params)
{
  return block_stride (params) * (2 * sizeof (double) + 3 * sizeof (float));
}

static Block
block_of (const SlGroupNormParams *p, void *scratch, size_t groups)
{
  size_t stride = block_stride (p);
  double *sums = scratch;
  float *floats = (float *)(sums + 2 * stride);
  return (Block){.first = sums,
                 .second = sums + stride,
                 .mean = floats,
                 .factor = floats + stride,
                 .offset = floats + 2 * stride,
                 .channels = groups * (p->channels / p->groups),
                 .stride = stride};
}

ALWAYS_INLINE void
add_lanes (double *total, Vec sum)
{
  float lane[VEC_WIDTH];
  memcpy (lane, &sum, sizeof lane);
  for (size_t i = 0; i < VEC_WIDTH; i++)
    total[i] += (double)lane[i];
}

/* Sums over all positions of x - mean and, where they are asked for, of its squares, in `vecs`
 * vectors of channels from c on; the only or last one has n lanes. */
ALWAYS_INLINE void
sum_lanes (const SlGroupNormParams *p, const float *x, const Block *block, size_t c,
           const size_t vecs, const size_t n, const bool squares)
{
  Vec mean[VECS];
  double first[VECS * VEC_WIDTH] = {0}, second[VECS * VEC_WIDTH] = {0};

  UNROLL
  for (size_t v = 0; v < vecs; v++)
    mean[v] = vec_load (block->mean + c + v * VEC_WIDTH);
  for (size_t begin = 0; begin < p->positions; begin += LEAF) {
    size_t end = min_size (p->positions, begin + LEAF), i = begin;
    Vec a[CHAINS][VECS], b[CHAINS][VECS];
    UNROLL
    for (size_t j = 0; j < CHAINS * VECS; j++)
      a[j / VECS][j % VECS] = b[j / VECS][j % VECS] = vec_splat (0);
    for (; i < end; i += CHAINS) {
      const size_t left = end - i;
      UNROLL
      for (size_t j = 0; j < CHAINS; j++) {
        const float *at = x + (i + j) * p->in_stride + c;
        if (j >= left)
          break;
        UNROLL
        for (size_t v = 0; v < vecs; v++) {
          Vec d = (n == VEC_WIDTH ? vec_load (at + v * VEC_WIDTH) : vec_load_n (at, n)) - mean[v];
          a[j][v] += d;
          b[j][v] = squares ? vec_fma (d, d, b[j][v]) : b[j][v];
        }
      }
    }
    UNROLL
    for (size_t v = 0; v < vecs; v++) {
      add_lanes (first + v * VEC_WIDTH, (a[0][v] + a[1][v]) + (a[2][v] + a[3][v]));
      add_lanes (second + v * VEC_WIDTH, (b[0][v] + b[1][v]) + (b[2][v] + b[3][v]));
    }
  }
  memcpy (block->first + c, first, vecs * VEC_WIDTH * sizeof *first);
  memcpy (block->second + c, second, vecs * VEC_WIDTH * sizeof *second);
}

ALWAYS_INLINE void
sum_channels (const SlGroupNormParams *p, const float *x, const Block *block, const bool squares)
{
  size_t c = 0;
  for (; c + VECS * VEC_WIDTH <= block->channels; c += VECS * VEC_WIDTH)
    sum_lanes (p, x, block, c, VECS, VEC_WIDTH, squares);
  for (; c + VEC_WIDTH <= block->channels; c += VEC_WIDTH)
    sum_lanes (p, x, block, c, 1, VEC_WIDTH, squares);
  if (c < block->channels)
    sum_lanes (p, x, block, c, 1, block->channels - c, squares);
}

/* The mean of a group's sums. */
static double
group_mean (const SlGroupNormParams *p, const double *sums, size_t per_group)
{
  double total = 0;
  for (size_t i = 0; i < per_group; i++)
    total += sums[i];
  return total / ((double)p->positions * (double)per_group);
}

/* mean, factor and offset of each channel: y = (x - mean) * factor + offset. What the rounded mean
 * lacks is found with the squares. */
static void
find_moments (const SlGroupNormParams *p, const float *x, Block *block, const float *scale,
              const float *bias, size_t channel)
{
  size_t per_group = p->channels / p->groups;

  memset (block->mean, 0, 3 * block->stride * sizeof (float));
  sum_channels (p, x, block, false);
  for (size_t c = 0; c < block->channels; c += per_group) {
    float mean = (float)group_mean (p, block->first + c, per_group);
    for (size_t i = c; i < c + per_group; i++)
      block->mean[i] = mean;
  }
  sum_channels (p, x, block, true);
  for (size_t c = 0; c < block->channels; c += per_group) {
    double rest = group_mean (p, block->first + c, per_group);
    double variance = group_mean (p, block->second + c, per_group) - rest * rest;
    double factor = 1 / sqrt ((variance > 0 ? variance : 0) + (double)p->epsilon);
    for (size_t i = c; i < c + per_group; i++) {
      double by = factor * (double)scale[(channel + i) / p->shared];
      block->factor[i] = (float)by;
      block->offset[i] = (float)((double)bias[(channel + i) / p->shared] - rest * by);
    }
  }
}

static void
apply (const SlGroupNormParams *p, const float *x, const Block *block, float *y)
{
  SlClip clip = act_clip (&p->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);

  for (size_t i = 0; i < p->positions; i++, x += p->in_stride, y += p->out_stride) {
    for (size_t c = 0; c < block->channels; c += VEC_WIDTH) {
      size_t n = min_size (VEC_WIDTH, block->channels - c);
      Vec v =
          (n == VEC_WIDTH ? vec_load (x + c) : vec_load_n (x + c, n)) - vec_load (block->mean + c);
      v = vec_clip (vec_fma (v, vec_load (block->factor + c), vec_load (block->offset + c)), lo,
                    hi);
      if (n == VEC_WIDTH)
        vec_store (y + c, v);
      else
        vec_store_n (y + c, v, n);
    }
  }
}

static void
group_norm_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlGroupNormParams *p = params;
  size_t each = block_groups (p), blocks = ceil_div (p->groups, each);

  for (size_t t = first; t < last; t++) {
    size_t image = t / blocks, group = t % blocks * each;
    size_t channel = group * (p->channels / p->groups);
    Block block = block_of (p, scratch, min_size (each, p->groups - group));
    const float *x = (const float *)buffers[0] + image * p->positions * p->in_stride + channel;
    float *y = (float *)buffers[3] + image * p->positions * p->out_stride + channel;
    find_moments (p, x, &block, buffers[1], buffers[2], channel);
    apply (p, x, &block, y);
    act_finish (&p->act, y, p->positions, block.channels, p->out_stride);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_group_norm) = {
    .name = "group_norm",
    .params_size = sizeof (SlGroupNormParams),
    .tiles = group_norm_tiles,
    .scratch = group_norm_scratch,
    .run = group_norm_run,
};
