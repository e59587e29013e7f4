/* What a program tells of itself: ports, layers, steps, passes. */
#include "session-private.h"

#include "model-private.h"

#include <string.h>

/* Operations, or elements, that any form of computing is done with in a microsecond or so. */
#define SLOW_WORK 64

/* --- Noted when the program is made --- */

static void
add_step (SlProgram *program, uint32_t layer, const char *kernel)
{
  SlStepInfo info = {.layer = layer, .kernel = kernel};
  g_array_append_val (program->steps, info);
}

/* Notes the node's steps, which stand in the order of the nodes, and returns the kernel of the last
 * one. */
static const char *
list_steps (SlProgram *program, uint32_t layer)
{
  const char *kernel = "";
  const SlNode *node = g_ptr_array_index (program->plan->graph->nodes, layer);
  const GArray *steps = program->plan->steps;
  if (program->device->backend == SL_BACKEND_REFERENCE) {
    add_step (program, layer, SL_STEP_REFERENCE);
    return kernel;
  }
  while (program->steps->len < steps->len) {
    const SlStep *step = &g_array_index (steps, SlStep, program->steps->len);
    if (step->node != node)
      break;
    kernel = step->kernel;
    add_step (program, layer, kernel);
  }
  return kernel;
}

/* What was fused into the node: a bias, a residual, an activation. */
static const char *
list_fused (SlProgram *program, const SlNode *node)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if ((node->op->absorb_affine != NULL) && sl_node_input (node, 2) != NULL)
    g_string_append (text, "bias");
  if ((node->op->traits & SL_TRAIT_RESIDUAL) && sl_node_input (node, 3) != NULL)
    g_string_append_printf (text, "%sresidual", text->len > 0 ? ", " : "");
  if (node->act.kind != SL_ACT_NONE && text->len > 0)
    g_string_append (text, ", ");
  sl_act_print (&node->act, text);
  return g_string_chunk_insert (program->strings, text->str);
}

void
sl_session_list_layers (SlProgram *program)
{
  for (uint32_t i = 0; i < program->plan->graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (program->plan->graph->nodes, i);
    SlCost cost = sl_node_get_cost (node);
    g_autoptr (GString) attrs = g_string_new (NULL);
    sl_node_print_attrs (node, attrs);
    SlLayer layer = {.name = node->name,
                     .op = node->op->name,
                     .output = node->outputs[0] != NULL ? node->outputs[0]->name : "",
                     .kernel = list_steps (program, i),
                     .attributes = g_string_chunk_insert (program->strings, attrs->str),
                     .flops = cost.flops,
                     .bytes = cost.bytes,
                     .fused = list_fused (program, node)};
    if (node->outputs[0] != NULL) {
      layer.dtype = node->outputs[0]->dtype;
      layer.shape = node->outputs[0]->shape;
      layer.channels_last = node->outputs[0]->layout == SL_LAYOUT_CHANNELS_LAST;
      layer.is_part = node->outputs[0]->pixel_stride > 0;
    }
    for (uint32_t k = 0; k < node->n_inputs; k++) {
      bool is_state;
      if (!sl_model_is_weight (program->model, node, k, &is_state))
        continue;
      const size_t n = sl_tensor_get_elements (node->inputs[k]->data);
      layer.parameters += n;
      layer.states += is_state ? n : 0;
    }
    g_array_append_val (program->layers, layer);
  }
}

/* --- Read later --- */

guint64
sl_session_get_run_bytes (SlProgram *program)
{
  return program->cost.run_bytes;
}

const SlPlan *
sl_session_get_plan (SlProgram *program)
{
  return program->plan;
}

SlModel *
sl_program_get_model (SlProgram *program)
{
  return program->model;
}

const SlDevice *
sl_program_get_device (SlProgram *program)
{
  return program->device;
}

uint32_t
sl_program_get_n_inputs (SlProgram *program)
{
  return program->inputs->len;
}

uint32_t
sl_program_get_n_outputs (SlProgram *program)
{
  return program->outputs->len;
}

const SlPort *
sl_program_get_input (SlProgram *program, uint32_t index)
{
  g_return_val_if_fail (index < program->inputs->len, NULL);
  return &g_array_index (program->inputs, SlPort, index);
}

const SlPort *
sl_program_get_output (SlProgram *program, uint32_t index)
{
  g_return_val_if_fail (index < program->outputs->len, NULL);
  return &g_array_index (program->outputs, SlPort, index);
}

/* Without a fast kernel, and long enough for one to matter. */
static bool
is_slow (const SlStep *step)
{
  return strcmp (step->kernel, SL_STEP_REFERENCE) == 0 && sl_node_get_work (step->node) > SLOW_WORK;
}

/* What SlProgramOptions.half came to. */
static const char *
describe_half (const SlProgram *program)
{
  const GPtrArray *values = program->plan->graph->values;
  for (uint32_t i = 0; i < values->len; i++)
    if (((const SlValue *)values->pdata[i])->is_half)
      return "weights and activations";
  if (!program->plan->target.half_weights)
    return "nothing";
  return "weights";
}

void
sl_program_get_info (SlProgram *program, SlProgramInfo *ret_info)
{
  const SlPlan *plan = program->plan;
  SlProgramInfo info = {.n_nodes = plan->graph->nodes->len,
                        .n_steps = plan->steps->len,
                        .arena_bytes = plan->arena_bytes,
                        .flops = program->cost.flops,
                        .half = describe_half (program)};
  if (program->backend->host_steps != NULL)
    info.n_host_steps = program->backend->host_steps (program->compiled);
  for (uint32_t i = 0; i < plan->steps->len; i++)
    info.n_reference_steps += is_slow (&g_array_index (plan->steps, SlStep, i));
  for (uint32_t i = 0; i < plan->graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (plan->graph->values, i);
    if (value->data != NULL)
      info.weight_bytes += sl_tensor_get_size (value->data);
  }
  *ret_info = info;
}

uint32_t
sl_program_get_n_layers (SlProgram *program)
{
  return program->layers->len;
}

void
sl_program_get_layer (SlProgram *program, uint32_t index, SlLayer *ret_layer)
{
  g_return_if_fail (index < program->layers->len);
  *ret_layer = g_array_index (program->layers, SlLayer, index);
}

uint32_t
sl_program_get_n_passes (SlProgram *program)
{
  return program->passes->len;
}

void
sl_program_get_pass (SlProgram *program, uint32_t index, SlPassInfo *ret_pass)
{
  g_return_if_fail (index < program->passes->len);
  *ret_pass = g_array_index (program->passes, SlPassInfo, index);
}

uint32_t
sl_program_get_n_steps (SlProgram *program)
{
  return program->steps->len;
}

void
sl_program_get_step (SlProgram *program, uint32_t index, SlStepInfo *ret_step)
{
  g_return_if_fail (index < program->steps->len);
  *ret_step = g_array_index (program->steps, SlStepInfo, index);
}

char *
sl_program_print (SlProgram *program, SlPrintFormat format)
{
  return format == SL_PRINT_DOT ? sl_graph_print_dot (program->plan->graph)
                                : sl_graph_print_text (program->plan->graph);
}
