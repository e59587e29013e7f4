#include "sheet.h"

#include "chart.h"

#define MAX_ROWS 24
#define USUAL_INPUT 224
#define LEAST_CELL 96 /* pixels; smaller pictures are enlarged by a whole number */
#define GAP 4
#define TEXT_HEIGHT 12
#define LABEL_WIDTH 150

typedef struct Sheet {
  SlPreprocess rules;
  SlSampleSource *source; /* the rows' samples */
  uint32_t n_rows, n_columns, cell;
  cairo_surface_t *surface;
  cairo_t *cairo;
} Sheet;

/* Samples to show: the same number of each class, from all over it. */
static SlSampleSource *
choose_rows (SlSampleSource *source, GError **error)
{
  uint32_t n = sl_sample_source_get_n_samples (source);
  uint32_t n_classes = sl_sample_source_get_n_classes (source);
  uint32_t each = MAX (1, MIN (4, MAX_ROWS / 2 / n_classes)), n_rows = 0, rows[MAX_ROWS];
  g_autofree uint32_t *counts = g_new (uint32_t, n_classes);
  sl_sample_source_count (source, counts);
  for (uint32_t c = 0; c < n_classes; c++) {
    uint32_t wanted = MIN (each, counts[c]), k = 0, seen = 0;
    for (uint32_t i = 0; i < n && k < wanted && n_rows < MAX_ROWS; i++)
      if (sl_sample_source_get_label (source, i) == c &&
          seen++ == (guint64)counts[c] * k / wanted) {
        rows[n_rows++] = i;
        k++;
      }
  }
  return sl_sample_source_new_subset (source, rows, n_rows, error);
}

/* The pictures' own size if they are small, else what networks usually take. */
static gboolean
init_rules (Sheet *sheet, uint32_t size, GError **error)
{
  SlSample sample;
  if (!sl_sample_source_load (sheet->source, 0, &sample, error))
    return FALSE;
  uint32_t own = MIN (sample.info.width, sample.info.height);
  sl_preprocess_init (&sheet->rules, size ? size : MIN (own, USUAL_INPUT),
                      size ? size : MIN (own, USUAL_INPUT),
                      sample.info.format == SL_PIXEL_GRAY8 ? 1 : 3);
  sheet->rules.resize = SL_RESIZE_CROP;
  sl_sample_source_release (sheet->source, &sample);
  uint32_t input = sheet->rules.width;
  sheet->cell = input * ((LEAST_CELL + input - 1) / input);
  return TRUE;
}

static void
draw_text (const Sheet *sheet, double x, double y, double width, const char *text)
{
  cairo_text_extents_t extents;
  g_autofree char *valid = g_utf8_make_valid (text, -1), *shown = g_strdup (valid);
  cairo_save (sheet->cairo);
  cairo_rectangle (sheet->cairo, x, y, width, TEXT_HEIGHT + 6);
  cairo_clip (sheet->cairo);
  cairo_text_extents (sheet->cairo, shown, &extents);
  /* what does not fit loses its beginning: the end tells files apart */
  for (glong cut = 1; extents.x_advance > width && cut < g_utf8_strlen (valid, -1); cut++) {
    g_free (shown);
    shown = g_strconcat ("…", g_utf8_offset_to_pointer (valid, cut), NULL);
    cairo_text_extents (sheet->cairo, shown, &extents);
  }
  cairo_move_to (sheet->cairo, x, y + TEXT_HEIGHT);
  cairo_show_text (sheet->cairo, shown);
  cairo_restore (sheet->cairo);
}

static void
draw_picture (const Sheet *sheet, uint32_t row, uint32_t column, const guint8 *rgb)
{
  cairo_surface_t *picture = tool_chart_new_picture (rgb, sheet->rules.width, sheet->rules.height);
  cairo_save (sheet->cairo);
  cairo_translate (sheet->cairo, LABEL_WIDTH + column * (sheet->cell + GAP),
                   TEXT_HEIGHT + 2 * GAP + row * (sheet->cell + GAP));
  tool_chart_draw_picture (sheet->cairo, picture, sheet->cell);
  cairo_restore (sheet->cairo);
  cairo_surface_destroy (picture);
}

/* One batch of all rows into columns first … first + n - 1, a column an epoch. */
static gboolean
draw_columns (const Sheet *sheet, const SlAugment *augment, guint64 seed, uint32_t first,
              uint32_t n, GError **error)
{
  const SlLoaderOptions options = {
      .rules = &sheet->rules, .batch = sheet->n_rows, .seed = seed, .augment = augment};
  g_autoptr (SlLoader) loader = sl_loader_new (sheet->source, &options, error);
  if (!loader)
    return FALSE;
  ptrdiff_t width = sheet->rules.width, pixels = width * (ptrdiff_t)sheet->rules.height;
  ptrdiff_t channels = (ptrdiff_t)sheet->rules.channels;
  g_autofree float *input = g_new (float, (gsize)(pixels * channels) * sheet->n_rows);
  g_autofree guint8 *rgb = g_new (guint8, (gsize)pixels * 3);
  const SlTensorView view = {
      .dtype = SL_FLOAT32,
      .shape = SL_SHAPE (sheet->n_rows, channels, sheet->rules.height, width),
      .stride = {pixels * channels, pixels, width, 1},
      .data = input,
  };
  for (uint32_t column = first; column < first + n; column++) {
    SlBatch batch;
    if (!sl_loader_next (loader, &view, NULL, &batch, error))
      return FALSE;
    for (uint32_t row = 0; row < batch.n; row++) {
      sl_preprocess_to_rgb (&sheet->rules, input + pixels * channels * (ptrdiff_t)row,
                            &view.stride[1], rgb);
      draw_picture (sheet, batch.indices[row], column, rgb);
    }
  }
  return TRUE;
}

static void
draw_labels (const Sheet *sheet)
{
  const char *const *names = sl_sample_source_get_class_names (sheet->source);
  const double x = GAP, step = sheet->cell + GAP;
  cairo_set_source_rgb (sheet->cairo, 1, 1, 1);
  cairo_paint (sheet->cairo);
  cairo_select_font_face (sheet->cairo, "sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_source_rgb (sheet->cairo, 0, 0, 0);
  cairo_set_font_size (sheet->cairo, TEXT_HEIGHT);
  draw_text (sheet, LABEL_WIDTH, 0, sheet->cell, "as it is");
  draw_text (sheet, LABEL_WIDTH + step, 0, step * (sheet->n_columns - 1), "augmented");
  for (uint32_t row = 0; row < sheet->n_rows; row++) {
    g_autofree char *file = sl_sample_source_describe (sheet->source, row);
    g_autofree char *base = g_path_get_basename (file);
    double y = TEXT_HEIGHT + 2 * GAP + row * step;
    draw_text (sheet, x, y, LABEL_WIDTH - 2 * GAP,
               names[sl_sample_source_get_label (sheet->source, row)]);
    cairo_set_source_rgb (sheet->cairo, 0.45, 0.45, 0.45);
    draw_text (sheet, x, y + TEXT_HEIGHT + GAP, LABEL_WIDTH - 2 * GAP, base);
    cairo_set_source_rgb (sheet->cairo, 0, 0, 0);
  }
}

gboolean
tool_sheet_write (SlSampleSource *source, const SlRecipe *recipe, const SheetOptions *options,
                  const char *path, GError **error)
{
  SlAugment augment;
  Sheet sheet = {.source = choose_rows (source, error), .n_columns = options->n_copies + 1};
  if (!sheet.source)
    return FALSE;
  gboolean good = init_rules (&sheet, options->size, error);
  if (good) {
    sheet.n_rows = sl_sample_source_get_n_samples (sheet.source);
    sheet.surface = cairo_image_surface_create (
        CAIRO_FORMAT_RGB24, LABEL_WIDTH + (int)(sheet.n_columns * (sheet.cell + GAP)),
        TEXT_HEIGHT + 2 * GAP + (int)(sheet.n_rows * (sheet.cell + GAP)));
    sheet.cairo = cairo_create (sheet.surface);
    draw_labels (&sheet);
    sl_recipe_get_augment (recipe, &sheet.rules, &augment);
    good = draw_columns (&sheet, NULL, 0, 0, 1, error) &&
           draw_columns (&sheet, &augment, options->seed, 1, options->n_copies, error) &&
           tool_chart_write_surface (path, sheet.surface, error);
    cairo_destroy (sheet.cairo);
    cairo_surface_destroy (sheet.surface);
  }
  sl_sample_source_unref (sheet.source);
  return good;
}
