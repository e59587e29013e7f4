/* Labelled pictures to train on from where people keep them: folders of pictures and clips by
 * class, and tar archives of them. They are decoded once when they are opened: what cannot be read
 * is known before anything else begins, is listed, and is no sample. */
#pragma once

#include <sightline-gst/decode.h>
#include <sightline/dataset.h>

G_BEGIN_DECLS

/* Most pixels of a picture that is decoded. */
#define SL_SAMPLES_MAX_PIXELS 100000000u
/* Most bytes of one file in an archive, and of a picture. */
#define SL_SAMPLES_MAX_FILE (G_GUINT64_CONSTANT (1) << 28)

/* Zero in a field means its default. */
typedef struct SlSamplesOptions {
  guint64 memory_limit; /* bytes of decoded pictures that stay in memory; others are decoded anew
                           each time; default 1 GiB */
  double clip_rate;     /* frames of a second of a clip that are samples; default 2 */
  guint threads;        /* that decode; default: one for each core */
} SlSamplesOptions;

/* What was found. */
typedef struct SlSamplesReport {
  guint64 n_files, n_clips;   /* with a picture's or a clip's suffix, of the part that was opened */
  guint64 n_ignored;          /* other files */
  char **unreadable;          /* "FILE: what is wrong", NULL-ended */
  guint32 *unreadable_counts; /* files by class */
  guint32 width[2], height[2]; /* least and most, as viewed */
  guint64 kept_bytes;          /* of decoded pictures in memory */
  guint64 n_kept;              /* samples whose picture is */
} SlSamplesReport;

SL_API void sl_samples_report_free (SlSamplesReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlSamplesReport, sl_samples_report_free)

/* Opens a part of what is at `path`:
 *  - a folder of data sets that the engine reads itself (sl_sample_source_open());
 *  - CLASS/…/picture.jpg, where all belong to the training part;
 *  - train/CLASS/…, val/CLASS/…, test/CLASS/… (also "training", "valid", "validation", "testing"):
 * classes are those of all parts together;
 *  - an archive (tar, plain or packed with gzip, bzip2, xz or zstd) of either, in any folder;
 *  - a folder with no such pictures and a single archive.
 * Classes are in the order of their names' bytes. A folder between class and file is a capture
 * session, and so is each clip (copies of one are the same session); where there is neither,
 * sessions are not known. Names that begin with a dot are passed over, and so are links to folders.
 * An archive's files are kept in memory, up to SL_DATASET_MAX_BYTES; nothing of it is written to
 * disk, and names that lead out of it, links and special files in it are unreadable.
 *
 * Errors: SL_ERROR_NOT_FOUND where the set has no such part; SL_ERROR_IO where nothing at `path`,
 * or nothing of the part, can be read; SL_ERROR_MALFORMED for an archive or a file of a data set
 * that is none or is damaged; SL_ERROR_LIMIT where an archive or the frames of clips need more
 * memory than they may. `options` and `ret_report` may be NULL; gst_init() has been called. */
SL_API SlSampleSource *sl_samples_open (const char *path, SlDataPart part,
                                        const SlSamplesOptions *options,
                                        SlSamplesReport **ret_report, GError **error);

G_END_DECLS
