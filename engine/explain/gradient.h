/* How a model's logits change with the values of a layer, or of the input: a program of its own. */
#pragma once

#include <sightline/explain.h>

typedef struct SlExplainGradient SlExplainGradient;

/* Where the layer is one that all ways to the logits lead through, the program begins there, with
 * its feature maps as input ("start"), unless the options want the network's; else with that. NULL
 * with SL_ERROR_UNSUPPORTED where an op on the way has no gradient. `layer` NULL: the input.
 * Nothing is compiled. */
SlExplainGradient *sl_explain_gradient_new (SlModel *model, const char *layer,
                                            const SlExplainOptions *options, GError **error);
void sl_explain_gradient_free (SlExplainGradient *gradient);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlExplainGradient, sl_explain_gradient_free)

/* Name of the value that the program begins with. */
const char *sl_explain_gradient_get_start (const SlExplainGradient *gradient);

/* Compiles for `batch` pictures of a start like `start`, unless it is. *ret_batch: how many it has
 * become; 1 where the network takes no more. */
gboolean sl_explain_gradient_prepare (SlExplainGradient *gradient, const SlTensorView *start,
                                      uint32_t batch, uint32_t *ret_batch, GError **error);

/* The views to fill, and what comes out: the start's content, of target: one number for each class
 * and picture; the gradient, and the layer's features where they are not the start (else data
 * NULL). Good until the next prepare(). */
void sl_explain_gradient_get_views (SlExplainGradient *gradient, SlTensorView *ret_start,
                                    SlTensorView *ret_target, SlTensorView *ret_gradient,
                                    SlTensorView *ret_features);
/* The gradient of the sum of target * logits. */
gboolean sl_explain_gradient_execute (SlExplainGradient *gradient, GError **error);
