#include "explain/gradient.h"

#include "explain/layer.h"
#include "grad/grad.h"
#include "graph/op.h"
#include "model-private.h"
#include "ops/internal.h"

struct SlExplainGradient {
  SlModel *model;
  const SlDevice *device;
  uint32_t threads;
  char *layer, *start; /* names of values; layer NULL: the input */
  gboolean from_layer;
  gboolean takes_one; /* picture at a time, as was found */
  SlShape shape;      /* of the start that the program is for */
  SlProgram *program; /* NULL: none yet */
  SlRun *run;
};

/* Inputs and outputs of the program. */
enum { IN_START, IN_TARGET };
enum { OUT_GRADIENT, OUT_FEATURES };

void
sl_explain_gradient_free (SlExplainGradient *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->run, sl_run_free);
  g_clear_pointer (&self->program, sl_program_unref);
  sl_model_unref (self->model);
  g_free (self->layer);
  g_free (self->start);
  g_free (self);
}

/* --- The graph --- */

static SlValue *
add_input (SlGraph *graph, const char *name, const SlValue *like, const SlShape *shape)
{
  SlValue *input = sl_graph_add_value (graph, name, SL_VALUE_INPUT);
  input->dtype = like->dtype;
  input->shape = *shape;
  input->has_shape = true;
  sl_graph_mark_input (graph, input);
  return input;
}

static void
clear_outputs (SlGraph *graph)
{
  for (uint32_t i = 0; i < graph->outputs->len; i++)
    ((SlValue *)graph->outputs->pdata[i])->is_output = false;
  g_ptr_array_set_size (graph->outputs, 0);
}

/* From `start` of a shape (NULL: the file's) to the gradient. */
static SlGraph *
build (const SlExplainGradient *self, const SlShape *shape, GError **error)
{
  g_autoptr (SlGraph) graph = sl_explain_open (self->model, self->from_layer ? NULL : shape, error);
  SlValue *logits = graph != NULL ? sl_explain_find_logits (graph, error) : NULL;
  SlValue *at = NULL, *gradient;
  if (logits == NULL)
    return NULL;
  at = self->layer == NULL ? g_ptr_array_index (graph->inputs, 0)
                           : sl_explain_find_layer (graph, logits, self->layer, error);
  if (at == NULL)
    return NULL;
  if (self->from_layer) {
    at = sl_graph_begin_with (graph, at, "explain/features");
    if (shape != NULL && !sl_shape_equal (shape, &at->shape)) {
      at->shape = *shape;
      if (!sl_graph_infer (graph, error))
        return NULL;
    }
  }
  clear_outputs (graph);
  SlValue *product[] = {logits, add_input (graph, "explain/target", logits, &logits->shape)};
  SlValue *weighted =
      sl_add_internal (graph, sl_op_find ("Mul"), "explain/weighted", NULL, 2, product);
  SlValue *sum =
      sl_add_internal (graph, sl_op_find ("ReduceSum"), "explain/sum", NULL, 1, &weighted);
  if (!sl_graph_sort (graph, error) || !sl_grad_append (graph, sum, &at, 1, &gradient, error))
    return NULL;
  sl_graph_mark_output (graph, gradient);
  if (self->layer != NULL && !self->from_layer)
    sl_graph_mark_output (graph, at);
  return sl_graph_sort (graph, error) ? g_steal_pointer (&graph) : NULL;
}

SlExplainGradient *
sl_explain_gradient_new (SlModel *model, const char *layer, const SlExplainOptions *options,
                         GError **error)
{
  g_autoptr (SlGraph) graph = sl_explain_open (model, NULL, error);
  const SlValue *logits = graph != NULL ? sl_explain_find_logits (graph, error) : NULL;
  if (logits == NULL)
    return NULL;
  g_autoptr (SlExplainGradient) self = g_new0 (SlExplainGradient, 1);
  self->model = sl_model_ref (model);
  self->device = options->device;
  self->threads = options->threads;
  self->layer = g_strdup (layer);
  if (layer != NULL) {
    const SlValue *value = sl_explain_find_layer (graph, logits, layer, error);
    if (value == NULL)
      return NULL;
    self->from_layer = !options->from_input && sl_explain_is_cut (graph, value, logits);
  }
  self->start = g_strdup (
      self->from_layer ? layer : ((const SlValue *)g_ptr_array_index (graph->inputs, 0))->name);
  g_autoptr (SlGraph) trial = build (self, NULL, error);
  return trial != NULL ? g_steal_pointer (&self) : NULL;
}

const char *
sl_explain_gradient_get_start (const SlExplainGradient *self)
{
  return self->start;
}

/* --- Running --- */

static gboolean
compile (SlExplainGradient *self, const SlShape *shape, GError **error)
{
  g_clear_pointer (&self->run, sl_run_free);
  g_clear_pointer (&self->program, sl_program_unref);
  SlGraph *graph = build (self, shape, error);
  if (graph == NULL)
    return FALSE;
  g_autoptr (SlModel) model =
      sl_model_new_from_graph (graph, sl_model_get_name (self->model), NULL);
  const SlProgramOptions options = {
      .device = self->device, .threads = self->threads, .float_ports = TRUE};
  self->program = sl_program_new (model, &options, error);
  if (self->program == NULL)
    return FALSE;
  self->run = sl_run_new (self->program, error);
  self->shape = *shape;
  return self->run != NULL;
}

gboolean
sl_explain_gradient_prepare (SlExplainGradient *self, const SlTensorView *start, uint32_t batch,
                             uint32_t *ret_batch, GError **error)
{
  SlShape shape = start->shape;
  for (;;) {
    shape.dim[0] = self->takes_one ? 1 : batch;
    if (self->run != NULL && sl_shape_equal (&shape, &self->shape))
      break;
    if (compile (self, &shape, shape.dim[0] > 1 ? NULL : error))
      break;
    if (shape.dim[0] == 1)
      return FALSE;
    self->takes_one = TRUE;
  }
  *ret_batch = (uint32_t)self->shape.dim[0];
  return TRUE;
}

void
sl_explain_gradient_get_views (SlExplainGradient *self, SlTensorView *ret_start,
                               SlTensorView *ret_target, SlTensorView *ret_gradient,
                               SlTensorView *ret_features)
{
  sl_run_get_input (self->run, IN_START, ret_start);
  sl_run_get_input (self->run, IN_TARGET, ret_target);
  sl_run_get_output (self->run, OUT_GRADIENT, ret_gradient);
  *ret_features = (SlTensorView){0};
  if (self->layer != NULL && !self->from_layer)
    sl_run_get_output (self->run, OUT_FEATURES, ret_features);
}

gboolean
sl_explain_gradient_execute (SlExplainGradient *self, GError **error)
{
  return sl_run_execute (self->run, error);
}
