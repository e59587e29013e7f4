#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SL_SRC (gst_sl_src_get_type ())
G_DECLARE_FINAL_TYPE (GstSlSrc, gst_sl_src, GST, SL_SRC, GstBin)

GST_ELEMENT_REGISTER_DECLARE (slsrc)

G_END_DECLS
