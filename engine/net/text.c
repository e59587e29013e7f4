#include "net/text.h"

#include <string.h>

/* Larger texts are mistakes. */
#define MAX_TEXT (1 << 20)
/* What some editors put in front. */
#define MARK "\xef\xbb\xbf"

void
sl_net_error (GError **error, SlErrorCode code, const SlNetWord *at, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, SL_ERROR, code, "%u:%u: %s", at->line, at->column, text);
}

void
sl_net_word_clear (void *word)
{
  g_free (((SlNetWord *)word)->text);
}

static void
line_clear (void *line)
{
  g_array_unref (((SlNetLine *)line)->words);
}

static bool
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

/* The words of one line, NUL-terminated here. FALSE on a character that no text has. */
static GArray *
split (const char *text, size_t length, uint32_t number, GError **error)
{
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (SlNetWord));
  g_array_set_clear_func (words, sl_net_word_clear);
  uint32_t column = 1;
  SlNetWord word = {.line = number};
  for (size_t at = 0; at < length && text[at] != '#';) {
    size_t begin = at;
    word.column = column;
    for (; at < length && !is_space (text[at]) && text[at] != '#'; at++) {
      if (g_ascii_iscntrl (text[at])) {
        word.column = column;
        sl_net_error (error, SL_ERROR_MALFORMED, &word, "a control character (expected text)");
        return NULL;
      }
      column += ((uint8_t)text[at] & 0xc0) != 0x80;
    }
    if (at - begin > SL_NET_MAX_WORD) {
      sl_net_error (error, SL_ERROR_LIMIT, &word, "a word of %zu bytes (limit is %d)", at - begin,
                    SL_NET_MAX_WORD);
      return NULL;
    }
    if (at > begin) {
      word.text = g_strndup (text + begin, at - begin);
      g_array_append_val (words, word);
    } else {
      at++;
      column++;
    }
  }
  return g_steal_pointer (&words);
}

static const SlNetWord *
word_of (const SlNetLine *line, uint32_t index)
{
  return &g_array_index (line->words, SlNetWord, index);
}

/* Takes "{" and "}" off the words. */
static gboolean
note_braces (SlNetLine *line, GError **error)
{
  const uint32_t n = line->words->len;
  for (uint32_t i = 0; i < n; i++) {
    const SlNetWord *word = word_of (line, i);
    const bool opens = strcmp (word->text, "{") == 0, closes = strcmp (word->text, "}") == 0;
    if ((opens && (i == 0 || i != n - 1)) || (closes && n > 1)) {
      sl_net_error (error, SL_ERROR_MALFORMED, word, "'%s' (expected %s)", word->text,
                    opens ? "it at the end of a repeat or block line" : "it on a line of its own");
      return FALSE;
    }
    line->opens = line->opens || opens;
    line->closes = line->closes || closes;
  }
  if (line->opens)
    g_array_set_size (line->words, n - 1);
  return TRUE;
}

static gboolean
pair_braces (GArray *lines, GError **error)
{
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  for (uint32_t i = 0; i < lines->len; i++) {
    const SlNetLine *line = &g_array_index (lines, SlNetLine, i);
    if (line->opens)
      g_array_append_val (open, i);
    if (!line->closes)
      continue;
    if (open->len == 0) {
      sl_net_error (error, SL_ERROR_MALFORMED, word_of (line, 0), "'}' without a '{' before it");
      return FALSE;
    }
    const uint32_t begin = g_array_index (open, uint32_t, open->len - 1);
    g_array_index (lines, SlNetLine, begin).behind = i;
    g_array_set_size (open, open->len - 1);
  }
  if (open->len == 0)
    return TRUE;
  const SlNetLine *line =
      &g_array_index (lines, SlNetLine, g_array_index (open, uint32_t, open->len - 1));
  sl_net_error (error, SL_ERROR_MALFORMED, word_of (line, 0),
                "its '{' is never closed (expected a line with '}')");
  return FALSE;
}

static gboolean
check_text (const char *data, size_t size, GError **error)
{
  if (size > MAX_TEXT) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT, "has %zu bytes (limit of a network text is %d)",
                 size, MAX_TEXT);
    return FALSE;
  }
  if (memchr (data, '\0', size) == NULL && g_utf8_validate (data, (gssize)size, NULL))
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
               "is no text in UTF-8 (expected a network text)");
  return FALSE;
}

GArray *
sl_net_text_parse (const char *data, size_t size, GError **error)
{
  if (size > 0 && !check_text (data, size, error))
    return NULL;
  if (size >= strlen (MARK) && memcmp (data, MARK, strlen (MARK)) == 0) {
    data += strlen (MARK);
    size -= strlen (MARK);
  }
  g_autoptr (GArray) lines = g_array_new (FALSE, FALSE, sizeof (SlNetLine));
  g_array_set_clear_func (lines, line_clear);
  uint32_t number = 1;
  for (size_t at = 0; at < size; number++) {
    const char *end = memchr (data + at, '\n', size - at);
    const size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
    SlNetLine line = {.words = split (data + at, length, number, error)};
    if (line.words == NULL)
      return NULL;
    at += length + 1;
    const bool is_empty = line.words->len == 0;
    const gboolean ok = is_empty || note_braces (&line, error);
    if (!ok || is_empty)
      g_array_unref (line.words);
    else
      g_array_append_val (lines, line);
    if (!ok)
      return NULL;
  }
  return pair_braces (lines, error) ? g_steal_pointer (&lines) : NULL;
}
