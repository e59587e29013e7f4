/* What the tests of the Vulkan backend share: a device to test on, networks, and hooks that count
 * calls and let them fail. */
#pragma once

#include "graph/build.h"
#include "vulkan/device.h"

#include <sightline/sightline.h>

/* Begins a test program with validation on. FALSE: there is no Vulkan device; the program ends with
 * *ret_status, which is that of a skipped test, or of a failed one where the environment says
 * SIGHTLINE_TEST_VULKAN=require. */
gboolean test_vulkan_begin (int *argc, char ***argv, int *ret_status);
/* The same behind g_test_init(). */
gboolean test_vulkan_open (int *ret_status);

/* The device that is tested. */
const SlDevice *test_vulkan_device (void);

/* x (batch, 3, 6, 6) → Conv 8 3x3, Relu → GlobalAveragePool → Flatten → Gemm 10 → y. */
SlModel *test_vulkan_network (int64_t batch);
/* x (4, 5) → Relu → Add a vector → y: few pipelines, quickly made. */
SlModel *test_vulkan_small_network (void);
/* Takes the graph over. */
SlModel *test_vulkan_model (SlGraph *graph);

/* Input 0 of numbers between -1 and 1 that depend on the seed. */
void test_vulkan_fill_input (SlRun *run, uint32_t seed);

/* Runs the model on the device and on the CPU and compares all outputs; returns the program. */
SlProgram *test_vulkan_compare (SlModel *model, const SlProgramOptions *options);

typedef struct TestVulkanHooks {
  SlVkHooks hooks;
  GMutex lock;
  uint32_t counts[SL_VK_N_CALLS];
  /* The call number fail_at (from 0 on) of those that can fail, or of fail_call alone, gives the
   * result; -1: none. */
  int64_t fail_at;
  int fail_call;  /* -1: any */
  int64_t fail_n; /* calls from there on that fail; 1 unless set */
  VkResult result;
  int64_t seen; /* calls that could have failed */
  bool has_failed;
  /* What the device has is made so small; 0: as it is. */
  uint64_t binding_range, max_allocation, free_memory;
  uint32_t max_bindings;
  uint64_t memory;   /* free but for what is allocated; 0: as it is */
  int64_t allocated; /* bytes, by now */
  double part_seconds;
  bool is_plain;     /* without whatever not every device has, and with the widest alignment */
  bool plays_gpu;    /* a CPU that plays a GPU is listed as one, */
  bool works_as_gpu; /* and is given a GPU's shaders and frames */
} TestVulkanHooks;

/* Puts them in place, with all counts at 0 and nothing to fail. */
TestVulkanHooks *test_vulkan_hooks_new (void);
/* Checks that whatever was made has been destroyed. */
void test_vulkan_hooks_free (TestVulkanHooks *hooks);
void test_vulkan_hooks_reset (TestVulkanHooks *hooks);
/* Objects that were made and not destroyed yet, of all kinds. */
int test_vulkan_hooks_count_live (const TestVulkanHooks *hooks);
