/* A wall clock that jumps, back and forth by years, changes nothing of a run. */
#undef _FILE_OFFSET_BITS

#include "place.h"

#include <math.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static struct {
  gboolean jumps;
  guint n_asked;
} wall;

/* In libc's place: the time of day differs by up to ten years from one question to the next. */
static void
jump (time_t *seconds)
{
  static const time_t by[] = {0, 315360000, -3600, -315360000, 86400, -1, 31536000};
  if (wall.jumps)
    *seconds += by[g_atomic_int_add ((gint *)&wall.n_asked, 1) % G_N_ELEMENTS (by)];
}

int
clock_gettime (clockid_t id, struct timespec *ret)
{
  const int result = (int)syscall (SYS_clock_gettime, id, ret);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
    jump (&ret->tv_sec);
  return result;
}

int
gettimeofday (struct timeval *ret, void *zone)
{
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  *ret = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t
time (time_t *ret)
{
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  if (ret)
    *ret = now.tv_sec;
  return now.tv_sec;
}

#define RUN \
  "[optimizer]\nname=adam\nrate=0.01\n[split]\nvalidation=0.2\n[train]\nepochs=4\nbatch=16\n"

static void
check_history (SlFit *fit)
{
  const SlHistory *history = sl_fit_get_history (fit);
  for (guint i = 0; i < sl_history_get_n (history); i++) {
    const SlEpoch *epoch = sl_history_get (history, i);
    g_assert_true (isfinite (epoch->images_per_second) && epoch->images_per_second > 0);
    g_assert_cmpfloat (epoch->seconds, >, 0);
    g_assert_cmpfloat (epoch->seconds, <, 3600);
    g_assert_true (epoch->waiting >= 0 && epoch->waiting <= 1);
  }
}

static void
test_jumps (Place *place, gconstpointer unused)
{
  char *sums[2];
  for (guint i = 0; i < 2; i++) {
    SlFitEnd end;
    g_autoptr (SlRecipe) recipe = place_make_recipe (RUN);
    wall.jumps = i;
    g_autoptr (SlFit) fit = place_run (place, recipe, FALSE, i ? 8 : 0, &end);
    if (i) { /* stopped and taken up: an event file more, of a time that was or is to come */
      g_clear_pointer (&fit, sl_fit_free);
      fit = place_run (place, recipe, TRUE, 0, &end);
    }
    wall.jumps = FALSE;
    g_assert_cmpint (end, ==, SL_FIT_DONE);
    check_history (fit);
    sums[i] = place_fingerprint (fit);
    for (guint k = 0; k < place->notes->len; k++)
      g_assert_null (strstr (g_ptr_array_index (place->notes, k), "TensorBoard"));
  }
  g_assert_cmpuint (wall.n_asked, >, 0);
  g_assert_cmpstr (sums[0], ==, sums[1]);
  for (guint i = 0; i < 2; i++)
    g_free (sums[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/train/clock/jumps", Place, NULL, place_set_up, test_jumps, place_tear_down);
  return g_test_run ();
}
