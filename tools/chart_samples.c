/* A grid of samples that a network took rightly and wrongly. */
#include "chart.h"
#include "evaluation.h"

#include <math.h>
#include <string.h>

#define COLUMNS 8u
#define ROWS_RIGHT 2u
#define ROWS_WRONG 4u
#define TILE 96.0
#define CAPTION 30.0
#define GAP 10.0
#define MARGIN 16.0
#define HEADING 30.0
#define MAX_PICTURE 192u

#define RIGHT_COLOR 0x2e8b57
#define WRONG_COLOR 0xc0392b

typedef struct {
  guint64 row; /* of the scores */
  guint32 best;
  double confidence;
  cairo_surface_t *picture;
} Tile;

typedef struct {
  GArray *right, *wrong; /* Tile */
  const ToolScores *scores;
  const char *const *labels;
} Grid;

static Tile
judge (const ToolScores *scores, guint64 row, double temperature)
{
  const float *logits = scores->logits + row * scores->n_classes;
  Tile tile = {.row = row};
  tile.confidence = sl_metrics_get_best (logits, scores->n_classes, temperature, &tile.best);
  return tile;
}

static gint
compare_confidence (gconstpointer a, gconstpointer b)
{
  const Tile *x = a, *y = b;
  if (x->confidence != y->confidence)
    return x->confidence > y->confidence ? -1 : 1;
  return x->row < y->row ? -1 : x->row > y->row;
}

/* As the frame is viewed, at most MAX_PICTURE pixels a side. */
static cairo_surface_t *
load_picture (SlSampleSource *source, guint32 index)
{
  SlSample sample;
  SlPreprocess rules;
  if (!sl_sample_source_load (source, index, &sample, NULL))
    return NULL;
  const guint32 w = sample.info.width, h = sample.info.height;
  const gboolean on_side = sample.info.orientation >= 5;
  const guint32 side = MIN (MAX (w, h), MAX_PICTURE);
  sl_preprocess_init (&rules,
                      on_side ? MAX (1, side * h / MAX (w, h)) : MAX (1, side * w / MAX (w, h)),
                      on_side ? MAX (1, side * w / MAX (w, h)) : MAX (1, side * h / MAX (w, h)), 3);
  const gsize pixels = (gsize)rules.width * rules.height;
  const ptrdiff_t strides[3] = {(ptrdiff_t)pixels, rules.width, 1};
  g_autofree float *planes = g_new0 (float, pixels * 3);
  g_autofree guint8 *rgb = g_malloc (pixels * 3);
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&sample.info, &rules, 1, NULL);
  gboolean good = sampler && sl_image_sample (sampler, &sample.image, planes, strides);
  sl_sample_source_release (source, &sample);
  if (!good)
    return NULL;
  sl_preprocess_to_rgb (&rules, planes, strides, rgb);
  return tool_chart_new_picture (rgb, rules.width, rules.height);
}

static void
draw_tile (cairo_t *cairo, const Grid *grid, const Tile *tile, guint32 color)
{
  const guint32 truth = grid->scores->labels[tile->row];
  const char *const said = grid->labels[tile->best], *const is = grid->labels[truth];
  g_autofree char *first = g_strdup_printf ("%s %.0f %%", said, floor (100 * tile->confidence));
  g_autofree char *second = g_strdup_printf ("is %s", is);
  tool_chart_set_color (cairo, 0xf2f2f2);
  cairo_rectangle (cairo, 0, 0, TILE, TILE);
  cairo_fill (cairo);
  if (tile->picture)
    tool_chart_draw_picture (cairo, tile->picture, TILE);
  tool_chart_set_color (cairo, color);
  cairo_set_line_width (cairo, 2);
  cairo_rectangle (cairo, 0, 0, TILE, TILE);
  cairo_stroke (cairo);
  cairo_set_font_size (cairo, 10.5);
  tool_chart_text (cairo, 0, TILE + 13, TOOL_ALIGN_LEFT, TILE, first);
  tool_chart_set_color (cairo, 0x555555);
  if (tile->best != truth)
    tool_chart_text (cairo, 0, TILE + 25, TOOL_ALIGN_LEFT, TILE, second);
}

static double
draw_tiles (cairo_t *cairo, const Grid *grid, const GArray *tiles, const char *heading,
            guint32 color)
{
  cairo_save (cairo);
  tool_chart_set_color (cairo, 0x222222);
  cairo_set_font_size (cairo, 14);
  tool_chart_text (cairo, 0, HEADING - 12, TOOL_ALIGN_LEFT, 0, heading);
  for (guint i = 0; i < tiles->len; i++) {
    cairo_save (cairo);
    cairo_translate (cairo, (i % COLUMNS) * (TILE + GAP),
                     HEADING + i / COLUMNS * (TILE + CAPTION + GAP));
    draw_tile (cairo, grid, &g_array_index (tiles, Tile, i), color);
    cairo_restore (cairo);
  }
  cairo_restore (cairo);
  return HEADING + (tiles->len + COLUMNS - 1) / COLUMNS * (TILE + CAPTION + GAP);
}

static void
draw (cairo_t *cairo, double width, double height, const void *data)
{
  const Grid *grid = data;
  cairo_set_source_rgb (cairo, 1, 1, 1);
  cairo_paint (cairo);
  cairo_select_font_face (cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_translate (cairo, MARGIN, MARGIN);
  if (grid->right->len > 0)
    cairo_translate (cairo, 0, draw_tiles (cairo, grid, grid->right, "right", RIGHT_COLOR));
  if (grid->wrong->len > 0)
    draw_tiles (cairo, grid, grid->wrong, "wrong, the surest first", WRONG_COLOR);
}

/* `n` of them spread evenly, or the first; with their pictures. */
static void
keep (GArray *tiles, guint n, gboolean spread, SlSampleSource *source, const ToolScores *scores)
{
  const guint all = tiles->len;
  for (guint i = 0; i < MIN (n, all); i++) {
    const guint from = spread && all > n ? (guint)((guint64)i * all / n) : i;
    g_array_index (tiles, Tile, i) = g_array_index (tiles, Tile, from);
  }
  g_array_set_size (tiles, MIN (n, all));
  for (guint i = 0; i < tiles->len; i++) {
    Tile *tile = &g_array_index (tiles, Tile, i);
    tile->picture = load_picture (source, scores->indices[tile->row]);
  }
}

static void
clear_tile (void *data)
{
  g_clear_pointer (&((Tile *)data)->picture, cairo_surface_destroy);
}

gboolean
tool_evaluation_write_samples (const char *path, SlSampleSource *source, const ToolScores *scores,
                               const char *const *labels, double temperature, GError **error)
{
  g_autoptr (GArray) right = g_array_new (FALSE, FALSE, sizeof (Tile));
  g_autoptr (GArray) wrong = g_array_new (FALSE, FALSE, sizeof (Tile));
  for (guint64 i = 0; i < scores->n; i++) {
    const Tile tile = judge (scores, i, temperature);
    g_array_append_val (tile.best == scores->labels[i] ? right : wrong, tile);
  }
  g_array_sort (wrong, compare_confidence);
  keep (right, COLUMNS * ROWS_RIGHT, TRUE, source, scores);
  keep (wrong, COLUMNS * ROWS_WRONG, FALSE, source, scores);
  g_array_set_clear_func (right, clear_tile);
  g_array_set_clear_func (wrong, clear_tile);

  const Grid grid = {right, wrong, scores, labels};
  const double width = 2 * MARGIN + COLUMNS * (TILE + GAP) - GAP;
  double height = 2 * MARGIN;
  GArray *const both[] = {right, wrong};
  for (guint i = 0; i < G_N_ELEMENTS (both); i++)
    if (both[i]->len > 0)
      height += HEADING + (both[i]->len + COLUMNS - 1) / COLUMNS * (TILE + CAPTION + GAP);
  return tool_chart_write (path, width, height, draw, &grid, error);
}
