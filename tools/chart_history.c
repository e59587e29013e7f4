/* Curves of a training run. */
#include "chart.h"

#include <math.h>
#include <stdio.h>

#define PANEL_WIDTH 420.0
#define PANEL_HEIGHT 300.0
#define TOP 44.0
#define LEFT 58.0
#define RIGHT 14.0
#define BELOW 40.0
#define TICKS 5 /* about so many */

#define INK 0x222222
#define GREY 0x777777
#define GRID 0xdddddd
#define TRAINING 0x1f77b4
#define VALIDATION 0xd9601a
#define RATE 0x2e8b57

typedef struct {
  const char *title;
  size_t train, validation; /* offsets in SlEpoch; validation 0: none */
  guint32 color;
  gboolean from_zero; /* the axis starts at 0 */
  gboolean up_to_one; /* and ends at 1 at most */
} Panel;

static const Panel panels[] = {
    {"loss", offsetof (SlEpoch, loss), offsetof (SlEpoch, val_loss), TRAINING, TRUE, FALSE},
    {"accuracy", offsetof (SlEpoch, accuracy), offsetof (SlEpoch, val_accuracy), TRAINING, FALSE,
     TRUE},
    {"learning rate", offsetof (SlEpoch, rate), 0, RATE, TRUE, FALSE},
};

typedef struct {
  const SlHistory *history;
  const char *title;
} Curves;

typedef struct {
  double low, high, step;
} Axis;

static double
get (const SlHistory *history, guint index, size_t offset)
{
  return *(const double *)((const char *)sl_history_get (history, index) + offset);
}

static gboolean
has_values (const SlHistory *history, size_t offset)
{
  for (guint i = 0; offset && i < sl_history_get_n (history); i++)
    if (isfinite (get (history, i, offset)))
      return TRUE;
  return FALSE;
}

/* 1, 2 or 5 times a power of ten. */
static double
choose_step (double span)
{
  const double rough = span / TICKS, power = pow (10, floor (log10 (rough)));
  const double part = rough / power;
  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

static Axis
make_axis (const SlHistory *history, const Panel *panel)
{
  double low = INFINITY, high = -INFINITY;
  for (guint i = 0; i < sl_history_get_n (history); i++) {
    const double values[] = {get (history, i, panel->train),
                             panel->validation ? get (history, i, panel->validation) : NAN};
    for (guint k = 0; k < G_N_ELEMENTS (values); k++)
      if (isfinite (values[k])) {
        low = MIN (low, values[k]);
        high = MAX (high, values[k]);
      }
  }
  if (panel->from_zero)
    low = MIN (low, 0);
  if (high <= low) {
    low -= panel->from_zero ? 0 : 0.05;
    high += high == 0 ? 1 : 0.05 * fabs (high);
  }
  const double step = choose_step (high - low);
  Axis axis = {floor (low / step) * step, ceil (high / step) * step, step};
  if (panel->up_to_one)
    axis.high = MIN (axis.high, 1);
  return axis;
}

static double
place_x (const SlHistory *history, guint index)
{
  const guint n = sl_history_get_n (history);
  const double width = PANEL_WIDTH - LEFT - RIGHT;
  return n > 1 ? LEFT + width * index / (n - 1) : LEFT + width / 2;
}

static double
place_y (const Axis *axis, double value)
{
  const double height = PANEL_HEIGHT - TOP - BELOW;
  return TOP + height * (axis->high - value) / (axis->high - axis->low);
}

static void
draw_grid (cairo_t *cairo, const SlHistory *history, const Axis *axis)
{
  const guint n = sl_history_get_n (history);
  const guint every = MAX (1, (guint)choose_step (n));
  char text[32];
  cairo_set_line_width (cairo, 1);
  cairo_set_font_size (cairo, 11);
  for (gint i = 0; axis->low + i * axis->step <= axis->high + axis->step / 1e6; i++) {
    const double value = axis->low + i * axis->step, y = place_y (axis, value);
    tool_chart_set_color (cairo, GRID);
    cairo_move_to (cairo, LEFT, y);
    cairo_line_to (cairo, PANEL_WIDTH - RIGHT, y);
    cairo_stroke (cairo);
    tool_chart_set_color (cairo, GREY);
    snprintf (text, sizeof text, "%.4g", fabs (value) < axis->step / 1e6 ? 0 : value);
    tool_chart_text (cairo, LEFT - 6, y + 4, TOOL_ALIGN_RIGHT, 0, text);
  }
  for (guint i = 0; i < n; i++) {
    const gint64 epoch = sl_history_get (history, i)->epoch;
    if (epoch % every && n > 1)
      continue;
    snprintf (text, sizeof text, "%" G_GINT64_FORMAT, epoch);
    tool_chart_text (cairo, place_x (history, i), PANEL_HEIGHT - BELOW + 16, TOOL_ALIGN_MIDDLE, 0,
                     text);
  }
  tool_chart_text (cairo, (LEFT + PANEL_WIDTH - RIGHT) / 2, PANEL_HEIGHT - BELOW + 32,
                   TOOL_ALIGN_MIDDLE, 0, "epoch");
}

static void
draw_curve (cairo_t *cairo, const SlHistory *history, const Axis *axis, size_t offset,
            guint32 color)
{
  const guint n = sl_history_get_n (history);
  gboolean is_drawing = FALSE;
  tool_chart_set_color (cairo, color);
  cairo_set_line_width (cairo, 2);
  cairo_set_line_join (cairo, CAIRO_LINE_JOIN_ROUND);
  cairo_new_path (cairo);
  for (guint i = 0; i < n; i++) {
    const double value = get (history, i, offset);
    if (isfinite (value) && is_drawing)
      cairo_line_to (cairo, place_x (history, i), place_y (axis, value));
    else if (isfinite (value))
      cairo_move_to (cairo, place_x (history, i), place_y (axis, value));
    is_drawing = isfinite (value);
  }
  cairo_stroke (cairo);
  for (guint i = 0; n <= 30 && i < n; i++) {
    const double value = get (history, i, offset);
    if (!isfinite (value))
      continue;
    cairo_arc (cairo, place_x (history, i), place_y (axis, value), 2.6, 0, 2 * G_PI);
    cairo_fill (cairo);
  }
}

/* Marks the best epoch: the last one that was better than all before it. */
static void
draw_best (cairo_t *cairo, const SlHistory *history, const Axis *axis, size_t offset, guint32 color)
{
  for (guint i = sl_history_get_n (history); i-- > 0;) {
    const double value = get (history, i, offset);
    if (!sl_history_get (history, i)->best || !isfinite (value))
      continue;
    tool_chart_set_color (cairo, color);
    cairo_set_line_width (cairo, 1.5);
    cairo_new_path (cairo);
    cairo_arc (cairo, place_x (history, i), place_y (axis, value), 6, 0, 2 * G_PI);
    cairo_stroke (cairo);
    return;
  }
}

static double
draw_key (cairo_t *cairo, double x, guint32 color, const char *text)
{
  tool_chart_set_color (cairo, color);
  cairo_rectangle (cairo, x, TOP - 15, 14, 3);
  cairo_fill (cairo);
  tool_chart_set_color (cairo, INK);
  cairo_set_font_size (cairo, 11);
  tool_chart_text (cairo, x + 18, TOP - 10, TOOL_ALIGN_LEFT, 0, text);
  return x + 18 + 7.0 * (double)g_utf8_strlen (text, -1);
}

static void
draw_panel (cairo_t *cairo, const SlHistory *history, const Panel *panel)
{
  const Axis axis = make_axis (history, panel);
  const gboolean has_validation = has_values (history, panel->validation);
  tool_chart_set_color (cairo, INK);
  cairo_set_font_size (cairo, 13);
  tool_chart_text (cairo, LEFT, TOP - 10, TOOL_ALIGN_LEFT, 0, panel->title);
  if (panel->validation) {
    const double x = draw_key (cairo, LEFT + 110, panel->color, "training");
    if (has_validation)
      draw_key (cairo, x + 14, VALIDATION, "validation");
  }
  draw_grid (cairo, history, &axis);
  draw_curve (cairo, history, &axis, panel->train, panel->color);
  if (has_validation)
    draw_curve (cairo, history, &axis, panel->validation, VALIDATION);
  if (panel->validation)
    draw_best (cairo, history, &axis, has_validation ? panel->validation : panel->train,
               has_validation ? VALIDATION : panel->color);
}

static void
draw (cairo_t *cairo, double width, double height, const void *data)
{
  const Curves *curves = data;
  cairo_set_source_rgb (cairo, 1, 1, 1);
  cairo_paint (cairo);
  cairo_select_font_face (cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  tool_chart_set_color (cairo, INK);
  cairo_set_font_size (cairo, 15);
  tool_chart_text (cairo, LEFT, 24, TOOL_ALIGN_LEFT, width - 2 * LEFT, curves->title);
  cairo_translate (cairo, 0, 24);
  for (guint i = 0; i < G_N_ELEMENTS (panels); i++) {
    if (!has_values (curves->history, panels[i].train))
      continue;
    draw_panel (cairo, curves->history, &panels[i]);
    cairo_translate (cairo, PANEL_WIDTH, 0);
  }
}

gboolean
tool_chart_write_history (const char *path, const SlHistory *history, const char *title,
                          GError **error)
{
  const Curves curves = {history, title};
  guint n = 0;
  for (guint i = 0; i < G_N_ELEMENTS (panels); i++)
    n += has_values (history, panels[i].train);
  return tool_chart_write (path, PANEL_WIDTH * MAX (n, 1), PANEL_HEIGHT + 24, draw, &curves, error);
}
