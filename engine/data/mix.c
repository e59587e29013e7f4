#include "core/random.h"
#include "data/slot.h"

#include <math.h>
#include <string.h>

/* The part of a picture that cutmix pastes: columns and rows begin … end - 1. */
typedef struct Part {
  uint32_t begin[2], end[2];
} Part;

/* Yun et al. 2019: a part of 1 - `keep` of the area, its middle anywhere, cut off at the edges.
 * Returns what is left of the picture. */
static float
draw_part (SlRandom *random, const SlBatchLayout *layout, double keep, Part *ret)
{
  const uint32_t size[2] = {layout->width, layout->height};
  double half = 0.5 * sqrt (1 - keep), area = 1;
  for (int i = 0; i < 2; i++) {
    double middle = sl_random_below (random, size[i]);
    ret->begin[i] = (uint32_t)MAX (floor (middle - half * size[i]), 0);
    ret->end[i] = (uint32_t)MIN (floor (middle + half * size[i]), size[i]);
    area *= (double)(ret->end[i] - ret->begin[i]) / size[i];
  }
  return (float)(1 - area);
}

static void
blend (float *to, const float *from, float keep, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] = to[i] * keep + from[i] * (1 - keep);
}

static void
paste (const SlBatchLayout *layout, const Part *part, float *to, const float *from,
       const ptrdiff_t strides[3])
{
  for (unsigned c = 0; c < layout->channels; c++)
    for (uint32_t y = part->begin[1]; y < part->end[1]; y++)
      for (uint32_t x = part->begin[0]; x < part->end[0]; x++) {
        ptrdiff_t at =
            strides[0] * (ptrdiff_t)c + strides[1] * (ptrdiff_t)y + strides[2] * (ptrdiff_t)x;
        to[at] = from[at];
      }
}

void
sl_batch_slot_mix (SlBatchSlot *slot, const SlBatchLayout *layout, const SlAugment *augment,
                   guint64 seed, guint32 epoch, guint32 step)
{
  uint32_t n = slot->n_samples;
  if ((augment->mixup == 0 && augment->cutmix == 0) || n < 2)
    return;
  SlRandom random = sl_random_start (seed, SL_RANDOM_MIX, step, epoch);
  gboolean cut = augment->mixup == 0 || (augment->cutmix > 0 && sl_random_below (&random, 2));
  Part part;
  float keep = (float)sl_random_beta (&random, (double)(cut ? augment->cutmix : augment->mixup));
  if (cut)
    keep = draw_part (&random, layout, (double)keep, &part);

  /* From the last to the second, each with the one before; the first with the last as it was. */
  ptrdiff_t strides[3];
  gsize n_picture = (gsize)layout->channels * layout->height * layout->width;
  g_autofree float *last = g_memdup2 (sl_batch_slot_get_picture (slot, layout, n - 1, strides),
                                      n_picture * sizeof *last);
  g_autofree float *last_target = g_memdup2 (slot->targets + (gsize)(n - 1) * layout->n_classes,
                                             layout->n_classes * sizeof *last_target);
  for (uint32_t row = n; row-- > 0;) {
    float *to = sl_batch_slot_get_picture (slot, layout, row, strides);
    float *target = slot->targets + (gsize)row * layout->n_classes;
    const float *from = row ? to - n_picture : last;
    if (cut)
      paste (layout, &part, to, from, strides);
    else
      blend (to, from, keep, n_picture);
    blend (target, row ? target - layout->n_classes : last_target, keep, layout->n_classes);
  }
}
