#include "dispatch/dispatch.h"

#include "dispatch/list.h"
#include "graph/op.h"
#include "shaders/panel.h"

#include <string.h>

#define DECLARE(family) extern const SlDispatchEntry sl_dispatch_##family[];
SL_DISPATCH_LIST (DECLARE)
#undef DECLARE

static const SlDispatchEntry *const families[] = {
#define ROW(family) sl_dispatch_##family,
    SL_DISPATCH_LIST (ROW)
#undef ROW
};

const SlDispatchEntry *
sl_dispatch_find (const char *kernel)
{
  for (size_t i = 0; i < G_N_ELEMENTS (families); i++)
    for (const SlDispatchEntry *entry = families[i]; entry->kernel != NULL; entry++)
      if (strcmp (entry->kernel, kernel) == 0)
        return entry;
  return NULL;
}

/* TRUE if the device has what the records from number `first` on need. */
static bool
can_run (SlDispatcher *to, uint32_t first)
{
  for (uint32_t i = first; i < to->records->len; i++) {
    const SlDispatch *record = &g_array_index (to->records, SlDispatch, i);
    if (record->shader->n_bindings > to->gpu->max_bindings)
      to->n_refused = record->shader->n_bindings;
    if ((record->shader->needs & ~to->gpu->features) != 0 || to->n_refused > 0)
      return false;
    for (uint32_t k = 0; k < record->shader->n_bindings; k++)
      if (sl_extent_get_span (&record->bindings[k].extent) > sl_gpu_get_range (to->gpu))
        return false;
  }
  return true;
}

static SlHalves
get_halves (const SlStep *step)
{
  const SlDispatchEntry *entry = sl_dispatch_find (step->kernel);
  return entry != NULL ? entry->halves : (SlHalves){0};
}

SlTarget
sl_dispatch_get_target (bool half)
{
  return (SlTarget){.panel = PANEL,
                    .panel_width = PANEL,
                    .half_weights = half,
                    .get_halves = half ? get_halves : NULL};
}

uint32_t
sl_dispatch_steps (SlDispatcher *to)
{
  const SlStep *step = to->steps;
  const SlDispatchEntry *entry = sl_dispatch_find (step->kernel);
  if (entry == NULL)
    return 0;
  g_return_val_if_fail (entry->params_size == step->params_size, 0);
  const uint32_t first = to->records->len;
  const uint64_t scratch_size = to->scratch_size;
  to->n_refused = 0;
  uint32_t n = entry->dispatch (to, step->params, entry->variant);
  if (n == 0 || !can_run (to, first)) {
    g_array_set_size (to->records, first);
    to->scratch_size = scratch_size;
    return 0;
  }
  return n;
}

SlDispatch *
sl_dispatch_add (SlDispatcher *to, const SlShader *shader, const void *push)
{
  SlDispatch record = {.shader = shader, .step = to->steps, .groups = {1, 1, 1}};
  g_assert (shader->n_bindings <= SL_DISPATCH_MAX_BINDINGS);
  g_assert (shader->n_specs <= SL_DISPATCH_MAX_SPECS && shader->push_size <= SL_PUSH_MAX);
  for (uint32_t i = 0; i < shader->n_specs; i++)
    record.specs[i] = shader->specs[i];
  if (push != NULL)
    memcpy (record.push, push, shader->push_size);
  for (uint32_t i = 0; i < shader->n_bindings; i++)
    record.bindings[i].at_push = SL_AT_NONE;
  g_array_append_val (to->records, record);
  return &g_array_index (to->records, SlDispatch, to->records->len - 1);
}

void
sl_dispatch_bind_value (SlDispatch *record, uint32_t binding, const SlValue *value, SlExtent extent,
                        uint32_t element_size, uint32_t at_push)
{
  g_assert (binding < record->shader->n_bindings);
  if (value == NULL)
    return;
  record->bindings[binding] = (SlBinding){.kind = SL_BIND_OPERAND,
                                          .value = value,
                                          .writes = record->shader->written >> binding & 1,
                                          .extent = extent,
                                          .at_push = at_push,
                                          .element_size = element_size};
}

void
sl_dispatch_bind (SlDispatch *record, uint32_t binding, uint32_t index, SlExtent extent,
                  uint32_t element_size, uint32_t at_push)
{
  g_assert (index < record->step->n_operands);
  sl_dispatch_bind_value (record, binding, record->step->operands[index], extent, element_size,
                          at_push);
}

void
sl_dispatch_bind_scratch (SlDispatcher *to, SlDispatch *record, uint32_t binding, uint64_t begin,
                          uint64_t bytes, uint32_t element_size, uint32_t at_push)
{
  g_assert (binding < record->shader->n_bindings);
  record->bindings[binding] = (SlBinding){.kind = SL_BIND_SCRATCH,
                                          .writes = record->shader->written >> binding & 1,
                                          .extent = sl_extent (begin, bytes),
                                          .at_push = at_push,
                                          .element_size = element_size};
  to->scratch_size = MAX (to->scratch_size, begin + bytes);
}

bool
sl_dispatch_is_half (const SlDispatcher *to, uint32_t index)
{
  const SlValue *value = to->steps->operands[index];
  return value != NULL && sl_value_get_storage (value) == SL_FLOAT16;
}

uint32_t
sl_dispatch_get_size (const SlDispatcher *to, uint32_t index)
{
  return (uint32_t)sl_value_get_element_size (to->steps->operands[index]);
}

bool
sl_dispatch_is_aligned (const SlDispatcher *to, uint32_t index, size_t first)
{
  size_t offset;
  if (to->steps->operands[index] == NULL)
    return true;
  sl_value_get_root (to->steps->operands[index], &offset);
  return offset % (4 * (size_t)sl_dispatch_get_size (to, index)) == 0 && first % 4 == 0;
}

void
sl_dispatch_groups (SlDispatch *record, const SlGpu *gpu, uint64_t n, uint32_t size)
{
  uint64_t groups = (n + size - 1) / size;
  uint64_t wide = MIN (MAX (groups, 1), gpu->max_groups);
  record->groups[0] = (uint32_t)wide;
  record->groups[1] = (uint32_t)MAX ((groups + wide - 1) / wide, 1);
}

uint32_t
sl_dispatch_cut (GArray *records, uint32_t index, uint32_t n)
{
  SlDispatch piece = g_array_index (records, SlDispatch, index);
  const uint32_t dimension = piece.groups[1] > 1, groups = piece.groups[dimension];
  const uint32_t each = (groups + n - 1) / n, end = (groups + each - 1) / each;
  if (end == 1)
    return 1;
  piece.is_cut = true;
  g_array_remove_index (records, index);
  for (uint32_t i = 0; i < end; i++) {
    piece.base[dimension] = i * each;
    piece.groups[dimension] = MIN (each, groups - i * each);
    g_array_insert_val (records, index + i, piece);
  }
  return end;
}
