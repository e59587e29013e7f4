/* What the GPU does for a step: the counterpart of kernels/ for shaders.
 *
 * A step names a kernel and holds that kernel's parameters. A dispatcher of the same name turns
 * them into records: which shader, with which constants, over which parts of which operands, in how
 * many workgroups. Records are neutral data; the Vulkan backend knows nothing else. */
#pragma once

#include "dispatch/shader.h"
#include "graph/step.h"

#define SL_DISPATCH_MAX_BINDINGS 12
#define SL_DISPATCH_MAX_SPECS 16

/* What dispatchers may depend on. Choices that change the order of sums depend on `is_cpu`, `cores`
 * and the shapes alone, never on what was measured. */
typedef struct SlGpu {
  bool is_cpu;              /* a CPU that plays a GPU: no use of shared memory and barriers */
  uint32_t cores;           /* processors that run workgroups; 0: unknown */
  uint32_t max_invocations; /* of a workgroup, at least 128 */
  uint32_t shared_bytes;    /* of a workgroup, at least 16 KiB */
  uint32_t max_groups;      /* in each dimension, at least 65,535 */
  uint32_t max_bindings;    /* storage buffers of a shader */
  uint64_t binding_range;   /* bytes of one binding, at least 128 MiB */
  uint32_t alignment;       /* of a binding's offset: a power of two, at most 256 */
  SlShaderNeeds features;   /* what it offers */
} SlGpu;

/* Where a binding lies. */
typedef enum {
  SL_BIND_OPERAND, /* of the step */
  SL_BIND_SCRATCH, /* of the run: content lasts until the step's last record */
  SL_BIND_TABLE,   /* constant words of the program */
} SlBindKind;

/* Elements that a record touches: `rows` runs of `row_bytes`, `pitch` bytes from one to the next;
 * between the runs lies what belongs to others. */
typedef struct SlExtent {
  uint64_t begin; /* bytes from the start of operand, scratch or table */
  uint64_t rows, row_bytes, pitch;
} SlExtent;

typedef struct SlBinding {
  SlBindKind kind;
  uint32_t operand; /* SL_BIND_OPERAND: number of it */
  bool writes;
  SlExtent extent;
  uint32_t at_push; /* byte of the push constants that takes the number of elements from the
                       binding's aligned offset to extent.begin; SL_AT_NONE: there is none */
  uint32_t element_size;
} SlBinding;
#define SL_AT_NONE UINT32_MAX

typedef struct SlDispatch {
  const SlShader *shader;
  const SlStep *step; /* the first one that it computes, for times and errors */
  uint32_t groups[3];
  uint32_t specs[SL_DISPATCH_MAX_SPECS]; /* shader->n_specs */
  uint32_t push[SL_PUSH_MAX / 4];        /* shader->push_size bytes */
  SlBinding bindings[SL_DISPATCH_MAX_BINDINGS];
} SlDispatch;

/* Collects the records of a program. */
typedef struct SlDispatcher {
  const SlGpu *gpu;
  GArray *records;       /* SlDispatch */
  GArray *table;         /* uint32_t: words of SL_BIND_TABLE */
  uint64_t scratch_size; /* bytes; grows to what the hungriest step needs */
  const SlStep *steps;   /* of the node, the current one first */
  uint32_t n_steps;
} SlDispatcher;

/* Appends the records of the first step, or of several that follow it. Returns how many steps they
 * compute; 0 if the device cannot (types, limits), and nothing was appended. */
typedef uint32_t (*SlDispatchFunc) (SlDispatcher *to, const void *params);

typedef struct SlDispatchEntry {
  const char *kernel;
  SlDispatchFunc dispatch;
} SlDispatchEntry;

/* Every family's table, NULL-ended; each ends with a row without a name. */
extern const SlDispatchEntry *const sl_dispatch_families[];

/* The dispatcher of a kernel; NULL: there is none. */
SlDispatchFunc sl_dispatch_find (const char *kernel);

/* TRUE if the kernel is on the list of those that run on the CPU within a GPU's program: its
 * parameters, packing and workspace are the same for every target. */
bool sl_dispatch_is_host (const char *kernel, const char **ret_reason);

/* --- For dispatchers --- */

/* A new record of the current step: constants at their defaults, no bindings, one workgroup. */
SlDispatch *sl_dispatch_add (SlDispatcher *to, const SlShader *shader, const void *push);

/* Binds operand `index` of the current step to binding `binding`; `at`: member of the push
 * constants that takes its offset. An absent operand is bound to something that nobody reads. */
void sl_dispatch_bind (SlDispatch *record, uint32_t binding, const SlDispatcher *to, uint32_t index,
                       SlExtent extent, uint32_t element_size, uint32_t at_push);

/* Enough workgroups of `size` for `n` invocations, folded into the second dimension beyond what the
 * first may have: number = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x. */
void sl_dispatch_groups (SlDispatch *record, const SlGpu *gpu, uint64_t n, uint32_t size);

/* --- Order --- */

/* Where a binding lies in the program's memory, for hazards. */
typedef struct SlPlace {
  uint32_t buffer;
  SlExtent extent; /* from the start of the buffer */
  bool writes;
} SlPlace;

/* TRUE if some byte lies in both. Exact for extents of equal pitch, else by their outlines. */
bool sl_extents_overlap (const SlExtent *a, const SlExtent *b);
