#include "gstslerror.h"

#include <sightline/error.h>

/* Files and devices are resources; what a file says is a matter of the library and its settings. */
static gint
map_code (const GError *error, GQuark *ret_domain)
{
  *ret_domain = GST_LIBRARY_ERROR;
  if (error->domain != SL_ERROR)
    return GST_LIBRARY_ERROR_FAILED;

  switch ((SlErrorCode)error->code) {
  case SL_ERROR_IO:
    *ret_domain = GST_RESOURCE_ERROR;
    return GST_RESOURCE_ERROR_OPEN_READ;
  case SL_ERROR_DEVICE:
    *ret_domain = GST_RESOURCE_ERROR;
    return GST_RESOURCE_ERROR_NOT_FOUND;
  case SL_ERROR_MEMORY:
    *ret_domain = GST_RESOURCE_ERROR;
    return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  case SL_ERROR_MALFORMED:
  case SL_ERROR_UNSUPPORTED:
  case SL_ERROR_LIMIT:
  case SL_ERROR_SHAPE:
    return GST_LIBRARY_ERROR_SETTINGS;
  case SL_ERROR_NUMERIC:
  case SL_ERROR_CANCELLED:
  case SL_ERROR_NOT_FOUND:
    break;
  }
  return GST_LIBRARY_ERROR_FAILED;
}

void
gst_sl_element_error (GstElement *element, const GError *error, const gchar *debug)
{
  GQuark domain;
  gint code = map_code (error, &domain);

  gst_element_message_full (element, GST_MESSAGE_ERROR, domain, code, g_strdup (error->message),
                            g_strdup (debug), __FILE__, G_STRFUNC, __LINE__);
}
