#include "core/text.h"

char *
sl_text_on_one_line (const char *text)
{
  char *line = g_utf8_make_valid (text, -1);
  for (char *at = line; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = '?';
  return line;
}
