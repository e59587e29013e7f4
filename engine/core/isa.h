/* Which instruction sets the kernels are built for and which one this machine gets. */
#pragma once

#include <stdbool.h>

typedef enum {
  SL_ISA_GENERIC,   /* plain C, 128-bit vectors as the compiler lowers them */
  SL_ISA_X86_64_V2, /* SSE4.2 */
  SL_ISA_X86_64_V3, /* AVX2, FMA, F16C */
  SL_ISA_X86_64_V4, /* AVX-512 F, BW, CD, DQ, VL */
  SL_ISA_AARCH64,   /* NEON */
  SL_ISA_COUNT
} SlIsa;

/* "generic", "x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64". */
const char *sl_isa_name (SlIsa isa);

/* True if this CPU (and its operating system: register state enabled) runs `isa`. */
bool sl_isa_supported (SlIsa isa);

/* The best supported set, or the one that SIGHTLINE_ISA names. A name that is unknown or that the
 * CPU lacks is reported once by g_warning and ignored. Decided on the first call; thread-safe. */
SlIsa sl_isa_best (void);
