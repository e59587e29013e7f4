/* The transforms of Winograd's convolution, F(TILE x TILE, 3 x 3), as engine/kernels/winograd.c has them. A vector
 * is four channels of a pixel. */
#ifndef WINOGRAD_GLSL
#define WINOGRAD_GLSL

#define SIDE (TILE + 2) /* of an input tile, and of the transform's points */

/* B^T d: a column, or a row, of an input tile. */
void
transform_input (inout vec4 d[SIDE])
{
#if TILE == 2
  vec4 d1 = d[1] + d[2], d2 = d[2] - d[1];
  d[0] -= d[2];
  d[3] = d[1] - d[3];
  d[1] = d1;
  d[2] = d2;
#else
  vec4 even = fma (vec4 (-4), d[2], d[4]), odd = fma (vec4 (-4), d[1], d[3]);
  vec4 even2 = d[4] - d[2], odd2 = d[3] - d[1];
  d[0] = fma (vec4 (4), d[0], fma (vec4 (-5), d[2], d[4]));
  d[5] = fma (vec4 (4), d[1], fma (vec4 (-5), d[3], d[5]));
  d[1] = even + odd;
  d[2] = even - odd;
  d[3] = fma (vec4 (2), odd2, even2);
  d[4] = fma (vec4 (-2), odd2, even2);
#endif
}

/* A^T d: the first TILE of it. */
void
transform_output (inout vec4 d[SIDE])
{
#if TILE == 2
  d[0] += d[1] + d[2];
  d[1] -= d[2] + d[3];
#else
  vec4 sum1 = d[1] + d[2], sum2 = d[3] + d[4], less1 = d[1] - d[2], less2 = d[3] - d[4];
  d[0] += sum1 + sum2;
  d[1] = fma (vec4 (2), less2, less1);
  d[2] = fma (vec4 (4), sum2, sum1);
  d[3] = fma (vec4 (8), less2, less1) + d[5];
#endif
}

/* G g: what becomes of three weights. */
void
transform_weights (float g0, float g1, float g2, out float d[SIDE])
{
#if TILE == 2
  d[0] = g0;
  d[1] = (g0 + g2 + g1) * 0.5;
  d[2] = (g0 + g2 - g1) * 0.5;
  d[3] = g2;
#else
  float even = g0 + g2, even2 = fma (4.0, g2, g0);
  d[0] = g0 * 0.25;
  d[1] = (even + g1) * (-1.0 / 6.0);
  d[2] = (even - g1) * (-1.0 / 6.0);
  d[3] = fma (2.0, g1, even2) * (1.0 / 24.0);
  d[4] = fma (-2.0, g1, even2) * (1.0 / 24.0);
  d[5] = g2;
#endif
}

#endif
