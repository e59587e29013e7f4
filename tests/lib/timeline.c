/* Intervals of classes: the rule of the header, case by case, and what must hold for any results.
 */
#include <sightline-gst/timeline.h>
#include <string.h>

/* Each letter is a result, a tenth of a second after the one before it:
 * A, B: that class is the best, at 0.8; a, b: at 0.4, which keeps it but lets it not enter;
 * x: class A at 0.4 beside B at 0.6; .: nothing; space: no result. */
#define STEP (100 * GST_MSECOND)

static void
add_letter (SlTimeline *timeline, GstClockTime time, char letter)
{
  SlLabel labels[2] = {{0, 0.8f, (char *)"A"}, {1, 0.1f, (char *)"B"}};

  if (letter == 'B' || letter == 'b')
    labels[0] = (SlLabel){1, 0.8f, (char *)"B"};
  if (letter == 'a' || letter == 'b')
    labels[0].score = 0.4f;
  if (letter == 'x') {
    labels[0] = (SlLabel){1, 0.6f, (char *)"B"};
    labels[1] = (SlLabel){0, 0.4f, (char *)"A"};
  }
  sl_timeline_add (timeline, time, labels, letter == '.' ? 0 : letter == 'x' ? 2 : 1);
}

static GstClockTime
add_letters (SlTimeline *timeline, GstClockTime start, const char *letters)
{
  for (; *letters; letters++, start += STEP)
    if (*letters != ' ')
      add_letter (timeline, start, *letters);
  return start;
}

/* Takes what is complete: "A0-5 B7-9", in tenths of a second. */
static char *
take (SlTimeline *timeline)
{
  GString *out = g_string_new (NULL);
  const SlInterval *interval;

  while ((interval = sl_timeline_next (timeline)))
    g_string_append_printf (out, "%s%s%g-%g", out->len ? " " : "", interval->label,
                            (double)interval->start / STEP, (double)interval->end / STEP);
  return g_string_free (out, FALSE);
}

static void
assert_taken (SlTimeline *timeline, const char *expected)
{
  g_autofree char *taken = take (timeline);
  g_assert_cmpstr (taken, ==, expected);
}

/* hold 0.3 s, min_duration 0.2 s */
static const SlTimelineOptions options = {0.5f, 0.3f, 3 * STEP, 2 * STEP};

static void
test_rule (void)
{
  static const struct {
    const char *letters, *expected;
  } rows[] = {
      {"AAAAA", "A0-5"},
      {"aaaaa", ""},              /* never entered */
      {"aaAaaa", "A2-6"},         /* entered once, stays */
      {"AAA......", "A0-3"},      /* ends where it was last true */
      {"AAA..AAA", "A0-8"},       /* flicker */
      {"AAA...AAA", "A0-3 A6-9"}, /* held long enough to be believed */
      {"AAABBBBB", "A0-3 B3-8"},  /* the change dates from where it began */
      {"AAABBAAA", "A0-8"},       /* a rival for a moment */
      {"AAA.BBBB", "A0-3 B4-8"},  /* a hole between */
      {"AAABB.BBB", "A0-3 B6-9"}, /* the rival is the one that stood there at last */
      {"AAAxxxxx", "A0-3 B3-8"},  /* above `leave`, but another one entered */
      {"AAAbbbbb", "A0-3"},       /* another one is the best but does not enter */
      {"....A....", ""},          /* too short */
      {"....AA...", "A4-6"},      /* just not */
      {"A.BBBBB", "B2-7"},        /* what was too short gives way */
      {"ABABABAB", "A0-8"},       /* whoever was first, while it comes back in time */
      {"AAA  .  A", "A0-5 A8-9"}, /* what was said last holds while nothing is said */
      {"AAA     A", "A0-9"},      /* silence contradicts nothing */
      {"AAAA..", "A0-6"},         /* at the end a doubt is too young */
      {"", ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    SlTimelineOptions changed = options;
    g_test_message ("%s", rows[i].letters);
    /* The row about silence has an interval of one step at its end. */
    if (strstr (rows[i].expected, "A8-9"))
      changed.min_duration = STEP;
    g_autoptr (SlTimeline) timeline = sl_timeline_new (&changed);
    GstClockTime end = add_letters (timeline, 0, rows[i].letters);
    sl_timeline_close (timeline, end);
    assert_taken (timeline, rows[i].expected);
  }
}

/* An interval comes out as soon as it is certain, not at the end. */
static void
test_early (void)
{
  g_autoptr (SlTimeline) timeline = sl_timeline_new (&options);
  GstClockTime time = add_letters (timeline, 0, "AAA...");
  assert_taken (timeline, "");
  time = add_letters (timeline, time, ".");
  assert_taken (timeline, "A0-3");
  add_letters (timeline, time, "BBB");
  assert_taken (timeline, "");
}

static void
test_no_hold (void)
{
  SlTimelineOptions changed = {0.5f, 0.3f, 0, 0};
  g_autoptr (SlTimeline) timeline = sl_timeline_new (&changed);
  sl_timeline_close (timeline, add_letters (timeline, 0, "AABA.A"));
  assert_taken (timeline, "A0-2 B2-3 A3-4 A5-6");
}

/* `leave` above `enter` would end a class in the frame where it enters. */
static void
test_leave_above_enter (void)
{
  SlTimelineOptions changed = {0.5f, 0.9f, 0, 0};
  g_autoptr (SlTimeline) timeline = sl_timeline_new (&changed);
  sl_timeline_close (timeline, add_letters (timeline, 0, "AAAA"));
  assert_taken (timeline, "A0-4");
}

static void
test_score (void)
{
  g_autoptr (SlTimeline) timeline = sl_timeline_new (&options);
  /* 0.8, 0.4, a contradiction that does not count, 0.8, 0.4 */
  sl_timeline_close (timeline, add_letters (timeline, 0, "Aa.Aa"));
  const SlInterval *interval = sl_timeline_next (timeline);
  g_assert_nonnull (interval);
  g_assert_cmpuint (interval->index, ==, 0);
  g_assert_cmpfloat_with_epsilon (interval->score, 0.6f, 1e-6f);
  g_assert_null (sl_timeline_next (timeline));
}

/* A rival's score counts from where it began. */
static void
test_rival_score (void)
{
  g_autoptr (SlTimeline) timeline = sl_timeline_new (&options);
  sl_timeline_close (timeline, add_letters (timeline, 0, "AAAxxxBBB"));
  g_assert_nonnull (sl_timeline_next (timeline));
  const SlInterval *interval = sl_timeline_next (timeline);
  g_assert_nonnull (interval);
  g_assert_cmpuint (interval->index, ==, 1);
  g_assert_cmpfloat_with_epsilon (interval->score, 0.7f, 1e-6f);
}

/* After a seek back the same footage passes again; nothing is told twice. */
static void
test_back (void)
{
  g_autoptr (SlTimeline) timeline = sl_timeline_new (&options);
  add_letters (timeline, 0, "AAAAA");
  sl_timeline_close (timeline, 5 * STEP);
  add_letters (timeline, 0, "BBBBBBBBBBB");
  sl_timeline_close (timeline, GST_CLOCK_TIME_NONE);
  assert_taken (timeline, "A0-5 B5-11");
}

/* Where time jumps nothing reaches across. */
static void
test_jump (void)
{
  g_autoptr (SlTimeline) timeline = sl_timeline_new (&options);
  add_letters (timeline, 0, "AAA");
  sl_timeline_close (timeline, GST_CLOCK_TIME_NONE);
  add_letters (timeline, 100 * STEP, "AAA");
  sl_timeline_close (timeline, 0);
  sl_timeline_close (timeline, 1000 * STEP);
  assert_taken (timeline, "A0-3 A100-103");
}

static void
test_no_time (void)
{
  SlLabel label = {0, 1.0f, (char *)"A"};
  g_autoptr (SlTimeline) timeline = sl_timeline_new (NULL);
  sl_timeline_close (timeline, GST_SECOND);
  sl_timeline_add (timeline, GST_CLOCK_TIME_NONE, &label, 1);
  sl_timeline_close (timeline, GST_SECOND);
  g_assert_null (sl_timeline_next (timeline));

  /* One result alone says nothing of how long. */
  sl_timeline_add (timeline, 2 * GST_SECOND, &label, 1);
  sl_timeline_close (timeline, GST_CLOCK_TIME_NONE);
  g_assert_null (sl_timeline_next (timeline));
  sl_timeline_add (timeline, 3 * GST_SECOND, &label, 1);
  sl_timeline_close (timeline, 4 * GST_SECOND);
  const SlInterval *interval = sl_timeline_next (timeline);
  g_assert_nonnull (interval);
  g_assert_cmpuint (interval->start, ==, 3 * GST_SECOND);
  g_assert_cmpuint (interval->end, ==, 4 * GST_SECOND);
}

/* Whatever the results: ordered, apart, long enough, and a class that entered in it. */
static void
test_any (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  for (guint run = 0; run < 500; run++) {
    SlTimelineOptions changed = {0.5f, 0.3f, g_rand_int_range (rand, 0, 6) * STEP,
                                 g_rand_int_range (rand, 0, 4) * STEP};
    g_autoptr (SlTimeline) timeline = sl_timeline_new (&changed);
    GstClockTime time = 0, told = 0;
    char letters[200];
    for (guint i = 0; i < G_N_ELEMENTS (letters); i++) {
      letters[i] = "AABBabx. "[g_rand_int_range (rand, 0, 9)];
      if (letters[i] != ' ')
        add_letter (timeline, time, letters[i]);
      time += STEP;
      if (g_rand_int_range (rand, 0, 40) == 0)
        sl_timeline_close (timeline, g_rand_boolean (rand) ? time : GST_CLOCK_TIME_NONE);
    }
    sl_timeline_close (timeline, time);
    const SlInterval *interval;
    while ((interval = sl_timeline_next (timeline))) {
      g_assert_cmpuint (interval->start, >=, told);
      g_assert_cmpuint (interval->end, >=, interval->start + MAX (changed.min_duration, STEP));
      g_assert_cmpuint (interval->end, <=, time);
      g_assert_cmpfloat (interval->score, >=, 0.3f);
      g_assert_cmpfloat (interval->score, <=, 0.81f);
      char first = letters[interval->start / STEP];
      if (interval->index == 0)
        g_assert_cmpint (first, ==, 'A');
      else
        g_assert_true (first == 'B' || first == 'x');
      told = interval->end;
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lib/timeline/rule", test_rule);
  g_test_add_func ("/lib/timeline/early", test_early);
  g_test_add_func ("/lib/timeline/no-hold", test_no_hold);
  g_test_add_func ("/lib/timeline/leave-above-enter", test_leave_above_enter);
  g_test_add_func ("/lib/timeline/score", test_score);
  g_test_add_func ("/lib/timeline/rival-score", test_rival_score);
  g_test_add_func ("/lib/timeline/back", test_back);
  g_test_add_func ("/lib/timeline/jump", test_jump);
  g_test_add_func ("/lib/timeline/no-time", test_no_time);
  g_test_add_func ("/lib/timeline/any", test_any);
  return g_test_run ();
}
