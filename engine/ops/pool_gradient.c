/* Gradients of pooling over windows. */
#include "ops/pool.h"

#include "ops/internal.h"

#include <math.h>
#include <string.h>

typedef struct PoolGradientAttrs {
  SlPoolAttrs pool; /* first: the rows of SL_POOL_ATTRS */
  SlInts shape;     /* AveragePool: of its input */
} PoolGradientAttrs;

static const SlAttrSpec max_attrs[] = {
    SL_POOL_ATTRS,
    {0},
};

static const SlAttrSpec average_attrs[] = {
    SL_POOL_ATTRS,
    {.name = "count_include_pad",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (SlPoolAttrs, count_include_pad)},
    {.name = "shape",
     .type = SL_ATTR_INTS,
     .offset = offsetof (PoolGradientAttrs, shape),
     .required = true},
    {0},
};

/* dy has the shape of what the pool gives of (N, C, …) `x`. */
static gboolean
gradient_infer (SlNode *node, SlPoolAttrs *attrs, const SlShape *x, const SlValue *dy,
                GError **error)
{
  SlShape y = *x;
  if (!sl_infer_float_inputs (node, error) || !sl_window_infer (node, &attrs->window, x, &y, error))
    return FALSE;
  if (!sl_shape_equal (&y, &dy->shape)) {
    g_autofree char *found = sl_shape_to_string (&dy->shape);
    g_autofree char *wanted = sl_shape_to_string (&y);
    sl_node_error (node, error, SL_ERROR_SHAPE, "gradient is %s, expected %s", found, wanted);
    return FALSE;
  }
  sl_infer_output (node, 0, dy->dtype, x);
  return TRUE;
}

static gboolean
max_infer (SlNode *node, GError **error)
{
  return gradient_infer (node, node->attrs, &node->inputs[0]->shape, node->inputs[1], error);
}

static gboolean
average_infer (SlNode *node, GError **error)
{
  PoolGradientAttrs *attrs = node->attrs;
  SlShape x = {.rank = MIN (attrs->shape.n, SL_MAX_RANK)};
  memcpy (x.dim, attrs->shape.v, x.rank * sizeof x.dim[0]);
  return gradient_infer (node, &attrs->pool, &x, node->inputs[0], error);
}

/* --- References --- */

/* Calls `visit` for each window: `plane` is its first element of x, `from` its element of dy. */
typedef void (*VisitWindow) (const SlRefCall *call, const SlWindow3 *w, size_t plane, size_t from,
                             const int64_t origin[3]);

static void
for_each_window (const SlRefCall *call, const SlRefTensor *dy, VisitWindow visit)
{
  const PoolGradientAttrs *attrs = call->attrs;
  SlRefTensor *dx = call->outputs[0];
  SlWindow3 w = sl_window_3d (&attrs->pool.window, &dx->shape, &dy->shape);
  size_t planes = (size_t)(dx->shape.dim[0] * dx->shape.dim[1]), from = 0;
  size_t size = (size_t)(w.in[0] * w.in[1] * w.in[2]);
  memset (dx->f, 0, dx->n * sizeof (double));
  for (size_t plane = 0; plane < planes; plane++)
    for (int64_t d = 0; d < w.out[0]; d++)
      for (int64_t h = 0; h < w.out[1]; h++)
        for (int64_t v = 0; v < w.out[2]; v++) {
          const int64_t origin[3] = {d * w.stride[0] - w.pad[0], h * w.stride[1] - w.pad[1],
                                     v * w.stride[2] - w.pad[2]};
          visit (call, &w, plane * size, from++, origin);
        }
}

static size_t
offset_of (const SlWindow3 *w, const int64_t at[3])
{
  return (size_t)((at[0] * w->in[1] + at[1]) * w->in[2] + at[2]);
}

/* The first of the greatest gets it all; a NaN is greater than any number. */
static void
max_window (const SlRefCall *call, const SlWindow3 *w, size_t plane, size_t from,
            const int64_t origin[3])
{
  const double *x = call->inputs[0]->f + plane;
  int64_t k[3] = {0}, at[3];
  size_t best = 0;
  bool found = false;
  do {
    if (!sl_window_is_inside (w, origin, k, at))
      continue;
    size_t next = offset_of (w, at);
    if (!found || x[next] > x[best] || (isnan (x[next]) && !isnan (x[best])))
      best = next;
    found = true;
  } while (sl_window_next (w, k));
  if (found)
    call->outputs[0]->f[plane + best] += call->inputs[1]->f[from];
}

static void
average_window (const SlRefCall *call, const SlWindow3 *w, size_t plane, size_t from,
                const int64_t origin[3])
{
  const PoolGradientAttrs *attrs = call->attrs;
  int64_t k[3] = {0}, at[3];
  double count = 0;
  do {
    count += sl_window_is_inside (w, origin, k, at) ||
             (attrs->pool.count_include_pad && sl_pool_is_padded (w, at));
  } while (sl_window_next (w, k));
  memset (k, 0, sizeof k);
  do {
    if (sl_window_is_inside (w, origin, k, at))
      call->outputs[0]->f[plane + offset_of (w, at)] += call->inputs[0]->f[from] / count;
  } while (sl_window_next (w, k));
}

static void
max_reference (const SlRefCall *call)
{
  for_each_window (call, call->inputs[1], max_window);
}

static void
average_reference (const SlRefCall *call)
{
  for_each_window (call, call->inputs[0], average_window);
}

/* --- Steps --- */

static SlPool2dGradientParams
gradient_params (const SlNode *node, const SlValue *dy)
{
  const PoolGradientAttrs *attrs = node->attrs;
  const SlValue *dx = node->outputs[0];
  SlPool2dGradientParams params = {
      .pool = sl_pool_params (&attrs->pool, &dx->shape, &dy->shape),
      .gradient_stride = sl_value_pixel (dx),
  };
  params.pool.out_stride = sl_value_pixel (dy);
  return params;
}

static void
max_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *dy = node->inputs[1];
  if (sl_window_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  SlPool2dGradientParams params = gradient_params (node, dy);
  params.pool.in_stride = sl_value_pixel (x);
  sl_lower (to, "max_pool2d_gradient", &params, x, dy, node->outputs[0]);
}

static void
average_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *dy = node->inputs[0];
  if (sl_window_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  SlPool2dGradientParams params = gradient_params (node, dy);
  sl_lower (to, "average_pool2d_gradient", &params, dy, node->outputs[0]);
}

static void
gradient_cost (const SlNode *node, SlCost *ret_cost)
{
  const PoolGradientAttrs *attrs = node->attrs;
  size_t windows = 0;
  sl_shape_get_elements (&node->inputs[node->n_inputs - 1]->shape, &windows);
  ret_cost->flops = 2 * (double)windows;
  for (uint32_t i = 0; i < attrs->pool.window.kernel_shape.n; i++)
    ret_cost->flops *= (double)attrs->pool.window.kernel_shape.v[i];
}

#define GRADIENT                                                                              \
  .domain = SL_DOMAIN, .min_outputs = 1, .max_outputs = 1,                                    \
  .attrs_size = sizeof (PoolGradientAttrs), .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT, \
  .layouts = SL_LAYOUTS_SPATIAL, .row_major_only = sl_window_row_major_only, .cost = gradient_cost

/* x, dy → dx */
static const SlOpClass max_gradient = {
    .name = "MaxPoolGradient",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = max_attrs,
    .picture_inputs = 1 << 1,
    .infer = max_infer,
    .reference = max_reference,
    .lower = max_lower,
    GRADIENT,
};

/* dy → dx */
static const SlOpClass average_gradient = {
    .name = "AveragePoolGradient",
    .min_inputs = 1,
    .max_inputs = 1,
    .attrs = average_attrs,
    .infer = average_infer,
    .reference = average_reference,
    .lower = average_lower,
    GRADIENT,
};

SlValue *
sl_max_pool_gradient (SlGradients *to, const SlNode *of, const SlPoolAttrs *attrs, SlValue *x,
                      SlValue *dy)
{
  PoolGradientAttrs gradient = {.pool = *attrs};
  SlValue *inputs[] = {x, dy};
  return sl_gradients_node (to, of, &max_gradient, &gradient, 2, inputs);
}

SlValue *
sl_max_pool_find_result (const SlNode *gradient, const SlValue *x)
{
  const SlOpClass *max_pool = sl_op_find ("MaxPool");
  if (gradient->op != &max_gradient || gradient->inputs[0] != x)
    return NULL;
  for (uint32_t i = 0; i < x->uses->len; i++) {
    const SlNode *node = g_ptr_array_index (x->uses, i);
    if (node->op == max_pool && memcmp (node->attrs, gradient->attrs, sizeof (SlPoolAttrs)) == 0)
      return node->outputs[0];
  }
  return NULL;
}

SlValue *
sl_average_pool_gradient (SlGradients *to, const SlNode *of, const SlPoolAttrs *attrs,
                          const SlShape *x, SlValue *dy)
{
  PoolGradientAttrs gradient = {.pool = *attrs, .shape = {.n = x->rank}};
  memcpy (gradient.shape.v, x->dim, x->rank * sizeof x->dim[0]);
  return sl_gradients_node (to, of, &average_gradient, &gradient, 1, &dy);
}

const SlOpClass *const sl_ops_pool_gradient[] = {&max_gradient, &average_gradient, NULL};
