#include "vulkan/backend.h"

#include "dispatch/dispatch.h"
#include "vulkan/physical.h"
#include "vulkan/run.h"

SlTarget
sl_vulkan_get_target (uint32_t index, bool half)
{
  const bool has_half = sl_vk_device_get_features (index) & SL_SHADER_STORAGE16;
  SlTarget target = sl_dispatch_get_target (half && has_half);
  /* Its weights are float32 and more than the kernel's: who asks for halves asks for memory. */
  if (!half || !has_half)
    target.winograd = sl_dispatch_get_winograd (sl_vk_physical_get (index)->gpu.is_cpu);
  return target;
}

const SlBackend sl_vulkan_backend = {
    .name = "vulkan",
    .holds_variables = true,
    .compile = sl_vk_program_compile,
    .release = sl_vk_program_release,
    .run_bytes = sl_vk_program_get_run_bytes,
    .host_steps = sl_vk_program_get_host_steps,
    .run_new = sl_vk_run_new,
    .run_free = sl_vk_run_free,
    .memory = sl_vk_run_memory,
    .sample = sl_vk_run_sample,
    .frame = sl_vk_run_frame,
    .execute = sl_vk_run_execute,
    .submit = sl_vk_run_submit,
    .wait = sl_vk_run_wait,
    .execute_timed = sl_vk_run_execute_timed,
    .find_nonfinite = sl_vk_run_find_nonfinite,
};
