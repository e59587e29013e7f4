/* Graphs on the CPU backend, at the points that a Numeric holds. */
#pragma once

#include "grad/numeric.h"

/* For SlPasses.evaluate. */
gboolean on_cpu_evaluate (void *data, const SlNode *node, SlTensor **ret_outputs, GError **error);

/* Takes the graph, whose values have the ids of those in `numeric`, through the passes, plans and
 * runs it. The contents of its outputs (SlTensor), in order; free with g_ptr_array_unref(). */
GPtrArray *run_on_cpu (SlGraph *graph, const Numeric *numeric, bool optimize, uint32_t threads);
