/* Results that no frame carried. With late-policy=latest the last frames of a stream have gone on
 * before their results are there; those follow them as an event. */
#pragma once

#include <gst/gst.h>
#include <sightline/error.h>

G_BEGIN_DECLS

/* A serialized custom downstream event, structure "sightline-result", whose field "buffer" is an
 * empty buffer (no memory) with the timestamps of the frame that was looked at and the metas that a
 * frame would have carried: `age` counts the frames that had gone on since. Takes the buffer. */
SL_API GstEvent *sl_result_event_new (GstBuffer *buffer);

/* That buffer, the event's; NULL if it is another event. */
SL_API GstBuffer *sl_result_event_get_buffer (GstEvent *event);

G_END_DECLS
