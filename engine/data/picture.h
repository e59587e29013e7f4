/* Samples to a network's input: the live code, and a short cut with the same bits for pictures that
 * have the input's size already. */
#pragma once

#include <sightline/dataset.h>

/* Keeps the coefficients of the last sizes that it met. One thread at a time. */
typedef struct SlPictureMaker SlPictureMaker;

/* `rules` are valid. */
SlPictureMaker *sl_picture_maker_new (const SlPreprocess *rules);
void sl_picture_maker_free (SlPictureMaker *maker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlPictureMaker, sl_picture_maker_free)

/* As sl_image_sample(). */
gboolean sl_picture_maker_fill (SlPictureMaker *maker, const SlSample *sample, float *ret,
                                const ptrdiff_t strides[3], GError **error);
