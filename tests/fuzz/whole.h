/* Any bytes as a model: read, written and read again, compiled for both backends, run twice. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `name` says by its end what they are read as: ".net" is a network text, all else ONNX. */
void fuzz_try_model (const uint8_t *data, size_t size, const char *name);
