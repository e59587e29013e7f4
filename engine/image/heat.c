#include "core/memory.h"
#include "core/pool.h"
#include "image/format.h"
#include "image/heat-place.h"
#include "image/heat-table.h"

#include <string.h>

/* Groups of rows that a thread takes at a time. */
#define GROUPS_PER_TILE 8
/* Most rows, and columns, of a group: 1 << shift. */
#define MAX_SHIFT 2
#define MAX_ROWS (1 << MAX_SHIFT)

/* Samples of a plane that are blended together: with levels of luma or of chroma, each level spread
 * over `lanes` samples, in columns and rows of the frame shifted right. */
typedef struct PlaneJob {
  uint8_t plane, lanes, shift_x, shift_y;
  bool chroma;
  SlHeatByte *table;
} PlaneJob;

typedef enum { WAY_PLANES, WAY_QUADS, WAY_422, WAY_UNPACKED } Way;

struct SlHeatPainter {
  const SlHeatLoops *loops;
  const SlFormatLayout *layout;
  SlHeatScale scale;
  SlHeatPlace place;
  uint32_t width, height;
  bool interlaced, whole_rows;
  unsigned shift_x, shift_y; /* a group: rows, and columns, that share chroma */
  uint32_t n_groups;

  Way way;
  PlaneJob planes[3];
  unsigned n_planes;
  unsigned first_luma; /* WAY_422 */
  SlHeatByte *bytes;   /* four rows a level: WAY_422, WAY_UNPACKED with 8 bits */
  SlHeatWord *words;   /* the same with 16 bits */
  SlHeatQuad *quads;   /* WAY_QUADS */

  float *exchanged; /* grid_width * grid_height, if the placement is swapped */
  unsigned max_threads;
  uint8_t *scratch; /* max_threads * scratch_bytes */
  size_t scratch_bytes;
};

/* A thread's memory. */
typedef struct Scratch {
  float *cells[MAX_ROWS];     /* grid_width */
  uint16_t *levels[MAX_ROWS]; /* columns */
  uint16_t *chroma;           /* columns */
  uint16_t *index;            /* 4 * columns */
  void *pixels;               /* 4 * columns samples */
} Scratch;

/* One call. */
typedef struct Job {
  SlHeatPainter *painter;
  const float *grid; /* exchanged where the placement is swapped */
  const SlHeatTarget *target;
  gint failed;
} Job;

/* --- Making one --- */

static gboolean
check (const SlHeatSurface *surface, uint32_t grid_width, uint32_t grid_height,
       const SlHeatLook *look, GError **error)
{
  const SlImageInfo *image = &surface->image;
  if (image->width < 1 || image->width > SL_IMAGE_MAX_SIZE || image->height < 1 ||
      image->height > SL_IMAGE_MAX_SIZE || grid_width < 1 || grid_width > SL_HEAT_MAX_GRID ||
      grid_height < 1 || grid_height > SL_HEAT_MAX_GRID) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "heat grid of %u x %u on a frame of %u x %u (expected 1 to %d, and 1 to %d)",
                 grid_width, grid_height, image->width, image->height, SL_HEAT_MAX_GRID,
                 SL_IMAGE_MAX_SIZE);
    return FALSE;
  }
  if ((unsigned)image->format >= SL_PIXEL_COUNT || (unsigned)image->matrix >= SL_MATRIX_COUNT ||
      (unsigned)image->range > SL_RANGE_LIMITED || surface->shift_x > MAX_SHIFT ||
      surface->shift_y > MAX_SHIFT ||
      (sl_format_layout (image->format)->family == SL_FAMILY_YUV &&
       image->matrix == SL_MATRIX_RGB)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "heat on a frame of format %d, matrix %d, range %d, chroma shared by %u, %u",
                 image->format, image->matrix, image->range, surface->shift_x, surface->shift_y);
    return FALSE;
  }
  if (image->crop.width &&
      (!image->crop.height || image->crop.x >= image->width ||
       image->crop.width > image->width - image->crop.x || image->crop.y >= image->height ||
       image->crop.height > image->height - image->crop.y)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "part %u x %u at %u, %u leaves the frame of %u x %u", image->crop.width,
                 image->crop.height, image->crop.x, image->crop.y, image->width, image->height);
    return FALSE;
  }
  if ((unsigned)look->style >= SL_HEAT_STYLE_COUNT ||
      (unsigned)look->colormap >= SL_COLORMAP_COUNT ||
      !(look->opacity >= 0 && look->opacity <= 1) ||
      !(look->threshold >= 0 && look->threshold <= 1)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "heat of style %d, colour map %d, opacity %g, threshold %g (expected 0 to 1)",
                 look->style, look->colormap, (double)look->opacity, (double)look->threshold);
    return FALSE;
  }
  return TRUE;
}

/* Component of each of the `lanes` samples that lie beside each other. */
static void
find_lanes (const SlFormatLayout *layout, unsigned plane, unsigned lanes, uint8_t ret[4])
{
  memset (ret, SL_HEAT_ALPHA, 4);
  for (unsigned c = 0; c < layout->n_components; c++) {
    const SlComponentLayout *component = &layout->components[c];
    if (component->plane == plane)
      for (unsigned k = component->offset; k < lanes; k += component->step)
        ret[k] = (uint8_t)c;
  }
}

static bool
init_planes (SlHeatPainter *self, const SlHeatColor *colors)
{
  for (unsigned plane = 0; plane < self->layout->n_planes; plane++) {
    const SlComponentLayout *component = self->layout->components;
    while (component->plane != plane)
      component++;
    PlaneJob *job = &self->planes[self->n_planes++];
    *job = (PlaneJob){.plane = (uint8_t)plane,
                      .lanes = component->step,
                      .shift_x = component->shift_x,
                      .shift_y = component->shift_y,
                      .chroma = component->shift_x != 0};
    uint8_t lanes[4];
    find_lanes (self->layout, plane, job->lanes, lanes);
    job->table = g_try_new (SlHeatByte, SL_HEAT_LEVELS * job->lanes);
    if (!job->table)
      return false;
    sl_heat_byte_table (colors, job->lanes, lanes, job->table);
  }
  return true;
}

static bool
init_colors (SlHeatPainter *self, const SlImageInfo *image, const SlHeatLook *look)
{
  g_autofree SlHeatColor *colors = g_try_new (SlHeatColor, SL_HEAT_LEVELS);
  uint8_t lanes[4];
  if (!colors)
    return false;
  sl_heat_colors (self->layout, image->matrix, image->range, look, colors);
  if (self->way == WAY_PLANES)
    return init_planes (self, colors);

  find_lanes (self->layout, 0, 4, lanes);
  if (self->way == WAY_QUADS) {
    self->quads = sl_aligned_alloc (SL_HEAT_LEVELS * sizeof *self->quads);
    if (self->quads)
      sl_heat_quad_table (colors, lanes, self->quads);
    return self->quads != NULL;
  }
  if (self->layout->bits == 16) {
    self->words = g_try_new (SlHeatWord, SL_HEAT_LEVELS * 4);
    if (self->words)
      sl_heat_word_table (colors, 4, lanes, self->words);
    return self->words != NULL;
  }
  self->bytes = g_try_new (SlHeatByte, SL_HEAT_LEVELS * 4);
  if (self->bytes)
    sl_heat_byte_table (colors, 4, lanes, self->bytes);
  return self->bytes != NULL;
}

static void
init_groups (SlHeatPainter *self, const SlHeatSurface *surface)
{
  const SlFormatLayout *layout = self->layout;
  const SlComponentLayout *chroma = &layout->components[1];
  self->way = WAY_PLANES;
  if (layout->unpacked) {
    self->way = WAY_UNPACKED;
    self->shift_x = surface->shift_x;
    self->shift_y = surface->shift_y;
  } else if (layout->family == SL_FAMILY_YUV) {
    self->shift_x = chroma->shift_x;
    self->shift_y = chroma->shift_y;
    self->first_luma = layout->components[0].offset;
    if (layout->n_planes == 1)
      self->way = WAY_422;
  } else if (layout->components[0].step == 4) {
    self->way = WAY_QUADS;
  }
  self->whole_rows = surface->whole_rows;
  self->interlaced = surface->interlaced && self->shift_y == 1;
  uint32_t rows = 1u << (self->shift_y + (self->interlaced ? 1 : 0));
  self->n_groups = (self->height + rows - 1) / rows << (self->interlaced ? 1 : 0);
}

/* Size of a thread's memory; with `base`, its parts too. */
static size_t
scratch_layout (const SlHeatPainter *self, uint8_t *base, Scratch *ret)
{
  /* Columns of the last block that the frame lacks are filled in. */
  size_t columns = sl_align_up (self->width, MAX_ROWS), size = 0;
  size_t samples = self->way == WAY_UNPACKED ? columns * 4 : 0;
#define TAKE(pointer, count)                                         \
  do {                                                               \
    if (base)                                                        \
      (pointer) = (void *)(base + size);                             \
    size += sl_align_up ((count) * sizeof *(pointer), SL_ALIGNMENT); \
  } while (0)
  uint8_t *pixels = NULL;
  for (unsigned i = 0; i < MAX_ROWS; i++) {
    TAKE (ret->cells[i], self->place.grid_width);
    TAKE (ret->levels[i], columns);
  }
  TAKE (ret->chroma, columns);
  TAKE (ret->index, columns * 4);
  TAKE (pixels, samples * (self->layout->bits / 8));
  ret->pixels = pixels;
#undef TAKE
  return size;
}

static bool
init_memory (SlHeatPainter *self, unsigned max_threads)
{
  unsigned available = sl_pool_get_threads ();
  Scratch unused = {0};
  self->max_threads = max_threads && max_threads < available ? max_threads : available;
  self->scratch_bytes = scratch_layout (self, NULL, &unused);
  self->scratch = sl_aligned_alloc (self->scratch_bytes * self->max_threads);
  if (self->place.swapped)
    self->exchanged = g_try_new (float, (size_t)self->place.grid_width * self->place.grid_height);
  return self->scratch && (self->exchanged || !self->place.swapped);
}

SlHeatPainter *
sl_heat_painter_new (const SlHeatSurface *surface, uint32_t grid_width, uint32_t grid_height,
                     const double matrix[6], const SlHeatLook *look, unsigned max_threads,
                     GError **error)
{
  g_return_val_if_fail (surface && matrix && look, NULL);
  if (!check (surface, grid_width, grid_height, look, error))
    return NULL;

  g_autoptr (SlHeatPainter) self = g_new0 (SlHeatPainter, 1);
  self->loops = sl_heat_loops (sl_isa_best ());
  self->layout = sl_format_layout (surface->image.format);
  self->scale = sl_heat_scale (look);
  self->width = surface->image.width;
  self->height = surface->image.height;
  init_groups (self, surface);
  if (!sl_heat_place_init (&self->place, &surface->image, grid_width, grid_height, matrix, error))
    return NULL;
  if (!init_memory (self, max_threads) || !init_colors (self, &surface->image, look)) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory to paint heat on %u x %u",
                 self->width, self->height);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
sl_heat_painter_free (SlHeatPainter *painter)
{
  if (!painter)
    return;
  for (unsigned i = 0; i < painter->n_planes; i++)
    g_free (painter->planes[i].table);
  g_free (painter->bytes);
  g_free (painter->words);
  sl_aligned_free (painter->quads);
  sl_heat_place_clear (&painter->place);
  g_free (painter->exchanged);
  sl_aligned_free (painter->scratch);
  g_free (painter);
}

/* --- Painting --- */

/* Rows that share chroma. */
typedef struct Group {
  uint32_t row[MAX_ROWS];
  unsigned n_rows;
  uint32_t first, last; /* columns that are looked at: whole blocks of four, or up to the edge */
} Group;

static Group
find_group (const SlHeatPainter *self, uint32_t index)
{
  unsigned most = 1u << self->shift_y;
  Group group = {.n_rows = 0};
  for (unsigned k = 0; k < most; k++) {
    uint32_t row =
        self->interlaced ? (index >> 1) * 4 + (index & 1) + 2 * k : (index << self->shift_y) + k;
    if (row < self->height)
      group.row[group.n_rows++] = row;
  }
  return group;
}

/* The lines of a group, and the columns where one of them changes. False if none does. */
static bool
find_columns (const Job *job, const Scratch *scratch, Group *group, SlHeatLine *lines)
{
  const SlHeatPainter *self = job->painter;
  bool filled = self->scale.cold != 0;
  uint32_t first = G_MAXUINT32, last = 0;
  for (unsigned k = 0; k < group->n_rows; k++) {
    uint32_t y = group->row[k];
    lines[k].cells = scratch->cells[k];
    sl_heat_place_line (&self->place, job->grid, self->scale.threshold, y, &lines[k]);
    bool inside = y >= self->place.top && y < self->place.bottom;
    uint32_t begin = filled && inside ? self->place.left : lines[k].begin;
    uint32_t end = filled && inside ? self->place.right : lines[k].end;
    if (begin < end) {
      first = MIN (first, begin);
      last = MAX (last, end);
    }
  }
  if (first >= last)
    return false;
  group->first = self->whole_rows ? 0 : first & ~(MAX_ROWS - 1u);
  group->last = self->whole_rows ? self->width : MIN (sl_align_up (last, MAX_ROWS), self->width);
  return true;
}

/* The general form of SlHeatLoops.shrink: blocks of any size. */
static void
shrink_blocks (const SlHeatPainter *self, const Group *group, const Scratch *scratch, uint32_t n)
{
  unsigned wide = 1u << self->shift_x, count = wide * group->n_rows;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t sum = 0;
    bool all = true;
    for (unsigned k = 0; k < group->n_rows; k++)
      for (unsigned j = 0; j < wide; j++) {
        uint16_t level = scratch->levels[k][i * wide + j];
        sum += level;
        all &= level != 0;
      }
    scratch->chroma[i] = all ? (uint16_t)((sum + count / 2) / count) : 0;
  }
}

/* Levels of pixels, and of the chroma samples that they share. */
static void
fill_levels (const Job *job, const Scratch *scratch, const Group *group, const SlHeatLine *lines)
{
  const SlHeatPainter *self = job->painter;
  uint32_t n = group->last - group->first, wide = 1u << self->shift_x;
  uint32_t blocks = (n + wide - 1) / wide;
  for (unsigned k = 0; k < group->n_rows; k++) {
    uint16_t *levels = scratch->levels[k];
    sl_heat_place_levels (&self->place, self->loops, &self->scale, job->grid, &lines[k],
                          group->first, group->last, levels);
    /* What the frame lacks of the last block. */
    for (uint32_t i = n; i < blocks * wide; i++)
      levels[i] = levels[n - 1];
  }
  if (self->shift_x == 1 && group->n_rows <= 2)
    self->loops->shrink (scratch->chroma, scratch->levels[0], scratch->levels[group->n_rows - 1],
                         blocks);
  else if (self->shift_x || self->shift_y)
    shrink_blocks (self, group, scratch, blocks);
}

static uint8_t *
find_row (const SlHeatTarget *target, unsigned plane, uint32_t row)
{
  return (uint8_t *)target->planes[plane] + (ptrdiff_t)row * target->strides[plane];
}

static void
blend_plane_row (const SlHeatPainter *self, const PlaneJob *plane, const uint16_t *levels,
                 const Scratch *scratch, uint8_t *row, const Group *group)
{
  uint32_t first = group->first >> plane->shift_x;
  uint32_t n = ((group->last + (1u << plane->shift_x) - 1) >> plane->shift_x) - first;
  if (plane->lanes > 1) {
    self->loops->spread (scratch->index, levels, plane->lanes, n);
    levels = scratch->index;
  }
  self->loops->blend_bytes (row + (size_t)first * plane->lanes, levels, plane->table,
                            (size_t)n * plane->lanes);
}

static void
blend_planes (const Job *job, const Scratch *scratch, const Group *group, uint32_t index)
{
  const SlHeatPainter *self = job->painter;
  for (unsigned i = 0; i < self->n_planes; i++) {
    const PlaneJob *plane = &self->planes[i];
    if (plane->shift_y) {
      blend_plane_row (self, plane, scratch->chroma, scratch,
                       find_row (job->target, plane->plane, index), group);
      continue;
    }
    for (unsigned k = 0; k < group->n_rows; k++)
      blend_plane_row (self, plane, plane->chroma ? scratch->chroma : scratch->levels[k], scratch,
                       find_row (job->target, plane->plane, group->row[k]), group);
  }
}

static void
blend_quads (const Job *job, const Scratch *scratch, const Group *group)
{
  const SlHeatPainter *self = job->painter;
  self->loops->blend_quads (find_row (job->target, 0, group->row[0]) + (size_t)group->first * 4,
                            scratch->levels[0], self->quads, group->last - group->first);
}

static void
blend_422 (const Job *job, const Scratch *scratch, const Group *group)
{
  const SlHeatPainter *self = job->painter;
  uint32_t columns = group->last - group->first;
  size_t n = (columns + 1) / 2; /* rows hold whole groups */
  if (columns % 2)
    scratch->levels[0][columns] = 0;
  self->loops->weave_422 (scratch->index, scratch->levels[0], scratch->chroma, self->first_luma, n);
  self->loops->blend_bytes (find_row (job->target, 0, group->row[0]) + (size_t)group->first * 2,
                            scratch->index, self->bytes, n * 4);
}

static bool
blend_unpacked (const Job *job, const Scratch *scratch, const Group *group)
{
  const SlHeatPainter *self = job->painter;
  const SlHeatTarget *target = job->target;
  uint32_t first = group->first, n = group->last - first;
  /* Each pixel has the chroma of its block. */
  if (self->shift_x)
    for (uint32_t i = n; i-- > 0;)
      scratch->chroma[i] = scratch->chroma[i >> self->shift_x];
  bool shared = self->shift_x || self->shift_y;
  for (unsigned k = 0; k < group->n_rows; k++) {
    const uint16_t *levels = scratch->levels[k];
    if (!target->unpack (target->data, group->row[k], first, n, scratch->pixels))
      return false;
    self->loops->weave_444 (scratch->index, levels, shared ? scratch->chroma : levels, n);
    if (self->words)
      self->loops->blend_words (scratch->pixels, scratch->index, self->words, (size_t)n * 4);
    else
      self->loops->blend_bytes (scratch->pixels, scratch->index, self->bytes, (size_t)n * 4);
    if (!target->pack (target->data, group->row[k], first, n, scratch->pixels))
      return false;
  }
  return true;
}

static bool
paint_group (const Job *job, const Scratch *scratch, uint32_t index)
{
  const SlHeatPainter *self = job->painter;
  Group group = find_group (self, index);
  SlHeatLine lines[MAX_ROWS];
  if (group.n_rows == 0 || !find_columns (job, scratch, &group, lines))
    return true;
  fill_levels (job, scratch, &group, lines);
  switch (self->way) {
  case WAY_PLANES:
    blend_planes (job, scratch, &group, index);
    return true;
  case WAY_QUADS:
    blend_quads (job, scratch, &group);
    return true;
  case WAY_422:
    blend_422 (job, scratch, &group);
    return true;
  default:
    return blend_unpacked (job, scratch, &group);
  }
}

/* SlPoolFunc */
static void
paint_tiles (void *data, unsigned slot, size_t first, size_t last)
{
  Job *job = data;
  SlHeatPainter *self = job->painter;
  size_t end = MIN (last * GROUPS_PER_TILE, self->n_groups);
  Scratch scratch = {0};
  scratch_layout (self, self->scratch + slot * self->scratch_bytes, &scratch);
  for (size_t i = first * GROUPS_PER_TILE; i < end; i++)
    if (!paint_group (job, &scratch, (uint32_t)i)) {
      g_atomic_int_set (&job->failed, 1);
      return;
    }
}

gboolean
sl_heat_paint (SlHeatPainter *painter, const float *grid, const SlHeatTarget *target)
{
  g_return_val_if_fail (painter && grid && target, FALSE);
  const SlHeatPlace *place = &painter->place;
  Job job = {.painter = painter, .grid = grid, .target = target};
  if (place->swapped) {
    for (uint32_t j = 0; j < place->grid_height; j++)
      for (uint32_t i = 0; i < place->grid_width; i++)
        painter->exchanged[(size_t)j * place->grid_width + i] =
            grid[(size_t)i * place->grid_height + j];
    job.grid = painter->exchanged;
  }
  sl_pool_run ((painter->n_groups + GROUPS_PER_TILE - 1) / GROUPS_PER_TILE, painter->max_threads,
               paint_tiles, &job);
  return !g_atomic_int_get (&job.failed);
}
