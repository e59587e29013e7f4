/* What the session sees of a model. */
#pragma once

#include "graph/op.h"

#include <sightline/model.h>

/* The graph as read. Nobody changes it: programs work on clones. */
const SlGraph *sl_model_get_graph (SlModel *model);

/* Name, type and shape of each of the values (SlValue *): SlPort, whose names stay the values'. */
GArray *sl_list_ports (const GPtrArray *values);

/* The weight store. Looks up what evaluating `node` on these inputs gave before, or evaluates it
 * and keeps the result as long as the model lives, if that is made of the model's own tensors:
 * programs for other shapes, and other elements, share folded and packed weights. Inputs and
 * results are compared by identity, attributes by content. */
typedef gboolean (*SlStoreFunc) (const SlNode *node, SlTensor *const *inputs,
                                 SlTensor **ret_outputs, GError **error);
gboolean sl_model_evaluate (SlModel *model, const SlNode *node, SlStoreFunc compute,
                            SlTensor **ret_outputs, GError **error);
