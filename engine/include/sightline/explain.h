/* Where a network looks. */
#pragma once

#include <sightline/model.h>
#include <sightline/tensor.h>

G_BEGIN_DECLS

/* Class activation maps (Zhou et al. 2016, "Learning Deep Features for Discriminative
 * Localization"): how much each position of the last feature maps adds to a class's logit. Exact
 * for networks that end in
 *
 *   feature maps → average over all positions → at most one linear layer → logits → scores
 *
 * The average is a GlobalAveragePool, a ReduceMean over height and width, or an AveragePool whose
 * one window covers the map. The linear layer is a Gemm, a MatMul or a 1x1 Conv; scales, biases and
 * batch normalisation may stand beside it, and what only renames or reorders elements (Flatten,
 * Reshape, Transpose, Dropout …) anywhere. Softmax, LogSoftmax or Sigmoid may end it.
 *
 * Where the linear layer stands before the average (SqueezeNet), the map of a class is the feature
 * map that is averaged: what the average reads, so behind that layer's activation.
 *
 * Immutable; any thread. */
typedef struct SlCam SlCam;

/* Finds the head of the model's first output; references `model`. SL_ERROR_UNSUPPORTED, naming the
 * node that stands in the way, if it is another head. Free dimensions of the input count as 224:
 * their size matters only to an AveragePool. */
SL_API SlCam *sl_cam_new (SlModel *model, GError **error);
SL_API void sl_cam_free (SlCam *cam);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlCam, sl_cam_free)

/* The value that a program has to yield for a map (SlProgramOptions.taps): one picture's feature
 * maps, (1, C, H, W), or (1, H, W, C) where the graph averages them so. The string is the cam's. */
SL_API const char *sl_cam_get_tap (const SlCam *cam);
/* As many as the scores. */
SL_API uint32_t sl_cam_get_n_classes (const SlCam *cam);
/* Size of the maps that these features give: one cell a position. */
SL_API void sl_cam_get_size (const SlCam *cam, const SlTensorView *features, uint32_t *ret_width,
                             uint32_t *ret_height);

/* The map of class `klass` (below sl_cam_get_n_classes()), rows from the top: ret[y * width + x] =
 * sum over k of weight[klass][k] * features[k][y][x]. Its mean and the class's bias make the
 * logit. Raw: not scaled, negative where the class is argued against. `features` is the tapped
 * view, in whatever order it lies; of a batch, the first picture's. Allocates nothing. */
SL_API void sl_cam_map (const SlCam *cam, const SlTensorView *features, uint32_t klass, float *ret);
SL_API double sl_cam_get_bias (const SlCam *cam, uint32_t klass);

/* A map of `n` values as heat for drawing: what speaks against the class (below 0) becomes 0, as in
 * Grad-CAM (Selvaraju et al., 2017), and the highest value 1. It says where, the score says
 * whether. Returns that value; 0: nothing speaks for the class, and there is no heat. `ret_heat`
 * may be `map`. */
SL_API float sl_map_to_heat (const float *map, size_t n, float *ret_heat);

G_END_DECLS
