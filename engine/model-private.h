/* What the session sees of a model. */
#pragma once

#include "constants.h"
#include "onnx/onnx.h"

#include <sightline/model.h>

/* The graph as read, large constants as stubs. Nobody changes it: programs work on clones. */
const SlGraph *sl_model_get_graph (SlModel *model);

/* A model of a graph that was made here, which it takes over; `meta` (copied) may be NULL. The
 * graph holds no stubs, and is sorted. */
SlModel *sl_model_new_from_graph (SlGraph *graph, const char *name, const SlOnnxMeta *meta);
const SlOnnxMeta *sl_model_get_meta (SlModel *model);

/* sl_model_save() with n further pairs of metadata. */
gboolean sl_model_save_with (SlModel *model, const char *path, const char *const *keys,
                             const char *const *values, uint32_t n, GError **error);

/* Makes parameters and state constants with the content of now. */
gboolean sl_freeze_variables (SlGraph *graph, GError **error);

/* The graph's parameters and state (SlValue *), in the order in which nodes read them. */
GPtrArray *sl_list_variables (const SlGraph *graph);
void sl_variable_init (SlVariable *variable, const SlValue *value);

/* Whether input `index` of a node in a graph of the model is weights, and whether no gradient
 * changes them. */
bool sl_model_is_weight (SlModel *model, const SlNode *node, uint32_t index, bool *ret_is_state);

/* Name, type and shape of each of the values (SlValue *): SlPort, whose names stay the values'. */
GArray *sl_list_ports (const GPtrArray *values);

/* The weight store: programs for other shapes, and other elements, share folded and packed weights.
 */
SlConstants *sl_model_get_constants (SlModel *model);
