#include "op_reference.h"

#include "core/half.h"
#include "ref/ref.h"

#include <math.h>

static gboolean
evaluate (void *data, const SlNode *node, SlTensor **ret_outputs, GError **error)
{
  SlTensor *inputs[16] = {NULL};
  g_assert_cmpuint (node->n_inputs, <=, G_N_ELEMENTS (inputs));
  for (uint32_t i = 0; i < node->n_inputs; i++)
    inputs[i] = node->inputs[i] != NULL ? node->inputs[i]->data : NULL;
  return sl_ref_evaluate (node, inputs, ret_outputs, error);
}

/* Imports, infers and folds; FALSE with the error that refuses the case. */
gboolean
op_reference_build (const OpCase *row, SlPasses *passes, GPtrArray **ret_contents, GError **error)
{
  *passes = (SlPasses){.evaluate = evaluate, .folded_limit = UINT64_MAX};
  return op_case_build (row, &passes->graph, ret_contents, error) &&
         sl_pass_fold_constants (passes, error) && sl_graph_sort (passes->graph, error);
}

static void
round_tensor (SlTensor *tensor)
{
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t i = 0; i < sl_tensor_get_elements (tensor); i++)
    data[i] = sl_half_to_float (sl_half_from_float (data[i]));
}

/* Inputs and weights (constants of two dimensions and more: others say how to compute) as float16
 * has them. */
void
op_reference_round (SlGraph *graph, GPtrArray *contents)
{
  for (uint32_t i = 0; i < contents->len; i++)
    if (sl_tensor_get_dtype (contents->pdata[i]) == SL_FLOAT32)
      round_tensor (contents->pdata[i]);
  for (uint32_t i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    if (value->data != NULL && value->dtype == SL_FLOAT32 && value->shape.rank >= 2)
      round_tensor (value->data);
  }
}

void
op_reference_free (void *data)
{
  SlRefTensor *tensor = data;
  if (tensor == NULL)
    return;
  g_free (tensor->data);
  g_free (tensor);
}

SlRefTensor *
op_reference_new (const SlValue *value, const SlTensor *content)
{
  SlRefTensor *tensor = g_new0 (SlRefTensor, 1);
  size_t n = 0;
  sl_shape_get_elements (&value->shape, &n);
  sl_ref_init (tensor, value, g_new0 (double, n));
  if (content != NULL)
    sl_ref_load (tensor, sl_tensor_get_data (content));
  return tensor;
}

/* Every value in double or int64, by id; free with g_ptr_array_unref(). */
GPtrArray *
op_reference_run (const SlGraph *graph, GPtrArray *contents)
{
  GPtrArray *results = g_ptr_array_new_with_free_func (op_reference_free);
  g_ptr_array_set_size (results, (int)graph->values->len);
  for (uint32_t i = 0; i < graph->inputs->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->inputs, i);
    results->pdata[value->id] = op_reference_new (value, g_ptr_array_index (contents, i));
  }
  for (uint32_t i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    if (value->data != NULL)
      results->pdata[i] = op_reference_new (value, value->data);
  }
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    SlRefTensor *ends[24] = {NULL};
    g_assert_cmpuint (node->n_inputs + node->n_outputs, <=, G_N_ELEMENTS (ends));
    for (uint32_t k = 0; k < node->n_inputs; k++)
      ends[k] = node->inputs[k] != NULL ? results->pdata[node->inputs[k]->id] : NULL;
    for (uint32_t k = 0; k < node->n_outputs; k++) {
      const SlValue *value = node->outputs[k];
      if (value != NULL)
        ends[node->n_inputs + k] = results->pdata[value->id] = op_reference_new (value, NULL);
    }
    sl_ref_call (node, (const SlRefTensor *const *)ends, ends + node->n_inputs);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      if (ends[node->n_inputs + k] != NULL && !sl_dtype_is_float (ends[node->n_inputs + k]->dtype))
        sl_ref_round (ends[node->n_inputs + k]); /* integers wrap, floats keep their precision */
  }
  return results;
}

/* --- Comparison --- */

static double
number (const SlRefTensor *tensor, size_t i)
{
  return sl_dtype_is_float (tensor->dtype) ? tensor->f[i] : (double)tensor->i[i];
}

/* max |difference| <= tolerance * max |wanted|; the same NaN and infinities. */
void
op_reference_compare (const char *what, const SlRefTensor *got, const SlRefTensor *wanted,
                      double tolerance)
{
  double largest = 0;
  for (size_t i = 0; i < wanted->n; i++)
    if (isfinite (number (wanted, i)))
      largest = fmax (largest, fabs (number (wanted, i)));
  for (size_t i = 0; i < wanted->n; i++) {
    double a = number (got, i), b = number (wanted, i);
    bool same =
        !isfinite (b) ? (isnan (a) && isnan (b)) || a == b : fabs (a - b) <= tolerance * largest;
    if (!same)
      g_error ("%s: element %zu of %zu is %.9g, expected %.9g within %g", what, i, wanted->n, a, b,
               tolerance * largest);
  }
}

/* Output `index` against numbers of the table. */
void
op_reference_check_stated (const OpCase *row, const SlGraph *graph, GPtrArray *results,
                           uint32_t index, const char *expected)
{
  const SlValue *value = g_ptr_array_index (graph->outputs, index);
  if (expected == NULL)
    return;
  g_autoptr (GArray) stated = op_case_parse_values (expected);
  const SlRefTensor *got = results->pdata[value->id];
  g_assert_cmpuint (stated->len, ==, got->n);
  SlRefTensor wanted = {.dtype = SL_FLOAT64, .n = got->n, .f = (double *)(void *)stated->data};
  op_reference_compare (row->name, got, &wanted, sl_dtype_is_float (got->dtype) ? 1e-6 : 0);
}

void
op_reference_check_shape (const OpCase *row, const SlGraph *graph)
{
  const SlValue *value = g_ptr_array_index (graph->outputs, 0);
  SlDType dtype;
  SlShape shape;
  if (row->shape == NULL)
    return;
  op_case_parse_shape (row->shape, &dtype, &shape);
  g_autofree char *got = sl_shape_to_string (&value->shape);
  g_autofree char *wanted = sl_shape_to_string (&shape);
  g_assert_cmpstr (got, ==, wanted);
  g_assert_cmpstr (sl_dtype_get_name (value->dtype), ==, sl_dtype_get_name (dtype));
}
