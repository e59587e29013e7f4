#include "explain/maps.h"

#include <math.h>
#include <string.h>

/* ret += weight * one channel's features */
static void
add_channel (const SlMaps *maps, uint32_t channel, double weight, float *ret)
{
  const float *a = maps->features + channel * maps->n;
  for (size_t i = 0; i < maps->n; i++)
    ret[i] += (float)(weight * (double)a[i]);
}

void
sl_maps_grad_cam (const SlMaps *maps, float *ret)
{
  memset (ret, 0, maps->n * sizeof *ret);
  for (uint32_t c = 0; c < maps->n_channels; c++) {
    const float *g = maps->gradient + c * maps->n;
    double sum = 0;
    for (size_t i = 0; i < maps->n; i++)
      sum += (double)g[i];
    add_channel (maps, c, sum / (double)maps->n, ret);
  }
}

/* Equation 19 of the paper, with the logit's derivatives: the second and third derivative of exp
 * (logit) by a position are exp (logit) times g^2 and g^3, and that factor cancels. */
void
sl_maps_grad_cam_plus_plus (const SlMaps *maps, float *ret)
{
  memset (ret, 0, maps->n * sizeof *ret);
  for (uint32_t c = 0; c < maps->n_channels; c++) {
    const float *a = maps->features + c * maps->n, *g = maps->gradient + c * maps->n;
    double total = 0, weight = 0;
    for (size_t i = 0; i < maps->n; i++)
      total += (double)a[i];
    for (size_t i = 0; i < maps->n; i++) {
      const double slope = (double)g[i];
      const double divisor = 2 * slope * slope + total * slope * slope * slope;
      if (slope > 0 && divisor != 0)
        weight += slope * slope / divisor * slope;
    }
    add_channel (maps, c, weight, ret);
  }
}

void
sl_maps_hires_cam (const SlMaps *maps, float *ret)
{
  memset (ret, 0, maps->n * sizeof *ret);
  for (size_t k = 0; k < maps->n_channels * maps->n; k++)
    ret[k % maps->n] += maps->features[k] * maps->gradient[k];
}

void
sl_maps_layer_cam (const SlMaps *maps, float *ret)
{
  memset (ret, 0, maps->n * sizeof *ret);
  for (size_t k = 0; k < maps->n_channels * maps->n; k++)
    ret[k % maps->n] += maps->features[k] * MAX (maps->gradient[k], 0);
}

void
sl_maps_saliency (const SlMaps *maps, float *ret)
{
  memset (ret, 0, maps->n * sizeof *ret);
  for (size_t k = 0; k < maps->n_channels * maps->n; k++)
    ret[k % maps->n] = MAX (ret[k % maps->n], fabsf (maps->gradient[k]));
}

/* --- Eigen-CAM --- */

#define MOST_TURNS 200
#define GOOD_CHANGE 1e-6 /* of a vector of length 1 */

/* direction = features * map / length; returns the length, 0 if there is none. */
static double
find_direction (const SlMaps *maps, const float *map, double *direction)
{
  double square = 0;
  for (uint32_t c = 0; c < maps->n_channels; c++) {
    const float *a = maps->features + c * maps->n;
    double sum = 0;
    for (size_t i = 0; i < maps->n; i++)
      sum += (double)a[i] * (double)map[i];
    direction[c] = sum;
    square += sum * sum;
  }
  const double length = sqrt (square);
  for (uint32_t c = 0; c < maps->n_channels && length > 0; c++)
    direction[c] /= length;
  return length;
}

static void
project (const SlMaps *maps, const double *direction, float *ret)
{
  memset (ret, 0, maps->n * sizeof *ret);
  for (uint32_t c = 0; c < maps->n_channels; c++)
    add_channel (maps, c, direction[c], ret);
}

/* By power iteration from the mean of all channels, which is near: rectified features are all of
 * one sign, and so is then the component. Its sign is the one that most of the map's mass has. */
void
sl_maps_eigen_cam (const SlMaps *maps, float *ret)
{
  g_autofree double *direction = g_new (double, maps->n_channels);
  double last = 0, sum = 0;
  for (uint32_t c = 0; c < maps->n_channels; c++)
    direction[c] = 1;
  project (maps, direction, ret);
  for (uint32_t turn = 0; turn < MOST_TURNS; turn++) {
    const double length = find_direction (maps, ret, direction);
    if (length == 0)
      return;
    project (maps, direction, ret);
    if (turn > 0 && fabs (length - last) <= GOOD_CHANGE * GOOD_CHANGE * length)
      break;
    last = length;
  }
  for (size_t i = 0; i < maps->n; i++)
    sum += (double)ret[i];
  for (size_t i = 0; i < maps->n && sum < 0; i++)
    ret[i] = -ret[i];
}
