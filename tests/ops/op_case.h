/* One row of a table of cases: a node of a file with its inputs, written as text. */
#pragma once

#include "graph/op.h"

/* The inputs, separated by ";". Each is
 *
 *   [!] [type] DIMENSIONS [= VALUES]
 *
 * with "!" for a constant (else it is an input of the graph), type f16 f32 (the default) f64 i8 i16
 * i32 i64 u8 u16 u32 u64 bool, dimensions as "2x3x4" or "s" for a scalar, and values separated by
 * ",". Without values they are random numbers that depend on the case's name. "-" is an input left
 * out.
 *
 * Attributes are "axis=1 pads=[0, 1] scales=[1., 2.] alpha=0.5 mode=edge value={f32 1 = 2}" (a
 * point in a list: floats; braces: a tensor). */
typedef struct OpCase {
  const char *name; /* of the test, after the family's */
  const char *op;   /* ONNX's name, or an internal one */
  const char *inputs;
  const char *attrs;
  int opset;          /* of the file; 0: 17 */
  uint32_t n_outputs; /* asked for; 0: 1 */
  SlAct act;          /* as the fusion pass would set it, on the node that makes output 0 */

  const char *shape;    /* of output 0, as in inputs, type included; NULL: not checked */
  const char *expected; /* elements of output 0, within 1e-6 of the largest; NULL: not checked */
  const char *second;   /* the same of output 1 */
  const char *error;    /* part of the message with which the file is refused */

  double tolerance;  /* of kernels against the reference: max |difference| / max |reference| */
  const char *steps; /* kernels that the lowering names; NULL: not checked */
  unsigned flags;
} OpCase;

/* OpCase.flags */
enum {
  OP_INTEGERS = 1 << 0, /* random numbers are -4 … 4, so that sums are exact */
  OP_POSITIVE = 1 << 1, /* random numbers are 0.1 … 4 */
  OP_WIDE = 1 << 2,     /* random numbers are -20 … 20 */
  OP_FOLLOWS = 1 << 3,  /* takes channels-last inputs as they are: nothing is relaid */
  OP_F23 = 1 << 4,      /* Winograd's F(2,3), or F(4,3), is said to be the fastest everywhere */
  OP_F43 = 1 << 5,
  OP_BYTES = 1 << 6,   /* random numbers of 8 bits are all that the type has */
  OP_RESIDUAL = 1 << 7 /* the last input is added to output 0, as the fusion pass would set it */
};

/* The case's graph, imported and sorted; the dense contents of its inputs, in the order of
 * graph->inputs. FALSE with the import's error. */
gboolean op_case_build (const OpCase *row, SlGraph **ret_graph, GPtrArray **ret_contents,
                        GError **error);

/* A case named "…/large" again with one channel, where rows and columns of a slice are easily taken
 * for each other; free with op_case_free(). NULL for others, and for those without channels. */
OpCase *op_case_new_one_channel (const OpCase *row);
void op_case_free (void *row);

/* The case as a file (ModelProto), for programs that start from files. NULL where the operator,
 * the activation or the residual is one that no file has. */
GByteArray *op_case_emit (const OpCase *row);

/* "f32 2x3" as type and shape. */
void op_case_parse_shape (const char *text, SlDType *ret_dtype, SlShape *ret_shape);

/* "1, 2, nan" as numbers. */
GArray *op_case_parse_values (const char *text);
