#include "gstslrowwriter.h"

#include <pthread.h>
#include <signal.h>
#include <sightline/error.h>

typedef struct {
  GString *text;
  gboolean counts; /* a row, not what stands before them */
} Piece;

struct GstSlRowWriter {
  GstSlOutput *output;
  gsize max_bytes;
  GstSlRowErrorFunc failed;
  gpointer data;
  GThread *thread;

  GMutex lock;
  GCond changed; /* everything below */
  GQueue queue;  /* of Piece */
  GstSlRowStats stats;
  gboolean writing; /* the thread has a piece that is no longer in the queue */
  gboolean reported;
  gboolean broken; /* the output is of no use any more */
  gboolean flushing, stopping;
};

static void
piece_free (Piece *piece)
{
  g_string_free (piece->text, TRUE);
  g_free (piece);
}

/* --- The thread --- */

/* Under the lock. */
static void
refuse_all (GstSlRowWriter *self)
{
  Piece *piece;

  while ((piece = g_queue_pop_head (&self->queue))) {
    self->stats.refused += piece->counts ? 1 : 0;
    self->stats.queued -= piece->text->len;
    piece_free (piece);
  }
}

/* Under the lock, which it gives up while it reports. */
static void
take_error (GstSlRowWriter *self, const GError *error)
{
  gboolean report = !self->reported;

  if (g_error_matches (error, SL_ERROR, SL_ERROR_CANCELLED))
    return;
  self->stats.errors++;
  self->reported = TRUE;
  /* There may be room again later; a reader who has gone does not come back. */
  if (!g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT)) {
    self->broken = TRUE;
    refuse_all (self);
  }
  if (!report)
    return;
  g_mutex_unlock (&self->lock);
  self->failed (self->data, error);
  g_mutex_lock (&self->lock);
}

/* Under the lock. */
static void
write_piece (GstSlRowWriter *self, Piece *piece)
{
  g_autoptr (GError) error = NULL;
  gboolean good;

  self->writing = TRUE;
  g_mutex_unlock (&self->lock);
  good = gst_sl_output_write (self->output, piece->text->str, piece->text->len, &error);
  g_mutex_lock (&self->lock);
  self->stats.queued -= piece->text->len;
  if (good) {
    self->stats.rows += piece->counts ? 1 : 0;
    self->stats.bytes += piece->counts ? piece->text->len : 0;
    self->reported = FALSE;
  } else {
    self->stats.refused += piece->counts ? 1 : 0;
    take_error (self, error);
  }
  self->writing = FALSE;
}

static gpointer
write_rows (gpointer data)
{
  GstSlRowWriter *self = data;
  Piece *piece;
  sigset_t signals;

  /* A reader who left and a file that may not grow are errors, not the end of the process. */
  sigemptyset (&signals);
  sigaddset (&signals, SIGPIPE);
  sigaddset (&signals, SIGXFSZ);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);

  g_mutex_lock (&self->lock);
  while (!self->stopping) {
    piece = g_queue_pop_head (&self->queue);
    if (!piece) {
      g_cond_wait (&self->changed, &self->lock);
      continue;
    }
    write_piece (self, piece);
    piece_free (piece);
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* --- From outside --- */

GstSlRowWriter *
gst_sl_row_writer_new (GstSlOutput *output, gsize max_bytes, GstSlRowErrorFunc failed,
                       gpointer data, GError **error)
{
  GstSlRowWriter *self = g_new0 (GstSlRowWriter, 1);

  self->output = output;
  self->max_bytes = max_bytes;
  self->failed = failed;
  self->data = data;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->thread = g_thread_try_new ("sl-rows", write_rows, self, error);
  if (!self->thread)
    g_clear_pointer (&self, gst_sl_row_writer_free);
  return self;
}

void
gst_sl_row_writer_free (GstSlRowWriter *self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  gst_sl_output_interrupt (self->output, TRUE);
  if (self->thread)
    g_thread_join (self->thread);
  refuse_all (self);
  gst_sl_output_close (self->output);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Under the lock. */
static void
queue_piece (GstSlRowWriter *self, const gchar *text, gsize length, gboolean counts)
{
  Piece *piece = g_new (Piece, 1);

  piece->text = g_string_new_len (text, length);
  piece->counts = counts;
  self->stats.queued += length;
  g_queue_push_tail (&self->queue, piece);
  g_cond_broadcast (&self->changed);
}

void
gst_sl_row_writer_begin (GstSlRowWriter *self, const gchar *text)
{
  g_mutex_lock (&self->lock);
  if (*text)
    queue_piece (self, text, strlen (text), FALSE);
  g_mutex_unlock (&self->lock);
}

gboolean
gst_sl_row_writer_push (GstSlRowWriter *self, const GString *row, gboolean wait)
{
  gboolean room = FALSE, broken;

  g_mutex_lock (&self->lock);
  while (!(broken = self->broken)) {
    room = self->stats.queued == 0 || self->stats.queued + row->len <= self->max_bytes ||
           (wait && self->flushing);
    if (room || !wait)
      break;
    g_cond_wait (&self->changed, &self->lock);
  }
  if (room)
    queue_piece (self, row->str, row->len, TRUE);
  else
    self->stats.refused++;
  g_mutex_unlock (&self->lock);
  return room || broken;
}

static gboolean
is_idle (GstSlRowWriter *self)
{
  return !self->writing && g_queue_is_empty (&self->queue);
}

/* Under the lock. FALSE: the reader took nothing for `patience`, or up to twice as long. */
static gboolean
wait_for_reader (GstSlRowWriter *self, GstClockTime patience)
{
  gboolean is_file = gst_sl_output_is_file (self->output);
  gsize before, taken = gst_sl_output_get_taken (self->output);
  gint64 end = g_get_monotonic_time () + (gint64)(patience / GST_USECOND);

  while (!is_idle (self) && !self->flushing) {
    if (is_file) {
      g_cond_wait (&self->changed, &self->lock);
    } else if (!g_cond_wait_until (&self->changed, &self->lock, end)) {
      before = taken;
      taken = gst_sl_output_get_taken (self->output);
      if (taken == before)
        return is_idle (self);
      end = g_get_monotonic_time () + (gint64)(patience / GST_USECOND);
    }
  }
  return TRUE;
}

gboolean
gst_sl_row_writer_drain (GstSlRowWriter *self, GstClockTime patience)
{
  g_autoptr (GError) error = NULL;
  gboolean all;

  g_mutex_lock (&self->lock);
  all = wait_for_reader (self, patience);
  if (!all) {
    refuse_all (self);
    gst_sl_output_interrupt (self->output, TRUE);
    while (self->writing)
      g_cond_wait (&self->changed, &self->lock);
    gst_sl_output_interrupt (self->output, FALSE);
  }
  all = all && is_idle (self) && !self->broken;
  g_mutex_unlock (&self->lock);

  /* The thread has nothing to do, and gets nothing from anybody else meanwhile. */
  if (all && !gst_sl_output_sync (self->output, &error)) {
    g_mutex_lock (&self->lock);
    take_error (self, error);
    g_mutex_unlock (&self->lock);
    all = FALSE;
  }
  return all;
}

void
gst_sl_row_writer_set_flushing (GstSlRowWriter *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
gst_sl_row_writer_get_stats (GstSlRowWriter *self, GstSlRowStats *ret_stats)
{
  g_mutex_lock (&self->lock);
  *ret_stats = self->stats;
  g_mutex_unlock (&self->lock);
}
