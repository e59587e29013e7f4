#include "chart.h"

#include "output.h"

#include <cairo-svg.h>
#include <string.h>

#define FONT "sans-serif"
#define PNG_SCALE 2 /* pixels a point */
#define MAX_PIXELS 16384
/* Below so many pixels pictures are enlarged as squares, so that what the network sees shows. */
#define SMALL_PICTURE 64

static cairo_status_t
append (void *closure, const unsigned char *data, unsigned length)
{
  g_string_append_len (closure, (const char *)data, length);
  return CAIRO_STATUS_SUCCESS;
}

static cairo_status_t
draw_png (GString *bytes, double width, double height, ToolDrawFunc draw, const void *data)
{
  const double scale = MIN (PNG_SCALE, MAX_PIXELS / MAX (width, height));
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)(width * scale), (int)(height * scale));
  cairo_t *cairo = cairo_create (surface);
  cairo_scale (cairo, scale, scale);
  draw (cairo, width, height, data);
  cairo_status_t status = cairo_status (cairo);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream (surface, append, bytes);
  cairo_destroy (cairo);
  cairo_surface_destroy (surface);
  return status;
}

static cairo_status_t
draw_svg (GString *bytes, double width, double height, ToolDrawFunc draw, const void *data)
{
  cairo_surface_t *surface = cairo_svg_surface_create_for_stream (append, bytes, width, height);
  cairo_t *cairo = cairo_create (surface);
  draw (cairo, width, height, data);
  cairo_status_t status = cairo_status (cairo);
  cairo_destroy (cairo);
  cairo_surface_finish (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status (surface);
  cairo_surface_destroy (surface);
  return status;
}

static gboolean
write_bytes (const char *path, cairo_status_t status, GString *bytes, GError **error)
{
  if (status != CAIRO_STATUS_SUCCESS) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "%s: cannot be drawn: %s", path,
                 cairo_status_to_string (status));
    return FALSE;
  }
  g_autoptr (ToolOutput) output = tool_output_open (path, error);
  return output && tool_output_write (output, bytes, error) &&
         tool_output_commit (g_steal_pointer (&output), error);
}

gboolean
tool_chart_write_surface (const char *path, cairo_surface_t *surface, GError **error)
{
  g_autoptr (GString) bytes = g_string_new (NULL);
  cairo_status_t status = cairo_surface_write_to_png_stream (surface, append, bytes);
  return write_bytes (path, status, bytes, error);
}

gboolean
tool_chart_write (const char *path, double width, double height, ToolDrawFunc draw,
                  const void *data, GError **error)
{
  const gboolean is_svg = g_str_has_suffix (path, ".svg");
  if (!is_svg && !g_str_has_suffix (path, ".png")) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: no such kind of picture (expected .svg or .png)", path);
    return FALSE;
  }
  g_autoptr (GString) bytes = g_string_new (NULL);
  cairo_status_t status = (is_svg ? draw_svg : draw_png) (bytes, width, height, draw, data);
  return write_bytes (path, status, bytes, error);
}

void
tool_chart_set_color (cairo_t *cairo, guint32 rgb)
{
  cairo_set_source_rgb (cairo, (rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0,
                        (rgb & 255) / 255.0);
}

static double
measure (cairo_t *cairo, const char *text)
{
  cairo_text_extents_t extents;
  cairo_text_extents (cairo, text, &extents);
  return extents.x_advance;
}

void
tool_chart_text (cairo_t *cairo, double x, double y, ToolAlign align, double limit,
                 const char *text)
{
  g_autofree char *shown = g_utf8_make_valid (text, -1);
  for (glong n = g_utf8_strlen (shown, -1); limit > 0 && n > 1 && measure (cairo, shown) > limit;) {
    g_autofree char *head = g_utf8_substring (shown, 0, --n);
    g_free (shown);
    shown = g_strconcat (head, "…", NULL);
  }
  const double part = align == TOOL_ALIGN_LEFT ? 0 : align == TOOL_ALIGN_MIDDLE ? 0.5 : 1;
  cairo_move_to (cairo, x - part * measure (cairo, shown), y);
  cairo_show_text (cairo, shown);
}

cairo_surface_t *
tool_chart_new_picture (const guint8 *rgb, guint32 width, guint32 height)
{
  cairo_surface_t *picture =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)width, (int)height);
  guint8 *data = cairo_image_surface_get_data (picture);
  const int stride = cairo_image_surface_get_stride (picture);
  for (guint32 y = 0; y < height; y++)
    for (guint32 x = 0; x < width; x++) {
      const guint8 *from = rgb + 3 * ((gsize)y * width + x);
      const guint32 pixel = (guint32)from[0] << 16 | (guint32)from[1] << 8 | from[2];
      memcpy (data + (gsize)y * (gsize)stride + 4 * x, &pixel, sizeof pixel);
    }
  cairo_surface_mark_dirty (picture);
  return picture;
}

void
tool_chart_draw_picture (cairo_t *cairo, cairo_surface_t *picture, double side)
{
  const double w = cairo_image_surface_get_width (picture);
  const double h = cairo_image_surface_get_height (picture);
  const double scale = MIN (side / w, side / h);
  cairo_save (cairo);
  cairo_translate (cairo, (side - w * scale) / 2, (side - h * scale) / 2);
  cairo_scale (cairo, scale, scale);
  cairo_set_source_surface (cairo, picture, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cairo),
                            w < SMALL_PICTURE ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BILINEAR);
  cairo_paint (cairo);
  cairo_restore (cairo);
}
