/* TopK: https://onnx.ai/onnx/operators/onnx__TopK.html */
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>

/* `sorted` may be false, which asks for nothing: the order is that of true. */
typedef struct TopkAttrs {
  int64_t axis;
  bool largest, sorted;
} TopkAttrs;

static const SlAttrSpec topk_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (TopkAttrs, axis), .preset = -1},
    {.name = "largest", .type = SL_ATTR_BOOL, .offset = offsetof (TopkAttrs, largest), .preset = 1},
    {.name = "sorted", .type = SL_ATTR_BOOL, .offset = offsetof (TopkAttrs, sorted), .preset = 1},
    {0},
};

static gboolean
topk_infer (SlNode *node, GError **error)
{
  TopkAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0];
  SlInts k;
  if (x->dtype == SL_BOOL) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is bool", x->name);
    return FALSE;
  }
  if (!sl_infer_axis (node, &attrs->axis, x->shape.rank, error) ||
      !sl_infer_constant_ints (node, 1, &k, error))
    return FALSE;
  int64_t size = x->shape.dim[attrs->axis];
  if (k.n != 1 || k.v[0] < 0 || k.v[0] > size) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "k, '%s', is no number of up to %" G_GINT64_FORMAT,
                   node->inputs[1]->name, size);
    return FALSE;
  }
  SlShape y = x->shape;
  y.dim[attrs->axis] = k.v[0];
  sl_infer_output (node, 0, x->dtype, &y);
  sl_infer_output (node, 1, SL_INT64, &y);
  return TRUE;
}

/* One row of x and the places of its best elements, which form a heap with the worst at the root.
 */
typedef struct Heap {
  const SlRefTensor *x;
  size_t first, step; /* of the row in x, and of the places */
  int64_t *places;
  bool largest;
} Heap;

/* True if element a comes before element b: a NaN is greater than any number, and of equals the one
 * with the lower index comes first. */
static bool
comes_before (const Heap *heap, int64_t a, int64_t b)
{
  const SlRefTensor *x = heap->x;
  size_t at_a = heap->first + (size_t)a * heap->step, at_b = heap->first + (size_t)b * heap->step;
  int order;
  if (!sl_dtype_is_float (x->dtype))
    order = sl_int_compare (x->i[at_a], x->i[at_b], x->dtype);
  else if (isnan (x->f[at_a]) || isnan (x->f[at_b]))
    order = isnan (x->f[at_a]) - isnan (x->f[at_b]);
  else
    order = (x->f[at_a] > x->f[at_b]) - (x->f[at_a] < x->f[at_b]);
  if (order == 0)
    return a < b;
  return heap->largest ? order > 0 : order < 0;
}

/* Puts `element` into a heap of `n` whose root is free. */
static void
heap_sink (const Heap *heap, size_t n, int64_t element)
{
  size_t hole = 0;
  for (size_t child = 1; child < n; child = 2 * hole + 1) {
    if (child + 1 < n && comes_before (heap, heap->places[child * heap->step],
                                       heap->places[(child + 1) * heap->step]))
      child++;
    if (comes_before (heap, heap->places[child * heap->step], element))
      break;
    heap->places[hole * heap->step] = heap->places[child * heap->step];
    hole = child;
  }
  heap->places[hole * heap->step] = element;
}

/* Adds `element` to a heap of `n`. */
static void
heap_rise (const Heap *heap, size_t n, int64_t element)
{
  size_t hole = n;
  for (; hole > 0; hole = (hole - 1) / 2) {
    int64_t parent = heap->places[(hole - 1) / 2 * heap->step];
    if (comes_before (heap, element, parent))
      break;
    heap->places[hole * heap->step] = parent;
  }
  heap->places[hole * heap->step] = element;
}

/* The places of the first `k` of `n` elements, in order. */
static void
select_row (const Heap *heap, size_t n, size_t k)
{
  for (size_t i = 0; i < n; i++) {
    if (i < k)
      heap_rise (heap, i, (int64_t)i);
    else if (comes_before (heap, (int64_t)i, heap->places[0]))
      heap_sink (heap, k, (int64_t)i);
  }
  for (size_t left = k; left > 1; left--) {
    int64_t worst = heap->places[0];
    heap_sink (heap, left - 1, heap->places[(left - 1) * heap->step]);
    heap->places[(left - 1) * heap->step] = worst;
  }
}

/* The places are found in the memory of whichever output is there: elements are 8 bytes wide. */
static void
topk_reference (const SlRefCall *call)
{
  const TopkAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *values = call->outputs[0], *indices = call->n_outputs > 1 ? call->outputs[1] : NULL;
  SlRefTensor *places = indices != NULL ? indices : values;
  size_t n = (size_t)x->shape.dim[attrs->axis], k = (size_t)places->shape.dim[attrs->axis];
  size_t outer, inner;
  sl_split_at_axis (&x->shape, attrs->axis, &outer, &inner);
  for (size_t row = 0; k > 0 && row < outer * inner; row++) {
    size_t from = row / inner * n * inner + row % inner, to = row / inner * k * inner + row % inner;
    select_row (&(Heap){x, from, inner, places->i + to, attrs->largest}, n, k);
    for (size_t i = to; values != NULL && i < to + k * inner; i += inner)
      sl_ref_move (values, i, x, from + (size_t)places->i[i] * inner);
  }
}

/* Each value's to the place where it stood. */
static gboolean
topk_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const TopkAttrs *attrs = node->attrs;
  SlGraph *graph = sl_gradients_get_graph (to);
  SlValue *indices = node->n_outputs > 1 ? node->outputs[1] : NULL;
  if (indices == NULL) {
    SlValue *outputs[] = {sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION),
                          sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION)};
    SlNode *again =
        sl_graph_add_node (graph, node->op, node->name, node->attrs, 2, node->inputs, 2, outputs);
    if (!topk_infer (again, error))
      return FALSE;
    indices = outputs[1];
  }
  sl_gradients_give (to, node, 0,
                     sl_gradient_scatter_elements (to, node, &node->inputs[0]->shape, attrs->axis,
                                                   indices, sl_gradients_get (to, node, 0)));
  return TRUE;
}

/* Before opset 10 k was an attribute, before 11 the largest were meant. */
static gboolean
import_k (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"k", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, NULL, error);
}

static const SlOnnxForm topk_forms[] = {{.since = 1, .import = import_k}, {.since = 10}, {0}};

static const SlOpClass topk = {
    .name = "TopK",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 2,
    .attrs = topk_attrs,
    .attrs_size = sizeof (TopkAttrs),
    .infer = topk_infer,
    .reference = topk_reference,
    .gradient = topk_gradient,
    .forms = topk_forms,
};

const SlOpClass *const sl_ops_topk[] = {&topk, NULL};
