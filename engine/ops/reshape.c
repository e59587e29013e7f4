/* The same elements in row-major order under another shape:
 * https://onnx.ai/onnx/operators/onnx__Reshape.html, Flatten, Squeeze, Unsqueeze. */
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <string.h>

static void
same_reference (const SlRefCall *call)
{
  if (call->outputs[0]->n > 0)
    memcpy (call->outputs[0]->data, call->inputs[0]->data, call->outputs[0]->n * sizeof (double));
}

/* Both sides are row-major. */
static void
same_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  size_t elements = 0;
  sl_shape_get_elements (&y->shape, &elements);
  if (sl_value_lies_at (y, x, 0) || elements == 0)
    return;
  const SlShape dims = SL_SHAPE ((int64_t)elements);
  const SlWalk walk = {.stride = {1}};
  sl_lower_copy (to, &dims, x, &walk, y, &walk);
}

static void
no_cost (const SlNode *node, SlCost *ret_cost)
{
  *ret_cost = (SlCost){0};
}

/* A shape that stays the same: nothing is left to do. An output of the graph keeps its node where
 * the input is one, too, or comes from outside. */
static SlValue *
same_simplify (SlGraph *graph, SlNode *node)
{
  SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (!sl_shape_equal (&x->shape, &y->shape) ||
      (sl_value_is_wanted (y) && (sl_value_is_wanted (x) || x->kind != SL_VALUE_ACTIVATION)))
    return NULL;
  return x;
}

/* Members that all classes of the family share. */
#define RESHAPES                                                                               \
  .min_outputs = 1, .max_outputs = 1, .traits = SL_TRAIT_RESHAPE, .reference = same_reference, \
  .lower = same_lower, .simplify = same_simplify, .gradient = sl_gradient_same, .cost = no_cost

/* --- Reshape --- */

typedef struct ReshapeAttrs {
  bool allowzero; /* a 0 is a dimension of size 0, not "as in the input" */
} ReshapeAttrs;

static const SlAttrSpec reshape_attrs[] = {
    {.name = "allowzero", .type = SL_ATTR_BOOL, .offset = offsetof (ReshapeAttrs, allowzero)},
    {0},
};

static gboolean
reshape_misfit (const SlNode *node, const SlInts *wanted, GError **error)
{
  g_autofree char *from = sl_shape_to_string (&node->inputs[0]->shape);
  g_autoptr (GString) to = g_string_new (NULL);
  for (uint32_t i = 0; i < wanted->n; i++)
    g_string_append_printf (to, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", wanted->v[i]);
  sl_node_error (node, error, SL_ERROR_SHAPE, "an input of %s cannot take the shape [%s]", from,
                 to->str);
  return FALSE;
}

/* Copies the dimensions that stand as numbers or as 0; *ret_open is the place of the -1, or the
 * rank. */
static bool
read_dims (const SlInts *wanted, const SlShape *x, bool allowzero, SlShape *ret_y,
           uint32_t *ret_open)
{
  if (wanted->n > SL_MAX_RANK)
    return false;
  *ret_y = (SlShape){.rank = wanted->n};
  *ret_open = wanted->n;
  for (uint32_t i = 0; i < wanted->n; i++) {
    int64_t dim = wanted->v[i];
    if (dim == 0 && !allowzero) {
      if (i >= x->rank)
        return false;
      dim = x->dim[i];
    }
    if (dim < -1 || (dim == -1 && *ret_open < wanted->n))
      return false;
    if (dim == -1)
      *ret_open = i;
    ret_y->dim[i] = dim == -1 ? 1 : dim;
  }
  return true;
}

static gboolean
reshape_infer (SlNode *node, GError **error)
{
  const ReshapeAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SlInts wanted;
  SlShape y;
  uint32_t open;
  size_t n = 0, known = 0;
  if (!sl_infer_constant_ints (node, 1, &wanted, error))
    return FALSE;
  sl_shape_get_elements (x, &n);
  if (!read_dims (&wanted, x, attrs->allowzero, &y, &open) || !sl_shape_get_elements (&y, &known))
    return reshape_misfit (node, &wanted, error);
  if (open < y.rank) {
    if (known == 0 || n % known != 0)
      return reshape_misfit (node, &wanted, error);
    y.dim[open] = (int64_t)(n / known);
  } else if (known != n) {
    return reshape_misfit (node, &wanted, error);
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static gboolean
reshape_import_attr (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"shape", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, NULL, error);
}

static const SlOnnxForm reshape_forms[] = {
    {.since = 1, .import = reshape_import_attr},
    {.since = 5},
    {0},
};

static const SlOpClass reshape = {
    .name = "Reshape",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = reshape_attrs,
    .attrs_size = sizeof (ReshapeAttrs),
    .infer = reshape_infer,
    .forms = reshape_forms,
    RESHAPES,
};

SlNode *
sl_add_reshape (SlGraph *graph, const char *name, SlValue *value, SlValue *shape, SlValue *output)
{
  const ReshapeAttrs attrs = {.allowzero = true};
  SlValue *inputs[] = {value, shape};
  return sl_graph_add_node (graph, &reshape, name, &attrs, 2, inputs, 1, &output);
}

/* --- Flatten: dimensions before and from the axis on, as a matrix --- */

typedef struct FlattenAttrs {
  int64_t axis;
} FlattenAttrs;

static const SlAttrSpec flatten_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (FlattenAttrs, axis), .preset = 1},
    {0},
};

static gboolean
flatten_infer (SlNode *node, GError **error)
{
  FlattenAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  int64_t rank = x->rank;
  if (attrs->axis != rank && !sl_infer_axis (node, &attrs->axis, x->rank, error))
    return FALSE;
  SlShape part[2] = {{0}, {0}}, y = {.rank = 2};
  for (int64_t i = 0; i < rank; i++) {
    SlShape *to = &part[i >= attrs->axis];
    to->dim[to->rank++] = x->dim[i];
  }
  for (uint32_t i = 0; i < 2; i++) {
    size_t elements;
    y.dim[i] = sl_shape_get_elements (&part[i], &elements) ? (int64_t)elements : -1;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static const SlOpClass flatten = {
    .name = "Flatten",
    .min_inputs = 1,
    .max_inputs = 1,
    .attrs = flatten_attrs,
    .attrs_size = sizeof (FlattenAttrs),
    .infer = flatten_infer,
    RESHAPES,
};

SlValue *
sl_flatten (const SlImport *im, SlValue *value, int64_t axis)
{
  return sl_import_add (im, &flatten, &(FlattenAttrs){.axis = axis}, 1, &value);
}

/* --- Squeeze and Unsqueeze: dimensions of size 1 go and come --- */

/* Marks the axes of input 1, which count in a shape of `rank` dimensions. */
static gboolean
mark_axes (const SlNode *node, uint32_t rank, bool marked[SL_MAX_RANK], GError **error)
{
  SlInts axes;
  if (!sl_infer_constant_ints (node, 1, &axes, error))
    return FALSE;
  for (uint32_t i = 0; i < axes.n; i++) {
    if (!sl_infer_axis (node, &axes.v[i], rank, error))
      return FALSE;
    if (marked[axes.v[i]]) {
      sl_node_error (node, error, SL_ERROR_SHAPE, "axis %" G_GINT64_FORMAT " stands twice",
                     axes.v[i]);
      return FALSE;
    }
    marked[axes.v[i]] = true;
  }
  return TRUE;
}

static gboolean
squeeze_infer (SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape;
  bool marked[SL_MAX_RANK] = {false}, all = sl_node_input (node, 1) == NULL;
  if (!all && !mark_axes (node, x->rank, marked, error))
    return FALSE;
  SlShape y = {0};
  for (uint32_t i = 0; i < x->rank; i++) {
    if (marked[i] && x->dim[i] != 1) {
      g_autofree char *shape = sl_shape_to_string (x);
      sl_node_error (node, error, SL_ERROR_SHAPE, "axis %u of an input of %s is not 1", i, shape);
      return FALSE;
    }
    if (!marked[i] && !(all && x->dim[i] == 1))
      y.dim[y.rank++] = x->dim[i];
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static gboolean
unsqueeze_infer (SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape;
  bool marked[SL_MAX_RANK] = {false};
  SlInts axes;
  if (!sl_infer_constant_ints (node, 1, &axes, error))
    return FALSE;
  SlShape y = {.rank = x->rank + axes.n};
  if (y.rank > SL_MAX_RANK) {
    sl_node_error (node, error, SL_ERROR_LIMIT, "the output would have %u dimensions, %d at most",
                   y.rank, SL_MAX_RANK);
    return FALSE;
  }
  if (!mark_axes (node, y.rank, marked, error))
    return FALSE;
  for (uint32_t i = 0, from = 0; i < y.rank; i++)
    y.dim[i] = marked[i] ? 1 : x->dim[from++];
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static gboolean
import_axes (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"axes", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, NULL, error);
}

static const SlOnnxForm axes_forms[] = {
    {.since = 1, .import = import_axes},
    {.since = 13},
    {0},
};

static const SlOpClass squeeze = {
    .name = "Squeeze",
    .min_inputs = 1,
    .max_inputs = 2,
    .infer = squeeze_infer,
    .forms = axes_forms,
    RESHAPES,
};

static const SlOpClass unsqueeze = {
    .name = "Unsqueeze",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = unsqueeze_infer,
    .forms = axes_forms,
    RESHAPES,
};

/* --- AlignAxis: input 0 beside input 1 as ONNX broadcast before opset 7 --- */

static gboolean
align_infer (SlNode *node, GError **error)
{
  const FlattenAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, *other = &node->inputs[1]->shape;
  int64_t axis = attrs->axis;
  if (!sl_infer_axis (node, &axis, MAX (other->rank, 1), error))
    return FALSE;
  if (axis + x->rank > other->rank && x->rank > 0) {
    g_autofree char *from = sl_shape_to_string (x);
    g_autofree char *to = sl_shape_to_string (other);
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "%s does not fit %s from axis %" G_GINT64_FORMAT " on", from, to, axis);
    return FALSE;
  }
  SlShape y = *x;
  while (y.rank > 0 && axis + y.rank < other->rank)
    y.dim[y.rank++] = 1;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static const SlOpClass align_axis = {
    .name = "AlignAxis",
    .domain = SL_DOMAIN,
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = flatten_attrs,
    .attrs_size = sizeof (FlattenAttrs),
    .infer = align_infer,
    RESHAPES,
};

SlValue *
sl_align_axis (const SlImport *im, SlValue *value, SlValue *other, int64_t axis)
{
  SlValue *inputs[] = {value, other};
  return sl_import_add (im, &align_axis, &(FlattenAttrs){.axis = axis}, 2, inputs);
}

const SlOpClass *const sl_ops_reshape[] = {
    &reshape, &flatten, &squeeze, &unsqueeze, &align_axis, NULL,
};
