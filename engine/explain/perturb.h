/* Maps of how the scores answer when parts of the input are hidden: networks need no gradients. */
#pragma once

#include <sightline/explain.h>

typedef struct SlExplainPerturb SlExplainPerturb;

SlExplainPerturb *sl_explain_perturb_new (SlModel *model, const SlExplainOptions *options);
void sl_explain_perturb_free (SlExplainPerturb *perturb);

/* Size of the map for such an input. */
void sl_explain_perturb_get_size (const SlExplainPerturb *perturb, const SlTensorView *input,
                                  uint32_t *ret_width, uint32_t *ret_height);
/* Compiles for such an input, unless that is done. */
gboolean sl_explain_perturb_prepare (SlExplainPerturb *perturb, const SlTensorView *input,
                                     GError **error);
gboolean sl_explain_perturb_map (SlExplainPerturb *perturb, const SlTensorView *input,
                                 const SlExplainTarget *target, float *ret, GError **error);
