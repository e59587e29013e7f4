#include "fuzz.h"

#include <sightline/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

int
fuzz_memory_file (const void *data, size_t size, char ret_path[static 64])
{
  int fd = memfd_create ("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write (fd, data, size) != (ssize_t)size)
    fuzz_fail ("no file in memory");
  g_snprintf (ret_path, 64, "/proc/self/fd/%d", fd);
  return fd;
}
