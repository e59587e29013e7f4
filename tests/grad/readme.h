/* The lists in engine/ops/README.md. */
#pragma once

#include <glib.h>

/* The names in `…` that the tables' first columns hold under that heading. G_TEST_SRCDIR is the
 * root of the source tree. */
GHashTable *readme_list (const char *heading);
