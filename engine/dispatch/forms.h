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

/* The form by cooperative matrices, counted from 1, which there is of float16 alone, and what it
 * needs of a device: one of SL_SHADER_MATRIX, as the compiler of shaders knew it. */
#define SL_PRODUCT_MATRIX_FORM 7
SlShaderNeeds sl_product_get_matrix_needs (void);

/* For `groups` products of `rows` by `cols`, each a sum over `depth`, of float16 or float32. By the
 * class of the device and the shape alone, unless the test says which. *ret_splits: parts that the
 * depth is cut into, whose sums are added by another record. */
const SlProductForm *sl_product_choose_form (const SlGpu *gpu, uint64_t rows, uint32_t cols,
                                             uint64_t depth, uint32_t groups, bool half,
                                             uint32_t *ret_splits);
