#include "train/head.h"

#include "graph/op.h"
#include "model-private.h"
#include "session-private.h"

/* The layer that makes an output, from the back: bias or biases, then weights. */
typedef struct Head {
  const SlNode *node;
  const SlValue *weights;
  const SlValue *biases[4];
  uint32_t n_biases;
} Head;

/* The parameter that `value` is under another name, shape or order of dimensions; NULL: none. */
static const SlValue *
find_parameter (const SlValue *value)
{
  while (value->producer != NULL &&
         (value->producer->op->traits & (SL_TRAIT_IDENTITY | SL_TRAIT_RESHAPE | SL_TRAIT_REORDER)))
    value = value->producer->inputs[0];
  return sl_value_is_variable (value) ? value : NULL;
}

/* What the node adds to sums over what it reads: FALSE where it does something else with
 * parameters, or reads two activations. *ret_input: what it reads. */
static bool
look_at (const SlNode *node, int64_t n_classes, Head *head, const SlValue **ret_input)
{
  *ret_input = NULL;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *input = node->inputs[i];
    if (input == NULL || input->kind == SL_VALUE_CONSTANT || !sl_dtype_is_float (input->dtype))
      continue; /* shapes, axes */
    const SlValue *parameter = find_parameter (input);
    if (parameter == NULL && *ret_input != NULL)
      return false;
    if (parameter == NULL)
      *ret_input = input;
    else if (sl_tensor_get_elements (parameter->data) > (size_t)n_classes)
      head->weights = parameter;
    else if (head->n_biases < G_N_ELEMENTS (head->biases))
      head->biases[head->n_biases++] = parameter;
  }
  head->node = node;
  return head->weights != NULL || head->n_biases == 0 || (node->op->traits & SL_TRAIT_SUM);
}

/* Backwards over what has no weights: Softmax, Flatten, pooling, activations, a bias. */
static bool
find_head (const SlGraph *graph, int64_t n_classes, Head *ret)
{
  const SlValue *value = g_ptr_array_index (graph->outputs, 0);
  *ret = (Head){0};
  while (value != NULL && value->producer != NULL && ret->weights == NULL)
    if (!look_at (value->producer, n_classes, ret, &value))
      return false;
  return ret->weights != NULL;
}

/* Makes dimension `axis` of the parameter `n` long, its content to be drawn. */
static gboolean
resize (SlGraph *graph, const SlValue *of, uint32_t axis, int64_t n, const char *initializer,
        GError **error)
{
  SlValue *value = sl_graph_find_value (graph, of->name);
  value->shape.dim[axis] = n;
  SlTensor *content = sl_tensor_new (value->dtype, &value->shape, error);
  if (content == NULL)
    return FALSE;
  sl_tensor_unref (value->data);
  value->data = content;
  value->initializer = sl_initializer_find (initializer);
  value->fan_out = (double)n;
  value->fan_in = (double)sl_tensor_get_elements (content) / (double)n;
  return TRUE;
}

static uint32_t
find_axis (const SlShape *shape, int64_t n, uint32_t from)
{
  while (from < shape->rank && shape->dim[from] != n)
    from++;
  return from;
}

/* All shapes known, what computes shapes folded. */
static SlGraph *
open_graph (SlModel *model, GError **error)
{
  const SlProgramOptions options = {.batch = 1};
  return sl_session_open_graph (model, &options, error);
}

/* Of a sample, by the graph's first output; 0: it says something else. */
static int64_t
count_classes (const SlGraph *graph)
{
  const SlShape *shape = &((SlValue *)graph->outputs->pdata[0])->shape;
  return shape->rank >= 2 ? shape->dim[1] : 0;
}

/* The model with the head's `axis` of weights for `n` instead of `n_before` classes. */
static SlModel *
make_model (SlModel *model, const Head *head, uint32_t axis, int64_t n_before, int64_t n,
            const SlOnnxMeta *meta, GError **error)
{
  g_autoptr (SlGraph) graph = sl_graph_clone (sl_model_get_graph (model));
  if (!resize (graph, head->weights, axis, n, "glorot_uniform", error))
    return NULL;
  for (uint32_t i = 0; i < head->n_biases; i++) {
    const uint32_t at = find_axis (&head->biases[i]->shape, n_before, 0);
    if (at < head->biases[i]->shape.rank && !resize (graph, head->biases[i], at, n, "zeros", error))
      return NULL;
  }
  SlShape *stated = &((SlValue *)graph->outputs->pdata[0])->shape;
  if (stated->rank >= 2)
    stated->dim[1] = n;
  return sl_model_new_from_graph (g_steal_pointer (&graph), sl_model_get_name (model), meta);
}

/* Of the axes of the weights that are as long as there are classes, the one that shapes fit. */
static SlModel *
replace_head (SlModel *model, const Head *head, int64_t n_before, int64_t n, const SlOnnxMeta *meta)
{
  const SlShape *shape = &head->weights->shape;
  for (uint32_t axis = find_axis (shape, n_before, 0); axis < shape->rank;
       axis = find_axis (shape, n_before, axis + 1)) {
    g_autoptr (SlModel) changed = make_model (model, head, axis, n_before, n, meta, NULL);
    g_autoptr (SlGraph) graph = changed != NULL ? open_graph (changed, NULL) : NULL;
    if (graph != NULL && count_classes (graph) == n)
      return g_steal_pointer (&changed);
  }
  return NULL;
}

static char **
list_names (const Head *head)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_strv_builder_add (names, head->weights->name);
  for (uint32_t i = 0; i < head->n_biases; i++)
    g_strv_builder_add (names, head->biases[i]->name);
  return g_strv_builder_end (names);
}

SlModel *
sl_train_set_classes (SlModel *model, const char *const *labels, char **ret_note, char ***ret_names,
                      GError **error)
{
  const int64_t n = g_strv_length ((char **)labels);
  Head head;
  *ret_note = NULL;
  *ret_names = NULL;
  g_autoptr (SlModel) trainable = sl_model_new_trainable (model, error);
  g_autoptr (SlGraph) graph = trainable != NULL ? open_graph (trainable, error) : NULL;
  if (graph == NULL)
    return NULL;
  const int64_t n_before = count_classes (graph);
  const bool found = find_head (graph, n_before, &head);
  if (found)
    *ret_names = list_names (&head);
  if (n == n_before || (n == 2 && n_before == 1))
    return sl_model_ref (model);
  SlOnnxMeta meta;
  g_autofree char *text = g_strjoinv ("\n", (char **)labels);
  sl_onnx_meta_copy (sl_model_get_meta (model), &meta);
  sl_onnx_meta_set (&meta, "sightline.labels", text);
  SlModel *changed = found ? replace_head (trainable, &head, n_before, n, &meta) : NULL;
  sl_onnx_meta_clear (&meta);
  if (changed != NULL)
    *ret_note = g_strdup_printf ("%s: its last layer, '%s' (%s), begins anew: %" G_GINT64_FORMAT
                                 " outputs instead of %" G_GINT64_FORMAT,
                                 sl_model_get_name (model), head.weights->name, head.node->op->name,
                                 n, n_before);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: has %" G_GINT64_FORMAT " outputs, there are %" G_GINT64_FORMAT
                 " classes, and no last layer was found that could begin anew",
                 sl_model_get_name (model), n_before, n);
  return changed;
}
