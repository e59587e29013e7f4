#include "onnx/reader.h"

#include "graph/op.h"
#include "graph/stub.h"

#include <math.h>

/* In a file they stand anywhere. */
typedef uint16_t Bits16 __attribute__ ((aligned (1)));
typedef uint32_t Bits32 __attribute__ ((aligned (1)));
typedef uint64_t Bits64 __attribute__ ((aligned (1)));

/* Index of the first element that is NaN or infinite; SIZE_MAX: none. Sixteen-bit types have their
 * exponents in other places, so each type has its mask: all ones there means one or the other. */
static size_t
find_nonfinite (const SlTensor *tensor, const void *data)
{
  const size_t n = sl_tensor_get_elements (tensor);
  switch (sl_tensor_get_dtype (tensor)) {
  case SL_FLOAT32: {
    /* All at once, which compilers make vectors of: mostly there is none. */
    uint32_t any = 0;
    for (size_t i = 0; i < n; i++)
      any |= (((const Bits32 *)data)[i] & 0x7f800000u) == 0x7f800000u;
    for (size_t i = 0; any != 0 && i < n; i++)
      if ((((const Bits32 *)data)[i] & 0x7f800000u) == 0x7f800000u)
        return i;
    return SIZE_MAX;
  }
  case SL_FLOAT16:
  case SL_BFLOAT16: {
    const uint16_t mask = sl_tensor_get_dtype (tensor) == SL_FLOAT16 ? 0x7c00 : 0x7f80;
    for (size_t i = 0; i < n; i++)
      if ((((const Bits16 *)data)[i] & mask) == mask)
        return i;
    return SIZE_MAX;
  }
  case SL_FLOAT64:
    for (size_t i = 0; i < n; i++)
      if ((((const Bits64 *)data)[i] >> 52 & 0x7ff) == 0x7ff)
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

/* FALSE with the error set if the constant holds what is no number. */
static gboolean
check_constant (const SlNode *node, const SlValue *weights, GBytes *file, GError **error)
{
  const SlTensor *tensor = weights->data;
  const char *data = sl_tensor_get_data (tensor);
  if (sl_tensor_is_stub (tensor))
    data = (const char *)g_bytes_get_data (file, NULL) + sl_tensor_get_place (tensor);
  const size_t at = find_nonfinite (tensor, data);
  if (at == SIZE_MAX)
    return TRUE;
  const SlDType dtype = sl_tensor_get_dtype (tensor);
  g_autoptr (SlTensor) element =
      sl_tensor_new_copy (dtype, &(SlShape){0}, data + at * sl_dtype_get_size (dtype), error);
  if (element != NULL)
    sl_node_error (node, error, SL_ERROR_NUMERIC, "element %zu of '%s' is %s (expected a number)",
                   at, weights->name,
                   isnan (sl_tensor_get_double (element, 0)) ? "NaN" : "infinite");
  return FALSE;
}

gboolean
sl_onnx_check_weights (const SlGraph *graph, GBytes *file, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; multiplies (node->op) && k < node->n_inputs; k++) {
      const SlValue *weights = node->inputs[k];
      if (weights != NULL && weights->data != NULL && !check_constant (node, weights, file, error))
        return FALSE;
    }
  }
  return TRUE;
}
