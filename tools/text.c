#include "text.h"

#include <stdio.h>

char *
tool_shorten (const char *text, glong width)
{
  glong length = g_utf8_strlen (text, -1);
  if (length <= width)
    return g_strdup (text);
  g_autofree char *head = g_utf8_substring (text, 0, width / 2 - 1);
  g_autofree char *tail = g_utf8_substring (text, length - (width - width / 2), length);
  return g_strdup_printf ("%s…%s", head, tail);
}

void
tool_print_cell (const char *text, glong width)
{
  g_autofree char *cell = tool_shorten (text, width);
  printf ("%s%*s ", cell, (int)(width - g_utf8_strlen (cell, -1)), "");
}

char *
tool_group_digits (guint64 number)
{
  GString *text = g_string_new (NULL);
  g_string_printf (text, "%" G_GUINT64_FORMAT, number);
  for (gssize i = (gssize)text->len - 3; i > 0; i -= 3)
    g_string_insert_c (text, i, ',');
  return g_string_free (text, FALSE);
}
