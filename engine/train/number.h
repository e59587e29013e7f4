/* Numbers as text that reads back as the same number, and no longer than that takes. */
#pragma once

#include <glib.h>

#include <stdlib.h>

/* Into `ret`, of G_ASCII_DTOSTR_BUF_SIZE bytes; returns it. Finite numbers only. */
static inline const char *
sl_number_format (double value, char *ret)
{
  char format[8];
  for (int digits = 6; digits <= 17; digits++) {
    g_snprintf (format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd (ret, G_ASCII_DTOSTR_BUF_SIZE, format, value);
    if (g_ascii_strtod (ret, NULL) == value)
      break;
  }
  return ret;
}
