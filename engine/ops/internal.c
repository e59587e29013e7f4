/* Sightline's own operators: layout, weight packing, and the arithmetic of folding. */
#include "ops/internal.h"

#include "kernels/batch_norm.h"
#include "kernels/convert.h"
#include "kernels/elementwise.h"
#include "ops/shape.h"

#include <math.h>
#include <string.h>

/* --- Relayout --- */

typedef struct RelayoutAttrs {
  uint32_t to; /* SlLayout */
} RelayoutAttrs;

static const char *const layout_choices[] = {"row-major", "channels-last", NULL};

static const SlAttrSpec relayout_attrs[] = {
    {.name = ".to",
     .type = SL_ATTR_ENUM,
     .offset = offsetof (RelayoutAttrs, to),
     .preset = SL_LAYOUT_COUNT,
     .choices = layout_choices},
    {0},
};

static gboolean
same_infer (SlNode *node, GError **error)
{
  sl_infer_output (node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape);
  return TRUE;
}

static void
same_reference (const SlRefCall *call)
{
  memcpy (call->outputs[0]->data, call->inputs[0]->data, call->inputs[0]->n * sizeof (double));
}

static void
relayout_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (sl_value_lies_at (y, x, 0))
    return;
  SlWalk from = sl_walk (x), into = sl_walk (y);
  sl_lower_copy (to, &x->shape, x, &from, y, &into);
}

static const SlOpClass relayout = {
    .name = "Relayout",
    .domain = SL_DOMAIN,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = relayout_attrs,
    .attrs_size = sizeof (RelayoutAttrs),
    .traits = SL_TRAIT_RELAYOUT | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .infer = same_infer,
    .reference = same_reference,
    .lower = relayout_lower,
};

SlValue *
sl_add_internal (SlGraph *graph, const SlOpClass *op, const char *name, const void *attrs,
                 uint32_t n_inputs, SlValue *const *inputs)
{
  SlValue *output = sl_graph_add_value (graph, name, SL_VALUE_ACTIVATION);
  SlNode *node = sl_graph_add_node (graph, op, name, attrs, n_inputs, inputs, 1, &output);
  /* Operands come from a graph whose shapes have been checked. */
  g_autoptr (GError) error = NULL;
  if (!sl_node_infer (node, &error))
    g_error ("%s", error->message);
  return output;
}

SlValue *
sl_relayout (SlGraph *graph, SlValue *value, SlLayout layout)
{
  RelayoutAttrs attrs = {.to = layout};
  SlValue *output = sl_add_internal (graph, &relayout, value->name, &attrs, 1, &value);
  output->layout = layout;
  return output;
}

/* --- Storage --- */

static void
store_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlConvertParams params = {.type = SL_CONVERT_FLOAT16};
  sl_value_get_rows (x, &params.rows, &params.cols, &params.in_stride);
  sl_value_get_rows (y, &params.rows, &params.cols, &params.out_stride);
  sl_lower (to, y->is_half ? "narrow" : "widen", &params, x, y);
}

static const SlOpClass store = {
    .name = "Store",
    .domain = SL_DOMAIN,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = same_infer,
    .reference = same_reference,
    .lower = store_lower,
};

SlValue *
sl_store (SlGraph *graph, SlValue *value, bool half, SlValue *output)
{
  if (output == NULL)
    output = sl_graph_add_value (graph, value->name, SL_VALUE_ACTIVATION);
  SlNode *node = sl_graph_add_node (graph, &store, value->name, NULL, 1, &value, 1, &output);
  same_infer (node, NULL);
  output->layout = value->layout;
  output->is_half = half;
  return output;
}

/* --- Packing --- */

bool
sl_is_constant (const SlValue *value)
{
  if (value->producer == NULL)
    return value->kind == SL_VALUE_CONSTANT;
  for (uint32_t i = 0; i < value->producer->n_inputs; i++)
    if (value->producer->inputs[i] != NULL && !sl_is_constant (value->producer->inputs[i]))
      return false;
  return !(value->producer->op->traits & SL_TRAIT_RANDOM);
}

typedef struct PackAttrs {
  SlPackParams pack;
  size_t panel;
} PackAttrs;
SL_NO_PADDING (PackAttrs, 6 * sizeof (uint32_t) + 7 * sizeof (size_t));

static gboolean
pack_infer (SlNode *node, GError **error)
{
  const PackAttrs *attrs = node->attrs;
  const SlPackParams *pack = &attrs->pack;
  size_t depth = (size_t)pack->depth[0] * pack->depth[1] * pack->depth[2];
  size_t elements = pack->groups * sl_packed_elements (pack->cols, depth, attrs->panel);
  sl_infer_output (node, 0, pack->half ? SL_FLOAT16 : SL_FLOAT32, &SL_SHAPE ((int64_t)elements));
  return TRUE;
}

static void
pack_lower (const SlNode *node, SlLowering *to)
{
  const PackAttrs *attrs = node->attrs;
  sl_lower (to, "pack_weights", &attrs->pack, node->inputs[0], node->outputs[0]);
}

static const SlOpClass pack_weights = {
    .name = "PackWeights",
    .domain = SL_DOMAIN,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs_size = sizeof (PackAttrs),
    .traits = SL_TRAIT_PACKING,
    .infer = pack_infer,
    .lower = pack_lower,
};

SlValue *
sl_pack_weights (SlGraph *graph, SlValue *weights, const SlPackParams *pack, const SlTarget *target)
{
  PackAttrs attrs = {.pack = *pack, .panel = target->panel};
  attrs.pack.half = target->half_weights && sl_is_constant (weights);
  attrs.pack.width = target->panel_width;
  return sl_add_internal (graph, &pack_weights, weights->name, &attrs, 1, &weights);
}

static gboolean
pack_depthwise_infer (SlNode *node, GError **error)
{
  const SlShape *w = &node->inputs[0]->shape;
  int64_t area = 1;
  for (uint32_t i = 2; i < w->rank; i++)
    area *= w->dim[i];
  sl_infer_output (node, 0, node->inputs[0]->dtype, &SL_SHAPE (area, w->dim[0]));
  return TRUE;
}

static void
pack_depthwise_lower (const SlNode *node, SlLowering *to)
{
  const SlShape *shape = &node->outputs[0]->shape; /* area, channels */
  SlWalk from = {.stride = {1, (ptrdiff_t)shape->dim[0]}};
  SlWalk into = {.stride = {(ptrdiff_t)shape->dim[1], 1}};
  sl_lower_copy (to, shape, node->inputs[0], &from, node->outputs[0], &into);
}

static const SlOpClass pack_depthwise = {
    .name = "PackDepthwise",
    .domain = SL_DOMAIN,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_PACKING,
    .infer = pack_depthwise_infer,
    .lower = pack_depthwise_lower,
};

SlValue *
sl_pack_depthwise (SlGraph *graph, SlValue *weights)
{
  return sl_add_internal (graph, &pack_depthwise, weights->name, NULL, 1, &weights);
}

/* --- Affine maps of channels --- */

static gboolean
affine_infer (SlNode *node, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape;
  for (uint32_t i = 1; i <= 2; i++) {
    const SlShape *vector = &node->inputs[i]->shape;
    if (x->rank >= 2 && vector->rank == 1 && vector->dim[0] == x->dim[1])
      continue;
    g_autofree char *found = sl_shape_to_string (vector);
    g_autofree char *input = sl_shape_to_string (x);
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "input %u is %s and does not fit the channels of %s", i, found, input);
    return FALSE;
  }
  return same_infer (node, error);
}

static void
affine_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0], *scale = call->inputs[1], *shift = call->inputs[2];
  size_t channels = scale->n, inner = 1;
  for (uint32_t i = 2; i < x->shape.rank; i++)
    inner *= (size_t)x->shape.dim[i];
  for (size_t i = 0; i < x->n; i++) {
    size_t c = i / inner % channels;
    call->outputs[0]->f[i] = x->f[i] * scale->f[c] + shift->f[c];
  }
}

/* The kernel wants channels fastest: channels-last memory, or nothing behind the channels. */
static gboolean
affine_row_major_only (const SlNode *node)
{
  return node->inputs[0]->dtype != SL_FLOAT32 || node->inputs[0]->shape.rank < 3 ||
         node->inputs[0]->shape.rank > 4;
}

static void
affine_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (x->dtype != SL_FLOAT32 || x->shape.rank > 4) {
    sl_lower_reference (to);
    return;
  }
  SlAffineParams params = {.channels = (size_t)x->shape.dim[1], .act = node->act};
  size_t cols;
  sl_value_get_rows (x, &params.rows, &cols, &params.in_stride);
  sl_value_get_rows (y, &params.rows, &cols, &params.out_stride);
  if (x->layout == SL_LAYOUT_ROW_MAJOR) { /* rank 2: one row a sample */
    params.rows = (size_t)x->shape.dim[0];
    params.in_stride = params.out_stride = params.channels;
  }
  sl_lower (to, "affine", &params, x, node->inputs[1], node->inputs[2], y);
}

static gboolean
affine_as_affine (const SlNode *node, uint32_t axis, uint32_t *ret_input, SlValue **ret_scale,
                  SlValue **ret_shift)
{
  *ret_input = 0;
  *ret_scale = node->inputs[1];
  *ret_shift = node->inputs[2];
  return axis == 1 && node->act.kind == SL_ACT_NONE;
}

static const SlOpClass channel_affine = {
    .name = "ChannelAffine",
    .domain = SL_DOMAIN,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_EPILOGUE | SL_TRAIT_IN_PLACE | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_SPATIAL,
    .infer = affine_infer,
    .reference = affine_reference,
    .lower = affine_lower,
    .as_affine = affine_as_affine,
    .row_major_only = affine_row_major_only,
};

SlValue *
sl_channel_affine (SlGraph *graph, const char *name, SlValue *x, SlValue *scale, SlValue *shift)
{
  SlValue *inputs[] = {x, scale, shift};
  return sl_add_internal (graph, &channel_affine, name, NULL, 3, inputs);
}

/* --- Channel shuffle --- */

typedef struct ShuffleAttrs {
  int64_t groups;
} ShuffleAttrs;

static const SlAttrSpec shuffle_attrs[] = {
    {.name = ".groups", .type = SL_ATTR_INT, .offset = offsetof (ShuffleAttrs, groups)},
    {0},
};

static void
shuffle_reference (const SlRefCall *call)
{
  const ShuffleAttrs *attrs = call->attrs;
  const SlRefTensor *x = call->inputs[0];
  size_t channels = (size_t)x->shape.dim[1], groups = (size_t)attrs->groups, inner = 1;
  for (uint32_t i = 2; i < x->shape.rank; i++)
    inner *= (size_t)x->shape.dim[i];
  for (size_t i = 0; i < x->n; i++) {
    size_t plane = i / inner, c = plane % channels;
    size_t from = c % groups * (channels / groups) + c / groups;
    sl_ref_move (call->outputs[0], i, x, (plane - c + from) * inner + i % inner);
  }
}

/* A copy in which the channels have two dimensions: of a group, and groups. */
static void
shuffle_lower (const SlNode *node, SlLowering *to)
{
  const ShuffleAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  SlWalk src = sl_walk (x), dst = sl_walk (y), from = {0}, into = {0};
  SlShape dims = {.rank = x->shape.rank + 1};
  for (uint32_t i = 0; i < x->shape.rank; i++) {
    uint32_t at = i > 1 ? i + 1 : i;
    dims.dim[at] = x->shape.dim[i];
    from.stride[at] = src.stride[i];
    into.stride[at] = dst.stride[i];
  }
  ptrdiff_t each = (ptrdiff_t)(x->shape.dim[1] / attrs->groups);
  dims.dim[1] = each;
  dims.dim[2] = attrs->groups;
  into.stride[1] = dst.stride[1] * (ptrdiff_t)attrs->groups;
  into.stride[2] = dst.stride[1];
  from.stride[1] = src.stride[1];
  from.stride[2] = src.stride[1] * each;
  sl_lower_copy (to, &dims, x, &from, y, &into);
}

static const SlOpClass channel_shuffle = {
    .name = "ChannelShuffle",
    .domain = SL_DOMAIN,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = shuffle_attrs,
    .attrs_size = sizeof (ShuffleAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = same_infer,
    .reference = shuffle_reference,
    .lower = shuffle_lower,
};

SlValue *
sl_channel_shuffle (SlGraph *graph, const char *name, SlValue *x, int64_t groups)
{
  ShuffleAttrs attrs = {.groups = groups};
  return sl_add_internal (graph, &channel_shuffle, name, &attrs, 1, &x);
}

/* --- Folding --- */

typedef struct NormAttrs {
  float epsilon;
} NormAttrs;

/* gamma, beta, mean, variance (C) → scale (C), shift (C). */
static gboolean
affine_of_norm_infer (SlNode *node, GError **error)
{
  sl_infer_output (node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape);
  sl_infer_output (node, 1, node->inputs[0]->dtype, &node->inputs[0]->shape);
  return TRUE;
}

static void
affine_of_norm_reference (const SlRefCall *call)
{
  const NormAttrs *attrs = call->attrs;
  const double *gamma = call->inputs[0]->f, *beta = call->inputs[1]->f;
  const double *mean = call->inputs[2]->f, *variance = call->inputs[3]->f;
  for (size_t i = 0; i < call->inputs[0]->n; i++) {
    double scale = gamma[i] / sqrt (variance[i] + (double)attrs->epsilon);
    call->outputs[0]->f[i] = scale;
    call->outputs[1]->f[i] = beta[i] - mean[i] * scale;
  }
}

/* Constants are folded by the reference, in double precision; what trains changes from run to run.
 */
static void
affine_of_norm_lower (const SlNode *node, SlLowering *to)
{
  const NormAttrs *attrs = node->attrs;
  const SlValue *operands[6];
  SlAffineOfNormParams params = {.epsilon = attrs->epsilon};
  bool is_constant = true;
  for (uint32_t i = 0; i < 4; i++) {
    operands[i] = node->inputs[i];
    is_constant = is_constant && operands[i]->data != NULL && !sl_value_is_variable (operands[i]);
  }
  operands[4] = node->outputs[0];
  operands[5] = node->outputs[1];
  if (is_constant || node->inputs[0]->dtype != SL_FLOAT32) {
    sl_lower_reference (to);
    return;
  }
  sl_shape_get_elements (&node->inputs[0]->shape, &params.count);
  sl_lower_outputs (to, "affine_of_norm", &params, sizeof params, 6, 4, operands);
}

static const SlOpClass affine_of_norm = {
    .name = "AffineOfNorm",
    .domain = SL_DOMAIN,
    .min_inputs = 4,
    .max_inputs = 4,
    .min_outputs = 2,
    .max_outputs = 2,
    .attrs_size = sizeof (NormAttrs),
    .infer = affine_of_norm_infer,
    .reference = affine_of_norm_reference,
    .lower = affine_of_norm_lower,
};

void
sl_affine_of_norm (SlGraph *graph, SlValue *const *vectors, float epsilon, SlValue **ret_scale,
                   SlValue **ret_shift)
{
  NormAttrs attrs = {.epsilon = epsilon};
  SlValue *outputs[] = {sl_graph_add_value (graph, vectors[0]->name, SL_VALUE_ACTIVATION),
                        sl_graph_add_value (graph, vectors[1]->name, SL_VALUE_ACTIVATION)};
  SlNode *node =
      sl_graph_add_node (graph, &affine_of_norm, vectors[0]->name, &attrs, 4, vectors, 2, outputs);
  affine_of_norm_infer (node, NULL);
  *ret_scale = outputs[0];
  *ret_shift = outputs[1];
}

typedef struct ScaleAttrs {
  uint32_t axis; /* of the output channels */
} ScaleAttrs;

/* w, scale: one element for each index of w's axis → w * scale */
static void
scale_weights_reference (const SlRefCall *call)
{
  const ScaleAttrs *attrs = call->attrs;
  const SlRefTensor *w = call->inputs[0], *scale = call->inputs[1];
  size_t inner = 1;
  for (uint32_t i = attrs->axis + 1; i < w->shape.rank; i++)
    inner *= (size_t)w->shape.dim[i];
  for (size_t i = 0; i < w->n; i++)
    call->outputs[0]->f[i] = w->f[i] * scale->f[i / inner % scale->n];
}

static const SlOpClass scale_weights = {
    .name = "ScaleWeights",
    .domain = SL_DOMAIN,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs_size = sizeof (ScaleAttrs),
    .infer = same_infer,
    .reference = scale_weights_reference,
};

SlValue *
sl_scale_weights (SlGraph *graph, SlValue *weights, uint32_t axis, SlValue *scale)
{
  ScaleAttrs attrs = {.axis = axis};
  SlValue *inputs[] = {weights, scale};
  return sl_add_internal (graph, &scale_weights, weights->name, &attrs, 2, inputs);
}

/* bias, scale, shift: n elements each in any shape, or left out → bias * scale + shift (n) */
static gboolean
scale_bias_infer (SlNode *node, GError **error)
{
  size_t n = 0;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    if (node->inputs[i] == NULL)
      continue;
    sl_shape_get_elements (&node->inputs[i]->shape, &n);
    sl_infer_output (node, 0, node->inputs[i]->dtype, &SL_SHAPE ((int64_t)n));
  }
  return TRUE;
}

static void
scale_bias_reference (const SlRefCall *call)
{
  const SlRefTensor *bias = call->inputs[0], *scale = call->inputs[1], *shift = call->inputs[2];
  for (size_t i = 0; i < call->outputs[0]->n; i++)
    call->outputs[0]->f[i] = (bias != NULL ? bias->f[i] : 0) * (scale != NULL ? scale->f[i] : 1) +
                             (shift != NULL ? shift->f[i] : 0);
}

static const SlOpClass scale_bias = {
    .name = "ScaleBias",
    .domain = SL_DOMAIN,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = scale_bias_infer,
    .reference = scale_bias_reference,
};

SlValue *
sl_scale_bias (SlGraph *graph, SlValue *bias, SlValue *scale, SlValue *shift)
{
  if (bias == NULL && shift == NULL)
    return NULL;
  SlValue *inputs[] = {bias, scale, shift};
  return sl_add_internal (graph, &scale_bias, (bias != NULL ? bias : shift)->name, NULL, 3, inputs);
}

const SlOpClass *const sl_ops_internal[] = {
    &relayout,        &store,          &pack_weights,  &pack_depthwise, &channel_affine,
    &channel_shuffle, &affine_of_norm, &scale_weights, &scale_bias,     NULL,
};
