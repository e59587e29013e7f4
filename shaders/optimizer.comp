#version 450
#extension GL_GOOGLE_include_directive : require
/* A step of an optimiser, one invocation an element; the formulas stand in engine/ops/optimizer.c. The next contents
 * may lie where the old ones do: all of an element is read before any is written. */
#include "index.glsl"
#include "ops.h"
#include "types.glsl"
#include "vmath.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint rule = OPTIMIZER_SGD;
layout (constant_id = 1) const bool has_0 = false; /* moments */
layout (constant_id = 2) const bool has_1 = false;
layout (constant_id = 3) const bool has_2 = false;
layout (constant_id = 4) const bool has_factor = false;
layout (constant_id = 5) const bool has_step = false;
layout (constant_id = 6) const bool nesterov = false;
layout (constant_id = 7) const bool decoupled = false;
layout (constant_id = 8) const bool plain_epsilon = false;

layout (push_constant) uniform Push
{
  uint elements;
  float rate_factor, decay, clip_at; /* clip_at: infinity where nothing is cut */
  float momentum, dampening;
  float beta1, beta2, rest1, rest2, log1, log2; /* rest: 1 - beta; log: of beta */
  float epsilon, rate_decay;
  uint at_p, at_m0, at_m1, at_m2, at_g, at_rate, at_factor, at_step;
  uint at_next_p, at_next_m0, at_next_m1, at_next_m2;
};

READ (0, REAL, parameter);
READ (1, REAL, moment0);
READ (2, REAL, moment1);
READ (3, REAL, moment2);
READ (4, REAL, gradient);
READ (5, REAL, rates);
READ (6, REAL, factors);
READ (7, uvec2, steps); /* int64 */
WRITE (8, REAL, next);
WRITE (9, REAL, next0);
WRITE (10, REAL, next1);
WRITE (11, REAL, next2);

/* 1 - beta ^ number without the loss of a difference from 1; 1 before the first step. */
float
whole (float log_beta, float number)
{
  return number > 0.0 ? -expm1_of (number * log_beta) : 1.0;
}

void
main ()
{
  uint i = invocation_index ();
  if (i >= elements)
    return;
  float p = float (parameter[at_p + i]), g = float (gradient[at_g + i]);
  float m0 = has_0 ? float (moment0[at_m0 + i]) : 0.0;
  float m1 = has_1 ? float (moment1[at_m1 + i]) : 0.0;
  float m2 = has_2 ? float (moment2[at_m2 + i]) : 0.0;
  float factor = has_factor ? float (factors[at_factor]) : 1.0;
  float rate = rate_factor * float (rates[at_rate]), number = 0.0;
  if (has_step) {
    uvec2 n = steps[at_step];
    number = int (n.y) < 0 ? 0.0 : float (n.y) * 4294967296.0 + float (n.x);
  }
  if (!is_nan (factor)) {
    g = clip (g * factor, -clip_at, clip_at);
    if (decoupled)
      p *= 1.0 - rate * decay;
    else
      g += decay * p;
    float move = g;
    if (rule == OPTIMIZER_SGD) {
      if (has_0) {
        m0 = momentum * m0 + (number > 0.0 ? 1.0 - dampening : 1.0) * g;
        move = nesterov ? g + momentum * m0 : m0;
      }
    } else if (rule == OPTIMIZER_RMSPROP) {
      m0 = beta2 * m0 + rest2 * g * g;
      float square = m0;
      if (has_2) {
        m2 = beta2 * m2 + rest2 * g;
        square -= m2 * m2;
        square = square < 0.0 ? 0.0 : square; /* of NaN: NaN */
      }
      move = g / (sqrt (square) + epsilon);
      if (has_1)
        move = m1 = momentum * m1 + move;
    } else if (rule == OPTIMIZER_ADAM) {
      float whole1 = whole (log1, number), whole2 = sqrt (whole (log2, number));
      m0 = beta1 * m0 + rest1 * g;
      m1 = beta2 * m1 + rest2 * g * g;
      rate = rate / whole1 * (plain_epsilon ? whole2 : 1.0);
      move = m0 / (sqrt (m1) / (plain_epsilon ? 1.0 : whole2) + epsilon);
    } else { /* OPTIMIZER_ADAGRAD */
      m0 += g * g;
      rate /= 1.0 + number * rate_decay;
      move = g / (sqrt (m0) + epsilon);
    }
    p -= rate * move;
  }
  next[at_next_p + i] = REAL (p);
  if (has_0)
    next0[at_next_m0 + i] = REAL (m0);
  if (has_1)
    next1[at_next_m1 + i] = REAL (m1);
  if (has_2)
    next2[at_next_m2 + i] = REAL (m2);
}
