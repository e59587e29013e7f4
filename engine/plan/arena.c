#include "plan/plan.h"

#include "core/memory.h"

bool
sl_value_in_arena (const SlValue *value)
{
  return value->kind == SL_VALUE_ACTIVATION || value->kind == SL_VALUE_INPUT;
}

static void
touch (SlLifetime *lifetimes, const SlValue *value, uint32_t position)
{
  size_t offset;
  if (value == NULL || !sl_value_in_arena (value))
    return;
  const SlValue *root = sl_value_get_root (value, &offset);
  SlLifetime *life = &lifetimes[root->id];
  if (!life->used)
    *life = (SlLifetime){.first = position, .last = position, .used = true};
  life->last = MAX (life->last, position);
}

SlLifetime *
sl_plan_lifetimes (const SlGraph *graph)
{
  SlLifetime *lifetimes = g_new0 (SlLifetime, graph->values->len);
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    touch (lifetimes, g_ptr_array_index (graph->inputs, i), 0);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const SlNode *node = g_ptr_array_index (graph->nodes, i);
    for (uint32_t k = 0; k < node->n_inputs; k++)
      touch (lifetimes, node->inputs[k], i);
    for (uint32_t k = 0; k < node->n_outputs; k++)
      touch (lifetimes, node->outputs[k], i);
  }
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    touch (lifetimes, g_ptr_array_index (graph->inputs, i), graph->nodes->len);
  for (uint32_t i = 0; i < graph->outputs->len; i++)
    touch (lifetimes, g_ptr_array_index (graph->outputs, i), graph->nodes->len);
  return lifetimes;
}

typedef struct Place {
  uint32_t id;
  SlLifetime life;
  size_t bytes, offset;
} Place;

static int
compare_bytes (const void *a, const void *b)
{
  const Place *left = a, *right = b;
  if (left->bytes != right->bytes)
    return left->bytes > right->bytes ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

static bool
live_together (const SlLifetime *a, const SlLifetime *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* The lowest gap between what is placed already (ordered by offset) and lives at the same time. */
static size_t
find_gap (const Place *placed, size_t n, const Place *place)
{
  size_t end = 0;
  for (size_t i = 0; i < n; i++) {
    if (!live_together (&placed[i].life, &place->life))
      continue;
    if (placed[i].offset >= end && placed[i].offset - end >= place->bytes)
      break;
    end = MAX (end, placed[i].offset + placed[i].bytes);
  }
  return end;
}

size_t
sl_plan_arena (const SlGraph *graph, size_t *offset)
{
  g_autofree SlLifetime *lifetimes = sl_plan_lifetimes (graph);
  g_autofree Place *places = g_new (Place, graph->values->len + 1);
  g_autofree Place *placed = g_new (Place, graph->values->len + 1);
  size_t n = 0, arena = 0;
  for (uint32_t i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    if (lifetimes[i].used)
      places[n++] = (Place){i, lifetimes[i],
                            sl_align_up (MAX (sl_value_get_bytes (value), 1), SL_ALIGNMENT), 0};
  }
  qsort (places, n, sizeof places[0], compare_bytes);
  for (size_t i = 0; i < n; i++) {
    Place *place = &places[i];
    place->offset = offset[place->id] = find_gap (placed, i, place);
    arena = MAX (arena, place->offset + place->bytes);
    size_t at = i;
    for (; at > 0 && placed[at - 1].offset > place->offset; at--)
      placed[at] = placed[at - 1];
    placed[at] = *place;
  }
  return arena;
}

char *
sl_plan_check (const SlPlan *plan)
{
  g_autofree SlLifetime *lifetimes = sl_plan_lifetimes (plan->graph);
  uint32_t n = plan->graph->values->len;
  for (uint32_t a = 0; a < n; a++) {
    for (uint32_t b = a + 1; b < n; b++) {
      if (!lifetimes[a].used || !lifetimes[b].used || !live_together (&lifetimes[a], &lifetimes[b]))
        continue;
      const SlValue *left = plan->graph->values->pdata[a], *right = plan->graph->values->pdata[b];
      if (plan->offset[a] < plan->offset[b] + sl_value_get_bytes (right) &&
          plan->offset[b] < plan->offset[a] + sl_value_get_bytes (left))
        return g_strdup_printf ("'%s' and '%s' overlap at %zu and %zu", left->name, right->name,
                                plan->offset[a], plan->offset[b]);
    }
  }
  return NULL;
}
