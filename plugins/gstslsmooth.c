#include "gstslsmooth.h"

#include <string.h>

void
gst_sl_smooth_clear (GstSlSmooth *self)
{
  g_free (self->values);
  *self = (GstSlSmooth){0};
}

const gfloat *
gst_sl_smooth_add (GstSlSmooth *self, const gfloat *scores, guint n, gfloat weight, guint epoch)
{
  if (weight <= 0) {
    self->n = 0;
    return scores;
  }
  if (self->n != n || self->epoch != epoch) {
    self->values = g_renew (gfloat, self->values, n);
    memcpy (self->values, scores, n * sizeof *scores);
    self->n = n;
    self->epoch = epoch;
    return self->values;
  }
  for (guint i = 0; i < n; i++)
    self->values[i] = weight * self->values[i] + (1 - weight) * scores[i];
  return self->values;
}
