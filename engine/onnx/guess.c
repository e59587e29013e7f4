#include "onnx/guess.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* As much text as tells a text from other things. */
#define MIN_TEXT 16
#define MAX_TEXT 512

static const struct {
  size_t offset, length;
  const char *magic, *name;
} kinds[] = {
    {0, 2, "\x1f\x8b", "gzip data"},
    {0, 4, "PK\x03\x04", "a zip archive, or a PyTorch file"},
    {0, 4, "PK\x05\x06", "an empty zip archive"},
    {0, 6, "\xfd\x37zXZ", "xz data"},
    {0, 3, "BZh", "bzip2 data"},
    {0, 4, "\x28\xb5\x2f\xfd", "Zstandard data"},
    {0, 6, "7z\xbc\xaf\x27\x1c", "a 7z archive"},
    {257, 5, "ustar", "a tar archive"},
    {0, 8, "\x89PNG\r\n\x1a\n", "a PNG picture"},
    {0, 3, "\xff\xd8\xff", "a JPEG picture"},
    {0, 4, "GIF8", "a GIF picture"},
    {4, 4, "ftyp", "an MP4 clip"},
    {0, 4, "\x1a\x45\xdf\xa3", "a Matroska clip"},
    {0, 4, "\x7f\x45LF", "a program (ELF)"},
    {0, 8, "\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)"},
    {4, 4, "TFL3", "a TensorFlow Lite network"},
    {4, 4, "ORTM", "an ORT network"},
    {0, 4, "GGUF", "a GGUF network"},
    {0, 4, "%PDF", "a PDF document"},
    {0, 35, "version https://git-lfs.github.com/", "a Git LFS pointer, not the file itself"},
};

static bool
begins_without_case (const char *text, size_t size, const char *with)
{
  return size >= strlen (with) && g_ascii_strncasecmp (text, with, strlen (with)) == 0;
}

/* Letters and line ends from the start on. */
static bool
is_text (const char *text, size_t size)
{
  size = MIN (size, MAX_TEXT);
  for (size_t i = 0; i < size; i++)
    if (!g_ascii_isprint (text[i]) && !g_ascii_isspace (text[i]))
      return false;
  return size >= MIN_TEXT;
}

const char *
sl_onnx_guess (const void *data, size_t size)
{
  const char *text = data;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (size >= kinds[i].offset + kinds[i].length &&
        memcmp (text + kinds[i].offset, kinds[i].magic, kinds[i].length) == 0)
      return kinds[i].name;
  if (begins_without_case (text, size, "<!doctype html") ||
      begins_without_case (text, size, "<html"))
    return "an HTML page";
  return is_text (text, size) ? "text" : NULL;
}
