#pragma once

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry point. Aborts where reader or writer break their contracts: neither graph nor
 * error, both, or something written that cannot be read. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
