/* Heat on frames, against a reference in double precision that asks each pixel where it lies in the
 * grid. Colours may differ from it by TOLERANCE of 255: heat has 1022 steps, weights 256. */
#include "core/isa.h"
#include "image/format.h"
#include "image/heat-rows.h"

#include <sightline/heat.h>

#include <math.h>
#include <string.h>

#define TOLERANCE 2.0
#define PADDING 13 /* bytes behind each row */
#define GUARD 0x5c

/* --- Frames --- */

typedef struct Frame {
  SlHeatSurface surface;
  const SlFormatLayout *layout;
  uint8_t *memory, *before;
  size_t size;
  size_t offset[3];
  ptrdiff_t stride[3];
  gboolean upside_down;
} Frame;

static const char *const format_names[] = {"I420", "YV12", "NV12",  "NV21",  "YUY2",
                                           "UYVY", "RGB",  "BGR",   "RGBX",  "BGRX",
                                           "XRGB", "XBGR", "GRAY8", "8-bit", "16-bit"};

static unsigned
shift_x (const Frame *frame)
{
  return frame->layout->unpacked                  ? frame->surface.shift_x
         : frame->layout->family == SL_FAMILY_YUV ? frame->layout->components[1].shift_x
                                                  : 0;
}

static unsigned
shift_y (const Frame *frame)
{
  return frame->layout->unpacked                  ? frame->surface.shift_y
         : frame->layout->family == SL_FAMILY_YUV ? frame->layout->components[1].shift_y
                                                  : 0;
}

static Frame
make_frame (const SlHeatSurface *surface, GRand *rand)
{
  Frame frame = {.surface = *surface, .layout = sl_format_layout (surface->image.format)};
  uint32_t width = surface->image.width, height = surface->image.height;
  for (unsigned plane = 0; plane < frame.layout->n_planes; plane++) {
    size_t bytes = 0, rows = 0;
    for (unsigned c = 0; c < frame.layout->n_components; c++) {
      const SlComponentLayout *component = &frame.layout->components[c];
      if (component->plane != plane)
        continue;
      uint32_t columns = (width + (1u << component->shift_x) - 1) >> component->shift_x;
      bytes = MAX (bytes, (size_t)columns * component->step);
      rows = (height + (1u << component->shift_y) - 1) >> component->shift_y;
      if (component->shift_y && surface->interlaced)
        rows = (height + 3) / 4 * 2;
    }
    bytes *= frame.layout->bits / 8;
    frame.stride[plane] = (ptrdiff_t)(frame.layout->unpacked ? bytes : bytes + PADDING);
    frame.offset[plane] = frame.size;
    frame.size += (size_t)frame.stride[plane] * rows;
  }
  frame.memory = g_malloc (frame.size);
  for (size_t i = 0; i < frame.size; i++)
    frame.memory[i] = (uint8_t)g_rand_int (rand);
  return frame;
}

static void
clear_frame (Frame *frame)
{
  g_free (frame->memory);
  g_free (frame->before);
}

/* Row of the chroma sample that a pixel takes part in. */
static uint32_t
chroma_row (const Frame *frame, uint32_t y)
{
  unsigned shift = shift_y (frame);
  if (shift == 1 && frame->surface.interlaced)
    return y / 4 * 2 + y % 2;
  return y >> shift;
}

/* Where component c of a pixel lies; 3 is alpha. */
static size_t
locate (const Frame *frame, unsigned c, uint32_t x, uint32_t y)
{
  size_t bytes = frame->layout->bits / 8;
  if (c == 3) {
    unsigned at = frame->layout->unpacked || frame->layout->components[0].offset % 4 == 1 ||
                          frame->layout->components[2].offset == 1
                      ? 0
                      : 3;
    return (size_t)y * (size_t)frame->stride[0] + ((size_t)x * 4 + at) * bytes;
  }
  const SlComponentLayout *component = &frame->layout->components[c];
  uint32_t row = component->shift_y ? chroma_row (frame, y) : y;
  size_t sample = component->offset + (size_t)component->step * (x >> component->shift_x);
  return frame->offset[component->plane] + row * (size_t)frame->stride[component->plane] +
         sample * bytes;
}

static double
sample_at (const Frame *frame, const uint8_t *memory, size_t at)
{
  uint16_t word;
  if (frame->layout->bits == 8)
    return memory[at];
  memcpy (&word, memory + at, sizeof word);
  return word;
}

static gboolean
unpack (void *data, uint32_t row, uint32_t first, uint32_t n, void *ret)
{
  const Frame *frame = data;
  size_t pixel = frame->layout->bits / 2;
  g_assert_cmpuint (first % 4, ==, 0);
  g_assert_true (n % 4 == 0 || first + n == frame->surface.image.width);
  g_assert_true (!frame->surface.whole_rows || (first == 0 && n == frame->surface.image.width));
  g_assert_cmpuint ((uintptr_t)ret % 64, ==, 0);
  memcpy (ret, frame->memory + row * (size_t)frame->stride[0] + first * pixel, n * pixel);
  return TRUE;
}

static gboolean
pack (void *data, uint32_t row, uint32_t first, uint32_t n, const void *pixels)
{
  const Frame *frame = data;
  size_t pixel = frame->layout->bits / 2;
  memcpy (frame->memory + row * (size_t)frame->stride[0] + first * pixel, pixels, n * pixel);
  return TRUE;
}

/* Blocks of unpacked pixels share chroma, as they do when they come from memory. */
static void
share_chroma (Frame *frame)
{
  uint32_t mask_x = (1u << shift_x (frame)) - 1, mask_y = (1u << shift_y (frame)) - 1;
  for (uint32_t y = 0; y < frame->surface.image.height; y++)
    for (uint32_t x = 0; x < frame->surface.image.width; x++)
      for (unsigned c = 1; c < 3; c++) {
        size_t to = locate (frame, c, x, y);
        size_t from = locate (frame, c, x & ~mask_x, y & ~mask_y);
        memmove (frame->memory + to, frame->memory + from, frame->layout->bits / 8);
      }
}

static gboolean
paint (Frame *frame, const float *grid, uint32_t grid_width, uint32_t grid_height,
       const double matrix[6], const SlHeatLook *look, unsigned threads)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlHeatPainter) painter =
      sl_heat_painter_new (&frame->surface, grid_width, grid_height, matrix, look, threads, &error);
  SlHeatTarget target = {.unpack = unpack, .pack = pack, .data = frame};
  g_assert_no_error (error);
  for (unsigned i = 0; i < frame->layout->n_planes; i++) {
    target.planes[i] = frame->memory + frame->offset[i];
    target.strides[i] = frame->stride[i];
  }
  g_free (frame->before);
  frame->before = g_memdup2 (frame->memory, frame->size);
  return sl_heat_paint (painter, grid, &target);
}

/* --- Reference --- */

typedef struct Heat {
  double value;  /* of the grid, bilinear */
  bool inside;   /* the grid */
  bool doubtful; /* within rounding of an edge or the threshold */
} Heat;

static double
cell (const float *grid, uint32_t w, uint32_t h, int i, int j)
{
  i = CLAMP (i, 0, (int)w - 1);
  j = CLAMP (j, 0, (int)h - 1);
  return (double)grid[(size_t)j * w + (size_t)i];
}

static Heat
heat_at (const float *grid, uint32_t w, uint32_t h, const double m[6], float threshold, uint32_t x,
         uint32_t y)
{
  double px = x + 0.5 - m[2], py = y + 0.5 - m[5], area = m[0] * m[4] - m[1] * m[3];
  double u = (m[4] * px - m[1] * py) / area, v = (m[0] * py - m[3] * px) / area;
  Heat heat = {.inside = u >= 0 && u <= 1 && v >= 0 && v <= 1};
  heat.doubtful = fmin (fmin (fabs (u), fabs (u - 1)), fmin (fabs (v), fabs (v - 1))) < 1e-9;
  double a = u * w - 0.5, b = v * h - 0.5, fa = a - floor (a), fb = b - floor (b);
  int i = (int)floor (a), j = (int)floor (b);
  heat.value = (1 - fb) * ((1 - fa) * cell (grid, w, h, i, j) + fa * cell (grid, w, h, i + 1, j)) +
               fb * ((1 - fa) * cell (grid, w, h, i, j + 1) + fa * cell (grid, w, h, i + 1, j + 1));
  double nearest = threshold > 0 ? fabs (heat.value - (double)threshold) : heat.value;
  heat.doubtful |= nearest > 0 && nearest < 1e-5;
  return heat;
}

/* In 0 … 255, or 0 … 65535. */
static void
color_at (const Frame *frame, const SlHeatLook *look, double heat, double ret[4])
{
  static uint8_t map[SL_COLORMAP_SIZE][3];
  static SlColormap last = SL_COLORMAP_COUNT;
  double rgb[3], full = frame->layout->bits == 8 ? 255 : 65535;
  if (last != look->colormap)
    sl_colormap_get (last = look->colormap, map);
  double position = fmin (heat, 1) * 255;
  int k = MIN ((int)position, 254);
  for (int c = 0; c < 3; c++)
    rgb[c] = look->style == SL_HEAT_MASK
                 ? (heat >= (double)look->threshold)
                 : (map[k][c] * (k + 1 - position) + map[k + 1][c] * (position - k)) / 255;
  ret[3] = full;
  const SlImageInfo *image = &frame->surface.image;
  SlColorFamily family = frame->layout->family;
  if (family == SL_FAMILY_RGB || (family == SL_FAMILY_ANY && image->matrix == SL_MATRIX_RGB)) {
    for (int c = 0; c < 3; c++)
      ret[c] = rgb[c] * full;
    return;
  }
  /* The recommendations' own figures. */
  bool bt709 = image->matrix == SL_MATRIX_BT709;
  double y = bt709 ? 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
                   : 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  double cb = (rgb[2] - y) / (bt709 ? 1.8556 : 1.772), cr = (rgb[0] - y) / (bt709 ? 1.5748 : 1.402);
  double unit = frame->layout->bits == 8 ? 1 : 256;
  if (image->range == SL_RANGE_LIMITED) {
    ret[0] = (16 + 219 * y) * unit;
    ret[1] = (128 + 224 * cb) * unit;
    ret[2] = (128 + 224 * cr) * unit;
  } else {
    ret[0] = full * y;
    ret[1] = (frame->layout->bits == 8 ? 128 : 32768) + full * cb;
    ret[2] = (frame->layout->bits == 8 ? 128 : 32768) + full * cr;
  }
}

static bool
is_warm (const SlHeatLook *look, Heat heat)
{
  return heat.inside && heat.value >= (double)look->threshold &&
         (look->style == SL_HEAT_MASK || heat.value > 0);
}

static bool
in_part (const SlImageInfo *image, uint32_t x, uint32_t y)
{
  return !image->crop.width || (x >= image->crop.x && x < image->crop.x + image->crop.width &&
                                y >= image->crop.y && y < image->crop.y + image->crop.height);
}

/* Heat of the pixels that share chroma with (x, y): false if one of them stays as it is. */
static bool
block_heat (const Frame *frame, const float *grid, uint32_t w, uint32_t h, const double m[6],
            const SlHeatLook *look, uint32_t x, uint32_t y, double *ret_mean, bool *ret_doubtful)
{
  const SlImageInfo *image = &frame->surface.image;
  uint32_t left = x >> shift_x (frame) << shift_x (frame), wide = 1u << shift_x (frame);
  double sum = 0, n = 0;
  bool all = true;
  *ret_doubtful = false;
  for (uint32_t row = y & ~7u; row < MIN ((y & ~7u) + 8, image->height); row++) {
    if (chroma_row (frame, row) != chroma_row (frame, y))
      continue;
    for (uint32_t column = left; column < MIN (left + wide, image->width); column++) {
      Heat heat = heat_at (grid, w, h, m, look->threshold, column, row);
      bool warm = is_warm (look, heat);
      *ret_doubtful |= heat.doubtful;
      all &= in_part (image, column, row) && (warm || look->style != SL_HEAT_BLEND);
      sum += warm ? fmin (heat.value, 1) : 0;
      n++;
      /* The last block lacks a column: the one before stands for it. */
      if (shift_x (frame) == 1 && column == left && left + 1 == image->width) {
        sum += warm ? fmin (heat.value, 1) : 0;
        n++;
      }
    }
  }
  *ret_mean = sum / n;
  return all;
}

static void
check_sample (const Frame *frame, const SlHeatLook *look, unsigned c, uint32_t x, uint32_t y,
              bool touched, double heat)
{
  size_t at = locate (frame, c, x, y);
  double before = sample_at (frame, frame->before, at), now = sample_at (frame, frame->memory, at);
  double color[4], unit = frame->layout->bits == 8 ? 1 : 257;
  if (!touched) {
    g_assert_cmpfloat (now, ==, before);
    return;
  }
  color_at (frame, look, heat, color);
  double alpha = look->style != SL_HEAT_BLEND ? 1
                 : c == 3                     ? 0
                                              : (double)look->opacity * fmin (heat, 1);
  double wanted = before * (1 - alpha) + color[c] * alpha;
  if (fabs (now - wanted) > TOLERANCE * unit)
    g_error ("%s %ux%u, component %u at %u, %u: %g, wanted %g (was %g, heat %g)",
             format_names[frame->surface.image.format], frame->surface.image.width,
             frame->surface.image.height, c, x, y, now, wanted, before, heat);
}

/* Returns how many pixels changed. */
static size_t
check_frame (const Frame *frame, const float *grid, uint32_t w, uint32_t h, const double m[6],
             const SlHeatLook *look)
{
  const SlImageInfo *image = &frame->surface.image;
  bool has_alpha = frame->layout->unpacked || frame->layout->components[0].step == 4;
  bool shared = shift_x (frame) || shift_y (frame), filled = look->style != SL_HEAT_BLEND;
  size_t n_warm = 0;
  for (uint32_t y = 0; y < image->height; y++)
    for (uint32_t x = 0; x < image->width; x++) {
      Heat heat = heat_at (grid, w, h, m, look->threshold, x, y);
      bool warm = is_warm (look, heat), part = in_part (image, x, y);
      bool touched = part && (warm || filled);
      double value = warm ? heat.value : look->style == SL_HEAT_MASK ? -1 : 0;
      n_warm += touched;
      if (!heat.doubtful) {
        for (unsigned c = 0; c < (shared ? 1 : frame->layout->n_components); c++)
          check_sample (frame, look, c, x, y, touched, value);
        if (has_alpha)
          check_sample (frame, look, 3, x, y, touched, value);
      }
      if (!shared)
        continue;
      double mean;
      bool doubtful;
      touched = block_heat (frame, grid, w, h, m, look, x, y, &mean, &doubtful);
      for (unsigned c = 1; c < 3 && !doubtful; c++)
        check_sample (frame, look, c, x, y, touched, mean);
    }
  return n_warm;
}

/* Bytes that are no pixel's: behind the rows. */
static void
check_padding (const Frame *frame)
{
  g_autofree bool *owned = g_new0 (bool, frame->size);
  const SlImageInfo *image = &frame->surface.image;
  for (uint32_t y = 0; y < image->height; y++)
    for (uint32_t x = 0; x < image->width; x++) {
      for (unsigned c = 0; c < frame->layout->n_components; c++)
        for (unsigned k = 0; k < frame->layout->bits / 8; k++)
          owned[locate (frame, c, x, y) + k] = true;
      if (frame->layout->unpacked || frame->layout->components[0].step == 4)
        for (unsigned k = 0; k < frame->layout->bits / 8; k++)
          owned[locate (frame, 3, x, y) + k] = true;
    }
  for (size_t i = 0; i < frame->size; i++)
    if (!owned[i])
      g_assert_cmpuint (frame->memory[i], ==, frame->before[i]);
}

/* --- Cases --- */

static const uint32_t sizes[][2] = {{1, 1}, {3, 5}, {161, 91}, {64, 48}, {17, 2}};

/* Of a frame of 1 x 1; the tests stretch them. */
static const struct {
  const char *name;
  double m[6];
} placements[] = {
    {"whole", {1, 0, 0, 0, 1, 0}},
    {"middle", {0.5, 0, 0.25, 0, 0.6, 0.2}},
    {"beyond", {1.7, 0, -0.3, 0, 1.4, -0.3}},
    {"mirrored", {-1, 0, 1, 0, 1, 0}},
    {"turned by 90", {0, -1, 1, 1, 0, 0}},
    {"turned by 180", {-1, 0, 1, 0, -1, 1}},
    {"turned by 270", {0, 1, 0, -1, 0, 1}},
    {"turned by 30", {0.7, -0.4, 0.3, 0.4, 0.7, 0}},
};

/* Cold cells at the left, so that there is something to leave alone. */
static void
fill_grid (float *grid, uint32_t w, uint32_t h, GRand *rand)
{
  for (uint32_t j = 0; j < h; j++)
    for (uint32_t i = 0; i < w; i++)
      grid[j * w + i] = i < w / 2 && w > 1 ? 0 : (float)g_rand_double (rand);
}

static void
stretch (const double unit[6], uint32_t width, uint32_t height, double ret[6])
{
  for (int i = 0; i < 3; i++) {
    ret[i] = unit[i] * width;
    ret[i + 3] = unit[i + 3] * height;
  }
}

static void
run_case (const SlHeatSurface *surface, const SlHeatLook *look, unsigned placement, uint32_t w,
          uint32_t h, GRand *rand)
{
  Frame frame = make_frame (surface, rand);
  g_autofree float *grid = g_new (float, w *h);
  double m[6];
  if (frame.layout->unpacked)
    share_chroma (&frame);
  fill_grid (grid, w, h, rand);
  stretch (placements[placement].m, surface->image.width, surface->image.height, m);
  g_assert_true (paint (&frame, grid, w, h, m, look, 1));
  size_t n = check_frame (&frame, grid, w, h, m, look);
  if (surface->image.width > 60 && !surface->image.crop.width)
    g_assert_cmpuint (n, >, 100);
  check_padding (&frame);
  clear_frame (&frame);
}

static void
test_format (gconstpointer data)
{
  SlPixelFormat format = GPOINTER_TO_INT (data);
  const SlFormatLayout *layout = sl_format_layout (format);
  GRand *rand = g_rand_new_with_seed (17);
  unsigned i = 0;
  for (unsigned size = 0; size < G_N_ELEMENTS (sizes); size++)
    for (unsigned placement = 0; placement < G_N_ELEMENTS (placements); placement++)
      for (unsigned style = 0; style < SL_HEAT_STYLE_COUNT; style++, i++) {
        bool rgb = layout->family == SL_FAMILY_RGB || (layout->unpacked && i % 3 == 0);
        SlHeatSurface surface = {
            .image = {.format = format,
                      .width = sizes[size][0],
                      .height = sizes[size][1],
                      .matrix = rgb     ? SL_MATRIX_RGB
                                : i % 2 ? SL_MATRIX_BT709
                                        : SL_MATRIX_BT601,
                      .range = !rgb && i / 2 % 2 ? SL_RANGE_LIMITED : SL_RANGE_FULL},
            .interlaced = i % 5 == 4,
        };
        SlHeatLook look = {.style = style,
                           .colormap = i % SL_COLORMAP_COUNT,
                           .opacity = i % 4 ? 0.6f : 1,
                           .threshold = i % 3 ? 0.35f : 0};
        if (layout->unpacked && !rgb) {
          surface.shift_x = i % 3;
          surface.shift_y = i / 3 % 3;
          surface.whole_rows = i % 7 == 0;
        }
        run_case (&surface, &look, placement, 1 + i % 9, 1 + i % 7, rand);
      }
  g_rand_free (rand);
}

/* Pixels outside of the part stay, and so does chroma that they share. */
static void
test_part (void)
{
  GRand *rand = g_rand_new_with_seed (3);
  for (int format = 0; format < SL_PIXEL_COUNT; format++)
    for (unsigned style = 0; style < SL_HEAT_STYLE_COUNT; style++) {
      bool rgb = sl_format_layout (format)->family == SL_FAMILY_RGB;
      SlHeatSurface surface = {.image = {.format = format,
                                         .width = 61,
                                         .height = 37,
                                         .matrix = rgb ? SL_MATRIX_RGB : SL_MATRIX_BT601,
                                         .crop = {.x = 31, .y = 5, .width = 27, .height = 20}}};
      SlHeatLook look = {.style = style, .colormap = SL_COLORMAP_TURBO, .opacity = 1};
      run_case (&surface, &look, 2, 5, 5, rand);
    }
  g_rand_free (rand);
}

/* A grid without heat leaves every byte; its frame is not even mapped here. */
static void
test_cold (void)
{
  static const float grid[12] = {0};
  const double m[6] = {64, 0, 0, 0, 48, 0};
  const SlHeatLook look = {.style = SL_HEAT_BLEND, .opacity = 1};
  for (int format = 0; format < SL_PIXEL_COUNT; format++) {
    bool rgb = sl_format_layout (format)->family == SL_FAMILY_RGB;
    SlHeatSurface surface = {.image = {.format = format,
                                       .width = 64,
                                       .height = 48,
                                       .matrix = rgb ? SL_MATRIX_RGB : SL_MATRIX_BT601}};
    g_autoptr (SlHeatPainter) painter = sl_heat_painter_new (&surface, 4, 3, m, &look, 1, NULL);
    g_assert_true (sl_heat_paint (painter, grid, &(SlHeatTarget){.unpack = NULL}));
  }
}

/* Values that a broken network could give. */
static void
test_wild_values (void)
{
  const float grid[9] = {NAN, INFINITY, -INFINITY, -3, 5, NAN, 1e30f, -1e30f, 0};
  const double m[6] = {61, 0, 0, 0, 37, 0};
  GRand *rand = g_rand_new_with_seed (4);
  for (int format = 0; format < SL_PIXEL_COUNT; format++)
    for (unsigned style = 0; style < SL_HEAT_STYLE_COUNT; style++) {
      bool rgb = sl_format_layout (format)->family == SL_FAMILY_RGB;
      SlHeatSurface surface = {.image = {.format = format,
                                         .width = 61,
                                         .height = 37,
                                         .matrix = rgb ? SL_MATRIX_RGB : SL_MATRIX_BT601}};
      SlHeatLook look = {.style = style, .opacity = 1, .threshold = 0.5f};
      Frame frame = make_frame (&surface, rand);
      g_assert_true (paint (&frame, grid, 3, 3, m, &look, 1));
      check_padding (&frame);
      clear_frame (&frame);
    }
  g_rand_free (rand);
}

static void
test_threads (void)
{
  GRand *rand = g_rand_new_with_seed (5);
  float grid[35];
  const double m[6] = {0, -200, 190, 170, 0, -3};
  const SlHeatLook look = {.style = SL_HEAT_BLEND, .opacity = 0.7f};
  fill_grid (grid, 7, 5, rand);
  for (int format = 0; format < SL_PIXEL_COUNT; format++) {
    bool rgb = sl_format_layout (format)->family == SL_FAMILY_RGB;
    SlHeatSurface surface = {.image = {.format = format,
                                       .width = 181,
                                       .height = 163,
                                       .matrix = rgb ? SL_MATRIX_RGB : SL_MATRIX_BT601},
                             .shift_x = 1,
                             .shift_y = 1};
    Frame frame = make_frame (&surface, rand);
    g_assert_true (paint (&frame, grid, 7, 5, m, &look, 1));
    g_autofree uint8_t *one = g_memdup2 (frame.memory, frame.size);
    memcpy (frame.memory, frame.before, frame.size);
    g_assert_true (paint (&frame, grid, 7, 5, m, &look, 0));
    g_assert_cmpmem (frame.memory, frame.size, one, frame.size);
    clear_frame (&frame);
  }
  g_rand_free (rand);
}

static gboolean
refuse (void *data, uint32_t row, uint32_t first, uint32_t n, void *ret)
{
  (void)data, (void)row, (void)first, (void)n, (void)ret;
  return FALSE;
}

static void
test_refusals (void)
{
  const SlHeatSurface good = {.image = {.format = SL_PIXEL_UNPACKED_8, .width = 8, .height = 8}};
  const SlHeatLook look = {.style = SL_HEAT_MAP, .opacity = 1};
  const double m[6] = {8, 0, 0, 0, 8, 0};
  const double flat[6] = {8, 8, 0, 8, 8, 0}, broken[6] = {8, NAN, 0, 0, 8, 0};
  const double tiny[6] = {1e-200, 0, 0, 0, 1e-200, 0};
  const float grid[4] = {1, 1, 1, 1};
  SlHeatSurface surface = good;
  SlHeatLook other = look;

#define REFUSED(code, ...)                                        \
  do {                                                            \
    g_autoptr (GError) error = NULL;                              \
    g_assert_null (sl_heat_painter_new (__VA_ARGS__, 1, &error)); \
    g_assert_error (error, SL_ERROR, code);                       \
  } while (0)
  REFUSED (SL_ERROR_LIMIT, &good, 0, 2, m, &look);
  REFUSED (SL_ERROR_LIMIT, &good, 2, SL_HEAT_MAX_GRID + 1, m, &look);
  REFUSED (SL_ERROR_UNSUPPORTED, &good, 2, 2, flat, &look);
  REFUSED (SL_ERROR_UNSUPPORTED, &good, 2, 2, broken, &look);
  REFUSED (SL_ERROR_UNSUPPORTED, &good, 2, 2, tiny, &look);
  other.opacity = 1.5f;
  REFUSED (SL_ERROR_UNSUPPORTED, &good, 2, 2, m, &other);
  other.opacity = NAN;
  REFUSED (SL_ERROR_UNSUPPORTED, &good, 2, 2, m, &other);
  surface.image.width = 0;
  REFUSED (SL_ERROR_LIMIT, &surface, 2, 2, m, &look);
  surface = good;
  surface.image.crop.x = 4;
  surface.image.crop.width = 5;
  surface.image.crop.height = 1;
  REFUSED (SL_ERROR_UNSUPPORTED, &surface, 2, 2, m, &look);
  surface = good;
  surface.image.format = SL_PIXEL_I420; /* with the matrix of RGB */
  REFUSED (SL_ERROR_UNSUPPORTED, &surface, 2, 2, m, &look);
#undef REFUSED

  g_autoptr (SlHeatPainter) painter = sl_heat_painter_new (&good, 2, 2, m, &look, 1, NULL);
  g_assert_false (sl_heat_paint (painter, grid, &(SlHeatTarget){.unpack = refuse}));
}

/* --- Loops --- */

/* Every instruction set gives the baseline's bits, at any length. */
static void
test_loops (void)
{
  const SlHeatLoops *plain = sl_heat_loops (SL_ISA_GENERIC);
  enum { N = 151 };
  uint16_t level[N], pair[2 * N + 1] = {0}, out[2][4 * N], index[4 * N];
  uint8_t bytes[2][4 * N];
  static SlHeatByte byte_table[SL_HEAT_LEVELS * 4];
  static SlHeatWord word_table[SL_HEAT_LEVELS * 4];
  static SlHeatQuad quad_table[SL_HEAT_LEVELS];
  GRand *rand = g_rand_new_with_seed (6);
  const SlHeatScale scale = {.threshold = 0.1f, .gain = 1022, .base = 1.5f, .cold = 1};
  for (int i = 0; i < SL_HEAT_LEVELS * 4; i++) {
    int keep = g_rand_int_range (rand, 0, 257), color = g_rand_int_range (rand, 0, 256);
    byte_table[i] = (SlHeatByte){(int16_t)keep, (int16_t)(color * (256 - keep) + 128 - 32768)};
    word_table[i] = (SlHeatWord){(uint32_t)keep * 128, (uint32_t)(color * (256 - keep)) * 128};
    quad_table[i / 4].keep[i % 4] = (uint16_t)keep;
    quad_table[i / 4].add[i % 4] = (uint16_t)(color * (256 - keep) + 128);
  }
  for (int isa = 0; isa < SL_ISA_COUNT; isa++) {
    const SlHeatLoops *loops = sl_heat_loops (isa);
    if (!sl_isa_supported (isa) || loops == plain)
      continue;
    for (size_t n = 0; n <= N; n = n < 40 ? n + 1 : n + 37) {
      for (size_t i = 0; i < 4 * N; i++) {
        index[i] = (uint16_t)g_rand_int_range (rand, 0, SL_HEAT_LEVELS * 4);
        bytes[0][i] = bytes[1][i] = (uint8_t)g_rand_int (rand);
        out[0][i] = out[1][i] = (uint16_t)g_rand_int (rand);
        pair[i % (2 * N)] = (uint16_t)(g_rand_boolean (rand) * (i % SL_HEAT_LEVELS));
        level[i % N] = index[i] % SL_HEAT_LEVELS;
      }
      for (int k = 0; k < 2; k++) {
        const SlHeatLoops *l = k ? loops : plain;
        uint16_t *ret = out[k];
        l->blend_words (ret, index, word_table, n);
        l->ramp (ret, 0.01f, 0.0123f, &scale, n);
        l->blend_bytes (bytes[k], index, byte_table, n);
        l->blend_quads (bytes[k], level, quad_table, n);
      }
      g_assert_cmpmem (out[0], sizeof out[0], out[1], sizeof out[1]);
      g_assert_cmpmem (bytes[0], sizeof bytes[0], bytes[1], sizeof bytes[1]);
      for (int k = 0; k < 2; k++)
        (k ? loops : plain)->shrink (out[k], pair, pair + 1, n);
      g_assert_cmpmem (out[0], sizeof out[0], out[1], sizeof out[1]);
      for (unsigned lanes = 2; lanes <= 3; lanes++) {
        for (int k = 0; k < 2; k++)
          (k ? loops : plain)->spread (out[k], level, lanes, n);
        g_assert_cmpmem (out[0], sizeof out[0], out[1], sizeof out[1]);
      }
      for (unsigned first = 0; first < 2; first++) {
        for (int k = 0; k < 2; k++)
          (k ? loops : plain)->weave_422 (out[k], pair, level, first, n);
        g_assert_cmpmem (out[0], sizeof out[0], out[1], sizeof out[1]);
      }
      for (int k = 0; k < 2; k++)
        (k ? loops : plain)->weave_444 (out[k], pair, level, n);
      g_assert_cmpmem (out[0], sizeof out[0], out[1], sizeof out[1]);
    }
  }
  g_rand_free (rand);
}

/* --- Colour maps --- */

/* Values of matplotlib 3.11's tables, off the control points. */
static void
test_colormaps (void)
{
  static const struct {
    SlColormap map;
    int index;
    uint8_t rgb[3];
  } known[] = {
      {SL_COLORMAP_VIRIDIS, 2, {69, 4, 87}},       {SL_COLORMAP_VIRIDIS, 33, {71, 46, 124}},
      {SL_COLORMAP_VIRIDIS, 77, {52, 96, 141}},    {SL_COLORMAP_VIRIDIS, 128, {33, 145, 140}},
      {SL_COLORMAP_VIRIDIS, 173, {58, 186, 118}},  {SL_COLORMAP_VIRIDIS, 222, {168, 219, 52}},
      {SL_COLORMAP_VIRIDIS, 253, {248, 230, 33}},  {SL_COLORMAP_TURBO, 2, {51, 24, 74}},
      {SL_COLORMAP_TURBO, 33, {71, 110, 230}},     {SL_COLORMAP_TURBO, 77, {24, 215, 202}},
      {SL_COLORMAP_TURBO, 128, {164, 252, 60}},    {SL_COLORMAP_TURBO, 173, {252, 179, 54}},
      {SL_COLORMAP_TURBO, 222, {212, 51, 5}},      {SL_COLORMAP_TURBO, 253, {129, 6, 2}},
      {SL_COLORMAP_INFERNO, 2, {1, 1, 6}},         {SL_COLORMAP_INFERNO, 33, {35, 12, 76}},
      {SL_COLORMAP_INFERNO, 77, {108, 24, 110}},   {SL_COLORMAP_INFERNO, 128, {188, 55, 84}},
      {SL_COLORMAP_INFERNO, 173, {239, 110, 33}},  {SL_COLORMAP_INFERNO, 222, {249, 199, 47}},
      {SL_COLORMAP_INFERNO, 253, {249, 252, 157}},
  };
  uint8_t map[SL_COLORMAP_SIZE][3];
  for (size_t i = 0; i < G_N_ELEMENTS (known); i++) {
    sl_colormap_get (known[i].map, map);
    for (int c = 0; c < 3; c++)
      g_assert_cmpint (ABS (map[known[i].index][c] - known[i].rgb[c]), <=, 1);
  }

  sl_colormap_get (SL_COLORMAP_JET, map);
  static const uint8_t jet[][3] = {{0, 0, 128}, {0, 0, 255}, {130, 255, 126}, {128, 0, 0}};
  g_assert_cmpmem (map[0], 3, jet[0], 3);
  g_assert_cmpint (map[32][2], >=, 254);
  g_assert_cmpmem (map[128], 3, jet[2], 3);
  g_assert_cmpmem (map[255], 3, jet[3], 3);
  sl_colormap_get (SL_COLORMAP_GREY, map);
  for (int i = 0; i < SL_COLORMAP_SIZE; i++)
    g_assert_true (map[i][0] == i && map[i][1] == i && map[i][2] == i);

  for (int i = 0; i < SL_COLORMAP_COUNT; i++) {
    SlColormap found = SL_COLORMAP_COUNT;
    g_assert_true (sl_colormap_from_name (sl_colormap_get_name (i), &found));
    g_assert_cmpint (found, ==, i);
  }
  SlColormap found = SL_COLORMAP_JET;
  g_assert_false (sl_colormap_from_name ("hot", &found));
  g_assert_cmpint (found, ==, SL_COLORMAP_JET);
}

/* --- Boxes --- */

static void
test_box (void)
{
  double box[4];
  /* Two spots: the hotter is smaller. */
  const float grid[6 * 6] = {
      0, 0, 0, 0,   0,   0, /**/
      0, 1, 0, 0,   0,   0, /**/
      0, 0, 0, 0,   0,   0, /**/
      0, 0, 0, .8f, .8f, 0, /**/
      0, 0, 0, .8f, .8f, 0, /**/
      0, 0, 0, 0,   0,   0, /**/
  };
  g_assert_true (sl_heat_find_box (grid, 6, 6, 0.5f, box));
  /* Where 0.8 has fallen to 0.5, 3/8 of the way to the next centre. */
  g_assert_cmpfloat_with_epsilon (box[0], (3.5 - 0.375) / 6, 0.125 / 6);
  g_assert_cmpfloat_with_epsilon (box[2], (4.5 + 0.375) / 6, 0.125 / 6);
  g_assert_cmpfloat_with_epsilon (box[1], (3.5 - 0.375) / 6, 0.125 / 6);
  g_assert_cmpfloat_with_epsilon (box[3], (4.5 + 0.375) / 6, 0.125 / 6);

  g_assert_true (sl_heat_find_box (grid, 6, 6, 0.9f, box));
  g_assert_cmpfloat (box[0], >, 1.0 / 6);
  g_assert_cmpfloat (box[2], <, 2.0 / 6);
  g_assert_true (sl_heat_find_box (grid, 6, 6, 0, box));
  g_assert_true (box[0] == 0 && box[1] == 0 && box[2] == 1 && box[3] == 1);
  g_assert_false (sl_heat_find_box (grid, 6, 6, 1.5f, box));

  const float one = 1, nan = NAN;
  g_assert_true (sl_heat_find_box (&one, 1, 1, 0.5f, box));
  g_assert_true (box[0] == 0 && box[1] == 0 && box[2] == 1 && box[3] == 1);
  g_assert_false (sl_heat_find_box (&nan, 1, 1, 0.5f, box));
  /* Same size: the hotter one. Corners do not connect. */
  const float corners[4] = {0.7f, 0, 0, 1};
  g_assert_true (sl_heat_find_box (corners, 2, 2, 0.65f, box));
  g_assert_cmpfloat (box[0], >=, 0.5);

  g_autofree float *large = g_new0 (float, 300 * 200);
  for (int j = 50; j < 80; j++)
    for (int i = 100; i < 160; i++)
      large[j * 300 + i] = 1;
  g_assert_true (sl_heat_find_box (large, 300, 200, 0.5f, box));
  const double wanted[4] = {100 / 300.0, 50 / 200.0, 160 / 300.0, 80 / 200.0};
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat_with_epsilon (box[i], wanted[i], 1e-9);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/heat/colormaps", test_colormaps);
  for (int i = 0; i < SL_PIXEL_COUNT; i++) {
    g_autofree char *path = g_strdup_printf ("/image/heat/paint/%s", format_names[i]);
    g_test_add_data_func (path, GINT_TO_POINTER (i), test_format);
  }
  g_test_add_func ("/image/heat/part", test_part);
  g_test_add_func ("/image/heat/cold", test_cold);
  g_test_add_func ("/image/heat/wild-values", test_wild_values);
  g_test_add_func ("/image/heat/threads", test_threads);
  g_test_add_func ("/image/heat/refusals", test_refusals);
  g_test_add_func ("/image/heat/loops", test_loops);
  g_test_add_func ("/image/heat/box", test_box);
  return g_test_run ();
}
