/* Rewrites of a graph on its way to a program, one a file, run in the order of one table. */
#pragma once

#include "graph/op.h"

/* Computes a node whose inputs are all constant. Writes one new tensor for each output that
 * somebody asked for (NULL elsewhere). Where the values' layouts say so, contents are in physical
 * order. */
typedef gboolean (*SlEvaluateFunc) (void *data, const SlNode *node, SlTensor **ret_outputs,
                                    GError **error);

/* What one pass left of the nodes. */
typedef struct SlPassEffect {
  const char *name; /* "fold constants" */
  uint32_t before, after;
} SlPassEffect;

#define SL_PASSES_MAX 24

typedef struct SlPasses {
  SlGraph *graph;
  const SlTarget *target;  /* NULL: a backend without layouts and packing (the reference) */
  bool optimize;           /* FALSE: only what makes the graph runnable */
  bool float_ports;        /* inputs and outputs of 16-bit floats become float32 */
  SlEvaluateFunc evaluate; /* supplied by the session */
  void *evaluate_data;
  uint64_t memory_limit; /* bytes of one value that a run computes; 0: none */

  /* A few bytes of a file name a huge constant, or a huge computation of a small one. 0 in a limit:
   * sl_passes_run() sets the default, which grows with the graph's own constants. */
  uint64_t folded_bytes, folded_limit; /* that folding took so far, in double precision */
  double folded_work, work_limit;      /* operations that folding took so far */

  SlPassEffect effects[SL_PASSES_MAX]; /* set by sl_passes_run() */
  uint32_t n_effects;
} SlPasses;

/* Takes a graph whose inputs have known shapes to one that the planner takes. SL_ERROR_LIMIT before
 * anything is allocated where a value, or what folding makes, would be too large. */
gboolean sl_passes_run (SlPasses *passes, GError **error);

/* SL_ERROR_LIMIT if the value, whose shape is known, is larger than the limit. */
gboolean sl_passes_check_size (const SlPasses *passes, const SlValue *value, GError **error);

/* Output `index` of the node is one of the graph's and is to be made of another value: the node
 * writes that, which is returned, all that read the output read it, and the output has no producer
 * any more. */
SlValue *sl_pass_detach_output (SlGraph *graph, SlNode *node, uint32_t index);

/* --- The passes, in the order of the table --- */

/* Infers shapes in the order of computation and replaces what depends on constants alone by
 * constants. */
gboolean sl_pass_fold_constants (SlPasses *passes, GError **error);
/* Computes in float32 what the file computes in 16-bit floats, which no kernel reads. */
gboolean sl_pass_widen (SlPasses *passes, GError **error);
/* Removes nodes that do nothing at inference, and puts simpler nodes in the place of others
 * (SlOpClass.simplify). */
gboolean sl_pass_simplify (SlPasses *passes, GError **error);
/* Puts one operator in the place of expressions that exporters write out (Silu, Gelu,
 * LayerNormalization …). */
gboolean sl_pass_recognize (SlPasses *passes, GError **error);
/* Folds affine maps of channels (batch normalisation, scale, bias) into the weights before them. */
gboolean sl_pass_fold_affine (SlPasses *passes, GError **error);
/* Gives borders of zeros to the windows that read them. */
gboolean sl_pass_fold_padding (SlPasses *passes, GError **error);
/* Puts one node in the place of channel shuffles. */
gboolean sl_pass_fuse_shuffle (SlPasses *passes, GError **error);
/* Gives residual additions to the convolution that computes one of the summands. */
gboolean sl_pass_fuse_residual (SlPasses *passes, GError **error);
/* Gives activations to the kernel that computes their input. */
gboolean sl_pass_fuse_activation (SlPasses *passes, GError **error);
/* Chooses each value's physical layout and inserts relayout nodes where two meet. */
gboolean sl_pass_layout (SlPasses *passes, GError **error);
/* Inserts packing nodes (SlOpClass.prepare). */
gboolean sl_pass_prepare (SlPasses *passes, GError **error);
/* Stores activations as float16 where the target asks for it. The last one: what lies how in memory
 * is final, and nothing but constants of float16 has become float16 to other passes. */
gboolean sl_pass_halve (SlPasses *passes, GError **error);
/* Removes nodes that no output needs, and lets go of constants that nothing reads any more. */
gboolean sl_pass_drop_dead (SlPasses *passes, GError **error);
