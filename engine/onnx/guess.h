/* What a file is that is no model. */
#pragma once

#include <stddef.h>

/* "a gzip archive", "an HTML page" …, told by how the file begins; NULL: no idea. */
const char *sl_onnx_guess (const void *data, size_t size);
