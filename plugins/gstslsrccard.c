#include "gstslsrccard.h"

#include <pango/pangocairo.h>
#include <string.h>

#define GROUND 0.13
#define TITLE_SIZE 0.075 /* of the shorter side */
#define TEXT_SIZE 0.04
#define MIN_TEXT_PIXELS 6.0 /* smaller letters are not drawn */
#define MARGIN 0.08

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define CAIRO_FORMAT GST_VIDEO_FORMAT_BGRx
#else
#define CAIRO_FORMAT GST_VIDEO_FORMAT_xRGB
#endif

/* Puts lines below each other; returns where the next would begin. */
static gdouble
draw_lines (cairo_t *cr, const gchar *text, gdouble size, gdouble width, gdouble y, gdouble grey)
{
  g_autoptr (PangoLayout) layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string ("Sans");
  gint height;

  pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_width (layout, (gint)(width * PANGO_SCALE));
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_alignment (layout, PANGO_ALIGN_CENTER);
  pango_layout_set_text (layout, text, -1);
  pango_layout_get_pixel_size (layout, NULL, &height);
  cairo_set_source_rgb (cr, grey, grey, grey);
  cairo_move_to (cr, 0, y);
  pango_cairo_show_layout (cr, layout);
  return y + height;
}

/* On a surface whose pixels are as wide as `info`'s. */
static void
draw (cairo_t *cr, const GstVideoInfo *info, const gchar *text)
{
  gdouble stretch = (gdouble)info->par_n / info->par_d;
  gdouble width = info->width * stretch, height = info->height, side = MIN (width, height);
  const gchar *rest = strchr (text, '\n');
  g_autofree gchar *title = rest ? g_strndup (text, rest - text) : g_strdup (text);
  gdouble y = height * 0.3;

  cairo_set_source_rgb (cr, GROUND, GROUND, GROUND);
  cairo_paint (cr);
  if (side * TITLE_SIZE < MIN_TEXT_PIXELS)
    return;
  cairo_scale (cr, 1 / stretch, 1);
  cairo_translate (cr, width * MARGIN, 0);
  width *= 1 - 2 * MARGIN;
  y = draw_lines (cr, title, side * TITLE_SIZE, width, y, 1.0) + side * TEXT_SIZE;
  if (rest && side * TEXT_SIZE >= MIN_TEXT_PIXELS)
    draw_lines (cr, rest + 1, side * TEXT_SIZE, width, y, 0.7);
}

/* `pixels` is the surface's memory, tightly packed. */
static gboolean
convert (const GstVideoInfo *from, GstBuffer *pixels, const GstVideoInfo *to, GstBuffer *buffer)
{
  GstVideoConverter *converter = gst_video_converter_new (from, to, NULL);
  GstVideoFrame in, out;

  if (!converter)
    return FALSE;
  gst_video_frame_map (&in, from, pixels, GST_MAP_READ);
  gst_video_frame_map (&out, to, buffer, GST_MAP_WRITE);
  gst_video_converter_frame (converter, &in, &out);
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  gst_video_converter_free (converter);
  return TRUE;
}

GstBuffer *
gst_sl_src_card_draw (const GstVideoInfo *info, const gchar *text)
{
  g_autoptr (GstBuffer) pixels = NULL, buffer = NULL;
  cairo_surface_t *surface;
  cairo_t *cr;
  GstVideoInfo rgb;
  GstMapInfo map;

  gst_video_info_set_format (&rgb, CAIRO_FORMAT, info->width, info->height);
  rgb.interlace_mode = info->interlace_mode;
  rgb.fps_n = info->fps_n;
  rgb.fps_d = info->fps_d;
  rgb.par_n = info->par_n;
  rgb.par_d = info->par_d;
  pixels = gst_buffer_new_allocate (NULL, rgb.size, NULL);
  gst_buffer_map (pixels, &map, GST_MAP_WRITE);
  surface = cairo_image_surface_create_for_data (map.data, CAIRO_FORMAT_RGB24, rgb.width,
                                                 rgb.height, rgb.stride[0]);
  cr = cairo_create (surface);
  draw (cr, info, text);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  gst_buffer_unmap (pixels, &map);

  buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  gst_buffer_memset (buffer, 0, 0, -1); /* what lies between planes and lines */
  return convert (&rgb, pixels, info, buffer) ? g_steal_pointer (&buffer) : NULL;
}
