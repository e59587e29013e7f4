/* Learning rates over a run: pure functions of the step and of what was measured so far. */
#pragma once

#include <sightline/recipe.h>

G_BEGIN_DECLS

typedef enum {
  SL_SCHEDULE_CONSTANT,
  SL_SCHEDULE_STEP,      /* times `factor` at stated epochs */
  SL_SCHEDULE_COSINE,    /* half a cosine from the rate to min_rate (Loshchilov and Hutter 2017) */
  SL_SCHEDULE_ONE_CYCLE, /* up and down along cosines (Smith and Topin 2019) */
  SL_SCHEDULE_PLATEAU    /* times `factor` whenever the monitored value stays away from better */
} SlScheduleKind;

/* Formulas are PyTorch 1.13's, to rounding: StepLR and MultiStepLR; CosineAnnealingLR; OneCycleLR
 * with cosines and two phases (momentum does not cycle); ReduceLROnPlateau with relative threshold;
 * LinearLR for the warm-up. During the warm-up constant, step and plateau are multiplied with its
 * factor and count epochs from the start; cosine begins after it (SequentialLR). one-cycle has a
 * rise of its own. */
typedef struct SlSchedule {
  SlScheduleKind kind;
  double rate; /* the highest */
  guint64 steps_per_epoch;
  guint64 n_epochs;
  gboolean per_epoch; /* cosine: constant within an epoch */
  double warm_up;     /* epochs */
  double warm_up_factor;
  double factor, min_rate;
  guint64 every;     /* epochs; 0: `at` says when */
  const guint64 *at; /* rising numbers of epochs, [n_at] */
  guint n_at;
  guint64 patience, cooldown; /* epochs */
  double threshold;
  gboolean larger_is_better; /* of the monitored value */
  double rise, start_divisor, end_divisor;
} SlSchedule;

/* What the recipe says, for epochs of so many steps. The recipe is complete; `at` belongs to the
 * schedule, to be freed by sl_schedule_clear(). */
SL_API void sl_schedule_init (SlSchedule *schedule, const SlRecipe *recipe,
                              guint64 steps_per_epoch);
SL_API void sl_schedule_clear (SlSchedule *schedule);

/* The rate of step `step`, counted from 0 over the whole run. `monitored` holds the value of each
 * epoch that has ended, [n_monitored]; only SL_SCHEDULE_PLATEAU reads it. NaN is never better. */
SL_API double sl_schedule_get_rate (const SlSchedule *schedule, guint64 step,
                                    const double *monitored, gsize n_monitored);

G_END_DECLS
