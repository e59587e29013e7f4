#include "plan/plan.h"

#include "core/memory.h"

#include <string.h>

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
  if (!sl_value_in_arena (root))
    return;
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
  uint32_t rank; /* among all places by the beginning of their lives */
} Place;

/* What is placed already, found by lifetime. A binary tree over the ranks: each node has the latest
 * end among its places (0: none, else position + 1), so that those who live together with another
 * are found without looking at the rest. */
typedef struct Placed {
  const Place **by_rank; /* NULL: not placed yet */
  uint32_t *first;       /* of each rank, ascending */
  uint32_t *last;        /* 2 * width, node i has children 2i and 2i + 1 */
  uint32_t width;        /* a power of two */
  GArray *found;         /* Extent */
} Placed;

typedef struct Extent {
  size_t offset, end;
} Extent;

/* Extents looked at altogether. A real network needs some for each value; one that is made so that
 * everything lives together would need the square of them: what is left then lies one behind the
 * other. */
#define MAX_LOOKS (1u << 22)

static int
compare_first (const void *a, const void *b)
{
  const Place *left = *(Place *const *)a, *right = *(Place *const *)b;
  if (left->life.first != right->life.first)
    return left->life.first < right->life.first ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

static int
compare_bytes (const void *a, const void *b)
{
  const Place *left = a, *right = b;
  if (left->bytes != right->bytes)
    return left->bytes > right->bytes ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

static int
compare_extents (const void *a, const void *b)
{
  const Extent *left = a, *right = b;
  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static bool
live_together (const SlLifetime *a, const SlLifetime *b)
{
  return a->first <= b->last && b->first <= a->last;
}

static void
add_placed (Placed *placed, const Place *place)
{
  placed->by_rank[place->rank] = place;
  for (uint32_t i = placed->width + place->rank; i > 0; i /= 2)
    placed->last[i] = MAX (placed->last[i], place->life.last + 1);
}

/* Extents of the places beneath `node`, which covers `size` ranks from `rank` on, that live at the
 * same time as `place`. As deep as the tree. */
static void
collect (const Placed *placed, const Place *place, uint32_t node, uint32_t rank, uint32_t size)
{
  if (placed->last[node] <= place->life.first)
    return;
  if (size == 1) {
    const Place *other = placed->by_rank[rank];
    if (live_together (&other->life, &place->life)) {
      const Extent extent = {other->offset, other->offset + other->bytes};
      g_array_append_val (placed->found, extent);
    }
    return;
  }
  collect (placed, place, 2 * node, rank, size / 2);
  if (placed->first[rank + size / 2] <= place->life.last)
    collect (placed, place, 2 * node + 1, rank + size / 2, size / 2);
}

/* The lowest gap between what is placed already and lives at the same time. */
static size_t
find_gap (const Placed *placed, const Place *place)
{
  size_t end = 0;
  g_array_set_size (placed->found, 0);
  collect (placed, place, 1, 0, placed->width);
  g_array_sort (placed->found, compare_extents);
  for (guint i = 0; i < placed->found->len; i++) {
    const Extent *extent = &g_array_index (placed->found, Extent, i);
    if (extent->offset >= end && extent->offset - end >= place->bytes)
      break;
    end = MAX (end, extent->end);
  }
  return end;
}

/* The places that values need, largest first, with their ranks. */
static Place *
list_places (const SlGraph *graph, size_t *ret_n)
{
  g_autofree SlLifetime *lifetimes = sl_plan_lifetimes (graph);
  Place *places = g_new (Place, graph->values->len + 1);
  g_autofree Place **by_first = g_new (Place *, graph->values->len + 1);
  size_t n = 0;
  for (uint32_t i = 0; i < graph->values->len; i++) {
    const SlValue *value = g_ptr_array_index (graph->values, i);
    if (lifetimes[i].used)
      places[n++] = (Place){i, lifetimes[i],
                            sl_align_up (MAX (sl_value_get_bytes (value), 1), SL_ALIGNMENT), 0, 0};
  }
  qsort (places, n, sizeof places[0], compare_bytes);
  for (size_t i = 0; i < n; i++)
    by_first[i] = &places[i];
  qsort (by_first, n, sizeof by_first[0], compare_first);
  for (size_t i = 0; i < n; i++)
    by_first[i]->rank = (uint32_t)i;
  *ret_n = n;
  return places;
}

size_t
sl_plan_arena (const SlGraph *graph, size_t *offset)
{
  size_t n, arena = 0, looks = 0;
  g_autofree Place *places = list_places (graph, &n);
  Placed placed = {.width = 1};
  while (placed.width < n)
    placed.width *= 2;
  placed.by_rank = g_new0 (const Place *, placed.width);
  placed.last = g_new0 (uint32_t, 2 * (size_t)placed.width);
  placed.found = g_array_new (FALSE, FALSE, sizeof (Extent));
  placed.first = g_new (uint32_t, placed.width);
  memset (placed.first, 0xff, placed.width * sizeof placed.first[0]);
  for (size_t i = 0; i < n; i++)
    placed.first[places[i].rank] = places[i].life.first;
  for (size_t i = 0; i < n; i++) {
    Place *place = &places[i];
    place->offset = looks < MAX_LOOKS ? find_gap (&placed, place) : arena;
    looks += placed.found->len;
    offset[place->id] = place->offset;
    arena = MAX (arena, place->offset + place->bytes);
    add_placed (&placed, place);
  }
  g_array_unref (placed.found);
  g_free (placed.by_rank);
  g_free (placed.first);
  g_free (placed.last);
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
  return plan->steps->len > 0 ? sl_plan_check_updates (plan->graph) : NULL;
}
