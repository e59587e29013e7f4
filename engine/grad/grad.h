/* The gradient pass: nodes that compute how a loss changes with values of the graph. */
#pragma once

#include "graph/op.h"

/* Adds nodes that compute the gradient of `loss` (one float, of any rank) with respect to each of
 * the `n` wanted values: parameters, inputs or activations of floats, in whatever order, also one
 * twice. ret_gradients[i] has type and shape of wanted[i]; it is zeros where the loss does not
 * depend on wanted[i], and may be the same value for several of them, or a constant. Only what lies
 * between them and the loss is looked at, and a value's readers are summed up in the reverse order
 * of computation.
 *
 * The graph is sorted, its shapes are known, and no pass has fused or laid out anything; new nodes
 * stand behind the old ones, inferred. Where an op on the way has no gradient (ops/README.md lists
 * them) or a builder refuses: SL_ERROR_UNSUPPORTED that names node and op; the graph then holds
 * nodes that nothing reads. */
gboolean sl_grad_append (SlGraph *graph, SlValue *loss, SlValue *const *wanted, uint32_t n,
                         SlValue **ret_gradients, GError **error);
