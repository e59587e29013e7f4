/* What the files of a run share: fit.c the loop, fit_data.c what goes in, fit_state.c checkpoints,
 * fit_front.c what is put in front of the network, fit_model.c what comes out. */
#pragma once

#include <sightline/augment.h>
#include <sightline/checkpoint.h>
#include <sightline/events.h>
#include <sightline/fit.h>
#include <sightline/loader.h>
#include <sightline/metadata.h>
#include <sightline/schedule.h>

#include <stdbool.h>

/* Sums over the samples of an epoch so far. */
typedef struct {
  double loss; /* of all samples together */
  guint64 right, n;
} SlFitSums;

/* How names begin of what [preprocess] whiten puts in front of a network. */
#define SL_FIT_WHITENING "whitening"

struct SlFit {
  SlFitOptions options; /* holds a reference on the model, which may be another than was given */
  SlRecipe effective;   /* options.recipe, whose texts it lends, with what holds for these data and
                           this network where the recipe leaves it to them */
  const SlRecipe *recipe; /* &effective */
  char *recipe_text;
  char *data_hash;       /* of what was given to train on */
  char *validation_hash; /* the same to validate with; "" if nothing was */
  char *network_hash;    /* of the graph, without contents */
  char *folder;
  char *base_hash;   /* of the file that the network is made of */
  char **head_names; /* of a base's last layer: its parameters; NULL: there is none */
  int lock;

  SlSampleSource *train, *validation; /* validation: or NULL */
  SlModelRules *rules;
  char *begin; /* the value that the trainer begins with, whose content for each sample is kept;
                  NULL: the input, and nothing of the following */
  SlSampleSource *features, *validation_features;
  SlPreprocess feature_rules;
  SlLoader *loader, *validation_loader;
  SlTrainer *trainer;
  SlTensorView input, target;           /* of the step that is next */
  SlTensorView eval_input, eval_target; /* of an evaluation */
  bool has_classes;                     /* targets are classes: there is an accuracy */
  bool targets_are_inputs;              /* an autoencoder */

  SlSchedule schedule;
  SlHistory *history;
  GArray *monitored;   /* double, one for each epoch of the history */
  const char *monitor; /* [train] monitor, or what stands for it without validation */
  SlEventFile *events; /* NULL until the first epoch is written */

  guint n_batches;     /* of an epoch */
  guint batch, n_last; /* samples of a step; of an epoch's last one, if that has fewer, or 0 */
  SlFitSums sums;      /* of the epoch that is under way */
  double best;         /* monitored value of the best epoch */
  gint64 best_epoch;   /* 0: none yet */
  guint64 best_step;   /* its step: names the file with its parameters */
  gint64 start;        /* of this epoch in this process, monotonic */
  gint64 start_waited; /* of the loader */
  guint64 start_n;     /* samples of this epoch that earlier processes did */
};

void sl_fit_note (SlFit *fit, const char *format, ...) G_GNUC_PRINTF (2, 3);
G_GNUC_PRINTF (3, 4)
gboolean sl_fit_fail (GError **error, SlErrorCode code, const char *format, ...);

/* The first sample that can be read; the last one's error if none can. */
gboolean sl_fit_load_first (SlSampleSource *source, SlSample *ret_sample, GError **error);
/* Splits, rules; fills in the effective recipe. */
gboolean sl_fit_prepare_data (SlFit *fit, GError **error);
/* Puts what [preprocess] whiten says, fitted on the training set, in front of the network, and in
 * front of one that takes vectors what makes them of pictures. */
gboolean sl_fit_prepare_front (SlFit *fit, GError **error);
/* Computes what stays the same of each sample, where that is a part of the network, and no sample
 * is changed before. */
gboolean sl_fit_prepare_features (SlFit *fit, GError **error);
/* Checks that network and data fit, once the trainer is there, and makes the loaders. */
gboolean sl_fit_prepare_loaders (SlFit *fit, GError **error);
/* Options of the trainer as the recipe has them. Free *ret_weights and *ret_rules with g_free(),
 * *ret_patterns with g_strfreev(). */
gboolean sl_fit_read_trainer_options (SlFit *fit, SlTrainerOptions *ret, float **ret_weights,
                                      SlRateRule **ret_rules, GStrv *ret_patterns, GError **error);
/* The next training batch into input and target, which are the trainer's for as many samples; zeros
 * in what [augment] mask draws. */
gboolean sl_fit_next_batch (SlFit *fit, SlBatch *ret_batch, GError **error);
gboolean sl_fit_next_validation_batch (SlFit *fit, SlBatch *ret_batch, GError **error);

/* Locks the folder, where nothing may lie unless the options say what to do with it. */
gboolean sl_fit_open_folder (SlFit *fit, GError **error);
gboolean sl_fit_restore (SlFit *fit, GError **error);
/* Removes what an earlier run left there that this one does not go on with. */
gboolean sl_fit_clear_folder (SlFit *fit, GError **error);
/* Saves all that is needed to go on. */
gboolean sl_fit_save (SlFit *fit, GError **error);
/* The network's variables as they are now, as the best so far; and back. */
gboolean sl_fit_save_best (SlFit *fit, GError **error);
gboolean sl_fit_load_best (SlFit *fit, GError **error);

/* The keys' texts of what rules hold. */
const char *sl_fit_get_range (const SlPreprocess *rules);
const char *sl_fit_get_resize (const SlPreprocess *rules);
/* What the range -1..1 adds to a mean as rules hold it; 0 for the others. */
double sl_fit_get_middle (const SlPreprocess *rules);
/* "0.13" or "0.49,0.48,0.45": values[n] less `offset`. Free with g_free(). */
char *sl_fit_format_channels (const float *values, guint32 n, double offset);

/* The value of an epoch by the name of [train] monitor. */
double sl_fit_get_monitored (const SlFit *fit, const SlEpoch *epoch);
