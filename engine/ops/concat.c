/* Concat: https://onnx.ai/onnx/operators/onnx__Concat.html */
#include "ops/gradient.h"
#include "ops/shape.h"

typedef struct ConcatAttrs {
  int64_t axis;
} ConcatAttrs;

static const SlAttrSpec concat_attrs[] = {
    {.name = "axis", .type = SL_ATTR_INT, .offset = offsetof (ConcatAttrs, axis), .required = true},
    {0},
};

static gboolean
concat_infer (SlNode *node, GError **error)
{
  ConcatAttrs *attrs = node->attrs;
  SlShape shape = node->inputs[0]->shape;
  if (!sl_infer_axis (node, &attrs->axis, shape.rank, error))
    return FALSE;
  for (uint32_t i = 1; i < node->n_inputs; i++) {
    const SlValue *input = node->inputs[i];
    SlShape expected = shape;
    if (input->shape.rank == shape.rank)
      expected.dim[attrs->axis] = input->shape.dim[attrs->axis];
    if (!sl_shape_equal (&expected, &input->shape) || input->dtype != node->inputs[0]->dtype) {
      g_autofree char *found = sl_shape_to_string (&input->shape);
      g_autofree char *before = sl_shape_to_string (&shape);
      sl_node_error (node, error, SL_ERROR_SHAPE,
                     "input '%s' is %s of %s and cannot be joined to %s of %s", input->name, found,
                     sl_dtype_get_name (input->dtype), before,
                     sl_dtype_get_name (node->inputs[0]->dtype));
      return FALSE;
    }
    shape.dim[attrs->axis] += input->shape.dim[attrs->axis];
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &shape);
  return TRUE;
}

static void
concat_reference (const SlRefCall *call)
{
  const ConcatAttrs *attrs = call->attrs;
  SlRefTensor *y = call->outputs[0];
  int64_t at = 0;
  for (uint32_t i = 0; i < call->n_inputs; i++) {
    const SlRefTensor *x = call->inputs[i];
    SlIndex index = {.rank = x->shape.rank};
    for (size_t k = 0; k < x->n; k++) {
      SlIndex to = index;
      to.at[attrs->axis] += at;
      sl_ref_move (y, sl_index_offset (&to, &y->shape), x, k);
      sl_index_next (&index, &x->shape);
    }
    at += x->shape.dim[attrs->axis];
  }
}

static void
concat_lower (const SlNode *node, SlLowering *to)
{
  const ConcatAttrs *attrs = node->attrs;
  const SlValue *y = node->outputs[0];
  SlWalk into = sl_walk (y);
  size_t size = sl_value_get_element_size (y);
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *x = node->inputs[i];
    SlWalk from = sl_walk (x);
    size_t elements = 0;
    sl_shape_get_elements (&x->shape, &elements);
    /* The planner let the producer write into the output: nothing is left to do. */
    if (!sl_value_lies_at (x, y, (size_t)into.offset * size) && elements > 0)
      sl_lower_copy (to, &x->shape, x, &from, y, &into);
    into.offset += (ptrdiff_t)x->shape.dim[attrs->axis] * into.stride[attrs->axis];
  }
}

static gboolean
concat_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const ConcatAttrs *attrs = node->attrs;
  int64_t at = 0;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    int64_t size = node->inputs[i]->shape.dim[attrs->axis];
    if (sl_gradients_want (to, node, i))
      sl_gradients_give (
          to, node, i,
          sl_gradient_slice (to, node, sl_gradients_get (to, node, 0), attrs->axis, at, at + size));
    at += size;
  }
  return TRUE;
}

static const SlOpClass concat = {
    .name = "Concat",
    .min_inputs = 1,
    .max_inputs = SL_VARIADIC,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = concat_attrs,
    .attrs_size = sizeof (ConcatAttrs),
    .traits = SL_TRAIT_CONCAT | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = concat_infer,
    .reference = concat_reference,
    .lower = concat_lower,
    .gradient = concat_gradient,
};

const SlOpClass *const sl_ops_concat[] = {&concat, NULL};
