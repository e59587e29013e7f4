/* Batches of pictures and targets, made ahead by threads of the loader's own while a network
 * computes. Everything is decided by seed, epoch and sample: the same batches, to the bit, for any
 * number of threads, and again after a restart at any position. */
#pragma once

#include <sightline/augment.h>
#include <sightline/dataset.h>
#include <sightline/tensor.h>

G_BEGIN_DECLS

/* One thread at a time uses a loader; different loaders are independent, also of the same source.
 */
typedef struct SlLoader SlLoader;

/* Zero in a field means its default. */
typedef struct SlLoaderOptions {
  const SlPreprocess *rules; /* of the network's input; needed */
  gboolean features;  /* samples are features (SlSample): of the rules, height, width and channels,
                         of  any number, say how many */
  uint32_t batch;     /* samples of a batch; needed */
  gboolean shuffle;   /* a new order each epoch; default: the source's */
  gboolean balance;   /* each class as often as the others: an epoch has as many samples, those
                         of small classes several times, of large ones not all; shuffled */
  gboolean drop_last; /* leave out samples that do not fill a batch */
  guint64 seed;       /* of the order, and of whatever else is drawn */
  const SlAugment *augment; /* what is done to the pictures; default: nothing */
  float mask;          /* then so much of each input's elements becomes 0, below 1; default: none */
  gboolean restore;    /* targets are the pictures as they were before the mask; default: classes */
  uint32_t workers;    /* threads that load; default: one for each core that the process may use */
  uint32_t read_ahead; /* batches at hand at most; default: one more than workers */
  guint64 memory_limit; /* bytes of these; fewer batches where they do not fit; default 1 GiB */
} SlLoaderOptions;

/* A batch, the loader's until the next call. */
typedef struct SlBatch {
  guint32 epoch;
  guint32 step; /* number of the batch within the epoch */
  uint32_t n;   /* samples; less than a whole batch in an epoch's last, and where some could
                   not be loaded and are not replaced */
  const uint32_t *indices; /* [n] which samples of the source */
  const uint32_t *labels;  /* [n] */
} SlBatch;

/* Keeps a reference on the source. SL_ERROR_UNSUPPORTED for options that make no sense, a batch
 * larger than the source with `drop_last` among them. */
SL_API SlLoader *sl_loader_new (SlSampleSource *source, const SlLoaderOptions *options,
                                GError **error);
/* Stops the threads, which takes as long as loading one sample. */
SL_API void sl_loader_free (SlLoader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlLoader, sl_loader_free)

/* Batches of an epoch, and samples of its batch `step`, if all can be loaded. */
SL_API guint32 sl_loader_get_n_batches (SlLoader *loader);
SL_API uint32_t sl_loader_get_batch_size (SlLoader *loader, guint32 step);

/* The next batch's position, which starts at 0, 0: all there is to save of a loader. */
SL_API void sl_loader_get_position (SlLoader *loader, guint32 *ret_epoch, guint32 *ret_step);
/* Makes that batch the next one; what was read ahead is thrown away. `step` is below
 * sl_loader_get_n_batches(). */
SL_API void sl_loader_seek (SlLoader *loader, guint32 epoch, guint32 step);

/* Waits for the next batch and writes it: pictures to a view of [N][C][H][W], or [N][C * H * W], as
 * the rules say, and probabilities to one of [N][classes], or pictures again with `restore`; either
 * may be NULL. Both are of float32 and of any strides, such as sl_run_get_input() gives. N is from
 * the batch's samples on; rows beyond these are set to zero. After an epoch's last batch comes the
 * first of the next one. Threads start with the first call; the same shape and order of strides
 * each time saves a pass over the picture.
 *
 * A sample that cannot be loaded is listed. With `shuffle` or `balance` it is replaced by the next
 * one of the epoch's order that can, and it is SL_ERROR_IO if many in a row cannot; without, where
 * each sample is to count once, it is left out, and a batch may be smaller, even empty.
 * SL_ERROR_SHAPE for views that do not fit; the next call tries the same batch. */
SL_API gboolean sl_loader_next (SlLoader *loader, const SlTensorView *pictures,
                                const SlTensorView *targets, SlBatch *ret_batch, GError **error);

/* Microseconds that sl_loader_next() has waited for samples, all calls together. */
SL_API gint64 sl_loader_get_waited (SlLoader *loader);

/* Samples that could not be loaded, each once: "FILE: what is wrong". NULL-ended; free with
 * g_strfreev(). */
SL_API char **sl_loader_list_failures (SlLoader *loader);

G_END_DECLS
