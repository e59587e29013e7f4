#include "gstslworker.h"

void
gst_sl_worker_init (GstSlWorker *self, GstElement *element, const GstSlWorkerFuncs *funcs)
{
  *self = (GstSlWorker){.element = element, .funcs = funcs};
  g_rec_mutex_init (&self->telling);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->finished);
}

void
gst_sl_worker_clear (GstSlWorker *self)
{
  gst_sl_worker_stop (self);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_rec_mutex_clear (&self->telling);
}

/* --- Under the lock --- */

/* The first slot in that state; GST_SL_N_SLOTS if none is. */
static guint
find_slot (const GstSlWorker *self, GstSlSlotState state)
{
  guint i = 0;

  while (i < GST_SL_N_SLOTS && self->slots[i].state != state)
    i++;
  return i;
}

static void
drop_waiting (GstSlWorker *self)
{
  guint waiting = find_slot (self, GST_SL_SLOT_WAITING);

  if (waiting < GST_SL_N_SLOTS)
    self->slots[waiting].state = GST_SL_SLOT_FREE;
}

static void
drop_all (GstSlWorker *self)
{
  self->generation++;
  self->failed = FALSE;
  drop_waiting (self);
  g_queue_clear_full (&self->finished, (GDestroyNotify)gst_sl_result_unref);
  g_cond_broadcast (&self->changed);
}

/* --- The executing thread --- */

static gboolean
is_current (GstSlWorker *self, guint generation)
{
  gboolean current;

  g_mutex_lock (&self->lock);
  current = generation == self->generation;
  g_mutex_unlock (&self->lock);
  return current;
}

/* Runs a slot that is RUNNING, and frees it. FALSE with *ret_failed if that went wrong, without if
 * a flush came meanwhile. */
static gboolean
execute (GstSlWorker *self, guint slot, gboolean *ret_failed)
{
  const guint generation = self->slots[slot].generation;
  const GstSlJob *job = &self->slots[slot].job;
  g_autoptr (GError) error = NULL;
  g_autoptr (GstSlResult) result = self->funcs->run (self->element, slot, job, &error);
  gboolean ok = result != NULL, current;

  g_rec_mutex_lock (&self->telling);
  if (is_current (self, generation))
    self->funcs->tell (self->element, result, error);
  g_rec_mutex_unlock (&self->telling);

  g_mutex_lock (&self->lock);
  current = generation == self->generation;
  if (current && result)
    g_queue_push_tail (&self->finished, g_steal_pointer (&result));
  self->slots[slot].state = GST_SL_SLOT_FREE;
  *ret_failed = current && !ok;
  if (*ret_failed) { /* one error is enough */
    self->failed = TRUE;
    drop_waiting (self);
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return current && ok;
}

static gpointer
work (gpointer data)
{
  GstSlWorker *self = data;
  gboolean failed;

  g_mutex_lock (&self->lock);
  while (!self->stopping) {
    guint slot = find_slot (self, GST_SL_SLOT_WAITING);

    if (slot == GST_SL_N_SLOTS) {
      g_cond_wait (&self->changed, &self->lock);
      continue;
    }
    self->slots[slot].state = GST_SL_SLOT_RUNNING;
    g_mutex_unlock (&self->lock);
    execute (self, slot, &failed);
    g_mutex_lock (&self->lock);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* --- The streaming thread --- */

guint
gst_sl_worker_acquire (GstSlWorker *self)
{
  guint slot;

  g_mutex_lock (&self->lock);
  if (self->flushing) {
    g_mutex_unlock (&self->lock);
    return GST_SL_N_SLOTS;
  }
  slot = find_slot (self, GST_SL_SLOT_FREE);
  if (slot == GST_SL_N_SLOTS)
    slot = find_slot (self, GST_SL_SLOT_WAITING);
  g_assert (slot < GST_SL_N_SLOTS);
  self->slots[slot].replaces = self->slots[slot].state == GST_SL_SLOT_WAITING;
  self->slots[slot].state = GST_SL_SLOT_FILLING;
  self->slots[slot].generation = self->generation;
  g_mutex_unlock (&self->lock);
  return slot;
}

void
gst_sl_worker_release (GstSlWorker *self, guint slot)
{
  g_mutex_lock (&self->lock);
  self->slots[slot].state = GST_SL_SLOT_FREE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Lets `slot` wait in the place of whatever waited before. Under the lock. */
static void
put (GstSlWorker *self, guint slot, const GstSlJob *job, GstSlJob *ret_replaced)
{
  guint waiting = find_slot (self, GST_SL_SLOT_WAITING);

  if (self->slots[slot].replaces) {
    *ret_replaced = self->slots[slot].job;
  } else if (waiting < GST_SL_N_SLOTS) {
    *ret_replaced = self->slots[waiting].job;
    self->slots[waiting].state = GST_SL_SLOT_FREE;
  }
  self->slots[slot].job = *job;
  self->slots[slot].state = GST_SL_SLOT_WAITING;
}

gboolean
gst_sl_worker_submit (GstSlWorker *self, guint slot, const GstSlJob *job, GstSlJob *ret_replaced,
                      GError **error)
{
  ret_replaced->frame.number = G_MAXUINT64;
  if (!self->thread) {
    self->stopping = FALSE;
    if (!(self->thread = g_thread_try_new ("sl-infer", work, self, error))) {
      gst_sl_worker_release (self, slot);
      return FALSE;
    }
  }

  g_mutex_lock (&self->lock);
  if (self->slots[slot].generation == self->generation && !self->failed)
    put (self, slot, job, ret_replaced);
  else
    self->slots[slot].state = GST_SL_SLOT_FREE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

GstFlowReturn
gst_sl_worker_run (GstSlWorker *self, guint slot, const GstSlJob *job)
{
  gboolean failed;

  g_mutex_lock (&self->lock);
  self->slots[slot].job = *job;
  self->slots[slot].state = GST_SL_SLOT_RUNNING;
  g_mutex_unlock (&self->lock);
  if (execute (self, slot, &failed))
    return GST_FLOW_OK;
  return failed ? GST_FLOW_ERROR : GST_FLOW_FLUSHING;
}

gboolean
gst_sl_worker_drain (GstSlWorker *self)
{
  gboolean flushing;

  g_mutex_lock (&self->lock);
  while (!self->flushing && (find_slot (self, GST_SL_SLOT_WAITING) < GST_SL_N_SLOTS ||
                             find_slot (self, GST_SL_SLOT_RUNNING) < GST_SL_N_SLOTS))
    g_cond_wait (&self->changed, &self->lock);
  flushing = self->flushing;
  g_mutex_unlock (&self->lock);
  return !flushing;
}

GstSlResult *
gst_sl_worker_take (GstSlWorker *self)
{
  GstSlResult *result;

  g_mutex_lock (&self->lock);
  result = g_queue_pop_head (&self->finished);
  g_mutex_unlock (&self->lock);
  return result;
}

gboolean
gst_sl_worker_failed (GstSlWorker *self)
{
  gboolean failed;

  g_mutex_lock (&self->lock);
  failed = self->failed;
  g_mutex_unlock (&self->lock);
  return failed;
}

/* --- Any thread --- */

void
gst_sl_worker_set_flushing (GstSlWorker *self, gboolean flushing)
{
  if (!flushing)
    g_rec_mutex_lock (&self->telling);
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  if (flushing)
    drop_all (self);
  g_mutex_unlock (&self->lock);
  if (!flushing)
    g_rec_mutex_unlock (&self->telling);
}

void
gst_sl_worker_stop (GstSlWorker *self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  drop_all (self);
  g_mutex_unlock (&self->lock);
  if (self->thread)
    g_thread_join (g_steal_pointer (&self->thread));
}
