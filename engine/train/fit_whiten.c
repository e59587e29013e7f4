/* Whitening as part of the network: it is in the file that comes out, and live video gets it. */
#include "train/fit.h"

#include "graph/op.h"
#include "model-private.h"

#include <string.h>

/* A float32 constant of what is named so; its content is copied. */
static SlValue *
add_constant (SlGraph *graph, const char *name, const SlShape *shape, const float *content,
              GError **error)
{
  g_autoptr (SlTensor) tensor = sl_tensor_new_copy (SL_FLOAT32, shape, content, error);
  g_autofree char *whole = g_strconcat (SL_FIT_WHITENING ".", name, NULL);
  return tensor ? sl_graph_add_tensor (graph, whole, SL_VALUE_CONSTANT, tensor) : NULL;
}

/* The output of a new node; `output`: a value without a producer, NULL: a new one. Shapes are
 * inferred with those of the whole network, when a program is made. */
static SlValue *
add_node (SlGraph *graph, const char *op, SlValue *left, SlValue *right, SlValue *output)
{
  SlValue *inputs[] = {left, right};
  if (!output)
    output = sl_graph_add_value (graph, SL_FIT_WHITENING, SL_VALUE_ACTIVATION);
  sl_graph_add_node (graph, sl_op_find (op), SL_FIT_WHITENING, NULL, right ? 2 : 1, inputs, 1,
                     &output);
  return output;
}

/* (input - mean) * matrix, in front of all that read the input. */
static gboolean
put_in_front (SlGraph *graph, const SlWhitening *whitening, GError **error)
{
  SlValue *input = g_ptr_array_index (graph->inputs, 0);
  const gsize n = sl_whitening_get_elements (whitening);
  const float *rows = sl_whitening_get_matrix (whitening);
  g_autofree float *columns = g_new (float, n *n);
  for (gsize i = 0; i < n; i++)
    for (gsize j = 0; j < n; j++)
      columns[j * n + i] = rows[i * n + j];
  SlValue *mean = add_constant (graph, "mean", &SL_SHAPE ((int64_t)n),
                                sl_whitening_get_mean (whitening), error);
  SlValue *matrix =
      mean ? add_constant (graph, "matrix", &SL_SHAPE ((int64_t)n, (int64_t)n), columns, error)
           : NULL;
  if (!matrix)
    return FALSE;

  /* First, so that the nodes below keep on reading the input itself. */
  SlValue *whitened = sl_graph_add_value (graph, SL_FIT_WHITENING, SL_VALUE_ACTIVATION);
  sl_graph_replace_value (graph, input, whitened);
  const gboolean is_picture = input->shape.rank == 4;
  SlValue *flat = is_picture ? add_node (graph, "Flatten", input, NULL, NULL) : input;
  SlValue *centered = add_node (graph, "Sub", flat, mean, NULL);
  SlValue *mapped = add_node (graph, "MatMul", centered, matrix, is_picture ? NULL : whitened);
  if (is_picture) {
    const int64_t shape[] = {-1, input->shape.dim[1], input->shape.dim[2], input->shape.dim[3]};
    SlValue *picture = sl_graph_add_ints (graph, SL_FIT_WHITENING ".shape", shape, 4);
    add_node (graph, "Reshape", mapped, picture, whitened);
  }
  return TRUE;
}

/* The network with the map in front of it. */
static SlModel *
whiten_model (SlModel *model, const SlWhitening *whitening, GError **error)
{
  /* Of a copy whose parameters are told from constants: the matrix stays one of the latter. */
  g_autoptr (SlModel) trainable = sl_model_new_trainable (model, error);
  if (!trainable)
    return NULL;
  g_autoptr (SlGraph) graph = sl_graph_clone (sl_model_get_graph (trainable));
  if (!put_in_front (graph, whitening, error) || !sl_graph_sort (graph, error))
    return NULL;
  return sl_model_new_from_graph (g_steal_pointer (&graph), sl_model_get_name (model),
                                  sl_model_get_meta (model));
}

gboolean
sl_fit_whiten (SlFit *fit, GError **error)
{
  const SlRecipe *recipe = fit->recipe;
  const SlPreprocess *rules = &fit->rules->preprocess;
  const SlShape *input = &sl_model_get_input (fit->options.model, 0)->shape;
  if (strcmp (recipe->preprocess.whiten, "none") == 0)
    return TRUE;
  if (input->rank == 4 && (input->dim[1] != rules->channels || input->dim[2] != rules->height ||
                           input->dim[3] != rules->width))
    return sl_fit_fail (error, SL_ERROR_UNSUPPORTED,
                        "%s: [preprocess] whiten needs a network whose input has one size "
                        "(expected %ux%u and %u channels, as the pictures have)",
                        recipe->name, rules->width, rules->height, rules->channels);
  const SlWhiteningKind kind =
      strcmp (recipe->preprocess.whiten, "pca") == 0 ? SL_WHITENING_PCA : SL_WHITENING_ZCA;
  const gint64 start = g_get_monotonic_time ();
  const uint32_t n_samples = (uint32_t)MIN (recipe->preprocess.whiten_samples, G_MAXUINT32);
  g_autoptr (SlWhitening) whitening = sl_whitening_new (
      fit->train, rules, kind, recipe->preprocess.whiten_epsilon, n_samples, error);
  SlModel *model = whitening ? whiten_model (fit->options.model, whitening, error) : NULL;
  if (!model) {
    g_prefix_error (error, "%s: [preprocess] whiten: ", recipe->name);
    return FALSE;
  }
  sl_model_unref (fit->options.model);
  fit->options.model = model;
  sl_fit_note (fit, "whitening of %" G_GSIZE_FORMAT " elements fitted in %.1f s",
               sl_whitening_get_elements (whitening),
               (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  return TRUE;
}
