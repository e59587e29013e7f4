/* A Vulkan device under the tests of operators: it works on copies of a block of host memory. */
#pragma once

#include "core/isa.h"
#include "graph/step.h"

typedef struct OpGpu OpGpu;

/* The process's device; NULL if there is none, and why. A device that has to be there
 * (SIGHTLINE_TEST_VULKAN=require) and is not ends the test. */
OpGpu *op_gpu_get (const char **ret_why_not);

/* What lowering and packing have to know of it; `half`: to store float16. */
SlTarget op_gpu_get_target (const OpGpu *gpu, bool half);

/* Where a value begins in the block, in bytes: a multiple of 16. */
typedef size_t (*OpGpuFind) (const void *data, const SlValue *value);

/* What the device is made out to be. 0: what it is, or what is chosen for it. */
typedef struct OpGpuOptions {
  size_t range;         /* most bytes that a binding spans */
  bool as_gpu;          /* a CPU that plays a GPU: take the forms of a real one */
  bool half;            /* activations and weights are stored as float16 */
  uint32_t form;        /* of products, counted from 1 (dispatch/forms.h) */
  uint32_t splits;      /* of their depth, where the form can */
  uint32_t pieces;      /* that each record is cut into, where it has so many workgroups */
  SlIsa isa;            /* of the CPU's kernels in between */
  bool ret_has_host;    /* set if there was one of those */
  bool ret_has_product; /* set if there was one */
  uint32_t ret_records; /* dispatches of the last step */
} OpGpuOptions;

/* Forms of products; whether one can split their depth. */
uint32_t op_gpu_n_forms (void);
bool op_gpu_form_splits (uint32_t form);
/* FALSE for a form that the device has not, or that is another's where `half` is not. */
bool op_gpu_has_form (const OpGpu *gpu, uint32_t form, bool half);

/* What does the kernel's work: a dispatcher, or the CPU between the shaders. */
bool op_gpu_has_dispatcher (const char *kernel);
bool op_gpu_leaves_to_host (const char *kernel);

/* Runs the first of `n` steps of a node, or several: uploads the block, dispatches, downloads it.
 * Returns how many steps were run, 0: there is no dispatcher for it. Bindings begin at multiples of
 * 64. */
uint32_t op_gpu_run (OpGpu *gpu, const SlStep *steps, uint32_t n, void *block, size_t bytes,
                     OpGpuOptions *options, OpGpuFind find, const void *data);
