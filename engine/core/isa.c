#include "core/isa.h"

#include <glib.h>

#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>

#define BITS_V2_ECX (bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT | bit_CMPXCHG16B)
#define BITS_V3_ECX (bit_AVX | bit_F16C | bit_FMA | bit_MOVBE | bit_OSXSAVE)
#define BITS_V3_7_EBX (bit_AVX2 | bit_BMI | bit_BMI2)
#define BITS_V4_7_EBX (bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL)
#define BITS_V2_EXT_ECX bit_LAHF_LM
#define BITS_V3_EXT_ECX bit_LZCNT

/* XCR0: what the operating system saves on a context switch. */
#define XCR0_AVX 0x06u    /* SSE and upper halves of ymm */
#define XCR0_AVX512 0xe6u /* and mask registers, upper halves of zmm, zmm16-31 */

static uint32_t
read_xcr0 (void)
{
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/* The highest level of the x86-64 psABI that CPU and operating system provide. */
static SlIsa
probe (void)
{
  uint32_t eax, ebx, ecx, edx, ebx7 = 0, ecx_ext = 0;
  if (!__get_cpuid (1, &eax, &ebx, &ecx, &edx))
    return SL_ISA_GENERIC;

  uint32_t ecx1 = ecx;
  if (__get_cpuid_count (7, 0, &eax, &ebx, &ecx, &edx))
    ebx7 = ebx;
  if (__get_cpuid (0x80000001, &eax, &ebx, &ecx, &edx))
    ecx_ext = ecx;

  if ((ecx1 & BITS_V2_ECX) != BITS_V2_ECX || !(ecx_ext & BITS_V2_EXT_ECX))
    return SL_ISA_GENERIC;
  if ((ecx1 & BITS_V3_ECX) != BITS_V3_ECX || (ebx7 & BITS_V3_7_EBX) != BITS_V3_7_EBX ||
      !(ecx_ext & BITS_V3_EXT_ECX))
    return SL_ISA_X86_64_V2;

  uint32_t xcr0 = read_xcr0 ();
  if ((xcr0 & XCR0_AVX) != XCR0_AVX)
    return SL_ISA_X86_64_V2;
  if ((ebx7 & BITS_V4_7_EBX) != BITS_V4_7_EBX || (xcr0 & XCR0_AVX512) != XCR0_AVX512)
    return SL_ISA_X86_64_V3;
  return SL_ISA_X86_64_V4;
}

#elif defined(__aarch64__)

static SlIsa
probe (void)
{
  return SL_ISA_AARCH64; /* NEON is part of the base architecture */
}

#else

static SlIsa
probe (void)
{
  return SL_ISA_GENERIC;
}

#endif

static const char *const names[SL_ISA_COUNT] = {
    [SL_ISA_GENERIC] = "generic",     [SL_ISA_X86_64_V2] = "x86-64-v2",
    [SL_ISA_X86_64_V3] = "x86-64-v3", [SL_ISA_X86_64_V4] = "x86-64-v4",
    [SL_ISA_AARCH64] = "aarch64",
};

const char *
sl_isa_name (SlIsa isa)
{
  g_return_val_if_fail ((unsigned)isa < SL_ISA_COUNT, NULL);
  return names[isa];
}

bool
sl_isa_supported (SlIsa isa)
{
  SlIsa top = probe ();
  if (top == SL_ISA_AARCH64)
    return isa == SL_ISA_AARCH64 || isa == SL_ISA_GENERIC;
  return isa <= top; /* the x86-64 levels include each other */
}

/* The set that SIGHTLINE_ISA names, or SL_ISA_COUNT if it names none that works here. */
static SlIsa
forced (void)
{
  const char *name = g_getenv ("SIGHTLINE_ISA");
  if (!name || !*name)
    return SL_ISA_COUNT;

  for (unsigned i = 0; i < SL_ISA_COUNT; i++) {
    if (!g_str_equal (name, names[i]))
      continue;
    if (sl_isa_supported ((SlIsa)i))
      return (SlIsa)i;
    g_warning ("SIGHTLINE_ISA=%s: this machine runs %s at best, using that", name, names[probe ()]);
    return SL_ISA_COUNT;
  }
  g_warning ("SIGHTLINE_ISA=%s: expected generic, x86-64-v2, x86-64-v3, x86-64-v4 or aarch64",
             name);
  return SL_ISA_COUNT;
}

SlIsa
sl_isa_best (void)
{
  static gsize best_plus_one;
  if (g_once_init_enter (&best_plus_one)) {
    SlIsa isa = forced ();
    g_once_init_leave (&best_plus_one, (gsize)(isa == SL_ISA_COUNT ? probe () : isa) + 1);
  }
  return (SlIsa)(best_plus_one - 1);
}
