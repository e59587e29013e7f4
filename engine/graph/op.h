/* The op class: everything Sightline knows about one operator, as const data.
 *
 * A family file in ops/ ends with its classes and one NULL-ended array of them; the list in
 * ops/meson.build names the families. There is no enum of ops and no switch over them: passes and
 * backends recognise an op by its traits and its members. A member that is NULL means what its
 * comment says. */
#pragma once

#include "graph/attrs.h"
#include "graph/gradient.h"
#include "graph/graph.h"
#include "graph/import.h"
#include "graph/step.h"

#define SL_VARIADIC 0xffff

/* What passes and the planner may do with a node without knowing what it is. */
typedef enum {
  SL_TRAIT_NONE = 0,
  SL_TRAIT_IDENTITY = 1 << 0, /* inference: output 0 is input 0 (Identity, Dropout) */
  SL_TRAIT_SHAPE_ONLY =
      1 << 1, /* reads shapes, not contents (Shape, Size): folds without constant inputs */
  SL_TRAIT_RESHAPE =
      1 << 2, /* output 0 is input 0 in row-major order under another shape: no copy */
  SL_TRAIT_EPILOGUE = 1 << 3, /* its kernel applies SlNode.act */
  SL_TRAIT_IN_PLACE =
      1 << 4, /* output 0 may take the memory of input 0 (or 1) if shape and type agree */
  SL_TRAIT_SLICE_OUT =
      1 << 5, /* channels-last output 0 may have a pixel stride wider than its channels */
  SL_TRAIT_SLICE_IN = 1 << 6, /* the same for its channels-last inputs */
  SL_TRAIT_CONCAT = 1 << 7,   /* joins its inputs along the axis attribute; may become a view */
  SL_TRAIT_PACKING = 1 << 8,  /* rearranges weights for one target; has no reference */
  SL_TRAIT_RESIDUAL =
      1 << 9, /* takes a tensor of output 0's shape as input 3, added before the activation */
  SL_TRAIT_RELAYOUT =
      1 << 10,               /* changes the layout and nothing else: its output layout is its own */
  SL_TRAIT_SUM = 1 << 12,    /* output 0 is the plain sum of its inputs */
  SL_TRAIT_RANDOM = 1 << 11, /* not a function of its inputs alone: never folded */
  SL_TRAIT_REORDER = 1 << 13,  /* output 0 is input 0 with its dimensions in another order */
  SL_TRAIT_LINK = 1 << 14,     /* turns logits into scores (Softmax, Sigmoid) */
  SL_TRAIT_COMMUTES = 1 << 15, /* inputs 0 and 1 may change places */
  SL_TRAIT_UPDATES = 1 << 16   /* output i may take the memory of input i: each element is read
                                  before it is written, and no other tile reads it */
} SlTraits;

/* Which layouts a node's kernels read and write. */
typedef enum {
  SL_LAYOUTS_ROW_MAJOR, /* row-major in and out */
  SL_LAYOUTS_SPATIAL,   /* rank 3 or 4: input 0, a residual, `picture_inputs` and output 0
                           channels-last, the rest row-major */
  SL_LAYOUTS_FOLLOW /* any: output 0 takes the layout of the inputs, which must all agree where they
                       have the output's shape; smaller ones (broadcast) are read as they are */
} SlLayouts;

/* One operand or result of a reference computation: floats of any width as double, integers and
 * bool as int64, dense and row-major. */
typedef struct SlRefTensor {
  SlDType dtype;
  SlShape shape;
  size_t n; /* elements */
  union {
    double *f;  /* sl_dtype_is_float (dtype) */
    int64_t *i; /* else; uint64 by bit pattern */
    void *data;
  };
} SlRefTensor;

typedef struct SlRefCall {
  const SlNode *node;
  const void *attrs;
  uint32_t n_inputs, n_outputs;
  const SlRefTensor *const *inputs; /* NULL where left out */
  SlRefTensor *const *outputs; /* shapes are set, contents to be written; NULL where nobody asked */
} SlRefCall;

/* A matrix product with a vector: y[m] = factor * sum over k of weights[m * row_stride + k *
 * col_stride] * x[k] + bias_factor * bias[m]. */
typedef struct SlLinear {
  uint32_t input;         /* x, of `cols` elements */
  const SlValue *weights; /* strides are in elements */
  size_t rows, cols, row_stride, col_stride;
  const SlValue *bias; /* `rows` elements or one for all; NULL: none */
  double factor, bias_factor;
} SlLinear;

/* Work of one node, for bench, inspect and the choice whether threads are worth waking. */
typedef struct SlCost {
  double flops; /* a multiply-add counts 2 */
  double bytes; /* read and written at least once */
} SlCost;

/* How one operator of a file becomes this class. Resolved on import: nothing below knows opsets. */
typedef struct SlOnnxForm {
  const char *op_type; /* NULL: the class's name */
  const char *domain;  /* NULL: "" (ai.onnx) */
  int since; /* holds from this opset on, until a form of the same op_type with a larger one */
  /* Adds nodes that compute im->outputs. NULL: sl_import_default(). */
  gboolean (*import) (const SlImport *im, const SlOpClass *op, GError **error);
} SlOnnxForm;

struct SlOpClass {
  const char *name;   /* ONNX's, or Sightline's own for internal ops */
  const char *domain; /* NULL: ai.onnx; SL_DOMAIN for internal ops, which no file can name but
                         by their forms */
  uint16_t min_inputs, max_inputs, min_outputs, max_outputs; /* SL_VARIADIC: no upper bound */
  const SlAttrSpec *attrs; /* ended by a row without a name; NULL: none */
  size_t attrs_size;
  SlTraits traits;
  SlLayouts layouts;
  uint32_t picture_inputs; /* bit i: input i is a picture like input 0 (SL_LAYOUTS_SPATIAL) */
  bool row_major_output;   /* output 0 is none (SL_LAYOUTS_SPATIAL) */

  /* Sets dtype and shape of all outputs from the inputs and attributes; refuses what does not fit.
   * Input types and known shapes are there; contents only of constants. Also completes attributes
   * whose value follows from shapes (auto_pad, negative axes), so that lowering and reference read
   * explicit numbers. Idempotent. */
  gboolean (*infer) (SlNode *node, GError **error);

  /* The double-precision definition. Shapes have been checked. NULL only with SL_TRAIT_PACKING. */
  void (*reference) (const SlRefCall *call);

  /* Appends CPU steps. NULL, or a form or type it has no kernel for: sl_lower_reference(). Never
   * fails. */
  void (*lower) (const SlNode *node, SlLowering *to);

  /* Adds simpler nodes that compute output 0 and returns it; the simplify pass puts it in place.
   * NULL: as is (also as result: nothing simpler in this case). Shapes are known. */
  SlValue *(*simplify) (SlGraph *graph, SlNode *node);

  /* TRUE if output 0 is input *ret_input times scale[c] plus shift[c], channels on that axis, where
   * scale and shift are inputs with one element a channel in whatever shape, or NULL for 1 and 0.
   */
  gboolean (*as_affine) (const SlNode *node, uint32_t axis, uint32_t *ret_input,
                         SlValue **ret_scale, SlValue **ret_shift);

  /* Bit i: each element of output 0 is an affine function of one element of input i, the others
   * held (x + b, x * s; x / s in input 0 only). */
  uint32_t affine_inputs;

  /* TRUE if this node multiplies the one input that is not constant with a matrix, where that input
   * and output 0 are vectors: all dimensions but one are 1. Shapes are known. NULL: never. */
  gboolean (*as_linear) (const SlNode *node, SlLinear *ret);

  /* TRUE if output 0 is the plain mean of input 0 over whole axes (bit i of *ret_axes: axis i).
   * Shapes are known. NULL: never. */
  gboolean (*as_mean) (const SlNode *node, uint32_t *ret_axes);

  /* Takes such a map of its own output into weights and bias. NULL, or FALSE: cannot. */
  gboolean (*absorb_affine) (SlGraph *graph, SlNode *node, SlValue *scale, SlValue *shift);
  bool channels_last_axis; /* the channels that it means are on the last axis, not on axis 1 */

  /* TRUE if output `index` is, at the same place on every other axis, the elements of input 0 from
   * *ret_start on along *ret_axis. Shapes are known. */
  gboolean (*as_slice) (const SlNode *node, uint32_t index, uint32_t *ret_axis, int64_t *ret_start);

  /* TRUE if output 0 is input 0 with zeros around its spatial dimensions: ret_pads as ONNX's pads
   * of those (all beginnings, then all ends), none negative. */
  gboolean (*as_zero_border) (const SlNode *node, SlInts *ret_pads);
  /* Takes such a border of its own input 0 over. NULL, or FALSE: cannot. */
  gboolean (*absorb_pads) (SlNode *node, const SlInts *pads);

  /* With SL_TRAIT_REORDER: dimension i of output 0 is dimension ret_perm[i] of input 0. */
  void (*get_order) (const SlNode *node, uint32_t ret_perm[SL_MAX_RANK]);

  /* Gives the node the weight packing its kernels want, by putting packing nodes in front of its
   * inputs; shapes are known, nothing is inferred afterwards. NULL: nothing to pack. */
  void (*prepare) (SlGraph *graph, SlNode *node, const SlTarget *target);

  /* TRUE and the equivalent epilogue if this node is an activation that a producer's kernel can
   * apply. */
  gboolean (*epilogue) (const SlNode *node, SlAct *ret_act);

  /* TRUE if kernels exist only for row-major memory in this very case (rank, type): overrides
   * `layouts`. */
  gboolean (*row_major_only) (const SlNode *node);

  /* Adds nodes that compute the gradients of those inputs that want one, from the gradients of the
   * outputs (graph/gradient.h). Shapes are known. FALSE without error: not for these attributes or
   * types. NULL: the op has no gradient. */
  gboolean (*gradient) (SlGradients *to, SlNode *node, GError **error);
  /* Bit i: a float constant at input i is a parameter, which training changes (weights, bias).
   * Where bits 0 and 1 are both set the constant may stand on either side; of an elementwise op
   * (that has affine_inputs) it has more than one element and meets what a layer made, not the
   * network's own input. */
  uint32_t parameter_inputs;
  /* Bit i: a float constant at input i is state that training carries along (running mean and
   * variance). */
  uint32_t state_inputs;

  /* NULL: one operation an output element. */
  void (*cost) (const SlNode *node, SlCost *ret_cost);

  /* ONNX forms; NULL: the class's own name in every opset that Sightline reads. */
  const SlOnnxForm *forms; /* ended by since = 0 */
};

#define SL_DOMAIN "sightline"

/* Every class of every family, NULL-ended; made by ops/ from its list. */
extern const SlOpClass *const *const sl_op_families[];

/* A class by its own name; internal ones included. NULL if there is none. */
const SlOpClass *sl_op_find (const char *name);

/* The class and form that read `op_type` of `domain` at `opset`; NULL if none does. */
const SlOpClass *sl_op_find_onnx (const char *domain, const char *op_type, int opset,
                                  const SlOnnxForm **ret_form);

/* Bytes of the value's own elements, stored densely. */
size_t sl_value_get_bytes (const SlValue *value);
/* What the value's elements are in memory: its type, or float16 where that is float32 but halved.
 */
SlDType sl_value_get_storage (const SlValue *value);
size_t sl_value_get_element_size (const SlValue *value);
/* Estimated work of a node: its class's own figure, else one operation an element. */
SlCost sl_node_get_cost (const SlNode *node);
/* What limits count: the operations, or the elements that it reads and writes where those are more.
 */
double sl_node_get_work (const SlNode *node);

/* Describes `value` with its numbers in `data`, 8 bytes an element. */
void sl_ref_init (SlRefTensor *tensor, const SlValue *value, void *data);
/* From and to the type's own storage; integers wrap and floats round on the way out. */
void sl_ref_load (SlRefTensor *tensor, const void *data);
void sl_ref_store (const SlRefTensor *tensor, void *data);
/* Makes of each element what the type's own storage would make of it. */
void sl_ref_round (SlRefTensor *tensor);
/* The class's reference, then the node's activation. */
void sl_ref_call (const SlNode *node, const SlRefTensor *const *inputs,
                  SlRefTensor *const *outputs);
double sl_act_apply (const SlAct *act, double x);

/* Runs the reference of `node` on typed row-major buffers (one per input and output, NULL where
 * left out), converting to and from double and int64; integers wrap and floats round to their type
 * on the way out. `scratch` holds sl_reference_scratch (node) bytes. */
void sl_reference_run (const SlNode *node, void *const *inputs, void *const *outputs,
                       void *scratch);
size_t sl_reference_scratch (const SlNode *node);

/* Shorthands for infer functions. */
/* Output `index` gets this type and shape, if somebody asked for it. */
void sl_infer_output (SlNode *node, uint32_t index, SlDType dtype, const SlShape *shape);
/* NumPy broadcasting of two shapes; FALSE if they do not fit. */
gboolean sl_shape_broadcast (const SlShape *a, const SlShape *b, SlShape *ret_shape);
/* Refuses inputs that are not all of one float type. */
gboolean sl_infer_float_inputs (const SlNode *node, GError **error);
/* Makes a negative axis count from the front; error if outside -rank … rank - 1. */
gboolean sl_infer_axis (const SlNode *node, int64_t *axis, uint32_t rank, GError **error);
/* The content of constant integer input `index`; error if it is not constant or has more than
 * SL_INTS_MAX elements. */
gboolean sl_infer_constant_ints (const SlNode *node, uint32_t index, SlInts *ret_ints,
                                 GError **error);
