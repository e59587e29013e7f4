/* How a JPEG picture has to be turned to be viewed: Debian 12's GStreamer decodes JPEG without
 * looking at its EXIF part. */
#pragma once

#include <glib.h>

/* Reads the head of one picture, which may come in pieces. One thread at a time. */
typedef struct SlExif SlExif;

SlExif *sl_exif_new (void);
void sl_exif_free (SlExif *exif);

/* The next bytes of the picture. */
void sl_exif_push (SlExif *exif, const guint8 *data, gsize size);

/* EXIF's orientation, 1 … 8; 1 where there is none, or not yet. */
guint sl_exif_get_orientation (const SlExif *exif);
