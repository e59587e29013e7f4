#include "onnx/labels.h"

#include "core/file.h"

#include <sightline/metadata.h>

#include <stdbool.h>
#include <string.h>

#define MAX_LABELS 1000000
#define MAX_LINE 4096
#define MAX_FILE_BYTES (64 << 20)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define SYNSET_DIGITS 8

static gboolean
fail (GError **error, SlErrorCode code, const char *name, size_t line, const char *what)
{
  g_set_error (error, SL_ERROR, code, "%s: line %zu %s", name, line, what);
  return FALSE;
}

static bool
has_control (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (g_unichar_iscntrl (g_utf8_get_char (text)))
      return true;
  return false;
}

/* "n01440764 tench, Tinca tinca" names a WordNet synset: its first word is the label. */
static void
cut_synset (char *label)
{
  if (label[0] != 'n')
    return;
  for (int i = 1; i <= SYNSET_DIGITS; i++)
    if (!g_ascii_isdigit (label[i]))
      return;
  char *rest = label + 1 + SYNSET_DIGITS;
  if (*rest != ' ' && *rest != '\t')
    return;
  char *comma = strchr (rest, ',');
  if (comma != NULL)
    *comma = '\0';
  memmove (label, rest, strlen (rest) + 1);
}

/* One line, without its end, as a label. NULL with the error set. */
static char *
parse_line (const char *text, size_t length, const char *name, size_t line, GError **error)
{
  if (length > MAX_LINE) {
    fail (error, SL_ERROR_LIMIT, name, line, "is longer than a label may be (limit is 4096 bytes)");
    return NULL;
  }
  if (!g_utf8_validate_len (text, length, NULL)) {
    fail (error, SL_ERROR_MALFORMED, name, line, "is not text (expected UTF-8)");
    return NULL;
  }
  g_autofree char *label = g_strndup (text, length);
  cut_synset (g_strstrip (label));
  g_strstrip (label);
  if (label[0] == '\0' || has_control (label)) {
    fail (error, SL_ERROR_MALFORMED, name, line,
          label[0] == '\0' ? "is empty (expected a label)" : "holds a control character");
    return NULL;
  }
  return g_steal_pointer (&label);
}

char **
sl_labels_parse (const char *text, size_t size, const char *name, uint32_t *ret_n, GError **error)
{
  if (size >= strlen (BYTE_ORDER_MARK) &&
      memcmp (text, BYTE_ORDER_MARK, strlen (BYTE_ORDER_MARK)) == 0) {
    text += strlen (BYTE_ORDER_MARK);
    size -= strlen (BYTE_ORDER_MARK);
  }
  while (size > 0 && g_ascii_isspace (text[size - 1]))
    size--;
  if (size == 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "%s: holds no labels", name);
    return NULL;
  }

  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  for (const char *end = text + size; text < end;) {
    const char *next = memchr (text, '\n', (size_t)(end - text));
    const size_t length = (size_t)((next != NULL ? next : end) - text);
    if (labels->len == MAX_LABELS) {
      fail (error, SL_ERROR_LIMIT, name, MAX_LABELS + 1, "is one too many (limit is 1000000)");
      return NULL;
    }
    char *label = parse_line (text, length, name, labels->len + 1, error);
    if (label == NULL)
      return NULL;
    g_ptr_array_add (labels, label);
    text = next != NULL ? next + 1 : end;
  }
  *ret_n = labels->len;
  g_ptr_array_add (labels, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&labels), FALSE);
}

char **
sl_labels_read (const char *path, uint32_t *ret_n, GError **error)
{
  g_return_val_if_fail (path != NULL && ret_n != NULL, NULL);

  g_autoptr (GBytes) bytes = sl_file_read (path, MAX_FILE_BYTES, error);
  if (bytes == NULL)
    return NULL;
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  return sl_labels_parse (text, size, path, ret_n, error);
}
