#include "gstslpanel.h"

#include <math.h>
#include <pango/pangocairo.h>

/* Smallest readable text, in pixels. */
#define MIN_TEXT_SIZE 8.0
#define BACKGROUND_ALPHA 0.72
#define TRACK_ALPHA 0.22

/* In units of the text size. */
#define MARGIN 0.6     /* between panel and frame */
#define PADDING 0.5    /* between panel and text */
#define COLUMN_GAP 0.8 /* between label and score */
#define BAR_HEIGHT 0.16
#define BAR_GAP 0.12 /* above a bar */
#define ROW_GAP 0.3
#define CORNER 0.35
#define MIN_WIDTH 7.0
#define TAG_PADDING 0.25

#define BLOCK GST_SL_PATCH_BLOCK

void
gst_sl_panel_row_init (GstSlPanelRow *row, const SlLabel *label)
{
  gboolean share = label->score >= 0 && label->score <= 1;

  row->label = g_utf8_make_valid (label->label, -1);
  row->score = share ? g_strdup_printf ("%.0f %%", label->score * 100)
                     : g_strdup_printf ("%.3g", label->score);
  /* As coarse as the text, so that equal texts mean equal rows. */
  row->fill = round (CLAMP (label->score, 0, 1) * 100) / 100;
}

gboolean
gst_sl_panel_row_equal (const GstSlPanelRow *a, const GstSlPanelRow *b)
{
  return g_str_equal (a->label, b->label) && g_str_equal (a->score, b->score);
}

void
gst_sl_panel_row_clear (GstSlPanelRow *row)
{
  g_clear_pointer (&row->label, g_free);
  g_clear_pointer (&row->score, g_free);
}

static gdouble
get_aspect (const GstVideoInfo *info)
{
  return (gdouble)GST_VIDEO_INFO_PAR_N (info) / MAX (1, GST_VIDEO_INFO_PAR_D (info));
}

static gdouble
get_text_size (const GstSlPanelStyle *style, const GstVideoInfo *info)
{
  gdouble width = GST_VIDEO_INFO_WIDTH (info) * get_aspect (info);

  return MAX (MIN_TEXT_SIZE, style->text_size * MIN (width, GST_VIDEO_INFO_HEIGHT (info)));
}

/* Everything is measured in square pixels and squeezed by `aspect` when it is drawn. */
typedef struct {
  gdouble em; /* text size */
  gdouble aspect;
  gdouble row_height;
  gdouble score_width;
  gdouble width, height;
} Layout;

static PangoLayout *
make_text (cairo_t *cairo, const GstSlPanelStyle *style, gdouble em, const gchar *text,
           gboolean first)
{
  PangoFontDescription *font = pango_font_description_from_string (style->font);
  PangoLayout *layout = pango_cairo_create_layout (cairo);

  pango_font_description_set_absolute_size (font, em * 0.75 * PANGO_SCALE);
  if (first)
    pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description (layout, font);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_text (layout, text, -1);
  pango_font_description_free (font);
  return layout;
}

static gdouble
measure (const GstSlPanelStyle *style, gdouble em, const gchar *text, gboolean first)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_A8, 1, 1);
  cairo_t *cairo = cairo_create (surface);
  PangoLayout *layout = make_text (cairo, style, em, text, first);
  int width;

  pango_layout_get_size (layout, &width, NULL);
  g_object_unref (layout);
  cairo_destroy (cairo);
  cairo_surface_destroy (surface);
  return (gdouble)width / PANGO_SCALE;
}

/* Finds the panel's size. FALSE if nothing readable fits. */
static gboolean
lay_out (const GstSlPanelStyle *style, const GstSlPanelRow *rows, guint n_rows,
         const GstVideoInfo *info, Layout *ret)
{
  gdouble aspect = get_aspect (info), em = get_text_size (style, info);
  gdouble frame_width = GST_VIDEO_INFO_WIDTH (info) * aspect;
  gdouble frame_height = GST_VIDEO_INFO_HEIGHT (info);
  gdouble label_width = 0, score_width = 0;

  for (guint i = 0; i < n_rows; i++) {
    label_width = MAX (label_width, measure (style, em, rows[i].label, i == 0));
    score_width = MAX (score_width, measure (style, em, rows[i].score, i == 0));
  }

  ret->em = em;
  ret->aspect = aspect;
  ret->row_height = em + (style->bars ? (BAR_GAP + BAR_HEIGHT) * em : 0);
  ret->score_width = score_width;
  ret->width = MAX (MIN_WIDTH * em, label_width + COLUMN_GAP * em + score_width) + 2 * PADDING * em;
  ret->width = MIN (ret->width, frame_width - 2 * BLOCK);
  ret->height = n_rows * ret->row_height + (n_rows - 1) * ROW_GAP * em + 2 * PADDING * em;
  return ret->height <= frame_height && ret->width >= score_width + (2 * PADDING + 2) * em;
}

static void
rounded_rectangle (cairo_t *cairo, gdouble x, gdouble y, gdouble width, gdouble height,
                   gdouble radius)
{
  radius = MIN (radius, MIN (width, height) / 2);
  cairo_new_sub_path (cairo);
  cairo_arc (cairo, x + width - radius, y + radius, radius, -G_PI_2, 0);
  cairo_arc (cairo, x + width - radius, y + height - radius, radius, 0, G_PI_2);
  cairo_arc (cairo, x + radius, y + height - radius, radius, G_PI_2, G_PI);
  cairo_arc (cairo, x + radius, y + radius, radius, G_PI, G_PI + G_PI_2);
  cairo_close_path (cairo);
}

static void
draw_text (cairo_t *cairo, PangoLayout *layout, gdouble x, gdouble y, gdouble em)
{
  int height;

  pango_layout_get_size (layout, NULL, &height);
  cairo_move_to (cairo, x, y + (em - (gdouble)height / PANGO_SCALE) / 2);
  pango_cairo_show_layout (cairo, layout);
}

static void
draw_bar (cairo_t *cairo, const GstSlPanelStyle *style, gdouble x, gdouble y, gdouble width,
          gdouble height, gdouble fill)
{
  cairo_set_source_rgba (cairo, 1, 1, 1, TRACK_ALPHA);
  rounded_rectangle (cairo, x, y, width, height, height / 2);
  cairo_fill (cairo);
  if (fill <= 0)
    return;
  cairo_set_source_rgba (cairo, (style->color >> 16 & 0xff) / 255.0,
                         (style->color >> 8 & 0xff) / 255.0, (style->color & 0xff) / 255.0,
                         (style->color >> 24) / 255.0);
  rounded_rectangle (cairo, x, y, MAX (height, width * fill), height, height / 2);
  cairo_fill (cairo);
}

static void
draw_row (cairo_t *cairo, const GstSlPanelStyle *style, const Layout *layout,
          const GstSlPanelRow *row, gboolean first, gdouble y)
{
  g_autoptr (PangoLayout) label = make_text (cairo, style, layout->em, row->label, first);
  g_autoptr (PangoLayout) score = make_text (cairo, style, layout->em, row->score, first);
  gdouble em = layout->em, left = PADDING * em, inner = layout->width - 2 * left;
  gdouble label_room = inner - layout->score_width - COLUMN_GAP * em;
  int score_width;

  pango_layout_set_ellipsize (label, PANGO_ELLIPSIZE_END);
  pango_layout_set_width (label, MAX (1, label_room) * PANGO_SCALE);
  pango_layout_get_size (score, &score_width, NULL);

  cairo_set_source_rgba (cairo, 1, 1, 1, first ? 1 : 0.85);
  draw_text (cairo, label, left, y, em);
  draw_text (cairo, score, left + inner - (gdouble)score_width / PANGO_SCALE, y, em);
  if (style->bars)
    draw_bar (cairo, style, left, y + em * (1 + BAR_GAP), inner, em * BAR_HEIGHT, row->fill);
}

/* A surface for a patch, which begins and ends on whole blocks. */
static cairo_t *
begin_patch (gdouble width, gdouble height, gdouble aspect, GstSlPatch *patch)
{
  cairo_surface_t *surface;
  cairo_t *cairo;

  patch->width = GST_ROUND_UP_N ((gint)ceil (width / aspect), BLOCK);
  patch->height = GST_ROUND_UP_N ((gint)ceil (height), BLOCK);
  surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, patch->width, patch->height);
  cairo = cairo_create (surface);
  cairo_surface_destroy (surface);
  cairo_scale (cairo, 1 / aspect, 1);
  return cairo;
}

static gboolean
end_patch (cairo_t *cairo, GstSlPatch *patch)
{
  cairo_surface_t *surface = cairo_get_target (cairo);
  gsize line = 4 * (gsize)patch->width;
  gboolean ok;

  cairo_surface_flush (surface);
  ok = cairo_status (cairo) == CAIRO_STATUS_SUCCESS;
  if (ok) {
    /* Four bytes a pixel leave nothing to pad. */
    g_assert ((gsize)cairo_image_surface_get_stride (surface) == line);
    patch->pixels =
        gst_buffer_new_memdup (cairo_image_surface_get_data (surface), line * patch->height);
    gst_buffer_add_video_meta (patch->pixels, GST_VIDEO_FRAME_FLAG_NONE,
                               GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, patch->width,
                               patch->height);
  }
  cairo_destroy (cairo);
  return ok;
}

/* Into a corner, a margin away from the frame's edges where there is room for one. */
static void
place_panel (GstSlPanelPosition position, gdouble margin_x, gdouble margin_y,
             const GstVideoInfo *info, GstSlPatch *patch)
{
  gint room_x = MAX (0, GST_VIDEO_INFO_WIDTH (info) - patch->width);
  gint room_y = MAX (0, GST_VIDEO_INFO_HEIGHT (info) - patch->height);

  patch->x = MIN (margin_x, room_x / 2.0);
  patch->y = MIN (margin_y, room_y / 2.0);
  if (position == GST_SL_PANEL_TOP_RIGHT || position == GST_SL_PANEL_BOTTOM_RIGHT)
    patch->x = room_x - patch->x;
  if (position == GST_SL_PANEL_BOTTOM_LEFT || position == GST_SL_PANEL_BOTTOM_RIGHT)
    patch->y = room_y - patch->y;
  patch->x -= patch->x % BLOCK;
  patch->y -= patch->y % BLOCK;
}

gboolean
gst_sl_panel_draw (const GstSlPanelStyle *style, const GstSlPanelRow *rows, guint n_rows,
                   const GstVideoInfo *info, GstSlPatch *ret_patch)
{
  GstSlPatch patch = {0};
  Layout layout;
  cairo_t *cairo;

  /* Lines at the end give way to the frame's height. */
  while (!lay_out (style, rows, n_rows, info, &layout))
    if (--n_rows == 0)
      return FALSE;

  cairo = begin_patch (layout.width, layout.height, layout.aspect, &patch);
  cairo_set_source_rgba (cairo, 0, 0, 0, BACKGROUND_ALPHA);
  rounded_rectangle (cairo, 0, 0, layout.width, layout.height, CORNER * layout.em);
  cairo_fill (cairo);
  for (guint i = 0; i < n_rows; i++)
    draw_row (cairo, style, &layout, &rows[i], i == 0,
              PADDING * layout.em + i * (layout.row_height + ROW_GAP * layout.em));
  place_panel (style->position, MARGIN * layout.em / layout.aspect, MARGIN * layout.em, info,
               &patch);
  if (!end_patch (cairo, &patch))
    return FALSE;
  *ret_patch = patch;
  return TRUE;
}

gboolean
gst_sl_panel_draw_tag (const GstSlPanelStyle *style, const gchar *text, const GstVideoInfo *info,
                       GstSlPatch *ret_patch)
{
  gdouble em = get_text_size (style, info), aspect = get_aspect (info);
  gdouble most = GST_VIDEO_INFO_WIDTH (info) * aspect - 2 * BLOCK;
  gdouble padding = TAG_PADDING * em, width = measure (style, em, text, FALSE) + 2 * padding;
  GstSlPatch patch = {0};
  PangoLayout *layout;
  cairo_t *cairo;

  if (most < MIN (width, 3 * em) || em > GST_VIDEO_INFO_HEIGHT (info))
    return FALSE; /* hardly a letter would be left */
  width = MIN (width, most);
  cairo = begin_patch (width, em, aspect, &patch);
  cairo_set_source_rgba (cairo, 0, 0, 0, BACKGROUND_ALPHA);
  cairo_paint (cairo);
  layout = make_text (cairo, style, em, text, FALSE);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_width (layout, ceil (width - 2 * padding) * PANGO_SCALE);
  cairo_set_source_rgb (cairo, 1, 1, 1);
  draw_text (cairo, layout, padding, 0, em);
  g_object_unref (layout);
  if (!end_patch (cairo, &patch))
    return FALSE;
  *ret_patch = patch;
  return TRUE;
}
