#include <sightline-gst/label-meta.h>

GType
sl_label_meta_api_get_type (void)
{
  static GType type;
  static const gchar *no_tags[] = {NULL};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, gst_meta_api_type_register ("SlLabelMetaAPI", no_tags));
  return type;
}

static gboolean
label_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  SlLabelMeta *self = (SlLabelMeta *)meta;

  /* GstMeta hands out uninitialised memory, and `meta` itself is already filled in. */
  memset ((guint8 *)self + sizeof (GstMeta), 0, sizeof *self - sizeof (GstMeta));
  self->version = SL_LABEL_META_VERSION;
  self->pts = GST_CLOCK_TIME_NONE;
  self->fresh = TRUE;
  return TRUE;
}

static void
label_meta_free (GstMeta *meta, GstBuffer *buffer)
{
  SlLabelMeta *self = (SlLabelMeta *)meta;

  for (guint i = 0; i < self->n_labels; i++)
    g_free (self->labels[i].label);
  g_free (self->labels);
  g_free (self->producer);
  g_free (self->model);
}

/* Labels say what is in the picture, which stays true whatever is done to size, format or part of
 * it. */
static gboolean
label_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer, GQuark type, gpointer data)
{
  const SlLabelMeta *self = (SlLabelMeta *)meta;
  SlLabelMeta *copy = sl_buffer_add_label_meta (dest, self->producer, self->model);

  copy->version = self->version;
  copy->frame = self->frame;
  copy->pts = self->pts;
  copy->age = self->age;
  copy->fresh = self->fresh;
  for (guint i = 0; i < self->n_labels; i++)
    sl_label_meta_append (copy, self->labels[i].index, self->labels[i].score,
                          self->labels[i].label);
  return TRUE;
}

const GstMetaInfo *
sl_label_meta_get_info (void)
{
  static const GstMetaInfo *info;

  if (g_once_init_enter ((GstMetaInfo **)&info))
    g_once_init_leave ((GstMetaInfo **)&info,
                       (GstMetaInfo *)gst_meta_register (SL_LABEL_META_API_TYPE, "SlLabelMeta",
                                                         sizeof (SlLabelMeta), label_meta_init,
                                                         label_meta_free, label_meta_transform));
  return info;
}

SlLabelMeta *
sl_buffer_add_label_meta (GstBuffer *buffer, const gchar *producer, const gchar *model)
{
  SlLabelMeta *self;

  g_return_val_if_fail (GST_IS_BUFFER (buffer) && gst_buffer_is_writable (buffer), NULL);

  self = (SlLabelMeta *)gst_buffer_add_meta (buffer, SL_LABEL_META_INFO, NULL);
  self->producer = g_strdup (producer);
  self->model = g_strdup (model);
  return self;
}

void
sl_label_meta_append (SlLabelMeta *meta, guint index, gfloat score, const gchar *label)
{
  guint n = meta->n_labels;

  g_return_if_fail (label != NULL);

  /* Doubles the room whenever the count reaches a power of two. */
  if ((n & (n - 1)) == 0)
    meta->labels = g_renew (SlLabel, meta->labels, MAX (1, 2 * n));
  meta->labels[n] = (SlLabel){.index = index, .score = score, .label = g_strdup (label)};
  meta->n_labels = n + 1;
}

SlLabelMeta *
sl_buffer_get_label_meta (GstBuffer *buffer, const gchar *producer)
{
  SlLabelMeta *found = NULL, *meta;
  gpointer state = NULL;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  while ((meta = (SlLabelMeta *)gst_buffer_iterate_meta_filtered (buffer, &state,
                                                                  SL_LABEL_META_API_TYPE)))
    if (producer ? g_strcmp0 (meta->producer, producer) == 0
                 : meta->model || !found || !found->model)
      found = meta;
  return found;
}

const SlLabel *
sl_label_meta_get_label (const SlLabelMeta *meta, guint i)
{
  g_return_val_if_fail (meta != NULL, NULL);

  return i < meta->n_labels ? &meta->labels[i] : NULL;
}
