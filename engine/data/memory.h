/* Sources whose pictures lie in memory, all of one size. */
#pragma once

#include <sightline/dataset.h>

typedef struct SlMemorySet {
  GBytes *pixels;         /* bytes, pictures one after the other from `offset` on */
  gsize offset;           /* of the first */
  uint32_t width, height; /* of each */
  uint32_t n_components;  /* 1: gray, 3: RGB */
  uint32_t n_samples;
  const uint32_t *labels;         /* [n_samples] */
  const char *const *class_names; /* NULL-ended, or NULL: "0", "1" … up to the largest label */
  const char *path;               /* what samples are called by */
} SlMemorySet;

/* Takes a reference on `pixels` and copies the rest. The sizes have been checked. */
SlSampleSource *sl_memory_source_new (const SlMemorySet *set, GError **error);

/* What "data" in SIGHTLINE_LIMITS says, else SL_DATASET_MAX_BYTES. */
gboolean sl_memory_source_get_limit (guint64 *ret_limit, GError **error);
