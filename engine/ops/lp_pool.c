/* p-norms over windows and over everything: https://onnx.ai/onnx/operators/onnx__LpPool.html,
 * …/onnx__GlobalLpPool.html */
#include "ops/gradient.h"
#include "ops/shape.h"
#include "ops/window.h"

#include <math.h>

typedef struct LpPoolAttrs {
  SlWindow window;
  int64_t p;
} LpPoolAttrs;

static const SlAttrSpec lp_pool_attrs[] = {
    SL_WINDOW_ATTRS,
    {.name = "ceil_mode", .type = SL_ATTR_BOOL, .offset = offsetof (SlWindow, ceil_mode)},
    {.name = "p", .type = SL_ATTR_INT, .offset = offsetof (LpPoolAttrs, p), .preset = 2},
    {0},
};

static const SlAttrSpec global_lp_pool_attrs[] = {
    {.name = "p", .type = SL_ATTR_INT, .offset = offsetof (LpPoolAttrs, p), .preset = 2},
    {0},
};

static gboolean
check_power (const SlNode *node, GError **error)
{
  const LpPoolAttrs *attrs = node->attrs;
  if (attrs->p >= 1)
    return TRUE;
  sl_node_error (node, error, SL_ERROR_SHAPE, "p is %" G_GINT64_FORMAT ", expected 1 or more",
                 attrs->p);
  return FALSE;
}

static gboolean
lp_pool_infer (SlNode *node, GError **error)
{
  LpPoolAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  if (!sl_infer_float_inputs (node, error) || !check_power (node, error))
    return FALSE;
  if (attrs->window.kernel_shape.n == 0) {
    sl_node_error (node, error, SL_ERROR_MALFORMED, "attribute kernel_shape is missing");
    return FALSE;
  }
  SlShape y = x->shape;
  if (!sl_window_infer (node, &attrs->window, &x->shape, &y, error))
    return FALSE;
  sl_infer_output (node, 0, x->dtype, &y);
  return TRUE;
}

/* Padding counts as zeros, which add nothing. */
static double
norm_of_window (const SlWindow3 *w, const double *x, double p, const int64_t origin[3])
{
  int64_t k[3] = {0}, at[3];
  double sum = 0;
  do {
    if (sl_window_is_inside (w, origin, k, at))
      sum += pow (fabs (x[(at[0] * w->in[1] + at[1]) * w->in[2] + at[2]]), p);
  } while (sl_window_next (w, k));
  return pow (sum, 1 / p);
}

static void
lp_pool_reference (const SlRefCall *call)
{
  const LpPoolAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &y->shape);
  size_t plane = (size_t)(w.in[0] * w.in[1] * w.in[2]);
  size_t results = (size_t)(w.out[0] * w.out[1] * w.out[2]);
  SlShape out = {.rank = 3, .dim = {w.out[0], w.out[1], w.out[2]}};
  SlIndex at = {.rank = 3};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&at, &out)) {
    const int64_t origin[3] = {at.at[0] * w.stride[0] - w.pad[0], at.at[1] * w.stride[1] - w.pad[1],
                               at.at[2] * w.stride[2] - w.pad[2]};
    y->f[i] = norm_of_window (&w, x->f + i / results * plane, (double)attrs->p, origin);
  }
}

static void
lp_pool_cost (const SlNode *node, SlCost *ret_cost)
{
  const LpPoolAttrs *attrs = node->attrs;
  size_t out = 0;
  sl_shape_get_elements (&node->outputs[0]->shape, &out);
  ret_cost->flops = 2 * (double)out;
  for (uint32_t i = 0; i < attrs->window.kernel_shape.n; i++)
    ret_cost->flops *= (double)attrs->window.kernel_shape.v[i];
}

/* --- Gradient: x, y, d → dx --- */

static gboolean
lp_pool_gradient_infer (SlNode *node, GError **error)
{
  sl_infer_output (node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape);
  return TRUE;
}

/* Each element gets sign (x) (|x| / y)^(p - 1) d of each window that it is in. */
static void
lp_pool_gradient_reference (const SlRefCall *call)
{
  const LpPoolAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0], *y = call->inputs[1], *d = call->inputs[2];
  const SlWindow3 w = sl_window_3d (&attrs->window, &x->shape, &y->shape);
  const size_t plane = (size_t)(w.in[0] * w.in[1] * w.in[2]);
  const size_t results = (size_t)(w.out[0] * w.out[1] * w.out[2]);
  const SlShape out = {.rank = 3, .dim = {w.out[0], w.out[1], w.out[2]}};
  double *dx = call->outputs[0]->f;
  SlIndex at = {.rank = 3};
  for (size_t i = 0; i < x->n; i++)
    dx[i] = 0;
  for (size_t i = 0; i < y->n; i++, sl_index_next (&at, &out)) {
    int64_t origin[3], k[3] = {0}, in[3];
    for (uint32_t a = 0; a < 3; a++)
      origin[a] = at.at[a] * w.stride[a] - w.pad[a];
    do {
      if (y->f[i] <= 0 || !sl_window_is_inside (&w, origin, k, in))
        continue;
      const size_t to = i / results * plane + (size_t)((in[0] * w.in[1] + in[1]) * w.in[2] + in[2]);
      dx[to] +=
          copysign (pow (fabs (x->f[to]) / y->f[i], (double)attrs->p - 1), x->f[to]) * d->f[i];
    } while (sl_window_next (&w, k));
  }
}

static const SlOpClass lp_pool_gradient = {
    .name = "LpPoolGradient",
    .domain = SL_DOMAIN,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = lp_pool_attrs,
    .attrs_size = sizeof (LpPoolAttrs),
    .infer = lp_pool_gradient_infer,
    .reference = lp_pool_gradient_reference,
};

static gboolean
give_lp_pool (SlGradients *to, SlNode *node, GError **error)
{
  SlValue *inputs[] = {node->inputs[0], node->outputs[0], sl_gradients_get (to, node, 0)};
  sl_gradients_give (to, node, 0,
                     sl_gradients_node (to, node, &lp_pool_gradient, node->attrs, 3, inputs));
  return TRUE;
}

static const SlOpClass lp_pool = {
    .name = "LpPool",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = lp_pool_attrs,
    .attrs_size = sizeof (LpPoolAttrs),
    .infer = lp_pool_infer,
    .reference = lp_pool_reference,
    .gradient = give_lp_pool,
    .cost = lp_pool_cost,
};

/* --- Over all positions: (N, C, …) → (N, C, 1, …) --- */

static gboolean
global_lp_pool_infer (SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0];
  if (!sl_infer_float_inputs (node, error) || !check_power (node, error))
    return FALSE;
  if (x->shape.rank < 3) {
    g_autofree char *shape = sl_shape_to_string (&x->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "input is %s, expected positions to pool over",
                   shape);
    return FALSE;
  }
  SlShape y = x->shape;
  for (uint32_t i = 2; i < y.rank; i++)
    y.dim[i] = 1;
  sl_infer_output (node, 0, x->dtype, &y);
  return TRUE;
}

static void
global_lp_pool_reference (const SlRefCall *call)
{
  const LpPoolAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  size_t size = y->n > 0 ? x->n / y->n : 0;
  for (size_t i = 0; i < y->n; i++) {
    double sum = 0;
    for (size_t k = i * size; k < (i + 1) * size; k++)
      sum += pow (fabs (x->f[k]), (double)attrs->p);
    y->f[i] = pow (sum, 1 / (double)attrs->p);
  }
}

static gboolean
global_lp_pool_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const LpPoolAttrs *attrs = node->attrs;
  SlFormula f = sl_formula (to, node);
  sl_formula_bind_number (&f, 'p', (double)attrs->p - 1);
  sl_gradients_give (to, node, 0,
                     sl_formula_add (&f, "q = y > 0 ? d / Pow (y, p) : 0;"
                                         "q * (Sign (x) * Pow (Abs (x), p))"));
  return TRUE;
}

static void
global_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &n);
  ret_cost->flops = 2 * (double)n;
}

static const SlOpClass global_lp_pool = {
    .name = "GlobalLpPool",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = global_lp_pool_attrs,
    .attrs_size = sizeof (LpPoolAttrs),
    .infer = global_lp_pool_infer,
    .reference = global_lp_pool_reference,
    .gradient = global_lp_pool_gradient,
    .cost = global_cost,
};

const SlOpClass *const sl_ops_lp_pool[] = {&lp_pool, &lp_pool_gradient, &global_lp_pool, NULL};
