/* A picture of a data set: samples of each class, before and after augmentation. */
#pragma once

#include <sightline/sightline.h>

typedef struct SheetOptions {
  uint32_t size;     /* of a network's input; 0: the pictures', at most 224 */
  uint32_t n_copies; /* augmented pictures beside each */
  guint64 seed;
} SheetOptions;

/* Writes a PNG file (or standard output, for "-"). `recipe` says what augmentation. */
gboolean tool_sheet_write (SlSampleSource *source, const SlRecipe *recipe,
                           const SheetOptions *options, const char *path, GError **error);
