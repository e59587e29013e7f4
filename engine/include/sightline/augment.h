/* Augmentation: pictures changed at random so that a network learns what does not matter. What is
 * done to a picture is drawn first, from seed, epoch and sample alone, and then applied; the
 * trainer and the element `slaugment` share this code.
 *
 * Pictures are planes of float in 0 … 255, [C][H][W], R, G, B or gray alone. Steps come in the
 * order of SlAugment's fields. "tv" stands for torchvision.transforms.v2 of that name, from which
 * definitions are where nothing else is said; centre crops are no augmentation but a resize rule
 * (SL_RESIZE_CROP). */
#pragma once

#include <sightline/image.h>

G_BEGIN_DECLS

/* What shows where a picture was moved away. */
typedef enum {
  SL_FILL_COLOR,   /* SlAugment.fill */
  SL_FILL_EDGE,    /* the nearest pixel of the edge (Keras: "nearest") */
  SL_FILL_REFLECT, /* mirrored at the edge, which shows twice (Keras: "reflect") */
  SL_FILL_COUNT
} SlFillRule;

/* Zero in a field switches its step off. Probabilities are 0 … 1; a pair is the lowest and the
 * highest value, between which is drawn uniformly. */
typedef struct SlAugment {
  /* Random resized crop (Szegedy et al. 2015; tv RandomResizedCrop): a part of the frame with
   * between crop_area[0] and crop_area[1] of its pixels (above 0, at most 1; ImageNet: 0.08, 1) and
   * a width of crop_ratio times its height (drawn in logarithms; above 0; zeros: 3/4, 4/3),
   * stretched to the input's size. Ten tries, then the largest centred part of allowed proportion.
   */
  float crop_area[2], crop_ratio[2];

  /* Random crop with padding (He et al. 2015 on CIFAR: 4; tv RandomCrop): whole pixels of shift, -n
   * … n each way. */
  uint32_t crop_padding;
  /* Probabilities of mirroring; tv RandomHorizontalFlip, RandomVerticalFlip. */
  float flip_horizontal, flip_vertical;
  /* tv RandomAffine, about the middle, bilinear: degrees of turn and of shear along x, drawn from
   * -value to value (turn: at most 180, shear: below 90); fractions of width and height to move by
   * (at most 1); factors of size (above 0; above 1 enlarges). */
  float rotate, shear, translate[2], zoom[2];
  SlFillRule fill_rule; /* for all of the above */
  float fill[3];        /* R, G, B of SL_FILL_COLOR, 0 … 255 */

  /* tv ColorJitter, in an order drawn anew each time. Factors between 1 - value (not below 0) and 1
   * + value: brightness scales all, contrast the distance to the mean gray, saturation that to each
   * pixel's gray. Hue turns by -value … value circles (at most 0.5). Colour pictures only:
   * saturation, hue, and rgb_pca. */
  float brightness, contrast, saturation, hue;
  /* AlexNet's change of intensity (Krizhevsky et al. 2012: 0.1): the principal components of
   * ImageNet's colours times their eigenvalue and a normal number of this deviation. */
  float rgb_pca;
  /* Probability, and deviation in pixels (above 0, at most 32), of a Gaussian blur, mirrored at the
   * edges; tv GaussianBlur, with weights up to three deviations. */
  float blur, blur_sigma[2];
  /* Deviation of normal noise on every value, in parts of 255; tv GaussianNoise's sigma. */
  float noise;
  /* Probability of random erasing (Zhong et al. 2017; tv RandomErasing), the erased part of the
   * area (zeros: 0.02, 0.33; at most 1), its height by its width (drawn in logarithms; zeros:
   * 0.3, 3.3), and its colour, R, G, B in 0 … 255. */
  float erase, erase_area[2], erase_ratio[2], erase_color[3];

  /* On batches, by the loader: weights of two pictures and of their targets from a Beta
   * distribution with both parameters of this value. mixup (Zhang et al. 2017; ImageNet: 0.2)
   * blends them, cutmix (Yun et al. 2019: 1) pastes a part. With both, one of them for each batch,
   * equally often. A picture's partner is the one before it in the batch (tv MixUp, CutMix). */
  float mixup, cutmix;
} SlAugment;

/* FALSE, with the first wrong value named. */
SL_API gboolean sl_augment_check (const SlAugment *augment, GError **error);

/* What is done to one picture. Plain data: may be stored, compared, and written into metadata. */
typedef struct SlAugmentDraw {
  gboolean cropped;
  float crop[4];   /* x, y, width, height of the part of the frame as viewed, 0 … 1 */
  gboolean moved;  /* by `matrix`, for any of the steps behind it up to `fill` */
  gboolean whole;  /* the matrix moves and mirrors by whole pixels: nothing is interpolated */
  float matrix[6]; /* point (x, y) of the result shows m[0] x + m[1] y + m[2], m[3] x + m[4] y +
                      m[5] of the picture; in pixels, the first one's middle at 0.5 */
  guint8 color_order[4];                  /* 0: brightness, 1: contrast, 2: saturation, 3: hue */
  float brightness, contrast, saturation; /* factors; 1: none */
  float hue;                              /* circles; 0: none */
  float rgb_shift[3];                     /* added, in 0 … 255 */
  float blur_sigma;                       /* pixels; 0: none */
  float noise;                            /* deviation in 0 … 255; 0: none */
  guint64 noise_seed;
  guint32 noise_name[2];
  guint32 erase[4]; /* x, y, width, height in pixels; width 0: none */
} SlAugmentDraw;

/* Draws for one picture, which fills an input of width x height from a frame that is view_width x
 * view_height as viewed (the size after crop, orientation and pixel aspect; only crop_area asks).
 */
SL_API void sl_augment_draw (const SlAugment *augment, guint64 seed, guint32 epoch, guint32 sample,
                             uint32_t width, uint32_t height, double view_width, double view_height,
                             SlAugmentDraw *ret_draw);

/* Narrows `info` to the part that was drawn, and makes `rules` stretch it; nothing where none was.
 */
SL_API void sl_augment_crop (const SlAugmentDraw *draw, SlImageInfo *info, SlPreprocess *rules);

/* Memory to apply draws with, for pictures of one size. One thread at a time. */
typedef struct SlAugmenter SlAugmenter;

/* `channels` is 1 or 3. SL_ERROR_MEMORY, or sl_augment_check()'s. */
SL_API SlAugmenter *sl_augmenter_new (const SlAugment *augment, uint32_t width, uint32_t height,
                                      uint32_t channels, GError **error);
SL_API void sl_augmenter_free (SlAugmenter *augmenter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlAugmenter, sl_augmenter_free)

/* Does to a picture, in place, all that was drawn but the crop. Allocates nothing; the same bits on
 * every instruction set. */
SL_API void sl_augmenter_apply (SlAugmenter *augmenter, const SlAugmentDraw *draw, float *planes);

G_END_DECLS
