/* Network texts to graphs: one layer a line, Keras's names of layers and arguments (README.md). */
#pragma once

#include "graph/graph.h"

#include <sightline/model.h>

/* Reads a text. Weights are parameters and running statistics state, both with content: what their
 * initialisers make where that is one number, else zeros whose pages nobody has touched, and
 * SlValue.initializer says what draws it. Shapes are logical (N, C, H, W) whatever the order in the
 * text; N is free. Nodes bear the name of the layer that they are of. Errors are "NAME:LINE:COLUMN:
 * …". `limits` is complete (sl_onnx_complete_limits()).
 *
 * *ret_types: name of each layer → its type as the text has it ("Conv2D"); free with
 * g_hash_table_unref(). Untouched on failure. */
SlGraph *sl_net_read (GBytes *bytes, const char *name, const SlModelLimits *limits,
                      GHashTable **ret_types, GError **error);
