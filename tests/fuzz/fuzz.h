/* A fuzz target: what libFuzzer calls, and the inputs that it starts from. Each of the targets
 * beside this file is linked with libFuzzer where there is one, and everywhere with replay.c. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* Aborts where the engine breaks a promise that holds for any input whatever; sanitizers see the
 * rest. Returns 0. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Input `index` that a run starts from; NULL behind the last. The caller frees it. */
GByteArray *fuzz_seed (unsigned index);

/* Words worth putting into an input, as libFuzzer's dictionary wants them: one "…" a line. */
void fuzz_dictionary (GString *ret);

/* Says what is wrong and aborts. */
G_NORETURN G_GNUC_PRINTF (1, 2) void fuzz_fail (const char *format, ...);
/* An error must be the engine's own, one line of text. Frees it. */
void fuzz_check_error (GError *error);
/* The bytes as a file that exists as long as the descriptor. */
int fuzz_memory_file (const void *data, size_t size, char ret_path[static 64]);
