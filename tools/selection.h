/* Which frames of a clip are looked at. */
#pragma once

#include <sightline-gst/decode.h>

typedef struct ToolSelection {
  int every;       /* each N-th frame; 1: all */
  double rate;     /* at most so many a second of footage; 0: all */
  double from, to; /* seconds of stream time, `to` not included; 0: from the start, to the end */

  GstClockTime due; /* state of one clip: when the next frame by `rate` is wanted */
} ToolSelection;

typedef enum {
  TOOL_FRAME_SKIP,
  TOOL_FRAME_TAKE,
  TOOL_FRAME_PAST_END,
  TOOL_FRAME_NO_TIME
} ToolFrameChoice;

/* Takes the options' texts, which may be NULL, and checks the rest. Returns TOOL_OK or, after a
 * report, TOOL_USAGE. */
int tool_selection_parse (const char *command, ToolSelection *selection, const char *from,
                          const char *to);

/* Before the first frame of a clip. */
void tool_selection_start (ToolSelection *selection);

/* Frames have to be asked about one after another. NO_TIME: times are asked for and the frame has
 * none. */
ToolFrameChoice tool_selection_choose (ToolSelection *selection, guint64 number, GstClockTime pts);

/* Reads on to the next frame that is wanted. FALSE at the end or when the user says stop, and with
 * an error where frames have no times that are asked for. */
gboolean tool_selection_next (ToolSelection *selection, SlDecoder *decoder,
                              SlDecodedFrame *ret_frame, GError **error);

/* The window on the clip: GST_CLOCK_TIME_NONE without an end. */
GstClockTime tool_selection_get_from (const ToolSelection *selection);
GstClockTime tool_selection_get_to (const ToolSelection *selection);
