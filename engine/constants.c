#include "constants.h"

#include "graph/stub.h"

#include <string.h>

/* Results below are made at once and stay: passes look into small ones, and nothing is won. */
#define SMALLEST_STUB 16384
/* A chain of constants made of constants is made in one go, by recursion, up to this. */
#define MAX_DEPTH 8

/* One evaluated node, or one tensor of the file. */
typedef struct Entry {
  SlGraph *graph;     /* holds `node`; NULL: of the file */
  const SlNode *node; /* a copy of the one that was asked for */
  GBytes *attrs;      /* of the node, its activation, a byte for each output: is it asked for */
  uint32_t n_inputs, n_outputs;
  SlTensor **inputs, **outputs; /* the constants' names */
  SlTensor **content;           /* of each output that is a stub, where it is in memory */
  uint32_t depth;
  bool ready; /* has outputs */
  bool busy;  /* its content is being made */
  bool stays; /* content stays as long as the model */
} Entry;

struct SlConstants {
  GMutex lock;
  GCond changed;       /* some entry's ready or busy */
  GHashTable *entries; /* Entry of a node, its own key */
  GPtrArray *stored;   /* Entry of the file */
  GHashTable *makers;  /* SlTensor, the name of a constant → Entry, or NULL: simply there */
  SlFile *file;
};

static guint
entry_hash (gconstpointer data)
{
  const Entry *entry = data;
  guint hash = g_direct_hash (entry->node->op) ^ g_bytes_hash (entry->attrs);
  for (uint32_t i = 0; i < entry->n_inputs; i++)
    hash = hash * 31 + g_direct_hash (entry->inputs[i]);
  return hash;
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *left = a, *right = b;
  return left->node->op == right->node->op && left->n_inputs == right->n_inputs &&
         left->n_outputs == right->n_outputs && g_bytes_equal (left->attrs, right->attrs) &&
         (left->n_inputs == 0 ||
          memcmp (left->inputs, right->inputs, left->n_inputs * sizeof (SlTensor *)) == 0);
}

static void
entry_free (void *data)
{
  Entry *entry = data;
  for (uint32_t i = 0; i < entry->n_inputs; i++)
    sl_tensor_unref (entry->inputs[i]);
  for (uint32_t i = 0; i < entry->n_outputs; i++) {
    sl_tensor_unref (entry->outputs[i]);
    sl_tensor_unref (entry->content[i]);
  }
  g_clear_pointer (&entry->graph, sl_graph_free);
  g_clear_pointer (&entry->attrs, g_bytes_unref);
  g_free (entry->inputs);
  g_free (entry->outputs);
  g_free (entry->content);
  g_free (entry);
}

static Entry *
entry_new (uint32_t n_inputs, uint32_t n_outputs)
{
  Entry *entry = g_new0 (Entry, 1);
  entry->n_inputs = n_inputs;
  entry->n_outputs = n_outputs;
  entry->inputs = g_new0 (SlTensor *, n_inputs + 1);
  entry->outputs = g_new0 (SlTensor *, n_outputs + 1);
  entry->content = g_new0 (SlTensor *, n_outputs + 1);
  return entry;
}

static GBytes *
list_attrs (const SlNode *node)
{
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_append (bytes, node->attrs, (guint)node->op->attrs_size);
  g_byte_array_append (bytes, (const guint8 *)&node->act, sizeof node->act);
  for (uint32_t i = 0; i < node->n_outputs; i++)
    g_byte_array_append (bytes, &(guint8){node->outputs[i] != NULL}, 1);
  return g_byte_array_free_to_bytes (bytes);
}

static SlValue *
copy_value (SlGraph *graph, const SlValue *value, SlValueKind kind)
{
  if (value == NULL)
    return NULL;
  SlValue *copy = sl_graph_add_value (graph, value->name, kind);
  copy->dtype = value->dtype;
  copy->shape = value->shape;
  copy->has_shape = value->has_shape;
  copy->layout = value->layout;
  copy->pixel_stride = value->pixel_stride;
  if (value->data != NULL && kind == SL_VALUE_CONSTANT)
    copy->data = sl_tensor_ref (value->data);
  return copy;
}

/* The program whose node it is may be gone when the content is asked for. */
static Entry *
entry_of_node (const SlNode *node)
{
  Entry *entry = entry_new (node->n_inputs, node->n_outputs);
  g_autofree SlValue **inputs = g_new0 (SlValue *, node->n_inputs + 1);
  g_autofree SlValue **outputs = g_new0 (SlValue *, node->n_outputs + 1);
  entry->graph = sl_graph_new ();
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    inputs[i] = copy_value (entry->graph, node->inputs[i], SL_VALUE_CONSTANT);
    if (inputs[i] != NULL && inputs[i]->data != NULL)
      entry->inputs[i] = sl_tensor_ref (inputs[i]->data);
  }
  for (uint32_t i = 0; i < node->n_outputs; i++)
    outputs[i] = copy_value (entry->graph, node->outputs[i], SL_VALUE_ACTIVATION);
  SlNode *copy = sl_graph_add_node (entry->graph, node->op, node->name, node->attrs, node->n_inputs,
                                    inputs, node->n_outputs, outputs);
  copy->act = node->act;
  entry->node = copy;
  entry->attrs = list_attrs (node);
  return entry;
}

SlConstants *
sl_constants_new (const SlGraph *graph, SlFile *file)
{
  SlConstants *constants = g_new0 (SlConstants, 1);
  g_mutex_init (&constants->lock);
  g_cond_init (&constants->changed);
  constants->entries = g_hash_table_new_full (entry_hash, entry_equal, entry_free, NULL);
  constants->stored = g_ptr_array_new_with_free_func (entry_free);
  constants->makers = g_hash_table_new (NULL, NULL);
  constants->file = file;
  for (uint32_t i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    Entry *entry = NULL;
    if (value->data == NULL)
      continue;
    if (sl_tensor_is_stub (value->data)) {
      entry = entry_new (0, 1);
      entry->outputs[0] = sl_tensor_ref (value->data);
      entry->ready = true;
      g_ptr_array_add (constants->stored, entry);
    }
    g_hash_table_insert (constants->makers, value->data, entry);
  }
  return constants;
}

void
sl_constants_free (SlConstants *constants)
{
  if (constants == NULL)
    return;
  g_hash_table_unref (constants->entries);
  g_hash_table_unref (constants->makers);
  g_ptr_array_unref (constants->stored);
  g_mutex_clear (&constants->lock);
  g_cond_clear (&constants->changed);
  g_free (constants);
}

/* Under the lock. */
static void
trim (Entry *entry)
{
  if (entry->stays || entry->busy)
    return;
  for (uint32_t i = 0; i < entry->n_outputs; i++)
    if (entry->content[i] != NULL && sl_tensor_is_unshared (entry->content[i]))
      g_clear_pointer (&entry->content[i], sl_tensor_unref);
}

void
sl_constants_trim (SlConstants *constants)
{
  GHashTableIter iter;
  void *entry;
  g_mutex_lock (&constants->lock);
  g_hash_table_iter_init (&iter, constants->entries);
  while (g_hash_table_iter_next (&iter, &entry, NULL))
    trim (entry);
  for (uint32_t i = 0; i < constants->stored->len; i++)
    trim (g_ptr_array_index (constants->stored, i));
  g_mutex_unlock (&constants->lock);
}

/* --- Content --- */

static SlTensor *load (SlConstants *constants, SlTensor *name, bool stays,
                       const SlEvaluator *evaluator, GError **error);

/* What the content of one input was needed for is done. */
static void
give_back (SlConstants *constants, SlTensor *name, SlTensor *content)
{
  sl_tensor_unref (content);
  if (name == content)
    return;
  g_mutex_lock (&constants->lock);
  Entry *entry = g_hash_table_lookup (constants->makers, name);
  if (entry != NULL)
    trim (entry);
  g_mutex_unlock (&constants->lock);
}

typedef struct Place {
  SlFile *file;
  guint64 start;
} Place;

static gboolean
read_piece (void *data, size_t offset, void *ret, size_t length, GError **error)
{
  const Place *place = data;
  return sl_file_read_again (place->file, place->start + offset, ret, length, error);
}

/* The place in the file of a node's one input, if that is not in memory. */
static bool
is_in_file (SlConstants *constants, const SlNode *node, SlTensor *const *inputs, Place *ret)
{
  if (node->n_inputs != 1 || inputs[0] == NULL || !sl_tensor_is_stub (inputs[0]))
    return false;
  g_mutex_lock (&constants->lock);
  const Entry *entry = g_hash_table_lookup (constants->makers, inputs[0]);
  bool result = entry->graph == NULL && entry->content[0] == NULL;
  g_mutex_unlock (&constants->lock);
  *ret = (Place){constants->file, sl_tensor_get_place (inputs[0])};
  return result;
}

/* Evaluates the node with its inputs' content in memory. */
static gboolean
compute (SlConstants *constants, const SlNode *node, SlTensor *const *inputs,
         const SlEvaluator *evaluator, SlTensor **ret_outputs, GError **error)
{
  Place place;
  GError *cause = NULL;
  if (is_in_file (constants, node, inputs, &place) &&
      (evaluator->stream (node, read_piece, &place, ret_outputs, &cause) || cause != NULL)) {
    if (cause != NULL)
      g_propagate_error (error, cause);
    return cause == NULL;
  }
  const bool reads = !(node->op->traits & SL_TRAIT_SHAPE_ONLY);
  g_autofree SlTensor **content = g_new0 (SlTensor *, node->n_inputs + 1);
  gboolean ok = TRUE;
  for (uint32_t i = 0; ok && reads && i < node->n_inputs; i++) {
    if (inputs[i] == NULL)
      continue;
    content[i] = load (constants, inputs[i], false, evaluator, error);
    ok = content[i] != NULL;
  }
  ok = ok && evaluator->evaluate (node, content, ret_outputs, error);
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (content[i] != NULL)
      give_back (constants, inputs[i], content[i]);
  return ok;
}

static gboolean
make_content (SlConstants *constants, const Entry *entry, const SlEvaluator *evaluator,
              SlTensor **ret_content, GError **error)
{
  if (entry->graph != NULL)
    return compute (constants, entry->node, entry->inputs, evaluator, ret_content, error);
  const SlTensor *stub = entry->outputs[0];
  ret_content[0] = sl_tensor_new (sl_tensor_get_dtype (stub), sl_tensor_get_shape (stub), error);
  return ret_content[0] != NULL && sl_file_read_again (constants->file, sl_tensor_get_place (stub),
                                                       sl_tensor_get_data_writable (ret_content[0]),
                                                       sl_tensor_get_size (stub), error);
}

/* Under the lock, which is released meanwhile. */
static gboolean
fill (SlConstants *constants, Entry *entry, const SlEvaluator *evaluator, GError **error)
{
  g_autofree SlTensor **content = g_new0 (SlTensor *, entry->n_outputs + 1);
  entry->busy = true;
  g_mutex_unlock (&constants->lock);
  gboolean ok = make_content (constants, entry, evaluator, content, error);
  g_mutex_lock (&constants->lock);
  for (uint32_t i = 0; i < entry->n_outputs; i++) {
    if (ok && entry->content[i] == NULL)
      entry->content[i] = g_steal_pointer (&content[i]);
    sl_tensor_unref (content[i]);
  }
  entry->busy = false;
  g_cond_broadcast (&constants->changed);
  return ok;
}

/* The content that `name` stands for; free with sl_tensor_unref(). Entries wait only for what they
 * are made of, so nobody waits in a circle. */
static SlTensor *
load (SlConstants *constants, SlTensor *name, bool stays, const SlEvaluator *evaluator,
      GError **error)
{
  if (!sl_tensor_is_stub (name))
    return sl_tensor_ref (name);
  g_mutex_lock (&constants->lock);
  Entry *entry = g_hash_table_lookup (constants->makers, name);
  uint32_t index = 0;
  gboolean ok = TRUE;
  while (entry->outputs[index] != name)
    index++;
  while (ok && entry->content[index] == NULL) {
    if (entry->busy)
      g_cond_wait (&constants->changed, &constants->lock);
    else
      ok = fill (constants, entry, evaluator, error);
  }
  SlTensor *content = ok ? sl_tensor_ref (entry->content[index]) : NULL;
  if (ok && stays && entry->graph != NULL)
    entry->stays = true;
  g_mutex_unlock (&constants->lock);
  return content;
}

/* The largest first. */
static int
compare_sizes (gconstpointer a, gconstpointer b)
{
  const SlValue *left = *(SlValue *const *)a, *right = *(SlValue *const *)b;
  const size_t x = sl_tensor_get_size (left->data), y = sl_tensor_get_size (right->data);
  return x != y ? (x < y) - (x > y) : (left->id > right->id) - (left->id < right->id);
}

gboolean
sl_constants_load (SlConstants *constants, SlGraph *graph, const SlEvaluator *evaluator,
                   GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  for (uint32_t i = 0; i < graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (graph->values, i);
    if (value->data != NULL &&
        (evaluator == NULL || value->uses->len > 0 || sl_value_is_wanted (value)))
      g_ptr_array_add (values, value);
  }
  /* What making them takes besides is most while little else is there yet. */
  g_ptr_array_sort (values, compare_sizes);
  for (uint32_t i = 0; i < values->len; i++) {
    SlValue *value = g_ptr_array_index (values, i);
    SlTensor *content = load (constants, value->data, true, evaluator, error);
    if (content == NULL)
      return FALSE;
    sl_tensor_unref (value->data);
    value->data = content;
  }
  return TRUE;
}

/* --- Evaluation --- */

/* Not what depends on shapes of activations, which the key does not hold, nor what is made of
 * tensors of one program alone: nobody would find it again. Under the lock. */
static bool
is_storable (const SlConstants *constants, const Entry *entry)
{
  if (entry->node->op->traits & SL_TRAIT_SHAPE_ONLY)
    return false;
  for (uint32_t i = 0; i < entry->n_inputs; i++)
    if (entry->node->inputs[i] != NULL &&
        !g_hash_table_contains (constants->makers, entry->inputs[i]))
      return false;
  return true;
}

/* Large and of floating point, all of them: passes read no elements of such. */
static bool
may_wait (const SlNode *node)
{
  for (uint32_t i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] != NULL && (!sl_dtype_is_float (node->outputs[i]->dtype) ||
                                     sl_value_get_bytes (node->outputs[i]) < SMALLEST_STUB))
      return false;
  return true;
}

/* Gives the entry stubs for outputs. Under the lock. */
static gboolean
add_stubs (SlConstants *constants, Entry *entry, GError **error)
{
  for (uint32_t i = 0; i < entry->n_outputs; i++) {
    const SlValue *output = entry->node->outputs[i];
    if (output == NULL)
      continue;
    entry->outputs[i] = sl_tensor_new_stub (output->dtype, &output->shape, 0, error);
    if (entry->outputs[i] == NULL)
      return FALSE;
  }
  for (uint32_t i = 0; i < entry->n_inputs; i++) {
    const Entry *maker =
        entry->inputs[i] ? g_hash_table_lookup (constants->makers, entry->inputs[i]) : NULL;
    if (maker != NULL && maker->depth < MAX_DEPTH)
      entry->depth = MAX (entry->depth, maker->depth + 1);
  }
  return TRUE;
}

/* Makes the outputs of an entry that is in the table, for all to wait for. Under the lock, which is
 * released meanwhile. The entry is gone on failure. */
static gboolean
make_outputs (SlConstants *constants, Entry *entry, const SlEvaluator *evaluator, GError **error)
{
  gboolean ok;
  if (may_wait (entry->node)) {
    ok = add_stubs (constants, entry, error);
  } else {
    g_mutex_unlock (&constants->lock);
    ok = compute (constants, entry->node, entry->inputs, evaluator, entry->outputs, error);
    g_mutex_lock (&constants->lock);
  }
  entry->ready = true;
  for (uint32_t i = 0; ok && i < entry->n_outputs; i++)
    if (entry->outputs[i] != NULL)
      g_hash_table_insert (constants->makers, entry->outputs[i], entry);
  if (!ok)
    g_hash_table_remove (constants->entries, entry);
  g_cond_broadcast (&constants->changed);
  return ok;
}

/* Under the lock, which is released meanwhile. Takes `wanted` over. */
static Entry *
find_or_make (SlConstants *constants, Entry *wanted, const SlEvaluator *evaluator, GError **error)
{
  Entry *found;
  while ((found = g_hash_table_lookup (constants->entries, wanted)) != NULL && !found->ready)
    g_cond_wait (&constants->changed, &constants->lock);
  if (found != NULL) {
    entry_free (wanted);
    return found;
  }
  g_hash_table_add (constants->entries, wanted);
  return make_outputs (constants, wanted, evaluator, error) ? wanted : NULL;
}

/* Made now and held, where several will read it or the chain is long. */
static gboolean
hold (SlConstants *constants, const SlNode *node, bool is_deep, const SlEvaluator *evaluator,
      SlTensor *const *outputs, GPtrArray *ret_held, GError **error)
{
  for (uint32_t i = 0; i < node->n_outputs; i++) {
    if (outputs[i] == NULL || !sl_tensor_is_stub (outputs[i]) ||
        (!is_deep && node->outputs[i]->uses->len <= 1))
      continue;
    SlTensor *content = load (constants, outputs[i], false, evaluator, error);
    if (content == NULL)
      return FALSE;
    g_ptr_array_add (ret_held, content);
  }
  return TRUE;
}

gboolean
sl_constants_evaluate (SlConstants *constants, const SlNode *node, const SlEvaluator *evaluator,
                       GPtrArray *ret_held, SlTensor **ret_outputs, GError **error)
{
  Entry *wanted = entry_of_node (node);
  g_mutex_lock (&constants->lock);
  if (!is_storable (constants, wanted)) {
    g_mutex_unlock (&constants->lock);
    gboolean ok = compute (constants, node, wanted->inputs, evaluator, ret_outputs, error);
    for (uint32_t i = 0; !ok && i < node->n_outputs; i++)
      g_clear_pointer (&ret_outputs[i], sl_tensor_unref);
    entry_free (wanted);
    return ok;
  }
  const Entry *found = find_or_make (constants, wanted, evaluator, error);
  bool is_deep = found != NULL && found->depth == MAX_DEPTH;
  for (uint32_t i = 0; found != NULL && i < node->n_outputs; i++)
    ret_outputs[i] = found->outputs[i] != NULL ? sl_tensor_ref (found->outputs[i]) : NULL;
  g_mutex_unlock (&constants->lock);
  if (found != NULL && hold (constants, node, is_deep, evaluator, ret_outputs, ret_held, error))
    return TRUE;
  for (uint32_t i = 0; i < node->n_outputs; i++)
    g_clear_pointer (&ret_outputs[i], sl_tensor_unref);
  return FALSE;
}
