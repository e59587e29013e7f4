/* What lowering turns a node into: neutral records that name a kernel and the values it touches. A
 * backend finds the kernel in its own table and binds memory; it knows nothing about the op. */
#pragma once

#include "graph/graph.h"
#include "kernels/winograd.h"

typedef struct SlStep {
  const char
      *kernel; /* SlKernel.name; SL_STEP_REFERENCE runs the op's double-precision reference */
  const SlNode *node; /* what it came from, for errors and timing */
  void *params;       /* the kernel's parameter struct, owned */
  size_t params_size;
  const SlValue **operands; /* in the kernel's order, NULL where absent; owned */
  uint32_t n_operands;
  uint32_t n_reads; /* operands from here on are written, the ones before are read */
} SlStep;

#define SL_STEP_REFERENCE "reference"

/* Which operands of a step may lie in memory as float16 instead of float32, bits by operand. */
typedef struct SlHalves {
  uint32_t all; /* all of these, or none */
  uint32_t any; /* where those do: each of these, or not */
  bool moves;   /* the step computes nothing */
} SlHalves;

/* Numbers of the chosen instruction set (or later: device) that packing and lowering depend on. */
typedef struct SlTarget {
  uint32_t panel; /* SlKernelSet.panel, or what panel_width says: packed columns are a multiple */
  uint32_t panel_width; /* packed weights are panels of so many columns each, [group][panel][depth]
                           [width]; 0: the widths that the instruction set's kernels like */
  const SlWinogradTiming *winograd; /* sl_winograd_timings(); NULL: direct convolution only */
  bool half_weights; /* of constant weights: pack them as half floats where kernels read those */
  SlHalves (*get_halves) (const SlStep *step); /* NULL: activations are stored as float32 */
} SlTarget;

/* Collects the steps of one node. */
typedef struct SlLowering {
  GArray *steps; /* SlStep */
  const SlTarget *target;
  const SlNode *node;
} SlLowering;

/* Appends the steps of to->node: those of its op, or the reference's; none if all of its outputs
 * are empty. */
void sl_lower_node (SlLowering *to);

/* --- For ops --- */

/* Appends a step; `params` is copied. Operands are read except the last, which is written: every
 * kernel names its single output last. An output without elements needs no step: kernels may take
 * it that there is something to write. */
void sl_lower_step (SlLowering *to, const char *kernel, const void *params, size_t params_size,
                    uint32_t n_operands, const SlValue *const *operands);
/* The same of a kernel with several outputs: operands from number `n_reads` on are written, NULL
 * among them where nobody asked; there is something to write. */
void sl_lower_outputs (SlLowering *to, const char *kernel, const void *params, size_t params_size,
                       uint32_t n_operands, uint32_t n_reads, const SlValue *const *operands);
#define sl_lower(to, kernel, params, ...)                                             \
  sl_lower_step (to, kernel, params, sizeof *(params),                                \
                 sizeof ((const SlValue *const[]){__VA_ARGS__}) / sizeof (SlValue *), \
                 (const SlValue *const[]){__VA_ARGS__})

/* The fallback for ops and types without a fast kernel: the reference, on one thread. */
void sl_lower_reference (SlLowering *to);

void sl_step_clear (SlStep *step);

/* The value whose place `value` lies in (itself, mostly), and the byte offset in it. */
const SlValue *sl_value_get_root (const SlValue *value, size_t *ret_offset);

/* TRUE if `value` begins `offset` bytes behind where `other` begins: the planner put it there, and
 * nothing is left to move. */
bool sl_value_lies_at (const SlValue *value, const SlValue *other, size_t offset);

/* Elements from one index to the next in memory, for each logical dimension. */
void sl_value_get_strides (const SlValue *value, ptrdiff_t ret_strides[SL_MAX_RANK]);

/* The value's memory as rows of contiguous elements: a channels-last value is one row of channels a
 * position, a row-major value one single row. */
void sl_value_get_rows (const SlValue *value, size_t *ret_rows, size_t *ret_cols,
                        size_t *ret_stride);
