#include "dispatch/product.h"

#include "dispatch/forms.h"
#include "dispatch/window.h"
#include "shaders/gemm.h"
#include "shaders/gemv.h"
#include "shaders/panel.h"

/* Rows of a matrix product for which an invocation had better have columns. */
#define GEMV_ROWS 4

/* Workgroup of the shader that adds the parts of a depth. */
#define SUM_LOCAL 64

/* Least rows and columns of a workgroup of any form. */
#define LEAST_ROWS 8
#define LEAST_COLS PANEL

static size_t
row_count (const SlProduct *p)
{
  return (size_t)p->images * p->out_h * p->out_w;
}

static size_t
panel_count (const SlProduct *p)
{
  return (p->cols + PANEL - 1) / PANEL;
}

static size_t
depth_of (const SlProduct *p)
{
  return (size_t)p->taps_h * p->taps_w * p->channels;
}

/* --- What is touched --- */

static const SlValue *
operand (const SlDispatcher *to, uint32_t index)
{
  return index != SL_PRODUCT_NO_OPERAND ? to->steps->operands[index] : NULL;
}

/* Of an element of the operand, if it is there. */
static uint32_t
size_of (const SlDispatcher *to, uint32_t index)
{
  if (index == SL_PRODUCT_SCRATCH)
    return 4;
  return operand (to, index) != NULL ? sl_dispatch_get_size (to, index) : 0;
}

/* Rows of `n` elements, `pixel` apart, of `size` bytes, that go through all groups and images: as
 * they are where they follow each other evenly, else their outline. `pixels` of an image. */
static SlExtent
side_extent (const SlProduct *p, const SlProductSide *side, size_t pixels, size_t n, size_t size)
{
  const bool images_follow = p->images == 1 || side->image == pixels * side->pixel;
  if (images_follow && (p->groups == 1 || side->group == n) && n * p->groups <= side->pixel)
    return (SlExtent){side->first * size, p->images * pixels, n * p->groups * size,
                      side->pixel * size};
  const size_t span = (p->images - 1) * side->image + (p->groups - 1) * side->group +
                      (pixels - 1) * side->pixel + n;
  return sl_extent (side->first * size, span * size);
}

static SlExtent
in_extent (const SlDispatcher *to, const SlProduct *p)
{
  return side_extent (p, &p->in, (size_t)p->in_h * p->in_w, p->channels,
                      size_of (to, p->in.operand));
}

/* Every output pixel if the steps are those of a picture without gaps, else their outline. */
static SlExtent
out_extent (const SlDispatcher *to, const SlProduct *p)
{
  const size_t size = size_of (to, p->out.operand);
  if (p->out_x == p->out.pixel && p->out_y == p->out_w * p->out.pixel)
    return side_extent (p, &p->out, (size_t)p->out_h * p->out_w, p->cols, size);
  const size_t span = (p->images - 1) * p->out.image + (p->groups - 1) * p->out.group +
                      (p->out_h - 1) * p->out_y + (p->out_w - 1) * p->out_x + p->cols;
  return sl_extent (p->out.first * size, span * size);
}

static SlExtent
residual_extent (const SlDispatcher *to, const SlProduct *p)
{
  return side_extent (p, &p->residual, (size_t)p->out_h * p->out_w, p->cols,
                      size_of (to, p->residual_operand));
}

static SlExtent
weights_extent (const SlDispatcher *to, const SlProduct *p)
{
  const size_t size = size_of (to, p->weight_operand);
  const size_t one = panel_count (p) * PANEL * depth_of (p);
  return sl_extent (p->weights * size, ((p->groups - 1) * p->weight_group + one) * size);
}

static SlExtent
bias_extent (const SlProduct *p)
{
  return sl_extent (p->bias * 4, (p->shares_bias ? 1 : (size_t)p->groups) * p->cols * 4);
}

/* --- Records --- */

static bool
is_aligned (const SlDispatcher *to, uint32_t index, size_t first)
{
  return index == SL_PRODUCT_NO_OPERAND ||
         (index == SL_PRODUCT_SCRATCH ? first % 4 == 0 : sl_dispatch_is_aligned (to, index, first));
}

static bool
has_aligned_steps (const SlProductSide *side)
{
  return side->pixel % 4 == 0 && side->image % 4 == 0 && side->group % 4 == 0;
}

/* TRUE if vectors of four inputs begin at multiples of four, wherever the place is bound. */
static bool
reads_fours (const SlDispatcher *to, const SlProduct *p)
{
  return p->channels % 4 == 0 && is_aligned (to, p->in.operand, p->in.first) &&
         has_aligned_steps (&p->in);
}

/* The same of columns. */
static bool
writes_fours (const SlDispatcher *to, const SlProduct *p)
{
  return p->cols % 4 == 0 && is_aligned (to, p->out.operand, p->out.first) &&
         has_aligned_steps (&p->out) && p->out_x % 4 == 0 && p->out_y % 4 == 0 &&
         is_aligned (to, p->bias_operand, p->bias) &&
         is_aligned (to, p->residual_operand, p->residual.first) &&
         has_aligned_steps (&p->residual);
}

static void
bind_side (SlDispatcher *to, SlDispatch *record, uint32_t binding, uint32_t index, SlExtent extent,
           uint32_t at_push)
{
  if (index == SL_PRODUCT_SCRATCH)
    sl_dispatch_bind_scratch (to, record, binding, extent.begin, sl_extent_get_span (&extent), 4,
                              at_push);
  else
    sl_dispatch_bind (record, binding, index, extent, size_of (to, index), at_push);
}

static void
bind_all (SlDispatcher *to, SlDispatch *record, const SlProduct *p, uint32_t at_in,
          uint32_t at_weights, uint32_t at_bias, uint32_t at_residual, uint32_t at_out)
{
  bind_side (to, record, 0, p->in.operand, in_extent (to, p), at_in);
  sl_dispatch_bind (record, 1, p->weight_operand, weights_extent (to, p),
                    size_of (to, p->weight_operand), at_weights);
  sl_dispatch_bind_value (record, 2, operand (to, p->bias_operand), bias_extent (p), 4, at_bias);
  sl_dispatch_bind_value (record, 3, operand (to, p->residual_operand), residual_extent (to, p),
                          size_of (to, p->residual_operand), at_residual);
  bind_side (to, record, 4, p->out.operand, out_extent (to, p), at_out);
}

static SlGemmPush
push_of (const SlProduct *p)
{
  return (SlGemmPush){
      .rows = (uint32_t)row_count (p),
      .cols = p->cols,
      .channels = p->channels,
      .taps_h = p->taps_h,
      .taps_w = p->taps_w,
      .pixels = p->out_h * p->out_w,
      .width = p->out_w,
      .in_h = p->in_h,
      .in_w = p->in_w,
      .stride_h = p->stride_h,
      .stride_w = p->stride_w,
      .step_h = p->step_h,
      .step_w = p->step_w,
      .pad_h = p->pad_h,
      .pad_w = p->pad_w,
      .in_pixel = (uint32_t)p->in.pixel,
      .in_image = (uint32_t)p->in.image,
      .out_x = (uint32_t)p->out_x,
      .out_y = (uint32_t)p->out_y,
      .out_image = (uint32_t)p->out.image,
      .residual_pixel = (uint32_t)p->residual.pixel,
      .in_group = (uint32_t)p->in.group,
      .weight_group = (uint32_t)p->weight_group,
      .out_group = (uint32_t)p->out.group,
      .residual_group = (uint32_t)p->residual.group,
      .act_a = p->act.a,
      .act_b = p->act.b,
  };
}

static SlDispatch *
add_shader (SlDispatcher *to, const SlProduct *p, const SlShader *shader, uint32_t local,
            uint32_t splits)
{
  const SlGemmPush push = push_of (p);
  SlDispatch *record = sl_dispatch_add (to, shader, &push);
  record->specs[SL_GEMM_LOCAL_SIZE] = local;
  record->specs[SL_GEMM_ACT] = p->act.kind;
  record->specs[SL_GEMM_HAS_BIAS] = operand (to, p->bias_operand) != NULL;
  record->specs[SL_GEMM_HAS_RESIDUAL] = operand (to, p->residual_operand) != NULL;
  record->specs[SL_GEMM_READS_FOURS] = reads_fours (to, p);
  record->specs[SL_GEMM_WRITES_FOURS] = writes_fours (to, p);
  record->specs[SL_GEMM_SHARES_BIAS] = p->shares_bias;
  record->specs[SL_GEMM_SPLITS] = splits;
  record->specs[SL_GEMM_WRITES_FLOATS] = size_of (to, p->out.operand) == 4;
  bind_all (to, record, p, offsetof (SlGemmPush, at_in), offsetof (SlGemmPush, at_weights),
            offsetof (SlGemmPush, at_bias), offsetof (SlGemmPush, at_residual),
            offsetof (SlGemmPush, at_out));
  return record;
}

/* Bytes of the sums of all parts of the depth. */
static uint64_t
parts_size (const SlProduct *p, uint32_t splits)
{
  return (uint64_t)splits * p->groups * row_count (p) * panel_count (p) * PANEL * 4;
}

static void
add_gemm (SlDispatcher *to, const SlProduct *p)
{
  const uint64_t rows = row_count (p);
  const bool half = size_of (to, p->in.operand) == 2;
  uint32_t splits;
  const SlProductForm *form =
      sl_product_choose_form (to->gpu, rows, p->cols, depth_of (p), p->groups, half, &splits);
  while (splits > 1 && (parts_size (p, splits) > sl_gpu_get_range (to->gpu) ||
                        (uint64_t)p->groups * splits > to->gpu->max_groups))
    splits /= 2;
  SlDispatch *record = add_shader (to, p, half ? form->half : form->shader, form->local, splits);
  record->groups[0] = (p->cols + form->cols - 1) / form->cols;
  record->groups[1] = (uint32_t)((rows + form->rows - 1) / form->rows);
  record->groups[2] = p->groups * splits;
  if (splits == 1)
    return;
  sl_dispatch_bind_scratch (to, record, 4, p->scratch_used, parts_size (p, splits), 4,
                            offsetof (SlGemmPush, at_out));
  record = add_shader (to, p, sl_shader_get (gemm_sum, half), SUM_LOCAL, splits);
  sl_dispatch_bind_scratch (to, record, 0, p->scratch_used, parts_size (p, splits), 4,
                            offsetof (SlGemmPush, at_in));
  sl_dispatch_groups (record, to->gpu, rows * panel_count (p) * (PANEL / 4), SUM_LOCAL);
  record->groups[2] = p->groups;
}

/* A matrix product of few rows. */
static void
add_gemv (SlDispatcher *to, const SlProduct *p)
{
  const SlGemvPush push = {
      .rows = (uint32_t)row_count (p),
      .cols = p->cols,
      .depth = p->channels,
      .in_row = (uint32_t)p->in.pixel,
      .out_row = (uint32_t)p->out.pixel,
      .residual_row = (uint32_t)p->residual.pixel,
      .in_group = (uint32_t)p->in.group,
      .weight_group = (uint32_t)p->weight_group,
      .out_group = (uint32_t)p->out.group,
      .residual_group = (uint32_t)p->residual.group,
      .act_a = p->act.a,
      .act_b = p->act.b,
  };
  const uint32_t local = to->gpu->is_cpu ? 8 : 64;
  const bool half = size_of (to, p->in.operand) == 2;
  const SlShader *shader =
      to->gpu->is_cpu ? sl_shader_get (gemv_texels, half) : sl_shader_get (gemv, half);
  SlDispatch *record = sl_dispatch_add (to, shader, &push);
  record->specs[SL_GEMV_LOCAL_SIZE] = local;
  record->specs[SL_GEMV_ACT] = p->act.kind;
  record->specs[SL_GEMV_HAS_BIAS] = operand (to, p->bias_operand) != NULL;
  record->specs[SL_GEMV_HAS_RESIDUAL] = operand (to, p->residual_operand) != NULL;
  record->specs[SL_GEMV_WRITES_FLOATS] = size_of (to, p->out.operand) == 4;
  record->specs[SL_GEMV_READS_FOURS] =
      is_aligned (to, p->in.operand, p->in.first) && has_aligned_steps (&p->in);
  bind_all (to, record, p, offsetof (SlGemvPush, at_in), offsetof (SlGemvPush, at_weights),
            offsetof (SlGemvPush, at_bias), offsetof (SlGemvPush, at_residual),
            offsetof (SlGemvPush, at_out));
  record->groups[0] = ((p->cols + 3) / 4 + local - 1) / local;
  record->groups[1] = push.rows;
  record->groups[2] = p->groups;
}

static bool
is_vector (const SlProduct *p)
{
  return p->images == 1 && p->out_h == 1 && p->in_h == 1 && p->taps_h * p->taps_w == 1 &&
         p->in_w == p->out_w && p->out_x == p->out.pixel && p->stride_w == 1 && p->pad_w == 0 &&
         p->out_w <= GEMV_ROWS && (p->groups == 1 || p->shares_bias);
}

/* --- Cutting --- */

static SlProduct
some_groups (const SlProduct *p, uint32_t from, uint32_t n)
{
  SlProduct piece = *p;
  piece.groups = n;
  piece.in.first += from * p->in.group;
  piece.residual.first += from * p->residual.group;
  piece.out.first += from * p->out.group;
  piece.weights += from * p->weight_group;
  piece.bias += p->shares_bias ? 0 : (size_t)from * p->cols;
  return piece;
}

static SlProduct
some_cols (const SlProduct *p, uint32_t from, uint32_t n)
{
  SlProduct piece = *p;
  piece.cols = n;
  piece.residual.first += from;
  piece.out.first += from;
  piece.weights += from * depth_of (p);
  piece.bias += from;
  return piece;
}

static SlProduct
some_images (const SlProduct *p, uint32_t from, uint32_t n)
{
  SlProduct piece = *p;
  piece.images = n;
  piece.in.first += from * p->in.image;
  piece.residual.first += from * p->residual.image;
  piece.out.first += from * p->out.image;
  return piece;
}

/* Rows of the pictures; pixels where output and input have one row alone. */
static SlProduct
some_rows (const SlProduct *p, uint32_t from, uint32_t n)
{
  SlProduct piece = *p;
  uint32_t first;
  if (p->out_h > 1) {
    sl_window_narrow (from, n, p->stride_h, p->step_h, p->taps_h, &piece.pad_h, &piece.in_h,
                      &first);
    piece.in.first += (size_t)first * p->in_w * p->in.pixel;
    piece.residual.first += (size_t)from * p->out_w * p->residual.pixel;
    piece.out.first += from * p->out_y;
    piece.out_h = n;
    return piece;
  }
  sl_window_narrow (from, n, p->stride_w, p->step_w, p->taps_w, &piece.pad_w, &piece.in_w, &first);
  piece.in.first += first * p->in.pixel;
  piece.residual.first += from * p->residual.pixel;
  piece.out.first += from * p->out_x;
  piece.out_w = n;
  return piece;
}

static bool
fits (const SlDispatcher *to, SlExtent extent)
{
  return sl_extent_get_span (&extent) <= sl_gpu_get_range (to->gpu);
}

typedef SlProduct (*PieceFunc) (const SlProduct *p, uint32_t from, uint32_t n);

static bool
dispatch_halves (SlDispatcher *to, const SlProduct *p, PieceFunc piece, uint32_t n, uint32_t half)
{
  SlProduct low = piece (p, 0, half), high = piece (p, half, n - half);
  return sl_product_dispatch (to, &low) && sl_product_dispatch (to, &high);
}

bool
sl_product_dispatch (SlDispatcher *to, const SlProduct *p)
{
  const uint64_t groups = to->gpu->max_groups;
  const bool weights_fit = fits (to, weights_extent (to, p)) && p->cols <= groups * LEAST_COLS;
  const bool pictures_fit =
      row_count (p) <= groups * LEAST_ROWS && fits (to, in_extent (to, p)) &&
      fits (to, out_extent (to, p)) &&
      (operand (to, p->residual_operand) == NULL || fits (to, residual_extent (to, p)));
  if (p->groups > 1 && (!weights_fit || p->groups > groups))
    return dispatch_halves (to, p, some_groups, p->groups, p->groups / 2);
  if (!weights_fit) {
    if (p->cols <= PANEL)
      return false;
    return dispatch_halves (to, p, some_cols, p->cols,
                            (uint32_t)((panel_count (p) + 1) / 2 * PANEL));
  }
  /* Rows of one picture alone can be cut: of several, residuals would not follow each other. */
  if (!pictures_fit) {
    if (p->images > 1)
      return dispatch_halves (to, p, some_images, p->images, p->images / 2);
    if (p->out_h > 1)
      return dispatch_halves (to, p, some_rows, p->out_h, p->out_h / 2);
    if (p->out_w > 1 && p->in_h == 1)
      return dispatch_halves (to, p, some_rows, p->out_w, p->out_w / 2);
    if (p->groups > 1)
      return dispatch_halves (to, p, some_groups, p->groups, p->groups / 2);
    return false;
  }
  if (is_vector (p) && to->gpu->product_form == 0)
    add_gemv (to, p);
  else
    add_gemm (to, p);
  return true;
}
