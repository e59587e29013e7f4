/* One run of a program: its memory, descriptors and command buffers, all made before it first
 * executes. One thread's at a time; runs of one program may be submitted at once. */
#pragma once

#include "vulkan/commands.h"
#include "vulkan/frame.h"
#include "vulkan/program.h"
#include "vulkan/sets.h"

typedef struct SlVkRun {
  const SlVkProgram *program;
  SlVkDevice *device; /* the program's */
  SlVkBuffer arena, staging;
  SlVkSets sets; /* of each record */
  SlVkFrame frame;
  VkCommandPool pool;
  VkCommandBuffer inputs[2]; /* before the first part: from staging memory; with the frame */
  VkCommandBuffer *commands; /* of each device part */
  SlVkWork work;             /* of the last part */
  bool has_begun;            /* the queue has got something of what is submitted */
  void ***operands;          /* of each host step */
  void *scratch;             /* of host steps */

  /* For times, made when they are first asked for. */
  VkCommandBuffer *timed_commands;
  VkQueryPool queries; /* one for each device part, then one for each record */
} SlVkRun;

void *sl_vk_run_new (void *program, GError **error);
void sl_vk_run_free (void *run);
void *sl_vk_run_memory (void *run, const SlValue *value);
gboolean sl_vk_run_sample (void *run, const SlValue *value, SlImageSampler *sampler,
                           const SlImage *image, const ptrdiff_t strides[3], bool stays,
                           SlFramePath *ret_path, GError **error);
gboolean sl_vk_run_frame (void *run, const SlValue *value, SlImage *ret_image);
/* submit() waits for what steps on the CPU read, and then no longer. */
gboolean sl_vk_run_submit (void *run, GError **error);
gboolean sl_vk_run_wait (void *run, GError **error);
gboolean sl_vk_run_execute (void *run, GError **error);

/* --- In timing.c and nonfinite.c --- */

gboolean sl_vk_run_execute_timed (void *run, uint64_t *ret_ns, GError **error);
gboolean sl_vk_run_find_nonfinite (void *run, const SlNode **ret_node, GError **error);

/* --- What they share with it --- */

/* Parameters and state, under the lock of live content: what is newer elsewhere goes up; what a run
 * changes is the newest here. */
gboolean sl_vk_run_load_variables (const SlVkRun *run, GError **error);
/* What a run that failed was to change may be half changed. */
void sl_vk_run_lose_variables (const SlVkRun *run);
void sl_vk_run_advance_variables (const SlVkRun *run);

/* Submits what was recorded for each part and runs host steps in between; waits where the next part
 * needs it. sl_vk_run_finish() waits for the last one. `ret_ns`: NULL, or gets the time of each
 * host step, by number of the plan's step. */
gboolean sl_vk_run_submit_parts (SlVkRun *run, const VkCommandBuffer *commands, uint64_t *ret_ns,
                                 GError **error);
gboolean sl_vk_run_finish (SlVkRun *run, GError **error);

void sl_vk_run_host_step (SlVkRun *run, uint32_t index);

/* Brings the inputs to the device. */
void sl_vk_run_record_inputs (const SlVkRun *run, VkCommandBuffer commands);
void sl_vk_run_record_copies (const SlVkRun *run, VkCommandBuffer commands, const GArray *copies,
                              bool upload);
void sl_vk_run_record (const SlVkRun *run, VkCommandBuffer commands, uint32_t record);
