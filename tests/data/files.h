/* Data sets made for one test, in a folder that goes with it. */
#pragma once

#include <sightline/dataset.h>

/* A new folder; files_remove() removes it with all files right in it. */
char *files_make_folder (void);
void files_remove (char *folder);

/* Writes folder/name and returns its path. */
char *files_write (const char *folder, const char *name, GBytes *content);

/* An IDX content: unsigned bytes, `dims` ended by 0, `data` of n bytes. */
GBytes *files_idx (const guint32 *dims, const guint8 *data, gsize n);
/* Packed with gzip. */
GBytes *files_gzip (GBytes *content);

/* SIGHTLINE_DATA/name, or NULL, and the test is skipped, where it is not there. */
char *files_find_real (const char *name);

/* A source of n gray pictures, width x height, the pixel at (x, y) of picture i being
 * (7 i + 3 x + 5 y) mod 256, of class i mod n_classes. */
SlSampleSource *files_gray_source (uint32_t n, uint32_t width, uint32_t height, uint32_t n_classes,
                                   const uint32_t *groups);
