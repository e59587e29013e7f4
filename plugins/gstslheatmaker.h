/* From a network's last feature maps to a heat grid on the frame. */
#pragma once

#include "gstslinfer.h"
#include "gstslsmooth.h"

#include <sightline/explain.h>

G_BEGIN_DECLS

/* Zero-initialise. Prepared in the loading thread, used in the one that runs the network. */
typedef struct GstSlHeatMaker {
  SlCam *cam; /* NULL: not prepared */
  const char *tap;
  gfloat *raw; /* the last map, n_raw cells */
  gsize n_raw;
  GstSlSmooth smooth;
  /* What the past that `smooth` knows was about; another thing begins anew. */
  guint past_epoch, past_class, past_width, epoch;
  gdouble past_placement[6];
} GstSlHeatMaker;

/* Asks for the values that a map is made of. FALSE with an error that says what stands in the way.
 */
gboolean gst_sl_heat_maker_prepare (GstSlHeatMaker *maker, SlModel *model,
                                    SlClassifierOptions *options, GError **error);
void gst_sl_heat_maker_clear (GstSlHeatMaker *maker);

/* The class that `target` means: "top" (the best), a label (upper and lower case are the same
 * unless that finds several), or a number. FALSE if there is none such. */
gboolean gst_sl_heat_maker_find_class (const GstSlInferOutput *output, const gchar *target,
                                       guint *ret);

/* The map of a class as a grid: below 0, which speaks against the class, becomes 0, and the highest
 * value 1. With smoothing, raw maps are averaged before. Values and label are the caller's. */
void gst_sl_heat_maker_make (GstSlHeatMaker *maker, const GstSlInferOutput *output, guint klass,
                             const gdouble placement[6], SlHeatGrid *ret);

G_END_DECLS
