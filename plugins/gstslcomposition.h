/* Negotiating overlay compositions: pictures that travel beside the frame. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* What may come out where `caps` go in (`direction` GST_PAD_SINK), the other way round else: with a
 * composition beside the frame, which any memory allows, unless not `offered`; or blended into it,
 * which only system memory allows. */
GstCaps *gst_sl_composition_transform_caps (GstCaps *caps, GstPadDirection direction,
                                            gboolean offered);

/* Whether the caps (first structure; NULL: no) say that compositions travel beside the frame. */
gboolean gst_sl_composition_in_caps (const GstCaps *caps);
gboolean gst_sl_composition_is_system_memory (const GstCaps *caps);

/* Whether who is behind the pad says that it draws compositions; its caps alone mean little. */
gboolean gst_sl_composition_ask (GstPad *srcpad, GstCaps *caps);

G_END_DECLS
