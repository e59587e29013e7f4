/* Graphs that train: what the trainer puts around a network. */
#pragma once

#include "graph/attrs.h"
#include "graph/graph.h"

#include <sightline/program.h>
#include <sightline/train.h>

/* Nodes for the parts, by the class's name; one output, which is returned with type and shape
 * inferred. `attrs`: one float, integer or list by name, ended by a row without one; NULL: none. */
SlValue *sl_train_node (SlGraph *graph, const char *op, const char *name, const SlRawAttr *attrs,
                        uint32_t n_inputs, SlValue *const *inputs);
/* A float32 constant scalar. */
SlValue *sl_train_number (SlGraph *graph, double number);

/* The network's answer as the loss reads it: for losses of classes (N, C) and what stood before a
 * Softmax at the end, else output 0 as it is. NULL with SL_ERROR_UNSUPPORTED where a network ends
 * in something that such a loss cannot read. */
SlValue *sl_train_find_answer (SlGraph *graph, SlLoss loss, GError **error);

/* The loss of each sample (N), from answer and target, which are of one shape. */
SlValue *sl_train_add_loss (SlGraph *graph, const SlTrainerOptions *options, SlValue *answer,
                            SlValue *target, GError **error);

/* Batch normalisation of the batch's own moments, which the graph's updates carry into the running
 * ones, unless rules hold both of these back; dropout that drops. `seed`, `step`: int64 scalars. */
gboolean sl_train_set_mode (SlGraph *graph, const SlTrainerOptions *options, SlValue *seed,
                            SlValue *step, GError **error);

/* Scalars of a step. */
typedef struct SlTrainScalars {
  SlValue *loss, *rate, *step;
} SlTrainScalars;

/* Gradients of the loss by the parameters that are trained, their norm (float scalar, ret_norm) and
 * their optimiser's nodes and updates. The optimiser's own state (SlValue *) goes to `ret_state`.
 * NULL rules and the like as in the options. */
gboolean sl_train_add_updates (SlGraph *graph, const SlTrainerOptions *options,
                               const SlTrainScalars *scalars, SlValue **ret_norm,
                               GPtrArray *ret_state, GError **error);

/* Factor of the parameter's rate: that of the first rule that fits, else 1. */
double sl_train_rate_factor (const SlTrainerOptions *options, const char *name);

/* Draws the first content of those parameters that say how (graph/initializer.h), from the seed and
 * their names, so that other layers in the network change nothing. */
void sl_train_initialize (const SlGraph *graph, guint64 seed);
