/* Label lists: one label a line. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* The labels in `size` bytes of text; `name` stands for the source in messages. NULL with SL_ERROR
 * set. */
char **sl_labels_parse (const char *text, size_t size, const char *name, uint32_t *ret_n,
                        GError **error);
