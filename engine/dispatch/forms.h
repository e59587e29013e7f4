/* The forms that a product's shader has (shaders/gemm.comp), and which one a product takes. */
#pragma once

#include "dispatch/dispatch.h"

typedef struct SlProductForm {
  const SlShader *shader, *half; /* that store float32, float16 */
  bool for_cpu;                  /* a CPU that plays a GPU */
  uint32_t local;                /* invocations of a workgroup */
  uint32_t rows, cols;           /* of a workgroup */
  uint32_t cycles;               /* for_cpu: that a workgroup takes for four of the depth, about */
} SlProductForm;

extern const SlProductForm sl_product_forms[];
extern const uint32_t sl_product_n_forms;

/* For `groups` products of `rows` by `cols`, each a sum over `depth`. By the class of the device
 * and the shape alone, unless the test says which. *ret_splits: parts that the depth is cut into,
 * whose sums are added by another record. */
const SlProductForm *sl_product_choose_form (const SlGpu *gpu, uint64_t rows, uint32_t cols,
                                             uint64_t depth, uint32_t groups, uint32_t *ret_splits);
