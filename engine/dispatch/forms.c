#include "dispatch/forms.h"

#include "shaders/gemm.h"
#include "shaders/panel.h"

/* Lanes of a vector of a CPU that plays a GPU: a workgroup is one vector. */
#define LANES 8

/* Cycles of a CPU, measured with lavapipe (shaders/README.md): to fetch a vector of the input, one
 * of weights, and to multiply a row by a panel, for four of the depth. */
#define LANES_FORM(n_rows, n_panels)                                                               \
  {                                                                                                \
    &sl_shader_gemm_lanes##n_rows##x##n_panels, &sl_shader_gemm_lanes##n_rows##x##n_panels##_half, \
        true, LANES, n_rows *LANES, n_panels *PANEL,                                               \
        n_rows * 40 + n_panels * 400 + n_rows *n_panels * 77                                       \
  }
#define TILES_FORM(size)                                                                          \
  {                                                                                               \
    &sl_shader_gemm_tiles##size, &sl_shader_gemm_tiles##size##_half, false, size * 2, size, size, \
        0                                                                                         \
  }

const SlProductForm sl_product_forms[] = {
    LANES_FORM (7, 2),
    LANES_FORM (7, 1),
    LANES_FORM (4, 1),
    LANES_FORM (1, 1),
    TILES_FORM (64),
    TILES_FORM (32),
    {&sl_shader_gemm_tiles64, &sl_shader_gemm_matrix_half, false, 128, 64, 64, 0},
};
const uint32_t sl_product_n_forms = G_N_ELEMENTS (sl_product_forms);
enum { LARGE_TILES = 4, SMALL_TILES = 5, MATRIX = SL_PRODUCT_MATRIX_FORM - 1 };

SlShaderNeeds
sl_product_get_matrix_needs (void)
{
  return sl_shader_gemm_matrix_half.needs;
}

/* Workgroups that keep a GPU busy, and the least depth that is worth one of its own. */
#define BUSY 128
#define LEAST_DEPTH 128
#define MOST_SPLITS 16

static uint64_t
count_workgroups (const SlProductForm *form, uint64_t rows, uint32_t cols, uint32_t groups)
{
  return (rows + form->rows - 1) / form->rows * ((cols + form->cols - 1) / form->cols) * groups;
}

static const SlProductForm *
choose_lanes (const SlGpu *gpu, uint64_t rows, uint32_t cols, uint32_t groups)
{
  const uint32_t cores = MAX (gpu->cores, 1);
  const SlProductForm *best = NULL;
  uint64_t least = 0;
  for (uint32_t i = 0; i < sl_product_n_forms; i++) {
    const SlProductForm *form = &sl_product_forms[i];
    const uint64_t n = count_workgroups (form, rows, cols, groups);
    const uint64_t cycles = (n + cores - 1) / cores * form->cycles;
    if (form->for_cpu && (best == NULL || cycles < least)) {
      best = form;
      least = cycles;
    }
  }
  return best;
}

/* A power of two, so that few pipelines are built. */
static uint32_t
choose_splits (uint64_t workgroups, uint64_t depth)
{
  uint32_t splits = 1;
  while (splits < MOST_SPLITS && workgroups * splits * 2 <= BUSY &&
         depth >= (uint64_t)LEAST_DEPTH * splits * 2)
    splits *= 2;
  return splits;
}

const SlProductForm *
sl_product_choose_form (const SlGpu *gpu, uint64_t rows, uint32_t cols, uint64_t depth,
                        uint32_t groups, bool half, uint32_t *ret_splits)
{
  *ret_splits = 1;
  if (gpu->product_form > 0) {
    const SlProductForm *form = &sl_product_forms[gpu->product_form - 1];
    *ret_splits = form->for_cpu ? 1 : MAX (gpu->product_splits, 1);
    return form;
  }
  if (gpu->is_cpu)
    return choose_lanes (gpu, rows, cols, groups);
  const bool by_matrices = half && (sl_product_get_matrix_needs () & ~gpu->features) == 0;
  const SlProductForm *form = &sl_product_forms[by_matrices ? MATRIX : LARGE_TILES];
  if (count_workgroups (form, rows, cols, groups) >= BUSY)
    return form;
  if (!by_matrices)
    form = &sl_product_forms[SMALL_TILES];
  *ret_splits = choose_splits (count_workgroups (form, rows, cols, groups), depth);
  return form;
}
