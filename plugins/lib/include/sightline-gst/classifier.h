/* One video frame in, class scores out: what slclassify and the command line share. */
#pragma once

#include <gst/video/video.h>
#include <sightline/sightline.h>

G_BEGIN_DECLS

/* A model's program with one run slot, its rules, and the sampler for the current caps. One thread
 * at a time. */
typedef struct SlClassifier SlClassifier;

/* References `model`; copies nothing of `rules`, which must live as long. `threads` as in
 * SlProgramOptions. */
SL_API SlClassifier *sl_classifier_new (SlModel *model, const SlModelRules *rules,
                                        const SlDevice *device, uint32_t threads, GError **error);
SL_API void sl_classifier_free (SlClassifier *classifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlClassifier, sl_classifier_free)

/* gst_video_info_from_caps() that keeps what the caps say of the range. GStreamer (1.22 to 1.26)
 * drops the colorimetry of YUV caps that state no matrix as a whole, and with it the full range of
 * H.264 and MJPEG ("yuvj420p"): such frames would be read too bright and too dark. FALSE: no raw
 * video. */
SL_API gboolean sl_video_info_from_caps (GstVideoInfo *ret_info, const GstCaps *caps);

/* Prepares for frames of this format; cheap if nothing changed. SL_ERROR_UNSUPPORTED or
 * SL_ERROR_LIMIT. */
SL_API gboolean sl_classifier_set_info (SlClassifier *classifier, const GstVideoInfo *info,
                                        GError **error);

/* Samples the frame into the network's input and runs it. `frame` is mapped for reading, of the set
 * format and at least of the set size; its buffer's GstVideoCropMeta says which part is looked at,
 * or else it is the top left. *ret_scores (n of them, probabilities if the rules say so) are the
 * classifier's, until the next call. SL_ERROR_SHAPE if the frame is not what was set,
 * SL_ERROR_NUMERIC (naming the node) if the scores are no numbers. */
SL_API gboolean sl_classifier_run (SlClassifier *classifier, const GstVideoFrame *frame,
                                   const float **ret_scores, uint32_t *ret_n, GError **error);

SL_API SlProgram *sl_classifier_get_program (SlClassifier *classifier);

G_END_DECLS
