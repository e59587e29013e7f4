#include "kernels/copy.h"
#include "common.h"

#include "core/memory.h"

#include <string.h>

typedef struct Case {
  const char *name;
  uint32_t rank;
  size_t dims[SL_KERNEL_RANK];
  ptrdiff_t src_stride[SL_KERNEL_RANK], dst_stride[SL_KERNEL_RANK];
  size_t src_offset, dst_offset, src_count, dst_count;
} Case;

static const Case cases[] = {
    {"element", 0, {0}, {0}, {0}, 1, 2, 3, 4},
    {"row", 1, {100}, {1}, {1}, 0, 0, 100, 100},
    {"long row", 1, {50001}, {1}, {1}, 0, 1, 50001, 50003},
    {"transpose", 2, {37, 131}, {1, 37}, {131, 1}, 0, 0, 37 * 131, 37 * 131},
    {"nchw to nhwc", 4, {2, 9, 11, 70}, {6930, 11, 1, 99}, {6930, 770, 70, 1}, 0, 0, 13860, 13860},
    {"nhwc to nchw", 4, {2, 70, 9, 11}, {6930, 1, 770, 70}, {6930, 99, 11, 1}, 0, 0, 13860, 13860},
    {"nchw to slice", 3, {9, 11, 3}, {11, 1, 99}, {55, 5, 1}, 0, 1, 297, 496},
    {"expand", 3, {4, 5, 6}, {0, 1, 0}, {30, 6, 1}, 2, 0, 7, 120},
    {"reverse", 2, {3, 40}, {40, -1}, {40, 1}, 39, 0, 120, 120},
    {"scatter", 2, {3, 7}, {7, 1}, {30, 3}, 0, 2, 21, 90},
    {"crop", 3, {5, 6, 16}, {200, 20, 1}, {96, 16, 1}, 43, 0, 1100, 480},
    {"shuffle rank 5",
     5,
     {2, 3, 4, 2, 5},
     {120, 5, 30, 15, 1},
     {120, 40, 10, 5, 1},
     0,
     0,
     240,
     240},
    {"interleave", 3, {7, 29, 2}, {60, 1, 29}, {58, 2, 1}, 2, 0, 7 * 60 + 2, 7 * 58},
    {"empty", 2, {3, 0}, {1, 1}, {1, 1}, 0, 0, 1, 1},
};

static void
check_case (const SlKernelSet *set, const Case *c, uint32_t size)
{
  SlCopyParams p = {.rank = c->rank,
                    .element_size = size,
                    .src_offset = c->src_offset,
                    .dst_offset = c->dst_offset};
  guint8 *src = sl_aligned_alloc (c->src_count * size),
         *dst = sl_aligned_alloc (c->dst_count * size);
  g_autofree guint8 *expected = g_malloc (c->dst_count * size);
  size_t total = 1;

  for (uint32_t d = 0; d < c->rank; d++) {
    total *= p.dims[d] = c->dims[d];
    p.src_stride[d] = c->src_stride[d];
    p.dst_stride[d] = c->dst_stride[d];
  }
  for (size_t i = 0; i < c->src_count * size; i++)
    src[i] = (guint8)(i * 7 + i / 251);
  memset (dst, 0xee, c->dst_count * size);
  memset (expected, 0xee, c->dst_count * size);
  for (size_t i = 0; i < total; i++) {
    ptrdiff_t from = (ptrdiff_t)c->src_offset, to = (ptrdiff_t)c->dst_offset;
    size_t left = i;
    for (uint32_t d = c->rank; d-- > 0; left /= c->dims[d]) {
      from += (ptrdiff_t)(left % c->dims[d]) * c->src_stride[d];
      to += (ptrdiff_t)(left % c->dims[d]) * c->dst_stride[d];
    }
    memcpy (expected + to * size, src + from * size, size);
  }
  run_kernel (set, "copy", &p, (void *[]){src, dst}, 1, c->dst_count * size);
  if (memcmp (dst, expected, c->dst_count * size) != 0)
    g_error ("copy, %s, elements of %u bytes: wrong result", c->name, size);
  sl_aligned_free (src);
  sl_aligned_free (dst);
}

static void
test_copy (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    for (uint32_t size = 1; size <= 8; size *= 2)
      check_case (set, &cases[i], size);
}

static void
test_fill (const SlKernelSet *set)
{
  const size_t counts[] = {0, 1, 77, 40000};

  for (size_t i = 0; i < G_N_ELEMENTS (counts); i++)
    for (uint32_t size = 1; size <= 8; size *= 2) {
      SlFillParams p = {.count = counts[i], .element_size = size, .value = 0x8877665544332211u};
      size_t bytes = (counts[i] + 1) * size;
      guint8 *dst = sl_aligned_alloc (bytes);

      memset (dst, 0xee, bytes);
      run_kernel (set, "fill", &p, (void *[]){dst}, 0, bytes);
      for (size_t b = 0; b < bytes; b++)
        g_assert_cmpuint (dst[b], ==, b < counts[i] * size ? 0x11 * (b % size + 1) : 0xee);
      sl_aligned_free (dst);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("copy/copy", test_copy);
  add_set_tests ("copy/fill", test_fill);
  return g_test_run ();
}
