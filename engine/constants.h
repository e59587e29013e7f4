/* A model's constants: those of its file and those made of them (folded, packed), each in memory
 * while somebody needs it and no longer.
 *
 * A constant is named by a tensor, which lives as long as the model. Small ones are whole tensors.
 * Large ones of floating point are stubs (graph/stub.h) that stand for what the file holds at a
 * place, or for what a node makes of other constants: nothing is computed before somebody asks for
 * the content, and what only leads to another constant is freed as soon as that is made.
 *
 * Every function from any thread. What is being made is waited for, never made twice at a time; all
 * else goes on meanwhile. */
#pragma once

#include "core/file.h"
#include "graph/op.h"

typedef struct SlConstants SlConstants;

/* How nodes are evaluated. */
typedef struct SlEvaluator {
  gboolean (*evaluate) (const SlNode *node, SlTensor *const *inputs, SlTensor **ret_outputs,
                        GError **error);
  /* Of one input that is read piece by piece. Returns FALSE without error, having done nothing, for
   * a node that wants its input whole. */
  gboolean (*stream) (const SlNode *node,
                      gboolean (*read) (void *data, size_t offset, void *ret, size_t length,
                                        GError **error),
                      void *data, SlTensor **ret_outputs, GError **error);
} SlEvaluator;

/* Of `graph`, whose stubs stand in `file` (NULL where it has none); both outlive the result. */
SlConstants *sl_constants_new (const SlGraph *graph, SlFile *file);
void sl_constants_free (SlConstants *constants);

/* The constants that `node` makes of its inputs' (kind SL_VALUE_CONSTANT): looks up what the same
 * node made before, by identity of inputs and content of attributes. Results that are made of other
 * tensors than this model's are whole, and nobody finds them again. `ret_held`: gets contents that
 * the caller keeps (sl_tensor_unref()) until it has asked for all it wants, so that nothing has to
 * be made twice. */
gboolean sl_constants_evaluate (SlConstants *constants, const SlNode *node,
                                const SlEvaluator *evaluator, GPtrArray *ret_held,
                                SlTensor **ret_outputs, GError **error);

/* Puts contents in the place of the stubs that nodes or the caller of a graph read. What was made
 * (not what the file holds) stays in memory as long as the model, for other programs.
 * SL_ERROR_IO if the file has been changed since. `evaluator` NULL: of a graph as it was read, all
 * of its stubs. */
gboolean sl_constants_load (SlConstants *constants, SlGraph *graph, const SlEvaluator *evaluator,
                            GError **error);

/* Frees contents that nobody reads any more. */
void sl_constants_trim (SlConstants *constants);
