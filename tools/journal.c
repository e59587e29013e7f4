#include "journal.h"

#include "report.h"

#include <sightline/error.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LINE "sightline progress 1"
#define SYNC_INTERVAL G_USEC_PER_SEC
#define MAX_JOURNAL (256 << 20)
#define COPY_PIECE 65536

/* One line: the next `bytes` of the rows. */
typedef struct {
  guint64 bytes;
  char *source; /* "": the header; NULL: rows that are worth nothing */
  SlOutcome outcome;
  ToolStamp stamp;
} Entry;

struct ToolJournal {
  char *path, *file; /* of the output, and of the journal */
  ToolOutput *output;
  int fd;
  GHashTable *done; /* source to Entry */
  GString *late;    /* lines that are not written yet */
  gint64 synced;    /* when they last were */
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_free (entry->source);
  g_free (entry);
}

static gboolean
fail (const char *file, int code, GError **error)
{
  g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: cannot be written: %s", file, g_strerror (code));
  return FALSE;
}

ToolStamp
tool_stamp_take (const char *source)
{
  GStatBuf status;
  if (g_stat (source, &status) != 0)
    return (ToolStamp){0, 0};
  return (ToolStamp){(guint64)status.st_size, (gint64)status.st_mtim.tv_sec * G_USEC_PER_SEC +
                                                  status.st_mtim.tv_nsec / 1000};
}

/* --- lines --- */

static void
append_line (GString *out, const Entry *entry)
{
  g_autofree char *name = g_strescape (entry->source ? entry->source : "", NULL);
  g_string_append_printf (
      out, "%s %" G_GUINT64_FORMAT " %s %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %s\n",
      entry->source ? "done" : "lost", entry->bytes, sl_outcome_get_name (entry->outcome),
      entry->stamp.size, entry->stamp.time, name);
}

/* NULL if it is none. */
static Entry *
parse_line (const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 6);
  guint64 bytes, size;
  gint64 time;
  guint outcome = 0;
  if (g_strv_length (words) != 6 ||
      !g_ascii_string_to_unsigned (words[1], 10, 0, G_MAXINT64, &bytes, NULL) ||
      !g_ascii_string_to_unsigned (words[3], 10, 0, G_MAXUINT64, &size, NULL) ||
      !g_ascii_string_to_signed (words[4], 10, G_MININT64, G_MAXINT64, &time, NULL))
    return NULL;
  while (outcome <= SL_OUTCOME_FAILED &&
         strcmp (words[2], sl_outcome_get_name ((SlOutcome)outcome)) != 0)
    outcome++;
  if (outcome > SL_OUTCOME_FAILED)
    return NULL;
  Entry *entry = g_new0 (Entry, 1);
  entry->bytes = bytes;
  entry->outcome = (SlOutcome)outcome;
  entry->stamp = (ToolStamp){size, time};
  entry->source = strcmp (words[0], "done") == 0 ? g_strcompress (words[5]) : NULL;
  return entry;
}

/* An earlier run's journal. */
typedef struct {
  char *rows; /* name of the hidden file; the run's output itself once the run was through */
  char *settings;
  GPtrArray *entries;
} Earlier;

static void
earlier_clear (Earlier *earlier)
{
  g_free (earlier->rows);
  g_free (earlier->settings);
  if (earlier->entries)
    g_ptr_array_unref (earlier->entries);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Earlier, earlier_clear)

/* FALSE if there is none. */
static gboolean
read_earlier (ToolJournal *journal, Earlier *ret)
{
  g_autofree char *text = NULL;
  GStatBuf status;
  if (g_stat (journal->file, &status) != 0 || status.st_size > MAX_JOURNAL ||
      !g_file_get_contents (journal->file, &text, NULL, NULL))
    return FALSE;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  if (g_strv_length (lines) < 4 || strcmp (lines[0], FIRST_LINE) != 0)
    return FALSE;
  g_autofree char *folder = g_path_get_dirname (journal->path);
  g_autofree char *name = g_path_get_basename (journal->path);
  /* It will be removed: nothing but what tool_output_open() makes. */
  if (lines[1][0] != '.' || strchr (lines[1], G_DIR_SEPARATOR) ||
      !g_str_has_suffix (lines[1], name))
    return FALSE;
  ret->rows = g_build_filename (folder, lines[1], NULL);
  ret->settings = g_strdup (lines[2]);
  ret->entries = g_ptr_array_new_with_free_func (entry_free);
  /* What is behind the last line feed is no line. */
  for (guint i = 3; lines[i + 1]; i++) {
    Entry *entry = parse_line (lines[i]);
    if (!entry)
      break;
    g_ptr_array_add (ret->entries, entry);
  }
  return TRUE;
}

/* --- taking over --- */

static gboolean
copy_bytes (ToolOutput *output, int fd, guint64 bytes, const char *from, GError **error)
{
  g_autoptr (GString) piece = g_string_sized_new (COPY_PIECE);
  while (bytes > 0) {
    gssize n = read (fd, piece->str, (gsize)MIN (bytes, COPY_PIECE));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: cannot be read: %s", from,
                   n < 0 ? g_strerror (errno) : "it has become shorter");
      return FALSE;
    }
    piece->len = (gsize)n;
    bytes -= (guint64)n;
    if (!tool_output_write (output, piece, error))
      return FALSE;
  }
  return TRUE;
}

/* Whether the entry's rows hold for the input as it is now. If that is gone, they are all there is.
 */
static gboolean
is_current (const Entry *entry)
{
  if (!entry->source || entry->outcome == SL_OUTCOME_FAILED)
    return FALSE;
  ToolStamp now = tool_stamp_take (entry->source);
  return now.time == 0 || (now.size == entry->stamp.size && now.time == entry->stamp.time);
}

static guint64
sum_bytes (const GPtrArray *entries)
{
  guint64 sum = 0;
  for (guint i = 0; i < entries->len; i++)
    sum += ((const Entry *)g_ptr_array_index (entries, i))->bytes;
  return sum;
}

/* Rows of the entries that still hold go to the new output, and the entries to `done`. */
static gboolean
copy_rows (ToolJournal *journal, Earlier *earlier, int fd, guint64 size, const char *from,
           GString *lines, GError **error)
{
  guint64 offset = 0;
  for (guint i = 0; i < earlier->entries->len; i++) {
    Entry *entry = g_ptr_array_index (earlier->entries, i);
    guint64 start = offset;
    if (entry->bytes > size - offset)
      break;
    offset += entry->bytes;
    if (!is_current (entry) || g_hash_table_contains (journal->done, entry->source))
      continue;
    if (lseek (fd, (off_t)start, SEEK_SET) < 0 ||
        !copy_bytes (journal->output, fd, entry->bytes, from, error))
      return FALSE;
    append_line (lines, entry);
    Entry *mine = g_memdup2 (entry, sizeof *entry);
    mine->source = g_strdup (entry->source);
    g_hash_table_insert (journal->done, mine->source, mine);
  }
  return TRUE;
}

static gboolean
take_over (ToolJournal *journal, Earlier *earlier, GString *lines, GError **error)
{
  GStatBuf status;
  gboolean through = !g_file_test (earlier->rows, G_FILE_TEST_EXISTS);
  const char *from = through ? journal->path : earlier->rows;
  int fd = g_open (from, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0 || fstat (fd, &status) != 0 ||
      (through && (guint64)status.st_size != sum_bytes (earlier->entries))) {
    tool_note ("%s: not what the last run left, so all inputs are done anew", journal->path);
    if (fd >= 0)
      close (fd);
    return TRUE;
  }
  gboolean good = copy_rows (journal, earlier, fd, (guint64)status.st_size, from, lines, error);
  close (fd);
  return good;
}

/* --- the journal --- */

/* Replaces the journal that may be there. */
static gboolean
begin (ToolJournal *journal, const char *settings, const GString *lines, GError **error)
{
  g_autofree char *rows = g_path_get_basename (tool_output_get_temporary (journal->output));
  g_autofree char *text =
      g_strdup_printf ("%s\n%s\n%s\n%s", FIRST_LINE, rows, settings, lines->str);
  if (!tool_output_sync (journal->output, error))
    return FALSE;
  if (!g_file_set_contents_full (journal->file, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666,
                                 error))
    return FALSE;
  journal->fd = g_open (journal->file, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
  return journal->fd >= 0 || fail (journal->file, errno, error);
}

ToolJournal *
tool_journal_new (ToolOutput *output, const char *settings, gboolean resume, GError **error)
{
  g_auto (Earlier) earlier = {0};
  g_autoptr (GString) lines = g_string_new (NULL);
  ToolJournal *journal = g_new0 (ToolJournal, 1);
  const char *path = tool_output_get_path (output);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *hidden = g_strdup_printf (".%s.progress", name);
  journal->path = g_strdup (path);
  journal->file = g_build_filename (folder, hidden, NULL);
  journal->output = output;
  journal->fd = -1;
  journal->done = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  journal->late = g_string_new (NULL);

  gboolean good = TRUE, there = read_earlier (journal, &earlier);
  if (there && tool_output_is_busy (earlier.rows)) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO,
                 "%s: another run is writing it (expected that to end first)", path);
    good = FALSE;
  } else if (resume && there && strcmp (earlier.settings, settings) != 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: made with other options or another network (expected the same, or no "
                 "--resume)",
                 path);
    good = FALSE;
  } else if (resume && there) {
    good = take_over (journal, &earlier, lines, error);
  } else if (resume && g_file_test (path, G_FILE_TEST_EXISTS)) {
    tool_note ("%s: no record of what is done in it, so all inputs are done anew", path);
  }
  if (!good || !begin (journal, settings, lines, error)) {
    tool_journal_free (journal, TRUE);
    return NULL;
  }
  if (there)
    g_unlink (earlier.rows);
  return journal;
}

gboolean
tool_journal_find (ToolJournal *journal, const char *source, SlOutcome *ret_outcome)
{
  const Entry *entry = g_hash_table_lookup (journal->done, source);
  if (entry && ret_outcome)
    *ret_outcome = entry->outcome;
  return entry != NULL;
}

gboolean
tool_journal_flush (ToolJournal *journal, gboolean now, GError **error)
{
  if (journal->late->len == 0 ||
      (!now && g_get_monotonic_time () - journal->synced < SYNC_INTERVAL))
    return TRUE;
  if (!tool_output_sync (journal->output, error))
    return FALSE;
  /* A line that is torn by a full disk is the last one: nothing is appended after an error. */
  gssize n;
  do
    n = write (journal->fd, journal->late->str, journal->late->len);
  while (n < 0 && errno == EINTR);
  if (n != (gssize)journal->late->len || fdatasync (journal->fd) != 0)
    return fail (journal->file, n < 0 ? errno : ENOSPC, error);
  g_string_truncate (journal->late, 0);
  journal->synced = g_get_monotonic_time ();
  return TRUE;
}

gboolean
tool_journal_add (ToolJournal *journal, const char *source, ToolStamp stamp, SlOutcome outcome,
                  guint64 bytes, GError **error)
{
  Entry *entry = g_new0 (Entry, 1);
  entry->bytes = bytes;
  entry->source = g_strdup (source);
  entry->outcome = outcome;
  entry->stamp = stamp;
  append_line (journal->late, entry);
  if (source && outcome != SL_OUTCOME_FAILED)
    g_hash_table_replace (journal->done, entry->source, entry);
  else
    entry_free (entry);
  return tool_journal_flush (journal, FALSE, error);
}

guint
tool_journal_get_n_done (ToolJournal *journal)
{
  guint n = g_hash_table_size (journal->done);
  return g_hash_table_contains (journal->done, "") ? n - 1 : n;
}

void
tool_journal_free (ToolJournal *journal, gboolean keep)
{
  if (!journal)
    return;
  if (journal->fd >= 0)
    close (journal->fd);
  if (!keep)
    g_unlink (journal->file);
  g_hash_table_unref (journal->done);
  g_string_free (journal->late, TRUE);
  g_free (journal->path);
  g_free (journal->file);
  g_free (journal);
}
