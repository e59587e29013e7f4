/* Caps of frames side by side. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The same caps with every width doubled, or halved: where it is a number, a range, or a list of
 * them. Structures whose width has no such double (or half: odd numbers) are left out. */
GstCaps *gst_sl_heat_caps_scale (GstCaps *caps, gboolean twice);

G_END_DECLS
