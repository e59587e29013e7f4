#include <sightline/schedule.h>

#include <math.h>

#define TOLERANCE 1e-9

typedef struct {
  guint64 step;
  double rate;
} Point;

static void
assert_near (double got, double want)
{
  g_assert_cmpfloat_with_epsilon (got, want, TOLERANCE * fabs (want));
}

static void
assert_points (const SlSchedule *schedule, const Point *points, guint n)
{
  for (guint i = 0; i < n; i++)
    assert_near (sl_schedule_get_rate (schedule, points[i].step, NULL, 0), points[i].rate);
}
#define ASSERT_POINTS(schedule, ...)                         \
  G_STMT_START                                               \
  {                                                          \
    const Point points[] = {__VA_ARGS__};                    \
    assert_points (schedule, points, G_N_ELEMENTS (points)); \
  }                                                          \
  G_STMT_END

/* Numbers here are those of PyTorch 1.13's torch.optim.lr_scheduler, rate 0.1. */

static void
test_step (void)
{
  const guint64 at[] = {3, 5};
  SlSchedule every = {.kind = SL_SCHEDULE_STEP,
                      .rate = .1,
                      .steps_per_epoch = 1,
                      .n_epochs = 9,
                      .factor = .5,
                      .every = 2};
  ASSERT_POINTS (&every, {0, .1}, {1, .1}, {2, .05}, {3, .05}, {4, .025}, {7, .0125}, {8, .00625});

  SlSchedule milestones = {.kind = SL_SCHEDULE_STEP,
                           .rate = .1,
                           .steps_per_epoch = 1,
                           .n_epochs = 9,
                           .factor = .1,
                           .at = at,
                           .n_at = 2};
  ASSERT_POINTS (&milestones, {0, .1}, {2, .1}, {3, .01}, {4, .01}, {5, .001}, {8, .001});

  every.steps_per_epoch = 10;
  ASSERT_POINTS (&every, {0, .1}, {19, .1}, {20, .05}, {39, .05}, {40, .025});
}

static void
test_cosine (void)
{
  SlSchedule schedule = {.kind = SL_SCHEDULE_COSINE,
                         .rate = .1,
                         .steps_per_epoch = 10,
                         .n_epochs = 5,
                         .min_rate = 1e-3};
  ASSERT_POINTS (&schedule, {0, .1}, {1, 0.099902323057199441}, {10, 0.090546341221559884},
                 {25, 0.050500000000000003}, {33, 0.02665319313196509},
                 {49, 0.0010976769428005578});
  /* Beyond its end it stays. */
  assert_near (sl_schedule_get_rate (&schedule, 1000, NULL, 0), 1e-3);

  schedule.per_epoch = TRUE;
  schedule.n_epochs = 50;
  for (guint64 i = 0; i < 10; i++)
    ASSERT_POINTS (&schedule, {i, .1}, {10 + i, 0.099902323057199441},
                   {490 + i, 0.0010976769428005578});
}

static void
test_one_cycle (void)
{
  SlSchedule schedule = {.kind = SL_SCHEDULE_ONE_CYCLE,
                         .rate = .1,
                         .steps_per_epoch = 20,
                         .n_epochs = 5,
                         .rise = .3,
                         .start_divisor = 25,
                         .end_divisor = 1e4};
  ASSERT_POINTS (&schedule, {0, 0.004}, {1, 0.0042813780565907483}, {10, 0.029516394846410082},
                 {29, .1}, {30, 0.099949653528452434}, {60, 0.058928009028552879},
                 {98, 5.0746471547578801e-05}, {99, 4e-07}, {1000, 4e-07});
  schedule.rise = 0;
  assert_near (sl_schedule_get_rate (&schedule, 0, NULL, 0), .1);
}

static void
test_warm_up (void)
{
  SlSchedule schedule = {.kind = SL_SCHEDULE_CONSTANT,
                         .rate = .1,
                         .steps_per_epoch = 4,
                         .n_epochs = 3,
                         .warm_up = 2,
                         .warm_up_factor = 1.0 / 3};
  ASSERT_POINTS (&schedule, {0, .1 / 3}, {1, 0.041666666666666664}, {4, 0.066666666666666666},
                 {7, 0.091666666666666674}, {8, .1}, {11, .1});

  SlSchedule cosine = {.kind = SL_SCHEDULE_COSINE,
                       .rate = .1,
                       .steps_per_epoch = 10,
                       .n_epochs = 5,
                       .warm_up = 1,
                       .warm_up_factor = 1.0 / 3};
  ASSERT_POINTS (&cosine, {0, .1 / 3}, {5, 0.066666666666666666}, {9, 0.093333333333333296},
                 {10, .1}, {11, 0.099845866686656404}, {30, .05}, {49, 0.00015413331334360181});

  SlSchedule step = {.kind = SL_SCHEDULE_STEP,
                     .rate = .1,
                     .steps_per_epoch = 1,
                     .n_epochs = 10,
                     .factor = .1,
                     .every = 3,
                     .warm_up = 4,
                     .warm_up_factor = 1.0 / 3};
  ASSERT_POINTS (&step, {0, .1 / 3}, {1, .05}, {3, 0.0083333333333333}, {4, .01}, {6, .001},
                 {9, .0001});
}

static void
assert_plateau (const SlSchedule *schedule, const double *values, const double *rates, guint n)
{
  for (guint i = 0; i <= n; i++)
    assert_near (sl_schedule_get_rate (schedule, i, values, i), rates[i]);
}

static void
test_plateau (void)
{
  const double loss[] = {1.0, .9, .95, .93, .92, .91, .89995, .5, .6, .6, .6, NAN, .6, .6, .6};
  const double rates[] = {.1,  .1,  .1,  .1,   .1,   .05,  .05,  .05,
                          .05, .05, .05, .025, .025, .025, .025, .02};
  SlSchedule schedule = {.kind = SL_SCHEDULE_PLATEAU,
                         .rate = .1,
                         .steps_per_epoch = 1,
                         .n_epochs = 20,
                         .factor = .5,
                         .min_rate = .02,
                         .patience = 2,
                         .cooldown = 1,
                         .threshold = 1e-4};
  assert_plateau (&schedule, loss, rates, G_N_ELEMENTS (loss));

  const double accuracy[] = {.5, .6, .6, .60005, .7, .7, .7};
  const double falling[] = {.1, .1, .1, .1, .01, .01, .01, .001};
  SlSchedule upwards = {.kind = SL_SCHEDULE_PLATEAU,
                        .rate = .1,
                        .steps_per_epoch = 1,
                        .n_epochs = 20,
                        .factor = .1,
                        .patience = 1,
                        .threshold = 1e-4,
                        .larger_is_better = TRUE};
  assert_plateau (&upwards, accuracy, falling, G_N_ELEMENTS (accuracy));
}

static void
test_recipe (void)
{
  g_autoptr (GError) error = NULL;
  const char text[] = "[network]\nnet=a.net\n[optimizer]\nname=sgd\nrate=0.5\n"
                      "[schedule]\nname=step\nat=2, 4\nfactor=0.5\n[train]\nepochs=6\n";
  g_autoptr (SlRecipe) recipe = sl_recipe_parse (text, sizeof text - 1, "x", &error);
  g_assert_no_error (error);
  g_assert_true (sl_recipe_complete (recipe, &error));
  SlSchedule schedule;
  sl_schedule_init (&schedule, recipe, 3);
  ASSERT_POINTS (&schedule, {0, .5}, {5, .5}, {6, .25}, {11, .25}, {12, .125}, {17, .125});
  sl_schedule_clear (&schedule);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/schedule/step", test_step);
  g_test_add_func ("/train/schedule/cosine", test_cosine);
  g_test_add_func ("/train/schedule/one-cycle", test_one_cycle);
  g_test_add_func ("/train/schedule/warm-up", test_warm_up);
  g_test_add_func ("/train/schedule/plateau", test_plateau);
  g_test_add_func ("/train/schedule/recipe", test_recipe);
  return g_test_run ();
}
