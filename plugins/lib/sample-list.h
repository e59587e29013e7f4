/* Which files a data set has: names, classes, parts, sessions. Nothing is decoded. */
#pragma once

#include <sightline-gst/samples.h>

typedef struct SlSampleFile {
  char *name;    /* within the data set */
  GBytes *bytes; /* of a file in an archive; NULL: it lies in the folder */
  char *problem; /* why it cannot be read, known from its place alone; or NULL */
  SlDataPart part;
  guint32 label;
  gboolean clip;   /* by its suffix */
  guint32 session; /* 0: none */
} SlSampleFile;

typedef struct SlSampleList {
  char *root; /* path of the folder, or of the archive */
  gboolean archive;
  GArray *files;                 /* of SlSampleFile, by name */
  char **classes;                /* NULL-ended, by name */
  gboolean parted;               /* train, val, test; else all is training */
  char *problems[SL_PART_COUNT]; /* why a part's folder cannot be read; NULL: it can, or is none */
  guint64 n_ignored;
} SlSampleList;

/* SL_ERROR_IO, SL_ERROR_MALFORMED, SL_ERROR_LIMIT. */
SlSampleList *sl_sample_list_new (const char *path, GError **error);
void sl_sample_list_free (SlSampleList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlSampleList, sl_sample_list_free)

/* The bytes of a file, SL_SAMPLES_MAX_FILE at most: SL_ERROR_LIMIT. */
GBytes *sl_sample_list_read (const SlSampleList *list, const SlSampleFile *file, GError **error);
/* Adds length and bytes of a file of any length, a piece at a time. */
gboolean sl_sample_list_hash (const SlSampleList *list, const SlSampleFile *file, GChecksum *sum,
                              GError **error);
/* Its path, as messages name it. */
char *sl_sample_list_describe (const SlSampleList *list, const SlSampleFile *file);
