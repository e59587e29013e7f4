/* A network's graph turned into one that trains. */
#include "train/build.h"

#include "graph/op.h"

#include <math.h>
#include <string.h>

SlValue *
sl_train_node (SlGraph *graph, const char *op, const char *name, const SlRawAttr *attrs,
               uint32_t n_inputs, SlValue *const *inputs)
{
  g_autoptr (GError) error = NULL;
  SlValue *output = sl_graph_add_value (graph, name, SL_VALUE_ACTIVATION);
  SlNode *node =
      sl_graph_add_node (graph, sl_op_find (op), name, NULL, n_inputs, inputs, 1, &output);
  for (; attrs != NULL && attrs->name != NULL; attrs++)
    if (!sl_attrs_set (node->op->attrs, node->attrs, attrs, &error))
      g_error ("%s: %s", op, error->message);
  /* Operands come from a graph whose shapes have been checked. */
  if (!sl_node_infer (node, &error))
    g_error ("%s: %s", op, error->message);
  return output;
}

SlValue *
sl_train_number (SlGraph *graph, double number)
{
  const float content = (float)number;
  g_autoptr (SlTensor) tensor = sl_tensor_new_copy (SL_FLOAT32, &(SlShape){0}, &content, NULL);
  return sl_graph_add_tensor (graph, NULL, SL_VALUE_CONSTANT, tensor);
}

static bool
is_op (const SlValue *value, const char *name)
{
  return value->producer != NULL && strcmp (value->producer->op->name, name) == 0;
}

/* Behind nodes that only pass elements on. */
static SlValue *
look_through (SlValue *value)
{
  while (value->producer != NULL &&
         (value->producer->op->traits & (SL_TRAIT_IDENTITY | SL_TRAIT_RESHAPE)))
    value = value->producer->inputs[0];
  return value;
}

/* All dimensions behind the second are 1: as (N, C). */
static SlValue *
as_classes (SlGraph *graph, SlValue *value, GError **error)
{
  size_t elements = 0;
  if (value->shape.rank == 2)
    return value;
  if (value->shape.rank > 2 && sl_shape_get_elements (&value->shape, &elements) &&
      elements == (size_t)(value->shape.dim[0] * value->shape.dim[1]))
    return sl_train_node (graph, "Flatten", "train/logits", NULL, 1, &value);
  g_autofree char *shape = sl_shape_to_string (&value->shape);
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
               "output '%s' is %s, but the loss wants samples x classes", value->name, shape);
  return NULL;
}

SlValue *
sl_train_find_answer (SlGraph *graph, SlLoss loss, GError **error)
{
  SlValue *output = g_ptr_array_index (graph->outputs, 0);
  if (output->dtype != SL_FLOAT32) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "output '%s' is %s, expected float32",
                 output->name, sl_dtype_get_name (output->dtype));
    return NULL;
  }
  if (loss == SL_LOSS_MSE || loss == SL_LOSS_MAE)
    return output;
  SlValue *end = look_through (output);
  if (is_op (end, "Softmax") || is_op (end, "LogSoftmax"))
    return as_classes (graph, end->producer->inputs[0], error);
  if (loss == SL_LOSS_CROSS_ENTROPY && end->producer != NULL &&
      (end->producer->op->traits & SL_TRAIT_LINK)) {
    sl_node_error (end->producer, error, SL_ERROR_UNSUPPORTED,
                   "cross-entropy wants a Softmax or plain sums at the end of the network");
    return NULL;
  }
  return as_classes (graph, output, error);
}

/* --- Losses --- */

static SlValue *
binary (SlGraph *graph, const char *op, SlValue *a, SlValue *b)
{
  SlValue *operands[] = {a, b};
  return sl_train_node (graph, op, "train/loss", NULL, 2, operands);
}

static SlValue *
unary (SlGraph *graph, const char *op, SlValue *a)
{
  return sl_train_node (graph, op, "train/loss", NULL, 1, &a);
}

/* Over all axes but the first. */
static SlValue *
reduce_samples (SlGraph *graph, const char *op, SlValue *value, bool keeps)
{
  SlValue *matrix = value;
  if (value->shape.rank != 2) {
    const SlRawAttr axis[] = {{.name = (char *)"axis", .type = SL_RAW_INT, .i = 1}, {0}};
    matrix = sl_train_node (graph, "Flatten", "train/samples", axis, 1, &value);
  }
  const SlRawAttr keep[] = {{.name = (char *)"keepdims", .type = SL_RAW_INT, .i = keeps}, {0}};
  SlValue *inputs[] = {matrix, sl_graph_add_ints (graph, "train/axis", (const int64_t[]){1}, 1)};
  return sl_train_node (graph, op, "train/loss", keep, 2, inputs);
}

static SlValue *
smooth (SlGraph *graph, SlValue *target, double smoothing)
{
  if (smoothing <= 0)
    return target;
  const double classes = (double)target->shape.dim[1];
  SlValue *scaled = binary (graph, "Mul", target, sl_train_number (graph, 1 - smoothing));
  return binary (graph, "Add", scaled, sl_train_number (graph, smoothing / classes));
}

static gboolean
add_weights (SlGraph *graph, const SlTrainerOptions *options, const SlValue *answer,
             SlValue **ret_weights, GError **error)
{
  *ret_weights = NULL;
  if (options->class_weights == NULL)
    return TRUE;
  if (options->n_class_weights != answer->shape.dim[1]) {
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
                 "%u class weights given, the network has %" G_GINT64_FORMAT " classes",
                 options->n_class_weights, answer->shape.dim[1]);
    return FALSE;
  }
  g_autoptr (SlTensor) tensor = sl_tensor_new_copy (SL_FLOAT32, &SL_SHAPE (answer->shape.dim[1]),
                                                    options->class_weights, error);
  if (tensor == NULL)
    return FALSE;
  *ret_weights = sl_graph_add_tensor (graph, "train/class-weights", SL_VALUE_CONSTANT, tensor);
  return TRUE;
}

static SlValue *
cross_entropy (SlGraph *graph, const SlTrainerOptions *options, SlValue *logits, SlValue *target,
               GError **error)
{
  SlValue *inputs[] = {logits, smooth (graph, target, options->label_smoothing), NULL};
  if (!add_weights (graph, options, logits, &inputs[2], error))
    return NULL;
  return sl_train_node (graph, "SoftmaxCrossEntropy", "train/loss", NULL, inputs[2] != NULL ? 3 : 2,
                        inputs);
}

/* sum of (1 - t) max (0, 1 + s - sum of t s) */
static SlValue *
hinge (SlGraph *graph, SlValue *answer, SlValue *target)
{
  SlValue *right = reduce_samples (graph, "ReduceSum", binary (graph, "Mul", target, answer), true);
  SlValue *beyond =
      binary (graph, "Add", binary (graph, "Sub", answer, right), sl_train_number (graph, 1));
  SlValue *wrong = binary (graph, "Sub", sl_train_number (graph, 1), target);
  return reduce_samples (graph, "ReduceSum",
                         binary (graph, "Mul", wrong, unary (graph, "Relu", beyond)), false);
}

SlValue *
sl_train_add_loss (SlGraph *graph, const SlTrainerOptions *options, SlValue *answer,
                   SlValue *target, GError **error)
{
  switch (options->loss) {
  case SL_LOSS_CROSS_ENTROPY:
    return cross_entropy (graph, options, answer, target, error);
  case SL_LOSS_HINGE:
    return hinge (graph, answer, target);
  case SL_LOSS_MSE: {
    SlValue *off = binary (graph, "Sub", answer, target);
    return reduce_samples (graph, "ReduceMean", binary (graph, "Mul", off, off), false);
  }
  case SL_LOSS_MAE:
    return reduce_samples (graph, "ReduceMean",
                           unary (graph, "Abs", binary (graph, "Sub", answer, target)), false);
  }
  g_assert_not_reached ();
}

/* --- Training mode --- */

static SlValue *
find_next (const SlGraph *graph, const SlValue *value)
{
  for (uint32_t i = 0; i < graph->updates->len; i++)
    if (g_array_index (graph->updates, SlUpdate, i).value == value)
      return g_array_index (graph->updates, SlUpdate, i).next;
  return NULL;
}

/* As Keras's layers with trainable = False do: running moments that stay are those that count. */
static bool
is_frozen (const SlTrainerOptions *options, const SlNode *node)
{
  for (uint32_t i = 3; i < 5; i++)
    if (node->inputs[i]->kind != SL_VALUE_STATE ||
        sl_train_rate_factor (options, node->inputs[i]->name) != 0)
      return false;
  return true;
}

/* Another node in its place, since it has more outputs. Where several nodes carry the same running
 * moments on, each takes up what the one before it made. */
static gboolean
set_batch_norm (SlGraph *graph, SlNode *old, GError **error)
{
  const SlRawAttr training = {.name = (char *)"training_mode", .type = SL_RAW_INT, .i = 1};
  SlValue *outputs[3] = {sl_graph_add_value (graph, old->outputs[0]->name, SL_VALUE_ACTIVATION)};
  if (old->inputs[3] == old->inputs[4]) {
    sl_node_error (old, error, SL_ERROR_UNSUPPORTED, "'%s' is running mean and variance at once",
                   old->inputs[3]->name);
    return FALSE;
  }
  for (uint32_t i = 1; i <= 2; i++) {
    SlValue *state = old->inputs[2 + i];
    if (state->kind != SL_VALUE_STATE)
      continue;
    g_autofree char *name = g_strconcat (state->name, "/next", NULL);
    SlValue *before = find_next (graph, state);
    outputs[i] = sl_graph_add_value (graph, name, SL_VALUE_ACTIVATION);
    if (before == NULL) {
      sl_graph_add_update (graph, state, outputs[i]);
      continue;
    }
    sl_graph_replace_value (graph, before, outputs[i]);
    sl_node_set_input (old, 2 + i, before);
  }
  SlNode *node = sl_graph_add_node (graph, old->op, old->name, old->attrs, old->n_inputs,
                                    old->inputs, 3, outputs);
  node->id = old->id;
  sl_graph_replace_value (graph, old->outputs[0], outputs[0]);
  sl_graph_remove_node (graph, old);
  return sl_attrs_set (node->op->attrs, node->attrs, &training, error) &&
         sl_node_infer (node, error);
}

/* The rate that a Dropout's second input says; its default is ONNX's. NaN: it is no constant. */
static double
dropout_rate (const SlNode *node)
{
  const SlValue *ratio = sl_node_input (node, 1);
  if (ratio == NULL)
    return 0.5;
  return ratio->data != NULL ? sl_tensor_get_double (ratio->data, 0) : (double)NAN;
}

static gboolean
set_dropout (SlGraph *graph, SlNode *node, int64_t number, SlValue *seed, SlValue *step,
             GError **error)
{
  const double rate = dropout_rate (node);
  if (rate <= 0)
    return TRUE;
  if (!(rate < 1) || (node->n_outputs > 1 && node->outputs[1] != NULL)) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED,
                   "a rate of %g%s cannot be trained (expected a constant below 1, and no mask)",
                   rate, rate < 1 ? ", with a mask" : "");
    return FALSE;
  }
  const SlRawAttr attrs[] = {
      {.name = (char *)"rate", .type = SL_RAW_FLOAT, .f = (float)rate},
      {.name = (char *)"node", .type = SL_RAW_INT, .i = number},
      {0},
  };
  SlValue *inputs[] = {node->inputs[0], seed, step};
  SlValue *dropped = sl_train_node (graph, "RandomDropout", node->name, attrs, 3, inputs);
  dropped->producer->id = node->id;
  sl_graph_replace_value (graph, node->outputs[0], dropped);
  sl_graph_remove_node (graph, node);
  return TRUE;
}

gboolean
sl_train_set_mode (SlGraph *graph, const SlTrainerOptions *options, SlValue *seed, SlValue *step,
                   GError **error)
{
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (graph);
  int64_t n_dropouts = 0;
  for (uint32_t i = 0; i < nodes->len; i++) {
    SlNode *node = g_ptr_array_index (nodes, i);
    if (node->op->state_inputs != 0 && !is_frozen (options, node) &&
        !set_batch_norm (graph, node, error))
      return FALSE;
    if (strcmp (node->op->name, "Dropout") == 0 &&
        !set_dropout (graph, node, n_dropouts++, seed, step, error))
      return FALSE;
  }
  return TRUE;
}
