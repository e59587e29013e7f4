/* TensorBoard's event files: scalars by tag and step. */
#pragma once

#include <sightline/error.h>

G_BEGIN_DECLS

/* A file that only grows. One thread at a time. */
typedef struct SlEventFile SlEventFile;

/* Makes a new file `events.out.tfevents.…` in the folder. TensorBoard reads all of a folder's files
 * as one run; steps from `first_step` on that older files hold count as never made (a run that was
 * resumed). */
SL_API SlEventFile *sl_event_file_new (const char *folder, gint64 first_step, GError **error);
/* Writes one record with all scalars, whole or cut off: a reader notices a cut by its checksum. NaN
 * is left out. */
SL_API gboolean sl_event_file_add (SlEventFile *file, gint64 step, const char *const *tags,
                                   const double *values, guint n, GError **error);
SL_API void sl_event_file_free (SlEventFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlEventFile, sl_event_file_free)

G_END_DECLS
