/* Pad: https://onnx.ai/onnx/operators/onnx__Pad.html */
#include "kernels/copy.h"
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <string.h>

enum { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };

static const char *const pad_modes[] = {"constant", "reflect", "edge", "wrap", NULL};

typedef struct PadAttrs {
  uint32_t mode;
  SlInts pads; /* set by inference: all beginnings, then all ends, of every dimension */
} PadAttrs;

static const SlAttrSpec pad_attrs[] = {
    {.name = "mode",
     .type = SL_ATTR_ENUM,
     .offset = offsetof (PadAttrs, mode),
     .choices = pad_modes},
    {.name = ".pads", .type = SL_ATTR_INTS, .offset = offsetof (PadAttrs, pads)},
    {0},
};

/* More than this on one side is a mistake, and sums would overflow. */
#define PAD_MAX ((int64_t)1 << 40)

/* Inputs: x, pads, constant value, axes. */
static gboolean
read_pads (const SlNode *node, SlInts *pads, GError **error)
{
  uint32_t rank = node->inputs[0]->shape.rank;
  SlInts given, axes = {.n = rank};
  for (uint32_t i = 0; i < rank; i++)
    axes.v[i] = i;
  if (!sl_infer_constant_ints (node, 1, &given, error) ||
      (sl_node_input (node, 3) != NULL && !sl_infer_constant_ints (node, 3, &axes, error)))
    return FALSE;
  if (given.n != 2 * axes.n) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "%u pads for %u axes, expected %u", given.n, axes.n,
                   2 * axes.n);
    return FALSE;
  }
  pads->n = 2 * rank;
  memset (pads->v, 0, sizeof pads->v);
  uint32_t seen = 0;
  for (uint32_t i = 0; i < axes.n; i++) {
    int64_t begin = given.v[i], end = given.v[axes.n + i];
    if (!sl_infer_axis (node, &axes.v[i], rank, error))
      return FALSE;
    if (MIN (begin, end) < -PAD_MAX || MAX (begin, end) > PAD_MAX || (seen & 1u << axes.v[i])) {
      sl_node_error (node, error, SL_ERROR_SHAPE,
                     "pads of %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                     " on axis %" G_GINT64_FORMAT,
                     begin, end, axes.v[i]);
      return FALSE;
    }
    seen |= 1u << axes.v[i];
    pads->v[axes.v[i]] = begin;
    pads->v[rank + axes.v[i]] = end;
  }
  return TRUE;
}

static gboolean
check_value (const SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0], *value = sl_node_input (node, 2);
  size_t n = 1;
  if (value != NULL)
    sl_shape_get_elements (&value->shape, &n);
  /* A value from an attribute is float32, whatever the input's precision. */
  if (value == NULL || (n == 1 && (value->dtype == x->dtype || (sl_dtype_is_float (value->dtype) &&
                                                                sl_dtype_is_float (x->dtype)))))
    return TRUE;
  g_autofree char *shape = sl_shape_to_string (&value->shape);
  sl_node_error (node, error, SL_ERROR_SHAPE, "value '%s' is %s of %s, expected a scalar of %s",
                 value->name, shape, sl_dtype_get_name (value->dtype),
                 sl_dtype_get_name (x->dtype));
  return FALSE;
}

static gboolean
pad_infer (SlNode *node, GError **error)
{
  PadAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (!read_pads (node, &attrs->pads, error) || !check_value (node, error))
    return FALSE;
  SlShape y = *x;
  for (uint32_t i = 0; i < x->rank; i++) {
    int64_t begin = attrs->pads.v[i], end = attrs->pads.v[x->rank + i];
    y.dim[i] = x->dim[i] + begin + end;
    if (y.dim[i] >= 0 && (attrs->mode == PAD_CONSTANT || x->dim[i] > 0 || y.dim[i] == 0))
      continue;
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "pads of %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                   " around a dimension of %" G_GINT64_FORMAT,
                   begin, end, x->dim[i]);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static int64_t
modulo (int64_t a, int64_t n)
{
  return a % n < 0 ? a % n + n : a % n;
}

/* Which of `size` elements stands at position `at`, counted from the first: as NumPy's pad does it.
 */
static int64_t
mirror (uint32_t mode, int64_t at, int64_t size)
{
  if (mode == PAD_EDGE || size == 1)
    return CLAMP (at, 0, size - 1);
  if (mode == PAD_WRAP)
    return modulo (at, size);
  int64_t there = modulo (at, 2 * (size - 1)); /* forth and back, the ends once each */
  return there < size ? there : 2 * (size - 1) - there;
}

static void
store_value (SlRefTensor *y, size_t i, const SlRefTensor *value)
{
  if (value != NULL)
    sl_ref_move (y, i, value, 0);
  else if (sl_dtype_is_float (y->dtype))
    y->f[i] = 0;
  else
    y->i[i] = 0;
}

static void
pad_reference (const SlRefCall *call)
{
  const PadAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  const SlRefTensor *value = call->n_inputs > 2 ? call->inputs[2] : NULL;
  SlRefTensor *y = call->outputs[0];
  SlIndex to = {.rank = y->shape.rank}, from = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&to, &y->shape)) {
    bool inside = true;
    for (uint32_t d = 0; d < to.rank; d++) {
      int64_t at = to.at[d] - attrs->pads.v[d], size = x->shape.dim[d];
      if (attrs->mode != PAD_CONSTANT)
        at = mirror (attrs->mode, at, size);
      inside = inside && at >= 0 && at < size;
      from.at[d] = at;
    }
    if (inside)
      sl_ref_move (y, i, x, sl_index_offset (&from, &x->shape));
    else
      store_value (y, i, value);
  }
}

/* --- Steps: copies move any type in any layout --- */

/* One copy a side takes what lies next to it: nothing beyond one period, and nothing cut off. */
static bool
is_one_period (const SlNode *node)
{
  const PadAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  for (uint32_t i = 0; i < attrs->pads.n; i++) {
    int64_t size = x->dim[i % x->rank];
    int64_t most = attrs->mode == PAD_REFLECT ? size - 1 : attrs->mode == PAD_WRAP ? size : PAD_MAX;
    if (attrs->pads.v[i] < 0 || attrs->pads.v[i] > most)
      return false;
  }
  return true;
}

static gboolean
pad_row_major_only (const SlNode *node)
{
  const PadAttrs *attrs = node->attrs;
  const SlValue *value = sl_node_input (node, 2);
  if (attrs->mode != PAD_CONSTANT)
    return !is_one_period (node);
  return value != NULL && value->dtype != node->inputs[0]->dtype;
}

/* Everything that is there both before and after: where it begins in x and in y, and its size. */
static void
lower_middle (const SlNode *node, SlLowering *to, SlShape *ret_dims)
{
  const PadAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlWalk from = sl_walk (x), into = sl_walk (y);
  *ret_dims = x->shape;
  for (uint32_t i = 0; i < x->shape.rank; i++) {
    int64_t begin = attrs->pads.v[i], end = attrs->pads.v[x->shape.rank + i];
    int64_t size = x->shape.dim[i] + MIN (begin, 0) + MIN (end, 0);
    from.offset += (ptrdiff_t)MAX (-begin, 0) * from.stride[i];
    into.offset += (ptrdiff_t)MAX (begin, 0) * into.stride[i];
    ret_dims->dim[i] = MAX (size, 0);
  }
  sl_lower_copy (to, ret_dims, x, &from, y, &into);
}

static void
lower_constant (const SlNode *node, SlLowering *to)
{
  const SlValue *y = node->outputs[0], *value = sl_node_input (node, 2);
  SlWalk into = sl_walk (y), same = {0};
  SlShape dims;
  if (value != NULL) {
    sl_lower_copy (to, &y->shape, value, &same, y, &into);
  } else {
    SlFillParams params = {.element_size = (uint32_t)sl_value_get_element_size (y)};
    sl_shape_get_elements (&y->shape, &params.count);
    sl_lower (to, "fill", &params, y);
  }
  lower_middle (node, to, &dims);
}

/* The margins of y on one axis, from y itself: other axes are `dims` wide there by now, from
 * `origin`. */
static void
lower_margins (const SlNode *node, SlLowering *to, uint32_t axis, SlShape *dims, SlWalk *origin)
{
  const PadAttrs *attrs = node->attrs;
  const SlValue *y = node->outputs[0];
  int64_t size = dims->dim[axis],
          pads[] = {attrs->pads.v[axis], attrs->pads.v[attrs->pads.n / 2 + axis]};
  ptrdiff_t stride = origin->stride[axis];
  for (uint32_t side = 0; side < 2; side++) {
    SlWalk from = *origin, into = *origin;
    int64_t first = side == 0 ? -pads[0] : size; /* of the margin, counted from the origin */
    SlShape margin = *dims;
    margin.dim[axis] = pads[side];
    into.offset += (ptrdiff_t)first * stride;
    from.offset += (ptrdiff_t)mirror (attrs->mode, first, size) * stride;
    from.stride[axis] = attrs->mode == PAD_EDGE ? 0 : attrs->mode == PAD_WRAP ? stride : -stride;
    if (pads[side] > 0)
      sl_lower_copy (to, &margin, y, &from, y, &into);
  }
  dims->dim[axis] += pads[0] + pads[1];
  origin->offset -= (ptrdiff_t)pads[0] * stride;
}

static void
pad_lower (const SlNode *node, SlLowering *to)
{
  const PadAttrs *attrs = node->attrs;
  const SlValue *y = node->outputs[0];
  size_t elements = 0;
  sl_shape_get_elements (&y->shape, &elements);
  if (pad_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  if (elements == 0)
    return;
  if (attrs->mode == PAD_CONSTANT) {
    lower_constant (node, to);
    return;
  }
  SlShape dims;
  lower_middle (node, to, &dims);
  SlWalk origin = sl_walk (y);
  for (uint32_t i = 0; i < y->shape.rank; i++)
    origin.offset += (ptrdiff_t)attrs->pads.v[i] * origin.stride[i];
  for (uint32_t i = 0; i < y->shape.rank; i++)
    lower_margins (node, to, i, &dims, &origin);
}

static gboolean
pad_is_nothing (const PadAttrs *attrs)
{
  for (uint32_t i = 0; i < attrs->pads.n; i++)
    if (attrs->pads.v[i] != 0)
      return FALSE;
  return TRUE;
}

static SlValue *
pad_simplify (SlGraph *graph, SlNode *node)
{
  return pad_is_nothing (node->attrs) ? node->inputs[0] : NULL;
}

/* What stands around x goes to the value; x gets the rest. */
static void
give_constant (SlGradients *to, SlNode *node)
{
  const PadAttrs *attrs = node->attrs;
  const uint32_t rank = node->inputs[0]->shape.rank;
  SlValue *d = sl_gradients_get (to, node, 0), *value = sl_node_input (node, 2);
  int64_t back[2 * SL_MAX_RANK];
  for (uint32_t i = 0; i < 2 * rank; i++)
    back[i] = -attrs->pads.v[i];
  SlValue *inside = sl_gradient_pad (to, node, d, back, back + rank);
  sl_gradients_give (to, node, 0, inside);
  if (!sl_gradients_want (to, node, 2))
    return;
  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'i',
                   sl_gradient_pad (to, node, inside, attrs->pads.v, attrs->pads.v + rank));
  SlValue *sum = sl_gradient_sum_to (to, node, sl_formula_add (&f, "d - i"), &(SlShape){0});
  sum = sl_gradient_cast (to, node, sum, value->dtype);
  sl_gradients_give (to, node, 2, sl_gradient_reshape (to, node, sum, &value->shape));
}

/* Elements that stand there several times get the sum, one axis after the other. */
static gboolean
pad_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const PadAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  if (attrs->mode == PAD_CONSTANT) {
    give_constant (to, node);
    return TRUE;
  }
  SlValue *d = sl_gradients_get (to, node, 0);
  for (uint32_t i = 0; i < x->rank; i++) {
    const int64_t in = x->dim[i], out = d->shape.dim[i];
    if (attrs->pads.v[i] == 0 && attrs->pads.v[x->rank + i] == 0)
      continue;
    g_autofree double *matrix = g_new0 (double, (gsize)(in * out) + 1);
    for (int64_t k = 0; k < out; k++)
      matrix[mirror (attrs->mode, k - attrs->pads.v[i], in) * out + k] = 1;
    d = sl_gradient_map_axis (to, node, d, i, in, matrix);
  }
  sl_gradients_give (to, node, 0, d);
  return TRUE;
}

static gboolean
pad_as_zero_border (const SlNode *node, SlInts *ret_pads)
{
  const PadAttrs *attrs = node->attrs;
  const SlValue *value = sl_node_input (node, 2);
  uint32_t rank = node->inputs[0]->shape.rank;
  if (attrs->mode != PAD_CONSTANT || rank < 3 ||
      (value != NULL &&
       (value->kind != SL_VALUE_CONSTANT || sl_tensor_get_double (value->data, 0) != 0)))
    return FALSE;
  *ret_pads = (SlInts){.n = 0};
  for (uint32_t i = 0; i < 2 * rank; i++) {
    int64_t pad = attrs->pads.v[i];
    if (pad < 0 || pad > G_MAXINT16 || (i % rank < 2 && pad != 0))
      return FALSE;
    if (i % rank >= 2)
      ret_pads->v[ret_pads->n++] = pad;
  }
  return TRUE;
}

static gboolean
pad_import_attrs (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"pads", "value", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, NULL, error);
}

static const SlOnnxForm pad_forms[] = {
    {.since = 1, .import = pad_import_attrs},
    {.since = 11},
    {0},
};

/* Not SLICE_OUT: the fill takes the output's memory as a whole. */
static const SlOpClass pad = {
    .name = "Pad",
    .min_inputs = 2,
    .max_inputs = 4,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = pad_attrs,
    .attrs_size = sizeof (PadAttrs),
    .traits = SL_TRAIT_SLICE_IN,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = pad_infer,
    .reference = pad_reference,
    .lower = pad_lower,
    .simplify = pad_simplify,
    .as_zero_border = pad_as_zero_border,
    .gradient = pad_gradient,
    .row_major_only = pad_row_major_only,
    .forms = pad_forms,
};

const SlOpClass *const sl_ops_pad[] = {&pad, NULL};
