/* Limits that the environment raises or lowers: SIGHTLINE_LIMITS="file=8G,memory=16G". */
#pragma once

#include <glib.h>

/* What the variable says about `name`, in *ret; untouched if it says nothing. FALSE with
 * SL_ERROR_UNSUPPORTED if the variable makes no sense: names are those of sl_limit_names, values
 * whole numbers from 1 on with K, M, G or T (powers of 1024) behind them. */
gboolean sl_limit_read (const char *name, guint64 *ret, GError **error);

/* A number of bytes for people: "100 bytes", "1.5 MiB". Free with g_free(). */
char *sl_limit_print_bytes (guint64 bytes);

/* What a message ends with that says how to raise the limit `name`, a literal. */
#define SL_LIMIT_HINT(name) " (\"" name "\" in SIGHTLINE_LIMITS)"

/* NULL-ended. */
extern const char *const sl_limit_names[];
