/* What the part of a network that nothing trains makes of the samples: computed once, and kept. */
#pragma once

#include <sightline/dataset.h>
#include <sightline/device.h>
#include <sightline/model.h>
#include <sightline/train.h>

/* Name of the last value that all ways through the network lead through and that nothing trained
 * and nothing random comes before; NULL if that is none but the input. Free with g_free().
 * *ret_shape: of one sample, the leading dimension 1. */
char *sl_features_find (SlModel *model, const SlTrainerOptions *options, SlShape *ret_shape,
                        GError **error);

typedef struct SlFeatureOptions {
  const char *name;          /* of the value */
  const SlPreprocess *rules; /* of the pictures */
  const SlDevice *device;    /* not NULL */
  uint32_t threads;
  const char *model_hash; /* of the weights, for the file's name; so the next: */
  const char *data_hash;
  const char *folder; /* where files of features are kept; NULL: nowhere */
} SlFeatureOptions;

/* A source like `source`, whose samples are features: read from the folder, or computed and written
 * there; *ret_was_kept says which. Samples that cannot be read cannot be loaded from it either.
 * What cannot be written to the folder is no error. SL_ERROR_LIMIT where all of them together are
 * more than the limit of data in memory. */
SlSampleSource *sl_features_new (SlSampleSource *source, SlModel *model,
                                 const SlFeatureOptions *options, gboolean *ret_was_kept,
                                 GError **error);
