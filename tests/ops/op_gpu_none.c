/* In place of op_gpu.c in builds without Vulkan. */
#include "op_gpu.h"

OpGpu *
op_gpu_get (const char **ret_why_not)
{
  *ret_why_not = "this build has no Vulkan backend";
  if (g_strcmp0 (g_getenv ("SIGHTLINE_TEST_VULKAN"), "require") == 0)
    g_error ("a Vulkan device is required: %s", *ret_why_not);
  return NULL;
}

SlTarget
op_gpu_get_target (const OpGpu *gpu, bool half)
{
  return (SlTarget){0};
}

uint32_t
op_gpu_n_forms (void)
{
  return 0;
}

bool
op_gpu_form_splits (uint32_t form)
{
  return false;
}

bool
op_gpu_has_form (const OpGpu *gpu, uint32_t form, bool half)
{
  return false;
}

bool
op_gpu_has_dispatcher (const char *kernel)
{
  return false;
}

bool
op_gpu_leaves_to_host (const char *kernel)
{
  return false;
}

uint32_t
op_gpu_run (OpGpu *gpu, const SlStep *steps, uint32_t n, void *block, size_t bytes,
            OpGpuOptions *options, OpGpuFind find, const void *data)
{
  return 0;
}
