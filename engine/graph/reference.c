/* The reference of an op on typed buffers: conversion to double and int64 around
 * SlOpClass.reference. */
#include "graph/op.h"

#include "core/half.h"
#include "core/memory.h"

#include <math.h>
#include <string.h>

static double
load_float (SlDType dtype, const void *data, size_t i)
{
  switch (dtype) {
  case SL_FLOAT16:
    return sl_half_to_float (((const uint16_t *)data)[i]);
  case SL_BFLOAT16:
    return sl_bfloat16_to_float (((const uint16_t *)data)[i]);
  case SL_FLOAT32:
    return ((const float *)data)[i];
  default:
    return ((const double *)data)[i];
  }
}

static void
store_float (SlDType dtype, void *data, size_t i, double value)
{
  switch (dtype) {
  case SL_FLOAT16:
    ((uint16_t *)data)[i] = sl_half_from_float ((float)value);
    break;
  case SL_BFLOAT16:
    ((uint16_t *)data)[i] = sl_bfloat16_from_float ((float)value);
    break;
  case SL_FLOAT32:
    ((float *)data)[i] = (float)value;
    break;
  default:
    ((double *)data)[i] = value;
    break;
  }
}

static int64_t
load_int (SlDType dtype, const void *data, size_t i)
{
  switch (dtype) {
  case SL_INT8:
    return ((const int8_t *)data)[i];
  case SL_INT16:
    return ((const int16_t *)data)[i];
  case SL_INT32:
    return ((const int32_t *)data)[i];
  case SL_UINT8:
  case SL_BOOL:
    return ((const uint8_t *)data)[i];
  case SL_UINT16:
    return ((const uint16_t *)data)[i];
  case SL_UINT32:
    return ((const uint32_t *)data)[i];
  default:
    return ((const int64_t *)data)[i];
  }
}

static void
store_int (SlDType dtype, void *data, size_t i, int64_t value)
{
  switch (sl_dtype_get_size (dtype)) {
  case 1:
    ((uint8_t *)data)[i] = dtype == SL_BOOL ? value != 0 : (uint8_t)value;
    break;
  case 2:
    ((uint16_t *)data)[i] = (uint16_t)value;
    break;
  case 4:
    ((uint32_t *)data)[i] = (uint32_t)value;
    break;
  default:
    ((int64_t *)data)[i] = value;
    break;
  }
}

void
sl_ref_load (SlRefTensor *tensor, const void *data)
{
  bool is_float = sl_dtype_is_float (tensor->dtype);
  for (size_t i = 0; i < tensor->n; i++) {
    if (is_float)
      tensor->f[i] = load_float (tensor->dtype, data, i);
    else
      tensor->i[i] = load_int (tensor->dtype, data, i);
  }
}

void
sl_ref_store (const SlRefTensor *tensor, void *data)
{
  bool is_float = sl_dtype_is_float (tensor->dtype);
  for (size_t i = 0; i < tensor->n; i++) {
    if (is_float)
      store_float (tensor->dtype, data, i, tensor->f[i]);
    else
      store_int (tensor->dtype, data, i, tensor->i[i]);
  }
}

void
sl_ref_round (SlRefTensor *tensor)
{
  double storage; /* of one element of any type */
  bool is_float = sl_dtype_is_float (tensor->dtype);
  if (sl_dtype_get_size (tensor->dtype) == sizeof storage)
    return;
  for (size_t i = 0; i < tensor->n; i++) {
    if (is_float) {
      store_float (tensor->dtype, &storage, 0, tensor->f[i]);
      tensor->f[i] = load_float (tensor->dtype, &storage, 0);
    } else {
      store_int (tensor->dtype, &storage, 0, tensor->i[i]);
      tensor->i[i] = load_int (tensor->dtype, &storage, 0);
    }
  }
}

void
sl_ref_init (SlRefTensor *tensor, const SlValue *value, void *data)
{
  *tensor = (SlRefTensor){.dtype = value->dtype, .shape = value->shape, .data = data};
  sl_shape_get_elements (&value->shape, &tensor->n);
}

double
sl_act_apply (const SlAct *act, double x)
{
  switch (act->kind) {
  case SL_ACT_NONE:
    return x;
  case SL_ACT_CLIP:
    return x < (double)act->a ? (double)act->a : x > (double)act->b ? (double)act->b : x;
  case SL_ACT_LEAKY:
    return x < 0 ? (double)act->a * x : x;
  case SL_ACT_SIGMOID:
    return 1 / (1 + exp (-x));
  case SL_ACT_TANH:
    return tanh (x);
  case SL_ACT_SILU:
    return x / (1 + exp (-x));
  case SL_ACT_HARDSWISH:
    return x * fmin (fmax (x / 6 + 0.5, 0), 1);
  }
  g_assert_not_reached ();
}

void
sl_ref_call (const SlNode *node, const SlRefTensor *const *inputs, SlRefTensor *const *outputs)
{
  SlRefCall call = {.node = node,
                    .attrs = node->attrs,
                    .n_inputs = node->n_inputs,
                    .n_outputs = node->n_outputs,
                    .inputs = inputs,
                    .outputs = outputs};
  node->op->reference (&call);
  if (node->act.kind != SL_ACT_NONE)
    for (size_t i = 0; i < outputs[0]->n; i++)
      outputs[0]->f[i] = sl_act_apply (&node->act, outputs[0]->f[i]);
}

/* An op that reads shapes alone is evaluated while its inputs have no content yet. */
static bool
has_numbers (const SlNode *node, uint32_t i)
{
  return i >= node->n_inputs || !(node->op->traits & SL_TRAIT_SHAPE_ONLY);
}

/* The node's values in the order inputs, outputs. */
static const SlValue *
end_of_node (const SlNode *node, uint32_t i)
{
  return i < node->n_inputs ? node->inputs[i] : node->outputs[i - node->n_inputs];
}

size_t
sl_reference_scratch (const SlNode *node)
{
  uint32_t n = node->n_inputs + node->n_outputs;
  size_t bytes = n * (sizeof (SlRefTensor) + sizeof (SlRefTensor *)) + SL_ALIGNMENT;
  for (uint32_t i = 0; i < n; i++) {
    const SlValue *value = end_of_node (node, i);
    size_t elements = 0;
    if (value != NULL && has_numbers (node, i))
      sl_shape_get_elements (&value->shape, &elements);
    bytes += elements * sizeof (double);
  }
  return bytes;
}

void
sl_reference_run (const SlNode *node, void *const *inputs, void *const *outputs, void *scratch)
{
  uint32_t n = node->n_inputs + node->n_outputs;
  SlRefTensor *tensors = scratch;
  SlRefTensor **ends = (SlRefTensor **)(tensors + n);
  double *numbers = (double *)sl_align_up ((uintptr_t)(ends + n), sizeof (double));

  for (uint32_t i = 0; i < n; i++) {
    const SlValue *value = end_of_node (node, i);
    ends[i] = NULL;
    if (value == NULL)
      continue;
    ends[i] = &tensors[i];
    sl_ref_init (ends[i], value, numbers);
    if (!has_numbers (node, i))
      continue;
    numbers += ends[i]->n;
    if (i < node->n_inputs)
      sl_ref_load (ends[i], inputs[i]);
  }
  sl_ref_call (node, (const SlRefTensor *const *)ends, ends + node->n_inputs);
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (ends[node->n_inputs + i] != NULL)
      sl_ref_store (ends[node->n_inputs + i], outputs[i]);
}
