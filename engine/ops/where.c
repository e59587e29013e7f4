/* Where: https://onnx.ai/onnx/operators/onnx__Where.html */
#include "ops/gradient.h"
#include "ops/shape.h"

static gboolean
where_infer (SlNode *node, GError **error)
{
  const SlValue *condition = node->inputs[0], *a = node->inputs[1], *b = node->inputs[2];
  const SlValue *wrong = condition->dtype != SL_BOOL ? condition : a->dtype != b->dtype ? b : NULL;
  if (wrong != NULL) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected %s", wrong->name,
                   sl_dtype_get_name (wrong->dtype),
                   wrong == condition ? "bool" : sl_dtype_get_name (a->dtype));
    return FALSE;
  }
  SlShape shape;
  if (!sl_infer_broadcast (node, &shape, error))
    return FALSE;
  sl_infer_output (node, 0, a->dtype, &shape);
  return TRUE;
}

static void
where_reference (const SlRefCall *call)
{
  const SlRefTensor *condition = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  SlIndex index = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&index, &y->shape)) {
    bool first = condition->i[sl_index_offset (&index, &condition->shape)] != 0;
    const SlRefTensor *from = call->inputs[first ? 1 : 2];
    sl_ref_move (y, i, from, sl_index_offset (&index, &from->shape));
  }
}

static gboolean
where_row_major_only (const SlNode *node)
{
  return node->outputs[0]->dtype != SL_FLOAT32;
}

static void
where_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *const operands[] = {node->inputs[0], node->inputs[1], node->inputs[2],
                                     node->outputs[0]};
  if (where_row_major_only (node))
    sl_lower_reference (to);
  else
    sl_lower_select (to, "where", G_N_ELEMENTS (operands), operands);
}

static gboolean
where_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlFormula f = sl_formula (to, node);
  f.dtype = node->outputs[0]->dtype;
  if (sl_gradients_want (to, node, 1))
    sl_gradients_give (to, node, 1, sl_formula_add (&f, "x ? d : 0"));
  if (sl_gradients_want (to, node, 2))
    sl_gradients_give (to, node, 2, sl_formula_add (&f, "x ? 0 : d"));
  return TRUE;
}

static const SlOnnxForm where_forms[] = {{.since = 9}, {0}};

static const SlOpClass where = {
    .name = "Where",
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = where_infer,
    .reference = where_reference,
    .lower = where_lower,
    .row_major_only = where_row_major_only,
    .gradient = where_gradient,
    .forms = where_forms,
};

const SlOpClass *const sl_ops_where[] = {&where, NULL};
