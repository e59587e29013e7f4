#include "passes/passes.h"

typedef struct Pass {
  gboolean (*run) (SlPasses *passes, GError **error);
  bool needs_target; /* skipped for a backend without layouts and packing */
  bool is_optimization;
} Pass;

static const Pass table[] = {
    {sl_pass_fold_constants, false, false},
    {sl_pass_simplify, false, true},
    {sl_pass_fold_affine, false, true},
    {sl_pass_fuse_residual, false, true},
    {sl_pass_fuse_activation, false, true},
    {sl_pass_drop_dead, false, true},
    {sl_pass_layout, true, false},
    {sl_pass_prepare, true, false},
    /* Packing, relayouts of constants and the arithmetic of folding end here. */
    {sl_pass_fold_constants, false, false},
    {sl_pass_drop_dead, false, false},
};

gboolean
sl_passes_run (SlPasses *passes, GError **error)
{
  for (size_t i = 0; i < G_N_ELEMENTS (table); i++) {
    if ((table[i].needs_target && passes->target == NULL) ||
        (table[i].is_optimization && !passes->optimize))
      continue;
    if (!table[i].run (passes, error) || !sl_graph_sort (passes->graph, error))
      return FALSE;
  }
  return TRUE;
}
