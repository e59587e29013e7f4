/* Errors that have an outside cause: files, models, sizes, devices. A caller's own mistake
 * (a NULL argument, a call in the wrong state) is a g_return_if_fail instead. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Marks what the libraries export; everything else is hidden. */
#define SL_API __attribute__ ((visibility ("default")))

#define SL_ERROR (sl_error_quark ())
SL_API GQuark sl_error_quark (void);

typedef enum {
  SL_ERROR_IO,          /* a file or folder cannot be opened, read or written */
  SL_ERROR_MALFORMED,   /* what was read breaks the rules of its format */
  SL_ERROR_UNSUPPORTED, /* well-formed, but outside what Sightline does */
  SL_ERROR_LIMIT,       /* larger than a stated limit */
  SL_ERROR_SHAPE,       /* shapes or types do not fit each other */
  SL_ERROR_DEVICE,      /* no such device, or it failed */
  SL_ERROR_NUMERIC,     /* NaN or infinity in a result */
  SL_ERROR_MEMORY,      /* an allocation that a file or a size asked for failed */
  SL_ERROR_CANCELLED,   /* stopped by its caller */
  SL_ERROR_NOT_FOUND    /* what was asked for is not part of what is there, which is whole */
} SlErrorCode;

G_END_DECLS
