/* An exponential moving average over the score vectors of a stream. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Zero-initialise. One thread at a time. */
typedef struct GstSlSmooth {
  gfloat *values; /* n of them; n 0: there is no past */
  guint n;
  guint epoch;
} GstSlSmooth;

void gst_sl_smooth_clear (GstSlSmooth *smooth);

/* The average after `scores`, n of them: `weight` (0 … below 1) of it is the past, of which there
 * is none where the epoch is another one than the last. The result is `smooth`'s or `scores`
 * itself, until the next call. */
const gfloat *gst_sl_smooth_add (GstSlSmooth *smooth, const gfloat *scores, guint n, gfloat weight,
                                 guint epoch);

G_END_DECLS
