/* The floating-point environment of kernels: round to nearest, denormals read and written as zero,
 * no traps. A decoder or an application may have left something else in the calling thread. */
#pragma once

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

typedef unsigned SlFpEnv;

#define SL_FP_MXCSR 0x9fc0u /* flush to zero, denormals are zero, all exceptions masked */

static inline SlFpEnv
sl_fp_enter (void)
{
  SlFpEnv saved = _mm_getcsr ();
  _mm_setcsr (SL_FP_MXCSR);
  return saved;
}

static inline void
sl_fp_leave (SlFpEnv saved)
{
  _mm_setcsr (saved);
}

#elif defined(__aarch64__)

typedef uint64_t SlFpEnv;

/* Flush to zero; the other fields' defaults are all zero. */
#define SL_FP_FPCR (UINT64_C (1) << 24)

static inline SlFpEnv
sl_fp_enter (void)
{
  SlFpEnv saved;
  __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
  __asm__ volatile("msr fpcr, %0" : : "r"(SL_FP_FPCR));
  return saved;
}

static inline void
sl_fp_leave (SlFpEnv saved)
{
  __asm__ volatile("msr fpcr, %0" : : "r"(saved));
}

#else
#include <fenv.h>

typedef fenv_t SlFpEnv;

static inline SlFpEnv
sl_fp_enter (void)
{
  SlFpEnv saved;
  feholdexcept (&saved);
  fesetround (FE_TONEAREST);
  return saved;
}

static inline void
sl_fp_leave (SlFpEnv saved)
{
  fesetenv (&saved);
}

#endif
