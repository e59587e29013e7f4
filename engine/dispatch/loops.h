/* Nests of loops over several operands at once: what element-wise shaders work on. */
#pragma once

#include "dispatch/dispatch.h"
#include "kernels/elementwise.h"

#define SL_LOOPS_MAX_OPERANDS 4

typedef struct SlLoops {
  uint32_t n_operands, rank;
  size_t dims[SL_KERNEL_RANK]; /* slowest first */
  /* Of each operand, in elements: from one step of a loop to the next, 0 repeats, below 0 goes
   * back; and the element that the first step is about, from the operand's first. */
  ptrdiff_t stride[SL_LOOPS_MAX_OPERANDS][SL_KERNEL_RANK];
  size_t first[SL_LOOPS_MAX_OPERANDS];
  size_t beside[SL_LOOPS_MAX_OPERANDS];         /* elements that each step sees beyond its own */
  uint32_t element_size[SL_LOOPS_MAX_OPERANDS]; /* bytes */
} SlLoops;

/* Appends the record of loops that fit: rank 1 … `rank`, none of a single step unless it is the
 * only one. */
typedef void (*SlLoopsFunc) (SlDispatcher *to, const SlLoops *loops, const void *data);

/* Makes one of neighbours that step alike, and cuts what has more loops than `rank`, or spans more
 * than the device binds at once, into several. */
void sl_loops_dispatch (SlDispatcher *to, const SlLoops *loops, uint32_t rank, SlLoopsFunc func,
                        const void *data);

/* The same without merging: loops that mean something, such as channels, stay what they are. At
 * most SL_KERNEL_RANK of them, all of which `func` takes. */
void sl_loops_cut (SlDispatcher *to, const SlLoops *loops, SlLoopsFunc func, const void *data);

size_t sl_loops_get_elements (const SlLoops *loops);

/* TRUE if the fastest loop's steps of operand `k`, operand `index` of the step, are vectors of
 * four, or if it repeats one element. */
bool sl_loops_have_fours (const SlDispatcher *to, const SlLoops *loops, uint32_t k, uint32_t index);

/* The elements of operand `k`. */
SlExtent sl_loops_get_extent (const SlLoops *loops, uint32_t k);

/* How the push constants of shaders begin that take operand 0 to operand 1 in rows of elements that
 * lie side by side. */
typedef struct SlRowsPush {
  uint32_t elements, cols;
  uint32_t in_stride, out_stride; /* elements from one row to the next */
  uint32_t at_in, at_out;
} SlRowsPush;

/* Appends the record of such a shader. `loops` are at most two, of merged rows; `push` begins as
 * above. */
SlDispatch *sl_loops_add_rows (SlDispatcher *to, const SlLoops *loops, const SlShader *shader,
                               void *push);

/* Loops as push constants have them: `rank` of them, the fastest last, those before of one step. */
void sl_loops_push_dims (const SlLoops *loops, uint32_t rank, uint32_t *ret_dims);
void sl_loops_push_strides (const SlLoops *loops, uint32_t k, uint32_t rank, int32_t *ret_strides);
