#include "dispatch/dispatch.h"

/* `b` begins no earlier than `a`; both have the same pitch. Row j of b lies `shift` bytes into the
 * pitch of a's row j + steps. */
static bool
interleaved_overlap (const SlExtent *a, const SlExtent *b)
{
  const uint64_t steps = (b->begin - a->begin) / a->pitch;
  const uint64_t shift = (b->begin - a->begin) % a->pitch;
  if (shift < a->row_bytes && steps < a->rows)
    return true;
  return shift + b->row_bytes > a->pitch && steps + 1 < a->rows;
}

bool
sl_extents_overlap (const SlExtent *a, const SlExtent *b)
{
  const uint64_t a_span = sl_extent_get_span (a), b_span = sl_extent_get_span (b);
  if (a->row_bytes == 0 || b->row_bytes == 0 || a_span == 0 || b_span == 0 ||
      a->begin >= b->begin + b_span || b->begin >= a->begin + a_span)
    return false;
  if (a->rows > 1 && b->rows > 1 && a->pitch != b->pitch)
    return true;
  /* A single row may be given any pitch that holds it; a longer one than the other's pitch meets
   * some row of it, since their outlines overlap by more than the gap, or begins or ends there. */
  SlExtent x = *a, y = *b;
  if (x.rows == 1 && y.rows == 1)
    return true;
  const uint64_t pitch = x.rows > 1 ? x.pitch : y.pitch;
  if (x.row_bytes > pitch || y.row_bytes > pitch)
    return true;
  x.pitch = y.pitch = pitch;
  return x.begin <= y.begin ? interleaved_overlap (&x, &y) : interleaved_overlap (&y, &x);
}

SlBarriers *
sl_barriers_new (void)
{
  SlBarriers *barriers = g_new0 (SlBarriers, 1);
  barriers->pending = g_array_new (FALSE, FALSE, sizeof (SlPlace));
  return barriers;
}

void
sl_barriers_free (SlBarriers *barriers)
{
  g_array_unref (barriers->pending);
  g_free (barriers);
}

void
sl_barriers_reset (SlBarriers *barriers)
{
  g_array_set_size (barriers->pending, 0);
}

static bool
conflicts (const SlPlace *a, const SlPlace *b)
{
  return (a->writes || b->writes) && a->buffer == b->buffer &&
         sl_extents_overlap (&a->extent, &b->extent);
}

bool
sl_barriers_add (SlBarriers *barriers, const SlPlace *places, uint32_t n_places)
{
  bool barrier = false;
  for (uint32_t i = 0; i < barriers->pending->len && !barrier; i++)
    for (uint32_t k = 0; k < n_places && !barrier; k++)
      barrier = conflicts (&g_array_index (barriers->pending, SlPlace, i), &places[k]);
  if (barrier)
    sl_barriers_reset (barriers);
  g_array_append_vals (barriers->pending, places, n_places);
  return barrier;
}
