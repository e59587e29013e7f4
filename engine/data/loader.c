#include "core/pool.h"
#include "data/order.h"
#include "data/slot.h"

#include <sightline/loader.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define DEFAULT_MEMORY ((guint64)1 << 30)
#define MAX_WORKERS 64
/* So many samples of one order that cannot be loaded, one after the other, are an error. */
#define MAX_REPLACED 32

typedef enum { SLOT_EMPTY, SLOT_FILLING, SLOT_READY } SlotState;

typedef struct RingSlot {
  SlBatchSlot batch;
  SlotState state;
  GError *error; /* instead of a batch */
} RingSlot;

/* The order of one epoch, shared by the workers that are in it. */
typedef struct EpochOrder {
  guint32 epoch;
  atomic_int n_refs;
  uint32_t *items;
} EpochOrder;

struct SlLoader {
  SlSampleSource *source;
  SlLoaderOptions options; /* with all defaults filled in */
  SlPreprocess rules;
  SlAugment augment;
  uint32_t n_samples, n_batches;
  SlBatchLayout layout;

  /* Batches are counted over all epochs; batch b is made in slot b % n_slots. */
  pthread_mutex_t
      lock; /* of all that follows, but for the content of slots that are filled or read */
  pthread_cond_t changed_work, changed_ready;
  guint64 next_made, next_given;
  RingSlot *slots;
  uint32_t n_slots;
  EpochOrder *order;  /* of the newest batch in the making */
  GHashTable *failed; /* sample numbers */
  GPtrArray *failures;
  GThread **workers;
  uint32_t n_workers;
  atomic_bool stopping;

  gint64 waited;
  uint32_t *indices, *labels; /* [batch] of the batch given last */
};

/* --- what a worker does --- */

typedef struct Worker {
  SlLoader *loader;
  SlPictureMaker *maker; /* NULL: */
  GError *error;         /* why */
} Worker;

static void
order_unref (EpochOrder *order)
{
  if (!order || atomic_fetch_sub (&order->n_refs, 1) > 1)
    return;
  g_free (order->items);
  g_free (order);
}

static uint32_t *
make_order (const SlLoader *loader, guint32 epoch)
{
  const SlLoaderOptions *options = &loader->options;
  if (!options->balance)
    return sl_order_new (loader->n_samples, options->shuffle, options->seed, epoch);
  g_autofree uint32_t *labels = g_new (uint32_t, loader->n_samples);
  for (uint32_t i = 0; i < loader->n_samples; i++)
    labels[i] = sl_sample_source_get_label (loader->source, i);
  return sl_order_new_balanced (loader->n_samples, labels,
                                sl_sample_source_get_n_classes (loader->source), options->seed,
                                epoch);
}

/* Called with the lock held. */
static EpochOrder *
ref_order (SlLoader *loader, guint32 epoch)
{
  if (!loader->order || loader->order->epoch != epoch) {
    order_unref (loader->order);
    loader->order = g_new0 (EpochOrder, 1);
    loader->order->epoch = epoch;
    loader->order->n_refs = 1;
    loader->order->items = make_order (loader, epoch);
  }
  atomic_fetch_add (&loader->order->n_refs, 1);
  return loader->order;
}

static void
note_failure (SlLoader *loader, uint32_t index, const GError *error)
{
  pthread_mutex_lock (&loader->lock);
  if (g_hash_table_add (loader->failed, GUINT_TO_POINTER (index)))
    g_ptr_array_add (loader->failures, g_strdup (error->message));
  pthread_mutex_unlock (&loader->lock);
}

/* One sample to a row of the batch. */
static gboolean
load_sample (const Worker *worker, SlBatchSlot *batch, uint32_t row, guint32 epoch, uint32_t index,
             GError **error)
{
  SlLoader *loader = worker->loader;
  SlSample sample;
  ptrdiff_t strides[3];
  float *picture = sl_batch_slot_get_picture (batch, &loader->layout, row, strides);
  gboolean made = sl_sample_source_load (loader->source, index, &sample, error);
  if (made) {
    const SlPictureKey key = {loader->options.seed, epoch, index};
    made = sl_picture_maker_fill (worker->maker, &sample, &key, picture, strides, error);
    sl_sample_source_release (loader->source, &sample);
  }
  if (!made) {
    g_autofree char *name = sl_sample_source_describe (loader->source, index);
    if (!strstr ((*error)->message, name))
      g_prefix_error (error, "%s: ", name);
    return FALSE;
  }
  sl_batch_slot_set_label (batch, &loader->layout, row, index,
                           sl_sample_source_get_label (loader->source, index));
  return TRUE;
}

/* The sample at `place` of the order; FALSE, noted, where that cannot be loaded. */
static gboolean
load_here (const Worker *worker, SlBatchSlot *batch, uint32_t row, const EpochOrder *order,
           guint64 place)
{
  g_autoptr (GError) reason = NULL;
  const gboolean good =
      load_sample (worker, batch, row, order->epoch, order->items[place], &reason);
  if (!good)
    note_failure (worker->loader, order->items[place], reason);
  return good;
}

/* The sample at `place` of the order or, where that cannot be loaded, the next that can. */
static gboolean
load_place (const Worker *worker, SlBatchSlot *batch, uint32_t row, const EpochOrder *order,
            guint64 place, GError **error)
{
  SlLoader *loader = worker->loader;
  for (unsigned tried = 0; tried < MIN (MAX_REPLACED, loader->n_samples); tried++) {
    g_autoptr (GError) reason = NULL;
    uint32_t index = order->items[(place + tried) % loader->n_samples];
    if (load_sample (worker, batch, row, order->epoch, index, &reason))
      return TRUE;
    note_failure (loader, index, reason);
    if (tried + 1 == MIN (MAX_REPLACED, loader->n_samples))
      g_set_error (error, SL_ERROR, SL_ERROR_IO,
                   "%u samples in a row cannot be loaded (expected one that can), the last: %s",
                   tried + 1, reason->message);
  }
  return FALSE;
}

/* Stops early, with an incomplete batch, when the loader does. */
static GError *
fill_batch (const Worker *worker, SlBatchSlot *batch, const EpochOrder *order, guint32 step)
{
  SlLoader *loader = worker->loader;
  GError *error = NULL;
  guint64 first = (guint64)step * loader->options.batch;
  if (!worker->maker)
    return g_error_copy (worker->error);
  const uint32_t n = sl_loader_get_batch_size (loader, step);
  batch->n_samples = 0;
  for (uint32_t i = 0; i < n && !atomic_load (&loader->stopping); i++)
    if (!loader->options.shuffle && !loader->options.balance)
      batch->n_samples += load_here (worker, batch, batch->n_samples, order, first + i);
    else if (load_place (worker, batch, batch->n_samples, order, first + i, &error))
      batch->n_samples++;
    else
      return error;
  if (loader->options.augment && !atomic_load (&loader->stopping))
    sl_batch_slot_mix (batch, &loader->layout, &loader->augment, loader->options.seed, order->epoch,
                       step);
  if (loader->options.mask > 0)
    sl_batch_slot_mask (batch, &loader->layout, loader->options.seed, order->epoch);
  return NULL;
}

static gpointer
work (gpointer data)
{
  SlLoader *loader = data;
  Worker worker = {.loader = loader};
  worker.maker = sl_picture_maker_new (&loader->rules, loader->options.augment, &worker.error);
  pthread_mutex_lock (&loader->lock);
  while (!atomic_load (&loader->stopping)) {
    RingSlot *slot = &loader->slots[loader->next_made % loader->n_slots];
    if (slot->state != SLOT_EMPTY) {
      pthread_cond_wait (&loader->changed_work, &loader->lock);
      continue;
    }
    guint64 number = loader->next_made++;
    EpochOrder *order = ref_order (loader, (guint32)(number / loader->n_batches));
    slot->state = SLOT_FILLING;
    pthread_mutex_unlock (&loader->lock);
    slot->error = fill_batch (&worker, &slot->batch, order, (guint32)(number % loader->n_batches));
    order_unref (order);
    pthread_mutex_lock (&loader->lock);
    slot->state = SLOT_READY;
    pthread_cond_signal (&loader->changed_ready);
  }
  pthread_mutex_unlock (&loader->lock);
  sl_picture_maker_free (worker.maker);
  g_clear_error (&worker.error);
  return NULL;
}

/* --- starting and stopping --- */

static void
stop_workers (SlLoader *loader)
{
  pthread_mutex_lock (&loader->lock);
  atomic_store (&loader->stopping, true);
  pthread_cond_broadcast (&loader->changed_work);
  pthread_mutex_unlock (&loader->lock);
  for (uint32_t w = 0; w < loader->n_workers; w++)
    g_thread_join (loader->workers[w]);
  loader->n_workers = 0;
  atomic_store (&loader->stopping, false);
  for (uint32_t i = 0; i < loader->n_slots; i++) {
    loader->slots[i].state = SLOT_EMPTY;
    g_clear_error (&loader->slots[i].error);
  }
  loader->next_made = loader->next_given;
}

static gboolean
start_workers (SlLoader *loader, GError **error)
{
  for (; loader->n_workers < loader->options.workers; loader->n_workers++) {
    GThread **thread = &loader->workers[loader->n_workers];
    *thread = g_thread_try_new ("sl-loader", work, loader, loader->n_workers ? NULL : error);
    if (!*thread) /* one is enough */
      return loader->n_workers > 0;
  }
  return TRUE;
}

/* Makes the ring, in the order of the first view. */
static gboolean
start (SlLoader *loader, const SlTensorView *pictures, GError **error)
{
  if (!loader->slots) {
    loader->layout.channels_last = pictures && sl_view_is_channels_last (pictures);
    loader->slots = g_new0 (RingSlot, loader->n_slots);
  }
  for (uint32_t i = 0; i < loader->n_slots; i++)
    if (!loader->slots[i].batch.labels &&
        !sl_batch_slot_init (&loader->slots[i].batch, &loader->layout)) {
      sl_batch_slot_clear (&loader->slots[i].batch);
      g_set_error (error, SL_ERROR, SL_ERROR_MEMORY,
                   "no memory for %u batches of %" G_GSIZE_FORMAT " bytes", loader->n_slots,
                   sl_batch_layout_get_bytes (&loader->layout));
      return FALSE;
    }
  return start_workers (loader, error);
}

static gboolean
check_options (SlSampleSource *source, const SlLoaderOptions *options, GError **error)
{
  uint32_t n = sl_sample_source_get_n_samples (source);
  if ((!options->features && !sl_preprocess_check (options->rules, error)) ||
      (options->augment && !sl_augment_check (options->augment, error)))
    return FALSE;
  if (!options->batch || (options->drop_last && options->batch > n))
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "batches of %u from %u samples (expected %s)", options->batch, n,
                 options->batch ? "at most as many, as the last part is dropped" : "at least 1");
  else if (!(options->mask >= 0 && options->mask < 1))
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "a mask of %g of the elements (expected from 0 on and below 1)",
                 (double)options->mask);
  else
    return TRUE;
  return FALSE;
}

/* Fills in the defaults, and how many batches fit into memory. */
static gboolean
settle_options (SlLoader *loader, GError **error)
{
  SlLoaderOptions *options = &loader->options;
  gsize bytes = sl_batch_layout_get_bytes (&loader->layout);
  if (!options->workers)
    options->workers = sl_pool_get_threads ();
  options->workers = MIN (options->workers, MAX_WORKERS);
  if (!options->read_ahead)
    options->read_ahead = options->workers + 1;
  if (!options->memory_limit)
    options->memory_limit = DEFAULT_MEMORY;
  if (bytes > options->memory_limit) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "a batch of %u samples takes %" G_GSIZE_FORMAT
                 " bytes (limit is %" G_GUINT64_FORMAT ")",
                 options->batch, bytes, options->memory_limit);
    return FALSE;
  }
  loader->n_slots = (uint32_t)MIN (options->read_ahead, options->memory_limit / bytes);
  options->workers = MIN (options->workers, loader->n_slots);
  return TRUE;
}

SlLoader *
sl_loader_new (SlSampleSource *source, const SlLoaderOptions *options, GError **error)
{
  g_return_val_if_fail (source && options && options->rules, NULL);
  if (!check_options (source, options, error))
    return NULL;

  SlLoader *loader = g_new0 (SlLoader, 1);
  loader->source = sl_sample_source_ref (source);
  loader->options = *options;
  loader->rules = *options->rules;
  loader->options.rules = &loader->rules;
  if (options->augment) {
    loader->augment = *options->augment;
    loader->options.augment = &loader->augment;
  }
  loader->n_samples = sl_sample_source_get_n_samples (source);
  loader->n_batches = loader->n_samples / options->batch;
  if (!options->drop_last && loader->n_samples % options->batch)
    loader->n_batches++;
  loader->layout = (SlBatchLayout){
      .n = MIN (options->batch, loader->n_samples),
      .channels = loader->rules.channels,
      .height = loader->rules.height,
      .width = loader->rules.width,
      .n_classes = sl_sample_source_get_n_classes (source),
      .mask = options->mask,
      .restore = options->restore,
  };
  pthread_mutex_init (&loader->lock, NULL);
  pthread_cond_init (&loader->changed_work, NULL);
  pthread_cond_init (&loader->changed_ready, NULL);
  loader->failed = g_hash_table_new (NULL, NULL);
  loader->failures = g_ptr_array_new_with_free_func (g_free);
  loader->indices = g_new0 (uint32_t, loader->layout.n);
  loader->labels = g_new0 (uint32_t, loader->layout.n);
  if (settle_options (loader, error))
    loader->workers = g_new0 (GThread *, loader->options.workers);
  else
    g_clear_pointer (&loader, sl_loader_free);
  return loader;
}

void
sl_loader_free (SlLoader *loader)
{
  if (!loader)
    return;
  if (loader->slots) {
    stop_workers (loader);
    for (uint32_t i = 0; i < loader->n_slots; i++)
      sl_batch_slot_clear (&loader->slots[i].batch);
  }
  g_free (loader->slots);
  g_free (loader->workers);
  order_unref (loader->order);
  g_hash_table_unref (loader->failed);
  g_ptr_array_unref (loader->failures);
  pthread_mutex_destroy (&loader->lock);
  pthread_cond_destroy (&loader->changed_work);
  pthread_cond_destroy (&loader->changed_ready);
  g_free (loader->indices);
  g_free (loader->labels);
  sl_sample_source_unref (loader->source);
  g_free (loader);
}

/* --- what the caller sees --- */

guint32
sl_loader_get_n_batches (SlLoader *loader)
{
  return loader->n_batches;
}

uint32_t
sl_loader_get_batch_size (SlLoader *loader, guint32 step)
{
  g_return_val_if_fail (step < loader->n_batches, 0);
  guint64 first = (guint64)step * loader->options.batch;
  return (uint32_t)MIN (loader->options.batch, loader->n_samples - first);
}

void
sl_loader_get_position (SlLoader *loader, guint32 *ret_epoch, guint32 *ret_step)
{
  *ret_epoch = (guint32)(loader->next_given / loader->n_batches);
  *ret_step = (guint32)(loader->next_given % loader->n_batches);
}

void
sl_loader_seek (SlLoader *loader, guint32 epoch, guint32 step)
{
  g_return_if_fail (step < loader->n_batches);
  guint64 wanted = (guint64)epoch * loader->n_batches + step;
  if (wanted == loader->next_given)
    return;
  loader->next_given = wanted;
  if (loader->slots)
    stop_workers (loader);
  loader->next_made = wanted;
}

static gboolean
check_views (SlLoader *loader, const SlTensorView *pictures, const SlTensorView *targets,
             GError **error)
{
  int64_t n = sl_loader_get_batch_size (loader, (guint32)(loader->next_given % loader->n_batches));
  const SlTensorView *views[] = {pictures, targets};
  if ((pictures && !sl_batch_layout_check_pictures (&loader->layout, pictures, error)) ||
      (targets && !sl_batch_layout_check_targets (&loader->layout, targets, error)))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (views); i++)
    if (views[i] && views[i]->shape.dim[0] < n) {
      g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
                   "the input is for %" G_GINT64_FORMAT " samples (expected %" G_GINT64_FORMAT
                   " at least)",
                   (gint64)views[i]->shape.dim[0], (gint64)n);
      return FALSE;
    }
  return TRUE;
}

/* The slot of the next batch, when it is ready. */
static RingSlot *
wait_for_slot (SlLoader *loader)
{
  RingSlot *slot = &loader->slots[loader->next_given % loader->n_slots];
  pthread_mutex_lock (&loader->lock);
  if (slot->state != SLOT_READY) {
    gint64 from = g_get_monotonic_time ();
    while (slot->state != SLOT_READY)
      pthread_cond_wait (&loader->changed_ready, &loader->lock);
    loader->waited += g_get_monotonic_time () - from;
  }
  pthread_mutex_unlock (&loader->lock);
  return slot;
}

gboolean
sl_loader_next (SlLoader *loader, const SlTensorView *pictures, const SlTensorView *targets,
                SlBatch *ret_batch, GError **error)
{
  g_return_val_if_fail (loader && ret_batch, FALSE);
  if (!check_views (loader, pictures, targets, error) || !start (loader, pictures, error))
    return FALSE;

  RingSlot *slot = wait_for_slot (loader);
  if (slot->error) { /* all that follows is made anew, so that the next call can try again */
    g_propagate_error (error, g_steal_pointer (&slot->error));
    stop_workers (loader);
    return FALSE;
  }
  const SlBatchSlot *batch = &slot->batch;
  if (pictures)
    sl_batch_slot_copy_pictures (batch, &loader->layout, pictures);
  if (targets)
    sl_batch_slot_copy_targets (batch, &loader->layout, targets);
  memcpy (loader->indices, batch->indices, batch->n_samples * sizeof *loader->indices);
  memcpy (loader->labels, batch->labels, batch->n_samples * sizeof *loader->labels);
  *ret_batch = (SlBatch){
      .epoch = (guint32)(loader->next_given / loader->n_batches),
      .step = (guint32)(loader->next_given % loader->n_batches),
      .n = batch->n_samples,
      .indices = loader->indices,
      .labels = loader->labels,
  };

  pthread_mutex_lock (&loader->lock);
  slot->state = SLOT_EMPTY;
  loader->next_given++;
  pthread_cond_signal (&loader->changed_work);
  pthread_mutex_unlock (&loader->lock);
  return TRUE;
}

gint64
sl_loader_get_waited (SlLoader *loader)
{
  return loader->waited;
}

char **
sl_loader_list_failures (SlLoader *loader)
{
  pthread_mutex_lock (&loader->lock);
  char **failures = g_new0 (char *, (gsize)loader->failures->len + 1);
  for (guint i = 0; i < loader->failures->len; i++)
    failures[i] = g_strdup (g_ptr_array_index (loader->failures, i));
  pthread_mutex_unlock (&loader->lock);
  return failures;
}
