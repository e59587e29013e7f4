#include "files.h"

#include "data/order.h"
#include "data/picture.h"

#include <sightline/loader.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define N 50
#define SIDE 6
#define CLASSES 4

/* A batch's memory with the views of it. */
typedef struct Memory {
  float pictures[16 * SIDE * SIDE * 3], targets[16 * CLASSES];
  SlTensorView picture_view, target_view;
} Memory;

static void
init_memory (Memory *memory, uint32_t n, uint32_t channels, gboolean channels_last)
{
  ptrdiff_t c = channels, plane = SIDE * SIDE;
  memset (memory->pictures, 0x7f, sizeof memory->pictures);
  memset (memory->targets, 0x7f, sizeof memory->targets);
  memory->picture_view = (SlTensorView){
      .dtype = SL_FLOAT32, .shape = SL_SHAPE (n, channels, SIDE, SIDE), .data = memory->pictures};
  ptrdiff_t first[4] = {c * plane, plane, SIDE, 1}, last[4] = {c * plane, 1, SIDE * c, c};
  memcpy (memory->picture_view.stride, channels_last ? last : first, sizeof first);
  memory->target_view = (SlTensorView){.dtype = SL_FLOAT32,
                                       .shape = SL_SHAPE (n, CLASSES),
                                       .stride = {CLASSES, 1},
                                       .data = memory->targets};
}

static SlLoader *
new_loader (SlSampleSource *source, SlLoaderOptions options, uint32_t channels)
{
  SlPreprocess rules;
  g_autoptr (GError) error = NULL;
  sl_preprocess_init (&rules, SIDE, SIDE, channels);
  rules.mean[0] = 0.25f;
  rules.std[0] = 0.5f;
  options.rules = &rules;
  SlLoader *loader = sl_loader_new (source, &options, &error);
  g_assert_no_error (error);
  return loader;
}

static SlBatch
take (SlLoader *loader, Memory *memory)
{
  SlBatch batch;
  g_autoptr (GError) error = NULL;
  sl_loader_next (loader, &memory->picture_view, &memory->target_view, &batch, &error);
  g_assert_no_error (error);
  return batch;
}

static float
element (const Memory *memory, uint32_t n, uint32_t c, uint32_t y, uint32_t x)
{
  const ptrdiff_t *stride = memory->picture_view.stride;
  return memory->pictures[(ptrdiff_t)n * stride[0] + (ptrdiff_t)c * stride[1] +
                          (ptrdiff_t)y * stride[2] + (ptrdiff_t)x * stride[3]];
}

static void
check_batch (const Memory *memory, const SlBatch *batch, uint32_t channels)
{
  for (uint32_t n = 0; n < 16; n++)
    for (uint32_t c = 0; c < channels; c++)
      for (uint32_t y = 0; y < SIDE; y++)
        for (uint32_t x = 0; x < SIDE; x++) {
          double value = (guint8)(7 * batch->indices[MIN (n, batch->n - 1)] + 3 * x + 5 * y);
          double expected = value / 255;
          if (c == 0)
            expected = (expected - 0.25) / 0.5;
          if (n >= batch->n)
            expected = 0;
          g_assert_cmpfloat_with_epsilon ((double)element (memory, n, c, y, x), expected, 1e-6);
        }
  for (uint32_t n = 0; n < 16; n++)
    for (uint32_t k = 0; k < CLASSES; k++)
      g_assert_true (memory->targets[n * CLASSES + k] ==
                     (n < batch->n && batch->indices[n] % CLASSES == k ? 1.0f : 0.0f));
}

/* Content, order, the last batch of an epoch, both memory orders. */
static void
test_batches (void)
{
  g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
  for (int kind = 0; kind < 4; kind++) {
    static Memory memory;
    uint32_t channels = kind & 1 ? 3 : 1;
    init_memory (&memory, 16, channels, kind & 2);
    g_autoptr (SlLoader) loader = new_loader (source, (SlLoaderOptions){.batch = 16}, channels);
    g_assert_cmpuint (sl_loader_get_n_batches (loader), ==, 4);
    for (uint32_t b = 0; b < 9; b++) {
      guint32 epoch, step;
      sl_loader_get_position (loader, &epoch, &step);
      SlBatch batch = take (loader, &memory);
      g_assert_cmpuint (batch.epoch, ==, b / 4);
      g_assert_cmpuint (batch.step, ==, b % 4);
      g_assert_cmpuint (batch.epoch, ==, epoch);
      g_assert_cmpuint (batch.step, ==, step);
      g_assert_cmpuint (batch.n, ==, b % 4 == 3 ? 2 : 16);
      g_assert_cmpuint (sl_loader_get_batch_size (loader, b % 4), ==, batch.n);
      for (uint32_t i = 0; i < batch.n; i++) {
        g_assert_cmpuint (batch.indices[i], ==, b % 4 * 16 + i);
        g_assert_cmpuint (batch.labels[i], ==, batch.indices[i] % CLASSES);
      }
      check_batch (&memory, &batch, channels);
    }
  }
}

/* The first view says how batches are kept; another one gets the same numbers. */
static void
test_other_view (void)
{
  static Memory memory[3];
  g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
  g_autoptr (SlLoader) loader = new_loader (source, (SlLoaderOptions){.batch = 16}, 3);
  init_memory (&memory[0], 16, 3, TRUE);
  init_memory (&memory[1], 16, 3, FALSE);
  init_memory (&memory[2], 16, 3, FALSE);
  memory[2].picture_view.shape = SL_SHAPE (16, 3 * SIDE * SIDE);
  memory[2].picture_view.stride[1] = 1;
  for (int i = 0; i < 3; i++) {
    SlBatch batch = take (loader, &memory[i]);
    memory[i].picture_view.stride[1] = i == 0 ? 1 : SIDE * SIDE; /* for element() */
    check_batch (&memory[i], &batch, 3);
  }
}

static void
test_shuffle (void)
{
  static Memory memory;
  init_memory (&memory, 16, 1, FALSE);
  g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
  const SlLoaderOptions options = {.batch = 16, .shuffle = TRUE, .drop_last = TRUE, .seed = 11};
  g_autoptr (SlLoader) loader = new_loader (source, options, 1);
  g_assert_cmpuint (sl_loader_get_n_batches (loader), ==, 3);
  gboolean moved[2] = {FALSE, FALSE};
  uint32_t orders[2][48];
  for (int epoch = 0; epoch < 2; epoch++) {
    gboolean seen[N] = {FALSE};
    for (int step = 0; step < 3; step++) {
      SlBatch batch = take (loader, &memory);
      check_batch (&memory, &batch, 1);
      for (uint32_t i = 0; i < 16; i++) {
        g_assert_false (seen[batch.indices[i]]);
        seen[batch.indices[i]] = TRUE;
        moved[epoch] |= batch.indices[i] != (uint32_t)step * 16 + i;
        orders[epoch][step * 16 + i] = batch.indices[i];
      }
    }
  }
  g_assert_true (moved[0] && moved[1]);
  g_assert_cmpint (memcmp (orders[0], orders[1], sizeof orders[0]), !=, 0);
}

/* Every place of the order gets every sample equally often, over seeds. */
static void
test_fair_order (void)
{
  static Memory memory;
  init_memory (&memory, 6, 1, FALSE);
  uint32_t counts[6][6] = {{0}};
  g_autoptr (SlSampleSource) source = files_gray_source (6, SIDE, SIDE, CLASSES, NULL);
  const SlLoaderOptions options = {.batch = 6, .shuffle = TRUE, .workers = 1};
  g_autoptr (SlLoader) loader = new_loader (source, options, 1);
  for (int epoch = 0; epoch < 3000; epoch++) {
    SlBatch batch = take (loader, &memory);
    for (int i = 0; i < 6; i++)
      counts[i][batch.indices[i]]++;
  }
  for (int i = 0; i < 6; i++) /* 500 expected; five deviations of the binomial are 102 */
    for (int k = 0; k < 6; k++)
      g_assert_true (counts[i][k] > 398 && counts[i][k] < 602);
}

static const SlAugment much = {.crop_area = {0.5f, 1},
                               .crop_padding = 1,
                               .flip_horizontal = 0.5f,
                               .rotate = 10,
                               .brightness = 0.2f,
                               .noise = 0.01f,
                               .erase = 0.5f,
                               .mixup = 0.4f,
                               .cutmix = 1};

/* One class has a sample, one none, the rest is of two: an epoch has as many of each that is there;
 * a small class's come again equally often, a large class's never twice. */
static void
test_balance (void)
{
  enum { LARGE = 40, MIDDLE = 9, EPOCHS = 3 };
  uint32_t labels[LARGE + MIDDLE + 1], before[LARGE + MIDDLE + 1];
  for (uint32_t i = 0; i <= LARGE + MIDDLE; i++)
    labels[i] = i < LARGE ? 0 : i < LARGE + MIDDLE ? 3 : 1;
  for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
    uint32_t counts[CLASSES] = {0}, times[LARGE + MIDDLE + 1] = {0};
    g_autofree uint32_t *order = sl_order_new_balanced (N, labels, CLASSES, 7, epoch);
    g_autofree uint32_t *again = sl_order_new_balanced (N, labels, CLASSES, 7, epoch);
    g_assert_cmpmem (order, sizeof labels, again, sizeof labels);
    g_assert_cmpint (epoch ? memcmp (order, before, sizeof before) : 1, !=, 0);
    memcpy (before, order, sizeof before);
    for (uint32_t i = 0; i < N; i++) {
      g_assert_cmpuint (order[i], <, N);
      counts[labels[order[i]]]++;
      times[order[i]]++;
    }
    g_assert_cmpuint (counts[2], ==, 0);
    for (uint32_t c = 0; c < CLASSES; c++)
      g_assert_true (c == 2 || counts[c] == N / 3 || counts[c] == N / 3 + 1);
    for (uint32_t i = 0; i < LARGE + MIDDLE; i++)
      g_assert_true (i < LARGE ? times[i] <= 1 : times[i] == 1 || times[i] == 2);
  }
}

/* Any number of workers, any position to start at: the same bits. */
static void
test_same_bits (void)
{
  static Memory expected[12], memory;
  g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE + 3, SIDE + 1, CLASSES, NULL);
  for (uint32_t workers = 1; workers <= 5; workers += 2) {
    const SlLoaderOptions options = {.batch = 16,
                                     .shuffle = TRUE,
                                     .seed = 3,
                                     .workers = workers,
                                     .read_ahead = 7,
                                     .augment = &much};
    g_autoptr (SlLoader) loader = new_loader (source, options, 1);
    for (uint32_t b = 0; b < 12; b++) {
      init_memory (&memory, 16, 1, FALSE);
      if (workers == 5)
        sl_loader_seek (loader, (11 - b) / 4, (11 - b) % 4);
      take (loader, &memory);
      uint32_t at = workers == 5 ? 11 - b : b;
      if (workers == 1)
        memcpy (&expected[at], &memory, sizeof memory);
      g_assert_cmpmem (memory.pictures, sizeof memory.pictures, expected[at].pictures,
                       sizeof memory.pictures);
      g_assert_cmpmem (memory.targets, sizeof memory.targets, expected[at].targets,
                       sizeof memory.targets);
    }
  }
}

/* Augmentation that changes nothing leaves the bits of the live code. */
static void
test_nothing_drawn (void)
{
  static Memory memory[2];
  const SlAugment nothing = {.erase_color = {9, 9, 9}};
  g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE + 3, SIDE + 1, CLASSES, NULL);
  for (int i = 0; i < 2; i++) {
    const SlLoaderOptions options = {.batch = 16, .augment = i ? &nothing : NULL};
    g_autoptr (SlLoader) loader = new_loader (source, options, 3);
    init_memory (&memory[i], 16, 3, TRUE);
    take (loader, &memory[i]);
  }
  g_assert_cmpmem (memory[0].pictures, sizeof memory[0].pictures, memory[1].pictures,
                   sizeof memory[1].pictures);
}

/* Each picture and its target are parts of two of the batch, as large as each other. */
static void
test_mix (void)
{
  double keeps[2] = {0, 0};
  for (int cut = 0; cut < 2; cut++) {
    static Memory plain, mixed;
    const SlAugment augment = {.mixup = cut ? 0 : 1, .cutmix = cut ? 1 : 0};
    g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
    g_autoptr (SlLoader) loader = new_loader (source, (SlLoaderOptions){.batch = 16}, 1);
    const SlLoaderOptions options = {.batch = 16, .augment = &augment, .seed = 4};
    g_autoptr (SlLoader) mixer = new_loader (source, options, 1);
    init_memory (&plain, 16, 1, FALSE);
    init_memory (&mixed, 16, 1, FALSE);
    for (int b = 0; b < 40; b++) {
      SlBatch batch = take (loader, &plain);
      take (mixer, &mixed);
      /* neighbours are of different classes, so that the target says how much is kept */
      double keep = (double)mixed.targets[CLASSES + batch.labels[1]];
      keeps[cut] += keep / 40;
      for (uint32_t n = 0; n < batch.n; n++) {
        uint32_t other = n ? n - 1 : batch.n - 1, pasted = 0;
        for (uint32_t k = 0; k < CLASSES; k++) {
          double wanted = keep * (double)plain.targets[n * CLASSES + k] +
                          (1 - keep) * (double)plain.targets[other * CLASSES + k];
          g_assert_cmpfloat_with_epsilon ((double)mixed.targets[n * CLASSES + k], wanted, 1e-6);
        }
        for (uint32_t i = 0; i < SIDE * SIDE; i++) {
          double mine = (double)plain.pictures[n * SIDE * SIDE + i];
          double its = (double)plain.pictures[other * SIDE * SIDE + i];
          double got = (double)mixed.pictures[n * SIDE * SIDE + i];
          if (!cut)
            g_assert_cmpfloat_with_epsilon (got, keep * mine + (1 - keep) * its, 1e-5);
          else
            g_assert_true (got == mine || got == its);
          pasted += got == its && mine != its;
        }
        if (cut)
          g_assert_cmpfloat_with_epsilon (1 - keep, pasted / (double)(SIDE * SIDE), 1e-6);
      }
    }
  }
  /* Beta (1, 1) is uniform; a part cut off at the edges keeps more */
  g_assert_true (keeps[0] > 0.27 && keeps[0] < 0.73 && keeps[1] > 0.4 && keeps[1] < 0.9);
}

static void
test_targets (void)
{
  static Memory memory;
  init_memory (&memory, 16, 1, FALSE);
  SlBatch batch;
  g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
  g_autoptr (SlLoader) loader = new_loader (source, (SlLoaderOptions){.batch = 16}, 1);
  g_assert_true (sl_loader_next (loader, &memory.picture_view, NULL, &batch, NULL));
  g_assert_true (sl_loader_next (loader, NULL, NULL, &batch, NULL));
}

/* For networks that restore their input: the target is the picture, of which the input lacks a
 * part; the same elements again at the same place, others in the next epoch. */
static void
test_mask (void)
{
  static Memory memory, again;
  static float wanted[16 * SIDE * SIDE];
  g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
  const SlLoaderOptions options = {
      .batch = 16, .shuffle = TRUE, .seed = 3, .mask = 0.4f, .restore = TRUE};
  init_memory (&memory, 16, 1, FALSE);
  init_memory (&again, 16, 1, FALSE);
  const SlTensorView target = {.dtype = SL_FLOAT32,
                               .shape = SL_SHAPE (16, SIDE * SIDE),
                               .stride = {SIDE * SIDE, 1},
                               .data = wanted};
  g_autoptr (SlLoader) loader = new_loader (source, options, 1);
  g_autoptr (SlLoader) other = new_loader (source, options, 1);
  uint32_t n_masked = 0, n_other = 0;
  for (uint32_t b = 0; b < 4; b++) {
    SlBatch batch;
    g_autoptr (GError) error = NULL;
    sl_loader_next (loader, &memory.picture_view, &target, &batch, &error);
    g_assert_no_error (error);
    sl_loader_seek (other, 0, b);
    g_assert_true (sl_loader_next (other, &again.picture_view, NULL, &batch, NULL));
    g_assert_cmpmem (memory.pictures, sizeof memory.pictures, again.pictures,
                     sizeof again.pictures);
    sl_loader_seek (other, 1, b);
    g_assert_true (sl_loader_next (other, &again.picture_view, NULL, &batch, NULL));
    for (uint32_t i = 0; i < batch.n * SIDE * SIDE; i++) {
      g_assert_true (memory.pictures[i] == 0 || memory.pictures[i] == wanted[i]);
      n_masked += memory.pictures[i] == 0 && wanted[i] != 0;
      n_other += (memory.pictures[i] == 0) != (again.pictures[i] == 0);
    }
  }
  const double part = n_masked / (double)(N * SIDE * SIDE);
  g_assert_cmpfloat (part, >, 0.35);
  g_assert_cmpfloat (part, <, 0.45);
  g_assert_cmpuint (n_other, >, N * SIDE);
}

/* A source around another one, some of whose samples cannot be read. */
typedef struct Faulty {
  SlSampleSource *inner;
  gboolean all;
  atomic_int lent, n_loaded;
  pthread_mutex_t gate; /* held: loading stands still */
} Faulty;

static gboolean
faulty_load (void *data, uint32_t index, SlSample *ret, GError **error)
{
  Faulty *faulty = data;
  atomic_fetch_add (&faulty->n_loaded, 1);
  pthread_mutex_lock (&faulty->gate);
  pthread_mutex_unlock (&faulty->gate);
  if (faulty->all || index % 5 == 1) {
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "made[%u]: cannot be decoded", index);
    return FALSE;
  }
  atomic_fetch_add (&faulty->lent, 1);
  return sl_sample_source_load (faulty->inner, index, ret, error);
}

static void
faulty_release (void *data, SlSample *sample)
{
  Faulty *faulty = data;
  atomic_fetch_sub (&faulty->lent, 1);
  sl_sample_source_release (faulty->inner, sample);
}

static char *
faulty_describe (void *data, uint32_t index)
{
  return sl_sample_source_describe (((Faulty *)data)->inner, index);
}

static char *
faulty_hash (void *data, GError **error)
{
  return g_strdup ("faulty");
}

static SlSampleSource *
faulty_source (Faulty *faulty)
{
  uint32_t labels[N];
  for (uint32_t i = 0; i < N; i++)
    labels[i] = i % CLASSES;
  pthread_mutex_init (&faulty->gate, NULL);
  return sl_sample_source_new (
      &(SlSampleSourceSpec){
          .n_samples = N,
          .labels = labels,
          .n_classes = CLASSES,
          .class_names = sl_sample_source_get_class_names (faulty->inner),
          .load = faulty_load,
          .release = faulty_release,
          .describe = faulty_describe,
          .get_hash = faulty_hash,
          .data = faulty,
      },
      NULL);
}

static void
test_unreadable (void)
{
  static Memory memory;
  init_memory (&memory, 16, 1, FALSE);
  g_autoptr (SlSampleSource) inner = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
  Faulty faulty = {.inner = inner};
  g_autoptr (SlSampleSource) source = faulty_source (&faulty);
  static const uint32_t counts[] = {13, 12, 13, 2};
  /* In the source's order, to measure: each once, what cannot be read not at all. */
  SlLoader *loader = new_loader (source, (SlLoaderOptions){.batch = 16, .workers = 2}, 1);
  for (int pass = 0; pass < 2; pass++)
    for (uint32_t b = 0, next = 0; b < 4; b++) {
      SlBatch batch = take (loader, &memory);
      check_batch (&memory, &batch, 1);
      for (uint32_t i = 0; i < batch.n; i++, next++) {
        next += next % 5 == 1;
        g_assert_cmpuint (batch.indices[i], ==, next);
      }
      g_assert_cmpuint (batch.n, ==, counts[b]);
    }
  g_auto (GStrv) failures = sl_loader_list_failures (loader);
  g_assert_cmpuint (g_strv_length (failures), ==, N / 5);
  g_assert_nonnull (strstr (failures[0], "cannot be decoded"));
  sl_loader_free (loader);
  g_assert_cmpint (faulty.lent, ==, 0);

  /* Shuffled, to train: the next of the order in its place, whole batches. */
  g_autofree uint32_t *order = sl_order_new (N, TRUE, 7, 0);
  const SlLoaderOptions shuffled = {.batch = 16, .shuffle = TRUE, .seed = 7};
  loader = new_loader (source, shuffled, 1);
  for (uint32_t b = 0; b < 4; b++) {
    SlBatch batch = take (loader, &memory);
    g_assert_cmpuint (batch.n, ==, b == 3 ? 2 : 16);
    for (uint32_t i = 0; i < batch.n; i++) {
      uint32_t place = b * 16 + i;
      while (order[place % N] % 5 == 1)
        place++;
      g_assert_cmpuint (batch.indices[i], ==, order[place % N]);
    }
  }
  sl_loader_free (loader);

  faulty.all = TRUE;
  g_autoptr (SlLoader) nothing = new_loader (source, (SlLoaderOptions){.batch = 16}, 1);
  g_assert_cmpuint (take (nothing, &memory).n, ==, 0);
  g_autoptr (SlLoader) none = new_loader (source, shuffled, 1);
  for (int i = 0; i < 2; i++) {
    SlBatch batch;
    g_autoptr (GError) error = NULL;
    g_assert_false (
        sl_loader_next (none, &memory.picture_view, &memory.target_view, &batch, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_IO);
  }
  faulty.all = FALSE; /* the file is back */
  SlBatch batch = take (none, &memory);
  g_assert_cmpuint (batch.step, ==, 0);
}

/* Reading ahead ends at its bound, and freeing does not wait for more than a sample. */
static void
test_bounds (void)
{
  static Memory memory;
  init_memory (&memory, 4, 1, FALSE);
  g_autoptr (SlSampleSource) inner = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
  Faulty faulty = {.inner = inner};
  g_autoptr (SlSampleSource) source = faulty_source (&faulty);
  const SlLoaderOptions options = {.batch = 4, .workers = 3, .read_ahead = 3};
  SlLoader *loader = new_loader (source, options, 1);
  take (loader, &memory);
  /* of batches 0 … 3 at most 16 samples and those in the place of unreadable ones */
  for (int i = 0; i < 50; i++) {
    g_usleep (200);
    g_assert_cmpint (faulty.n_loaded, <=, 20);
  }
  pthread_mutex_lock (&faulty.gate);
  take (loader, &memory);
  int before = faulty.n_loaded;
  g_thread_yield ();
  pthread_mutex_unlock (&faulty.gate);
  sl_loader_free (loader); /* while workers are at it */
  g_assert_cmpint (faulty.n_loaded, <=, before + 20);
  g_assert_cmpint (faulty.lent, ==, 0);
}

static void
check_refused (SlSampleSource *source, SlLoaderOptions options, SlErrorCode code)
{
  SlPreprocess rules;
  g_autoptr (GError) error = NULL;
  sl_preprocess_init (&rules, SIDE, SIDE, 1);
  options.rules = &rules;
  g_assert_null (sl_loader_new (source, &options, &error));
  g_assert_error (error, SL_ERROR, (int)code);
}

static void
test_refused (void)
{
  static Memory memory;
  g_autoptr (SlSampleSource) source = files_gray_source (N, SIDE, SIDE, CLASSES, NULL);
  check_refused (source, (SlLoaderOptions){.batch = 0}, SL_ERROR_UNSUPPORTED);
  check_refused (source, (SlLoaderOptions){.batch = N + 1, .drop_last = TRUE},
                 SL_ERROR_UNSUPPORTED);
  check_refused (source, (SlLoaderOptions){.batch = 16, .memory_limit = 100}, SL_ERROR_LIMIT);
  check_refused (source, (SlLoaderOptions){.batch = 16, .mask = 1}, SL_ERROR_UNSUPPORTED);

  g_autoptr (SlLoader) loader = new_loader (source, (SlLoaderOptions){.batch = 16}, 1);
  for (int kind = 0; kind < 5; kind++) {
    SlBatch batch;
    g_autoptr (GError) error = NULL;
    init_memory (&memory, 16, 1, FALSE);
    if (kind == 0)
      memory.picture_view.dtype = SL_FLOAT16;
    else if (kind == 1)
      memory.picture_view.shape.dim[1] = 3;
    else if (kind == 2)
      memory.picture_view.shape.dim[0] = 15;
    else if (kind == 3)
      memory.target_view.shape.dim[1] = 5;
    else
      memory.target_view.shape.dim[1] = 1;
    g_assert_false (
        sl_loader_next (loader, &memory.picture_view, &memory.target_view, &batch, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  }
  init_memory (&memory, 16, 1, FALSE);
  SlBatch batch = take (loader, &memory);
  g_assert_cmpuint (batch.step, ==, 0);
}

/* Pictures that need no resampling take a short cut: the bits are those of the live code. */
static void
test_short_cut (void)
{
  static const SlPixelFormat formats[] = {SL_PIXEL_GRAY8, SL_PIXEL_RGB,  SL_PIXEL_BGR,
                                          SL_PIXEL_RGBX,  SL_PIXEL_XBGR, SL_PIXEL_BGRX};
  g_autoptr (SlSampleSource) source = files_gray_source (40, SIDE * 4, SIDE, CLASSES, NULL);
  for (gsize f = 0; f < G_N_ELEMENTS (formats); f++)
    for (uint32_t channels = 1; channels <= 3; channels += 2)
      for (int order = 0; order < SL_ORDER_COUNT; order++) {
        SlPreprocess rules;
        SlSample sample;
        float direct[3 * SIDE * SIDE];
        const ptrdiff_t strides[3] = {SIDE * SIDE, SIDE, 1};
        sl_preprocess_init (&rules, SIDE, SIDE, channels);
        rules = (SlPreprocess){.width = SIDE,
                               .height = SIDE,
                               .channels = channels,
                               .order = order,
                               .scale = 1 / 255.0f,
                               .mean = {0.485f, 0.456f, 0.406f},
                               .std = {0.229f, 0.224f, 0.225f}};
        g_assert_true (sl_sample_source_load (source, 17, &sample, NULL));
        sample.info.format = formats[f];
        sample.info.width = SIDE;
        g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&sample.info, &rules, 1, NULL);
        g_assert_true (sl_image_sample (sampler, &sample.image, direct, strides));
        g_autoptr (SlPictureMaker) maker = sl_picture_maker_new (&rules, NULL, NULL);
        float made[3 * SIDE * SIDE];
        g_assert_true (sl_picture_maker_fill (maker, &sample, NULL, made, strides, NULL));
        g_assert_cmpmem (made, channels * SIDE * SIDE * sizeof (float), direct,
                         channels * SIDE * SIDE * sizeof (float));
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/data/loader/batches", test_batches);
  g_test_add_func ("/data/loader/other-view", test_other_view);
  g_test_add_func ("/data/loader/shuffle", test_shuffle);
  g_test_add_func ("/data/loader/fair-order", test_fair_order);
  g_test_add_func ("/data/loader/balance", test_balance);
  g_test_add_func ("/data/loader/same-bits", test_same_bits);
  g_test_add_func ("/data/loader/nothing-drawn", test_nothing_drawn);
  g_test_add_func ("/data/loader/mix", test_mix);
  g_test_add_func ("/data/loader/targets", test_targets);
  g_test_add_func ("/data/loader/mask", test_mask);
  g_test_add_func ("/data/loader/unreadable", test_unreadable);
  g_test_add_func ("/data/loader/bounds", test_bounds);
  g_test_add_func ("/data/loader/refused", test_refused);
  g_test_add_func ("/data/loader/short-cut", test_short_cut);
  return g_test_run ();
}
