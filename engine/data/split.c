#include "data/order.h"

#include <sightline/dataset.h>

#include <math.h>
#include <string.h>

typedef struct Split {
  SlSampleSource *source;
  double fraction;
  guint64 seed;
  gboolean *second; /* [n_samples] which are of the second part */
} Split;

static int
compare_numbers (const void *a, const void *b)
{
  const uint32_t *left = a, *right = b;
  return *left < *right ? -1 : *left > *right;
}

static void
split_last (const Split *split)
{
  uint32_t n = sl_sample_source_get_n_samples (split->source);
  for (uint32_t i = (uint32_t)(n * (1 - split->fraction)); i < n; i++)
    split->second[i] = TRUE;
}

static void
split_randomly (const Split *split)
{
  uint32_t n = sl_sample_source_get_n_samples (split->source);
  uint32_t n_classes = sl_sample_source_get_n_classes (split->source);
  g_autofree uint32_t *counts = g_new (uint32_t, n_classes);
  sl_sample_source_count (split->source, counts);
  for (uint32_t c = 0; c < n_classes; c++) {
    uint32_t wanted = (uint32_t)floor (counts[c] * split->fraction + 0.5);
    counts[c] = counts[c] < 2 ? 0 : CLAMP (wanted, 1, counts[c] - 1);
  }

  g_autofree uint32_t *order = g_new (uint32_t, n);
  for (uint32_t i = 0; i < n; i++)
    order[i] = i;
  SlRandom random = sl_random_start (split->seed, SL_RANDOM_SPLIT, 0, 0);
  sl_shuffle (&random, order, n);
  for (uint32_t k = 0; k < n; k++) {
    uint32_t *left = &counts[sl_sample_source_get_label (split->source, order[k])];
    split->second[order[k]] = *left > 0;
    *left -= *left > 0;
  }
}

static void
split_groups (const Split *split)
{
  uint32_t n = sl_sample_source_get_n_samples (split->source), n_groups = 0;
  g_autofree uint32_t *groups = g_new (uint32_t, n);
  for (uint32_t i = 0; i < n; i++)
    groups[i] = sl_sample_source_get_group (split->source, i);
  qsort (groups, n, sizeof *groups, compare_numbers);
  g_autoptr (GHashTable) sizes = g_hash_table_new (NULL, NULL); /* group number to samples */
  for (uint32_t i = 0, from = 0; i < n; i++)
    if (i + 1 == n || groups[i + 1] != groups[i]) {
      g_hash_table_insert (sizes, GUINT_TO_POINTER (groups[i]), GUINT_TO_POINTER (i + 1 - from));
      groups[n_groups++] = groups[i];
      from = i + 1;
    }

  SlRandom random = sl_random_start (split->seed, SL_RANDOM_SPLIT, 1, 0);
  sl_shuffle (&random, groups, n_groups);
  g_autoptr (GHashTable) chosen = g_hash_table_new (NULL, NULL);
  double have = 0, wanted = n * split->fraction;
  for (uint32_t g = 0; g + 1 < n_groups && have < wanted; g++) {
    g_hash_table_add (chosen, GUINT_TO_POINTER (groups[g]));
    have += GPOINTER_TO_UINT (g_hash_table_lookup (sizes, GUINT_TO_POINTER (groups[g])));
  }
  for (uint32_t i = 0; i < n; i++)
    split->second[i] = g_hash_table_contains (
        chosen, GUINT_TO_POINTER (sl_sample_source_get_group (split->source, i)));
}

typedef struct Place {
  double place; /* of a sample among those of its class, 0 to 1 */
  uint32_t order, index;
} Place;

static int
compare_places (const void *a, const void *b)
{
  const Place *left = a, *right = b;
  if (left->place != right->place)
    return left->place < right->place ? -1 : 1;
  return left->order < right->order ? -1 : left->order > right->order;
}

/* Shuffled samples of each class are laid out evenly from 0 to 1; the first n of all are taken. */
SlSampleSource *
sl_sample_source_draw (SlSampleSource *source, uint32_t n, guint64 seed, GError **error)
{
  g_return_val_if_fail (source && n > 0, NULL);
  const uint32_t n_all = sl_sample_source_get_n_samples (source);
  const uint32_t n_classes = sl_sample_source_get_n_classes (source);
  if (n >= n_all)
    return sl_sample_source_ref (source);
  g_autofree uint32_t *counts = g_new (uint32_t, n_classes), *seen = g_new0 (uint32_t, n_classes);
  g_autofree uint32_t *order = g_new (uint32_t, n_all);
  g_autofree Place *places = g_new (Place, n_all);
  sl_sample_source_count (source, counts);
  for (uint32_t i = 0; i < n_all; i++)
    order[i] = i;
  SlRandom random = sl_random_start (seed, SL_RANDOM_SPLIT, 2, 0);
  sl_shuffle (&random, order, n_all);
  for (uint32_t k = 0; k < n_all; k++) {
    const uint32_t label = sl_sample_source_get_label (source, order[k]);
    places[k] = (Place){(seen[label]++ + 0.5) / counts[label], k, order[k]};
  }
  qsort (places, n_all, sizeof *places, compare_places);
  for (uint32_t k = 0; k < n; k++)
    order[k] = places[k].index;
  qsort (order, n, sizeof *order, compare_numbers);
  return sl_sample_source_new_subset (source, order, n, error);
}

gboolean
sl_sample_source_split (SlSampleSource *source, SlSplitRule rule, double fraction, guint64 seed,
                        SlSampleSource **ret_first, SlSampleSource **ret_second, GError **error)
{
  static void (*const rules[SL_SPLIT_COUNT]) (const Split *) = {
      [SL_SPLIT_RANDOM] = split_randomly,
      [SL_SPLIT_LAST] = split_last,
      [SL_SPLIT_GROUP] = split_groups,
  };
  g_return_val_if_fail (source && ret_first && ret_second, FALSE);
  g_return_val_if_fail ((unsigned)rule < SL_SPLIT_COUNT, FALSE);
  uint32_t n = sl_sample_source_get_n_samples (source), n_part[2] = {0, 0};
  if (!(fraction > 0 && fraction < 1)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "a part of %g of the samples (expected above 0 and below 1)", fraction);
    return FALSE;
  }
  if (rule == SL_SPLIT_GROUP && !sl_sample_source_has_groups (source)) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                         "it is not known which samples were captured together (expected sessions "
                         "to split by)");
    return FALSE;
  }

  g_autofree gboolean *second = g_new0 (gboolean, n);
  rules[rule](&(Split){source, fraction, seed, second});
  g_autofree uint32_t *first_indices = g_new (uint32_t, n);
  g_autofree uint32_t *second_indices = g_new (uint32_t, n);
  for (uint32_t i = 0; i < n; i++)
    (second[i] ? second_indices : first_indices)[n_part[second[i]]++] = i;
  if (!n_part[0] || !n_part[1]) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%g of %u samples%s leaves %u and %u (expected samples in both parts)", fraction,
                 n, rule == SL_SPLIT_GROUP ? ", session by session," : "", n_part[0], n_part[1]);
    return FALSE;
  }
  *ret_first = sl_sample_source_new_subset (source, first_indices, n_part[0], error);
  *ret_second = sl_sample_source_new_subset (source, second_indices, n_part[1], error);
  return *ret_first && *ret_second;
}
