/* One video frame in, class scores out: what slclassify and the command line share. */
#pragma once

#include <gst/video/video.h>
#include <sightline/sightline.h>

G_BEGIN_DECLS

/* A model's program with its run slots, its rules, and the sampler for the current caps. Two
 * threads may use one at a time: one calls what is marked "sampling side", another what is marked
 * "executing side"; a slot is in the hands of one of them. With one slot that makes one thread.
 *
 * A device that is named is the one that it runs on, or that is an error. Without one it takes the
 * best GPU, or the CPU where there is none, where the network cannot be had there, or where one
 * input that is run on both gets another answer than from the CPU. When a device
 * fails while it runs, program and runs are made anew on it, twice at most, and the frame is run
 * again; then the CPU takes over if the device was not named. */
typedef struct SlClassifier SlClassifier;

/* Zero in a field means its default. */
typedef struct SlClassifierOptions {
  const SlDevice *device; /* default: one of its own choice */
  uint32_t threads;       /* as in SlProgramOptions */
  gboolean half;          /* as in SlProgramOptions */
  uint32_t n_slots;       /* frames that can be under way at once; default 1 */
  /* Names of values of the graph that are wanted besides the scores, as in SlProgramOptions. */
  const char *const *taps;
  uint32_t n_taps;
} SlClassifierOptions;

/* References `model`; copies nothing of `rules`, which must live as long. `options` may be NULL. */
SL_API SlClassifier *sl_classifier_new (SlModel *model, const SlModelRules *rules,
                                        const SlClassifierOptions *options, GError **error);
SL_API void sl_classifier_free (SlClassifier *classifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlClassifier, sl_classifier_free)

/* Executing side. What runs now; it is another one after a device has failed. */
SL_API SlProgram *sl_classifier_get_program (SlClassifier *classifier);

/* Executing side. Once, when the CPU has taken the place of a GPU or where there was none to be
 * chosen: why, a line for the user to read, free with g_free(). Else NULL. */
SL_API char *sl_classifier_take_note (SlClassifier *classifier);

/* gst_video_info_from_caps() that keeps what the caps say of the range. GStreamer (1.22 to 1.26)
 * drops the colorimetry of YUV caps that state no matrix as a whole, and with it the full range of
 * H.264 and MJPEG ("yuvj420p"): such frames would be read too bright and too dark. FALSE: no raw
 * video. */
SL_API gboolean sl_video_info_from_caps (GstVideoInfo *ret_info, const GstCaps *caps);

/* Sampling side. Prepares for frames of this format; cheap if nothing changed. SL_ERROR_UNSUPPORTED
 * or SL_ERROR_LIMIT. */
SL_API gboolean sl_classifier_set_info (SlClassifier *classifier, const GstVideoInfo *info,
                                        GError **error);

/* Sampling side. How the next frames have to be turned to be viewed upright: EXIF's orientation, 1
 * … 8 (6: by 90 degrees clockwise); 1 until this is called. */
SL_API void sl_classifier_set_orientation (SlClassifier *classifier, guint orientation);

/* EXIF's number of the image-orientation tag; 1 if there is none. */
SL_API guint sl_orientation_from_tags (const GstTagList *tags);

/* Sampling side. Samples the frame into a slot's input. `frame` is mapped for reading, of the set
 * format and at least of the set size; its buffer's GstVideoCropMeta says which part is looked at,
 * or else it is the top left. It may be unmapped at once; `stays`: its buffer is kept, and nobody
 * writes to it, until the slot has been executed, so that a GPU may read it where it is.
 * SL_ERROR_SHAPE if the frame is not what was set; what sl_run_sample() says. */
SL_API gboolean sl_classifier_sample (SlClassifier *classifier, uint32_t slot,
                                      const GstVideoFrame *frame, gboolean stays, GError **error);

/* Sampling side. How the last frame became the input. */
SL_API SlFramePath sl_classifier_get_frame_path (SlClassifier *classifier);

/* Sampling side. Where the network's input lies on the frame that was sampled last; as
 * sl_image_sampler_get_placement(). */
SL_API void sl_classifier_get_placement (SlClassifier *classifier, double ret_matrix[6]);

/* Executing side. Runs the network on what was sampled into the slot. *ret_scores (n of them,
 * probabilities if the rules say so) are the slot's, until it is executed again. SL_ERROR_NUMERIC
 * (naming the node) if the scores are no numbers, SL_ERROR_DEVICE if the device that was named has
 * failed for good. */
SL_API gboolean sl_classifier_execute (SlClassifier *classifier, uint32_t slot,
                                       const float **ret_scores, uint32_t *ret_n, GError **error);

/* Executing side. Whether steps are timed from now on, which takes a GPU a little longer; FALSE at
 * first. */
SL_API void sl_classifier_set_timed (SlClassifier *classifier, gboolean timed);

/* Executing side. The nanoseconds of each step of sl_classifier_get_program() when the slot was
 * last executed; NULL if they were not timed, or the device has no clock. */
SL_API const guint64 *sl_classifier_get_times (SlClassifier *classifier, uint32_t slot);

/* Executing side. The tapped value number `index` of the slot, good until it is executed again. */
SL_API void sl_classifier_get_tap (SlClassifier *classifier, uint32_t slot, uint32_t index,
                                   SlTensorView *ret_view);

/* Samples and executes, in slot 0. */
SL_API gboolean sl_classifier_run (SlClassifier *classifier, const GstVideoFrame *frame,
                                   const float **ret_scores, uint32_t *ret_n, GError **error);

G_END_DECLS
