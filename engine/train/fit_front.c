/* What is put in front of a network, as part of it: it is in the file that comes out, and live
 * video gets it. */
#include "train/fit.h"

#include "graph/op.h"
#include "model-private.h"

#include <string.h>

#define FLATTEN "flatten_input"

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
add_node (SlGraph *graph, const char *op, const char *name, SlValue *left, SlValue *right,
          SlValue *output)
{
  SlValue *inputs[] = {left, right};
  if (!output)
    output = sl_graph_add_value (graph, name, SL_VALUE_ACTIVATION);
  sl_graph_add_node (graph, sl_op_find (op), name, NULL, right ? 2 : 1, inputs, 1, &output);
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
  SlValue *flat = add_node (graph, "Flatten", SL_FIT_WHITENING, input, NULL, NULL);
  SlValue *centered = add_node (graph, "Sub", SL_FIT_WHITENING, flat, mean, NULL);
  SlValue *mapped = add_node (graph, "MatMul", SL_FIT_WHITENING, centered, matrix, NULL);
  const int64_t shape[] = {-1, input->shape.dim[1], input->shape.dim[2], input->shape.dim[3]};
  SlValue *picture = sl_graph_add_ints (graph, SL_FIT_WHITENING ".shape", shape, 4);
  add_node (graph, "Reshape", SL_FIT_WHITENING, mapped, picture, whitened);
  return TRUE;
}

/* A network of vectors takes a picture, which it sees as a vector. */
static void
put_flatten (SlGraph *graph, const SlPreprocess *rules)
{
  SlValue *input = g_ptr_array_index (graph->inputs, 0);
  SlValue *flat = sl_graph_add_value (graph, FLATTEN, SL_VALUE_ACTIVATION);
  sl_graph_replace_value (graph, input, flat);
  input->shape = SL_SHAPE (input->shape.dim[0], rules->channels, rules->height, rules->width);
  add_node (graph, "Flatten", FLATTEN, input, NULL, flat);
}

/* Another network in the place of the run's: with a picture for an input, and with the map, if
 * there is one, in front. */
static gboolean
change_model (SlFit *fit, const SlWhitening *whitening, GError **error)
{
  SlModel *model = fit->options.model;
  /* Of a copy whose parameters are told from constants: the matrix stays one of the latter. */
  g_autoptr (SlModel) trainable = sl_model_new_trainable (model, error);
  if (!trainable)
    return FALSE;
  g_autoptr (SlGraph) graph = sl_graph_clone (sl_model_get_graph (trainable));
  if (sl_model_get_input (model, 0)->shape.rank == 2)
    put_flatten (graph, &fit->rules->preprocess);
  if ((whitening && !put_in_front (graph, whitening, error)) || !sl_graph_sort (graph, error))
    return FALSE;
  fit->options.model = sl_model_new_from_graph (g_steal_pointer (&graph), sl_model_get_name (model),
                                                sl_model_get_meta (model));
  sl_model_unref (model);
  return TRUE;
}

static gboolean
check_whiten (SlFit *fit, GError **error)
{
  const SlPreprocess *rules = &fit->rules->preprocess;
  const SlShape *input = &sl_model_get_input (fit->options.model, 0)->shape;
  return input->rank == 2 ||
         (input->dim[1] == rules->channels && input->dim[2] == rules->height &&
          input->dim[3] == rules->width) ||
         sl_fit_fail (error, SL_ERROR_UNSUPPORTED,
                      "%s: [preprocess] whiten needs a network whose input has one size (expected "
                      "%ux%u and %u channels, as the pictures have)",
                      fit->recipe->name, rules->width, rules->height, rules->channels);
}

static SlWhitening *
fit_whitening (SlFit *fit, GError **error)
{
  const SlRecipe *recipe = fit->recipe;
  const gint64 start = g_get_monotonic_time ();
  const SlWhiteningKind kind =
      strcmp (recipe->preprocess.whiten, "pca") == 0 ? SL_WHITENING_PCA : SL_WHITENING_ZCA;
  SlWhitening *whitening = sl_whitening_new (
      fit->train, &fit->rules->preprocess, kind, recipe->preprocess.whiten_epsilon,
      (uint32_t)MIN (recipe->preprocess.whiten_samples, G_MAXUINT32), error);
  if (whitening)
    sl_fit_note (fit, "whitening of %" G_GSIZE_FORMAT " elements fitted in %.1f s",
                 sl_whitening_get_elements (whitening),
                 (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  else
    g_prefix_error (error, "%s: [preprocess] whiten: ", recipe->name);
  return whitening;
}

gboolean
sl_fit_prepare_front (SlFit *fit, GError **error)
{
  const gboolean whitens = strcmp (fit->recipe->preprocess.whiten, "none") != 0;
  if (!whitens && sl_model_get_input (fit->options.model, 0)->shape.rank != 2)
    return TRUE;
  if (whitens && !check_whiten (fit, error))
    return FALSE;
  g_autoptr (SlWhitening) whitening = whitens ? fit_whitening (fit, error) : NULL;
  return (!whitens || whitening) && change_model (fit, whitening, error);
}
