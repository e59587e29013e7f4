#include "model-private.h"

#include "core/file.h"
#include "graph/op.h"
#include "net/net.h"
#include "onnx/onnx.h"

#include <string.h>

struct SlModel {
  gatomicrefcount refs;
  bool shared; /* in the table of sl_model_share () */
  char *name;
  char *hash;    /* made when somebody asks first: GLib hashes some 100 MB a second */
  GBytes *bytes; /* that it is made of, where the caller gave them */
  SlFile *file;  /* else: what `constants` read again */
  SlGraph *graph;
  SlOnnxMeta meta;
  GHashTable *layer_types;  /* of a network text: layer → type, else NULL */
  GArray *inputs, *outputs; /* SlPort; names are the graph's */
  GPtrArray *variables;     /* SlValue */
  GMutex lock;              /* of hash */
  SlConstants *constants;
};

GArray *
sl_list_ports (const GPtrArray *values)
{
  GArray *ports = g_array_new (FALSE, FALSE, sizeof (SlPort));
  for (uint32_t i = 0; i < values->len; i++) {
    const SlValue *value = g_ptr_array_index (values, i);
    SlPort port = {.name = value->name, .dtype = value->dtype, .shape = value->shape};
    g_array_append_val (ports, port);
  }
  return ports;
}

/* The graph of a file of either kind, by its name. */
static gboolean
read_graph (SlModel *model, GBytes *bytes, const char *folder, const SlModelLimits *limits,
            GError **error)
{
  SlModelLimits all;
  if (g_str_has_suffix (model->name, ".net")) {
    if (sl_onnx_complete_limits (limits, &all, error))
      model->graph = sl_net_read (bytes, model->name, &all, &model->layer_types, error);
  } else if (model->file != NULL) {
    model->graph = sl_onnx_read_stubs (bytes, model->name, folder, limits, &model->meta, error);
  } else {
    model->graph = sl_onnx_read (bytes, model->name, folder, limits, &model->meta, error);
  }
  return model->graph != NULL;
}

/* Takes `file` over: what `bytes` were read from, or NULL if the caller gave them. */
static SlModel *
model_new (GBytes *bytes, SlFile *file, const char *path, const char *folder,
           const SlModelLimits *limits, GError **error)
{
  g_autoptr (SlModel) model = g_new0 (SlModel, 1);
  g_atomic_ref_count_init (&model->refs);
  g_mutex_init (&model->lock);
  sl_onnx_meta_init (&model->meta);
  model->name = g_strdup (path);
  model->file = file;
  model->bytes = file == NULL ? g_bytes_ref (bytes) : NULL;
  if (!read_graph (model, bytes, folder, limits, error))
    return NULL;
  model->constants = sl_constants_new (model->graph, file);
  model->inputs = sl_list_ports (model->graph->inputs);
  model->outputs = sl_list_ports (model->graph->outputs);
  model->variables = sl_list_variables (model->graph);
  return g_steal_pointer (&model);
}

SlModel *
sl_model_new_from_graph (SlGraph *graph, const char *name, const SlOnnxMeta *meta)
{
  SlModel *model = g_new0 (SlModel, 1);
  g_atomic_ref_count_init (&model->refs);
  g_mutex_init (&model->lock);
  if (meta != NULL)
    sl_onnx_meta_copy (meta, &model->meta);
  else
    sl_onnx_meta_init (&model->meta);
  model->name = g_strdup (name);
  model->graph = graph;
  model->constants = sl_constants_new (graph, NULL);
  model->inputs = sl_list_ports (graph->inputs);
  model->outputs = sl_list_ports (graph->outputs);
  model->variables = sl_list_variables (graph);
  return model;
}

SlModel *
sl_model_load (const char *path, const SlModelLimits *limits, GError **error)
{
  SlModelLimits all;
  SlFile *file;
  if (!sl_onnx_complete_limits (limits, &all, error))
    return NULL;
  g_autoptr (GBytes) bytes = sl_file_load (path, all.file_bytes, &file, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *folder = g_path_get_dirname (path);
  return model_new (bytes, file, path, folder, &all, error);
}

SlModel *
sl_model_load_bytes (GBytes *bytes, const char *name, const SlModelLimits *limits, GError **error)
{
  return model_new (bytes, NULL, name, NULL, limits, error);
}

SlConstants *
sl_model_get_constants (SlModel *model)
{
  return model->constants;
}

/* --- Sharing --- */

/* The models that sl_model_share() knows, by key; none of them is referenced from here. A key whose
 * model is being loaded has NULL. */
static GMutex sharing;
static GCond shared_changed;
static GHashTable *shared_models;

static gboolean
is_model (void *key, void *value, void *data)
{
  return value == data;
}

/* Dropped under the lock, so that nobody takes up a model that is on its way out. */
static bool
drop_shared (SlModel *model)
{
  g_mutex_lock (&sharing);
  bool last = g_atomic_ref_count_dec (&model->refs);
  if (last)
    g_hash_table_foreach_remove (shared_models, is_model, model);
  g_mutex_unlock (&sharing);
  return last;
}

/* Under the lock, which is released meanwhile. */
static SlModel *
load_shared (const char *key, SlModelLoadFunc load, void *data, GError **error)
{
  g_hash_table_insert (shared_models, g_strdup (key), NULL);
  g_mutex_unlock (&sharing);
  SlModel *model = load (data, error);
  g_mutex_lock (&sharing);
  if (model != NULL && !model->shared) {
    model->shared = true;
    g_hash_table_insert (shared_models, g_strdup (key), model);
  } else {
    g_hash_table_remove (shared_models, key);
  }
  g_cond_broadcast (&shared_changed);
  return model;
}

SlModel *
sl_model_share (const char *key, SlModelLoadFunc load, void *data, GError **error)
{
  SlModel *model = NULL;
  void *found;
  g_mutex_lock (&sharing);
  if (shared_models == NULL)
    shared_models = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  bool known = g_hash_table_lookup_extended (shared_models, key, NULL, &found);
  while (known && found == NULL) {
    g_cond_wait (&shared_changed, &sharing);
    known = g_hash_table_lookup_extended (shared_models, key, NULL, &found);
  }
  model = known ? sl_model_ref (found) : load_shared (key, load, data, error);
  g_mutex_unlock (&sharing);
  return model;
}

SlModel *
sl_model_ref (SlModel *model)
{
  g_atomic_ref_count_inc (&model->refs);
  return model;
}

static void
model_free (SlModel *model)
{
  sl_constants_free (model->constants);
  sl_file_close (model->file);
  g_clear_pointer (&model->graph, sl_graph_free);
  g_clear_pointer (&model->layer_types, g_hash_table_unref);
  sl_onnx_meta_clear (&model->meta);
  g_clear_pointer (&model->inputs, g_array_unref);
  g_clear_pointer (&model->outputs, g_array_unref);
  g_clear_pointer (&model->variables, g_ptr_array_unref);
  g_mutex_clear (&model->lock);
  g_free (model->name);
  g_free (model->hash);
  g_clear_pointer (&model->bytes, g_bytes_unref);
  g_free (model);
}

void
sl_model_unref (SlModel *model)
{
  if (model != NULL &&
      (model->shared ? drop_shared (model) : g_atomic_ref_count_dec (&model->refs)))
    model_free (model);
}

gboolean
sl_model_save_with (SlModel *model, const char *path, const char *const *keys,
                    const char *const *values, uint32_t n, GError **error)
{
  SlOnnxMeta meta;
  sl_onnx_meta_copy (&model->meta, &meta);
  for (uint32_t i = 0; i < n; i++)
    sl_onnx_meta_set (&meta, keys[i], values[i]);
  g_autoptr (SlGraph) graph = sl_graph_clone (model->graph);
  gboolean whole = sl_constants_load (model->constants, graph, NULL, error);
  g_autoptr (GBytes) bytes = whole ? sl_onnx_write (graph, &meta, error) : NULL;
  g_clear_pointer (&graph, sl_graph_free);
  sl_constants_trim (model->constants);
  sl_onnx_meta_clear (&meta);
  if (bytes == NULL)
    return FALSE;
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  return sl_file_write (path, data, length, error);
}

gboolean
sl_model_save (SlModel *model, const char *path, GError **error)
{
  return sl_model_save_with (model, path, NULL, NULL, 0, error);
}

const SlGraph *
sl_model_get_graph (SlModel *model)
{
  return model->graph;
}

const SlOnnxMeta *
sl_model_get_meta (SlModel *model)
{
  return &model->meta;
}

const char *
sl_model_get_name (SlModel *model)
{
  return model->name;
}

const char *
sl_model_get_path (SlModel *model)
{
  return model->file != NULL ? model->name : NULL;
}

const char *
sl_model_get_hash (SlModel *model)
{
  g_mutex_lock (&model->lock);
  if (model->hash == NULL && model->file != NULL)
    model->hash = sl_file_hash (model->file, NULL);
  else if (model->hash == NULL && model->bytes != NULL)
    model->hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, model->bytes);
  if (model->hash == NULL)
    model->hash = g_strdup (""); /* no file, or changed since: nobody can say any more */
  g_mutex_unlock (&model->lock);
  return model->hash;
}

void
sl_model_get_origin (SlModel *model, SlModelOrigin *ret_origin)
{
  *ret_origin = (SlModelOrigin){.producer = model->meta.producer,
                                .ir_version = model->meta.ir_version,
                                .opset = model->meta.opset};
}

const char *
sl_model_get_metadata (SlModel *model, const char *key)
{
  for (uint32_t i = 0; i < model->meta.keys->len; i++)
    if (strcmp (g_ptr_array_index (model->meta.keys, i), key) == 0)
      return g_ptr_array_index (model->meta.values, i);
  return NULL;
}

const char **
sl_model_list_metadata (SlModel *model)
{
  const char **keys = g_new0 (const char *, model->meta.keys->len + 1);
  for (uint32_t i = 0; i < model->meta.keys->len; i++)
    keys[i] = g_ptr_array_index (model->meta.keys, i);
  return keys;
}

uint32_t
sl_model_get_n_inputs (SlModel *model)
{
  return model->inputs->len;
}

uint32_t
sl_model_get_n_outputs (SlModel *model)
{
  return model->outputs->len;
}

const SlPort *
sl_model_get_input (SlModel *model, uint32_t index)
{
  g_return_val_if_fail (index < model->inputs->len, NULL);
  return &g_array_index (model->inputs, SlPort, index);
}

const SlPort *
sl_model_get_output (SlModel *model, uint32_t index)
{
  g_return_val_if_fail (index < model->outputs->len, NULL);
  return &g_array_index (model->outputs, SlPort, index);
}

const char *
sl_model_get_output_op (SlModel *model, uint32_t index)
{
  g_return_val_if_fail (index < model->outputs->len, NULL);
  return sl_onnx_output_op (model->graph, index);
}

uint32_t
sl_model_get_n_variables (SlModel *model)
{
  return model->variables->len;
}

void
sl_model_get_variable (SlModel *model, uint32_t index, SlVariable *ret_variable)
{
  g_return_if_fail (index < model->variables->len);
  sl_variable_init (ret_variable, g_ptr_array_index (model->variables, index));
}

bool
sl_model_is_weight (SlModel *model, const SlNode *node, uint32_t index, bool *ret_is_state)
{
  const SlValue *value = node->inputs[index];
  if (value == NULL || value->data == NULL || !sl_dtype_is_float (value->dtype))
    return false;
  *ret_is_state = value->kind == SL_VALUE_STATE ||
                  (value->kind == SL_VALUE_CONSTANT && (node->op->state_inputs >> index & 1) != 0);
  /* A model that can be trained says what its parameters are; in others each constant may be one,
   * but for single numbers: rates of dropout, bounds. */
  return value->kind != SL_VALUE_CONSTANT ||
         (model->variables->len == 0 && model->layer_types == NULL &&
          sl_tensor_get_shape (value->data)->rank > 0);
}

/* Elements of all weights, or of those alone that no gradient changes; each counts once. */
static guint64
count_weights (SlModel *model, bool only_states)
{
  guint64 n = 0;
  for (uint32_t i = 0; i < model->graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (model->graph->values, i);
    const SlNode *node = value->uses->len > 0 ? value->uses->pdata[0] : NULL;
    bool is_state = false;
    for (uint32_t k = 0; node != NULL && k < node->n_inputs; k++) {
      if (node->inputs[k] != value || !sl_model_is_weight (model, node, k, &is_state))
        continue;
      n += !only_states || is_state ? sl_tensor_get_elements (value->data) : 0;
      break;
    }
  }
  return n;
}

guint64
sl_model_get_n_parameters (SlModel *model)
{
  return count_weights (model, false);
}

guint64
sl_model_get_n_states (SlModel *model)
{
  return count_weights (model, true);
}

const char *
sl_model_get_layer_type (SlModel *model, const char *name)
{
  return model->layer_types != NULL ? g_hash_table_lookup (model->layer_types, name) : NULL;
}
