#include "files.h"

#include <math.h>
#include <string.h>

typedef struct Parts {
  SlSampleSource *first, *second;
} Parts;

static Parts
split (SlSampleSource *source, SlSplitRule rule, double fraction, guint64 seed)
{
  Parts parts;
  g_autoptr (GError) error = NULL;
  sl_sample_source_split (source, rule, fraction, seed, &parts.first, &parts.second, &error);
  g_assert_no_error (error);
  return parts;
}

static void
clear (Parts *parts)
{
  sl_sample_source_unref (parts->first);
  sl_sample_source_unref (parts->second);
}

/* Which sample of the whole it is: "made[17]". */
static uint32_t
origin (SlSampleSource *source, uint32_t index)
{
  g_autofree char *name = sl_sample_source_describe (source, index);
  return (uint32_t)g_ascii_strtoull (name + strlen ("made["), NULL, 10);
}

/* Each sample of the whole is in exactly one part, in its old order, with its label. */
static void
check_parts (SlSampleSource *source, const Parts *parts)
{
  uint32_t n = sl_sample_source_get_n_samples (source), seen = 0;
  SlSampleSource *both[] = {parts->first, parts->second};
  g_autofree gboolean *found = g_new0 (gboolean, n);
  for (int p = 0; p < 2; p++)
    for (uint32_t i = 0; i < sl_sample_source_get_n_samples (both[p]); i++, seen++) {
      uint32_t from = origin (both[p], i);
      g_assert_false (found[from]);
      found[from] = TRUE;
      g_assert_true (i == 0 || origin (both[p], i - 1) < from);
      g_assert_cmpuint (sl_sample_source_get_label (both[p], i), ==,
                        sl_sample_source_get_label (source, from));
    }
  g_assert_cmpuint (seen, ==, n);
}

static void
test_last (void)
{
  /* n, fraction, Keras's int (floor (n * (1 - fraction))) */
  static const struct {
    uint32_t n;
    double fraction;
    uint32_t first;
  } cases[] = {{10, 0.2, 8}, {60000, 0.1, 54000}, {7, 0.5, 3}, {7, 0.99, 0}, {3, 0.01, 2}};
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (SlSampleSource) source = files_gray_source (cases[i].n, 1, 1, 2, NULL);
    if (!cases[i].first) {
      Parts parts;
      g_autoptr (GError) error = NULL;
      g_assert_false (sl_sample_source_split (source, SL_SPLIT_LAST, cases[i].fraction, 0,
                                              &parts.first, &parts.second, &error));
      g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
      continue;
    }
    Parts parts = split (source, SL_SPLIT_LAST, cases[i].fraction, 0);
    g_assert_cmpuint (sl_sample_source_get_n_samples (parts.first), ==, cases[i].first);
    g_assert_cmpuint (origin (parts.second, 0), ==, cases[i].first);
    check_parts (source, &parts);
    clear (&parts);
  }
}

static void
test_random (void)
{
  uint32_t counts[3], first[2];
  g_autoptr (SlSampleSource) source = files_gray_source (100, 1, 1, 3, NULL);
  for (guint64 seed = 0; seed < 2; seed++) {
    Parts parts = split (source, SL_SPLIT_RANDOM, 0.2, seed);
    Parts again = split (source, SL_SPLIT_RANDOM, 0.2, seed);
    check_parts (source, &parts);
    sl_sample_source_count (parts.second, counts);
    for (int c = 0; c < 3; c++) /* of 34, 33 and 33 */
      g_assert_cmpuint (counts[c], ==, 7);
    for (uint32_t i = 0; i < 21; i++)
      g_assert_cmpuint (origin (parts.second, i), ==, origin (again.second, i));
    first[seed] = 0;
    for (uint32_t i = 0; i < 21; i++)
      first[seed] = first[seed] * 31 + origin (parts.second, i);
    clear (&parts);
    clear (&again);
  }
  g_assert_cmpuint (first[0], !=, first[1]);

  /* a class of two is on both sides, a class of one in the first */
  g_autoptr (SlSampleSource) few =
      sl_sample_source_new_subset (source, (uint32_t[]){0, 3, 1}, 3, NULL);
  Parts parts = split (few, SL_SPLIT_RANDOM, 0.01, 5);
  sl_sample_source_count (parts.second, counts);
  g_assert_cmpuint (counts[0], ==, 1);
  g_assert_cmpuint (counts[1], ==, 0);
  clear (&parts);
}

/* A clip's frames, nearly all the same, have to be on one side: 10 sessions of 10. */
static void
test_groups (void)
{
  uint32_t groups[100];
  for (uint32_t i = 0; i < 100; i++)
    groups[i] = 1000 + i % 10;
  g_autoptr (SlSampleSource) source = files_gray_source (100, 1, 1, 2, groups);
  gboolean differs = FALSE;
  uint32_t before = 0;
  for (guint64 seed = 0; seed < 8; seed++) {
    Parts parts = split (source, SL_SPLIT_GROUP, 0.25, seed);
    check_parts (source, &parts);
    g_assert_cmpuint (sl_sample_source_get_n_samples (parts.second), ==, 30);
    g_assert_true (sl_sample_source_has_groups (parts.first));
    for (uint32_t i = 0; i < 70; i++)
      for (uint32_t j = 0; j < 30; j++)
        g_assert_cmpuint (sl_sample_source_get_group (parts.first, i), !=,
                          sl_sample_source_get_group (parts.second, j));
    uint32_t now = sl_sample_source_get_group (parts.second, 0);
    differs |= seed > 0 && now != before;
    before = now;
    clear (&parts);
  }
  g_assert_true (differs);
}

static void
test_refused (void)
{
  static const double fractions[] = {0, 1, -0.1, 2, NAN};
  uint32_t one_session[4] = {7, 7, 7, 7};
  Parts parts;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSampleSource) source = files_gray_source (4, 1, 1, 2, NULL);
  g_autoptr (SlSampleSource) single = files_gray_source (4, 1, 1, 4, one_session);
  for (gsize i = 0; i < G_N_ELEMENTS (fractions); i++) {
    g_assert_false (sl_sample_source_split (source, SL_SPLIT_RANDOM, fractions[i], 0, &parts.first,
                                            &parts.second, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
    g_clear_error (&error);
  }
  g_assert_false (
      sl_sample_source_split (source, SL_SPLIT_GROUP, 0.5, 0, &parts.first, &parts.second, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_false (
      sl_sample_source_split (single, SL_SPLIT_GROUP, 0.5, 0, &parts.first, &parts.second, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_false (sl_sample_source_split (single, SL_SPLIT_RANDOM, 0.5, 0, &parts.first,
                                          &parts.second, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
}

/* Folders come class by class, the large and the small: each has its share. */
static void
test_draw (void)
{
  static const uint32_t sizes[3] = {60, 30, 10};
  uint32_t indices[100], counts[3], n = 0;
  g_autoptr (SlSampleSource) all = files_gray_source (300, 1, 1, 3, NULL);
  for (uint32_t c = 0; c < 3; c++)
    for (uint32_t i = 0; i < sizes[c]; i++)
      indices[n++] = 3 * i + c;
  g_autoptr (SlSampleSource) source = sl_sample_source_new_subset (all, indices, n, NULL);
  for (uint32_t wanted = 1; wanted < 100; wanted += 7) {
    g_autoptr (SlSampleSource) drawn = sl_sample_source_draw (source, wanted, 5, NULL);
    g_autoptr (SlSampleSource) again = sl_sample_source_draw (source, wanted, 5, NULL);
    g_assert_cmpuint (sl_sample_source_get_n_samples (drawn), ==, wanted);
    sl_sample_source_count (drawn, counts);
    for (uint32_t c = 0; c < 3; c++)
      g_assert_cmpfloat (fabs (counts[c] - sizes[c] * wanted / 100.0), <=, 1);
    for (uint32_t i = 0; i < wanted; i++)
      g_assert_cmpuint (origin (drawn, i), ==, origin (again, i));
    for (uint32_t i = 1; i < wanted; i++)
      g_assert_true (sl_sample_source_get_label (drawn, i - 1) <=
                     sl_sample_source_get_label (drawn, i));
  }
  g_autoptr (SlSampleSource) some = sl_sample_source_draw (source, 50, 5, NULL);
  g_autoptr (SlSampleSource) others = sl_sample_source_draw (source, 50, 6, NULL);
  uint32_t n_same = 0;
  for (uint32_t i = 0; i < 50; i++)
    n_same += origin (some, i) == origin (others, i);
  g_assert_cmpuint (n_same, <, 50);
  g_autoptr (SlSampleSource) whole = sl_sample_source_draw (source, 101, 5, NULL);
  g_assert_true (whole == source);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/data/split/last", test_last);
  g_test_add_func ("/data/split/random", test_random);
  g_test_add_func ("/data/split/groups", test_groups);
  g_test_add_func ("/data/split/refused", test_refused);
  g_test_add_func ("/data/split/draw", test_draw);
  return g_test_run ();
}
