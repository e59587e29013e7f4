#include "core/isa.h"

#include <glib.h>

#include <string.h>

static void
test_names (void)
{
  for (unsigned i = 0; i < SL_ISA_COUNT; i++)
    for (unsigned j = 0; j < i; j++)
      g_assert_cmpstr (sl_isa_name ((SlIsa)i), !=, sl_isa_name ((SlIsa)j));
  g_assert_cmpstr (sl_isa_name (SL_ISA_X86_64_V3), ==, "x86-64-v3");
}

/* The compiler's own probe (which reads XCR0 too) must agree, feature by feature. */
static void
test_probe (void)
{
  g_assert_true (sl_isa_supported (SL_ISA_GENERIC));
#if defined(__x86_64__)
  __builtin_cpu_init ();
  bool v2 = __builtin_cpu_supports ("sse4.2") && __builtin_cpu_supports ("popcnt");
  bool v3 = v2 && __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma") &&
            __builtin_cpu_supports ("bmi2");
  bool v4 = v3 && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw") &&
            __builtin_cpu_supports ("avx512cd") && __builtin_cpu_supports ("avx512dq") &&
            __builtin_cpu_supports ("avx512vl");
  g_assert_cmpint (sl_isa_supported (SL_ISA_X86_64_V2), ==, v2);
  g_assert_cmpint (sl_isa_supported (SL_ISA_X86_64_V3), ==, v3);
  g_assert_cmpint (sl_isa_supported (SL_ISA_X86_64_V4), ==, v4);
  g_assert_false (sl_isa_supported (SL_ISA_AARCH64));
#elif defined(__aarch64__)
  g_assert_true (sl_isa_supported (SL_ISA_AARCH64));
  g_assert_false (sl_isa_supported (SL_ISA_X86_64_V2));
#endif
}

static void
test_best (void)
{
  if (g_test_subprocess ()) {
    g_unsetenv ("SIGHTLINE_ISA");
    SlIsa best = sl_isa_best ();
    g_assert_true (sl_isa_supported (best));
    for (unsigned i = best + 1; i < SL_ISA_AARCH64; i++)
      g_assert_false (sl_isa_supported ((SlIsa)i));
    g_setenv ("SIGHTLINE_ISA", "generic", TRUE); /* too late: decided once */
    g_assert_cmpint (sl_isa_best (), ==, best);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

static void
test_forced (void)
{
  if (g_test_subprocess ()) {
    g_setenv ("SIGHTLINE_ISA", "generic", TRUE);
    g_assert_cmpint (sl_isa_best (), ==, SL_ISA_GENERIC);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

static void
test_forced_unusable (gconstpointer name)
{
  if (g_test_subprocess ()) {
    g_setenv ("SIGHTLINE_ISA", name, TRUE);
    g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "*SIGHTLINE_ISA=*");
    g_assert_true (sl_isa_supported (sl_isa_best ()));
    g_test_assert_expected_messages ();
    sl_isa_best (); /* silent the second time */
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/isa/names", test_names);
  g_test_add_func ("/core/isa/probe", test_probe);
  g_test_add_func ("/core/isa/best", test_best);
  g_test_add_func ("/core/isa/forced", test_forced);
  g_test_add_data_func ("/core/isa/forced-unknown", "sse9", test_forced_unusable);
#if defined(__x86_64__)
  g_test_add_data_func ("/core/isa/forced-foreign", "aarch64", test_forced_unusable);
#else
  g_test_add_data_func ("/core/isa/forced-foreign", "x86-64-v3", test_forced_unusable);
#endif
  return g_test_run ();
}
