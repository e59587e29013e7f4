#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* y = act ((x - mean) / sqrt (variance + epsilon) * gamma + beta), or the gradient of that, dx = gamma * inverse * (dy -
 * mean of dy - h * mean of dy * h), h = (x - mean) * inverse. An invocation has some rows of a channel, or of four. */
#include "index.glsl"
#include "act.glsl"
#include "types.glsl"

layout (local_size_x = GROUP) in;
layout (constant_id = 0) const uint act = ACT_NONE;
layout (constant_id = 1) const bool is_gradient = false;
layout (constant_id = 2) const bool by_fours = false; /* everything begins and ends at multiples of 4 */

layout (push_constant) uniform Push
{
  uint rows, block, channels;         /* block: rows of an invocation */
  uint x_stride, dy_stride, out_stride; /* elements from one row to the next */
  uint plane;                         /* and from the mean to the variance, from one sum to the other */
  float epsilon, share;               /* share: 1 / rows of all records */
  uint at_x, at_dy, at_gamma, at_beta, at_mean, at_inverse, at_work, at_out;
  float act_a, act_b;
};

READ_FOURS (0, x);
READ_FOURS (1, dy);
READ (2, float, gamma);
READ (3, float, beta);
READ (4, float, mean);
READ (5, float, inverse);
READ (6, float, work); /* [mean, variance] or [sum of dy, of dy * h][channel] */
WRITE_FOURS (7, result);

const uint width = by_fours ? 4 : 1;
#define LOAD(name, i) (by_fours ? FOUR_OF (name, i) : vec4 (ONE_OF (name, i)))

/* result = (x - middle) * scale + shift, or (dy - shift - (x - middle) * slope) * scale */
vec4 middle, scale, shift, slope;

void
look_up (uint c)
{
  middle = scale = shift = slope = vec4 (0);
  [[unroll]] for (uint j = 0; j < width; j++) {
    float first = work[at_work + c + j], second = work[at_work + plane + c + j], weight = gamma[at_gamma + c + j];
    if (is_gradient) {
      float i = inverse[at_inverse + c + j];
      middle[j] = mean[at_mean + c + j];
      scale[j] = i * weight;
      slope[j] = i * second * share;
      shift[j] = first * share;
    } else {
      middle[j] = first;
      scale[j] = weight / sqrt (second + epsilon);
      shift[j] = beta[at_beta + c + j];
    }
  }
}

void
main ()
{
  uint n = channels / width, i = invocation_index (), c = i % n * width, begin = i / n * block;
  if (begin >= rows)
    return;
  look_up (c);
  uint end = min (begin + block, rows), x_step = x_stride, dy_step = dy_stride, out_step = out_stride;
  uint x_from = at_x + c, dy_from = at_dy + c, to = at_out + c;
  for (uint r = begin; r < end; r++) {
    vec4 y = LOAD (x, x_from + r * x_step) - middle;
    if (is_gradient)
      y = (LOAD (dy, dy_from + r * dy_step) - shift - y * slope) * scale;
    else
      y = y * scale + shift;
    [[unroll]] for (uint j = 0; j < width; j++)
      y[j] = activate (act, y[j], act_a, act_b);
    if (by_fours)
      result4[(to + r * out_step) / 4] = y;
    else
      result[to + r * out_step] = y.x;
  }
}
