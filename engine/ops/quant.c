#include "ops/quant.h"
#include "ops/internal.h"

int64_t
sl_quant_min (SlDType dtype)
{
  switch (dtype) {
  case SL_INT8:
    return INT8_MIN;
  case SL_INT16:
    return INT16_MIN;
  case SL_INT32:
    return INT32_MIN;
  default:
    return 0;
  }
}

int64_t
sl_quant_max (SlDType dtype)
{
  switch (dtype) {
  case SL_INT8:
    return INT8_MAX;
  case SL_UINT8:
    return UINT8_MAX;
  case SL_INT16:
    return INT16_MAX;
  case SL_UINT16:
    return UINT16_MAX;
  default:
    return INT32_MAX;
  }
}

bool
sl_is_single (const SlValue *value)
{
  size_t n = 0;
  return sl_shape_get_elements (&value->shape, &n) && n == 1;
}

gboolean
sl_quant_check_bytes (const SlNode *node, uint32_t index, const SlValue *like, GError **error)
{
  const SlValue *input = sl_node_input (node, index);
  if (input == NULL || (sl_is_byte (input->dtype) && (like == NULL || input->dtype == like->dtype)))
    return TRUE;
  sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s, expected %s", input->name,
                 sl_dtype_get_name (input->dtype),
                 like != NULL ? sl_dtype_get_name (like->dtype) : "uint8 or int8");
  return FALSE;
}

gboolean
sl_quant_check_scale (const SlNode *node, uint32_t index, GError **error)
{
  return sl_quant_check_count (node, index, 1, error);
}

gboolean
sl_quant_check_count (const SlNode *node, uint32_t index, int64_t n, GError **error)
{
  const SlValue *input = sl_node_input (node, index);
  if (input == NULL || sl_is_single (input) || (input->shape.rank == 1 && input->shape.dim[0] == n))
    return TRUE;
  g_autofree char *shape = sl_shape_to_string (&input->shape);
  sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected 1 or %" G_GINT64_FORMAT,
                 input->name, shape, n);
  return FALSE;
}

/* --- Packing, by nodes of their own --- */

typedef struct PackAttrs {
  SlQuantPackParams pack;
  size_t panel;
} PackAttrs;
SL_NO_PADDING (PackAttrs, 6 * sizeof (uint32_t) + 7 * sizeof (size_t));

static gboolean
pack_infer (SlNode *node, GError **error)
{
  const PackAttrs *attrs = node->attrs;
  const SlQuantPackParams *pack = &attrs->pack;
  size_t depth = (size_t)pack->depth[0] * pack->depth[1] * pack->depth[2];
  size_t elements = pack->groups * sl_qpacked_elements (pack->cols, depth, attrs->panel);
  sl_infer_output (node, 0, SL_INT16, &SL_SHAPE ((int64_t)elements));
  return TRUE;
}

static void
pack_lower (const SlNode *node, SlLowering *to)
{
  const PackAttrs *attrs = node->attrs;
  sl_lower (to, "pack_quantized", &attrs->pack, node->inputs[0], node->inputs[1], node->outputs[0]);
}

static gboolean
pack_depthwise_infer (SlNode *node, GError **error)
{
  const SlQuantPackParams *pack = &((const PackAttrs *)node->attrs)->pack;
  int64_t taps = (int64_t)pack->depth[0] * pack->depth[1] * pack->depth[2];
  sl_infer_output (node, 0, SL_FLOAT32, &SL_SHAPE (taps, (int64_t)pack->groups));
  return TRUE;
}

static void
pack_depthwise_lower (const SlNode *node, SlLowering *to)
{
  const PackAttrs *attrs = node->attrs;
  sl_lower (to, "pack_qdepthwise", &attrs->pack, node->inputs[0], node->inputs[1],
            node->outputs[0]);
}

#define PACK                                                                                 \
  .domain = SL_DOMAIN, .min_inputs = 2, .max_inputs = 2, .min_outputs = 1, .max_outputs = 1, \
  .attrs_size = sizeof (PackAttrs), .traits = SL_TRAIT_PACKING

static const SlOpClass pack_quantized = {
    .name = "PackQuantized",
    .infer = pack_infer,
    .lower = pack_lower,
    PACK,
};

static const SlOpClass pack_quantized_depthwise = {
    .name = "PackQuantizedDepthwise",
    .infer = pack_depthwise_infer,
    .lower = pack_depthwise_lower,
    PACK,
};

/* x_scale, w_scale, y_scale or none → factors, one a column. In float, as kernels would have it. */
typedef struct FactorAttrs {
  int64_t cols;
} FactorAttrs;

static const SlQuantRoles factor_roles = {.x_scale = 0, .w_scale = 1, .y_scale = 2};

static gboolean
factors_infer (SlNode *node, GError **error)
{
  const FactorAttrs *attrs = node->attrs;
  sl_infer_output (node, 0, SL_FLOAT32, &SL_SHAPE (attrs->cols));
  return TRUE;
}

static void
factors_reference (const SlRefCall *call)
{
  for (size_t i = 0; i < call->outputs[0]->n; i++)
    call->outputs[0]->f[i] = (double)sl_quant_factor (call, &factor_roles, i);
}

static const SlOpClass quantized_factors = {
    .name = "QuantizedFactors",
    .domain = SL_DOMAIN,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs_size = sizeof (FactorAttrs),
    .traits = SL_TRAIT_PACKING,
    .infer = factors_infer,
    .reference = factors_reference,
};

/* --- Sums of products --- */

gboolean
sl_quant_check_product (const SlNode *node, const SlQuantRoles *roles, SlDType sum,
                        SlDType *ret_dtype, GError **error)
{
  const SlValue *x = sl_node_input (node, roles->x), *w = sl_node_input (node, roles->w);
  const SlValue *bias = sl_node_input (node, roles->bias);
  const SlValue *y_scale = sl_node_input (node, roles->y_scale);
  const SlValue *y_zero = sl_node_input (node, roles->y_zero);
  if (!sl_quant_check_bytes (node, roles->x, NULL, error) ||
      !sl_quant_check_bytes (node, roles->w, NULL, error) ||
      !sl_quant_check_bytes (node, roles->x_zero, x, error) ||
      !sl_quant_check_bytes (node, roles->w_zero, w, error) ||
      !sl_quant_check_bytes (node, roles->y_zero, NULL, error) ||
      !sl_quant_check_scale (node, roles->y_scale, error) ||
      !sl_quant_check_scale (node, roles->y_zero, error))
    return FALSE;
  const uint32_t scales[] = {roles->x_scale, roles->w_scale, roles->y_scale};
  for (uint32_t i = 0; i < G_N_ELEMENTS (scales); i++) {
    const SlValue *scale = sl_node_input (node, scales[i]);
    if (scale == NULL || scale->dtype == SL_FLOAT32)
      continue;
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "scale '%s' is %s, expected float32",
                   scale->name, sl_dtype_get_name (scale->dtype));
    return FALSE;
  }
  if (bias != NULL && bias->dtype != SL_INT32) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "bias '%s' is %s, expected int32", bias->name,
                   sl_dtype_get_name (bias->dtype));
    return FALSE;
  }
  *ret_dtype = y_scale == NULL ? sum : y_zero != NULL ? y_zero->dtype : x->dtype;
  return TRUE;
}

float
sl_quant_factor (const SlRefCall *call, const SlQuantRoles *roles, size_t i)
{
  const SlRefTensor *y_scale =
      roles->y_scale < call->n_inputs ? call->inputs[roles->y_scale] : NULL;
  float factor = sl_quant_scale_at (call->inputs[roles->x_scale], 0) *
                 sl_quant_scale_at (call->inputs[roles->w_scale], i);
  return y_scale != NULL ? factor / sl_quant_scale_at (y_scale, 0) : factor;
}

void
sl_quant_store (const SlRefCall *call, const SlQuantRoles *roles, size_t to, size_t column,
                int64_t sum)
{
  const SlRefTensor *zero = roles->y_zero < call->n_inputs ? call->inputs[roles->y_zero] : NULL;
  SlRefTensor *y = call->outputs[0];
  if (y->dtype == SL_INT32)
    y->i[to] = (int32_t)sum;
  else if (y->dtype == SL_FLOAT32)
    y->f[to] = (double)((float)(int32_t)sum * sl_quant_factor (call, roles, column));
  else
    y->i[to] = sl_requantize (sum, sl_quant_factor (call, roles, column),
                              sl_quant_zero_at (zero, 0), y->dtype);
}

void
sl_quant_prepare (SlGraph *graph, SlNode *node, const SlQuantRoles *roles, SlQuantPackParams *pack,
                  bool depthwise, const SlTarget *target)
{
  SlValue *w = node->inputs[roles->w], *zero = sl_node_input (node, roles->w_zero);
  size_t zeros = 1;
  if (zero != NULL)
    sl_shape_get_elements (&zero->shape, &zeros);
  pack->n_zeros = zeros;
  pack->flip = sl_quant_flip (w->dtype);
  PackAttrs attrs = {.pack = *pack, .panel = target->panel};
  SlValue *packing[] = {w, zero};
  sl_node_set_input (node, roles->w,
                     sl_add_internal (graph,
                                      depthwise ? &pack_quantized_depthwise : &pack_quantized,
                                      w->name, &attrs, 2, packing));
  SlValue *scale = sl_node_input (node, roles->w_scale);
  if (scale == NULL)
    return;
  FactorAttrs factors = {.cols = (int64_t)pack->groups * pack->cols};
  SlValue *scales[] = {node->inputs[roles->x_scale], scale, sl_node_input (node, roles->y_scale)};
  sl_node_set_input (node, roles->w_scale,
                     sl_add_internal (graph, &quantized_factors, scale->name, &factors, 3, scales));
}

void
sl_quant_lower (const SlNode *node, SlLowering *to, const SlQuantRoles *roles,
                SlQuantConvParams *params, bool depthwise)
{
  const SlValue *x = node->inputs[roles->x], *y = node->outputs[0];
  params->in_flip = sl_quant_flip (x->dtype);
  params->out_flip = sl_quant_flip (y->dtype);
  params->out = y->dtype == SL_INT32     ? SL_QOUT_INT32
                : y->dtype == SL_FLOAT32 ? SL_QOUT_FLOAT
                                         : SL_QOUT_BYTES;
  sl_lower (to, depthwise ? "qdepthwise2d" : "qconv2d", params, x, node->inputs[roles->w],
            sl_node_input (node, roles->bias), sl_node_input (node, roles->w_scale),
            sl_node_input (node, roles->x_zero), sl_node_input (node, roles->y_zero), y);
}
