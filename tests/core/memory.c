#include "core/memory.h"

#include <string.h>

static void
test_alignment (void)
{
  for (size_t size = 0; size < 300; size += 7) {
    char *memory = sl_aligned_alloc (size);
    g_assert_nonnull (memory);
    g_assert_cmpuint ((guintptr)memory % SL_ALIGNMENT, ==, 0);
    memset (memory, 0x5a, size);
    sl_aligned_free (memory);
  }
  sl_aligned_free (NULL);
}

static void
test_sizes (void)
{
  g_assert_cmpuint (sl_align_up (0, 64), ==, 0);
  g_assert_cmpuint (sl_align_up (1, 64), ==, 64);
  g_assert_cmpuint (sl_align_up (64, 64), ==, 64);
  g_assert_cmpuint (sl_align_up (65, 16), ==, 80);

  size_t product = 7;
  g_assert_true (sl_mul_size (G_MAXSIZE / 3, 3, &product));
  g_assert_cmpuint (product, ==, G_MAXSIZE / 3 * 3);
  product = 7;
  g_assert_false (sl_mul_size (G_MAXSIZE / 3 + 1, 3, &product));
  g_assert_cmpuint (product, ==, 7);
}

static void
test_too_much (void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  g_test_skip ("the sanitizer ends the process on such a size");
#else
  g_assert_null (sl_aligned_alloc (G_MAXSIZE / 2));
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/memory/alignment", test_alignment);
  g_test_add_func ("/core/memory/sizes", test_sizes);
  g_test_add_func ("/core/memory/too-much", test_too_much);
  return g_test_run ();
}
