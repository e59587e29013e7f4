#include "data/memory.h"

#include "core/limit.h"

typedef struct MemoryData {
  SlMemorySet set; /* with a reference on `pixels`; labels and names are not kept */
  char *path;
} MemoryData;

gboolean
sl_memory_source_get_limit (guint64 *ret_limit, GError **error)
{
  *ret_limit = SL_DATASET_MAX_BYTES;
  return sl_limit_read ("data", ret_limit, error);
}

static gboolean
load (void *data, uint32_t index, SlSample *ret_sample, GError **error)
{
  const SlMemorySet *set = &((MemoryData *)data)->set;
  const guint8 *pixels = g_bytes_get_data (set->pixels, NULL);
  gsize row = (gsize)set->width * set->n_components;
  ret_sample->info = (SlImageInfo){
      .format = set->n_components == 1 ? SL_PIXEL_GRAY8 : SL_PIXEL_RGB,
      .width = set->width,
      .height = set->height,
  };
  ret_sample->image = (SlImage){
      .planes = {pixels + set->offset + index * row * set->height},
      .strides = {(ptrdiff_t)row},
  };
  return TRUE;
}

static char *
describe (void *data, uint32_t index)
{
  const MemoryData *memory = data;
  return g_strdup_printf ("%s[%u]", memory->path, index);
}

static char *
get_hash (void *data, GError **error)
{
  return g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, ((MemoryData *)data)->set.pixels);
}

static void
destroy (void *data)
{
  MemoryData *memory = data;
  g_bytes_unref (memory->set.pixels);
  g_free (memory->path);
  g_free (memory);
}

/* "0", "1" … for each label that occurs and those below. */
static char **
number_classes (const SlMemorySet *set)
{
  uint32_t most = 0;
  for (uint32_t i = 0; i < set->n_samples; i++)
    most = MAX (most, set->labels[i]);
  char **names = g_new0 (char *, (gsize)most + 2);
  for (uint32_t c = 0; c <= most; c++)
    names[c] = g_strdup_printf ("%u", c);
  return names;
}

SlSampleSource *
sl_memory_source_new (const SlMemorySet *set, GError **error)
{
  MemoryData *memory = g_new0 (MemoryData, 1);
  memory->set = *set;
  g_bytes_ref (set->pixels);
  memory->path = g_strdup (set->path);

  g_auto (GStrv) numbers = set->class_names ? NULL : number_classes (set);
  const char *const *names = set->class_names ? set->class_names : (const char *const *)numbers;
  return sl_sample_source_new (
      &(SlSampleSourceSpec){
          .n_samples = set->n_samples,
          .labels = set->labels,
          .n_classes = g_strv_length ((char **)names),
          .class_names = names,
          .load = load,
          .describe = describe,
          .get_hash = get_hash,
          .destroy = destroy,
          .data = memory,
      },
      error);
}
