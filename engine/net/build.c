/* What layers are built with: nodes of ONNX's operators, parameters, errors. */
#include "net/layer.h"

#include "graph/op.h"

#include <string.h>

/* The operators are used as of this opset: the canonical forms. */
#define OPSET 22
#define MAX_ATTRS 8

void *
sl_net_fail (SlNetBuilder *builder, SlErrorCode code, const char *format, ...)
{
  if (builder->failed)
    return NULL;
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  builder->failed = true;
  sl_net_error (builder->error, code, builder->at, "layer '%s' (%s): %s", builder->name,
                builder->layer->name, text);
  return NULL;
}

char *
sl_net_shape_to_string (const SlShape *shape)
{
  SlShape keras = {.rank = MAX (shape->rank, 1) - 1};
  for (uint32_t i = 0; i < keras.rank; i++)
    keras.dim[i] = shape->dim[sl_net_axis (i, shape->rank)];
  return sl_shape_to_string (&keras);
}

uint32_t
sl_net_axis (uint32_t index, uint32_t rank)
{
  return index + 2 < rank ? index + 2 : 1;
}

static SlRawAttr
raw_attr (const SlNetAttr *attr)
{
  SlRawAttr raw = {.name = (char *)attr->name, .type = SL_RAW_INT, .i = attr->i};
  if (attr->ints != NULL) {
    raw.type = SL_RAW_INTS;
    raw.n = attr->ints->n;
    raw.ints = (int64_t *)attr->ints->v;
  } else if (attr->s != NULL) {
    raw.type = SL_RAW_STRING;
    raw.s = (char *)attr->s;
  } else if (attr->is_float) {
    raw.type = SL_RAW_FLOAT;
    raw.f = attr->f;
  }
  return raw;
}

/* Sets type and shape of what the node computes. Its attributes stay as the text says them: what
 * inference completes (pads of auto_pad) follows from the input's shape, and is no file's business.
 */
static gboolean
infer (SlNode *node, GError **error)
{
  g_autofree void *attrs = g_memdup2 (node->attrs, node->op->attrs_size);
  const gboolean ok = sl_node_infer (node, error);
  if (attrs != NULL)
    memcpy (node->attrs, attrs, node->op->attrs_size);
  return ok;
}

/* Adds what the operator's form makes of it, and infers its shapes. */
static gboolean
import (SlNetBuilder *builder, const SlImport *im, GError **error)
{
  const SlOnnxForm *form;
  const uint32_t first = builder->graph->nodes->len;
  const SlOpClass *op = sl_op_find_onnx ("", im->op_type, OPSET, &form);
  g_assert (op != NULL);
  if (first >= builder->limits->nodes) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT, "the network has more than %u nodes",
                 builder->limits->nodes);
    return FALSE;
  }
  if (form->import != NULL ? !form->import (im, op, error) : !sl_import_default (im, op, error))
    return FALSE;
  for (uint32_t i = first; i < builder->graph->nodes->len; i++)
    if (!infer (builder->graph->nodes->pdata[i], error))
      return FALSE;
  return TRUE;
}

SlValue *
sl_net_node (SlNetBuilder *builder, const char *op, SlValue *const *inputs, uint32_t n_inputs,
             const SlNetAttr *attrs, uint32_t n_attrs)
{
  g_autoptr (GError) cause = NULL;
  SlRawAttr raw[MAX_ATTRS];
  g_assert (n_attrs <= MAX_ATTRS);
  if (builder->failed)
    return NULL;
  for (uint32_t i = 0; i < n_attrs; i++)
    raw[i] = raw_attr (&attrs[i]);
  g_autofree char *name = g_strdup_printf ("%s/%s", builder->name, op);
  SlValue *output = sl_graph_add_value (builder->graph, name, SL_VALUE_ACTIVATION);
  const SlImport im = {.graph = builder->graph,
                       .name = builder->name,
                       .op_type = op,
                       .opset = OPSET,
                       .n_inputs = n_inputs,
                       .n_outputs = 1,
                       .inputs = inputs,
                       .outputs = &output,
                       .n_attrs = n_attrs,
                       .attrs = raw};
  if (import (builder, &im, &cause))
    return output;
  return sl_net_fail (builder, cause->code, "%s", cause->message);
}

SlValue *
sl_net_unary (SlNetBuilder *builder, const char *op, SlValue *x)
{
  return sl_net_node (builder, op, &x, 1, NULL, 0);
}

/* Constants take memory at once. */
static SlTensor *
new_tensor (SlNetBuilder *builder, const char *name, const SlShape *shape)
{
  g_autoptr (GError) cause = NULL;
  size_t elements = 0;
  if (!sl_shape_get_elements (shape, &elements) ||
      elements > builder->limits->tensor_bytes / sizeof (float) ||
      elements * sizeof (float) > builder->limits->file_bytes - builder->bytes) {
    g_autofree char *text = sl_shape_to_string (shape);
    return sl_net_fail (builder, SL_ERROR_LIMIT,
                        "%s of %s is too large (limits are %" G_GUINT64_FORMAT
                        " bytes, and %" G_GUINT64_FORMAT " for all parameters)",
                        name, text, builder->limits->tensor_bytes, builder->limits->file_bytes);
  }
  SlTensor *tensor = sl_tensor_new (SL_FLOAT32, shape, &cause);
  if (tensor == NULL)
    return sl_net_fail (builder, cause->code, "%s: %s", name, cause->message);
  builder->bytes += elements * sizeof (float);
  return tensor;
}

static void
fill (SlTensor *tensor, float number)
{
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t i = 0; number != 0 && i < sl_tensor_get_elements (tensor); i++)
    data[i] = number;
}

SlValue *
sl_net_weights (SlNetBuilder *builder, const char *name, SlValueKind kind, const SlShape *shape,
                const SlNetInit *init, double fan_in, double fan_out)
{
  if (builder->failed)
    return NULL;
  g_autoptr (SlTensor) tensor = new_tensor (builder, name, shape);
  if (tensor == NULL)
    return NULL;
  const SlInitializer *initializer = init->initializer;
  if (initializer == NULL)
    fill (tensor, (float)init->value);
  else if (initializer->draw == SL_DRAW_CONSTANT)
    fill (tensor, (float)sl_initializer_get_size (initializer, fan_in, fan_out));
  g_autofree char *full = g_strdup_printf ("%s/%s", builder->name, name);
  SlValue *value = sl_graph_add_tensor (builder->graph, full, kind, tensor);
  value->initializer = initializer;
  value->fan_in = fan_in;
  value->fan_out = fan_out;
  return value;
}

SlValue *
sl_net_ints (SlNetBuilder *builder, const int64_t *ints, size_t n)
{
  return builder->failed ? NULL : sl_graph_add_ints (builder->graph, NULL, ints, n);
}

SlValue *
sl_net_scalar (SlNetBuilder *builder, float value)
{
  if (builder->failed)
    return NULL;
  g_autoptr (SlTensor) tensor = sl_tensor_new_copy (SL_FLOAT32, &(SlShape){0}, &value, NULL);
  return sl_graph_add_tensor (builder->graph, NULL, SL_VALUE_CONSTANT, tensor);
}
