/* Pictures of all formats, one after the other, without a pipeline for each. */
#pragma once

#include <gst/video/video.h>

/* One thread at a time. */
typedef struct SlStillDecoder SlStillDecoder;

SlStillDecoder *sl_still_decoder_new (void);
void sl_still_decoder_free (SlStillDecoder *decoder);

/* The picture (of several, the first) that the bytes of a file hold, and EXIF's orientation, 1 … 8.
 * An error if the file is broken, ends early, or is larger than `max_pixels`; its text has no file
 * name. */
GstSample *sl_still_decoder_decode (SlStillDecoder *decoder, GBytes *file, guint64 max_pixels,
                                    guint *ret_orientation, GError **error);
