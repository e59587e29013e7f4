/* From a graph to a plan: where each value lies, and the steps that compute them. */
#pragma once

#include "graph/op.h"

/* Memory for one run is a single block, the arena. A value has a place of its own in it, or lies in
 * the place of another value (SlValue.base): reshapes and relayouts that move nothing, results
 * computed in place, and inputs of a concatenation that their producers write straight into its
 * output. */
typedef struct SlPlan {
  SlGraph *graph; /* owned */
  SlTarget target;
  size_t arena_bytes;
  size_t *offset; /* of each value id that owns a place: bytes from the arena's start */
  GArray *steps;  /* SlStep, in order */
} SlPlan;

/* Plans a graph that went through the passes; takes it over. `target` NULL: a backend that runs the
 * graph's nodes itself, without places and steps. SL_ERROR_LIMIT with the numbers if the arena
 * would be larger than `memory_limit`. */
SlPlan *sl_plan_new (SlGraph *graph, const SlTarget *target, guint64 memory_limit, GError **error);
void sl_plan_free (SlPlan *plan);
/* SL_ERROR_LIMIT with both numbers if a run would need more than the limit. */
gboolean sl_plan_check_limit (guint64 bytes, guint64 memory_limit, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlPlan, sl_plan_free)

/* TRUE if the value lies in the arena, FALSE if it has its own content (constants, parameters,
 * state). Of a value with a base, that says nothing: ask its root (sl_value_get_root()). */
bool sl_value_in_arena (const SlValue *value);

/* --- parts of the planner, each in its own file --- */

/* Sets base, base_offset and pixel_stride of values that are a part of another, or the same under
 * another name. */
void sl_plan_views (SlGraph *graph);

/* Puts what parameters and state will hold into their own memory: computed there, where all that
 * reads the old content comes before, else copied by nodes that this adds at the end. */
void sl_plan_updates (SlGraph *graph);

/* Lets results overwrite inputs that nobody reads any more. */
void sl_plan_in_place (SlGraph *graph);

/* TRUE if `node` may write `next`, one of its outputs, into the memory of `root` while it reads
 * that itself. */
bool sl_node_may_overwrite (const SlNode *node, const SlValue *next, const SlValue *root);

/* Gives every place its offset, smallest arena first: places by falling size, each at the lowest
 * offset where nothing that lives at the same time is. Returns the size of the arena. */
size_t sl_plan_arena (const SlGraph *graph, size_t *offset);

/* When a place is in use: from the node (by position in the order) that writes it first to the one
 * that reads it last. Inputs live from before the first node, and inputs and outputs to the end: a
 * run may be repeated, and its outputs are read after it. */
typedef struct SlLifetime {
  uint32_t first, last;
  bool used; /* false: this value owns no place */
} SlLifetime;
SlLifetime *sl_plan_lifetimes (const SlGraph *graph);

/* The rules that places have to keep, for tests and after changes: no two in the arena that live at
 * the same time overlap, and nobody reads a parameter or state when it has been overwritten. NULL,
 * or a sentence about the first breach. */
char *sl_plan_check (const SlPlan *plan);
char *sl_plan_check_updates (const SlGraph *graph);
