#include "onnx/reader.h"

#include "graph/op.h"

#include <math.h>

/* Index of the first element that is NaN or infinite; SIZE_MAX: none. Sixteen-bit types have their
 * exponents in other places, so each type has its mask: all ones there means one or the other. */
static size_t
find_nonfinite (const SlTensor *tensor)
{
  const size_t n = sl_tensor_get_elements (tensor);
  const void *data = sl_tensor_get_data (tensor);
  switch (sl_tensor_get_dtype (tensor)) {
  case SL_FLOAT32: {
    /* All at once, which compilers make vectors of: mostly there is none. */
    uint32_t any = 0;
    for (size_t i = 0; i < n; i++)
      any |= (((const uint32_t *)data)[i] & 0x7f800000u) == 0x7f800000u;
    for (size_t i = 0; any != 0 && i < n; i++)
      if ((((const uint32_t *)data)[i] & 0x7f800000u) == 0x7f800000u)
        return i;
    return SIZE_MAX;
  }
  case SL_FLOAT16:
  case SL_BFLOAT16: {
    const uint16_t mask = sl_tensor_get_dtype (tensor) == SL_FLOAT16 ? 0x7c00 : 0x7f80;
    for (size_t i = 0; i < n; i++)
      if ((((const uint16_t *)data)[i] & mask) == mask)
        return i;
    return SIZE_MAX;
  }
  case SL_FLOAT64:
    for (size_t i = 0; i < n; i++)
      if (!isfinite (((const double *)data)[i]))
        return i;
    return SIZE_MAX;
  default:
    return SIZE_MAX;
  }
}

/* Operators that multiply by their constants say so by one of these. */
static bool
multiplies (const SlOpClass *op)
{
  return op->as_linear != NULL || op->absorb_affine != NULL;
}

gboolean
sl_onnx_check_weights (const SlGraph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; multiplies (node->op) && k < node->n_inputs; k++) {
      const SlValue *weights = node->inputs[k];
      const size_t at =
          weights != NULL && weights->data != NULL ? find_nonfinite (weights->data) : SIZE_MAX;
      if (at == SIZE_MAX)
        continue;
      const double element = sl_tensor_get_double (weights->data, at);
      sl_node_error (node, error, SL_ERROR_NUMERIC, "element %zu of '%s' is %s (expected a number)",
                     at, weights->name, isnan (element) ? "NaN" : "infinite");
      return FALSE;
    }
  }
  return TRUE;
}
