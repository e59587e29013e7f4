#include "dispatch/frame.h"

#include "shaders/colors.h"
#include "shaders/frame.h"
#include "shaders/group.h"

#include <string.h>

static void
put_floats (GArray *table, uint32_t at, const float *values, uint32_t n)
{
  memcpy (&g_array_index (table, uint32_t, at), values, n * sizeof *values);
}

static void
put_colors (const SlImageSampler *sampler, GArray *table)
{
  static const float luma[] = {0.299f, 0.587f, 0.114f};
  const SlColorTransform *transform = &sampler->transform;
  const bool is_gray = sampler->n_channels == 1;
  g_array_set_size (table, COLORS_WORDS);
  for (uint32_t c = 0; c < 3; c++) {
    const uint32_t from = is_gray ? c : sampler->order[c];
    put_floats (table, COLORS_MATRIX + 3 * c, transform->matrix[from], 3);
    put_floats (table, COLORS_OFFSET + c, &transform->offset[from], 1);
  }
  put_floats (table, COLORS_GAIN, sampler->gain, 3);
  put_floats (table, COLORS_BIAS, sampler->bias, 3);
  put_floats (table, COLORS_PAD, sampler->pad, 3);
  put_floats (table, COLORS_LUMA, luma, 3);
}

/* Returns the word where the axis begins. */
static uint32_t
put_axis (const SlAxis *axis, GArray *table)
{
  const uint32_t at = table->len, words = 2 + axis->taps;
  g_array_append_val (table, words);
  for (uint32_t i = 0; i < axis->n; i++) {
    const uint32_t head[] = {axis->first[i], axis->count[i]};
    const uint32_t weights = table->len + 2;
    g_array_append_vals (table, head, 2);
    g_array_set_size (table, weights + axis->taps);
    put_floats (table, weights, axis->weights + (size_t)i * axis->stride, axis->count[i]);
  }
  return at;
}

static void
put_components (const SlImageSampler *sampler, const SlGather *gather, SlFramePush *push,
                GArray *table)
{
  uint32_t at[SL_SAMPLER_N_AXES];
  for (unsigned i = 0; i < SL_SAMPLER_N_AXES; i++)
    at[i] = sampler->axes[i].n > 0 ? put_axis (&sampler->axes[i], table) : 0;
  for (unsigned c = 0; c < sampler->layout->n_components; c++) {
    const SlComponentLayout *component = &sampler->layout->components[c];
    const unsigned plane = component->plane;
    push->pitch[c] = (uint32_t)gather->planes[plane].pitch;
    push->step[c] = component->step;
    push->x_axis[c] = at[sl_sampler_x_axis (component)];
    push->y_axis[c] = at[sl_sampler_y_axis (component)];
    /* What is not there is taken off; sums wrap around to where they belong. */
    push->base[c] = (uint32_t)gather->planes[plane].at + component->offset -
                    (uint32_t)gather->planes[plane].begin -
                    gather->planes[plane].first_row * push->pitch[c];
  }
}

bool
sl_dispatch_frame (const SlGpu *gpu, const SlImageSampler *sampler, const ptrdiff_t strides[3],
                   const ptrdiff_t *pitches, SlGather *ret_gather, SlDispatch *ret_record,
                   GArray *ret_table)
{
  const SlPlacement *across = &sampler->view[0], *down = &sampler->view[1];
  if (!sl_gather_init (ret_gather, sampler, pitches))
    return false;
  SlFramePush push = {.width = sampler->width,
                      .height = sampler->height,
                      .begin_x = across->start,
                      .begin_y = down->start,
                      .n_x = across->n,
                      .n_y = down->n,
                      .channel_stride = (uint32_t)strides[0],
                      .row_stride = (uint32_t)strides[1],
                      .pixel_stride = (uint32_t)strides[2]};
  put_colors (sampler, ret_table);
  put_components (sampler, ret_gather, &push, ret_table);
  SlDispatch record = {.shader = &sl_shader_frame, .groups = {1, 1, 1}};
  memcpy (record.push, &push, sizeof push);
  record.specs[SL_FRAME_CHANNELS] = sampler->n_channels;
  record.specs[SL_FRAME_COMPONENTS] = sampler->layout->n_components;
  record.specs[SL_FRAME_TRANSPOSED] = sampler->transposed;
  const uint64_t last = (sampler->n_channels - 1) * (uint64_t)strides[0] +
                        (sampler->height - 1) * (uint64_t)strides[1] +
                        (sampler->width - 1) * (uint64_t)strides[2];
  const uint64_t bytes[] = {ret_gather->bytes, ret_table->len * sizeof (uint32_t), (last + 1) * 4};
  for (uint32_t i = 0; i < G_N_ELEMENTS (bytes); i++) {
    if (bytes[i] > sl_gpu_get_range (gpu))
      return false;
    record.bindings[i] =
        (SlBinding){.extent = sl_extent (0, bytes[i]),
                    .writes = i == 2,
                    .at_push = i == 2 ? offsetof (SlFramePush, at_out) : SL_AT_NONE,
                    .element_size = 4};
  }
  sl_dispatch_groups (&record, gpu, (uint64_t)push.width * push.height, GROUP);
  *ret_record = record;
  return true;
}
