#include "selection.h"

#include "command.h"
#include "options.h"
#include "stop.h"

/* How long a wait for a frame lasts before Ctrl-C is looked at. */
#define POLL_INTERVAL (50 * GST_MSECOND)

static GstClockTime
to_clock (double seconds)
{
  return (GstClockTime)(seconds * (double)GST_SECOND + 0.5);
}

int
tool_selection_parse (const char *command, ToolSelection *selection, const char *from,
                      const char *to)
{
  if (selection->every < 1)
    return tool_usage_error (command, "--every %d (expected 1 or more)", selection->every);
  if (!(selection->rate >= 0 && selection->rate <= 1e6))
    return tool_usage_error (command, "--rate %g (expected frames a second, more than 0)",
                             selection->rate);
  if (selection->rate > 0 && selection->every > 1)
    return tool_usage_error (command, "--every and --rate exclude each other");
  if (from && !tool_parse_time (from, &selection->from))
    return tool_usage_error (command, "--from %s (expected seconds or H:MM:SS)", from);
  if (to && (!tool_parse_time (to, &selection->to) || selection->to <= selection->from))
    return tool_usage_error (command, "--to %s (expected seconds or H:MM:SS after --from)", to);
  return TOOL_OK;
}

void
tool_selection_start (ToolSelection *selection)
{
  selection->due = GST_CLOCK_TIME_NONE;
}

ToolFrameChoice
tool_selection_choose (ToolSelection *selection, guint64 number, GstClockTime pts)
{
  gboolean timed = selection->rate > 0 || selection->from > 0 || selection->to > 0;
  if (timed && !GST_CLOCK_TIME_IS_VALID (pts))
    return TOOL_FRAME_NO_TIME;
  if (selection->to > 0 && pts >= to_clock (selection->to))
    return TOOL_FRAME_PAST_END;
  if (timed && pts < to_clock (selection->from))
    return TOOL_FRAME_SKIP;
  if (selection->every > 1 && number % (guint64)selection->every != 0)
    return TOOL_FRAME_SKIP;
  if (selection->rate > 0) {
    if (GST_CLOCK_TIME_IS_VALID (selection->due) && pts < selection->due)
      return TOOL_FRAME_SKIP;
    /* Wanted times lie on a grid from the first frame on, so that rounding does not add up. */
    GstClockTime period = MAX (to_clock (1 / selection->rate), 1);
    if (!GST_CLOCK_TIME_IS_VALID (selection->due))
      selection->due = pts;
    selection->due += ((pts - selection->due) / period + 1) * period;
  }
  return TOOL_FRAME_TAKE;
}

gboolean
tool_selection_next (ToolSelection *selection, SlDecoder *decoder, SlDecodedFrame *ret_frame,
                     GError **error)
{
  while (!tool_stop_requested ()) {
    SlDecoderState state = sl_decoder_poll (decoder, POLL_INTERVAL, ret_frame);
    if (state == SL_DECODER_END)
      return FALSE;
    if (state == SL_DECODER_WAITING)
      continue;
    switch (tool_selection_choose (selection, ret_frame->number, ret_frame->pts)) {
    case TOOL_FRAME_TAKE:
      return TRUE;
    case TOOL_FRAME_SKIP:
      break;
    case TOOL_FRAME_PAST_END:
      return FALSE;
    case TOOL_FRAME_NO_TIME:
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                   "frames have no timestamps (expected some for --from and --to)");
      return FALSE;
    }
  }
  return FALSE;
}

GstClockTime
tool_selection_get_from (const ToolSelection *selection)
{
  return to_clock (selection->from);
}

GstClockTime
tool_selection_get_to (const ToolSelection *selection)
{
  return selection->to > 0 ? to_clock (selection->to) : GST_CLOCK_TIME_NONE;
}
