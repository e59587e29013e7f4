/* Graphs in double precision, at points that tests choose: values, and derivatives by differences.
 */
#pragma once

#include "graph/op.h"

typedef struct Numeric {
  const SlGraph *graph;
  GPtrArray *tensors; /* SlRefTensor *, by value id; NULL where no node needs the value */
  bool rounds;        /* each result to its own type, as backends do it */
} Numeric;

/* Of a graph whose nodes stand in order and whose shapes are known. Constants are loaded. */
Numeric *numeric_new (const SlGraph *graph);
void numeric_free (Numeric *numeric);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Numeric, numeric_free)

SlRefTensor *numeric_get (const Numeric *numeric, const SlValue *value);

/* Computes nodes first … last - 1 from what their inputs hold. */
void numeric_run (Numeric *numeric, uint32_t first, uint32_t last);

/* Where functions are looked at: numbers of both signs, positive ones, some between 0 and 1, some
 * above 1; all away from whole numbers and halves, where operators bend. */
enum { DRAW_SIGNED, DRAW_POSITIVE, DRAW_UNIT, DRAW_ABOVE, DRAW_KINDS };
void numeric_draw (SlRefTensor *tensor, GRand *rand, int kind);

/* How `loss`, one number that the first `n_nodes` nodes compute, changes when `input` moves by a
 * small step along `direction` (one number an element): central differences of order 4, exact
 * within ret_noise, which follows from the relative rounding `grain` of the loss, but for their own
 * error. FALSE where it is not smooth or not finite there, so
 * that the difference says nothing. */
bool numeric_slope (Numeric *numeric, uint32_t n_nodes, const SlValue *loss, const SlValue *input,
                    const double *direction, double step, double grain, double *ret_slope,
                    double *ret_noise);
