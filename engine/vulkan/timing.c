/* Times of single steps, by the device's own clock: a second set of command buffers, with a barrier
 * and a timestamp behind each record. */
#include "vulkan/run.h"

#include <string.h>

/* The part's own stamp, then one behind each of its records. */
static VkResult
record_part (SlVkRun *run, uint32_t index, VkCommandBuffer commands)
{
  SlVkDevice *device = run->device;
  const SlVkProgram *program = run->program;
  const SlVkPart *part = &g_array_index (program->parts, SlVkPart, index);
  const uint32_t first = program->parts->len + part->first;
  const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  VkResult result = sl_vk_try (device, BeginCommandBuffer, commands, &info);
  if (result != VK_SUCCESS)
    return result;
  sl_vk_barrier (device, commands);
  sl_vk_do (device, CmdResetQueryPool, commands, run->queries, index, 1);
  if (part->n > 0)
    sl_vk_do (device, CmdResetQueryPool, commands, run->queries, first, part->n);
  sl_vk_run_record_copies (run, commands, part->uploads, true);
  sl_vk_barrier (device, commands);
  sl_vk_do (device, CmdWriteTimestamp, commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, run->queries,
            index);
  for (uint32_t i = 0; i < part->n; i++) {
    sl_vk_run_record (run, commands, part->first + i);
    sl_vk_barrier (device, commands);
    sl_vk_do (device, CmdWriteTimestamp, commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
              run->queries, first + i);
  }
  sl_vk_run_record_copies (run, commands, part->downloads, false);
  sl_vk_barrier_to_host (device, commands);
  return sl_vk_try (device, EndCommandBuffer, commands);
}

static VkResult
prepare (SlVkRun *run)
{
  SlVkDevice *device = run->device;
  const SlVkProgram *program = run->program;
  const uint32_t n = program->parts->len;
  if (run->timed_commands != NULL)
    return VK_SUCCESS;
  const VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                         .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                         .queryCount = n + program->records->len};
  VkResult result = VK_SUCCESS;
  if (run->queries == VK_NULL_HANDLE)
    result = sl_vk_try (device, CreateQueryPool, device->handle, &queries, NULL, &run->queries);
  if (result != VK_SUCCESS) {
    run->queries = VK_NULL_HANDLE;
    return result;
  }
  const VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandPool = run->pool,
                                            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                            .commandBufferCount = n};
  g_autofree VkCommandBuffer *commands = g_new0 (VkCommandBuffer, n);
  result = sl_vk_try (device, AllocateCommandBuffers, device->handle, &info, commands);
  if (result != VK_SUCCESS)
    return result;
  for (uint32_t i = 0; result == VK_SUCCESS && i < n; i++)
    if (!g_array_index (program->parts, SlVkPart, i).is_host)
      result = record_part (run, i, commands[i]);
  if (result == VK_SUCCESS)
    run->timed_commands = g_steal_pointer (&commands);
  else
    sl_vk_do (device, FreeCommandBuffers, device->handle, run->pool, n, commands);
  return result;
}

static VkResult
read_times (SlVkRun *run, uint64_t *ret_ns)
{
  const SlVkProgram *program = run->program;
  const SlVkPhysical *physical = run->device->physical;
  const uint32_t bits = physical->timestamp_bits, n = program->parts->len + program->records->len;
  const uint64_t mask = bits < 64 ? (G_GUINT64_CONSTANT (1) << bits) - 1 : UINT64_MAX;
  g_autofree uint64_t *stamps = g_new0 (uint64_t, n);
  for (uint32_t p = 0; p < program->parts->len; p++) {
    const SlVkPart *part = &g_array_index (program->parts, SlVkPart, p);
    if (part->is_host || part->n == 0)
      continue;
    const struct {
      uint32_t first, n;
    } ranges[] = {{p, 1}, {program->parts->len + part->first, part->n}};
    for (uint32_t k = 0; k < G_N_ELEMENTS (ranges); k++) {
      VkResult result =
          sl_vk_try (run->device, GetQueryPoolResults, run->device->handle, run->queries,
                     ranges[k].first, ranges[k].n, ranges[k].n * sizeof *stamps,
                     stamps + ranges[k].first, sizeof *stamps, VK_QUERY_RESULT_64_BIT);
      if (result != VK_SUCCESS)
        return result;
    }
    uint64_t last = stamps[p];
    for (uint32_t i = part->first; i < part->first + part->n; i++) {
      const SlVkRecord *record = &g_array_index (program->records, SlVkRecord, i);
      const uint64_t stamp = stamps[program->parts->len + i];
      ret_ns[record->step - (const SlStep *)program->plan->steps->data] +=
          (uint64_t)((double)((stamp - last) & mask) * physical->timestamp_ns);
      last = stamp;
    }
  }
  return VK_SUCCESS;
}

gboolean
sl_vk_run_execute_timed (void *data, uint64_t *ret_ns, GError **error)
{
  SlVkRun *run = data;
  const SlVkProgram *program = run->program;
  if (run->device->physical->timestamp_bits == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "%s has no clock to time steps by",
                 run->device->physical->info.name);
    return FALSE;
  }
  VkResult result = prepare (run);
  memset (ret_ns, 0, program->plan->steps->len * sizeof *ret_ns);
  if (result == VK_SUCCESS) {
    if (!sl_vk_run_submit_parts (run, run->timed_commands, ret_ns, error) ||
        !sl_vk_run_finish (run, error))
      return FALSE;
    result = read_times (run, ret_ns);
  }
  if (result != VK_SUCCESS)
    return sl_vk_device_error (run->device, error, result, "steps cannot be timed");
  return sl_vk_check_messages (error);
}
