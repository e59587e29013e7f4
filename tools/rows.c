#include "rows.h"

#include "report.h"
#include "stop.h"

/* Rows that wait for their turn, all inputs together, before those who make more have to wait. */
#define MAX_WAITING (64u << 20)
/* How long a wait lasts before Ctrl-C is looked at. */
#define POLL_INTERVAL (G_USEC_PER_SEC / 10)

typedef struct {
  GString *waiting; /* NULL: nothing */
  gboolean ended;
  char *source;
  ToolStamp stamp;
  SlOutcome outcome;
} Input;

struct ToolRows {
  ToolOutput *output;
  ToolJournal *journal;
  gboolean ordered;
  guint n;

  GMutex lock; /* of all below, and of the output and the journal */
  GCond moved; /* head went on, or less is waiting */
  guint head;  /* the input whose turn it is */
  gsize waiting;
  guint64 written; /* bytes of the head's rows */
  gboolean broken;
  Input *inputs;
};

ToolRows *
tool_rows_new (ToolOutput *output, ToolJournal *journal, guint n, gboolean ordered)
{
  ToolRows *rows = g_new0 (ToolRows, 1);
  rows->output = output;
  rows->journal = journal;
  rows->ordered = ordered;
  rows->n = n;
  rows->inputs = g_new0 (Input, n);
  g_mutex_init (&rows->lock);
  g_cond_init (&rows->moved);
  return rows;
}

void
tool_rows_free (ToolRows *rows)
{
  if (!rows)
    return;
  for (guint i = 0; i < rows->n; i++) {
    if (rows->inputs[i].waiting)
      g_string_free (rows->inputs[i].waiting, TRUE);
    g_free (rows->inputs[i].source);
  }
  g_free (rows->inputs);
  g_mutex_clear (&rows->lock);
  g_cond_clear (&rows->moved);
  g_free (rows);
}

/* Says once what is wrong with the output. */
static void
take_error (ToolRows *rows, const GError *error)
{
  if (!rows->broken)
    tool_gerror (NULL, error);
  rows->broken = TRUE;
  g_cond_broadcast (&rows->moved);
}

static void
put (ToolRows *rows, GString *text)
{
  g_autoptr (GError) error = NULL;
  rows->written += text->len;
  if (!rows->broken && !tool_output_write (rows->output, text, &error))
    take_error (rows, error);
  g_string_truncate (text, 0);
}

/* The head is through: the next one's rows follow, and perhaps it is through already. */
static void
advance (ToolRows *rows)
{
  while (rows->head < rows->n && rows->inputs[rows->head].ended) {
    g_autoptr (GError) error = NULL;
    Input *input = &rows->inputs[rows->head++];
    if (rows->journal && !rows->broken &&
        !tool_journal_add (rows->journal, input->source, input->stamp, input->outcome,
                           rows->written, &error))
      take_error (rows, error);
    rows->written = 0;
    if (rows->head < rows->n && rows->inputs[rows->head].waiting) {
      GString *text = g_steal_pointer (&rows->inputs[rows->head].waiting);
      rows->waiting -= text->len;
      put (rows, text);
      g_string_free (text, TRUE);
    }
  }
  g_cond_broadcast (&rows->moved);
}

gboolean
tool_rows_write (ToolRows *rows, guint input, GString *text)
{
  g_mutex_lock (&rows->lock);
  while (rows->ordered && input != rows->head && rows->waiting >= MAX_WAITING && !rows->broken &&
         !tool_stop_requested ())
    g_cond_wait_until (&rows->moved, &rows->lock, g_get_monotonic_time () + POLL_INTERVAL);
  if (!rows->ordered || input == rows->head) {
    put (rows, text);
  } else {
    Input *self = &rows->inputs[input];
    if (!self->waiting)
      self->waiting = g_string_new (NULL);
    rows->waiting += text->len;
    g_string_append_len (self->waiting, text->str, (gssize)text->len);
    g_string_truncate (text, 0);
  }
  gboolean good = !rows->broken;
  g_mutex_unlock (&rows->lock);
  return good;
}

void
tool_rows_end (ToolRows *rows, guint input, const char *source, ToolStamp stamp, SlOutcome outcome)
{
  g_mutex_lock (&rows->lock);
  rows->inputs[input].source = g_strdup (source);
  rows->inputs[input].stamp = stamp;
  rows->inputs[input].outcome = outcome;
  rows->inputs[input].ended = TRUE;
  advance (rows);
  g_mutex_unlock (&rows->lock);
}

void
tool_rows_tick (ToolRows *rows)
{
  g_autoptr (GError) error = NULL;
  g_mutex_lock (&rows->lock);
  if (rows->journal && !rows->broken && !tool_journal_flush (rows->journal, FALSE, &error))
    take_error (rows, error);
  g_mutex_unlock (&rows->lock);
}

gboolean
tool_rows_write_header (ToolRows *rows, GString *text)
{
  g_autoptr (GError) error = NULL;
  g_mutex_lock (&rows->lock);
  put (rows, text);
  if (rows->journal && !rows->broken &&
      !tool_journal_add (rows->journal, "", (ToolStamp){0}, SL_OUTCOME_WHOLE, rows->written,
                         &error))
    take_error (rows, error);
  rows->written = 0;
  gboolean good = !rows->broken;
  g_mutex_unlock (&rows->lock);
  return good;
}

gboolean
tool_rows_is_broken (ToolRows *rows)
{
  g_mutex_lock (&rows->lock);
  gboolean broken = rows->broken;
  g_mutex_unlock (&rows->lock);
  return broken;
}
