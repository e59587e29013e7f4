#include "fuzz.h"

#include <sightline/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_fail (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
  abort ();
}

void
fuzz_check_error (GError *error)
{
  if (error == NULL)
    fuzz_fail ("a failure without an error");
  if (error->domain != SL_ERROR || error->message[0] == '\0' ||
      strpbrk (error->message, "\n\r") != NULL || !g_utf8_validate (error->message, -1, NULL))
    fuzz_fail ("not an error of one line: %s", error->message);
  g_error_free (error);
}
