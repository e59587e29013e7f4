/* Transpose: https://onnx.ai/onnx/operators/onnx__Transpose.html */
#include "ops/gradient.h"
#include "ops/shape.h"

typedef struct TransposeAttrs {
  SlInts perm; /* dimension i of the output is dimension perm[i] of the input; empty: reversed */
} TransposeAttrs;

static const SlAttrSpec transpose_attrs[] = {
    {.name = "perm", .type = SL_ATTR_INTS, .offset = offsetof (TransposeAttrs, perm)},
    {0},
};

static gboolean
transpose_infer (SlNode *node, GError **error)
{
  TransposeAttrs *attrs = node->attrs;
  SlInts *perm = &attrs->perm;
  const SlShape *x = &node->inputs[0]->shape;
  if (perm->n == 0) {
    perm->n = x->rank;
    for (uint32_t i = 0; i < x->rank; i++)
      perm->v[i] = x->rank - 1 - i;
  }
  SlShape y = {.rank = x->rank};
  uint32_t seen = 0;
  for (uint32_t i = 0; i < perm->n && perm->n == x->rank; i++) {
    if (perm->v[i] < 0 || perm->v[i] >= x->rank)
      break;
    seen |= 1u << perm->v[i];
    y.dim[i] = x->dim[perm->v[i]];
  }
  if (perm->n != x->rank || seen != (1u << x->rank) - 1) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "perm is no order of the input's %u dimensions",
                   x->rank);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static void
transpose_reference (const SlRefCall *call)
{
  const TransposeAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  SlIndex to = {.rank = y->shape.rank}, from = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&to, &y->shape)) {
    for (uint32_t d = 0; d < to.rank; d++)
      from.at[attrs->perm.v[d]] = to.at[d];
    sl_ref_move (y, i, x, sl_index_offset (&from, &x->shape));
  }
}

static void
transpose_lower (const SlNode *node, SlLowering *to)
{
  const TransposeAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (sl_value_lies_at (y, x, 0))
    return;
  SlWalk walk = sl_walk (x), from = walk, into = sl_walk (y);
  for (uint32_t i = 0; i < y->shape.rank; i++)
    from.stride[i] = walk.stride[attrs->perm.v[i]];
  sl_lower_copy (to, &y->shape, x, &from, y, &into);
}

static void
transpose_get_order (const SlNode *node, uint32_t ret_perm[SL_MAX_RANK])
{
  const TransposeAttrs *attrs = node->attrs;
  for (uint32_t i = 0; i < attrs->perm.n; i++)
    ret_perm[i] = (uint32_t)attrs->perm.v[i];
}

static gboolean
transpose_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const TransposeAttrs *attrs = node->attrs;
  int64_t back[SL_MAX_RANK] = {0};
  for (uint32_t i = 0; i < attrs->perm.n; i++)
    back[attrs->perm.v[i]] = i;
  sl_gradients_give (to, node, 0,
                     sl_gradient_transpose (to, node, sl_gradients_get (to, node, 0), back));
  return TRUE;
}

static const SlOpClass transpose = {
    .name = "Transpose",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = transpose_attrs,
    .attrs_size = sizeof (TransposeAttrs),
    .traits = SL_TRAIT_REORDER | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = transpose_infer,
    .reference = transpose_reference,
    .lower = transpose_lower,
    .get_order = transpose_get_order,
    .gradient = transpose_gradient,
};

const SlOpClass *const sl_ops_transpose[] = {&transpose, NULL};
