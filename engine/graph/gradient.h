/* What an op class sees of the gradient pass (grad/). All gradients are of one number, the loss. */
#pragma once

#include "graph/graph.h"

typedef struct SlGradients SlGradients;

/* The gradient of output `index`, in that output's shape; NULL if the loss does not depend on it.
 * A node whose outputs all have none is not asked. */
SlValue *sl_gradients_get (SlGradients *of, const SlNode *node, uint32_t index);

/* Whether anybody needs the gradient of input `index`: something that is trained lies behind it. */
bool sl_gradients_want (const SlGradients *of, const SlNode *node, uint32_t index);

/* Adds `gradient`, in the shape of input `index` or one that the input was broadcast to (which is
 * then summed down to it), to what other readers of that value gave. */
void sl_gradients_give (SlGradients *to, const SlNode *node, uint32_t index, SlValue *gradient);

/* A new node of class `op` with one output, which is returned with type and shape inferred; its
 * name is that of `of` with "/gradient" behind it. `attrs` NULL: the class's defaults. */
SlValue *sl_gradients_node (SlGradients *to, const SlNode *of, const SlOpClass *op,
                            const void *attrs, uint32_t n_inputs, SlValue *const *inputs);

/* The graph that grows, for constants (sl_graph_add_ints()). */
SlGraph *sl_gradients_get_graph (SlGradients *of);
