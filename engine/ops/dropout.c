/* Identity and Dropout, which is one in inference:
 * https://onnx.ai/onnx/operators/onnx__Dropout.html */
#include "kernels/copy.h"
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <string.h>

static gboolean
identity_infer (SlNode *node, GError **error)
{
  sl_infer_output (node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape);
  return TRUE;
}

static void
identity_reference (const SlRefCall *call)
{
  if (call->outputs[0] != NULL && call->inputs[0]->n > 0)
    memcpy (call->outputs[0]->data, call->inputs[0]->data, call->inputs[0]->n * sizeof (double));
}

static void
identity_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (y == NULL)
    return;
  SlWalk from = sl_walk (x), into = sl_walk (y);
  sl_lower_copy (to, &x->shape, x, &from, y, &into);
}

static const SlOpClass identity = {
    .name = "Identity",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_IDENTITY | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = identity_infer,
    .reference = identity_reference,
    .lower = identity_lower,
    .gradient = sl_gradient_same,
};

/* --- Dropout: x, ratio, training_mode → y, mask --- */

typedef struct DropoutAttrs {
  int64_t seed;
} DropoutAttrs;

static const SlAttrSpec dropout_attrs[] = {
    {.name = "seed", .type = SL_ATTR_INT, .offset = offsetof (DropoutAttrs, seed)},
    {0},
};

static gboolean
is_constant_zero (const SlValue *value)
{
  return value != NULL && value->kind == SL_VALUE_CONSTANT &&
         sl_tensor_get_elements (value->data) == 1 && sl_tensor_get_double (value->data, 0) == 0;
}

static gboolean
dropout_infer (SlNode *node, GError **error)
{
  const SlValue *training = sl_node_input (node, 2);
  if (training != NULL && !is_constant_zero (training) &&
      !is_constant_zero (sl_node_input (node, 1))) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "training_mode, '%s', is not constantly false", training->name);
    return FALSE;
  }
  sl_infer_output (node, 1, SL_BOOL, &node->inputs[0]->shape);
  return identity_infer (node, error);
}

static void
dropout_reference (const SlRefCall *call)
{
  identity_reference (call);
  SlRefTensor *mask = call->n_outputs > 1 ? call->outputs[1] : NULL;
  for (size_t i = 0; mask != NULL && i < mask->n; i++)
    mask->i[i] = 1;
}

static void
dropout_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *mask = node->n_outputs > 1 ? node->outputs[1] : NULL;
  identity_lower (node, to);
  if (mask == NULL)
    return;
  SlFillParams params = {.element_size = 1, .value = 1};
  sl_shape_get_elements (&mask->shape, &params.count);
  sl_lower (to, "fill", &params, mask);
}

/* Before opset 7 `is_test` told inference from training; files of networks leave it as it was. */
static gboolean
dropout_import_ratio (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"ratio", NULL};
  static const char *const dropped[] = {"is_test", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, dropped, error);
}

static const SlOnnxForm dropout_forms[] = {
    {.since = 1, .import = dropout_import_ratio},
    {.since = 12},
    {0},
};

static const SlOpClass dropout = {
    .name = "Dropout",
    .min_inputs = 1,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 2,
    .attrs = dropout_attrs,
    .attrs_size = sizeof (DropoutAttrs),
    .traits = SL_TRAIT_IDENTITY | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = dropout_infer,
    .reference = dropout_reference,
    .lower = dropout_lower,
    .gradient = sl_gradient_same,
    .forms = dropout_forms,
};

const SlOpClass *const sl_ops_dropout[] = {&identity, &dropout, NULL};
