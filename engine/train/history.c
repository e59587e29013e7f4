#include <sightline/history.h>

#include "core/file.h"
#include "core/text.h"
#include "train/number.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE_BYTES ((guint64)256 << 20)

struct SlHistory {
  GArray *epochs; /* SlEpoch */
};

/* How a field is called in the file, and where it is. */
static const struct {
  const char *name;
  enum { INTEGER, NUMBER, TRUTH } type;
  size_t offset;
} fields[] = {
    {"epoch", INTEGER, offsetof (SlEpoch, epoch)},
    {"step", INTEGER, offsetof (SlEpoch, step)},
    {"loss", NUMBER, offsetof (SlEpoch, loss)},
    {"accuracy", NUMBER, offsetof (SlEpoch, accuracy)},
    {"val_loss", NUMBER, offsetof (SlEpoch, val_loss)},
    {"val_accuracy", NUMBER, offsetof (SlEpoch, val_accuracy)},
    {"rate", NUMBER, offsetof (SlEpoch, rate)},
    {"seconds", NUMBER, offsetof (SlEpoch, seconds)},
    {"images_per_second", NUMBER, offsetof (SlEpoch, images_per_second)},
    {"waiting", NUMBER, offsetof (SlEpoch, waiting)},
    {"best", TRUTH, offsetof (SlEpoch, best)},
};

SlHistory *
sl_history_new (void)
{
  SlHistory *history = g_new (SlHistory, 1);
  history->epochs = g_array_new (FALSE, FALSE, sizeof (SlEpoch));
  return history;
}

void
sl_history_free (SlHistory *history)
{
  if (!history)
    return;
  g_array_unref (history->epochs);
  g_free (history);
}

void
sl_history_add (SlHistory *history, const SlEpoch *epoch)
{
  g_return_if_fail (history && epoch);
  g_array_append_val (history->epochs, *epoch);
}

guint
sl_history_get_n (const SlHistory *history)
{
  g_return_val_if_fail (history, 0);
  return history->epochs->len;
}

const SlEpoch *
sl_history_get (const SlHistory *history, guint index)
{
  g_return_val_if_fail (history && index < history->epochs->len, NULL);
  return &g_array_index (history->epochs, SlEpoch, index);
}

/* --- writing --- */

static void
append_line (GString *text, const SlEpoch *epoch)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  char separator = '{';
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    const void *place = (const char *)epoch + fields[i].offset;
    if (fields[i].type == NUMBER && !isfinite (*(const double *)place))
      continue;
    g_string_append_printf (text, "%c\"%s\":", separator, fields[i].name);
    separator = ',';
    if (fields[i].type == INTEGER)
      g_string_append_printf (text, "%" G_GINT64_FORMAT, *(const gint64 *)place);
    else if (fields[i].type == NUMBER)
      g_string_append (text, sl_number_format (*(const double *)place, number));
    else
      g_string_append (text, *(const gboolean *)place ? "true" : "false");
  }
  g_string_append (text, "}\n");
}

char *
sl_history_to_text (const SlHistory *history)
{
  g_return_val_if_fail (history, NULL);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < history->epochs->len; i++)
    append_line (text, &g_array_index (history->epochs, SlEpoch, i));
  return g_string_free (text, FALSE);
}

gboolean
sl_history_save (const SlHistory *history, const char *path, GError **error)
{
  g_autofree char *text = sl_history_to_text (history);
  return sl_file_write (path, text, strlen (text), error);
}

/* Length of the file up to its last line feed. -1 with errno set. */
static off_t
find_end (int fd)
{
  char block[4096];
  for (off_t at = lseek (fd, 0, SEEK_END); at > 0;) {
    size_t n = (size_t)MIN (at, (off_t)sizeof block);
    if (pread (fd, block, n, at - (off_t)n) != (ssize_t)n)
      return -1;
    const char *feed = memrchr (block, '\n', n);
    at -= (off_t)n;
    if (feed)
      return at + (feed - block) + 1;
  }
  return 0;
}

static bool
append_to (int fd, const GString *line)
{
  off_t end = find_end (fd);
  if (end < 0 || ftruncate (fd, end) < 0)
    return false;
  for (gsize done = 0; done < line->len;) {
    ssize_t n = pwrite (fd, line->str + done, line->len - done, end + (off_t)done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      int saved = errno;
      /* Half a line helps nobody; a reader leaves it out if even this fails. */
      if (ftruncate (fd, end) < 0)
        (void)0;
      errno = saved;
      return false;
    }
    done += (gsize)n;
  }
  return fsync (fd) == 0;
}

gboolean
sl_history_append (const char *path, const SlEpoch *epoch, GError **error)
{
  g_return_val_if_fail (path && epoch, FALSE);

  g_autoptr (GString) line = g_string_new (NULL);
  append_line (line, epoch);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  bool good = fd >= 0 && append_to (fd, line);
  int saved = errno;
  if (fd >= 0 && close (fd) < 0 && good) {
    saved = errno;
    good = false;
  }
  if (good)
    return TRUE;
  g_autofree char *shown = sl_text_on_one_line (path);
  g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: cannot be written: %s", shown,
               g_strerror (saved));
  return FALSE;
}

/* --- reading: objects of numbers, strings, true, false and null --- */

static const char *
skip_space (const char *at)
{
  while (*at == ' ' || *at == '\t' || *at == '\r')
    at++;
  return at;
}

/* Behind a string's end; NULL if it has none. *ret holds its raw content, free with g_free(). */
static const char *
read_string (const char *at, char **ret)
{
  const char *start = ++at;
  for (; *at && *at != '"'; at++)
    if (*at == '\\' && *++at == '\0')
      return NULL;
  if (!*at)
    return NULL;
  *ret = g_strndup (start, (gsize)(at - start));
  return at + 1;
}

/* Reads a value into *ret (NaN for null and strings; truth is 0 or 1). */
static const char *
read_value (const char *at, double *ret)
{
  static const struct {
    const char *word;
    double value;
  } words[] = {{"true", 1}, {"false", 0}, {"null", NAN}};
  g_autofree char *text = NULL;
  char *end;
  *ret = NAN;
  if (*at == '"')
    return read_string (at, &text);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (at, words[i].word)) {
      *ret = words[i].value;
      return at + strlen (words[i].word);
    }
  if (*at != '-' && !g_ascii_isdigit (*at))
    return NULL;
  *ret = g_ascii_strtod (at, &end);
  return end > at && isfinite (*ret) ? end : NULL;
}

static bool
store (SlEpoch *epoch, const char *name, double value)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    void *place = (char *)epoch + fields[i].offset;
    if (strcmp (fields[i].name, name) != 0)
      continue;
    if (fields[i].type == NUMBER)
      *(double *)place = value;
    else if (fields[i].type == TRUTH)
      *(gboolean *)place = value == 1;
    else if (!(value >= 0 && value <= 9e15 && value == floor (value)))
      return false;
    else
      *(gint64 *)place = (gint64)value;
  }
  return true;
}

static bool
parse_line (const char *at, SlEpoch *ret)
{
  *ret = (SlEpoch){0};
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (fields[i].type == NUMBER)
      store (ret, fields[i].name, NAN);
  at = skip_space (at);
  if (*at != '{')
    return false;
  do {
    g_autofree char *name = NULL;
    double value;
    at = skip_space (at + 1);
    if (*at != '"' || !(at = read_string (at, &name)))
      return false;
    at = skip_space (at);
    if (*at != ':' || !(at = read_value (skip_space (at + 1), &value)) || !store (ret, name, value))
      return false;
    at = skip_space (at);
  } while (*at == ',');
  return *at == '}' && *skip_space (at + 1) == '\0' && ret->epoch > 0;
}

SlHistory *
sl_history_parse (const char *text, gsize length, const char *name, GError **error)
{
  g_return_val_if_fail (text && name, NULL);

  g_autoptr (SlHistory) history = sl_history_new ();
  const char *end = text + length;
  guint number = 1;
  for (const char *at = text, *feed; (feed = memchr (at, '\n', (gsize)(end - at))) != NULL;
       at = feed + 1, number++) {
    SlEpoch epoch;
    g_autofree char *line = g_strndup (at, (gsize)(feed - at));
    if (!parse_line (line, &epoch)) {
      g_autofree char *shown = sl_text_on_one_line (name);
      g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                   "%s: line %u is no epoch (expected {\"epoch\":1,\"loss\":0.5,…})", shown,
                   number);
      return NULL;
    }
    sl_history_add (history, &epoch);
  }
  return g_steal_pointer (&history);
}

SlHistory *
sl_history_load (const char *path, GError **error)
{
  g_return_val_if_fail (path, NULL);
  gsize length;
  g_autoptr (GBytes) bytes = sl_file_read (path, MAX_FILE_BYTES, error);
  if (!bytes)
    return NULL;
  const char *text = g_bytes_get_data (bytes, &length);
  return sl_history_parse (text ? text : "", length, path, error);
}
