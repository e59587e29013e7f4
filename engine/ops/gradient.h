/* What the gradient builders of the families share. `of` is the node whose gradients are built: new
 * nodes are named after it. Values that come back have type and shape. */
#pragma once

#include "graph/op.h"

/* --- Formulas --- */

/* The names of a formula: 'x', 'y' and 'd' are input 0, output 0 and its gradient; the caller may
 * bind others. */
typedef struct SlFormula {
  SlGradients *to;
  const SlNode *of;
  SlDType dtype;      /* of the numbers */
  SlValue *bound[26]; /* by letter; NULL: the name stands for nothing */
} SlFormula;

/* With x, y and d bound, and numbers of x's type. */
SlFormula sl_formula (SlGradients *to, const SlNode *of);
void sl_formula_bind (SlFormula *formula, char name, SlValue *value);
/* The same for a number. */
void sl_formula_bind_number (SlFormula *formula, char name, double number);

/* Adds the nodes that compute `text` and returns the value of its last part:
 *
 *   text    = {name '=' choice ';'} choice
 *   choice  = order ['?' choice ':' choice]          Where
 *   order   = sum [('<' | '>') sum]                  Less, Greater
 *   sum     = product {('+' | '-') product}          Add, Sub
 *   product = factor {('*' | '/') factor}            Mul, Div
 *   factor  = NUMBER | name | Operator '(' choice {',' choice} ')' | '(' choice ')' | '-' factor
 *
 * Operators are class names, with default attributes. "m = …;" binds a name, also for later texts.
 * A text that does not follow the grammar is the caller's bug. */
SlValue *sl_formula_add (SlFormula *formula, const char *text);

/* For SlOpClass.gradient: gives input 0 what `text` computes. */
gboolean sl_gradient_of_formula (SlGradients *to, SlNode *node, const char *text);

/* --- Nodes --- */

/* A node of the class named `op`; attributes by name, the rest at their defaults. */
SlValue *sl_gradient_node (SlGradients *to, const SlNode *of, const char *op,
                           const SlRawAttr *attrs, uint32_t n_attrs, uint32_t n_inputs,
                           SlValue *const *inputs);

/* A constant full of one number; shape NULL: a scalar. */
SlValue *sl_gradient_constant (SlGradients *to, SlDType dtype, const SlShape *shape, double number);
/* A constant of these numbers, in row-major order. */
SlValue *sl_gradient_numbers (SlGradients *to, SlDType dtype, const SlShape *shape,
                              const double *numbers);
/* A constant vector of int64. */
SlValue *sl_gradient_ints (SlGradients *to, const SlNode *of, const int64_t *ints, size_t n);

/* `value` under another shape, broadcast to one, or summed down to one that broadcasts to its own;
 * itself if it is of that shape already. */
SlValue *sl_gradient_reshape (SlGradients *to, const SlNode *of, SlValue *value,
                              const SlShape *shape);
SlValue *sl_gradient_expand (SlGradients *to, const SlNode *of, SlValue *value,
                             const SlShape *shape);
SlValue *sl_gradient_sum_to (SlGradients *to, const SlNode *of, SlValue *value,
                             const SlShape *shape);
/* Dimension i of the result is dimension perm[i] of `value`. */
SlValue *sl_gradient_transpose (SlGradients *to, const SlNode *of, SlValue *value,
                                const int64_t *perm);
/* The elements from `start` up to before `end` on one axis. */
SlValue *sl_gradient_slice (SlGradients *to, const SlNode *of, SlValue *value, int64_t axis,
                            int64_t start, int64_t end);
/* With `begin` and `end` zeros (one number each a dimension) on its sides; negative ones cut off.
 */
SlValue *sl_gradient_pad (SlGradients *to, const SlNode *of, SlValue *value, const int64_t *begin,
                          const int64_t *end);
SlValue *sl_gradient_cast (SlGradients *to, const SlNode *of, SlValue *value, SlDType dtype);

/* Zeros of that shape, made in the run: for what is written into. */
SlValue *sl_gradient_zeros (SlGradients *to, const SlNode *of, SlDType dtype, const SlShape *shape);
/* `updates` added up at their indices in zeros of that shape: ScatterElements, ScatterND. */
SlValue *sl_gradient_scatter_elements (SlGradients *to, const SlNode *of, const SlShape *shape,
                                       int64_t axis, SlValue *indices, SlValue *updates);
SlValue *sl_gradient_scatter_nd (SlGradients *to, const SlNode *of, const SlShape *shape,
                                 SlValue *indices, SlValue *updates);

/* `value` with the dimension `axis` mapped to one of `size` by a matrix of `size` rows, one column
 * for each element that is there. */
SlValue *sl_gradient_map_axis (SlGradients *to, const SlNode *of, SlValue *value, int64_t axis,
                               int64_t size, const double *matrix);

/* --- Whole gradients --- */

/* Formulas of all that take off the mean and divide by the deviation: h is x normalised over the
 * axes 'r' with 'e' added to the variance; the second one, behind the first, is the gradient of x
 * where that of h is 'g'. */
#define SL_NORMALIZE                                                     \
  "c = x - ReduceMean (x, r); i = 1 / Sqrt (ReduceMean (c * c, r) + e);" \
  "h = c * i"
#define SL_NORMALIZE_GRADIENT "(g - ReduceMean (g, r) - h * ReduceMean (g * h, r)) * i"

/* Output 0 is input 0's elements in their order, under another shape or none. */
gboolean sl_gradient_same (SlGradients *to, SlNode *node, GError **error);
/* Constant wherever it has a derivative. */
gboolean sl_gradient_zero (SlGradients *to, SlNode *node, GError **error);
