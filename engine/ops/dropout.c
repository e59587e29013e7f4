/* Identity and Dropout, which is one in inference:
 * https://onnx.ai/onnx/operators/onnx__Dropout.html */
#include "core/philox.h"
#include "kernels/copy.h"
#include "kernels/dropout.h"
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>
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

/* --- RandomDropout: x, seed, step → y, in training --- */

/* Elements are dropped with probability `rate`, the rest is scaled by 1 / (1 - rate). Which ones is
 * a function of seed, step, `node` and the element alone, so that the gradient is the same op on
 * the gradient of y. Elements are numbered with the channels (axis 1) last, in whatever layout. */
typedef struct RandomDropoutAttrs {
  float rate;
  int64_t node;
} RandomDropoutAttrs;

static const SlAttrSpec random_dropout_attrs[] = {
    {.name = "rate",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (RandomDropoutAttrs, rate),
     .preset = 0.5},
    {.name = "node", .type = SL_ATTR_INT, .offset = offsetof (RandomDropoutAttrs, node)},
    {0},
};

/* Numbers of four elements each are 32 bits. */
#define MAX_ELEMENTS (UINT64_C (1) << 34)

static gboolean
random_dropout_infer (SlNode *node, GError **error)
{
  const RandomDropoutAttrs *attrs = node->attrs;
  size_t elements = 0, one = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &elements);
  for (uint32_t i = 1; i < 3; i++) {
    const SlValue *scalar = node->inputs[i];
    sl_shape_get_elements (&scalar->shape, &one);
    if (scalar->dtype == SL_INT64 && one == 1)
      continue;
    sl_node_error (node, error, SL_ERROR_SHAPE, "'%s' is %zu of %s, expected one int64",
                   scalar->name, one, sl_dtype_get_name (scalar->dtype));
    return FALSE;
  }
  if (!sl_dtype_is_float (node->inputs[0]->dtype) || elements >= MAX_ELEMENTS ||
      !(attrs->rate >= 0 && attrs->rate < 1) || attrs->node < 0 || attrs->node > UINT32_MAX) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "rate %g on %zu elements of %s (expected 0 to below 1, floats)",
                   (double)attrs->rate, elements, sl_dtype_get_name (node->inputs[0]->dtype));
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape);
  return TRUE;
}

/* Sizes, threshold and scale; strides are left open. */
static SlDropoutParams
dropout_params (const RandomDropoutAttrs *attrs, const SlShape *shape)
{
  SlDropoutParams params = {
      .samples = shape->rank > 0 ? (size_t)shape->dim[0] : 1,
      .positions = 1,
      .channels = shape->rank > 1 ? (size_t)shape->dim[1] : 1,
      .node = (uint32_t)attrs->node,
      .threshold = (uint32_t)lround ((double)attrs->rate * 0x1p24),
      .scale = (float)(1 / (1 - (double)attrs->rate)),
  };
  for (uint32_t i = 2; i < shape->rank; i++)
    params.positions *= (size_t)shape->dim[i];
  return params;
}

static void
random_dropout_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0];
  const SlDropoutParams p = dropout_params (call->attrs, &x->shape);
  const uint64_t seed = (uint64_t)call->inputs[1]->i[0], step = (uint64_t)call->inputs[2]->i[0];
  const uint32_t key[] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (size_t i = 0; i < x->n; i++) {
    const size_t position = i % p.positions, channel = i / p.positions % p.channels;
    const size_t sample = i / p.positions / p.channels;
    const size_t number = (sample * p.positions + position) * p.channels + channel;
    const uint32_t counter[] = {(uint32_t)(number / 4), p.node, (uint32_t)step,
                                (uint32_t)(step >> 32)};
    const bool kept = sl_philox (counter, key).value[number % 4] >> 8 >= p.threshold;
    call->outputs[0]->f[i] = kept ? x->f[i] * (double)p.scale : 0;
  }
}

static void
set_strides (const SlValue *value, size_t stride[3])
{
  const SlWalk walk = sl_walk (value);
  const uint32_t rank = value->shape.rank;
  stride[0] = rank > 0 ? (size_t)walk.stride[0] : 1;
  stride[1] = rank > 2 ? (size_t)walk.stride[rank - 1] : 0;
  stride[2] = rank > 1 ? (size_t)walk.stride[1] : 1;
}

static void
random_dropout_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlDropoutParams params = dropout_params (node->attrs, &x->shape);
  if (x->dtype != SL_FLOAT32) {
    sl_lower_reference (to);
    return;
  }
  set_strides (x, params.in_stride);
  set_strides (y, params.out_stride);
  sl_lower (to, "dropout", &params, x, node->inputs[1], node->inputs[2], y);
}

static void
random_dropout_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t elements = 0;
  sl_shape_get_elements (&node->inputs[0]->shape, &elements);
  ret_cost->flops = 12.0 * (double)elements; /* rounds of the generator, mostly */
}

static gboolean
random_dropout_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlValue *inputs[] = {sl_gradients_get (to, node, 0), node->inputs[1], node->inputs[2]};
  sl_gradients_give (to, node, 0, sl_gradients_node (to, node, node->op, node->attrs, 3, inputs));
  return TRUE;
}

static const SlOpClass random_dropout = {
    .name = "RandomDropout",
    .domain = SL_DOMAIN,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = random_dropout_attrs,
    .attrs_size = sizeof (RandomDropoutAttrs),
    .traits = SL_TRAIT_IN_PLACE | SL_TRAIT_RANDOM,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = random_dropout_infer,
    .reference = random_dropout_reference,
    .lower = random_dropout_lower,
    .row_major_only = sl_row_major_unless_float32,
    .gradient = random_dropout_gradient,
    .cost = random_dropout_cost,
};

const SlOpClass *const sl_ops_dropout[] = {&identity, &dropout, &random_dropout, NULL};
