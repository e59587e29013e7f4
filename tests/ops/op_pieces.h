/* Which kernels were cut into pieces for a GPU that binds little: so that running in pieces shows
 * something. */
#pragma once

#include <stdbool.h>

/* A step of the kernel was cut, or could not be cut so small. */
void op_pieces_note (const char *kernel, bool is_cut);

/* A test, behind all cases: whatever can be cut was cut at least once. */
void op_pieces_test (void);
