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
  uint32_t cores;           /* of a CPU; 0: unknown */
  uint32_t max_invocations; /* of a workgroup, at least 128 */
  uint32_t shared_bytes;    /* of a workgroup, at least 16 KiB */
  uint32_t max_groups;      /* in each dimension, at least 65,535 */
  uint32_t max_bindings;    /* storage buffers of a shader */
  uint64_t binding_range;   /* bytes of one binding, at least 128 MiB */
  uint32_t alignment;       /* of a binding's offset: a power of two, at most 256 */
  SlShaderNeeds features;   /* what it offers */

  /* For tests: the form that every product takes, counted from 1 (dispatch/forms.h), and the parts
   * of its depth. 0: what is chosen. */
  uint32_t product_form, product_splits;
} SlGpu;

/* Where a binding lies. */
typedef enum {
  SL_BIND_NONE,    /* nowhere: the shader does not look; anything may be bound */
  SL_BIND_OPERAND, /* of a step */
  SL_BIND_SCRATCH, /* of the run: content lasts until the step's last record */
  SL_BIND_TABLE,   /* constant words of the program */
} SlBindKind;

/* Elements that a record touches: `rows` runs of `row_bytes`, `pitch` bytes from one to the next
 * (not less than row_bytes); between the runs lies what belongs to others. */
typedef struct SlExtent {
  uint64_t begin; /* bytes from the start of operand, scratch, table or buffer */
  uint64_t rows, row_bytes, pitch;
} SlExtent;

typedef struct SlBinding {
  SlBindKind kind;
  const SlValue *value; /* SL_BIND_OPERAND */
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
  uint32_t base[2]; /* of the first two dimensions: the first workgroup */
  bool is_cut;      /* base may be other than 0, which pipelines have to be made for */
  uint32_t specs[SL_DISPATCH_MAX_SPECS];        /* shader->n_specs */
  uint32_t push[SL_PUSH_MAX / 4];               /* shader->push_size bytes */
  SlBinding bindings[SL_DISPATCH_MAX_BINDINGS]; /* shader->n_bindings */
} SlDispatch;

/* Collects the records of a program. */
typedef struct SlDispatcher {
  const SlGpu *gpu;
  GArray *records;       /* SlDispatch */
  GArray *table;         /* uint32_t: words of SL_BIND_TABLE */
  uint64_t scratch_size; /* bytes; grows to what the hungriest step needs */
  const SlStep *steps;   /* of the node, the current one first */
  uint32_t n_steps;
  uint32_t n_refused; /* bindings that a refused step would take, if these are too many; else 0 */
} SlDispatcher;

/* What a family's table says of operands, bits by number. */
#define SL_OPERAND(index) (UINT32_C (1) << (index))
#define SL_HALVES_ALL(operands) \
  {                             \
    (operands), 0, false        \
  }

/* Appends the records of the first step, or of several that follow it. Returns how many steps they
 * compute; 0 if the device cannot (types, limits). `variant`: of the entry. */
typedef uint32_t (*SlDispatchFunc) (SlDispatcher *to, const void *params, uint32_t variant);

/* One row of a family's table, which ends with a row without a name. */
typedef struct SlDispatchEntry {
  const char *kernel;
  size_t params_size; /* of the kernel's parameter struct */
  SlDispatchFunc dispatch;
  uint32_t variant; /* what the family's kernels differ in */
  SlHalves halves;  /* operands that it takes as float16, too */
} SlDispatchEntry;

/* The entry of a kernel; NULL: there is none. */
const SlDispatchEntry *sl_dispatch_find (const char *kernel);

/* Appends the records of to->steps[0] and maybe of steps behind it. Returns how many steps they
 * compute; 0, with nothing appended, if there is no dispatcher, or none for this device. */
uint32_t sl_dispatch_steps (SlDispatcher *to);

/* What lowering and packing for shaders go by. `half`: activations and constant weights are stored
 * as float16 where shaders take that, which needs SL_SHADER_STORAGE16. */
SlTarget sl_dispatch_get_target (bool half);

/* Layers timed in each form of convolution (dispatch/winograd_timings.c): on a CPU that plays a
 * GPU, or guessed for GPUs. */
const SlWinogradTiming *sl_dispatch_get_winograd (bool is_cpu);

/* TRUE if the kernel is on the list of those that run on the CPU within a GPU's program: its
 * parameters, packing and workspace are the same for every target. */
bool sl_dispatch_is_host (const char *kernel, const char **ret_reason);

/* --- For dispatchers --- */

/* A new record of the current step: constants at their defaults, nothing bound, one workgroup.
 * `push` is copied; NULL: zeros. Valid until the next record is added. */
SlDispatch *sl_dispatch_add (SlDispatcher *to, const SlShader *shader, const void *push);

/* Binds operand `index` of the current step to binding `binding`; `at_push`: as in SlBinding. NULL
 * operands are bound to nothing. */
void sl_dispatch_bind (SlDispatch *record, uint32_t binding, uint32_t index, SlExtent extent,
                       uint32_t element_size, uint32_t at_push);
/* The same for any value: of the steps behind the first. */
void sl_dispatch_bind_value (SlDispatch *record, uint32_t binding, const SlValue *value,
                             SlExtent extent, uint32_t element_size, uint32_t at_push);
/* The same for `bytes` of scratch from `begin` on; makes sure that it is so large. */
void sl_dispatch_bind_scratch (SlDispatcher *to, SlDispatch *record, uint32_t binding,
                               uint64_t begin, uint64_t bytes, uint32_t element_size,
                               uint32_t at_push);

/* --- For who runs records --- */

/* Cuts a record into at most `n` of the same work each, which stand in its place; returns how many
 * there are. They may run apart, in any order. Fewer where it has not so many workgroups in what
 * can be cut: dimension 1, or 0 if that is 1; shaders ask how many there are in the others. */
uint32_t sl_dispatch_cut (GArray *records, uint32_t index, uint32_t n);

static inline SlExtent
sl_extent (uint64_t begin, uint64_t bytes)
{
  return (SlExtent){begin, 1, bytes, bytes};
}

/* Bytes from an extent's first to its last. */
static inline uint64_t
sl_extent_get_span (const SlExtent *extent)
{
  return extent->rows == 0 ? 0 : (extent->rows - 1) * extent->pitch + extent->row_bytes;
}

/* Most bytes that an extent may span to be bound, wherever it begins. */
static inline uint64_t
sl_gpu_get_range (const SlGpu *gpu)
{
  return gpu->binding_range - gpu->alignment;
}

/* TRUE if operand `index` lies in memory as float16. */
bool sl_dispatch_is_half (const SlDispatcher *to, uint32_t index);
/* Bytes of an element of operand `index`, which is there. */
uint32_t sl_dispatch_get_size (const SlDispatcher *to, uint32_t index);

/* The variant of a shader that stores float32, or float16. */
#define sl_shader_get(name, is_half) ((is_half) ? &sl_shader_##name##_half : &sl_shader_##name)

/* The same by how operand 0 is stored, and on a CPU that plays a GPU the one that reads texels. */
#define sl_dispatch_choose(to, name)                                              \
  ((to)->gpu->is_cpu ? sl_shader_get (name##_texels, sl_dispatch_is_half (to, 0)) \
                     : sl_shader_get (name, sl_dispatch_is_half (to, 0)))

/* TRUE if element `first` of operand `index` begins a vector of four wherever the
 * operand's place is bound, or if there is no such operand. */
bool sl_dispatch_is_aligned (const SlDispatcher *to, uint32_t index, size_t first);

/* Enough workgroups of `size` for `n` invocations, folded into the second dimension beyond what the
 * first may have: number = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x. */
void sl_dispatch_groups (SlDispatch *record, const SlGpu *gpu, uint64_t n, uint32_t size);

/* --- Order --- */

/* Where a binding lies in the program's memory. */
typedef struct SlPlace {
  uint32_t buffer;
  SlExtent extent; /* from the start of the buffer */
  bool writes;
} SlPlace;

/* TRUE if some byte lies in both. Exact for extents of equal pitch or of one row; for others it may
 * say TRUE where only the gaps of both meet. */
bool sl_extents_overlap (const SlExtent *a, const SlExtent *b);

/* Which records need a barrier before them: those that read what was written since the last
 * barrier, or write what was read or written since. */
typedef struct SlBarriers {
  GArray *pending; /* SlPlace: of the records since the last barrier */
} SlBarriers;

SlBarriers *sl_barriers_new (void);
void sl_barriers_free (SlBarriers *barriers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlBarriers, sl_barriers_free)
/* The next record. TRUE: a barrier has to stand before it. */
bool sl_barriers_add (SlBarriers *barriers, const SlPlace *places, uint32_t n_places);
/* There is a barrier now for other reasons. */
void sl_barriers_reset (SlBarriers *barriers);

/* For tests: an independent look at `n` records and where barriers stand before them. NULL, or a
 * sentence about the first two records that touch the same byte with no barrier between. Goes
 * through the bytes row by row. */
char *sl_hazards_check (const SlPlace *const *places, const uint32_t *n_places,
                        const bool *barriers, uint32_t n);
