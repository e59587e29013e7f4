#include "grad/numeric.h"

#include <math.h>
#include <string.h>

static void
tensor_free (void *data)
{
  SlRefTensor *tensor = data;
  if (tensor == NULL)
    return;
  g_free (tensor->data);
  g_free (tensor);
}

static void
add_tensor (Numeric *numeric, const SlValue *value)
{
  if (value == NULL || numeric->tensors->pdata[value->id] != NULL)
    return;
  SlRefTensor *tensor = g_new0 (SlRefTensor, 1);
  size_t n = 0;
  sl_shape_get_elements (&value->shape, &n);
  sl_ref_init (tensor, value, g_new0 (double, n + 1));
  if (value->data != NULL)
    sl_ref_load (tensor, sl_tensor_get_data (value->data));
  numeric->tensors->pdata[value->id] = tensor;
}

Numeric *
numeric_new (const SlGraph *graph)
{
  Numeric *numeric = g_new0 (Numeric, 1);
  numeric->graph = graph;
  numeric->tensors = g_ptr_array_new_with_free_func (tensor_free);
  g_ptr_array_set_size (numeric->tensors, (gint)graph->values->len);
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    add_tensor (numeric, g_ptr_array_index (graph->inputs, i));
  for (uint32_t i = 0; i < graph->values->len; i++)
    if (((const SlValue *)g_ptr_array_index (graph->values, i))->data != NULL)
      add_tensor (numeric, g_ptr_array_index (graph->values, i));
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      add_tensor (numeric, node->outputs[k]);
  }
  return numeric;
}

void
numeric_free (Numeric *numeric)
{
  g_ptr_array_unref (numeric->tensors);
  g_free (numeric);
}

SlRefTensor *
numeric_get (const Numeric *numeric, const SlValue *value)
{
  return numeric->tensors->pdata[value->id];
}

static void
run_node (const Numeric *numeric, const SlNode *node)
{
  SlRefTensor *ends[24] = {NULL};
  g_assert_cmpuint (node->n_inputs + node->n_outputs, <=, G_N_ELEMENTS (ends));
  for (uint32_t k = 0; k < node->n_inputs; k++)
    ends[k] = node->inputs[k] != NULL ? numeric_get (numeric, node->inputs[k]) : NULL;
  for (uint32_t k = 0; k < node->n_outputs; k++)
    if (node->outputs[k] != NULL)
      ends[node->n_inputs + k] = numeric_get (numeric, node->outputs[k]);
  sl_ref_call (node, (const SlRefTensor *const *)ends, ends + node->n_inputs);
  for (uint32_t k = node->n_inputs; k < node->n_inputs + node->n_outputs; k++)
    if (ends[k] != NULL && (numeric->rounds || !sl_dtype_is_float (ends[k]->dtype)))
      sl_ref_round (ends[k]); /* integers wrap anyway */
}

void
numeric_run (Numeric *numeric, uint32_t first, uint32_t last)
{
  for (uint32_t i = first; i < last; i++)
    run_node (numeric, g_ptr_array_index (numeric->graph->nodes, i));
}

void
numeric_draw (SlRefTensor *tensor, GRand *rand, int kind)
{
  for (size_t i = 0; i < tensor->n; i++) {
    double fraction = g_rand_double_range (rand, 0.06, 0.44) + 0.5 * g_rand_boolean (rand);
    int whole = kind == DRAW_UNIT ? 0 : g_rand_int_range (rand, kind == DRAW_ABOVE ? 1 : 0, 3);
    bool negative = kind == DRAW_SIGNED && g_rand_boolean (rand);
    tensor->f[i] = (negative ? -1 : 1) * (whole + fraction);
  }
  sl_ref_round (tensor);
}

static double
loss_at (Numeric *numeric, uint32_t n_nodes, const SlValue *loss, SlRefTensor *x,
         const double *origin, const double *direction, double step)
{
  for (size_t i = 0; i < x->n; i++)
    x->f[i] = origin[i] + step * direction[i];
  numeric_run (numeric, 0, n_nodes);
  return numeric_get (numeric, loss)->f[0];
}

bool
numeric_slope (Numeric *numeric, uint32_t n_nodes, const SlValue *loss, const SlValue *input,
               const double *direction, double step, double grain, double *ret_slope,
               double *ret_noise)
{
  SlRefTensor *x = numeric_get (numeric, input);
  g_autofree double *origin = g_new (double, x->n + 1);
  memcpy (origin, x->f, x->n * sizeof *origin);
  double at[5]; /* at -2 … 2 halves of a step */
  for (int i = 0; i < 5; i++)
    at[i] = loss_at (numeric, n_nodes, loss, x, origin, direction, step * (i - 2) / 2);
  memcpy (x->f, origin, x->n * sizeof *origin);

  double wide = (at[4] - at[0]) / (2 * step), narrow = (at[3] - at[1]) / step;
  double behind = (at[2] - at[0]) / step, ahead = (at[4] - at[2]) / step;
  double size = fmax (fabs (behind), fabs (ahead));
  /* Rounding moves a slope by `noise`; a kink within the step by a part of the slopes beside it. */
  const double noise = 16 * grain * fmax (fabs (at[2]), 1) / step;
  *ret_noise = noise;
  *ret_slope = narrow + (narrow - wide) / 3;
  return isfinite (wide) && isfinite (narrow) && fabs (wide - narrow) <= 1e-5 * size + noise &&
         fabs (ahead - behind) <= 1e-2 * size + noise && (noise <= 0.5 * size || size <= 2 * noise);
}
