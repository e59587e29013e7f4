/* From a network's feature maps, or its input, to a heat grid on the frame. */
#pragma once

#include "gstslinfer.h"
#include "gstslsmooth.h"

#include <sightline/explain.h>

G_BEGIN_DECLS

/* How maps are made, as properties say it. */
typedef struct GstSlHeatWish {
  SlExplainMethod method;
  gchar *layer; /* NULL: the method's own */
} GstSlHeatWish;

void gst_sl_heat_wish_clear (GstSlHeatWish *wish);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstSlHeatWish, gst_sl_heat_wish_clear)

/* Zero-initialise. Prepared in the loading thread, used in the one that runs the network. */
typedef struct GstSlHeatMaker {
  SlModel *model; /* NULL: not prepared */
  SlExplainOptions options;
  GstSlHeatWish wish; /* that the explainer was made for */
  SlExplainer *explainer;
  const gchar
      *taps[2]; /* what the explainer wanted when the model was loaded; the network's input */
  gchar *tap;   /* the first */
  guint tapped; /* the one of them that the explainer looks at */
  gfloat *raw;  /* the last map, n_raw cells */
  gsize n_raw;
  GstSlSmooth smooth;
  /* What the past that `smooth` knows was about; another thing begins anew. */
  guint past_epoch, past_width, epoch;
  SlExplainTarget past_target;
  gdouble past_placement[6];
} GstSlHeatMaker;

/* Asks for the values that a map is made of. FALSE with an error that says what stands in the way.
 */
gboolean gst_sl_heat_maker_prepare (GstSlHeatMaker *maker, SlModel *model,
                                    const GstSlHeatWish *wish, SlClassifierOptions *options,
                                    GError **error);
void gst_sl_heat_maker_clear (GstSlHeatMaker *maker);

/* Another method or layer while the network runs: what is tapped stays as it was loaded, so that
 * maps of other layers begin at the network's input. FALSE with an error if there is none; the old
 * one goes on then. Does nothing if the wish has not changed. */
gboolean gst_sl_heat_maker_set_wish (GstSlHeatMaker *maker, const GstSlHeatWish *wish,
                                     GError **error);

/* The class that `target` means: "top" (the best), a label (upper and lower case are the same
 * unless that finds several), or a number. FALSE if there is none such. */
gboolean gst_sl_heat_maker_find_class (const GstSlInferOutput *output, const gchar *target,
                                       guint *ret);

/* The map of a target as a grid: below 0, which speaks against the class, becomes 0, and the
 * highest value 1. With smoothing, raw maps are averaged before. Values and label are the caller's.
 */
gboolean gst_sl_heat_maker_make (GstSlHeatMaker *maker, const GstSlInferOutput *output,
                                 const SlExplainTarget *target, const gdouble placement[6],
                                 SlHeatGrid *ret, GError **error);

G_END_DECLS
