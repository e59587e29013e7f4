#include "data/slot.h"

#include "core/memory.h"
#include "core/random.h"

#include <string.h>

static gsize
picture_elements (const SlBatchLayout *layout)
{
  return (gsize)layout->channels * layout->height * layout->width;
}

static bool
keeps_whole (const SlBatchLayout *layout)
{
  return layout->restore && layout->mask > 0;
}

gsize
sl_batch_layout_get_bytes (const SlBatchLayout *layout)
{
  gsize bytes; /* each factor is 32 bits, and a picture at most 3 * 2^30 */
  gsize pictures = (keeps_whole (layout) ? 2 : 1) * picture_elements (layout);
  gsize sample = (pictures + layout->n_classes) * sizeof (float);
  return sl_mul_size (sample, layout->n, &bytes) ? bytes : G_MAXSIZE;
}

bool
sl_batch_slot_init (SlBatchSlot *slot, const SlBatchLayout *layout)
{
  gsize n = layout->n;
  slot->pictures = sl_aligned_alloc (n * picture_elements (layout) * sizeof (float));
  slot->targets = sl_aligned_alloc (n * layout->n_classes * sizeof (float));
  slot->indices = g_try_new (uint32_t, n);
  slot->labels = g_try_new (uint32_t, n);
  if (keeps_whole (layout))
    slot->whole = sl_aligned_alloc (n * picture_elements (layout) * sizeof (float));
  return slot->pictures && slot->targets && slot->indices && slot->labels &&
         (slot->whole || !keeps_whole (layout));
}

void
sl_batch_slot_clear (SlBatchSlot *slot)
{
  sl_aligned_free (slot->pictures);
  sl_aligned_free (slot->targets);
  sl_aligned_free (slot->whole);
  g_free (slot->indices);
  g_free (slot->labels);
  *slot = (SlBatchSlot){0};
}

void
sl_batch_slot_mask (SlBatchSlot *slot, const SlBatchLayout *layout, guint64 seed, guint32 epoch)
{
  const gsize n = picture_elements (layout), pixels = (gsize)layout->height * layout->width;
  const gsize step = layout->channels_last ? layout->channels : 1;
  if (slot->whole)
    memcpy (slot->whole, slot->pictures, slot->n_samples * n * sizeof (float));
  for (uint32_t row = 0; row < slot->n_samples; row++) {
    float *picture = slot->pictures + row * n;
    SlRandom random = sl_random_start (seed, SL_RANDOM_MASK, epoch, slot->indices[row]);
    for (gsize c = 0; c < layout->channels; c++) {
      float *at = picture + c * (layout->channels_last ? 1 : pixels);
      for (gsize i = 0; i < pixels; i++) { /* without a branch that nothing can foresee */
        const float kept = sl_random_between (&random, 0, 1) < layout->mask ? 0 : 1;
        at[i * step] = kept * at[i * step];
      }
    }
  }
}

float *
sl_batch_slot_get_picture (const SlBatchSlot *slot, const SlBatchLayout *layout, uint32_t row,
                           ptrdiff_t ret_strides[3])
{
  ptrdiff_t width = (ptrdiff_t)layout->width, pixels = width * (ptrdiff_t)layout->height;
  ptrdiff_t channels = (ptrdiff_t)layout->channels;
  ret_strides[0] = layout->channels_last ? 1 : pixels;
  ret_strides[1] = layout->channels_last ? width * channels : width;
  ret_strides[2] = layout->channels_last ? channels : 1;
  return slot->pictures + row * picture_elements (layout);
}

void
sl_batch_slot_set_label (SlBatchSlot *slot, const SlBatchLayout *layout, uint32_t row,
                         uint32_t index, uint32_t label)
{
  float *target = slot->targets + (gsize)row * layout->n_classes;
  slot->indices[row] = index;
  slot->labels[row] = label;
  for (uint32_t c = 0; c < layout->n_classes; c++)
    target[c] = c == label;
}

static bool
refuse_view (const char *what, const SlTensorView *view, const char *expected, GError **error)
{
  g_autofree char *shape = sl_shape_to_string (&view->shape);
  g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "the input for %s is %s %s (expected float32 %s)",
               what, sl_dtype_get_name (view->dtype), shape, expected);
  return false;
}

bool
sl_batch_layout_check_pictures (const SlBatchLayout *layout, const SlTensorView *view,
                                GError **error)
{
  const SlShape *shape = &view->shape;
  bool flat = shape->rank == 2 && shape->dim[1] == (int64_t)picture_elements (layout);
  bool whole = shape->rank == 4 && shape->dim[1] == (int64_t)layout->channels &&
               shape->dim[2] == (int64_t)layout->height && shape->dim[3] == (int64_t)layout->width;
  if (view->dtype == SL_FLOAT32 && (flat || whole) && shape->dim[0] >= 1)
    return true;
  g_autofree char *expected =
      g_strdup_printf ("?x%ux%ux%u", layout->channels, layout->height, layout->width);
  return refuse_view ("pictures", view, expected, error);
}

bool
sl_batch_layout_check_targets (const SlBatchLayout *layout, const SlTensorView *view,
                               GError **error)
{
  const SlShape *shape = &view->shape;
  if (layout->restore)
    return sl_batch_layout_check_pictures (layout, view, error);
  if (view->dtype == SL_FLOAT32 && shape->rank == 2 && shape->dim[0] >= 1 &&
      shape->dim[1] == (int64_t)layout->n_classes)
    return true;
  g_autofree char *expected = g_strdup_printf ("?x%u", layout->n_classes);
  return refuse_view ("targets", view, expected, error);
}

bool
sl_view_is_channels_last (const SlTensorView *view)
{
  return view->shape.rank == 4 && view->shape.dim[1] > 1 && view->stride[1] == 1 &&
         view->stride[3] != 1;
}

/* Copies or, with no `from`, zeroes rows of n elements, from packed memory to strided. */
static void
copy_row (const float *from, ptrdiff_t from_stride, float *to, ptrdiff_t to_stride, gsize n)
{
  if (from && from_stride == 1 && to_stride == 1) {
    memcpy (to, from, n * sizeof *to);
    return;
  }
  for (gsize i = 0; i < n; i++)
    to[(ptrdiff_t)i * to_stride] = from ? from[(ptrdiff_t)i * from_stride] : 0;
}

/* Pictures laid out as the slot's, rows from n_samples on as zeros. */
static void
copy_pictures (const SlBatchSlot *slot, const SlBatchLayout *layout, const float *pictures,
               const SlTensorView *view)
{
  gsize n_row = layout->width, n = picture_elements (layout);
  for (uint32_t row = 0; row < (gsize)view->shape.dim[0]; row++) {
    ptrdiff_t from[3], to[3];
    const float *picture = row < slot->n_samples ? pictures + row * n : NULL;
    float *out = (float *)view->data + view->stride[0] * (ptrdiff_t)row;
    sl_batch_slot_get_picture (slot, layout, 0, from);
    if (view->shape.rank == 4) {
      memcpy (to, &view->stride[1], sizeof to);
    } else {
      to[2] = view->stride[1];
      to[1] = to[2] * (ptrdiff_t)layout->width;
      to[0] = to[1] * (ptrdiff_t)layout->height;
    }

    if (from[0] == to[0] && from[1] == to[1] && from[2] == to[2]) {
      copy_row (picture, 1, out, 1, n);
      continue;
    }
    for (unsigned c = 0; c < layout->channels; c++)
      for (uint32_t y = 0; y < layout->height; y++)
        copy_row (picture ? picture + from[0] * (ptrdiff_t)c + from[1] * (ptrdiff_t)y : NULL,
                  from[2], out + to[0] * (ptrdiff_t)c + to[1] * (ptrdiff_t)y, to[2], n_row);
  }
}

void
sl_batch_slot_copy_pictures (const SlBatchSlot *slot, const SlBatchLayout *layout,
                             const SlTensorView *view)
{
  copy_pictures (slot, layout, slot->pictures, view);
}

void
sl_batch_slot_copy_targets (const SlBatchSlot *slot, const SlBatchLayout *layout,
                            const SlTensorView *view)
{
  if (layout->restore) {
    copy_pictures (slot, layout, slot->whole ? slot->whole : slot->pictures, view);
    return;
  }
  const gsize n = layout->n_classes;
  for (uint32_t row = 0; row < (gsize)view->shape.dim[0]; row++) {
    const float *target = slot->targets + (gsize)row * n;
    copy_row (row < slot->n_samples ? target : NULL, 1,
              (float *)view->data + view->stride[0] * (ptrdiff_t)row, view->stride[1], n);
  }
}
