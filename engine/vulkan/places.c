#include "vulkan/places.h"

#include "core/memory.h"

#define NONE UINT64_MAX

static uint64_t
align (uint64_t bytes)
{
  return sl_align_up (bytes, SL_VK_PLACE_ALIGNMENT);
}

/* What places are found by. */
typedef struct Search {
  SlVkPlaces *places;
  GHashTable *seen; /* SlTensor → index */
  bool live;        /* now for parameters and state, which stand behind the others */
} Search;

/* `on_device`: constants have to be there, too. */
static void
touch (const Search *search, const SlValue *value, bool on_device)
{
  SlVkPlaces *places = search->places;
  size_t offset;
  if (value == NULL)
    return;
  const SlValue *root = sl_value_get_root (value, &offset);
  const bool live = sl_value_is_variable (root);
  if (root->data == NULL || live != search->live || !(live || on_device) ||
      places->constant_of[root->id] >= 0 || sl_tensor_get_size (root->data) == 0)
    return;
  gpointer index;
  if (!g_hash_table_lookup_extended (search->seen, root->data, NULL, &index)) {
    index = GUINT_TO_POINTER (places->constants->len);
    g_ptr_array_add (places->constants, root->data);
    g_hash_table_insert (search->seen, root->data, index);
  }
  places->constant_of[root->id] = (int32_t)GPOINTER_TO_UINT (index);
}

static void
touch_all (const Search *search, const GArray *records, const GPtrArray *host_steps)
{
  const GPtrArray *outputs = search->places->plan->graph->outputs;
  for (uint32_t i = 0; i < records->len; i++) {
    const SlDispatch *record = &g_array_index (records, SlDispatch, i);
    for (uint32_t k = 0; k < record->shader->n_bindings; k++)
      if (record->bindings[k].kind == SL_BIND_OPERAND)
        touch (search, record->bindings[k].value, true);
  }
  for (uint32_t i = 0; i < host_steps->len; i++) {
    const SlStep *step = host_steps->pdata[i];
    for (uint32_t k = 0; k < step->n_operands; k++)
      touch (search, step->operands[k], false);
  }
  for (uint32_t i = 0; i < outputs->len; i++)
    touch (search, outputs->pdata[i], false);
}

static void
add_staging (SlVkPlaces *places, const SlValue *value)
{
  size_t offset;
  const SlValue *root = sl_value_get_root (value, &offset);
  /* Constants are read where they are. */
  if (places->staging[value->id] != NONE || (root->data != NULL && !sl_value_is_variable (root)))
    return;
  places->staging[value->id] = places->staging_bytes;
  places->staging_bytes += align (sl_value_get_bytes (value));
}

void
sl_vk_places_init (SlVkPlaces *places, const SlPlan *plan, const GArray *records,
                   const GPtrArray *host_steps, uint64_t scratch_bytes)
{
  const SlGraph *graph = plan->graph;
  const uint32_t n = graph->values->len;
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  *places = (SlVkPlaces){.plan = plan,
                         .constants = g_ptr_array_new (),
                         .constant_of = g_new (int32_t, n + 1),
                         .offset = g_new (uint64_t, n + 1),
                         .staging = g_new (uint64_t, n + 1),
                         .arena_bytes = align (plan->arena_bytes)};
  for (uint32_t i = 0; i < n; i++) {
    const SlValue *value = graph->values->pdata[i];
    places->constant_of[i] = -1;
    places->offset[i] = sl_value_in_arena (value) && value->base == NULL ? plan->offset[i] : NONE;
    places->staging[i] = NONE;
  }
  touch_all (&(Search){places, seen, false}, records, host_steps);
  places->first_live = places->constants->len;
  touch_all (&(Search){places, seen, true}, records, host_steps);
  places->scratch = places->arena_bytes;
  places->arena_bytes += align (scratch_bytes);
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    add_staging (places, graph->inputs->pdata[i]);
  for (uint32_t i = 0; i < graph->outputs->len; i++)
    add_staging (places, graph->outputs->pdata[i]);
  places->host = places->staging_bytes;
}

void
sl_vk_places_clear (SlVkPlaces *places)
{
  g_clear_pointer (&places->constants, g_ptr_array_unref);
  g_clear_pointer (&places->constant_of, g_free);
  g_clear_pointer (&places->offset, g_free);
  g_clear_pointer (&places->staging, g_free);
}

bool
sl_vk_places_find (const SlVkPlaces *places, const SlValue *value, uint64_t *ret_offset,
                   int32_t *ret_constant)
{
  size_t offset;
  const SlValue *root = sl_value_get_root (value, &offset);
  *ret_constant = places->constant_of[root->id];
  *ret_offset = offset;
  if (*ret_constant >= 0)
    return false;
  g_return_val_if_fail (places->offset[root->id] != NONE, true);
  *ret_offset += places->offset[root->id];
  return true;
}
