/* The arithmetic of maps, on dense arrays. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Feature maps and their gradients: [channel][position], positions row by row from the top. */
typedef struct SlMaps {
  uint32_t n_channels;
  size_t n; /* positions */
  const float *features, *gradient;
} SlMaps;

/* Each writes n numbers; <sightline/explain.h> has the formulas. Allocates nothing but Eigen-CAM's
 * one vector of n_channels. */
void sl_maps_grad_cam (const SlMaps *maps, float *ret);
void sl_maps_grad_cam_plus_plus (const SlMaps *maps, float *ret);
void sl_maps_hires_cam (const SlMaps *maps, float *ret);
void sl_maps_layer_cam (const SlMaps *maps, float *ret);
void sl_maps_eigen_cam (const SlMaps *maps, float *ret);
void sl_maps_saliency (const SlMaps *maps, float *ret);
/* sum over channels of features * gradient, as HiRes-CAM: of the input and the mean gradient. */
