/* Tables for people: cells count characters, not bytes. */
#pragma once

#include <glib.h>

/* `text`, or its two ends where it is longer than `width` characters; free with g_free(). */
char *tool_shorten (const char *text, glong width);
/* Prints `text` shortened or padded to `width` characters, and a space. */
void tool_print_cell (const char *text, glong width);
/* "1,235,496"; free with g_free(). */
char *tool_group_digits (guint64 number);
