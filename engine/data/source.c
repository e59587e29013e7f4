#include <sightline/dataset.h>

#include <stdatomic.h>
#include <string.h>

struct SlSampleSource {
  atomic_int n_refs;
  SlSampleSourceSpec spec; /* with arrays and strings of its own */
  SlSampleSource *parent;  /* of a subset, else NULL */
  uint32_t *indices;       /* [n_samples] of the parent's samples; NULL without one */
};

static gboolean
check_spec (const SlSampleSourceSpec *spec, GError **error)
{
  if (!spec->n_samples || !spec->n_classes) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 "%u samples of %u classes (expected one at least)", spec->n_samples,
                 spec->n_classes);
    return FALSE;
  }
  for (uint32_t i = 0; i < spec->n_samples; i++)
    if (spec->labels[i] >= spec->n_classes) {
      g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                   "sample %u has label %u (expected 0 to %u, there are %u class names)", i,
                   spec->labels[i], spec->n_classes - 1, spec->n_classes);
      return FALSE;
    }
  return TRUE;
}

/* `spec` is valid. */
static SlSampleSource *
source_new (const SlSampleSourceSpec *spec)
{
  SlSampleSource *source = g_new0 (SlSampleSource, 1);
  char **names = g_new0 (char *, (gsize)spec->n_classes + 1);
  for (uint32_t c = 0; c < spec->n_classes; c++)
    names[c] = g_strdup (spec->class_names[c]);
  source->n_refs = 1;
  source->spec = *spec;
  source->spec.class_names = (const char *const *)names;
  source->spec.labels = g_memdup2 (spec->labels, spec->n_samples * sizeof *spec->labels);
  if (spec->groups)
    source->spec.groups = g_memdup2 (spec->groups, spec->n_samples * sizeof *spec->groups);
  return source;
}

SlSampleSource *
sl_sample_source_new (const SlSampleSourceSpec *spec, GError **error)
{
  g_return_val_if_fail (spec && spec->load && spec->describe && spec->get_hash, NULL);
  if (check_spec (spec, error))
    return source_new (spec);
  if (spec->destroy)
    spec->destroy (spec->data);
  return NULL;
}

SlSampleSource *
sl_sample_source_new_subset (SlSampleSource *source, const uint32_t *indices, uint32_t n,
                             GError **error)
{
  g_return_val_if_fail (source && indices, NULL);
  g_autofree uint32_t *labels = g_new (uint32_t, MAX (n, 1));
  g_autofree uint32_t *groups = source->spec.groups ? g_new (uint32_t, MAX (n, 1)) : NULL;
  for (uint32_t i = 0; i < n; i++) {
    g_return_val_if_fail (indices[i] < source->spec.n_samples, NULL);
    labels[i] = source->spec.labels[indices[i]];
    if (groups)
      groups[i] = source->spec.groups[indices[i]];
  }

  SlSampleSourceSpec spec = source->spec;
  spec.n_samples = n;
  spec.labels = labels;
  spec.groups = groups;
  if (!check_spec (&spec, error))
    return NULL;
  SlSampleSource *subset = source_new (&spec);
  subset->parent = sl_sample_source_ref (source);
  subset->indices = g_memdup2 (indices, n * sizeof *indices);
  return subset;
}

SlSampleSource *
sl_sample_source_ref (SlSampleSource *source)
{
  atomic_fetch_add (&source->n_refs, 1);
  return source;
}

void
sl_sample_source_unref (SlSampleSource *source)
{
  if (!source || atomic_fetch_sub (&source->n_refs, 1) > 1)
    return;
  if (!source->parent && source->spec.destroy)
    source->spec.destroy (source->spec.data);
  sl_sample_source_unref (source->parent);
  g_free (source->indices);
  g_free ((void *)source->spec.labels);
  g_free ((void *)source->spec.groups);
  g_strfreev ((char **)source->spec.class_names);
  g_free (source);
}

/* Makes *index one of the source that the samples come from. */
static SlSampleSource *
find_origin (SlSampleSource *source, uint32_t *index)
{
  for (; source->parent; source = source->parent)
    *index = source->indices[*index];
  return source;
}

uint32_t
sl_sample_source_get_n_samples (SlSampleSource *source)
{
  return source->spec.n_samples;
}

uint32_t
sl_sample_source_get_n_classes (SlSampleSource *source)
{
  return source->spec.n_classes;
}

const char *const *
sl_sample_source_get_class_names (SlSampleSource *source)
{
  return source->spec.class_names;
}

uint32_t
sl_sample_source_get_label (SlSampleSource *source, uint32_t index)
{
  g_return_val_if_fail (index < source->spec.n_samples, 0);
  return source->spec.labels[index];
}

gboolean
sl_sample_source_has_groups (SlSampleSource *source)
{
  return source->spec.groups != NULL;
}

uint32_t
sl_sample_source_get_group (SlSampleSource *source, uint32_t index)
{
  g_return_val_if_fail (index < source->spec.n_samples, 0);
  return source->spec.groups ? source->spec.groups[index] : 0;
}

void
sl_sample_source_count (SlSampleSource *source, uint32_t *ret_counts)
{
  memset (ret_counts, 0, source->spec.n_classes * sizeof *ret_counts);
  for (uint32_t i = 0; i < source->spec.n_samples; i++)
    ret_counts[source->spec.labels[i]]++;
}

char *
sl_sample_source_describe (SlSampleSource *source, uint32_t index)
{
  g_return_val_if_fail (index < source->spec.n_samples, NULL);
  source = find_origin (source, &index);
  return source->spec.describe (source->spec.data, index);
}

char *
sl_sample_source_get_hash (SlSampleSource *source, GError **error)
{
  while (source->parent)
    source = source->parent;
  const SlSampleSourceSpec *spec = &source->spec;
  g_autofree char *content = spec->get_hash (spec->data, error);
  if (!content)
    return NULL;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (sum, (const guchar *)content, -1);
  for (uint32_t i = 0; i < spec->n_samples; i++) {
    guint32 label = GUINT32_TO_LE (spec->labels[i]);
    g_checksum_update (sum, (const guchar *)&label, sizeof label);
  }
  for (uint32_t c = 0; c < spec->n_classes; c++) /* with the zero that ends it */
    g_checksum_update (sum, (const guchar *)spec->class_names[c],
                       (gssize)strlen (spec->class_names[c]) + 1);
  return g_strdup (g_checksum_get_string (sum));
}

gboolean
sl_sample_source_load (SlSampleSource *source, uint32_t index, SlSample *ret_sample, GError **error)
{
  g_return_val_if_fail (index < source->spec.n_samples && ret_sample, FALSE);
  source = find_origin (source, &index);
  *ret_sample = (SlSample){0};
  return source->spec.load (source->spec.data, index, ret_sample, error);
}

void
sl_sample_source_release (SlSampleSource *source, SlSample *sample)
{
  if (source->spec.release)
    source->spec.release (source->spec.data, sample);
}
