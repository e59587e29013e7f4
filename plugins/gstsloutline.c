#include "gstsloutline.h"

#include <math.h>

/* Of a line: a share of the frame's shorter side, and its least. */
#define THICKNESS 0.004
#define MIN_THICKNESS 2

/* Tags that are kept drawn; a stream of ever new labels must not fill the memory. */
#define MAX_TAGS 64

/* Far outside of any frame, and yet safe to compute with. */
#define FAR 1e6

void
gst_sl_outline_box_init (GstSlOutlineBox *box, const SlBox *from)
{
  *box = (GstSlOutlineBox){.x = from->x,
                           .y = from->y,
                           .width = from->width,
                           .height = from->height,
                           .label = g_utf8_make_valid (from->label, -1)};
}

gboolean
gst_sl_outline_box_equal (const GstSlOutlineBox *a, const GstSlOutlineBox *b)
{
  return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height &&
         g_str_equal (a->label, b->label);
}

void
gst_sl_outline_box_clear (GstSlOutlineBox *box)
{
  g_clear_pointer (&box->label, g_free);
}

static void
free_tag (gpointer data)
{
  gst_sl_patch_clear (data);
  g_free (data);
}

void
gst_sl_outline_init (GstSlOutline *outline)
{
  outline->patches = g_array_new (FALSE, TRUE, sizeof (GstSlPatch));
  g_array_set_clear_func (outline->patches, (GDestroyNotify)gst_sl_patch_clear);
  outline->tags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_tag);
}

void
gst_sl_outline_free (GstSlOutline *outline)
{
  g_array_unref (outline->patches);
  g_hash_table_unref (outline->tags);
}

void
gst_sl_outline_reset (GstSlOutline *outline)
{
  g_array_set_size (outline->patches, 0);
  g_hash_table_remove_all (outline->tags);
}

static void
add_line (GstSlOutline *outline, guint color, gint left, gint top, gint right, gint bottom)
{
  const GstSlOutlinePlace *place = &outline->place;
  GstSlPatch patch = {.x = MAX (left, place->left), .y = MAX (top, place->top)};

  patch.width = MIN (right, place->right) - patch.x;
  patch.height = MIN (bottom, place->bottom) - patch.y;
  if (patch.width <= 0 || patch.height <= 0)
    return;
  gst_sl_patch_fill (&patch, color);
  g_array_append_val (outline->patches, patch);
}

/* What is drawn of a label; NULL if nothing fits. The outline's. */
static const GstSlPatch *
get_tag (GstSlOutline *outline, const gchar *label, const GstSlPanelStyle *style,
         const GstVideoInfo *info)
{
  GstSlPatch *tag = g_hash_table_lookup (outline->tags, label);

  if (!tag) {
    if (g_hash_table_size (outline->tags) >= MAX_TAGS)
      g_hash_table_remove_all (outline->tags);
    tag = g_new0 (GstSlPatch, 1);
    gst_sl_panel_draw_tag (style, label, info, tag);
    g_hash_table_insert (outline->tags, g_strdup (label), tag);
  }
  return tag->pixels ? tag : NULL;
}

/* Above the box, or inside where there is no room; never beyond the frame. */
static void
add_tag (GstSlOutline *outline, const GstSlPatch *tag, gint x, gint above, gint inside)
{
  const GstSlOutlinePlace *place = &outline->place;
  GstSlPatch patch = *tag;
  gint most = place->right - tag->width;

  patch.x = MAX (place->left, MIN (x, most - most % place->block_width));
  patch.y = above - tag->height >= place->top ? above - tag->height : MAX (inside, place->top);
  if (patch.y + patch.height > place->bottom || patch.x + patch.width > place->right)
    return;
  patch.rectangle = NULL;
  gst_buffer_ref (patch.pixels);
  g_array_append_val (outline->patches, patch);
}

static gint
to_block (gdouble position, gint block)
{
  return (gint)round (CLAMP (position, -FAR, FAR) / block) * block;
}

static void
draw_box (GstSlOutline *outline, const GstSlOutlineBox *box, const GstSlPanelStyle *style,
          const GstVideoInfo *info)
{
  const GstSlOutlinePlace *place = &outline->place;
  gint block_width = place->block_width, block_height = place->block_height;
  gdouble thickness = MAX (
      MIN_THICKNESS, THICKNESS * MIN (GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info)));
  gint across = GST_ROUND_UP_N ((gint)thickness, block_width);
  gint down = GST_ROUND_UP_N ((gint)thickness, block_height);
  gint left = to_block (box->x, block_width), top = to_block (box->y, block_height);
  gint right = MAX (to_block (box->x + box->width, block_width), left + 2 * across);
  gint bottom = MAX (to_block (box->y + box->height, block_height), top + 2 * down);
  const GstSlPatch *tag;

  add_line (outline, style->color, left, top, right, top + down);
  add_line (outline, style->color, left, bottom - down, right, bottom);
  add_line (outline, style->color, left, top + down, left + across, bottom - down);
  add_line (outline, style->color, right - across, top + down, right, bottom - down);

  if (!*box->label || right <= place->left || left >= place->right || bottom <= place->top ||
      top >= place->bottom)
    return;
  tag = get_tag (outline, box->label, style, info);
  if (tag)
    add_tag (outline, tag, left, top, top + down);
}

void
gst_sl_outline_draw (GstSlOutline *outline, const GstSlOutlineBox *boxes, guint n_boxes,
                     const GstSlPanelStyle *style, const GstVideoInfo *info,
                     const GstSlOutlinePlace *place)
{
  g_array_set_size (outline->patches, 0);
  outline->place = *place;
  for (guint i = 0; i < n_boxes; i++)
    draw_box (outline, &boxes[i], style, info);
}
