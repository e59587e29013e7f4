/* What a node's computation takes: memory and operations. */
#include "graph/op.h"

SlDType
sl_value_get_storage (const SlValue *value)
{
  return value->is_half ? SL_FLOAT16 : value->dtype;
}

size_t
sl_value_get_element_size (const SlValue *value)
{
  return sl_dtype_get_size (sl_value_get_storage (value));
}

size_t
sl_value_get_bytes (const SlValue *value)
{
  size_t elements = 0;
  sl_shape_get_elements (&value->shape, &elements);
  return elements * sl_value_get_element_size (value);
}

SlCost
sl_node_get_cost (const SlNode *node)
{
  size_t elements = 0;
  SlCost cost = {0};
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL)
      cost.bytes += (double)sl_value_get_bytes (node->inputs[i]);
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    if (node->outputs[i] == NULL)
      continue;
    cost.bytes += (double)sl_value_get_bytes (node->outputs[i]);
    sl_shape_get_elements (&node->outputs[i]->shape, &elements);
    cost.flops += (double)elements;
  }
  if (node->op->cost != NULL)
    node->op->cost (node, &cost);
  return cost;
}

double
sl_node_get_work (const SlNode *node)
{
  double elements = 0;
  for (uint32_t i = 0; i < node->n_inputs + node->n_outputs; i++) {
    const SlValue *end = i < node->n_inputs ? node->inputs[i] : node->outputs[i - node->n_inputs];
    size_t n = 0;
    if (end != NULL)
      sl_shape_get_elements (&end->shape, &n);
    elements += (double)n;
  }
  return MAX (elements, sl_node_get_cost (node).flops);
}
