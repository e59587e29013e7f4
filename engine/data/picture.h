/* Samples to a network's input: the live code, and a short cut with the same bits for pictures that
 * have the input's size already. */
#pragma once

#include <sightline/augment.h>
#include <sightline/dataset.h>

/* Keeps the coefficients of the last sizes that it met. One thread at a time. */
typedef struct SlPictureMaker SlPictureMaker;

/* `rules` are valid; `augment` may be NULL. Copies both. NULL with sl_augmenter_new()'s errors. */
SlPictureMaker *sl_picture_maker_new (const SlPreprocess *rules, const SlAugment *augment,
                                      GError **error);
void sl_picture_maker_free (SlPictureMaker *maker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlPictureMaker, sl_picture_maker_free)

/* What augmentation draws by. */
typedef struct SlPictureKey {
  guint64 seed;
  guint32 epoch, index;
} SlPictureKey;

/* As sl_image_sample(), with the augmentation before normalisation. */
gboolean sl_picture_maker_fill (SlPictureMaker *maker, const SlSample *sample,
                                const SlPictureKey *key, float *ret, const ptrdiff_t strides[3],
                                GError **error);
