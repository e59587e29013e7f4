#include "graph/step.h"

#include "graph/op.h"

#include <string.h>

static bool
is_empty (const SlValue *value)
{
  size_t elements = 1;
  return value == NULL || (sl_shape_get_elements (&value->shape, &elements) && elements == 0);
}

static bool
makes_nothing (const SlNode *node)
{
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (!is_empty (node->outputs[i]))
      return false;
  return true;
}

void
sl_lower_node (SlLowering *to)
{
  const SlNode *node = to->node;
  /* Strides of a value without elements may lead beyond 64 bits where an op works with them. */
  if (makes_nothing (node))
    return;
  if (node->op->lower != NULL)
    node->op->lower (node, to);
  else
    sl_lower_reference (to);
}

void
sl_lower_outputs (SlLowering *to, const char *kernel, const void *params, size_t params_size,
                  uint32_t n_operands, uint32_t n_reads, const SlValue *const *operands)
{
  SlStep step = {.kernel = kernel,
                 .node = to->node,
                 .params = g_memdup2 (params, params_size),
                 .params_size = params_size,
                 .operands = g_memdup2 (operands, n_operands * sizeof operands[0]),
                 .n_operands = n_operands,
                 .n_reads = n_reads};
  g_array_append_val (to->steps, step);
}

void
sl_lower_step (SlLowering *to, const char *kernel, const void *params, size_t params_size,
               uint32_t n_operands, const SlValue *const *operands)
{
  g_assert (n_operands > 0);
  if (is_empty (operands[n_operands - 1]))
    return;
  sl_lower_outputs (to, kernel, params, params_size, n_operands, n_operands - 1, operands);
}

void
sl_lower_reference (SlLowering *to)
{
  const SlNode *node = to->node;
  uint32_t n = node->n_inputs + node->n_outputs;
  SlStep step = {.kernel = SL_STEP_REFERENCE,
                 .node = node,
                 .operands = g_new (const SlValue *, n),
                 .n_operands = n,
                 .n_reads = node->n_inputs};
  for (uint32_t i = 0; i < n; i++)
    step.operands[i] = i < node->n_inputs ? node->inputs[i] : node->outputs[i - node->n_inputs];
  g_array_append_val (to->steps, step);
}

void
sl_step_clear (SlStep *step)
{
  g_clear_pointer (&step->params, g_free);
  g_clear_pointer (&step->operands, g_free);
}

const SlValue *
sl_value_get_root (const SlValue *value, size_t *ret_offset)
{
  size_t offset = 0;
  for (; value->base != NULL; value = value->base)
    offset += value->base_offset;
  *ret_offset = offset;
  return value;
}

bool
sl_value_lies_at (const SlValue *value, const SlValue *other, size_t offset)
{
  size_t at, from;
  return sl_value_get_root (value, &at) == sl_value_get_root (other, &from) && at == from + offset;
}

/* The logical dimension that varies fastest in memory. */
static uint32_t
fastest (const SlValue *value)
{
  return value->layout == SL_LAYOUT_CHANNELS_LAST ? 1 : value->shape.rank - 1;
}

void
sl_value_get_strides (const SlValue *value, ptrdiff_t ret_strides[SL_MAX_RANK])
{
  const SlShape *shape = &value->shape;
  if (shape->rank == 0)
    return;
  uint32_t inner = fastest (value);
  ret_strides[inner] = 1;
  ptrdiff_t stride = value->pixel_stride > 0 ? (ptrdiff_t)value->pixel_stride
                                             : (ptrdiff_t)MAX (shape->dim[inner], 1);
  for (uint32_t i = shape->rank; i-- > 0;) {
    if (i == inner)
      continue;
    ret_strides[i] = stride;
    stride *= (ptrdiff_t)MAX (shape->dim[i], 1);
  }
}

void
sl_value_get_rows (const SlValue *value, size_t *ret_rows, size_t *ret_cols, size_t *ret_stride)
{
  size_t elements = 1;
  sl_shape_get_elements (&value->shape, &elements);
  if (value->layout != SL_LAYOUT_CHANNELS_LAST) {
    *ret_rows = 1;
    *ret_cols = *ret_stride = elements;
    return;
  }
  *ret_cols = (size_t)value->shape.dim[1];
  *ret_rows = *ret_cols > 0 ? elements / *ret_cols : 0;
  *ret_stride = value->pixel_stride > 0 ? value->pixel_stride : *ret_cols;
}
