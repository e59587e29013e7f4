/* A table of confusions as a picture. */
#include "chart.h"

#include <stdio.h>

#define CELL 34.0
#define SMALLEST_CELL 4.0
#define LARGEST_TABLE 900.0
#define TOP 70.0
/* Beside the table: labels as long as they are, up to a limit, and the axis's name. */
#define MARGIN 34.0
#define LETTER 7.5
#define LONGEST_LABEL 90.0
#define RIGHT 24.0
/* Numbers and labels need room. */
#define SMALLEST_WITH_NUMBERS 24.0
#define SMALLEST_WITH_LABELS 9.0

typedef struct {
  const SlMetrics *metrics;
  const char *const *labels;
  const char *title;
  double cell;
  double label; /* room for one */
} Table;

/* White to blue, with the part of the row's samples. */
static void
set_heat (cairo_t *cairo, double part)
{
  cairo_set_source_rgb (cairo, 1 - 0.88 * part, 1 - 0.62 * part, 1 - 0.29 * part);
}

static char *
get_label (const Table *table, guint index)
{
  return table->labels ? g_strdup (table->labels[index]) : g_strdup_printf ("%u", index);
}

static void
draw_cells (cairo_t *cairo, const Table *table)
{
  const SlMetrics *metrics = table->metrics;
  const guint n = metrics->n_classes;
  const double cell = table->cell;
  cairo_set_font_size (cairo, cell * 0.32);
  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < n; j++) {
      const guint64 count = metrics->confusion[(gsize)i * n + j];
      const guint64 all = metrics->classes[i].support;
      const double part = all ? (double)count / (double)all : 0;
      set_heat (cairo, part);
      cairo_rectangle (cairo, j * cell, i * cell, cell, cell);
      cairo_fill (cairo);
      if (cell < SMALLEST_WITH_NUMBERS || count == 0)
        continue;
      char text[32];
      snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, count);
      tool_chart_set_color (cairo, part > 0.5 ? 0xffffff : 0x222222);
      tool_chart_text (cairo, (j + 0.5) * cell, (i + 0.61) * cell, TOOL_ALIGN_MIDDLE, cell - 2,
                       text);
    }
  tool_chart_set_color (cairo, 0xbbbbbb);
  cairo_set_line_width (cairo, 1);
  cairo_rectangle (cairo, 0, 0, n * cell, n * cell);
  cairo_stroke (cairo);
}

static void
draw_labels (cairo_t *cairo, const Table *table)
{
  const double cell = table->cell, size = MIN (12, cell * 0.8);
  if (cell < SMALLEST_WITH_LABELS)
    return;
  cairo_set_font_size (cairo, size);
  tool_chart_set_color (cairo, 0x222222);
  for (guint i = 0; i < table->metrics->n_classes; i++) {
    g_autofree char *label = get_label (table, i);
    tool_chart_text (cairo, -6, (i + 0.5) * cell + size * 0.36, TOOL_ALIGN_RIGHT, table->label,
                     label);
    cairo_save (cairo);
    cairo_translate (cairo, (i + 0.5) * cell + size * 0.36, table->metrics->n_classes * cell + 6);
    cairo_rotate (cairo, -G_PI / 2);
    tool_chart_text (cairo, 0, 0, TOOL_ALIGN_RIGHT, table->label, label);
    cairo_restore (cairo);
  }
}

static void
draw (cairo_t *cairo, double width, double height, const void *data)
{
  const Table *table = data;
  const double side = table->metrics->n_classes * table->cell;
  cairo_set_source_rgb (cairo, 1, 1, 1);
  cairo_paint (cairo);
  cairo_select_font_face (cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  tool_chart_set_color (cairo, 0x222222);
  cairo_set_font_size (cairo, 15);
  tool_chart_text (cairo, 16, 26, TOOL_ALIGN_LEFT, width - 32, table->title);
  cairo_set_font_size (cairo, 12);
  tool_chart_set_color (cairo, 0x777777);
  tool_chart_text (cairo, 16, 46, TOOL_ALIGN_LEFT, width - 32,
                   "samples by class; shade: part of the row");
  const double left = MARGIN + table->label;
  tool_chart_text (cairo, left + side / 2, TOP + side + left - 8, TOOL_ALIGN_MIDDLE, 0,
                   "predicted");
  cairo_save (cairo);
  cairo_translate (cairo, 20, TOP + side / 2);
  cairo_rotate (cairo, -G_PI / 2);
  tool_chart_text (cairo, 0, 0, TOOL_ALIGN_MIDDLE, 0, "true");
  cairo_restore (cairo);
  cairo_translate (cairo, left, TOP);
  draw_cells (cairo, table);
  draw_labels (cairo, table);
}

gboolean
tool_chart_write_confusion (const char *path, const SlMetrics *metrics, const char *const *labels,
                            const char *title, GError **error)
{
  const double n = metrics->n_classes;
  const double cell = MAX (MIN (CELL, LARGEST_TABLE / n), SMALLEST_CELL);
  Table table = {metrics, labels, title, cell, 0};
  for (guint32 i = 0; i < metrics->n_classes; i++) {
    g_autofree char *label = get_label (&table, i);
    table.label = MAX (table.label, LETTER * (double)g_utf8_strlen (label, -1));
  }
  table.label = MIN (table.label, LONGEST_LABEL);
  const double left = MARGIN + table.label;
  return tool_chart_write (path, MAX (left + n * cell + RIGHT, 360), TOP + n * cell + left, draw,
                           &table, error);
}
