/* Maximum and average over windows and over everything:
 * https://onnx.ai/onnx/operators/onnx__MaxPool.html, AveragePool, GlobalMaxPool, GlobalAveragePool
 */
#include "ops/pool.h"

#include "kernels/reduce.h"
#include "ops/gradient.h"
#include "ops/quant.h"
#include "ops/shape.h"

#include <math.h>

static const SlAttrSpec max_pool_attrs[] = {
    SL_POOL_ATTRS,
    {.name = "storage_order", .type = SL_ATTR_INT, .offset = offsetof (SlPoolAttrs, storage_order)},
    {0},
};

static const SlAttrSpec average_pool_attrs[] = {
    SL_POOL_ATTRS,
    {.name = "count_include_pad",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (SlPoolAttrs, count_include_pad)},
    {0},
};

/* Padding as wide as the window would give windows that hold nothing. */
static gboolean
check_pads (const SlNode *node, const SlWindow *window, GError **error)
{
  uint32_t n = window->kernel_shape.n;
  for (uint32_t i = 0; i < 2 * n; i++) {
    int64_t extent = (window->kernel_shape.v[i % n] - 1) * window->dilations.v[i % n] + 1;
    if (window->pads.v[i] < extent)
      continue;
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "padding of %" G_GINT64_FORMAT " around a window of %" G_GINT64_FORMAT,
                   window->pads.v[i], extent);
    return FALSE;
  }
  return TRUE;
}

static gboolean
pool_infer (SlNode *node, GError **error)
{
  SlPoolAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  if (attrs->window.kernel_shape.n == 0) {
    sl_node_error (node, error, SL_ERROR_MALFORMED, "attribute kernel_shape is missing");
    return FALSE;
  }
  SlShape y = x->shape;
  if (!sl_window_infer (node, &attrs->window, &x->shape, &y, error) ||
      !check_pads (node, &attrs->window, error))
    return FALSE;
  sl_infer_output (node, 0, x->dtype, &y);
  return TRUE;
}

static gboolean
max_pool_infer (SlNode *node, GError **error)
{
  if (!pool_infer (node, error))
    return FALSE;
  sl_infer_output (node, 1, SL_INT64, &node->outputs[0]->shape);
  return TRUE;
}

static gboolean
refuse_integers (const SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0];
  if (sl_dtype_is_float (x->dtype))
    return TRUE;
  sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s", x->name,
                 sl_dtype_get_name (x->dtype));
  return FALSE;
}

static gboolean
average_pool_infer (SlNode *node, GError **error)
{
  return refuse_integers (node, error) && pool_infer (node, error);
}

/* --- References --- */

/* Calls `visit` for each output element with its window. */
typedef void (*VisitWindow) (const SlRefCall *call, const SlWindow3 *w, size_t plane, size_t to,
                             const int64_t origin[3]);

static void
for_each_window (const SlRefCall *call, VisitWindow visit)
{
  const SlPoolAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *y = call->outputs[0];
  SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &y->shape);
  size_t planes = (size_t)(x->shape.dim[0] * x->shape.dim[1]), to = 0;
  for (size_t plane = 0; plane < planes; plane++)
    for (int64_t d = 0; d < w.out[0]; d++)
      for (int64_t h = 0; h < w.out[1]; h++)
        for (int64_t v = 0; v < w.out[2]; v++) {
          const int64_t origin[3] = {d * w.stride[0] - w.pad[0], h * w.stride[1] - w.pad[1],
                                     v * w.stride[2] - w.pad[2]};
          visit (call, &w, plane, to++, origin);
        }
}

/* A NaN is greater than any number, and the first of equals wins. */
static bool
is_greater (const SlRefTensor *x, size_t a, size_t b)
{
  if (sl_dtype_is_float (x->dtype))
    return x->f[a] > x->f[b] || (isnan (x->f[a]) && !isnan (x->f[b]));
  if (x->dtype == SL_UINT64)
    return (uint64_t)x->i[a] > (uint64_t)x->i[b];
  return x->i[a] > x->i[b];
}

/* Where nothing of a (dilated) window lies inside: the least value of the type, index -1. */
static void
store_nothing (SlRefTensor *y, size_t to)
{
  if (sl_dtype_is_float (y->dtype))
    y->f[to] = -INFINITY;
  else
    y->i[to] = 0;
}

static void
max_of_window (const SlRefCall *call, const SlWindow3 *w, size_t plane, size_t to,
               const int64_t origin[3])
{
  const SlPoolAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  size_t size = (size_t)(w->in[0] * w->in[1] * w->in[2]), best = 0;
  int64_t k[3] = {0}, at[3], index = -1;
  do {
    if (!sl_window_is_inside (w, origin, k, at))
      continue;
    size_t from = plane * size + (size_t)((at[0] * w->in[1] + at[1]) * w->in[2] + at[2]);
    if (index >= 0 && !is_greater (x, from, best))
      continue;
    best = from;
    index = attrs->storage_order == 0
                ? (int64_t)from
                : (int64_t)(plane * size) + (at[2] * w->in[1] + at[1]) * w->in[0] + at[0];
  } while (sl_window_next (w, k));
  if (index >= 0)
    sl_ref_move (call->outputs[0], to, x, best);
  else
    store_nothing (call->outputs[0], to);
  if (call->n_outputs > 1 && call->outputs[1] != NULL)
    call->outputs[1]->i[to] = index;
}

static void
max_pool_reference (const SlRefCall *call)
{
  for_each_window (call, max_of_window);
}

bool
sl_pool_is_padded (const SlWindow3 *w, const int64_t at[3])
{
  for (int i = 0; i < 3; i++)
    if (at[i] >= w->in[i] + w->pad_end[i])
      return false;
  return true;
}

static void
mean_of_window (const SlRefCall *call, const SlWindow3 *w, size_t plane, size_t to,
                const int64_t origin[3])
{
  const SlPoolAttrs *attrs = call->attrs;
  const double *x = call->inputs[0]->f + plane * (size_t)(w->in[0] * w->in[1] * w->in[2]);
  int64_t k[3] = {0}, at[3];
  double sum = 0, count = 0;
  do {
    if (sl_window_is_inside (w, origin, k, at)) {
      sum += x[(at[0] * w->in[1] + at[1]) * w->in[2] + at[2]];
      count++;
    } else if (attrs->count_include_pad && sl_pool_is_padded (w, at)) {
      count++;
    }
  } while (sl_window_next (w, k));
  call->outputs[0]->f[to] = sum / count;
}

static void
average_pool_reference (const SlRefCall *call)
{
  for_each_window (call, mean_of_window);
}

/* --- Steps --- */

SlPool2dParams
sl_pool_params (const SlPoolAttrs *attrs, const SlShape *x, const SlShape *y)
{
  SlWindow3 w = sl_window_3d (&attrs->window, x, y);
  return (SlPool2dParams){
      .batch = (uint32_t)x->dim[0],
      .channels = (uint32_t)x->dim[1],
      .in_h = (uint32_t)w.in[1],
      .in_w = (uint32_t)w.in[2],
      .out_h = (uint32_t)w.out[1],
      .out_w = (uint32_t)w.out[2],
      .kernel_h = (uint32_t)w.kernel[1],
      .kernel_w = (uint32_t)w.kernel[2],
      .stride_h = (uint32_t)w.stride[1],
      .stride_w = (uint32_t)w.stride[2],
      .dilation_h = (uint32_t)w.dilation[1],
      .dilation_w = (uint32_t)w.dilation[2],
      .pad_top = (uint32_t)w.pad[1],
      .pad_left = (uint32_t)w.pad[2],
      .pad_bottom = (uint32_t)w.pad_end[1],
      .pad_right = (uint32_t)w.pad_end[2],
      .count_include_pad = attrs->count_include_pad,
  };
}

static void
lower_window (const SlNode *node, SlLowering *to, const char *kernel)
{
  const SlPoolAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (node->op->row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  SlPool2dParams params = sl_pool_params (attrs, &x->shape, &y->shape);
  params.in_stride = sl_value_pixel (x);
  params.out_stride = sl_value_pixel (y);
  sl_lower (to, kernel, &params, x, y);
}

/* Bytes have kernels too, without dilation. */
static gboolean
max_pool_row_major_only (const SlNode *node)
{
  const SlPoolAttrs *attrs = node->attrs;
  if (!sl_is_byte (node->inputs[0]->dtype))
    return sl_window_row_major_only (node);
  for (uint32_t i = 0; i < attrs->window.dilations.n; i++)
    if (attrs->window.dilations.v[i] != 1)
      return TRUE;
  return !sl_window_fits_kernels (node);
}

static void
max_pool_lower (const SlNode *node, SlLowering *to)
{
  SlDType dtype = node->inputs[0]->dtype;
  lower_window (node, to,
                dtype == SL_UINT8  ? "max_pool2d_uint8"
                : dtype == SL_INT8 ? "max_pool2d_int8"
                                   : "max_pool2d");
}

static void
average_pool_lower (const SlNode *node, SlLowering *to)
{
  lower_window (node, to, "average_pool2d");
}

static void
pool_cost (const SlNode *node, SlCost *ret_cost)
{
  const SlPoolAttrs *attrs = node->attrs;
  size_t out = 0;
  sl_shape_get_elements (&node->outputs[0]->shape, &out);
  ret_cost->flops = (double)out;
  for (uint32_t i = 0; i < attrs->window.kernel_shape.n; i++)
    ret_cost->flops *= (double)attrs->window.kernel_shape.v[i];
}

/* One window over everything, in which each position counts alike. */
static gboolean
average_pool_as_mean (const SlNode *node, uint32_t *ret_axes)
{
  const SlPoolAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SlWindow3 w = sl_window_3d (&attrs->window, x, &node->outputs[0]->shape);
  *ret_axes = 0;
  for (uint32_t i = 0; i < 3; i++) {
    bool is_covered =
        w.out[i] == 1 && w.kernel[i] - w.pad[i] >= w.in[i] && (w.dilation[i] == 1 || w.in[i] == 1);
    bool is_diluted = attrs->count_include_pad && w.pad[i] + w.pad_end[i] > 0;
    if (!is_covered || is_diluted)
      return FALSE;
  }
  for (uint32_t i = 2; i < x->rank; i++)
    *ret_axes |= 1u << i;
  return TRUE;
}

/* Zeros of a border count where the pool has none of its own that would not. */
static gboolean
average_pool_absorb_pads (SlNode *node, const SlInts *pads)
{
  SlPoolAttrs *attrs = node->attrs;
  const SlWindow *window = &attrs->window;
  for (uint32_t i = 0; i < window->pads.n; i++) {
    uint32_t d = i % window->kernel_shape.n;
    int64_t extent = (window->kernel_shape.v[d] - 1) * window->dilations.v[d] + 1;
    if ((window->pads.v[i] != 0 && !attrs->count_include_pad) || window->ceil_mode ||
        i >= pads->n || window->pads.v[i] + pads->v[i] >= extent)
      return FALSE;
  }
  if (!sl_window_absorb_pads (&attrs->window, pads))
    return FALSE;
  attrs->count_include_pad = true;
  return TRUE;
}

static gboolean
max_pool_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlValue *dy = sl_gradients_get (to, node, 0);
  if (sl_gradients_want (to, node, 0))
    sl_gradients_give (to, node, 0,
                       sl_max_pool_gradient (to, node, node->attrs, node->inputs[0], dy));
  return TRUE;
}

static gboolean
average_pool_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlValue *dy = sl_gradients_get (to, node, 0);
  if (sl_gradients_want (to, node, 0))
    sl_gradients_give (
        to, node, 0, sl_average_pool_gradient (to, node, node->attrs, &node->inputs[0]->shape, dy));
  return TRUE;
}

static const SlOpClass max_pool = {
    .name = "MaxPool",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 2,
    .attrs = max_pool_attrs,
    .attrs_size = sizeof (SlPoolAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = max_pool_infer,
    .reference = max_pool_reference,
    .lower = max_pool_lower,
    .row_major_only = max_pool_row_major_only,
    .gradient = max_pool_gradient,
    .cost = pool_cost,
};

static const SlOpClass average_pool = {
    .name = "AveragePool",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = average_pool_attrs,
    .attrs_size = sizeof (SlPoolAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = average_pool_infer,
    .reference = average_pool_reference,
    .as_mean = average_pool_as_mean,
    .absorb_pads = average_pool_absorb_pads,
    .lower = average_pool_lower,
    .row_major_only = sl_window_row_major_only,
    .gradient = average_pool_gradient,
    .cost = pool_cost,
};

/* --- Over all positions: (N, C, …) → (N, C, 1, …) --- */

static gboolean
global_infer (SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0];
  if (!refuse_integers (node, error))
    return FALSE;
  SlShape y = x->shape;
  for (uint32_t i = 2; i < y.rank; i++)
    y.dim[i] = 1;
  size_t inputs = 0, outputs = 0;
  sl_shape_get_elements (&x->shape, &inputs);
  sl_shape_get_elements (&y, &outputs);
  if (y.rank < 3 || (inputs == 0 && outputs > 0)) {
    g_autofree char *shape = sl_shape_to_string (&x->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "input is %s, expected positions to pool over",
                   shape);
    return FALSE;
  }
  sl_infer_output (node, 0, x->dtype, &y);
  return TRUE;
}

static void
global_max_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  size_t size = y->n > 0 ? x->n / y->n : 0;
  for (size_t i = 0; i < y->n; i++) {
    size_t best = i * size;
    for (size_t k = best + 1; k < (i + 1) * size; k++)
      if (is_greater (x, k, best))
        best = k;
    y->f[i] = x->f[best];
  }
}

static void
global_mean_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  size_t size = y->n > 0 ? x->n / y->n : 0;
  for (size_t i = 0; i < y->n; i++) {
    double sum = 0;
    for (size_t k = i * size; k < (i + 1) * size; k++)
      sum += x->f[k];
    y->f[i] = sum / (double)size;
  }
}

/* Channels-last: down the rows of an image. Row-major: along each plane. */
static void
lower_global (const SlNode *node, SlLowering *to, const char *kernel)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (sl_row_major_unless_float32 (node)) {
    sl_lower_reference (to);
    return;
  }
  size_t n = (size_t)x->shape.dim[0], channels = (size_t)x->shape.dim[1], positions = 1;
  for (uint32_t i = 2; i < x->shape.rank; i++)
    positions *= (size_t)x->shape.dim[i];
  SlReduceParams params = {.outer = n * channels,
                           .axis = positions,
                           .inner = 1,
                           .in_outer_stride = positions,
                           .in_axis_stride = 1,
                           .out_outer_stride = 1};
  if (x->layout == SL_LAYOUT_CHANNELS_LAST)
    params = (SlReduceParams){.outer = n,
                              .axis = positions,
                              .inner = channels,
                              .in_outer_stride = positions * sl_value_pixel (x),
                              .in_axis_stride = sl_value_pixel (x),
                              .out_outer_stride = sl_value_pixel (y)};
  sl_lower (to, kernel, &params, x, y);
}

static void
global_max_lower (const SlNode *node, SlLowering *to)
{
  lower_global (node, to, "reduce_max");
}

static void
global_mean_lower (const SlNode *node, SlLowering *to)
{
  lower_global (node, to, "reduce_mean");
}

static gboolean
global_mean_as_mean (const SlNode *node, uint32_t *ret_axes)
{
  *ret_axes = (1u << node->inputs[0]->shape.rank) - (1u << 2);
  return TRUE;
}

static void
global_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &n);
  ret_cost->flops = (double)n;
}

static gboolean
global_mean_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const SlShape *shape = &node->inputs[0]->shape;
  double positions = 1;
  for (uint32_t i = 2; i < shape->rank; i++)
    positions *= (double)shape->dim[i];
  SlFormula f = sl_formula (to, node);
  sl_formula_bind_number (&f, 'n', 1 / positions);
  sl_gradients_give (to, node, 0,
                     sl_gradient_expand (to, node, sl_formula_add (&f, "d * n"), shape));
  return TRUE;
}

/* Of equals each gets its share. */
static gboolean
global_max_gradient (SlGradients *to, SlNode *node, GError **error)
{
  int64_t axes[SL_MAX_RANK];
  uint32_t n = 0;
  for (uint32_t i = 2; i < node->inputs[0]->shape.rank; i++)
    axes[n++] = i;
  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'r', sl_gradient_ints (to, node, axes, n));
  sl_gradients_give (to, node, 0,
                     sl_formula_add (&f, "m = Equal (x, y) ? 1 : 0; m * (d / ReduceSum (m, r))"));
  return TRUE;
}

#define GLOBAL                                                                    \
  .min_inputs = 1, .max_inputs = 1, .min_outputs = 1, .max_outputs = 1,           \
  .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT, .layouts = SL_LAYOUTS_FOLLOW, \
  .infer = global_infer, .row_major_only = sl_row_major_unless_float32, .cost = global_cost

static const SlOpClass global_max_pool = {
    .name = "GlobalMaxPool",
    .reference = global_max_reference,
    .lower = global_max_lower,
    .gradient = global_max_gradient,
    GLOBAL,
};

static const SlOpClass global_average_pool = {
    .name = "GlobalAveragePool",
    .reference = global_mean_reference,
    .as_mean = global_mean_as_mean,
    .lower = global_mean_lower,
    .gradient = global_mean_gradient,
    GLOBAL,
};

const SlOpClass *const sl_ops_pool[] = {
    &max_pool, &average_pool, &global_max_pool, &global_average_pool, NULL,
};
