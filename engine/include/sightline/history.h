/* What became of each epoch of a training run: JSON Lines. */
#pragma once

#include <sightline/error.h>

G_BEGIN_DECLS

/* One epoch; NaN is what was not measured. */
typedef struct SlEpoch {
  gint64 epoch;                  /* counted from 1 */
  gint64 step;                   /* steps of the whole run when it ended */
  double loss, accuracy;         /* over the training samples, as they were trained on */
  double val_loss, val_accuracy; /* over the validation samples, after the epoch */
  double rate;                   /* of its last step */
  double seconds;                /* it took, validation included */
  double images_per_second;      /* of training */
  double waiting;                /* part of the time that training waited for data */
  gboolean best;                 /* better than all before it by what the run monitors */
} SlEpoch;

/* Epochs in order. One thread at a time. */
typedef struct SlHistory SlHistory;

SL_API SlHistory *sl_history_new (void);
SL_API void sl_history_free (SlHistory *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlHistory, sl_history_free)

SL_API void sl_history_add (SlHistory *history, const SlEpoch *epoch);
SL_API guint sl_history_get_n (const SlHistory *history);
/* The history's, until something is added. */
SL_API const SlEpoch *sl_history_get (const SlHistory *history, guint index);

/* {"epoch":1,"step":938,"loss":0.31,…}: a line for each epoch, all numbers such that they read back
 * as they were. Free with g_free(). */
SL_API char *sl_history_to_text (const SlHistory *history);
/* Keys that are not known are passed over. A last line that does not end (the writer was killed) is
 * left out; any other line that is no object of numbers is SL_ERROR_MALFORMED with its number. */
SL_API SlHistory *sl_history_parse (const char *text, gsize length, const char *name,
                                    GError **error);
SL_API SlHistory *sl_history_load (const char *path, GError **error);

/* Replaces the file by this history, as sl_checkpoint_save() does. */
SL_API gboolean sl_history_save (const SlHistory *history, const char *path, GError **error);
/* Adds a line to the file and syncs it. An unfinished line that a killed writer left goes first. */
SL_API gboolean sl_history_append (const char *path, const SlEpoch *epoch, GError **error);

G_END_DECLS
