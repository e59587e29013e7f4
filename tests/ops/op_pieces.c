#include "op_pieces.h"

#include <glib.h>

/* Softmax and LRN need a whole axis, a resize a whole image, the sum of parts all of them, of which
 * there are no more than fit (kernels/conv2d_gradient.h), a sum of squares its block, and what is
 * made of those all of them. */
static const char *const whole[] = {
    "softmax",        "log_softmax", "lrn",          "resize2d",    "sum_weight_parts",
    "sum_bias_parts", "square_sum",  "lrn_gradient", "clip_factor", NULL};

static GHashTable *cut, *refused; /* names of kernels */

void
op_pieces_note (const char *kernel, bool is_cut)
{
  if (cut == NULL) {
    cut = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  }
  g_hash_table_add (is_cut ? cut : refused, g_strdup (kernel));
}

void
op_pieces_test (void)
{
  GHashTableIter iter;
  void *kernel;
  if (cut == NULL) {
    g_test_skip ("nothing ran in pieces");
    return;
  }
  g_hash_table_iter_init (&iter, refused);
  while (g_hash_table_iter_next (&iter, &kernel, NULL))
    if (!g_hash_table_contains (cut, kernel) && !g_strv_contains (whole, kernel))
      g_error ("no case cut '%s' into pieces", (const char *)kernel);
}
