#include "kernels/conv2d_planes.h"
#include "kernels/grid.h"
#include "kernels/outer.h"

/* Where a vector of output channels would be half empty, lanes are pixels instead. A tile turns the
 * rows of input that it sees into planes with their padding, each channel's elements one behind the
 * other, so that a tap is an offset: the product of weights (rows) and pixels (columns) is a sum of
 * outer products over taps and channels. Columns run over whole rows of a plane; those in the
 * padding are computed for nothing. */
typedef struct Plan {
  const SlConv2dPlanesParams *p;
  size_t depth;
  size_t span_h, span_w;        /* what a window covers beyond its pixel */
  ptrdiff_t lowest_h, lowest_w; /* input position of plane 0's first element for output 0 */
  size_t rows, bands;           /* output rows of a tile, tiles of an image */
  size_t pitch, plane;          /* elements of a row, and of a plane */
  size_t cols_pitch;            /* of a row of results */
} Plan;

/* Planes should stay in the second cache, and a tile last some microseconds. */
#define PLANES_BYTES (128 * 1024)
#define PLANES_WORK (128 * 1024)

static Plan
make_plan (const SlConv2dPlanesParams *p)
{
  ptrdiff_t reach_h = (ptrdiff_t)(p->kernel_h - 1) * p->step_h;
  ptrdiff_t reach_w = (ptrdiff_t)(p->kernel_w - 1) * p->step_w;
  Plan plan = {.p = p,
               .depth = (size_t)p->kernel_h * p->kernel_w * p->in_c,
               .span_h = (size_t)(reach_h < 0 ? -reach_h : reach_h),
               .span_w = (size_t)(reach_w < 0 ? -reach_w : reach_w),
               .lowest_h = p->first_h + (reach_h < 0 ? reach_h : 0),
               .lowest_w = p->first_w + (reach_w < 0 ? reach_w : 0)};
  plan.pitch = p->out_w + plan.span_w;
  size_t fit = PLANES_BYTES / sizeof (float) / max_size (1, plan.pitch * p->in_c);
  size_t work = PLANES_WORK / max_size (1, (size_t)p->out_w * p->out_c * plan.depth);
  size_t rows = min_size (fit > plan.span_h ? fit - plan.span_h : 0, work);
  plan.bands = ceil_div (p->out_h, max_size (rows, plan.span_h + 1));
  plan.rows = ceil_div (p->out_h, max_size (1, plan.bands));
  plan.bands = ceil_div (p->out_h, max_size (1, plan.rows));
  plan.plane = round_up ((plan.rows + plan.span_h) * plan.pitch + VEC_WIDTH, VEC_WIDTH);
  plan.cols_pitch = round_up (plan.rows * plan.pitch, VEC_WIDTH);
  return plan;
}

static size_t
planes_tiles (const void *params)
{
  Plan plan = make_plan (params);
  return plan.p->batch * plan.bands;
}

/* Scratch: planes, then results. */
static size_t
planes_scratch (const void *params)
{
  Plan plan = make_plan (params);
  return (plan.p->in_c * plan.plane + plan.p->out_c * plan.cols_pitch) * sizeof (float);
}

/* `n` pixels of channels c … c + m - 1 to planes. */
static void
spread_pixels (const float *from, size_t stride, size_t n, size_t m, float *to, size_t plane)
{
  Vec v[VEC_WIDTH];

  for (size_t i = 0; i < VEC_WIDTH; i++)
    v[i] = i < n ? vec_load_n (from + i * stride, m) : vec_splat (0);
  vec_transpose (v);
  for (size_t i = 0; i < m; i++)
    vec_store_n (to + i * plane, v[i], n);
}

static void
fill_planes (const Plan *plan, const float *image, size_t y, size_t rows, float *planes)
{
  const SlConv2dPlanesParams *p = plan->p;
  size_t x = 0, x_end = plan->pitch; /* of a plane's row, what lies inside */
  clip_to_input (plan->lowest_w, 1, p->in_w, &x, &x_end);

  memset (planes, 0, p->in_c * plan->plane * sizeof (float));
  for (size_t r = 0; r < rows + plan->span_h && x < x_end; r++) {
    ptrdiff_t in_y = (ptrdiff_t)(y + r) + plan->lowest_h;
    if (in_y < 0 || in_y >= (ptrdiff_t)p->in_h)
      continue;
    const float *from =
        image + ((size_t)in_y * p->in_w + (size_t)((ptrdiff_t)x + plan->lowest_w)) * p->in_stride;
    float *to = planes + r * plan->pitch;
    if (p->in_stride == 1) {
      memcpy (to + x, from, (x_end - x) * sizeof (float));
      continue;
    }
    for (size_t i = x; i < x_end; i += VEC_WIDTH, from += VEC_WIDTH * p->in_stride)
      for (size_t c = 0; c < p->in_c; c += VEC_WIDTH)
        spread_pixels (from + c, p->in_stride, min_size (VEC_WIDTH, x_end - i),
                       min_size (VEC_WIDTH, p->in_c - c), to + c * plan->plane + i, plan->plane);
  }
}

/* The innermost sum is the longer one of those over channels and over a window's row. */
static void
multiply (const Plan *plan, const float *planes, const float *weights, size_t rows, float *sums)
{
  const SlConv2dPlanesParams *p = plan->p;
  size_t channel = p->in_c >= p->kernel_w ? 2 : 0, row = channel == 2 ? 0 : 1, col = row + 1;
  SlOuter outer = {
      .rows = p->out_c,
      .cols = (rows - 1) * plan->pitch + p->out_w,
      .a = weights,
      .b = planes + (p->first_h - plan->lowest_h) * (ptrdiff_t)plan->pitch +
           (p->first_w - plan->lowest_w),
      .c = sums,
      .c_stride = plan->cols_pitch,
  };
  outer.count[channel] = p->in_c;
  outer.count[row] = p->kernel_h;
  outer.count[col] = p->kernel_w;
  outer.a_step[channel] = VEC_WIDTH;
  outer.a_step[col] = (ptrdiff_t)p->in_c * VEC_WIDTH;
  outer.a_step[row] = outer.a_step[col] * (ptrdiff_t)p->kernel_w;
  outer.b_step[channel] = (ptrdiff_t)plan->plane;
  outer.b_step[row] = p->step_h * (ptrdiff_t)plan->pitch;
  outer.b_step[col] = p->step_w;
  SL_KERNEL_NAME (sl_outer_add) (&outer);
}

/* Sums begin with the bias. */
static void
fill_sums (const Plan *plan, const float *bias, float *sums)
{
  for (size_t o = 0; o < plan->p->out_c; o++)
    for (size_t i = 0; i < plan->cols_pitch; i += VEC_WIDTH)
      vec_store (sums + o * plan->cols_pitch + i, vec_splat (bias ? bias[o] : 0));
}

/* A row of results as pixels. */
static void
store_row (const Plan *plan, const float *sums, float *out)
{
  const SlConv2dPlanesParams *p = plan->p;
  SlClip clip = act_clip (&p->act);
  Vec lo = vec_splat (clip.lo), hi = vec_splat (clip.hi);

  for (size_t x = 0; x < p->out_w; x += VEC_WIDTH) {
    size_t n = min_size (VEC_WIDTH, p->out_w - x);
    Vec v[VEC_WIDTH];
    for (size_t o = 0; o < VEC_WIDTH; o++)
      v[o] = o < p->out_c ? vec_load_n (sums + o * plan->cols_pitch + x, n) : vec_splat (0);
    vec_transpose (v);
    for (size_t i = 0; i < n; i++)
      vec_store_n (out + (x + i) * p->out_stride, vec_clip (v[i], lo, hi), p->out_c);
  }
  act_finish (&p->act, out, p->out_w, p->out_c, p->out_stride);
}

static void
planes_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  Plan plan = make_plan (params);
  const SlConv2dPlanesParams *p = plan.p;
  float *planes = scratch, *sums = planes + p->in_c * plan.plane;

  for (size_t t = first; t < last; t++) {
    size_t image = t / plan.bands, y = t % plan.bands * plan.rows;
    size_t rows = min_size (plan.rows, p->out_h - y);
    const float *in = (const float *)buffers[0] + image * p->in_h * p->in_w * p->in_stride;
    float *out = (float *)buffers[3] + (image * p->out_h + y) * p->out_w * p->out_stride;
    fill_planes (&plan, in, y, rows, planes);
    fill_sums (&plan, buffers[2], sums);
    multiply (&plan, planes, buffers[1], rows, sums);
    for (size_t r = 0; r < rows; r++)
      store_row (&plan, sums + r * plan.pitch, out + r * p->out_w * p->out_stride);
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_conv2d_planes) = {
    .name = "conv2d_planes",
    .params_size = sizeof (SlConv2dPlanesParams),
    .tiles = planes_tiles,
    .scratch = planes_scratch,
    .run = planes_run,
};
