/* What a still picture's file says of itself before anything is decoded. */
#pragma once

#include <glib.h>

/* Kinds by who decodes them: GStreamer's elements for a kind of its own, gdk-pixbuf for pictures
 * that those do not take or get wrong (GIF, BMP, TIFF, JPEG of four components, PNG of 16 bits). */
typedef enum {
  SL_STILL_JPEG,
  SL_STILL_PNG,
  SL_STILL_PIXBUF,
  SL_STILL_OTHER, /* nothing is known of it */
  SL_STILL_COUNT
} SlStillKind;

typedef struct SlStillHead {
  SlStillKind kind;
  guint64 pixels; /* as stated, of the largest of its pictures; at least 1 but of
                     SL_STILL_OTHER */
} SlStillHead;

/* FALSE with an error, which has no file name, for a file that starts as a picture of a known kind
 * and states no size or stops before its end. */
gboolean sl_still_head_read (const guint8 *data, gsize size, SlStillHead *ret_head, GError **error);
