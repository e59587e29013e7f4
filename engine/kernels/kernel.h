/* What a CPU kernel is.
 *
 * A kernel is C maths on pointers and sizes. It knows no graph, allocates nothing and starts no
 * thread: the backend hands it a parameter struct, one pointer per operand and a private scratch
 * block, and asks for a range of tiles. Any partition of the tiles over any number of threads gives
 * the same bits, so a tile never adds into what another tile wrote, and its boundaries depend on
 * the parameters and the instruction set alone.
 *
 * Every family lives in one header (parameter struct, operand order, shapes) and one source, which
 * is built once per instruction set; SL_KERNEL_ISA names the set being built. */
#pragma once

#include "core/isa.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SlKernel {
  const char *name;   /* what a step names, e.g. "conv2d" */
  size_t params_size; /* sizeof the family's parameter struct */

  /* Number of independent tiles, at least 1 unless the output is empty. */
  size_t (*tiles) (const void *params);

  /* Bytes of scratch that one thread needs, 64-byte aligned, content undefined. NULL: none. */
  size_t (*scratch) (const void *params);

  /* Computes tiles first … last - 1. `buffers` follow the operand order of the family's header;
   * an optional operand that is absent is NULL. */
  void (*run) (const void *params, void *const *buffers, void *scratch, size_t first, size_t last);

  /* The part [*ret_begin, *ret_end), in bytes, of operand 0 that tiles first … last - 1 read, so
   * that packing need not have the whole of it in memory. NULL: all of it. */
  void (*reads) (const void *params, size_t first, size_t last, size_t *ret_begin, size_t *ret_end);
} SlKernel;

/* The kernels of one instruction set, and the constants that packing has to know about them. */
typedef struct SlKernelSet {
  SlIsa isa;
  uint32_t panel;                 /* columns of packed GEMM weights come in multiples of this, */
  uint32_t panel_max;             /* and in panels of at most so many: see tile.h */
  const SlKernel *const *kernels; /* NULL-ended */
} SlKernelSet;

/* The set for `isa`, or NULL where this build does not hold it. */
const SlKernelSet *sl_kernel_set_get (SlIsa isa);

/* Looks a kernel up by name; NULL if the set has none of that name. */
const SlKernel *sl_kernel_set_find (const SlKernelSet *set, const char *name);

/* What a producing kernel applies to every output element before it stores it: first the residual
 * (where the family has one) is added, then the activation. */
typedef enum {
  SL_ACT_NONE,
  SL_ACT_CLIP,    /* min (max (x, a), b); Relu is a = 0, b = +inf. NaN stays NaN. */
  SL_ACT_LEAKY,   /* x < 0 ? a * x : x */
  SL_ACT_SIGMOID, /* 1 / (1 + exp (-x)) */
  SL_ACT_TANH,
  SL_ACT_SILU,      /* x * sigmoid (x) */
  SL_ACT_HARDSWISH, /* x * min (max (x / 6 + 0.5, 0), 1) */
} SlActKind;

typedef struct SlAct {
  SlActKind kind;
  float a, b;
} SlAct;
