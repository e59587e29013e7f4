/* Values made of shapes, and values repeated: https://onnx.ai/onnx/operators/onnx__Shape.html,
 * Size, Expand, Tile, Range, ConstantOfShape. The reader itself makes values of Constant nodes. */
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>
#include <string.h>

/* --- Shape and Size --- */

typedef struct ShapeAttrs {
  int64_t start, end;
} ShapeAttrs;

static const SlAttrSpec shape_attrs[] = {
    {.name = "start", .type = SL_ATTR_INT, .offset = offsetof (ShapeAttrs, start)},
    {.name = "end",
     .type = SL_ATTR_INT,
     .offset = offsetof (ShapeAttrs, end),
     .preset = SL_MAX_RANK},
    {0},
};

/* The dimensions from start on, before end. */
static void
get_range (const ShapeAttrs *attrs, const SlShape *x, int64_t *ret_start, int64_t *ret_end)
{
  int64_t rank = x->rank;
  *ret_start = CLAMP (attrs->start < 0 ? attrs->start + rank : attrs->start, 0, rank);
  *ret_end = CLAMP (attrs->end < 0 ? attrs->end + rank : attrs->end, *ret_start, rank);
}

static gboolean
shape_infer (SlNode *node, GError **error)
{
  int64_t start, end;
  get_range (node->attrs, &node->inputs[0]->shape, &start, &end);
  sl_infer_output (node, 0, SL_INT64, &SL_SHAPE (end - start));
  return TRUE;
}

static void
shape_reference (const SlRefCall *call)
{
  const SlShape *x = &call->inputs[0]->shape;
  int64_t start, end;
  get_range (call->attrs, x, &start, &end);
  for (int64_t i = start; i < end; i++)
    call->outputs[0]->i[i - start] = x->dim[i];
}

static const SlOpClass shape = {
    .name = "Shape",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = shape_attrs,
    .attrs_size = sizeof (ShapeAttrs),
    .traits = SL_TRAIT_SHAPE_ONLY,
    .infer = shape_infer,
    .reference = shape_reference,
};

static gboolean
size_infer (SlNode *node, GError **error)
{
  sl_infer_output (node, 0, SL_INT64, &(SlShape){0});
  return TRUE;
}

static void
size_reference (const SlRefCall *call)
{
  call->outputs[0]->i[0] = (int64_t)call->inputs[0]->n;
}

static const SlOpClass element_count = {
    .name = "Size",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_SHAPE_ONLY,
    .infer = size_infer,
    .reference = size_reference,
};

/* --- Expand: x broadcast against the shape in input 1 --- */

static gboolean
read_shape (const SlNode *node, uint32_t index, SlShape *ret_shape, GError **error)
{
  SlInts dims;
  if (!sl_infer_constant_ints (node, index, &dims, error))
    return FALSE;
  *ret_shape = (SlShape){.rank = dims.n};
  bool fits = dims.n <= SL_MAX_RANK;
  for (uint32_t i = 0; fits && i < dims.n; i++) {
    ret_shape->dim[i] = dims.v[i];
    fits = dims.v[i] >= 0;
  }
  if (fits)
    return TRUE;
  sl_node_error (node, error, SL_ERROR_SHAPE, "input %u, '%s', is no shape of up to %d dimensions",
                 index, node->inputs[index]->name, SL_MAX_RANK);
  return FALSE;
}

static gboolean
expand_infer (SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape;
  SlShape wanted, y;
  if (!read_shape (node, 1, &wanted, error))
    return FALSE;
  if (!sl_shape_broadcast (x, &wanted, &y)) {
    g_autofree char *from = sl_shape_to_string (x);
    g_autofree char *to = sl_shape_to_string (&wanted);
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s and %s do not broadcast", from, to);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static void
expand_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  SlIndex index = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&index, &y->shape))
    sl_ref_move (y, i, x, sl_index_offset (&index, &x->shape));
}

static void
expand_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlWalk from = sl_walk_broadcast (x, &y->shape), into = sl_walk (y);
  sl_lower_copy (to, &y->shape, x, &from, y, &into);
}

/* --- ConstantOfShape: one element, expanded --- */

/* A few bytes of a file name such a constant, so all of them together are limited: twice the
 * largest networks of the field. */
#define FILLED_MAX ((uint64_t)4 << 30)

/* The value attribute as a scalar; float32 0 by default. */
static SlTensor *
filling (const SlImport *im, GError **error)
{
  const SlRawAttr *raw = sl_import_attr (im, "value");
  const SlShape scalar = {0};
  if (im->n_attrs > (raw != NULL ? 1 : 0)) {
    sl_import_error (im, error, SL_ERROR_UNSUPPORTED, "%u attributes, expected value alone",
                     im->n_attrs);
    return NULL;
  }
  if (raw == NULL)
    return sl_tensor_new (SL_FLOAT32, &scalar, error);
  if (raw->type == SL_RAW_TENSOR && sl_tensor_get_elements (raw->tensor) == 1)
    return sl_tensor_new_copy (sl_tensor_get_dtype (raw->tensor), &scalar,
                               sl_tensor_get_data (raw->tensor), error);
  sl_import_error (im, error, SL_ERROR_MALFORMED, "attribute value is no tensor of one element");
  return NULL;
}

static bool
known_shape (const SlValue *dims, SlShape *ret_shape)
{
  size_t n = dims->kind == SL_VALUE_CONSTANT ? sl_tensor_get_elements (dims->data) : SIZE_MAX;
  if (n > SL_MAX_RANK || sl_dtype_is_float (dims->dtype))
    return false;
  *ret_shape = (SlShape){.rank = (uint32_t)n};
  for (size_t i = 0; i < n; i++)
    ret_shape->dim[i] = sl_tensor_get_int (dims->data, i);
  return sl_shape_get_elements (ret_shape, &n);
}

/* Output 0 becomes a constant full of `value`. */
static gboolean
fill_output (const SlImport *im, const SlTensor *value, const SlShape *wanted, GError **error)
{
  SlDType dtype = sl_tensor_get_dtype (value);
  size_t n = 0, size = sl_dtype_get_size (dtype);
  sl_shape_get_elements (wanted, &n);
  const uint64_t limit = im->graph->filled_limit > 0 ? im->graph->filled_limit : FILLED_MAX;
  if (n > (limit - MIN (im->graph->filled_bytes, limit)) / size) {
    g_autofree char *text = sl_shape_to_string (wanted);
    return sl_import_error (im, error, SL_ERROR_LIMIT,
                            "%s of %s is more than constants made of shapes may take", text,
                            sl_dtype_get_name (dtype));
  }
  g_autoptr (SlTensor) filled = sl_tensor_new (dtype, wanted, error);
  if (filled == NULL)
    return FALSE;
  char *data = sl_tensor_get_data_writable (filled);
  for (size_t i = 0; i < n; i++)
    memcpy (data + i * size, sl_tensor_get_data (value), size);
  im->graph->filled_bytes += n * size;
  SlValue *output = im->outputs[0];
  output->kind = SL_VALUE_CONSTANT;
  output->data = g_steal_pointer (&filled);
  output->dtype = dtype;
  output->shape = *wanted;
  output->has_shape = true;
  return TRUE;
}

/* Filled at once where the shape stands in the file: networks published without their weights
 * consist of such constants, and evaluating an Expand in double takes time and memory. */
static gboolean
import_filled (const SlImport *im, const SlOpClass *op, GError **error)
{
  SlShape wanted;
  if (!sl_import_check (im, op, im->n_inputs + 1, error))
    return FALSE;
  g_autoptr (SlTensor) value = filling (im, error);
  if (value == NULL)
    return FALSE;
  if (known_shape (im->inputs[0], &wanted))
    return fill_output (im, value, &wanted, error);
  SlValue *inputs[] = {sl_graph_add_tensor (im->graph, "value", SL_VALUE_CONSTANT, value),
                       im->inputs[0]};
  sl_graph_add_node (im->graph, op, im->name, NULL, 2, inputs, im->n_outputs, im->outputs);
  return TRUE;
}

/* What the pass sums up: an input that was repeated. */
static gboolean
expand_gradient (SlGradients *to, SlNode *node, GError **error)
{
  sl_gradients_give (to, node, 0, sl_gradients_get (to, node, 0));
  return TRUE;
}

static const SlOnnxForm expand_forms[] = {
    {.since = 8},
    {.op_type = "ConstantOfShape", .since = 9, .import = import_filled},
    {0},
};

static const SlOpClass expand = {
    .name = "Expand",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = expand_infer,
    .reference = expand_reference,
    .lower = expand_lower,
    .gradient = expand_gradient,
    .forms = expand_forms,
};

/* --- Tile: x, repeats --- */

static gboolean
tile_infer (SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape;
  SlInts repeats;
  if (!sl_infer_constant_ints (node, 1, &repeats, error))
    return FALSE;
  SlShape y = {.rank = x->rank};
  bool fits = repeats.n == x->rank;
  for (uint32_t i = 0; fits && i < x->rank; i++)
    fits = repeats.v[i] >= 0 && !__builtin_mul_overflow (x->dim[i], repeats.v[i], &y.dim[i]);
  if (!fits) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "repeats, '%s', are no %u counts, one a dimension",
                   node->inputs[1]->name, x->rank);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static void
tile_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  SlIndex to = {.rank = y->shape.rank}, from = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&to, &y->shape)) {
    for (uint32_t d = 0; d < to.rank; d++)
      from.at[d] = to.at[d] % x->shape.dim[d];
    sl_ref_move (y, i, x, sl_index_offset (&from, &x->shape));
  }
}

/* One copy over (repeat, dimension) pairs; repeats of 1 take no dimension. */
static void
tile_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlWalk read = sl_walk (x), write = sl_walk (y), from = {0}, into = {0};
  SlShape dims = {0};
  for (uint32_t i = 0; i < x->shape.rank; i++) {
    int64_t size = x->shape.dim[i], repeats = size > 0 ? y->shape.dim[i] / size : 0;
    if (dims.rank + 2 > SL_MAX_RANK) {
      sl_lower_reference (to);
      return;
    }
    if (repeats != 1) {
      into.stride[dims.rank] = write.stride[i] * (ptrdiff_t)size;
      dims.dim[dims.rank++] = repeats;
    }
    from.stride[dims.rank] = read.stride[i];
    into.stride[dims.rank] = write.stride[i];
    dims.dim[dims.rank++] = size;
  }
  sl_lower_copy (to, &dims, x, &from, y, &into);
}

/* The sum over the repeats of one axis after the other. */
static gboolean
tile_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape;
  SlValue *value = sl_gradients_get (to, node, 0);
  for (uint32_t i = 0; i < x->rank; i++) {
    SlShape left = value->shape;
    const int64_t size = x->dim[i], repeats = size > 0 ? left.dim[i] / size : 1;
    size_t outer, inner;
    if (repeats == 1)
      continue;
    sl_split_at_axis (&left, i, &outer, &inner);
    left.dim[i] = size;
    const int64_t rest = size * (int64_t)inner;
    value = sl_gradient_reshape (to, node, value, &SL_SHAPE ((int64_t)outer, repeats, rest));
    value = sl_gradient_sum_to (to, node, value, &SL_SHAPE ((int64_t)outer, 1, rest));
    value = sl_gradient_reshape (to, node, value, &left);
  }
  sl_gradients_give (to, node, 0, value);
  return TRUE;
}

static const SlOpClass tile = {
    .name = "Tile",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = tile_infer,
    .reference = tile_reference,
    .lower = tile_lower,
    .gradient = tile_gradient,
};

/* --- Range: start, limit, delta --- */

/* max (ceil ((limit - start) / delta), 0) elements; the three are constant scalars of one type. */
static gboolean
range_infer (SlNode *node, GError **error)
{
  SlDType dtype = node->inputs[0]->dtype;
  double of[3];
  for (uint32_t i = 0; i < 3; i++) {
    const SlValue *input = node->inputs[i];
    if (input->kind != SL_VALUE_CONSTANT || sl_tensor_get_elements (input->data) != 1 ||
        input->dtype != dtype || dtype == SL_BOOL) {
      sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                     "input %u, '%s', is no constant scalar of %s", i, input->name,
                     sl_dtype_get_name (dtype));
      return FALSE;
    }
    of[i] = sl_tensor_get_double (input->data, 0);
  }
  double n = ceil ((of[1] - of[0]) / of[2]);
  if (!(fabs (n) < 0x1p53) || of[2] == 0) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "no range from %g to %g in steps of %g", of[0],
                   of[1], of[2]);
    return FALSE;
  }
  sl_infer_output (node, 0, dtype, &SL_SHAPE ((int64_t)MAX (n, 0)));
  return TRUE;
}

static void
range_reference (const SlRefCall *call)
{
  const SlRefTensor *start = call->inputs[0], *delta = call->inputs[2];
  SlRefTensor *y = call->outputs[0];
  bool is_float = sl_dtype_is_float (y->dtype);
  for (size_t i = 0; i < y->n; i++) {
    if (is_float)
      y->f[i] = start->f[0] + (double)i * delta->f[0];
    else
      y->i[i] = (int64_t)((uint64_t)start->i[0] + i * (uint64_t)delta->i[0]);
  }
}

static const SlOpClass range = {
    .name = "Range",
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = range_infer,
    .reference = range_reference,
};

const SlOpClass *const sl_ops_constant[] = {&shape, &element_count, &expand, &tile, &range, NULL};
