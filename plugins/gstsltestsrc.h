/* sltestsrc: synthetic scenes that say what is in them. */
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SL_TEST_SRC (gst_sl_test_src_get_type ())
G_DECLARE_FINAL_TYPE (GstSlTestSrc, gst_sl_test_src, GST, SL_TEST_SRC, GstPushSrc)
GST_ELEMENT_REGISTER_DECLARE (sltestsrc)

G_END_DECLS
