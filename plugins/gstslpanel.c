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

/* Panels begin on whole chroma samples, so that blending touches no pixel outside of them. */
#define ALIGNMENT 4

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
measure (cairo_t *cairo, const GstSlPanelStyle *style, gdouble em, const gchar *text,
         gboolean first)
{
  g_autoptr (PangoLayout) layout = make_text (cairo, style, em, text, first);
  int width;

  pango_layout_get_size (layout, &width, NULL);
  return (gdouble)width / PANGO_SCALE;
}

/* Finds the panel's size. FALSE if nothing readable fits. */
static gboolean
lay_out (const GstSlPanelStyle *style, const GstSlPanelRow *rows, guint n_rows,
         const GstVideoInfo *info, Layout *ret)
{
  gdouble aspect = (gdouble)GST_VIDEO_INFO_PAR_N (info) / MAX (1, GST_VIDEO_INFO_PAR_D (info));
  gdouble frame_width = GST_VIDEO_INFO_WIDTH (info) * aspect;
  gdouble frame_height = GST_VIDEO_INFO_HEIGHT (info);
  gdouble em = MAX (MIN_TEXT_SIZE, style->text_size * MIN (frame_width, frame_height));
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_A8, 1, 1);
  cairo_t *cairo = cairo_create (surface);
  gdouble label_width = 0, score_width = 0;

  for (guint i = 0; i < n_rows; i++) {
    label_width = MAX (label_width, measure (cairo, style, em, rows[i].label, i == 0));
    score_width = MAX (score_width, measure (cairo, style, em, rows[i].score, i == 0));
  }
  cairo_destroy (cairo);
  cairo_surface_destroy (surface);

  ret->em = em;
  ret->aspect = aspect;
  ret->row_height = em + (style->bars ? (BAR_GAP + BAR_HEIGHT) * em : 0);
  ret->score_width = score_width;
  ret->width = MAX (MIN_WIDTH * em, label_width + COLUMN_GAP * em + score_width) + 2 * PADDING * em;
  ret->width = MIN (ret->width, frame_width - 2 * ALIGNMENT);
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

static gboolean
draw_pixels (const GstSlPanelStyle *style, const GstSlPanelRow *rows, guint n_rows,
             const Layout *layout, GstSlPanel *panel)
{
  gint stride = cairo_format_stride_for_width (CAIRO_FORMAT_ARGB32, panel->width);
  gsize size = (gsize)stride * panel->height;
  g_autofree guint8 *data = g_malloc0 (size);
  cairo_surface_t *surface = cairo_image_surface_create_for_data (
      data, CAIRO_FORMAT_ARGB32, panel->width, panel->height, stride);
  cairo_t *cairo = cairo_create (surface);
  gboolean ok;

  cairo_scale (cairo, 1 / layout->aspect, 1);
  cairo_set_source_rgba (cairo, 0, 0, 0, BACKGROUND_ALPHA);
  rounded_rectangle (cairo, 0, 0, layout->width, layout->height, CORNER * layout->em);
  cairo_fill (cairo);
  for (guint i = 0; i < n_rows; i++)
    draw_row (cairo, style, layout, &rows[i], i == 0,
              PADDING * layout->em + i * (layout->row_height + ROW_GAP * layout->em));
  cairo_surface_flush (surface);
  ok = cairo_status (cairo) == CAIRO_STATUS_SUCCESS;
  cairo_destroy (cairo);
  cairo_surface_destroy (surface);
  if (!ok)
    return FALSE;

  panel->pixels = gst_buffer_new_wrapped (g_steal_pointer (&data), size);
  gst_buffer_add_video_meta (panel->pixels, GST_VIDEO_FRAME_FLAG_NONE,
                             GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, panel->width, panel->height);
  return TRUE;
}

gboolean
gst_sl_panel_draw (const GstSlPanelStyle *style, const GstSlPanelRow *rows, guint n_rows,
                   const GstVideoInfo *info, GstSlPanel *ret_panel)
{
  gint frame_width = GST_VIDEO_INFO_WIDTH (info), frame_height = GST_VIDEO_INFO_HEIGHT (info);
  GstSlPanel panel = {0};
  gint margin_x, margin_y;
  Layout layout;

  /* Lines at the end give way to the frame's height. */
  while (!lay_out (style, rows, n_rows, info, &layout))
    if (--n_rows == 0)
      return FALSE;

  panel.width = ceil (layout.width / layout.aspect);
  panel.height = ceil (layout.height);
  margin_x = MIN (MARGIN * layout.em / layout.aspect, (frame_width - panel.width) / 2.0);
  margin_y = MIN (MARGIN * layout.em, (frame_height - panel.height) / 2.0);
  panel.x = style->position == GST_SL_PANEL_TOP_LEFT || style->position == GST_SL_PANEL_BOTTOM_LEFT
                ? margin_x
                : frame_width - panel.width - margin_x;
  panel.y = style->position == GST_SL_PANEL_TOP_LEFT || style->position == GST_SL_PANEL_TOP_RIGHT
                ? margin_y
                : frame_height - panel.height - margin_y;
  panel.x -= panel.x % ALIGNMENT;
  panel.y -= panel.y % ALIGNMENT;
  if (!draw_pixels (style, rows, n_rows, &layout, &panel))
    return FALSE;
  *ret_panel = panel;
  return TRUE;
}

void
gst_sl_panel_attach (const GstSlPanel *panel, GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);
  GstVideoOverlayRectangle *rectangle = gst_video_overlay_rectangle_new_raw (
      panel->pixels, panel->x, panel->y, panel->width, panel->height,
      GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  GstVideoOverlayComposition *composition;

  if (meta) { /* others have drawn before */
    composition = gst_video_overlay_composition_copy (meta->overlay);
    gst_video_overlay_composition_add_rectangle (composition, rectangle);
    gst_buffer_remove_meta (buffer, (GstMeta *)meta);
  } else {
    composition = gst_video_overlay_composition_new (rectangle);
  }
  gst_buffer_add_video_overlay_composition_meta (buffer, composition);
  gst_video_overlay_composition_unref (composition);
  gst_video_overlay_rectangle_unref (rectangle);
}

/* A view of the part of `frame` that the panel covers, so that blending does not convert whole
 * lines. FALSE where pixels cannot be addressed one by one. */
static gboolean
view_part (const GstSlPanel *panel, const GstVideoFrame *frame, GstVideoFrame *ret)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;

  if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX (finfo) || GST_VIDEO_FORMAT_INFO_IS_TILED (finfo) ||
      GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
    return FALSE;

  *ret = *frame;
  ret->info.width = MIN (GST_ROUND_UP_4 (panel->width), frame->info.width - panel->x);
  ret->info.height = MIN (GST_ROUND_UP_4 (panel->height), frame->info.height - panel->y);
  if (ret->info.width <= 0 || ret->info.height <= 0)
    return FALSE;
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_PLANES (finfo); i++) {
    gint component[GST_VIDEO_MAX_COMPONENTS], c;

    gst_video_format_info_component (finfo, i, component);
    c = component[0];
    ret->data[i] = (guint8 *)frame->data[i] +
                   GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (finfo, c, panel->y) * frame->info.stride[i] +
                   GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (finfo, c, panel->x) *
                       GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
  }
  return TRUE;
}

/* Moves the panel to where the picture begins in a frame that is larger. */
static GstSlPanel
place_in_frame (const GstSlPanel *panel, const GstVideoFrame *frame)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (frame->buffer);
  GstSlPanel placed = *panel;

  if (crop) {
    placed.x += crop->x - crop->x % ALIGNMENT;
    placed.y += crop->y - crop->y % ALIGNMENT;
  }
  return placed;
}

gboolean
gst_sl_panel_blend (const GstSlPanel *panel, GstVideoFrame *frame)
{
  GstSlPanel placed = place_in_frame (panel, frame);
  GstVideoFrame pixels, part;
  GstVideoInfo info;
  gboolean ok;

  gst_video_info_set_format (&info, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, panel->width,
                             panel->height);
  info.flags |= GST_VIDEO_FLAG_PREMULTIPLIED_ALPHA;
  if (!gst_video_frame_map (&pixels, &info, panel->pixels, GST_MAP_READ))
    return FALSE;
  if (view_part (&placed, frame, &part))
    ok = gst_video_blend (&part, &pixels, 0, 0, 1);
  else
    ok = gst_video_blend (frame, &pixels, placed.x, placed.y, 1);
  gst_video_frame_unmap (&pixels);
  return ok;
}

void
gst_sl_panel_clear (GstSlPanel *panel)
{
  gst_clear_buffer (&panel->pixels);
}
