#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* Products of windows with packed weights: convolution as an implicit GEMM, transposed convolution phase by phase,
 * and matrix product (windows of one element). One interface, gemm_core.glsl, and several forms of the work. */
#include "gemm_core.glsl"

#ifdef LANES
#include "gemm_lanes.glsl"
#elif defined MATRIX
#include "gemm_matrix.glsl"
#elif defined TILE
#include "gemm_tiles.glsl"
#else
#include "gemm_sum.glsl"
#endif
