/* A model's graph for maps: its logits, and the layer that is looked at. */
#pragma once

#include "graph/graph.h"

#include <sightline/model.h>

/* The graph for one picture, in inference, parameters constants with their newest content, which a
 * device may have. `input`: full shape of the one input; NULL: the file's, free dimensions of which
 * count as 224. */
SlGraph *sl_explain_open (SlModel *model, const SlShape *input, GError **error);

/* What the first output's Softmax or Sigmoid reads, or that output itself: one vector of floats. */
SlValue *sl_explain_find_logits (const SlGraph *graph, GError **error);

/* The feature maps (N, C, H, W) of a layer or value of that name, which the logits depend on. NULL:
 * the last that are more than one position, that no pooling made of others, and that all ways from
 * the input to the logits go through. */
SlValue *sl_explain_find_layer (const SlGraph *graph, const SlValue *logits, const char *name,
                                GError **error);

/* TRUE if no way from the graph's inputs to `to` leads past `value`. */
bool sl_explain_is_cut (const SlGraph *graph, const SlValue *value, const SlValue *to);

/* Axis of the channels of a picture or of feature maps; the others of 1 … 3 are height and width,
 * in this order. Pictures of networks from TensorFlow may have them last. */
uint32_t sl_explain_find_channels (const SlShape *shape);
