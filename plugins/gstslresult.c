#include "gstslresult.h"

GstSlResult *
gst_sl_result_new (const GstSlInferFrame *frame, const gchar *model)
{
  GstSlResult *self = g_new0 (GstSlResult, 1);

  self->refs = 1;
  self->frame = *frame;
  self->model = g_strdup (model);
  return self;
}

GstSlResult *
gst_sl_result_ref (GstSlResult *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

void
gst_sl_result_unref (GstSlResult *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  for (guint i = 0; i < self->n_labels; i++)
    g_free (self->labels[i].label);
  for (guint i = 0; i < self->n_boxes; i++)
    g_free (self->boxes[i].label);
  g_free (self->labels);
  g_free (self->boxes);
  g_free (self->grid.values);
  g_free (self->grid.label);
  g_free (self->model);
  g_free (self);
}
