/* CIFAR-10's binary form, https://www.cs.toronto.edu/~kriz/cifar.html */
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "data/memory.h"

#define SIDE 32
#define N_PIXELS (SIDE * SIDE)
#define N_CLASSES 10
#define RECORD (1 + 3 * N_PIXELS)

static const char *const cifar10_names[] = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck", NULL};
G_STATIC_ASSERT (G_N_ELEMENTS (cifar10_names) == N_CLASSES + 1);

/* All files, each a whole number of records; freed with the array. */
static GPtrArray *
read_files (const char *const *paths, gsize *ret_n_records, GError **error)
{
  guint64 limit;
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  if (!sl_memory_source_get_limit (&limit, error))
    return NULL;
  *ret_n_records = 0;
  for (; *paths; paths++) {
    GBytes *bytes = sl_file_read (*paths, limit, error);
    if (!bytes)
      return NULL;
    gsize length = g_bytes_get_size (bytes);
    g_ptr_array_add (files, bytes);
    if (!length || length % RECORD) {
      g_autofree char *shown = sl_text_on_one_line (*paths);
      g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                   "%s: has %" G_GSIZE_FORMAT
                   " bytes (expected a multiple of %d, CIFAR-10's record)",
                   shown, length, RECORD);
      return NULL;
    }
    limit -= length;
    *ret_n_records += length / RECORD;
  }
  return g_steal_pointer (&files);
}

/* Planes to pixels. */
static void
interleave (const guint8 *planes, guint8 *ret)
{
  for (unsigned i = 0; i < N_PIXELS; i++)
    for (unsigned c = 0; c < 3; c++)
      *ret++ = planes[c * N_PIXELS + i];
}

SlSampleSource *
sl_cifar10_source_new (const char *const *paths, const char *const *class_names, GError **error)
{
  g_return_val_if_fail (paths && paths[0], NULL);
  gsize n_records;
  g_autoptr (GPtrArray) files = read_files (paths, &n_records, error);
  if (!files)
    return NULL;

  guint8 *content = n_records <= G_MAXUINT32 ? sl_aligned_alloc (n_records * 3 * N_PIXELS) : NULL;
  if (!content) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "%s: no memory for %" G_GSIZE_FORMAT " pictures",
                 paths[0], n_records);
    return NULL;
  }
  g_autofree uint32_t *labels = g_new (uint32_t, n_records);
  guint8 *at = content;
  uint32_t *label = labels;
  for (guint f = 0; f < files->len; f++) {
    gsize length;
    const guint8 *record = g_bytes_get_data (g_ptr_array_index (files, f), &length);
    for (const guint8 *end = record + length; record < end; record += RECORD) {
      *label++ = record[0];
      interleave (record + 1, at);
      at += 3 * N_PIXELS;
    }
  }

  g_autoptr (GBytes) pixels =
      g_bytes_new_with_free_func (content, (gsize)(at - content), sl_aligned_free, content);
  g_autofree char *shown = sl_text_on_one_line (paths[0]);
  SlSampleSource *source = sl_memory_source_new (
      &(SlMemorySet){
          .pixels = pixels,
          .width = SIDE,
          .height = SIDE,
          .n_components = 3,
          .n_samples = (uint32_t)n_records,
          .labels = labels,
          .class_names = class_names ? class_names : cifar10_names,
          .path = shown,
      },
      error);
  if (!source)
    g_prefix_error (error, "%s: ", shown);
  return source;
}
