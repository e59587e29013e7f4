#include <sightline-gst/geometry-meta.h>

#include <gst/video/video.h>
#include <math.h>

GType
sl_geometry_meta_api_get_type (void)
{
  static GType type;
  static const gchar *tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR, NULL};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, gst_meta_api_type_register ("SlGeometryMetaAPI", tags));
  return type;
}

static gboolean
geometry_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  SlGeometryMeta *self = (SlGeometryMeta *)meta;

  /* GstMeta hands out uninitialised memory, and `meta` itself is already filled in. */
  memset ((guint8 *)self + sizeof (GstMeta), 0, sizeof *self - sizeof (GstMeta));
  self->version = SL_GEOMETRY_META_VERSION;
  self->pts = GST_CLOCK_TIME_NONE;
  self->fresh = TRUE;
  return TRUE;
}

static void
clear_grid (SlHeatGrid *grid)
{
  g_free (grid->values);
  g_free (grid->label);
  *grid = (SlHeatGrid){0};
}

static void
geometry_meta_free (GstMeta *meta, GstBuffer *buffer)
{
  SlGeometryMeta *self = (SlGeometryMeta *)meta;

  for (guint i = 0; i < self->n_boxes; i++)
    g_free (self->boxes[i].label);
  g_free (self->boxes);
  clear_grid (&self->grid);
  g_free (self->producer);
  g_free (self->model);
}

static void
copy_scaled (GstBuffer *dest, const SlGeometryMeta *self, gdouble scale_x, gdouble scale_y)
{
  SlGeometryMeta *copy = sl_buffer_add_geometry_meta (dest, self->producer, self->model);

  copy->version = self->version;
  copy->frame = self->frame;
  copy->pts = self->pts;
  copy->age = self->age;
  copy->fresh = self->fresh;
  for (guint i = 0; i < self->n_boxes; i++) {
    const SlBox *box = &self->boxes[i];

    sl_geometry_meta_append_box (copy, scale_x * box->x, scale_y * box->y, scale_x * box->width,
                                 scale_y * box->height, box->index, box->score, box->label);
  }
  if (self->grid.width > 0)
    sl_geometry_meta_set_grid (copy, &self->grid);
  for (guint i = 0; i < 3; i++) {
    copy->grid.matrix[i] *= scale_x;
    copy->grid.matrix[3 + i] *= scale_y;
  }
}

/* Whether stretching `from` over `to` gives the picture that the element makes, be it with borders
 * for another display aspect ratio or without. */
static gboolean
fills_frame (const GstVideoInfo *from, const GstVideoInfo *to)
{
  gdouble from_aspect = (gdouble)from->width * from->par_n / from->height / MAX (1, from->par_d);
  gdouble to_pixel = (gdouble)to->par_n / MAX (1, to->par_d);
  gdouble width = to->height * from_aspect / to_pixel; /* that keeps the aspect ratio */
  gdouble height = to->width * to_pixel / from_aspect;

  /* Sizes are whole, so that even a kept aspect ratio is off by half a pixel; a border of one does
   * no harm. */
  return fabs (width - to->width) <= 1 || fabs (height - to->height) <= 1;
}

static gboolean
geometry_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer, GQuark type,
                         gpointer data)
{
  const SlGeometryMeta *self = (SlGeometryMeta *)meta;

  if (GST_META_TRANSFORM_IS_COPY (type)) {
    const GstMetaTransformCopy *copy = data;

    if (copy->region)
      return FALSE;
    copy_scaled (dest, self, 1, 1);
    return TRUE;
  }
  if (GST_VIDEO_META_TRANSFORM_IS_SCALE (type)) {
    const GstVideoMetaTransform *scale = data;
    const GstVideoInfo *from = scale->in_info, *to = scale->out_info;

    if (from->width < 1 || from->height < 1 || !fills_frame (from, to))
      return FALSE;
    copy_scaled (dest, self, (gdouble)to->width / from->width, (gdouble)to->height / from->height);
    return TRUE;
  }
  return FALSE;
}

const GstMetaInfo *
sl_geometry_meta_get_info (void)
{
  static const GstMetaInfo *info;

  if (g_once_init_enter ((GstMetaInfo **)&info))
    g_once_init_leave ((GstMetaInfo **)&info,
                       (GstMetaInfo *)gst_meta_register (
                           SL_GEOMETRY_META_API_TYPE, "SlGeometryMeta", sizeof (SlGeometryMeta),
                           geometry_meta_init, geometry_meta_free, geometry_meta_transform));
  return info;
}

SlGeometryMeta *
sl_buffer_add_geometry_meta (GstBuffer *buffer, const gchar *producer, const gchar *model)
{
  SlGeometryMeta *self;

  g_return_val_if_fail (GST_IS_BUFFER (buffer) && gst_buffer_is_writable (buffer), NULL);

  self = (SlGeometryMeta *)gst_buffer_add_meta (buffer, SL_GEOMETRY_META_INFO, NULL);
  self->producer = g_strdup (producer);
  self->model = g_strdup (model);
  return self;
}

void
sl_geometry_meta_append_box (SlGeometryMeta *meta, gdouble x, gdouble y, gdouble width,
                             gdouble height, guint index, gfloat score, const gchar *label)
{
  guint n = meta->n_boxes;

  g_return_if_fail (label != NULL);

  /* Doubles the room whenever the count reaches a power of two. */
  if ((n & (n - 1)) == 0)
    meta->boxes = g_renew (SlBox, meta->boxes, MAX (1, 2 * n));
  meta->boxes[n] = (SlBox){.x = x,
                           .y = y,
                           .width = width,
                           .height = height,
                           .index = index,
                           .score = score,
                           .label = g_strdup (label)};
  meta->n_boxes = n + 1;
}

void
sl_geometry_meta_set_grid (SlGeometryMeta *meta, const SlHeatGrid *grid)
{
  gsize size;

  g_return_if_fail (grid->width > 0 && grid->height > 0 && grid->values && grid->label);
  g_return_if_fail (grid->values != meta->grid.values);

  size = (gsize)grid->width * grid->height * sizeof (gfloat);
  clear_grid (&meta->grid);
  meta->grid = *grid;
  meta->grid.values = g_memdup2 (grid->values, size);
  meta->grid.label = g_strdup (grid->label);
}

SlGeometryMeta *
sl_buffer_get_geometry_meta (GstBuffer *buffer, const gchar *producer)
{
  SlGeometryMeta *found = NULL, *meta;
  gpointer state = NULL;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  while ((meta = (SlGeometryMeta *)gst_buffer_iterate_meta_filtered (buffer, &state,
                                                                     SL_GEOMETRY_META_API_TYPE)))
    if (producer ? g_strcmp0 (meta->producer, producer) == 0
                 : meta->model || !found || !found->model)
      found = meta;
  return found;
}

const SlBox *
sl_geometry_meta_get_box (const SlGeometryMeta *meta, guint i)
{
  g_return_val_if_fail (meta != NULL, NULL);

  return i < meta->n_boxes ? &meta->boxes[i] : NULL;
}

gfloat
sl_geometry_meta_get_heat (const SlGeometryMeta *meta, guint column, guint row)
{
  g_return_val_if_fail (meta != NULL, 0);

  if (column >= meta->grid.width || row >= meta->grid.height)
    return 0;
  return meta->grid.values[row * meta->grid.width + column];
}
