/* The sound of a clip, on its way into another file: passed through where the container takes it as
 * it is, else decoded and encoded anew. */
#pragma once

#include "encoding.h"

typedef struct ToolSound ToolSound;

/* Adds to `pipeline` what reads the sound of `uri` and links it to `muxer` as soon as streaming
 * starts. NULL with an error. */
ToolSound *tool_sound_new (GstBin *pipeline, GstElement *muxer, const ToolContainer *container,
                           const char *uri, GError **error);
void tool_sound_free (ToolSound *sound);

/* Before streaming starts: only sound from `from` on, which becomes the start, up to `to`
 * (GST_CLOCK_TIME_NONE: to the end) is wanted; stream time. */
void tool_sound_set_window (ToolSound *sound, GstClockTime from, GstClockTime to);

/* TRUE once all streams of sound are linked, or it is clear that there are none. */
gboolean tool_sound_is_ready (ToolSound *sound);

/* Streams that were linked. If there are none, the reader is to be taken out by
 * tool_sound_remove(). */
guint tool_sound_count (ToolSound *sound);
void tool_sound_remove (ToolSound *sound);

/* Whether a message comes from the reader of the sound. */
gboolean tool_sound_owns (ToolSound *sound, GstMessage *message);

/* The error of a stream that could not be linked, or NULL. */
const GError *tool_sound_get_error (ToolSound *sound);
