/* A Vulkan device under the tests of operators: it works on copies of a block of host memory. */
#pragma once

#include "graph/step.h"

typedef struct OpGpu OpGpu;

/* The process's device; NULL if there is none, and why. A device that has to be there
 * (SIGHTLINE_TEST_VULKAN=require) and is not ends the test. */
OpGpu *op_gpu_get (const char **ret_why_not);

/* What lowering and packing have to know of it. */
SlTarget op_gpu_get_target (const OpGpu *gpu);

/* Where a value begins in the block, in bytes: a multiple of 16. */
typedef size_t (*OpGpuFind) (const void *data, const SlValue *value);

/* Runs the first of `n` steps of a node, or several: uploads the block, dispatches, downloads it.
 * Returns how many steps were run, 0: there is no dispatcher for it. Bindings begin at multiples of
 * 64, and span at most `range` bytes; 0: what the device allows. */
uint32_t op_gpu_run (OpGpu *gpu, const SlStep *steps, uint32_t n, void *block, size_t bytes,
                     size_t range, OpGpuFind find, const void *data);
