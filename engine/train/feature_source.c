#include "train/feature_source.h"

#include "core/file.h"
#include "core/limit.h"
#include "explain/layer.h"
#include "graph/op.h"
#include "session-private.h"
#include "train/build.h"

#include <sightline/loader.h>

#include <errno.h>
#include <string.h>

#define BATCH 8

/* --- Where they are --- */

/* TRUE if a step of training changes what the node makes of the same input. */
static bool
is_changed (const SlNode *node, const SlTrainerOptions *options)
{
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *value = node->inputs[i];
    if (value != NULL && sl_value_is_variable (value) &&
        sl_train_rate_factor (options, value->name) != 0)
      return true;
  }
  return strcmp (node->op->name, "Dropout") == 0 || (node->op->traits & SL_TRAIT_RANDOM);
}

/* Which values, by id, are the same in every step. */
static bool *
find_fixed (const SlGraph *graph, const SlTrainerOptions *options)
{
  bool *is_fixed = g_new0 (bool, graph->values->len);
  for (uint32_t i = 0; i < graph->values->len; i++)
    is_fixed[i] = ((const SlValue *)graph->values->pdata[i])->kind != SL_VALUE_ACTIVATION;
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = graph->nodes->pdata[i];
    bool fixed = !is_changed (node, options);
    for (uint32_t k = 0; k < node->n_inputs; k++)
      fixed = fixed && (node->inputs[k] == NULL || is_fixed[node->inputs[k]->id]);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      if (node->outputs[k] != NULL)
        is_fixed[node->outputs[k]->id] = fixed;
  }
  return is_fixed;
}

/* Which values, by id, have weights behind them: there is something to be spared. */
static bool *
find_weighted (const SlGraph *graph)
{
  bool *is_weighted = g_new0 (bool, graph->values->len);
  for (uint32_t i = 0; i < graph->values->len; i++)
    is_weighted[i] = sl_value_is_variable (graph->values->pdata[i]);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = graph->nodes->pdata[i];
    bool weighted = false;
    for (uint32_t k = 0; k < node->n_inputs; k++)
      weighted = weighted || (node->inputs[k] != NULL && is_weighted[node->inputs[k]->id]);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      if (node->outputs[k] != NULL)
        is_weighted[node->outputs[k]->id] = weighted;
  }
  return is_weighted;
}

char *
sl_features_find (SlModel *model, const SlTrainerOptions *options, SlShape *ret_shape,
                  GError **error)
{
  g_autoptr (SlModel) trainable = sl_model_new_trainable (model, error);
  g_autoptr (SlGraph) graph =
      trainable != NULL ? sl_session_open_graph (trainable, &(SlProgramOptions){.batch = 1}, error)
                        : NULL;
  if (graph == NULL)
    return NULL;
  const SlValue *output = g_ptr_array_index (graph->outputs, 0);
  g_autofree bool *is_fixed = find_fixed (graph, options);
  g_autofree bool *is_weighted = find_weighted (graph);
  for (uint32_t i = graph->nodes->len; i-- > 0;) {
    const SlNode *node = graph->nodes->pdata[i];
    const SlValue *value = node->n_outputs > 0 ? node->outputs[0] : NULL;
    if (value == NULL || !is_fixed[value->id] || !is_weighted[value->id] || value == output ||
        value->dtype != SL_FLOAT32 || !(value->shape.rank == 2 || value->shape.rank == 4) ||
        value->shape.dim[0] != 1 || !sl_explain_is_cut (graph, value, output))
      continue;
    *ret_shape = value->shape;
    return g_strdup (value->name);
  }
  return NULL;
}

/* --- A source of them --- */

typedef struct Features {
  SlSampleSource *source; /* of the pictures: names, labels */
  GBytes *bytes;          /* one byte a sample, 1: it could be read; then float32 [n][elements] */
  const guint8 *is_there;
  const float *rows;
  gsize elements;
  char *key;
} Features;

static void
features_free (void *data)
{
  Features *self = data;
  sl_sample_source_unref (self->source);
  g_bytes_unref (self->bytes);
  g_free (self->key);
  g_free (self);
}

static gboolean
load (void *data, uint32_t index, SlSample *ret_sample, GError **error)
{
  const Features *self = data;
  if (!self->is_there[index]) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "could not be read when features were made of it");
    return FALSE;
  }
  ret_sample->features = self->rows + index * self->elements;
  return TRUE;
}

static char *
describe (void *data, uint32_t index)
{
  return sl_sample_source_describe (((const Features *)data)->source, index);
}

static char *
get_hash (void *data, GError **error)
{
  return g_strdup (((const Features *)data)->key);
}

/* Takes key and bytes over. */
static SlSampleSource *
make_source (SlSampleSource *source, char *key, GBytes *bytes, gsize elements, gsize start,
             GError **error)
{
  const uint32_t n = sl_sample_source_get_n_samples (source);
  g_autofree uint32_t *labels = g_new (uint32_t, n), *groups = g_new (uint32_t, n);
  Features *self = g_new0 (Features, 1);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  *self = (Features){.source = sl_sample_source_ref (source),
                     .bytes = bytes,
                     .is_there = data,
                     .rows = (const float *)(data + start),
                     .elements = elements,
                     .key = key};
  for (uint32_t i = 0; i < n; i++) {
    labels[i] = sl_sample_source_get_label (source, i);
    groups[i] = sl_sample_source_get_group (source, i);
  }
  const SlSampleSourceSpec spec = {.n_samples = n,
                                   .labels = labels,
                                   .groups = sl_sample_source_has_groups (source) ? groups : NULL,
                                   .n_classes = sl_sample_source_get_n_classes (source),
                                   .class_names = sl_sample_source_get_class_names (source),
                                   .load = load,
                                   .describe = describe,
                                   .get_hash = get_hash,
                                   .destroy = features_free,
                                   .data = self};
  return sl_sample_source_new (&spec, error);
}

/* --- Computing --- */

static void
copy_rows (const SlTensorView *from, const SlBatch *batch, gsize elements, guint8 *is_there,
           float *rows)
{
  const bool is_map = from->shape.rank == 4;
  const ptrdiff_t height = is_map ? from->shape.dim[2] : 1, width = is_map ? from->shape.dim[3] : 1;
  const float *data = from->data;
  for (uint32_t b = 0; b < batch->n; b++) {
    float *row = rows + batch->indices[b] * elements;
    for (ptrdiff_t c = 0; c < from->shape.dim[1]; c++)
      for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++)
          *row++ = data[(ptrdiff_t)b * from->stride[0] + c * from->stride[1] +
                        (is_map ? y * from->stride[2] + x * from->stride[3] : 0)];
    is_there[batch->indices[b]] = 1;
  }
}

static gboolean
compute (SlSampleSource *source, SlModel *model, const SlFeatureOptions *options, gsize elements,
         guint8 *is_there, float *rows, GError **error)
{
  const uint32_t n = sl_sample_source_get_n_samples (source), batch = MIN (n, BATCH);
  const SlProgramOptions how = {.device = options->device,
                                .threads = options->threads,
                                .batch = batch,
                                .taps = &options->name,
                                .n_taps = 1};
  const SlLoaderOptions loading = {.rules = options->rules, .batch = batch};
  g_autoptr (SlProgram) program = sl_program_new (model, &how, error);
  g_autoptr (SlRun) run = program != NULL ? sl_run_new (program, error) : NULL;
  g_autoptr (SlLoader) loader = run != NULL ? sl_loader_new (source, &loading, error) : NULL;
  SlTensorView input, features;
  SlBatch loaded;
  if (loader == NULL)
    return FALSE;
  sl_run_get_input (run, 0, &input);
  sl_run_get_output (run, sl_program_get_n_outputs (program) - 1, &features);
  for (uint32_t step = 0; step < sl_loader_get_n_batches (loader); step++) {
    if (!sl_loader_next (loader, &input, NULL, &loaded, error) || !sl_run_execute (run, error))
      return FALSE;
    copy_rows (&features, &loaded, elements, is_there, rows);
  }
  return TRUE;
}

/* --- Keeping --- */

/* Everything that the numbers depend on, to the bit. */
static char *
make_key (const SlFeatureOptions *options)
{
  const SlPreprocess *rules = options->rules;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *text = g_strdup_printf (
      "features 1\n%s\n%s\n%s\n%s %s\n%u %u %u %d %d %u %u %u %u %a %a %a %a %a %a %a",
      options->model_hash, options->data_hash, options->name, options->device->description,
      options->device->isa, rules->width, rules->height, rules->channels, rules->order,
      rules->resize, rules->resize_size, rules->pad[0], rules->pad[1], rules->pad[2],
      (double)rules->scale, (double)rules->mean[0], (double)rules->mean[1], (double)rules->mean[2],
      (double)rules->std[0], (double)rules->std[1], (double)rules->std[2]);
  g_checksum_update (sum, (const guchar *)text, -1);
  return g_strdup (g_checksum_get_string (sum));
}

/* Where the numbers begin behind the bytes that say which are there. */
static gsize
find_start (uint32_t n)
{
  return (n + 63u) / 64u * 64u;
}

/* The file's content, checked, without the checksum at its end; NULL if it is not good. */
static GBytes *
read_kept (const char *path, gsize size)
{
  g_autoptr (GBytes) file = sl_file_read (path, size + 32, NULL);
  if (file == NULL || g_bytes_get_size (file) != size + 32)
    return NULL;
  guint8 digest[32];
  gsize length = sizeof digest;
  const guint8 *data = g_bytes_get_data (file, NULL);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (sum, data, (gssize)size);
  g_checksum_get_digest (sum, digest, &length);
  return memcmp (digest, data + size, sizeof digest) == 0 ? g_bytes_new_from_bytes (file, 0, size)
                                                          : NULL;
}

static void
keep (const char *folder, const char *path, const guint8 *data, gsize size)
{
  guint8 digest[32];
  gsize length = sizeof digest;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (sum, data, (gssize)size);
  g_checksum_get_digest (sum, digest, &length);
  const SlFilePiece pieces[] = {{data, size}, {digest, sizeof digest}};
  if (g_mkdir_with_parents (folder, 0700) == 0)
    sl_file_write_pieces (path, pieces, G_N_ELEMENTS (pieces), NULL);
}

SlSampleSource *
sl_features_new (SlSampleSource *source, SlModel *model, const SlFeatureOptions *options,
                 gboolean *ret_was_kept, GError **error)
{
  const uint32_t n = sl_sample_source_get_n_samples (source);
  guint64 limit = SL_DATASET_MAX_BYTES;
  SlShape shape;
  gsize elements = 0;
  g_autoptr (SlGraph) graph = sl_session_open_graph (model, &(SlProgramOptions){.batch = 1}, error);
  if (graph == NULL || !sl_limit_read ("data", &limit, error))
    return NULL;
  shape = sl_graph_find_value (graph, options->name)->shape;
  sl_shape_get_elements (&shape, &elements);
  const gsize start = find_start (n), size = start + (gsize)n * elements * sizeof (float);
  if ((double)start + (double)n * (double)elements * sizeof (float) > (double)limit) {
    g_autofree char *most = sl_limit_print_bytes (limit);
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "features of %u samples, %" G_GSIZE_FORMAT
                 " numbers each, are more than %s" SL_LIMIT_HINT ("data"),
                 n, elements, most);
    return NULL;
  }
  g_autofree char *key = make_key (options);
  g_autofree char *path =
      options->folder != NULL ? g_build_filename (options->folder, key, NULL) : NULL;
  GBytes *bytes = path != NULL ? read_kept (path, size) : NULL;
  *ret_was_kept = bytes != NULL;
  if (bytes == NULL) {
    guint8 *data = g_try_malloc0 (size);
    if (data == NULL) {
      g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory for features of %u samples", n);
      return NULL;
    }
    bytes = g_bytes_new_take (data, size);
    if (!compute (source, model, options, elements, data, (float *)(data + start), error)) {
      g_bytes_unref (bytes);
      return NULL;
    }
    if (path != NULL)
      keep (options->folder, path, data, size);
  }
  return make_source (source, g_steal_pointer (&key), bytes, elements, start, error);
}
