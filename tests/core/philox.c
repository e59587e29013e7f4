#include "core/philox.h"

#include <glib.h>

/* Random123's kat_vectors, "philox4x32 10". */
static const struct {
  uint32_t counter[4], key[2], expected[4];
} vectors[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void
test_known_answers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++) {
    SlPhilox got = sl_philox (vectors[i].counter, vectors[i].key);
    for (int j = 0; j < 4; j++)
      g_assert_cmphex (got.value[j], ==, vectors[i].expected[j]);
  }
}

static void
test_uniform (void)
{
  g_assert_true (sl_uniform (0) == 0.0f);
  g_assert_true (sl_uniform (0xff) == 0.0f);
  g_assert_true (sl_uniform (0x80000000) == 0.5f);
  g_assert_true (sl_uniform (0xffffffff) == 1.0f - 0x1p-24f);

  double sum = 0;
  const uint32_t key[2] = {1, 2}, n = 100000;
  for (uint32_t i = 0; i < n; i++)
    sum += (double)sl_uniform (sl_philox ((uint32_t[4]){i, 0, 0, 0}, key).value[0]);
  g_assert_cmpfloat_with_epsilon (sum / n, 0.5, 0.005); /* five standard deviations */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/philox/known-answers", test_known_answers);
  g_test_add_func ("/core/philox/uniform", test_uniform);
  return g_test_run ();
}
