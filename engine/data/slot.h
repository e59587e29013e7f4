/* One batch in the making: filled by one worker, then copied to where it is wanted. */
#pragma once

#include "data/picture.h"

#include <sightline/augment.h>
#include <sightline/tensor.h>

#include <stdbool.h>

/* How the loader keeps pictures: as the first view that it was given, packed. */
typedef struct SlBatchLayout {
  uint32_t n, channels, height, width;
  bool channels_last;
  uint32_t n_classes;
  float mask;   /* part of the elements */
  bool restore; /* targets are the pictures without the mask */
} SlBatchLayout;

typedef struct SlBatchSlot {
  float *pictures;            /* [n][C][H][W], or [n][H][W][C] */
  float *targets;             /* [n][n_classes] */
  float *whole;               /* as pictures, before the mask; NULL where nobody asks for it */
  uint32_t *indices, *labels; /* [n] */
  uint32_t n_samples;
} SlBatchSlot;

/* Bytes of pictures and targets. G_MAXSIZE if they do not fit. */
gsize sl_batch_layout_get_bytes (const SlBatchLayout *layout);

/* False if there is no memory. */
bool sl_batch_slot_init (SlBatchSlot *slot, const SlBatchLayout *layout);
void sl_batch_slot_clear (SlBatchSlot *slot);

/* Where picture `row` starts, and its strides by channel, row and pixel. */
float *sl_batch_slot_get_picture (const SlBatchSlot *slot, const SlBatchLayout *layout,
                                  uint32_t row, ptrdiff_t ret_strides[3]);
/* Sets a row's index, label and target. */
void sl_batch_slot_set_label (SlBatchSlot *slot, const SlBatchLayout *layout, uint32_t row,
                              uint32_t index, uint32_t label);

/* Blends or pastes the batch's pictures and targets, as `augment` says. */
void sl_batch_slot_mix (SlBatchSlot *slot, const SlBatchLayout *layout, const SlAugment *augment,
                        guint64 seed, guint32 epoch, guint32 step);

/* Makes elements of the pictures 0; which ones, follows from seed, epoch and sample. */
void sl_batch_slot_mask (SlBatchSlot *slot, const SlBatchLayout *layout, guint64 seed,
                         guint32 epoch);

/* Whether a view can hold pictures or targets of this layout. */
bool sl_batch_layout_check_pictures (const SlBatchLayout *layout, const SlTensorView *view,
                                     GError **error);
bool sl_batch_layout_check_targets (const SlBatchLayout *layout, const SlTensorView *view,
                                    GError **error);
/* Whether the view's pixels lie beside those of other channels rather than of other pixels. */
bool sl_view_is_channels_last (const SlTensorView *view);

/* The views have been checked. Rows from n_samples on become zero. */
void sl_batch_slot_copy_pictures (const SlBatchSlot *slot, const SlBatchLayout *layout,
                                  const SlTensorView *view);
void sl_batch_slot_copy_targets (const SlBatchSlot *slot, const SlBatchLayout *layout,
                                 const SlTensorView *view);
