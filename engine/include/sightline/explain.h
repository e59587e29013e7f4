/* Where a network looks. */
#pragma once

#include <sightline/program.h>

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
 * Of a model in training it has the weights of the moment when it was made.
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

/* --- Any network, any method --- */

/* What a map is made of: feature maps A (channels k, positions) of one layer, and the gradient g of
 * the target by them; or the input x and the gradient by that; or the answers to changed inputs.
 * Layers are looked at for one picture, in inference.
 *
 *   CAM       sum over k of weight[class][k] * A[k] (Zhou et al. 2016), see SlCam
 *   GRAD_CAM  sum over k of mean (g[k]) * A[k] (Selvaraju et al. 2017)
 *   GRAD_CAM_PLUS_PLUS  the same with weights that look at positions where g is positive
 *             (Chattopadhyay et al. 2018, with the class's logit in the exponent)
 *   HIRES_CAM sum over k of g[k] * A[k] (Draelos and Carin 2020)
 *   LAYER_CAM sum over k of max (g[k], 0) * A[k] (Jiang et al. 2021)
 *   EIGEN_CAM A's first principal component, not centred: knows no class (Muhammad and Yeasin 2020)
 *   SALIENCY  largest |g| of the input's channels (Simonyan et al. 2014)
 *   INTEGRATED_GRADIENTS  sum over channels of x * mean (g along the way from 0 to x), by the
 *             midpoint rule (Sundararajan et al. 2017); the sum of the map is what the target
 * gained OCCLUSION what the target's score loses where a square of the input is 0 (Zeiler and
 * Fergus 2014) RISE      mean of the target's score over random masks that leave the place open
 * (Petsiuk et al. 2018)
 *
 * The gradient is of logits: what the Softmax or Sigmoid at the end reads, if there is one. */
typedef enum {
  SL_EXPLAIN_AUTO, /* CAM where it is exact, else GRAD_CAM */
  SL_EXPLAIN_CAM,
  SL_EXPLAIN_GRAD_CAM,
  SL_EXPLAIN_GRAD_CAM_PLUS_PLUS,
  SL_EXPLAIN_HIRES_CAM,
  SL_EXPLAIN_LAYER_CAM,
  SL_EXPLAIN_EIGEN_CAM,
  SL_EXPLAIN_SALIENCY,
  SL_EXPLAIN_INTEGRATED_GRADIENTS,
  SL_EXPLAIN_OCCLUSION,
  SL_EXPLAIN_RISE,
  SL_EXPLAIN_METHOD_COUNT
} SlExplainMethod;

/* "auto", "cam", "gradcam", "gradcam++", "hirescam", "layercam", "eigencam", "saliency",
 * "integrated-gradients", "occlusion", "rise". */
SL_API const char *sl_explain_method_get_name (SlExplainMethod method);
/* Half a line for a user who chooses. */
SL_API const char *sl_explain_method_get_help (SlExplainMethod method);
/* FALSE, and *ret untouched, if there is no such name. */
SL_API gboolean sl_explain_method_from_name (const char *name, SlExplainMethod *ret);

/* Zero in a field means its default. */
typedef struct SlExplainOptions {
  SlExplainMethod method;
  const char *layer; /* a layer or value of the model's graph, with feature maps (1, C, H, W);
                        default: the last that is no pooling. For methods of feature maps, but
                        CAM, whose layer is the network's head */
  const SlDevice
      *device;         /* for what is computed besides the model's own program; default: "auto" */
  uint32_t threads;    /* as in SlProgramOptions */
  uint32_t samples;    /* steps of INTEGRATED_GRADIENTS (default 32), masks of RISE (1000), cells
                          of OCCLUSION along a side (14) */
  guint64 seed;        /* of RISE's masks */
  gboolean from_input; /* tap the input, whatever the method: for who cannot tap another value now.
                          The network is run again for each map then */
} SlExplainOptions;

/* What a map is about: a class, or why one rather than another. */
typedef struct SlExplainTarget {
  uint32_t klass;
  gboolean has_other; /* the difference of logit (or score) klass and that of `other` */
  uint32_t other;
} SlExplainTarget;

/* One model, method and layer. One thread uses it at a time. */
typedef struct SlExplainer SlExplainer;

/* References `model`. SL_ERROR_UNSUPPORTED, naming the node, if the method cannot be had for this
 * network: no CAM head, an operator without a gradient on the way, no such layer. Programs that it
 * takes are compiled when the first map is made. */
SL_API SlExplainer *sl_explainer_new (SlModel *model, const SlExplainOptions *options,
                                      GError **error);
SL_API void sl_explainer_free (SlExplainer *explainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlExplainer, sl_explainer_free)

/* The one that AUTO has become. */
SL_API SlExplainMethod sl_explainer_get_method (const SlExplainer *explainer);
/* The layer whose feature maps are looked at, by the name of the value; NULL: the input. */
SL_API const char *sl_explainer_get_layer (const SlExplainer *explainer);
/* The value that the model's program has to yield for a map (SlProgramOptions.taps): feature maps,
 * or the input. The string is the explainer's. */
SL_API const char *sl_explainer_get_tap (const SlExplainer *explainer);
SL_API uint32_t sl_explainer_get_n_classes (const SlExplainer *explainer);
/* Compiles what maps of such a tapped content take, unless that is done, and says how large they
 * are. */
SL_API gboolean sl_explainer_prepare (SlExplainer *explainer, const SlTensorView *tapped,
                                      uint32_t *ret_width, uint32_t *ret_height, GError **error);

/* The map of the target, rows from the top; raw, as sl_cam_map()'s, for sl_map_to_heat(). `tapped`
 * is one picture's content of sl_explainer_get_tap(), in whatever order it lies, of floats. Another
 * shape than before compiles anew. Errors are a program's. */
SL_API gboolean sl_explainer_map (SlExplainer *explainer, const SlTensorView *tapped,
                                  const SlExplainTarget *target, float *ret, GError **error);

/* sl_map_to_heat(), but of maps whose cells are pixels the highest hundredth is all 1: a few of
 * them stand out of all others (Smilkov et al. 2017, "SmoothGrad"). */
SL_API float sl_explainer_to_heat (const SlExplainer *explainer, const float *map, size_t n,
                                   float *ret_heat);

/* --- Drawing --- */

/* A map of `n` values as heat for drawing: what speaks against the class (below 0) becomes 0, as in
 * Grad-CAM (Selvaraju et al., 2017), and the highest value 1. It says where, the score says
 * whether. Returns that value; 0: nothing speaks for the class, and there is no heat. `ret_heat`
 * may be `map`. */
SL_API float sl_map_to_heat (const float *map, size_t n, float *ret_heat);

G_END_DECLS
