/* Mod: https://onnx.ai/onnx/operators/onnx__Mod.html */
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>

typedef struct ModAttrs {
  bool fmod; /* the remainder has the dividend's sign, as in C; else the divisor's, as in Python */
} ModAttrs;

static const SlAttrSpec mod_attrs[] = {
    {.name = "fmod", .type = SL_ATTR_BOOL, .offset = offsetof (ModAttrs, fmod)},
    {0},
};

static gboolean
mod_infer (SlNode *node, GError **error)
{
  const ModAttrs *attrs = node->attrs;
  const SlValue *a = node->inputs[0], *b = node->inputs[1];
  bool fits = a->dtype == b->dtype && a->dtype != SL_BOOL;
  SlShape shape;
  if (!fits) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s modulo %s ('%s')", sl_dtype_get_name (a->dtype),
                   sl_dtype_get_name (b->dtype), b->name);
    return FALSE;
  }
  if (sl_dtype_is_float (a->dtype) && !attrs->fmod) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "%s with fmod 0, expected 1",
                   sl_dtype_get_name (a->dtype));
    return FALSE;
  }
  if (!sl_infer_broadcast (node, &shape, error))
    return FALSE;
  sl_infer_output (node, 0, a->dtype, &shape);
  return TRUE;
}

/* ONNX leaves a divisor of 0 open: it gives 0. uint64 comes as a bit pattern. */
static int64_t
mod_ints (int64_t a, int64_t b, SlDType dtype, bool like_c)
{
  if (b == 0)
    return 0;
  if (dtype == SL_UINT64)
    return (int64_t)((uint64_t)a % (uint64_t)b);
  int64_t rest = b == -1 ? 0 : a % b; /* the smallest integer has no quotient by -1 */
  return !like_c && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static void
mod_reference (const SlRefCall *call)
{
  const ModAttrs *attrs = call->attrs;
  const SlRefTensor *a = call->inputs[0], *b = call->inputs[1];
  SlRefTensor *y = call->outputs[0];
  SlIndex index = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&index, &y->shape)) {
    size_t at_a = sl_index_offset (&index, &a->shape), at_b = sl_index_offset (&index, &b->shape);
    if (sl_dtype_is_float (y->dtype))
      y->f[i] = fmod (a->f[at_a], b->f[at_b]);
    else
      y->i[i] = mod_ints (a->i[at_a], b->i[at_b], y->dtype, attrs->fmod);
  }
}

/* a - b * trunc (a / b), of floats. */
static gboolean
mod_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'b', node->inputs[1]);
  sl_gradients_give (to, node, 0, f.bound['d' - 'a']);
  if (sl_gradients_want (to, node, 1))
    sl_gradients_give (to, node, 1,
                       sl_formula_add (&f, "q = x / b; -(d * (Sign (q) * Floor (Abs (q))))"));
  return TRUE;
}

static const SlOnnxForm mod_forms[] = {{.since = 10}, {0}};

static const SlOpClass mod = {
    .name = "Mod",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = mod_attrs,
    .attrs_size = sizeof (ModAttrs),
    .infer = mod_infer,
    .reference = mod_reference,
    .gradient = mod_gradient,
    .forms = mod_forms,
};

const SlOpClass *const sl_ops_mod[] = {&mod, NULL};
