#include "image/sampler.h"

#include "core/memory.h"
#include "core/pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Unpacked rows that a thread keeps, so that a row in the windows of two output rows is unpacked
 * once. Where a window has more, rows are unpacked again instead. */
#define MAX_KEPT_ROWS 64
#define NO_ROW G_MAXUINT32

/* One thread's scratch, carved out of its block. Columns are of loops->lanes rows. */
typedef struct Scratch {
  const void **rows;             /* [max_taps] */
  float *strip;                  /* [strip_columns] a plane's rows after the vertical pass */
  float *components[3], *rgb[3]; /* [n] columns of the output each */
  float *unordered;              /* [lanes][n * n_channels] where the output is not in rows */
  uint32_t *kept_tags;           /* [kept_rows] which frame row is kept there */
  char *kept;                    /* [kept_rows][kept_row_bytes] */
} Scratch;

typedef struct Job {
  SlImageSampler *sampler;
  const SlImage *image;
  float *out; /* first element of the picture's first row, in frame orientation */
  ptrdiff_t row_stride, pixel_stride, channel_stride;
  atomic_bool failed;
} Job;

static void *
carve (char *base, size_t *offset, size_t bytes)
{
  void *part = base ? base + *offset : NULL;
  *offset += sl_align_up (bytes, SL_ALIGNMENT);
  return part;
}

/* Lays out the block of one thread and returns its size; `base` is NULL to learn the size alone. */
static size_t
scratch_layout (const SlImageSampler *sampler, char *base, Scratch *ret)
{
  size_t offset = 0, column = sampler->loops->lanes * sizeof (float);
  size_t n = sampler->axes[SL_SAMPLER_X].n;
  ret->rows = carve (base, &offset, sampler->max_taps * sizeof *ret->rows);
  ret->strip = carve (base, &offset, sampler->strip_columns * column);
  for (int i = 0; i < 3; i++) {
    ret->components[i] = carve (base, &offset, n * column);
    ret->rgb[i] = carve (base, &offset, n * column);
  }
  ret->unordered = carve (base, &offset, n * sampler->n_channels * column);
  ret->kept_tags = carve (base, &offset, sampler->kept_rows * sizeof *ret->kept_tags);
  ret->kept = carve (base, &offset, sampler->kept_rows * sampler->kept_row_bytes);
  return offset;
}

/* A frame row from the callback, or NULL. */
static const void *
unpack_row (const SlImageSampler *sampler, const SlImage *image, const Scratch *scratch,
            uint32_t row)
{
  size_t place = row % sampler->kept_rows;
  char *kept = scratch->kept + place * sampler->kept_row_bytes;
  if (scratch->kept_tags[place] != row) {
    scratch->kept_tags[place] = NO_ROW;
    if (!image->unpack (image->unpack_data, row, kept))
      return NULL;
    scratch->kept_tags[place] = row;
  }
  return kept;
}

/* Rows `from` … `from + n - 1` of a plane, each from element x of those that are read. */
static gboolean
collect_rows (const SlImageSampler *sampler, const SlImage *image, const Scratch *scratch,
              unsigned plane, uint32_t from, uint32_t n, size_t x)
{
  size_t begin = (sampler->planes[plane].begin + x) * (sampler->layout->bits / 8);
  for (uint32_t k = 0; k < n; k++) {
    const char *row;
    if (sampler->layout->unpacked)
      row = unpack_row (sampler, image, scratch, from + k);
    else
      row = (const char *)image->planes[plane] + image->strides[plane] * (ptrdiff_t)(from + k);
    if (!row)
      return FALSE;
    scratch->rows[k] = row + begin;
  }
  return TRUE;
}

/* The vertical pass: elements x … x + n - 1 of output row `i` of one plane, to a row of quads. It
 * goes in groups of as many rows as can be at hand, which is all of them except for extreme
 * reductions of unpacked frames. */
static gboolean
blend_row (const SlImageSampler *sampler, const SlImage *image, const Scratch *scratch,
           unsigned plane, uint32_t i, size_t x, size_t n, float *ret)
{
  const SlRowLoops *loops = sampler->loops;
  const SlAxis *axis = &sampler->axes[sampler->planes[plane].y_axis];
  bool bytes = sampler->layout->bits == 8;
  uint32_t group = sampler->layout->unpacked ? sampler->kept_rows : axis->count[i];

  for (uint32_t done = 0; done < axis->count[i]; done += group) {
    uint32_t n_rows = MIN (group, axis->count[i] - done);
    size_t first_weight = (size_t)i * axis->stride + done;
    if (!collect_rows (sampler, image, scratch, plane, axis->first[i] + done, n_rows, x))
      return FALSE;
    SlBlend blend = {
        .rows = scratch->rows,
        .n_rows = n_rows,
        .weights = axis->weights + first_weight,
        .add = done > 0,
    };
    if (bytes && axis->fixed) {
      blend.fixed = axis->fixed + first_weight;
      blend.unit = axis->unit;
      if (n_rows % 2) /* to an even number, by a row of no weight */
        scratch->rows[blend.n_rows++] = scratch->rows[0];
      loops->blend_fixed (ret, &blend, n);
    } else {
      (bytes ? loops->blend_8 : loops->blend_16) (ret, &blend, n);
    }
  }
  return TRUE;
}

/* The vertical pass of rows `first` … `first + n_rows - 1` of one plane, as columns. A piece of all
 * rows stays in the first cache until it is turned; unpacked rows come whole. */
static gboolean
blend_plane (const Job *job, const Scratch *scratch, unsigned plane, uint32_t first,
             unsigned n_rows)
{
  const SlImageSampler *sampler = job->sampler;
  unsigned lanes = sampler->loops->lanes;
  size_t all = sampler->planes[plane].n, n;

  for (size_t x = 0; x < all; x += n) {
    n = all - x < 2 * SL_STRIP_PIECE || sampler->layout->unpacked ? all - x : SL_STRIP_PIECE;
    float *piece = scratch->strip + x * lanes;
    for (unsigned r = 0; r < n_rows; r++)
      if (!blend_row (sampler, job->image, scratch, plane, first + r, x, n,
                      piece + 4 * sl_strip_slot (lanes, r)))
        return FALSE;
    sampler->loops->turn (piece, sl_align_up (n, 4));
  }
  return TRUE;
}

/* The horizontal pass: one component out of the strip. */
static void
resample_component (const SlImageSampler *sampler, const Scratch *scratch, unsigned c)
{
  const SlComponentLayout *component = &sampler->layout->components[c];
  const SlAxis *axis = &sampler->axes[component->shift_x ? SL_SAMPLER_X_CHROMA : SL_SAMPLER_X];
  size_t column = (size_t)component->step * axis->low + component->offset -
                  sampler->planes[component->plane].begin;
  sampler->loops->resample (scratch->components[c], scratch->strip + column * sampler->loops->lanes,
                            component->step, axis);
}

/* Components to channels, normalised, in the order and strides of the output. */
static void
finish_strip (const Job *job, const Scratch *scratch, uint32_t first, unsigned n_rows)
{
  const SlImageSampler *sampler = job->sampler;
  const SlRowLoops *loops = sampler->loops;
  size_t n = sampler->axes[SL_SAMPLER_X].n;
  unsigned n_channels = sampler->n_channels;

  /* A missing component has zero weights: any finite row will do. */
  const float *components[3], *columns[3];
  for (unsigned c = 0; c < 3; c++)
    components[c] = scratch->components[MIN (c, sampler->layout->n_components - 1u)];
  loops->convert (scratch->rgb, components, &sampler->transform, n * loops->lanes);
  for (unsigned c = 0; c < n_channels; c++)
    columns[c] = scratch->rgb[sampler->order[c]];
  if (n_channels == 1) {
    loops->luma (scratch->components[0], (const float *const *)scratch->rgb, n * loops->lanes);
    columns[0] = scratch->components[0];
  }

  float *out = job->out + job->row_stride * (ptrdiff_t)first;
  if (job->pixel_stride == (ptrdiff_t)n_channels && (job->channel_stride == 1 || n_channels == 1)) {
    loops->store (out, job->row_stride, columns, n_channels, sampler->gain, sampler->bias, n,
                  n_rows);
    return;
  }
  for (unsigned c = 0; c < n_channels; c++) {
    float *channel = out + job->channel_stride * (ptrdiff_t)c;
    bool in_rows = job->pixel_stride == 1;
    loops->store (in_rows ? channel : scratch->unordered, in_rows ? job->row_stride : (ptrdiff_t)n,
                  &columns[c], 1, &sampler->gain[c], &sampler->bias[c], n, n_rows);
    for (unsigned r = 0; r < n_rows && !in_rows; r++)
      for (size_t i = 0; i < n; i++)
        channel[job->row_stride * (ptrdiff_t)r + job->pixel_stride * (ptrdiff_t)i] =
            scratch->unordered[r * n + i];
  }
}

static gboolean
sample_strip (const Job *job, const Scratch *scratch, uint32_t first, unsigned n_rows)
{
  const SlFormatLayout *layout = job->sampler->layout;
  for (unsigned plane = 0; plane < layout->n_planes; plane++) {
    if (!blend_plane (job, scratch, plane, first, n_rows))
      return FALSE;
    for (unsigned c = 0; c < layout->n_components; c++)
      if (layout->components[c].plane == plane)
        resample_component (job->sampler, scratch, c);
  }
  finish_strip (job, scratch, first, n_rows);
  return TRUE;
}

static void
sample_strips (void *data, unsigned slot, size_t first, size_t last)
{
  Job *job = data;
  const SlImageSampler *sampler = job->sampler;
  Scratch scratch;
  scratch_layout (sampler, sampler->scratch + slot * sampler->scratch_bytes, &scratch);
  for (size_t i = 0; i < sampler->kept_rows; i++)
    scratch.kept_tags[i] = NO_ROW;

  uint32_t lanes = sampler->loops->lanes, n = sampler->axes[SL_SAMPLER_Y].n;
  for (size_t i = first; i < last && !atomic_load_explicit (&job->failed, memory_order_relaxed);
       i++) {
    uint32_t row = (uint32_t)i * lanes;
    if (!sample_strip (job, &scratch, row, MIN (lanes, n - row)))
      atomic_store_explicit (&job->failed, true, memory_order_relaxed);
  }
}

/* Fills what the picture leaves free. */
static void
fill_padding (const SlImageSampler *sampler, float *ret, const ptrdiff_t strides[3])
{
  const SlPlacement *across = &sampler->view[0], *down = &sampler->view[1];
  if (across->n == sampler->width && down->n == sampler->height)
    return;

  for (uint32_t c = 0; c < sampler->n_channels; c++)
    for (uint32_t y = 0; y < sampler->height; y++) {
      bool beside = y >= down->start && y < down->start + down->n;
      float *row = ret + strides[0] * (ptrdiff_t)c + strides[1] * (ptrdiff_t)y;
      for (uint32_t x = 0; x < sampler->width; x++) {
        if (beside && x == across->start)
          x += across->n;
        if (x < sampler->width)
          row[strides[2] * (ptrdiff_t)x] = sampler->pad[c];
      }
    }
}

gboolean
sl_image_sample (SlImageSampler *sampler, const SlImage *image, float *ret,
                 const ptrdiff_t strides[3])
{
  g_return_val_if_fail (sampler && image && ret && strides, FALSE);
  g_return_val_if_fail (
      sampler->layout->unpacked ? image->unpack != NULL : image->planes[0] != NULL, FALSE);

  fill_padding (sampler, ret, strides);
  Job job = {
      .sampler = sampler,
      .image = image,
      .out = ret + strides[1] * (ptrdiff_t)sampler->view[1].start +
             strides[2] * (ptrdiff_t)sampler->view[0].start,
      .row_stride = strides[sampler->transposed ? 2 : 1],
      .pixel_stride = strides[sampler->transposed ? 1 : 2],
      .channel_stride = strides[0],
  };
  unsigned lanes = sampler->loops->lanes;
  sl_pool_run ((sampler->axes[SL_SAMPLER_Y].n + lanes - 1) / lanes, sampler->max_threads,
               sample_strips, &job);
  return !job.failed;
}

static gboolean
check_size (const char *what, uint32_t width, uint32_t height, GError **error)
{
  if (width >= 1 && width <= SL_IMAGE_MAX_SIZE && height >= 1 && height <= SL_IMAGE_MAX_SIZE)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_LIMIT, "%s is %u x %u (expected 1 to %d each way)", what,
               width, height, SL_IMAGE_MAX_SIZE);
  return FALSE;
}

static gboolean
check_info (const SlImageInfo *info, GError **error)
{
  if (!check_size ("frame", info->width, info->height, error))
    return FALSE;
  if ((unsigned)info->format >= SL_PIXEL_COUNT || (unsigned)info->matrix >= SL_MATRIX_COUNT ||
      (unsigned)info->range > SL_RANGE_LIMITED || info->orientation > 8 ||
      info->par_n > G_MAXINT32 || info->par_d > G_MAXINT32) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "frame has format %d, matrix %d, range %d, orientation %u, pixel aspect %u:%u",
                 info->format, info->matrix, info->range, info->orientation, info->par_n,
                 info->par_d);
    return FALSE;
  }
  if (sl_format_layout (info->format)->family == SL_FAMILY_YUV && info->matrix == SL_MATRIX_RGB) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "frame is YUV with an RGB matrix (expected BT.601, BT.709, …)");
    return FALSE;
  }
  if (info->crop.width &&
      (!info->crop.height || info->crop.x >= info->width ||
       info->crop.width > info->width - info->crop.x || info->crop.y >= info->height ||
       info->crop.height > info->height - info->crop.y)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "crop %u x %u at %u, %u leaves the frame of %u x %u", info->crop.width,
                 info->crop.height, info->crop.x, info->crop.y, info->width, info->height);
    return FALSE;
  }
  return TRUE;
}

/* Solves the geometry: where the picture lies in the input, and which frame pixels make it. */
static void
init_view (SlImageSampler *sampler, const SlImageInfo *info, const SlPreprocess *rules,
           SlSource ret_source[2])
{
  unsigned orientation = info->orientation ? info->orientation : 1;
  bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  sampler->transposed = orientation >= 5;

  bool cropped = info->crop.width != 0;
  uint32_t x = cropped ? info->crop.x : 0, width = cropped ? info->crop.width : info->width;
  uint32_t y = cropped ? info->crop.y : 0, height = cropped ? info->crop.height : info->height;
  ret_source[0] = (SlSource){.begin = x, .end = x + width, .flipped = flip_x};
  ret_source[1] = (SlSource){.begin = y, .end = y + height, .flipped = flip_y};

  /* Both sides times the aspect ratio's denominator, so that they stay whole numbers. */
  bool square = !info->par_n || !info->par_d;
  uint64_t wide = (uint64_t)width * (square ? 1 : info->par_n);
  uint64_t high = (uint64_t)height * (square ? 1 : info->par_d);
  sl_placement_solve (rules, sampler->transposed ? high : wide, sampler->transposed ? wide : high,
                      sampler->view);
}

/* The inverse of what the axes do: a point of the input's unit square to a point of the frame. */
static void
init_matrix (SlImageSampler *sampler, const SlSource source[2], const SlPreprocess *rules)
{
  for (unsigned direction = 0; direction < 2; direction++) {
    const SlSource *from = &source[direction];
    unsigned viewed = sampler->transposed ? 1 - direction : direction;
    const SlPlacement *placement = &sampler->view[viewed];
    double *row = &sampler->matrix[3 * direction];
    double pixels = ((double)from->end - from->begin) / (double)placement->scaled;
    double size = viewed ? rules->height : rules->width;
    double offset = (double)placement->skip - placement->start; /* of the input's edge, scaled */

    row[viewed] = (from->flipped ? -pixels : pixels) * size;
    row[2] = from->flipped ? from->end - offset * pixels : from->begin + offset * pixels;
  }
}

static bool
init_axes (SlImageSampler *sampler, const SlSource source[2], unsigned siting)
{
  const SlComponentLayout *chroma =
      sampler->layout->n_components > 1 ? &sampler->layout->components[1] : NULL;
  for (unsigned direction = 0; direction < 2; direction++) {
    const SlPlacement *placement = &sampler->view[sampler->transposed ? 1 - direction : direction];
    SlAxis *axes = &sampler->axes[direction ? SL_SAMPLER_Y : SL_SAMPLER_X];
    if (!sl_axis_init (&axes[0], &source[direction], placement))
      return false;

    SlSource half = source[direction];
    half.shift = chroma ? (direction ? chroma->shift_y : chroma->shift_x) : 0;
    half.cosited = siting & (direction ? SL_SITING_COSITED_Y : SL_SITING_COSITED_X);
    if (half.shift && !sl_axis_init (&axes[1], &half, placement))
      return false;
    if (direction && !(sl_axis_fix (&axes[0]) && (!half.shift || sl_axis_fix (&axes[1]))))
      return false;
  }
  return true;
}

static const SlComponentLayout *
first_component (const SlFormatLayout *layout, unsigned plane)
{
  const SlComponentLayout *component = layout->components;
  while (component->plane != plane)
    component++;
  return component;
}

/* Which part of each plane is read: from the first to the last element of its components. */
static void
init_planes (SlImageSampler *sampler, uint32_t frame_width)
{
  for (unsigned plane = 0; plane < sampler->layout->n_planes; plane++) {
    size_t begin = G_MAXSIZE, end = 0;
    SlPlaneRows *job = &sampler->planes[plane];
    for (unsigned c = 0; c < sampler->layout->n_components; c++) {
      const SlComponentLayout *component = &sampler->layout->components[c];
      const SlAxis *axis = &sampler->axes[component->shift_x ? SL_SAMPLER_X_CHROMA : SL_SAMPLER_X];
      if (component->plane != plane)
        continue;
      begin = MIN (begin, (size_t)component->step * axis->low + component->offset);
      end = MAX (end, (size_t)component->step * (axis->high - 1) + component->offset + 1);
      job->y_axis = component->shift_y ? SL_SAMPLER_Y_CHROMA : SL_SAMPLER_Y;
    }
    job->begin = begin;
    /* to whole blocks where the frame's row goes on */
    const SlComponentLayout *first = first_component (sampler->layout, plane);
    size_t row =
        (((size_t)frame_width + (1u << first->shift_x) - 1) >> first->shift_x) * first->step;
    job->n = MIN (sl_align_up (end - begin, 64), MAX (row, end) - begin);
    /* and what the horizontal pass may read beyond */
    size_t beyond =
        4 * (size_t)MAX (sampler->axes[SL_SAMPLER_X].taps, sampler->axes[SL_SAMPLER_X_CHROMA].taps);
    sampler->strip_columns = MAX (sampler->strip_columns, sl_align_up (job->n, 4) + beyond);
  }
}

/* Colour order and normalisation, and the padding colour with both applied. */
static void
init_channels (SlImageSampler *sampler, const SlPreprocess *rules)
{
  sampler->width = rules->width;
  sampler->height = rules->height;
  sampler->n_channels = rules->channels;
  for (unsigned c = 0; c < rules->channels; c++) {
    sampler->order[c] = rules->order == SL_ORDER_BGR ? 2 - c : c;
    sampler->gain[c] = (float)((double)rules->scale / (double)rules->std[c]);
    sampler->bias[c] = (float)(-(double)rules->mean[c] / (double)rules->std[c]);
    float value = rules->pad[sampler->order[c]];
    if (rules->channels == 1)
      value = 0.299f * rules->pad[0] + 0.587f * rules->pad[1] + 0.114f * rules->pad[2];
    sampler->pad[c] = value * sampler->gain[c] + sampler->bias[c];
  }
}

static bool
init_scratch (SlImageSampler *sampler, uint32_t frame_width, unsigned max_threads)
{
  unsigned available = sl_pool_get_threads ();
  sampler->max_threads = max_threads && max_threads < available ? max_threads : available;
  sampler->max_taps =
      MAX (sampler->axes[SL_SAMPLER_Y].stride, sampler->axes[SL_SAMPLER_Y_CHROMA].stride);
  if (sampler->layout->unpacked) {
    sampler->kept_rows = MIN (sampler->max_taps, MAX_KEPT_ROWS);
    sampler->kept_row_bytes =
        sl_align_up ((size_t)frame_width * 4 * (sampler->layout->bits / 8), SL_ALIGNMENT);
  }

  Scratch unused;
  sampler->scratch_bytes = scratch_layout (sampler, NULL, &unused);
  sampler->scratch = sl_aligned_alloc (sampler->scratch_bytes * sampler->max_threads);
  if (!sampler->scratch)
    return false;
  /* What the horizontal pass reads beyond a row has to be finite. */
  memset (sampler->scratch, 0, sampler->scratch_bytes * sampler->max_threads);
  return true;
}

SlImageSampler *
sl_image_sampler_new (const SlImageInfo *info, const SlPreprocess *rules, unsigned max_threads,
                      GError **error)
{
  g_return_val_if_fail (info && rules, NULL);
  if (!check_info (info, error) || !sl_preprocess_check (rules, error))
    return NULL;

  SlSource source[2];
  static gint samplers;
  SlImageSampler *sampler = g_new0 (SlImageSampler, 1);
  sampler->number = (uint32_t)g_atomic_int_add (&samplers, 1) + 1;
  sampler->loops = sl_row_loops (sl_isa_best ());
  sampler->layout = sl_format_layout (info->format);
  sampler->transform = sl_color_transform (sampler->layout, info->matrix, info->range);
  init_view (sampler, info, rules, source);
  init_matrix (sampler, source, rules);
  init_channels (sampler, rules);

  bool ready = init_axes (sampler, source, info->siting);
  if (ready) {
    init_planes (sampler, info->width);
    ready = init_scratch (sampler, info->width, max_threads);
  }
  if (!ready) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory to resize %u x %u to %u x %u",
                 info->width, info->height, rules->width, rules->height);
    g_clear_pointer (&sampler, sl_image_sampler_free);
  }
  return sampler;
}

void
sl_image_sampler_get_placement (const SlImageSampler *sampler, double ret_matrix[6])
{
  memcpy (ret_matrix, sampler->matrix, sizeof sampler->matrix);
}

void
sl_image_sampler_free (SlImageSampler *sampler)
{
  if (!sampler)
    return;
  for (unsigned i = 0; i < SL_SAMPLER_N_AXES; i++)
    sl_axis_clear (&sampler->axes[i]);
  sl_aligned_free (sampler->scratch);
  g_free (sampler);
}
