/* What slsrc's `location` names. */
#pragma once

#include <gst/gst.h>

typedef enum {
  GST_SL_SRC_FILE, /* a path or file:// */
  GST_SL_SRC_HTTP, /* http://, https:// */
  GST_SL_SRC_RTSP, /* rtsp:// and its kin that name a transport: rtspt://, rtspu://, rtsps:// … */
  GST_SL_SRC_CAMERA /* camera:N or camera:NAME */
} GstSlSrcKind;

typedef struct GstSlSrcLocation {
  GstSlSrcKind kind;
  gchar *uri;    /* NULL for cameras */
  gchar *camera; /* number or part of a name; NULL for anything else */
  gchar *shown;  /* for people: without user, password and query */
  gchar *user;   /* "user:password" as in the URI; NULL if there is none */
} GstSlSrcLocation;

/* FALSE with an error of the domain GST_RESOURCE_ERROR if `text` (may be NULL) is not of a form
 * above; whether the thing exists is not looked at. Clear `ret` only after TRUE. */
gboolean gst_sl_src_location_parse (const gchar *text, GstSlSrcLocation *ret, GError **error);
void gst_sl_src_location_clear (GstSlSrcLocation *location);

/* `text` (may be NULL) without the location's user, password and query, which elements put into
 * their messages. Free with g_free(). */
gchar *gst_sl_src_location_redact (const GstSlSrcLocation *location, const gchar *text);
