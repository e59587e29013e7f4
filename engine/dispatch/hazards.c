/* The order of records, looked at without the arithmetic of schedule.c: row against row. */
#include "dispatch/dispatch.h"

static bool
rows_touch (const SlExtent *a, const SlExtent *b)
{
  uint64_t i = 0, j = 0;
  if (a->row_bytes == 0 || b->row_bytes == 0)
    return false;
  while (i < a->rows && j < b->rows) {
    const uint64_t a_begin = a->begin + i * a->pitch, b_begin = b->begin + j * b->pitch;
    if (a_begin < b_begin + b->row_bytes && b_begin < a_begin + a->row_bytes)
      return true;
    if (a_begin + a->row_bytes <= b_begin + b->row_bytes)
      i++;
    else
      j++;
  }
  return false;
}

static bool
places_touch (const SlPlace *a, const SlPlace *b)
{
  return a->buffer == b->buffer && (a->writes || b->writes) && rows_touch (&a->extent, &b->extent);
}

char *
sl_hazards_check (const SlPlace *const *places, const uint32_t *n_places, const bool *barriers,
                  uint32_t n)
{
  uint32_t since = 0; /* the first record behind the last barrier */
  for (uint32_t i = 0; i < n; i++) {
    if (barriers[i])
      since = i;
    for (uint32_t earlier = since; earlier < i; earlier++)
      for (uint32_t a = 0; a < n_places[earlier]; a++)
        for (uint32_t b = 0; b < n_places[i]; b++)
          if (places_touch (&places[earlier][a], &places[i][b]))
            return g_strdup_printf ("records %u and %u touch the same bytes with no barrier "
                                    "between (places %u and %u)",
                                    earlier, i, a, b);
  }
  return NULL;
}
