#include <sightline/schedule.h>

#include <math.h>
#include <string.h>

/* ReduceLROnPlateau does not make changes smaller than this. */
#define SMALLEST_CHANGE 1e-8

static guint64 *
parse_epochs (const char *text, guint *ret_n)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  *ret_n = g_strv_length (parts);
  guint64 *epochs = g_new (guint64, *ret_n);
  for (guint i = 0; i < *ret_n; i++)
    epochs[i] = (guint64)g_ascii_strtod (parts[i], NULL);
  return epochs;
}

static SlScheduleKind
find_kind (const char *name)
{
  static const char *const names[] = {
      [SL_SCHEDULE_CONSTANT] = "constant", [SL_SCHEDULE_STEP] = "step",
      [SL_SCHEDULE_COSINE] = "cosine",     [SL_SCHEDULE_ONE_CYCLE] = "one-cycle",
      [SL_SCHEDULE_PLATEAU] = "plateau",
  };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], name) == 0)
      return (SlScheduleKind)i;
  g_return_val_if_reached (SL_SCHEDULE_CONSTANT);
}

void
sl_schedule_init (SlSchedule *schedule, const SlRecipe *recipe, guint64 steps_per_epoch)
{
  g_return_if_fail (schedule && recipe && steps_per_epoch > 0);

  *schedule = (SlSchedule){
      .kind = find_kind (recipe->schedule.name),
      .rate = recipe->optimizer.rate,
      .steps_per_epoch = steps_per_epoch,
      .n_epochs = (guint64)recipe->train.epochs,
      .per_epoch = strcmp (recipe->schedule.per, "epoch") == 0,
      .warm_up = recipe->schedule.warm_up,
      .warm_up_factor = recipe->schedule.warm_up_factor,
      .factor = recipe->schedule.factor,
      .min_rate = recipe->schedule.min_rate,
      .every = (guint64)recipe->schedule.every,
      .patience = (guint64)recipe->schedule.patience,
      .cooldown = (guint64)recipe->schedule.cooldown,
      .threshold = recipe->schedule.threshold,
      .larger_is_better = g_str_has_suffix (recipe->train.monitor, "accuracy"),
      .rise = recipe->schedule.rise,
      .start_divisor = recipe->schedule.start_divisor,
      .end_divisor = recipe->schedule.end_divisor,
  };
  if (schedule->kind == SL_SCHEDULE_STEP && recipe->schedule.at)
    schedule->at = parse_epochs (recipe->schedule.at, &schedule->n_at);
}

void
sl_schedule_clear (SlSchedule *schedule)
{
  g_free ((gpointer)schedule->at);
  schedule->at = NULL;
}

static double
get_step_rate (const SlSchedule *schedule, guint64 epoch)
{
  guint64 changes = schedule->every ? epoch / schedule->every : 0;
  for (guint i = 0; i < schedule->n_at; i++)
    changes += epoch >= schedule->at[i];
  return schedule->rate * pow (schedule->factor, (double)changes);
}

/* From `from` at part 0 to `to` at part 1. */
static double
follow_cosine (double from, double to, double part)
{
  return to + (from - to) * (1 + cos (G_PI * part)) / 2;
}

static double
get_cosine_rate (const SlSchedule *schedule, guint64 step, double warm_up_steps)
{
  const double per_epoch = (double)schedule->steps_per_epoch;
  double done = (double)step - warm_up_steps;
  double all = (double)schedule->n_epochs * per_epoch - warm_up_steps;
  if (schedule->per_epoch) {
    done = floor (done / per_epoch);
    all = ceil (all / per_epoch);
  }
  return follow_cosine (schedule->rate, schedule->min_rate, CLAMP (done / all, 0, 1));
}

static double
get_one_cycle_rate (const SlSchedule *schedule, guint64 step)
{
  const double n_steps = (double)(schedule->n_epochs * schedule->steps_per_epoch);
  const double top = schedule->rise * n_steps - 1; /* where the highest rate is */
  const double last = n_steps - 1;
  const double first_rate = schedule->rate / schedule->start_divisor;
  const double last_rate = first_rate / schedule->end_divisor;
  const double at = MIN ((double)step, last);
  if (at <= top && top > 0)
    return follow_cosine (first_rate, schedule->rate, at / top);
  return follow_cosine (schedule->rate, last_rate,
                        (at - MAX (top, 0)) / MAX (last - MAX (top, 0), 1));
}

static gboolean
is_better (const SlSchedule *schedule, double value, double best)
{
  if (schedule->larger_is_better)
    return value > best * (1 + schedule->threshold);
  return value < best * (1 - schedule->threshold);
}

/* Plays back what the epochs so far have led to: no state to store, nothing to get out of step. */
static double
get_plateau_rate (const SlSchedule *schedule, const double *monitored, gsize n)
{
  double rate = schedule->rate, best = schedule->larger_is_better ? -INFINITY : INFINITY;
  guint64 bad = 0, cooldown = 0;
  for (gsize i = 0; i < n; i++) {
    if (is_better (schedule, monitored[i], best)) {
      best = monitored[i];
      bad = 0;
    } else {
      bad++;
    }
    if (cooldown > 0) {
      cooldown--;
      bad = 0;
    }
    if (bad <= schedule->patience)
      continue;
    double lower = MAX (rate * schedule->factor, schedule->min_rate);
    if (rate - lower > SMALLEST_CHANGE)
      rate = lower;
    cooldown = schedule->cooldown;
    bad = 0;
  }
  return rate;
}

static double
get_warm_up_factor (const SlSchedule *schedule, guint64 step, double warm_up_steps)
{
  if ((double)step >= warm_up_steps)
    return 1;
  return schedule->warm_up_factor + (1 - schedule->warm_up_factor) * (double)step / warm_up_steps;
}

double
sl_schedule_get_rate (const SlSchedule *schedule, guint64 step, const double *monitored,
                      gsize n_monitored)
{
  g_return_val_if_fail (schedule && schedule->steps_per_epoch > 0, 0);

  const double warm_up_steps = round (schedule->warm_up * (double)schedule->steps_per_epoch);
  const double warm_up = get_warm_up_factor (schedule, step, warm_up_steps);
  switch (schedule->kind) {
  case SL_SCHEDULE_STEP:
    return warm_up * get_step_rate (schedule, step / schedule->steps_per_epoch);
  case SL_SCHEDULE_COSINE:
    return warm_up * get_cosine_rate (schedule, step, warm_up_steps);
  case SL_SCHEDULE_ONE_CYCLE:
    return get_one_cycle_rate (schedule, step);
  case SL_SCHEDULE_PLATEAU:
    return warm_up * get_plateau_rate (schedule, monitored, n_monitored);
  case SL_SCHEDULE_CONSTANT:
  default:
    return warm_up * schedule->rate;
  }
}
