/* Finding the node that made a NaN: the run again, record by record, with a look at each result. */
#include "vulkan/run.h"

/* Looking at a run step by step. */
typedef struct Look {
  SlVkRun *run;
  SlVkCommands commands;
  SlVkBuffer staging; /* holds the outputs of any one node */
  const SlNode *found;
} Look;

static uint64_t
bytes_of_outputs (const SlNode *node)
{
  uint64_t bytes = 0;
  size_t offset;
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL)
      bytes += sl_value_get_bytes (sl_value_get_root (node->outputs[i], &offset));
  return bytes;
}

/* Copies the places in which the node's outputs lie, one behind the other. */
static void
copy_outputs (const Look *look, const SlNode *node)
{
  uint64_t at = 0;
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    size_t offset;
    if (node->outputs[i] == NULL)
      continue;
    const SlValue *root = sl_value_get_root (node->outputs[i], &offset);
    VkBufferCopy region = {.dstOffset = at, .size = sl_value_get_bytes (root)};
    if (region.size == 0)
      continue;
    const SlVkBuffer *found = sl_vk_program_find (look->run->program, root, &region.srcOffset);
    sl_vk_do (look->run->device, CmdCopyBuffer, look->commands.buffer,
              found != NULL ? found->handle : look->run->arena.handle, look->staging.handle, 1,
              &region);
    at += region.size;
  }
}

static void
check_outputs (Look *look, const SlNode *node)
{
  const char *at = look->staging.mapped;
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    size_t offset;
    if (node->outputs[i] == NULL)
      continue;
    const SlValue *root = sl_value_get_root (node->outputs[i], &offset);
    if (look->found == NULL && !sl_value_is_finite (node->outputs[i], at + offset))
      look->found = node;
    at += sl_value_get_bytes (root);
  }
}

static gboolean
finish (Look *look, GError **error)
{
  SlVkRun *run = look->run;
  return sl_vk_buffer_flush (run->device, &run->staging, error) &&
         sl_vk_commands_run (&look->commands, run->program->work_ns, error) &&
         sl_vk_buffer_invalidate (run->device, &run->staging, error) &&
         sl_vk_buffer_invalidate (run->device, &look->staging, error);
}

static gboolean
look_at (Look *look, const SlNode *node, GError **error)
{
  if (look->found != NULL)
    return TRUE;
  if (!sl_vk_commands_begin (&look->commands, error))
    return FALSE;
  copy_outputs (look, node);
  if (!finish (look, error))
    return FALSE;
  check_outputs (look, node);
  return TRUE;
}

static gboolean
move (Look *look, const GArray *copies, bool upload, GError **error)
{
  if (copies == NULL)
    return TRUE;
  if (!sl_vk_commands_begin (&look->commands, error))
    return FALSE;
  sl_vk_run_record_copies (look->run, look->commands.buffer, copies, upload);
  return finish (look, error);
}

static gboolean
move_inputs (Look *look, GError **error)
{
  if (!sl_vk_commands_begin (&look->commands, error))
    return FALSE;
  sl_vk_run_record_inputs (look->run, look->commands.buffer);
  return finish (look, error);
}

static gboolean
run_record (Look *look, uint32_t index, GError **error)
{
  if (!sl_vk_commands_begin (&look->commands, error))
    return FALSE;
  sl_vk_run_record (look->run, look->commands.buffer, index);
  return finish (look, error);
}

static void
run_host_step (Look *look, uint32_t index)
{
  const SlStep *step = g_array_index (look->run->program->host_steps, SlVkHostStep, index).step;
  sl_vk_run_host_step (look->run, index);
  for (uint32_t i = step->n_reads; i < step->n_operands; i++)
    if (look->found == NULL && step->operands[i] != NULL &&
        !sl_value_is_finite (step->operands[i], look->run->operands[index][i]))
      look->found = step->node;
}

static const SlNode *
node_of (const SlVkProgram *program, uint32_t record)
{
  return record < program->records->len
             ? g_array_index (program->records, SlVkRecord, record).step->node
             : NULL;
}

/* All steps to the last: an output may lie where an earlier step writes. */
static gboolean
look_at_part (Look *look, uint32_t index, GError **error)
{
  const SlVkProgram *program = look->run->program;
  const SlVkPart *part = &g_array_index (program->parts, SlVkPart, index);
  if (part->is_host) {
    for (uint32_t i = part->first; i < part->first + part->n; i++)
      run_host_step (look, i);
    return TRUE;
  }
  if (!move (look, part->uploads, true, error))
    return FALSE;
  for (uint32_t i = part->first; i < part->first + part->n; i++) {
    const SlNode *node = node_of (program, i);
    if (!run_record (look, i, error))
      return FALSE;
    /* Several records may make one value: it is whole after the last of them. */
    if (node_of (program, i + 1) != node && !look_at (look, node, error))
      return FALSE;
  }
  return move (look, part->downloads, false, error);
}

gboolean
sl_vk_run_find_nonfinite (void *data, const SlNode **ret_node, GError **error)
{
  SlVkRun *run = data;
  const SlVkProgram *program = run->program;
  Look look = {.run = run};
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < program->plan->steps->len; i++)
    bytes = MAX (bytes, bytes_of_outputs (g_array_index (program->plan->steps, SlStep, i).node));
  gboolean done = sl_vk_commands_init (run->device, &look.commands, error) &&
                  sl_vk_buffer_init (run->device, SL_VK_MEMORY_STAGING, bytes,
                                     "a look at intermediate results", &look.staging, error);
  if (program->n_variables > 0)
    sl_live_lock ();
  const gboolean loaded = done && sl_vk_run_load_variables (run, error);
  done = loaded && move_inputs (&look, error);
  for (uint32_t i = 0; done && i < program->parts->len; i++)
    done = look_at_part (&look, i, error);
  if (done)
    sl_vk_run_advance_variables (run);
  else if (loaded)
    sl_vk_run_lose_variables (run);
  if (program->n_variables > 0)
    sl_live_unlock ();
  sl_vk_buffer_clear (run->device, &look.staging);
  sl_vk_commands_clear (&look.commands);
  *ret_node = look.found;
  return done && sl_vk_check_messages (error);
}
