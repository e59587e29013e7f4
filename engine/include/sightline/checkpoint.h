/* What a training run needs to go on: texts and tensors by name, in a file that is whole or
 * refused.
 */
#pragma once

#include <sightline/tensor.h>

G_BEGIN_DECLS

/* Named texts and tensors in the order in which they were first set. One thread at a time. */
typedef struct SlCheckpoint SlCheckpoint;

SL_API SlCheckpoint *sl_checkpoint_new (void);
SL_API void sl_checkpoint_free (SlCheckpoint *checkpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlCheckpoint, sl_checkpoint_free)

/* Replaces what the name stood for. Tensors are referenced, not copied: they must not change until
 * the checkpoint is written. Doubles are finite. */
SL_API void sl_checkpoint_set_text (SlCheckpoint *checkpoint, const char *name, const char *text);
SL_API void sl_checkpoint_set_int (SlCheckpoint *checkpoint, const char *name, gint64 value);
SL_API void sl_checkpoint_set_double (SlCheckpoint *checkpoint, const char *name, double value);
SL_API void sl_checkpoint_set_tensor (SlCheckpoint *checkpoint, const char *name, SlTensor *tensor);

/* NULL if there is no such text or tensor; the checkpoint's. */
SL_API const char *sl_checkpoint_get_text (SlCheckpoint *checkpoint, const char *name);
SL_API SlTensor *sl_checkpoint_get_tensor (SlCheckpoint *checkpoint, const char *name);
/* Exactly the number that was set. SL_ERROR_MALFORMED if there is none. */
SL_API gboolean sl_checkpoint_get_int (SlCheckpoint *checkpoint, const char *name, gint64 *ret,
                                       GError **error);
SL_API gboolean sl_checkpoint_get_double (SlCheckpoint *checkpoint, const char *name, double *ret,
                                          GError **error);
/* Names by number; NULL after the last. */
SL_API const char *sl_checkpoint_get_name (SlCheckpoint *checkpoint, guint index);

/* Writes the file under a hidden name beside it, syncs it, renames it and syncs the folder: a
 * reader finds what was there before, or this, whole. On failure `path` is as it was. */
SL_API gboolean sl_checkpoint_save (SlCheckpoint *checkpoint, const char *path, GError **error);
/* Reads a file of at most `limit` bytes (0: 16 GiB). A file that is not exactly what was written
 * (its SHA-256 says so) is SL_ERROR_MALFORMED in one line with the path; nothing of it is used. A
 * later format version is SL_ERROR_UNSUPPORTED. */
SL_API SlCheckpoint *sl_checkpoint_load (const char *path, guint64 limit, GError **error);

/* --- the checkpoints of a run, in a folder that only this run writes into --- */

/* Called with one line about each file that was passed over. */
typedef void (*SlCheckpointNote) (void *data, const char *text);

/* Saves as FOLDER/checkpoint-STEP and removes what stands before the last one: two are left, and
 * nothing of writers that were killed. */
SL_API gboolean sl_checkpoint_save_step (SlCheckpoint *checkpoint, const char *folder, guint64 step,
                                         GError **error);
/* Removes all of them, and what killed writers left. */
SL_API gboolean sl_checkpoint_remove_all (const char *folder, GError **error);
/* Path of the newest one in the folder, whole or not; NULL: there is none. Free with g_free(). */
SL_API char *sl_checkpoint_find_newest (const char *folder);
/* Loads the newest one in `folder` that is whole. *ret_path (free with g_free()) says which. Those
 * that are damaged are passed over, each with a line to `note`. NULL without an error: the folder
 * has none at all; SL_ERROR_MALFORMED: it has some, and none is whole. */
SL_API SlCheckpoint *sl_checkpoint_load_newest (const char *folder, SlCheckpointNote note,
                                                void *data, char **ret_path, GError **error);

G_END_DECLS
