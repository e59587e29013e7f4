/* Labelled pictures to train and to measure on: where they come from, how they are divided, and
 * what is true of all of them together. Batches are made by the loader, <sightline/loader.h>. */
#pragma once

#include <sightline/image.h>

G_BEGIN_DECLS

/* One picture, lent by its source until it is released: `info` says how it lies in memory. Or
 * numbers that a network makes of one: as many as an input of the rules that it is loaded by has,
 * [C][H][W], which go there as they are. */
typedef struct SlSample {
  SlImageInfo info;
  SlImage image;
  const float *features; /* NULL: a picture */
  void *hold;            /* the source's own */
} SlSample;

/* Samples by number, each with a class. Immutable once made and reference-counted; every function
 * may be called from any thread. */
typedef struct SlSampleSource SlSampleSource;

/* What a source is made of. Arrays and strings are copied. */
typedef struct SlSampleSourceSpec {
  uint32_t n_samples;
  const uint32_t *labels; /* [n_samples], each below n_classes */
  const uint32_t *groups; /* [n_samples], or NULL: samples with the same number were captured in one
                             session (one clip, one burst) and may be nearly the same */
  uint32_t n_classes;
  const char *const *class_names; /* [n_classes] */

  /* Lends sample `index`; any number of threads call this at once. */
  gboolean (*load) (void *data, uint32_t index, SlSample *ret_sample, GError **error);
  void (*release) (void *data, SlSample *sample); /* NULL: nothing to give back */
  char *(*describe) (void *data, uint32_t index); /* its file; free with g_free() */
  char *(*get_hash) (void *data, GError **error); /* of all pictures, as text; may be slow */
  void (*destroy) (void *data);                   /* NULL: nothing to free */
  void *data;
} SlSampleSourceSpec;

/* SL_ERROR_MALFORMED if there are no samples or classes, or a label is out of range; `data` is then
 * destroyed, too. */
SL_API SlSampleSource *sl_sample_source_new (const SlSampleSourceSpec *spec, GError **error);
SL_API SlSampleSource *sl_sample_source_ref (SlSampleSource *source);
SL_API void sl_sample_source_unref (SlSampleSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlSampleSource, sl_sample_source_unref)

/* Samples indices[0 … n - 1] of `source`, in this order. Classes stay, also those without any. */
SL_API SlSampleSource *sl_sample_source_new_subset (SlSampleSource *source, const uint32_t *indices,
                                                    uint32_t n, GError **error);

SL_API uint32_t sl_sample_source_get_n_samples (SlSampleSource *source);
SL_API uint32_t sl_sample_source_get_n_classes (SlSampleSource *source);
/* NULL-ended, the source's. */
SL_API const char *const *sl_sample_source_get_class_names (SlSampleSource *source);
SL_API uint32_t sl_sample_source_get_label (SlSampleSource *source, uint32_t index);
/* Whether sessions are known, and that of a sample (0 if they are not). */
SL_API gboolean sl_sample_source_has_groups (SlSampleSource *source);
SL_API uint32_t sl_sample_source_get_group (SlSampleSource *source, uint32_t index);
/* Samples of each class: ret_counts[n_classes]. */
SL_API void sl_sample_source_count (SlSampleSource *source, uint32_t *ret_counts);
/* What to call a sample in messages: its file. Free with g_free(). */
SL_API char *sl_sample_source_describe (SlSampleSource *source, uint32_t index);
/* SHA-256 of all pictures, labels and class names that the source was made from, hexadecimal: the
 * fingerprint of the data that a network was trained on (a subset has that of the whole). Reads
 * everything. Free with g_free(). */
SL_API char *sl_sample_source_get_hash (SlSampleSource *source, GError **error);

/* Lends a sample, which is given back with sl_sample_source_release() from any thread. */
SL_API gboolean sl_sample_source_load (SlSampleSource *source, uint32_t index, SlSample *ret_sample,
                                       GError **error);
SL_API void sl_sample_source_release (SlSampleSource *source, SlSample *sample);

/* --- readers: data sets in one file, held in memory --- */

/* Most bytes that a data set takes in memory; "data" in SIGHTLINE_LIMITS is another limit. */
#define SL_DATASET_MAX_BYTES (G_GUINT64_CONSTANT (4) << 30)

/* A pair of IDX files as those of MNIST, plain or gzip: images of unsigned bytes,
 * [N][rows][columns] gray or [N][rows][columns][3] RGB, and labels of unsigned bytes, [N].
 * `class_names`: NULL-ended, or NULL for "0", "1" … up to the largest label. Sizes stated by the
 * file are held against its length before anything is allocated. */
SL_API SlSampleSource *sl_idx_source_new (const char *images_path, const char *labels_path,
                                          const char *const *class_names, GError **error);

/* CIFAR-10's binary form: records of a label byte and 32 x 32 red, green and blue bytes, of all
 * `paths` (NULL-ended) one after the other. `class_names`: as above; NULL for CIFAR-10's own. */
SL_API SlSampleSource *sl_cifar10_source_new (const char *const *paths,
                                              const char *const *class_names, GError **error);

/* The part of a data set that is asked for. */
typedef enum { SL_PART_TRAIN, SL_PART_VALIDATION, SL_PART_TEST, SL_PART_COUNT } SlDataPart;
/* "train", "val", "test" */
SL_API const char *sl_data_part_get_name (SlDataPart part);

/* Opens a folder with the files of MNIST or its kin (train-images-idx3-ubyte, t10k-…, also .gz) or
 * of CIFAR-10 (data_batch_1.bin …, test_batch.bin). Class names: labels.txt or batches.meta.txt
 * beside them, one a line. Without such files: NULL with SL_ERROR_UNSUPPORTED; SL_ERROR_NOT_FOUND
 * for a part of which the set has no file (there is no validation part: split the training part),
 * SL_ERROR_IO for one that lacks some. */
SL_API SlSampleSource *sl_sample_source_open (const char *folder, SlDataPart part, GError **error);

/* --- dividing --- */

typedef enum {
  SL_SPLIT_RANDOM, /* of each class `fraction`, rounded, chosen by the seed; a class with two
                      samples or more has at least one on both sides */
  SL_SPLIT_LAST,   /* the last part, without shuffling: Keras's validation_split. The first part has
                      floor (n * (1 - fraction)) samples */
  SL_SPLIT_GROUP,  /* whole sessions, in an order chosen by the seed, until the second part has at
                      least `fraction`; one session at least stays in the first */
  SL_SPLIT_COUNT
} SlSplitRule;

/* Divides a source into two, order kept within each. `fraction`, above 0 and below 1, is the second
 * part's. SL_ERROR_UNSUPPORTED, with the numbers, if a part would be empty or sessions are not
 * known. */
SL_API gboolean sl_sample_source_split (SlSampleSource *source, SlSplitRule rule, double fraction,
                                        guint64 seed, SlSampleSource **ret_first,
                                        SlSampleSource **ret_second, GError **error);

/* n samples chosen by the seed, of each class its share (to within one), in the source's order; the
 * source itself, another reference, where it has no more. */
SL_API SlSampleSource *sl_sample_source_draw (SlSampleSource *source, uint32_t n, guint64 seed,
                                              GError **error);

/* --- what is true of all samples --- */

/* Mean and standard deviation (of the population: divided by the number of pixels) of each channel
 * of the inputs that `rules` makes of all samples, times rules->scale and in the network's colour
 * order: what rules->mean and rules->std have to be for inputs of mean 0 and deviation 1. Those of
 * `rules` do not matter. A channel that never varies has deviation 1. The same bits for any number
 * of threads. Samples that cannot be read do not count; SL_ERROR_IO if none can. */
SL_API gboolean sl_sample_source_measure (SlSampleSource *source, const SlPreprocess *rules,
                                          float ret_mean[3], float ret_std[3], GError **error);

/* PCA: element i of the result is the input's part along principal component i, the largest first,
 * with variance 1. ZCA (Bell and Sejnowski 1997): that turned back, so that a picture still looks
 * like one; Krizhevsky 2009, Keras's zca_whitening. */
typedef enum { SL_WHITENING_PCA, SL_WHITENING_ZCA, SL_WHITENING_COUNT } SlWhiteningKind;

/* Most elements of an input (32 x 32 x 3 are 3,072); memory is 12 bytes times their square. */
#define SL_WHITENING_MAX_ELEMENTS 4096

/* A linear map of whole inputs, fitted on data: matrix * (input - mean), inputs as vectors in ONNX
 * order [C][H][W]. It belongs in front of a network's first layer, as constants of the graph: then
 * the model file carries it, and training and live video do the same. Immutable. */
typedef struct SlWhitening SlWhitening;

/* Fits the map to the inputs that `rules` makes of `max_samples` of the samples (evenly from all;
 * 0: of all), those that can be read. `epsilon` is added to each component's variance, which bounds
 * what becomes of those that hardly vary (Keras: 1e-6). Takes time with the elements' cube and with
 * their square times the samples. The same bits for any number of threads. SL_ERROR_LIMIT,
 * SL_ERROR_MEMORY, SL_ERROR_UNSUPPORTED, SL_ERROR_IO if no sample can be read. */
SL_API SlWhitening *sl_whitening_new (SlSampleSource *source, const SlPreprocess *rules,
                                      SlWhiteningKind kind, double epsilon, uint32_t max_samples,
                                      GError **error);
SL_API void sl_whitening_free (SlWhitening *whitening);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlWhitening, sl_whitening_free)
/* Elements n of an input; the mean, [n]; the matrix, [n][n], a row for each element of the result.
 * They are the whitening's. */
SL_API gsize sl_whitening_get_elements (const SlWhitening *whitening);
SL_API const float *sl_whitening_get_mean (const SlWhitening *whitening);
SL_API const float *sl_whitening_get_matrix (const SlWhitening *whitening);

G_END_DECLS
