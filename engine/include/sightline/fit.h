/* A training run from recipe to model file: epochs, validation, checkpoints, the best kept. */
#pragma once

#include <sightline/dataset.h>
#include <sightline/device.h>
#include <sightline/history.h>
#include <sightline/model.h>
#include <sightline/recipe.h>
#include <sightline/train.h>

G_BEGIN_DECLS

/* Where a run stands, after each step. */
typedef struct SlFitProgress {
  guint epoch, n_epochs; /* the current one, counted from 1 */
  gboolean validating;   /* batches and images are those of the validation that follows it */
  guint step, n_steps;   /* batches done of this epoch */
  double loss,
      accuracy; /* mean over the epoch so far, or NaN; accuracy is NaN where there are no classes */
  double rate;
  double images_per_second; /* of this epoch in this process */
  double seconds_left;      /* of all epochs, validation not counted */
} SlFitProgress;

typedef struct SlFitOptions {
  const SlRecipe *recipe;     /* complete; outlives the run */
  SlModel *model;             /* the network to train; does not change. The run keeps a reference */
  SlSampleSource *train;      /* all but the test part, divided as [split] says. Kept likewise */
  SlSampleSource *validation; /* the data's own, in the place of a part of `train`; or NULL */
  gboolean has_test;          /* the data have a test part of their own: [split] test takes none */
  const char *folder; /* for checkpoints, history.jsonl, event files; made if it is not there. One
                         run at a time uses it. NULL: only to see whether everything fits */
  gboolean resume;    /* go on from the newest checkpoint there, if there is one */
  gboolean anew;      /* remove what an earlier run left there; SL_ERROR_IO if there is something
                         and neither is set */
  const SlDevice *device; /* NULL: the first; outlives the run */
  const char *features;   /* folder where features of frozen layers are kept from run to run; NULL:
                             nowhere */
  guint threads;          /* of a step; 0: all */
  guint64 memory_limit;   /* of a step; 0: its default */

  /* All are called by the thread that runs; any may be NULL. */
  void *data;
  void (*note) (void *data, const char *text); /* one line that somebody should read */
  /* FALSE: save a checkpoint and stop. */
  gboolean (*progress) (void *data, const SlFitProgress *progress);
  void (*epoch) (void *data, const SlEpoch *epoch);
} SlFitOptions;

/* Divides what was given to train on as [split] and [data] limit say, the same way each time: so
 * that samples that were kept away can be found again, by the recipe in the model's metadata.
 * *ret_validation and *ret_test are NULL where their part is 0. */
SL_API gboolean sl_fit_divide (const SlRecipe *recipe, SlSampleSource *all,
                               SlSampleSource **ret_train, SlSampleSource **ret_validation,
                               SlSampleSource **ret_test, GError **error);

typedef struct SlFit SlFit;

/* How a run ended. */
typedef enum {
  SL_FIT_DONE,       /* all epochs */
  SL_FIT_EARLY,      /* no better epoch within [train] patience */
  SL_FIT_INTERRUPTED /* progress() said so; a checkpoint holds everything */
} SlFitEnd;

/* Everything that can be wrong is found here: network and data do not fit, a folder in use, a
 * checkpoint of another recipe or other data. SL_ERROR_LIMIT states the memory of a step. */
SL_API SlFit *sl_fit_new (const SlFitOptions *options, GError **error);
SL_API void sl_fit_free (SlFit *fit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlFit, sl_fit_free)

/* What is trained on and validated with after dividing; the run's. NULL: no validation. */
SL_API SlSampleSource *sl_fit_get_train (SlFit *fit);
SL_API SlSampleSource *sl_fit_get_validation (SlFit *fit);
SL_API void sl_fit_get_info (SlFit *fit, SlTrainerInfo *ret_info);
/* Samples that could not be read so far, as sl_loader_list_failures(). */
SL_API char **sl_fit_list_failures (SlFit *fit);
/* Epochs done so far. */
SL_API const SlHistory *sl_fit_get_history (SlFit *fit);
/* The best epoch so far by [train] monitor, or 0. */
SL_API gint64 sl_fit_get_best_epoch (SlFit *fit);

/* Trains; not without a folder. After each epoch history and checkpoint are on disk. On failure
 * (SL_ERROR_NUMERIC: NaN, with step, layer and rate) the checkpoints are those of whole epochs. The
 * same seed gives the same bits, interrupted and resumed or not. */
SL_API gboolean sl_fit_run (SlFit *fit, SlFitEnd *ret_end, GError **error);

/* Writes one ONNX file, atomically: the network with the parameters of the best epoch (or the last,
 * as [train] keep says), and what engine/onnx/README.md lists in its metadata: labels,
 * preprocessing, a golden input and output, recipe, seed, fingerprint of the data, history, scores.
 * After sl_fit_run(); the run cannot go on then. */
SL_API gboolean sl_fit_save_model (SlFit *fit, const char *path, GError **error);

G_END_DECLS
