/* Loops, order and tables of the dispatchers, without a device: tests/ops runs them on one. */
#include "dispatch/dispatch.h"
#include "dispatch/forms.h"
#include "dispatch/loops.h"

#include "kernels/conv2d_gradient.h"
#include "kernels/list.h"
#include "shaders/panel.h"

#include <string.h>

/* --- Kernels --- */

/* Kernels that no program for a GPU has: what is lowered so for CPUs alone. */
static const char *const missing[] = {"conv2d_planes", NULL};

static void
test_kernels (void)
{
#define NAME(kernel) #kernel,
  static const char *const names[] = {SL_KERNEL_LIST (NAME)};
#undef NAME
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    const bool is_missing = g_strv_contains (missing, names[i]);
    const bool has = sl_dispatch_find (names[i]) != NULL || sl_dispatch_is_host (names[i], NULL);
    if (has == is_missing)
      g_error ("'%s' is %s", names[i], has ? "on the list of what is missing" : "missing");
  }
  const char *reason = NULL;
  g_assert_true (sl_dispatch_is_host (SL_STEP_REFERENCE, &reason));
  g_assert_nonnull (reason);
  g_assert_null (sl_dispatch_find ("nothing of that name"));
}

/* --- Loops --- */

#define MEMORY 4096

typedef struct Seen {
  uint32_t pieces;
  uint8_t in[MEMORY], out[MEMORY]; /* how often an element was touched */
  uint64_t range;
} Seen;

/* Walks the loops as a shader does, and holds them against their extents. */
static void
walk (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  Seen *seen = (Seen *)data;
  const size_t n = sl_loops_get_elements (loops);
  seen->pieces++;
  g_assert_cmpuint (loops->rank, <=, 2);
  for (uint32_t k = 0; k < 2; k++) {
    const SlExtent extent = sl_loops_get_extent (loops, k);
    g_assert_cmpuint (sl_extent_get_span (&extent), <=, sl_gpu_get_range (to->gpu));
    for (size_t i = 0; i < n; i++) {
      ptrdiff_t at = (ptrdiff_t)loops->first[k];
      size_t left = i;
      for (uint32_t d = loops->rank; d-- > 0; left /= loops->dims[d])
        at += (ptrdiff_t)(left % loops->dims[d]) * loops->stride[k][d];
      g_assert_cmpint (at, >=, 0);
      g_assert_cmpint (at, <, MEMORY);
      (k == 0 ? seen->in : seen->out)[at]++;
      const uint64_t byte = (uint64_t)at * 4 - extent.begin;
      g_assert_cmpuint (byte / MAX (extent.pitch, 1), <, extent.rows);
      g_assert_cmpuint (byte % MAX (extent.pitch, 1) + 4, <=, extent.row_bytes);
    }
  }
}

/* A transposition of five dimensions, one of them backwards, into a slice of something wider. */
static void
test_loops (void)
{
  const SlLoops loops = {.n_operands = 2,
                         .rank = 5,
                         .dims = {3, 1, 4, 5, 6},
                         .stride = {{-120, 7, 1, 4, 20}, {160, 0, 40, 8, 1}},
                         .first = {240, 1},
                         .element_size = {4, 4}};
  static const uint64_t ranges[] = {1 << 20, 2048, 256};
  for (size_t r = 0; r < G_N_ELEMENTS (ranges); r++) {
    const SlGpu gpu = {.binding_range = ranges[r], .alignment = 64};
    SlDispatcher to = {.gpu = &gpu};
    g_autofree Seen *seen = g_new0 (Seen, 1);
    sl_loops_dispatch (&to, &loops, 2, walk, seen);
    g_assert_cmpuint (seen->pieces, >=, 1);
    size_t touched = 0;
    for (size_t i = 0; i < MEMORY; i++) {
      g_assert_cmpuint (seen->in[i], <=, 1);
      g_assert_cmpuint (seen->out[i], <=, 1);
      touched += seen->out[i];
      if (seen->out[i])
        g_assert_cmpuint ((i - 1) % 8, <, 6);
    }
    g_assert_cmpuint (touched, ==, 3 * 4 * 5 * 6);
  }
}

static void
test_merge (void)
{
  const SlGpu gpu = {.binding_range = 1 << 20, .alignment = 64};
  SlDispatcher to = {.gpu = &gpu};
  g_autofree Seen *seen = g_new0 (Seen, 1);
  SlLoops dense = {.n_operands = 2,
                   .rank = 4,
                   .dims = {2, 3, 4, 5},
                   .stride = {{60, 20, 5, 1}, {60, 20, 5, 1}},
                   .element_size = {4, 4}};
  sl_loops_dispatch (&to, &dense, 1, walk, seen); /* one loop */
  g_assert_cmpuint (seen->pieces, ==, 1);
  dense.dims[1] = 0;
  sl_loops_dispatch (&to, &dense, 1, walk, seen); /* nothing to do */
  g_assert_cmpuint (seen->pieces, ==, 1);
}

/* --- Order --- */

/* Whether two extents share a byte, by looking at each. */
static bool
share_bytes (const SlExtent *a, const SlExtent *b)
{
  g_autofree bool *is_a = g_new0 (bool, MEMORY);
  for (uint64_t row = 0; row < a->rows; row++)
    memset (is_a + a->begin + row * a->pitch, true, a->row_bytes);
  for (uint64_t row = 0; row < b->rows; row++)
    for (uint64_t i = 0; i < b->row_bytes; i++)
      if (is_a[b->begin + row * b->pitch + i])
        return true;
  return false;
}

static SlExtent
draw (GRand *random, bool same_pitch)
{
  const uint64_t row = (uint64_t)g_rand_int_range (random, 0, 12);
  const uint64_t gap = (uint64_t)g_rand_int_range (random, 0, 12);
  return (SlExtent){(uint64_t)g_rand_int_range (random, 0, 200),
                    (uint64_t)g_rand_int_range (random, 0, 6), same_pitch ? MIN (row, 10) : row,
                    same_pitch ? 10 : row + gap};
}

static void
test_overlap (void)
{
  GRand *random = g_rand_new_with_seed (1);
  uint32_t yes = 0, no = 0, careful = 0;
  for (int i = 0; i < 100000; i++) {
    const bool same_pitch = i % 2 == 0;
    const SlExtent a = draw (random, same_pitch), b = draw (random, same_pitch);
    const bool is = share_bytes (&a, &b), says = sl_extents_overlap (&a, &b);
    g_assert_true (says || !is);
    if (same_pitch)
      g_assert_true (says == is);
    careful += says && !is;
    yes += is;
    no += !is;

    /* The independent check agrees with the bytes in every case. */
    const SlPlace first = {0, a, true}, second = {0, b, false};
    const SlPlace *const places[] = {&first, &second};
    g_autofree char *breach =
        sl_hazards_check (places, (const uint32_t[]){1, 1}, (const bool[]){false, false}, 2);
    g_assert_true ((breach != NULL) == is);
  }
  g_assert_cmpuint (yes, >, 1000);
  g_assert_cmpuint (no, >, 1000);
  g_assert_cmpuint (careful, <, no / 2);
  g_rand_free (random);
}

static void
test_barriers (void)
{
  g_autoptr (SlBarriers) barriers = sl_barriers_new ();
  const SlPlace write = {1, sl_extent (0, 64), true}, read = {1, sl_extent (32, 64), false};
  const SlPlace elsewhere = {2, sl_extent (0, 64), true}, behind = {1, sl_extent (96, 8), true};
  g_assert_false (sl_barriers_add (barriers, &write, 1));
  g_assert_false (sl_barriers_add (barriers, &elsewhere, 1)); /* another buffer */
  g_assert_true (sl_barriers_add (barriers, &read, 1));       /* read after write */
  g_assert_false (sl_barriers_add (barriers, &read, 1));      /* reads do not wait for reads */
  g_assert_false (sl_barriers_add (barriers, &behind, 1));
  g_assert_true (sl_barriers_add (barriers, &write, 1)); /* write after read */
  g_assert_true (sl_barriers_add (barriers, &write, 1)); /* write after write */
  sl_barriers_reset (barriers);
  g_assert_false (sl_barriers_add (barriers, &write, 1));

  const SlPlace *const places[] = {&write, &read, &behind};
  const uint32_t n[] = {1, 1, 1};
  g_autofree char *none = sl_hazards_check (places, n, (const bool[]){false, true, false}, 3);
  g_autofree char *some = sl_hazards_check (places, n, (const bool[]){false, false, true}, 3);
  g_assert_null (none);
  g_assert_nonnull (some);
}

/* --- Parts of sums --- */

/* A part of a weights' gradient, and all of them together, fit into what every device binds. */
static void
test_parts (void)
{
  static const struct {
    uint32_t batch, in_c, out_c, size, kernel, groups;
  } rows[] = {
      {256, 3, 64, 224, 3, 1},   {64, 64, 64, 224, 3, 1}, {256, 512, 512, 28, 3, 1},
      {128, 96, 96, 112, 3, 96}, {32, 64, 64, 56, 3, 1},  {1, 1, 1, 1, 1, 1},
      {8, 2048, 2048, 7, 3, 1},  {64, 64, 256, 56, 1, 1}, {1, 4096, 4096, 4, 3, 1},
      {64, 256, 256, 56, 3, 32},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    const SlConv2dParams p = {.batch = rows[i].batch,
                              .in_h = rows[i].size,
                              .in_w = rows[i].size,
                              .in_c = rows[i].in_c,
                              .out_h = rows[i].size,
                              .out_w = rows[i].size,
                              .out_c = rows[i].out_c,
                              .groups = rows[i].groups,
                              .kernel_h = rows[i].kernel,
                              .kernel_w = rows[i].kernel};
    const size_t parts = sl_conv2d_gradient_parts (&p, PANEL);
    const size_t pixels = (size_t)p.batch * p.out_h * p.out_w, one = (size_t)p.out_h * p.out_w;
    /* The images of a part lie in it as a whole. */
    const size_t seen = ((pixels + parts - 1) / parts + 2 * one) * MAX (p.in_c, p.out_c);
    const size_t all = parts * sl_conv2d_gradient_part (&p, PANEL);
    const size_t bound = ((size_t)128 << 20) / 4;
    g_assert_cmpuint (parts, >=, 1);
    g_assert_cmpuint (parts, <=, pixels);
    g_assert_cmpuint (seen, <=, bound);
    if (parts > 1)
      g_assert_cmpuint (all, <=, bound);
  }
}

/* --- Forms of products --- */

/* Cooperative matrices: of float16, on devices that have all of what the shader needs. */
static void
test_matrices (void)
{
  const SlShaderNeeds needs = sl_product_get_matrix_needs ();
  const SlProductForm *form = &sl_product_forms[SL_PRODUCT_MATRIX_FORM - 1];
  uint32_t splits;
  SlGpu gpu = {.max_groups = 65535, .features = needs};
  g_assert_true (needs & SL_SHADER_MATRIX);
  g_assert_true (needs & SL_SHADER_STORAGE16);
  g_assert_true (sl_product_choose_form (&gpu, 50176, 64, 64, 1, true, &splits) == form);
  g_assert_cmpuint (splits, ==, 1);
  g_assert_true (sl_product_choose_form (&gpu, 49, 64, 4608, 1, true, &splits) == form);
  g_assert_cmpuint (splits, >, 1);
  g_assert_true (sl_product_choose_form (&gpu, 50176, 64, 64, 1, false, &splits) != form);
  gpu.features = needs & ~SL_SHADER_MATRIX;
  g_assert_true (sl_product_choose_form (&gpu, 50176, 64, 64, 1, true, &splits) != form);
  gpu.features = SL_SHADER_MATRIX;
  g_assert_true (sl_product_choose_form (&gpu, 50176, 64, 64, 1, true, &splits) != form);
  gpu = (SlGpu){.max_groups = 65535, .features = needs, .is_cpu = true};
  g_assert_true (sl_product_choose_form (&gpu, 50176, 64, 64, 1, true, &splits) != form);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dispatch/kernels", test_kernels);
  g_test_add_func ("/dispatch/loops", test_loops);
  g_test_add_func ("/dispatch/loops/merge", test_merge);
  g_test_add_func ("/dispatch/parts", test_parts);
  g_test_add_func ("/dispatch/matrices", test_matrices);
  g_test_add_func ("/dispatch/order/overlap", test_overlap);
  g_test_add_func ("/dispatch/order/barriers", test_barriers);
  return g_test_run ();
}
