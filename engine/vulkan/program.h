/* A plan compiled for a device: what each command buffer does, and the pipelines and constants that
 * it needs. Immutable; shared by its runs. */
#pragma once

#include "vulkan/pipeline.h"
#include "vulkan/places.h"
#include "vulkan/variables.h"

/* A binding of one record. */
typedef struct SlVkBinding {
  const SlVkBuffer *buffer; /* NULL: the run's arena */
  uint64_t offset, range;
  bool is_half; /* float16 */
} SlVkBinding;

typedef struct SlVkRecord {
  const SlVkPipeline *pipeline;
  const SlStep *step;
  uint32_t groups[3], base[2];
  bool is_cut;
  uint32_t push_size;
  uint32_t push[SL_PUSH_MAX / 4];
  uint32_t n_bindings;
  SlVkBinding bindings[SL_DISPATCH_MAX_BINDINGS];
  bool barrier; /* before it */
} SlVkRecord;

/* Bytes between the run's staging memory and where a value lies. */
typedef struct SlVkCopy {
  const SlValue *value;
  uint64_t staging, bytes;
} SlVkCopy;

typedef struct SlVkHostStep {
  const SlStep *step;
  void *bound;       /* SlHostSteps.bind() */
  uint64_t *staging; /* of each operand; UINT64_MAX: it is absent or a constant */
} SlVkHostStep;

/* What runs in one go: a command buffer, or steps on the CPU. Device parts stand at both ends and
 * around each host part. */
typedef struct SlVkPart {
  bool is_host;
  uint32_t first, n;           /* records or host steps */
  GArray *uploads, *downloads; /* SlVkCopy before and after the records; NULL: none */
} SlVkPart;

typedef struct SlVkProgram {
  const SlPlan *plan;
  SlVkDevice *device;
  const SlHostSteps *host;
  SlVkPlaces places;
  SlVkConstant **constants; /* of places.constants */
  SlVkConstant **variables; /* those with live content: the last ones */
  uint32_t n_variables;
  GPtrArray *updated;  /* those that a run changes */
  SlVkBuffer table;    /* constant words, then something to bind where nobody looks */
  GArray *records;     /* SlVkRecord */
  GArray *host_steps;  /* SlVkHostStep */
  GArray *parts;       /* SlVkPart */
  size_t host_scratch; /* bytes that the hungriest host step takes */
  uint64_t work_ns;    /* that a run may take, many times its estimate */
} SlVkProgram;

void *sl_vk_program_compile (const SlPlan *plan, const SlCompileOptions *options, GError **error);
void sl_vk_program_release (void *program);
/* Where on the device a value begins. NULL: in the run's arena. */
const SlVkBuffer *sl_vk_program_find (const SlVkProgram *program, const SlValue *value,
                                      uint64_t *ret_offset);
guint64 sl_vk_program_get_run_bytes (const void *program);
uint32_t sl_vk_program_get_host_steps (const void *program);
