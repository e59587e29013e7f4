/* sloverlay blends panel and outlines into frames of every format, and changes no other pixel: odd
 * sizes, long lines, noise in every byte. */
#include "fixture.h"

#include <math.h>
#include <sightline-gst/geometry-meta.h>

static void
add_box (GstBuffer *buffer, gdouble x, gdouble y, gdouble width, gdouble height)
{
  sl_geometry_meta_append_box (sl_buffer_add_geometry_meta (buffer, "test", "cafe"), x, y, width,
                               height, 0, 0.5f, "");
}

static GstBuffer *
push (Fixture *fixture, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  return gst_harness_pull (fixture->harness);
}

/* A frame's pixels as its format unpacks them, 4 components of 1 or 2 bytes each: what its readers
 * see. */
typedef struct {
  gint width, height, size; /* of a pixel, in bytes */
  gsize stride; /* aligned: VYUY is unpacked with U and V swapped into lines that are not */
  guint8 *data;
} Picture;

static void
picture_free (Picture *picture)
{
  g_free (picture->data);
  g_free (picture);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Picture, picture_free)

static Picture *
read_picture (const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (info->finfo->unpack_format);
  Picture *picture = g_new (Picture, 1);
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  picture->width = frame.info.width;
  picture->height = frame.info.height;
  picture->size = GST_VIDEO_FORMAT_INFO_BITS (unpacked) / 8 * 4;
  picture->stride = GST_ROUND_UP_N ((gsize)picture->size * picture->width, 64);
  picture->data = g_malloc0 (picture->stride * picture->height);
  for (gint y = 0; y < picture->height; y++)
    info->finfo->unpack_func (info->finfo, GST_VIDEO_PACK_FLAG_NONE,
                              picture->data + y * picture->stride, frame.data, frame.info.stride, 0,
                              y, picture->width);
  gst_video_frame_unmap (&frame);
  return picture;
}

static const guint8 *
get_pixel (const Picture *picture, gint x, gint y)
{
  return picture->data + y * picture->stride + (gsize)x * picture->size;
}

/* Noise in every byte, lines longer than the caps ask for, planes apart. */
static GstBuffer *
make_noise (const GstVideoInfo *info, guint32 seed)
{
  GstVideoInfo padded = *info;
  GstVideoAlignment align;
  GRand *rand = g_rand_new_with_seed (seed);
  GstBuffer *buffer;
  GstMapInfo map;

  gst_video_alignment_reset (&align);
  align.padding_right = align.padding_bottom = 24;
  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    align.stride_align[i] = 63;
  g_assert_true (gst_video_info_align (&padded, &align));
  buffer = gst_buffer_new_allocate (NULL, padded.size, NULL);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = g_rand_int (rand);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (info),
                                  info->width, info->height, GST_VIDEO_INFO_N_PLANES (info),
                                  padded.offset, padded.stride);
  GST_BUFFER_PTS (buffer) = 0;
  g_rand_free (rand);
  return buffer;
}

static gint
get_block (const GstVideoFormatInfo *finfo, gboolean vertical)
{
  guint sub = 0;

  for (guint i = 0; i < finfo->n_components; i++)
    sub = MAX (sub, vertical ? finfo->h_sub[i] : finfo->w_sub[i]);
  return 1 << sub;
}

typedef struct {
  gint left, top, right, bottom, across, down; /* lines that lie just inside, and their thickness */
  GstVideoRectangle clip;
} Outline;

static gboolean
is_on (const Outline *o, gint x, gint y)
{
  if (x < o->clip.x || x >= o->clip.x + o->clip.w || y < o->clip.y || y >= o->clip.y + o->clip.h)
    return FALSE;
  return x >= o->left && x < o->right && y >= o->top && y < o->bottom &&
         (x < o->left + o->across || x >= o->right - o->across || y < o->top + o->down ||
          y >= o->bottom - o->down);
}

/* The same colour, as far as gst_video_blend() gets it right: it computes with 8 bits and leaves
 * some of the noise in the lower ones; with more than 8 bits it takes transparent frames wrongly.
 */
static gboolean
is_color (const GstVideoFormatInfo *finfo, const guint8 *pixel, const guint8 *color, gint size)
{
  if (size == 4)
    return memcmp (pixel, color, size) == 0;
  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA (finfo))
    return TRUE;
  for (gint i = 0; i < 4; i++)
    if (ABS (((const guint16 *)pixel)[i] - ((const guint16 *)color)[i]) > 0x200)
      return FALSE;
  return TRUE;
}

/* All on the outline is of one colour, all else as it was. */
static void
check_outline (const GstVideoFormatInfo *finfo, const Picture *before, const Picture *after,
               const Outline *o)
{
  const guint8 *color = get_pixel (after, MAX (o->left, o->clip.x), MAX (o->top, o->clip.y));

  for (gint y = 0; y < after->height; y++)
    for (gint x = 0; x < after->width; x++) {
      const guint8 *pixel = get_pixel (after, x, y);

      if (!is_on (o, x, y) && memcmp (pixel, get_pixel (before, x, y), after->size) != 0)
        g_error ("%s %dx%d: pixel %d, %d has changed", finfo->name, after->width, after->height, x,
                 y);
      /* Some formats (NV61) are packed with U and V swapped in an odd last column. */
      if (is_on (o, x, y) && x < (after->width & ~1) &&
          !is_color (finfo, pixel, color, after->size))
        g_error ("%s %dx%d: pixel %d, %d is not of the outline's colour", finfo->name, after->width,
                 after->height, x, y);
    }
}

static void
check_boxes (const GstVideoFormatInfo *finfo, gint width, gint height)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
  gint block_width = get_block (finfo, FALSE), block_height = get_block (finfo, TRUE);
  g_autoptr (Picture) before = NULL, after = NULL;
  g_autoptr (GstBuffer) out = NULL, plain = NULL;
  /* Beyond the frame to the right; its other corners lie on no chroma sample's edge. */
  Outline o = {.left = round (41.0 / block_width) * block_width,
               .top = round (29.0 / block_height) * block_height,
               .right = 1000,
               .bottom = round (90.4 / block_height) * block_height,
               .across = MAX (2, block_width),
               .down = MAX (2, block_height),
               .clip = {0, 0, width, height}};
  GstBuffer *buffer;

  fixture_set_caps (fixture, finfo->name, width, height, NULL);
  plain = make_noise (&fixture->info, width);
  buffer = make_noise (&fixture->info, width);
  add_box (buffer, 41, 29, 959, 61.4);
  out = push (fixture, buffer);
  before = read_picture (&fixture->info, plain);
  after = read_picture (&fixture->info, out);
  check_outline (finfo, before, after, &o);
}

typedef void (*FormatCheck) (const GstVideoFormatInfo *finfo, gint width, gint height);

static void
check_formats (gconstpointer data)
{
  FormatCheck check = (FormatCheck)data;
  static const gint sizes[][2] = {{160, 120}, {161, 119}};
  guint n_formats, n = 0;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint j = 0; j < n_formats; j++) {
      const GstVideoFormatInfo *finfo = gst_video_format_get_info (formats[j]);

      if (!finfo->pack_func || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
        continue;
      check (finfo, sizes[i][0], sizes[i][1]);
      n++;
    }
  g_test_message ("%u formats", n / 2);
  g_assert_cmpuint (n, >, 160);
}

/* --- The panel --- */

/* With which its size is no multiple of anything by itself. */
#define TEXT_SIZE 0.08

static GstBuffer *
push_labels (Fixture *fixture, GstBuffer *buffer)
{
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, "test", "cafe");

  sl_label_meta_append (meta, 0, 0.75f, "cat");
  return push (fixture, buffer);
}

/* Where it lies in frames of this size: as a composition it says so itself. */
static GstVideoRectangle
find_panel (gint width, gint height)
{
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", "text-size", TEXT_SIZE, NULL);
  GstVideoOverlayCompositionMeta *meta;
  g_autoptr (GstBuffer) out = NULL;
  GstVideoRectangle panel;
  guint panel_width, panel_height;

  gst_util_set_object_arg (G_OBJECT (fixture->element), "position", "bottom-right");
  gst_harness_add_propose_allocation_meta (fixture->harness,
                                           GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  fixture_set_caps (fixture, "RGB", width, height, NULL);
  out = push_labels (fixture, fixture_frame (fixture, BLUE, 0));
  meta = gst_buffer_get_video_overlay_composition_meta (out);
  g_assert_nonnull (meta);
  gst_video_overlay_rectangle_get_render_rectangle (
      gst_video_overlay_composition_get_rectangle (meta->overlay, 0), &panel.x, &panel.y,
      &panel_width, &panel_height);
  panel.w = panel_width;
  panel.h = panel_height;
  return panel;
}

static void
check_panel (const GstVideoFormatInfo *finfo, gint width, gint height)
{
  /* Finding it takes as long as the check. */
  static GstVideoRectangle panel;
  static gint panel_of;
  g_autoptr (Fixture) fixture = fixture_new ("sloverlay", "text-size", TEXT_SIZE, NULL);
  g_autoptr (Picture) before = NULL, after = NULL;
  g_autoptr (GstBuffer) out = NULL, plain = NULL;
  gint n_changed = 0;

  if (panel_of != width)
    panel = find_panel (width, height);
  panel_of = width;
  gst_util_set_object_arg (G_OBJECT (fixture->element), "position", "bottom-right");
  fixture_set_caps (fixture, finfo->name, width, height, NULL);
  plain = make_noise (&fixture->info, width);
  out = push_labels (fixture, make_noise (&fixture->info, width));
  before = read_picture (&fixture->info, plain);
  after = read_picture (&fixture->info, out);
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++) {
      gboolean inside =
          x >= panel.x && x < panel.x + panel.w && y >= panel.y && y < panel.y + panel.h;

      if (memcmp (get_pixel (before, x, y), get_pixel (after, x, y), after->size) == 0)
        continue;
      if (!inside)
        g_error ("%s %dx%d: pixel %d, %d has changed", finfo->name, width, height, x, y);
      n_changed++;
    }
  g_assert_cmpint (n_changed, >, panel.w * panel.h * 3 / 4);
}

/* --- Frames of which a part is shown --- */

/* Boxes are in pixels of the memory, and nothing is drawn outside of the part that is shown, save
 * in chroma samples that it shares. */
static void
test_crop (void)
{
  static const struct {
    const gchar *format;
    GstVideoRectangle clip;
  } rows[] = {{"RGB", {33, 21, 80, 60}}, {"I420", {32, 20, 82, 62}}};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) fixture = fixture_new ("sloverlay", NULL);
    g_autoptr (Picture) before = NULL, after = NULL;
    g_autoptr (GstBuffer) out = NULL, plain = NULL;
    Outline o = {20, 40, 90, 70, 2, 2, rows[i].clip}; /* its left line is not shown */
    GstBuffer *buffer;
    GstVideoCropMeta *crop;

    fixture_set_caps (fixture, rows[i].format, 160, 120, NULL);
    plain = make_noise (&fixture->info, 1);
    buffer = make_noise (&fixture->info, 1);
    before = read_picture (&fixture->info, plain);
    fixture_set_caps (fixture, rows[i].format, 80, 60, NULL);
    crop = gst_buffer_add_video_crop_meta (buffer);
    crop->x = 33;
    crop->y = 21;
    crop->width = 80;
    crop->height = 60;
    add_box (buffer, 20, 40, 70, 30);
    out = push (fixture, buffer);
    after = read_picture (&fixture->info, out);
    check_outline (fixture->info.finfo, before, after, &o);
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_data_func ("/sloverlay-pixels/boxes", check_boxes, check_formats);
  g_test_add_data_func ("/sloverlay-pixels/panel", check_panel, check_formats);
  g_test_add_func ("/sloverlay-pixels/crop", test_crop);
  return fixture_run ();
}
