/* When was what seen: results in the order of time become intervals, one for each appearance of a
 * class. */
#pragma once

#include <sightline-gst/label-meta.h>

G_BEGIN_DECLS

/* The best class of a frame flickers, and people want to read "cat from 3 s to 9 s". So a class
 * - enters when it is the best of a frame and its score reaches `enter`,
 * - stays while its score reaches `leave` and no other class has entered,
 * - and ends, at the frame where that was no longer so, only if it does not come back within
 * `hold`: what contradicts it for less time is taken for flicker. A class that took its place
 * begins at the first frame in which it was the best. What a result says holds until the next one.
 * Intervals shorter than `min_duration` are left out. One class at a time is told: intervals never
 * overlap, and come in the order of time. */
typedef struct SlTimelineOptions {
  gfloat enter, leave; /* scores; `leave` above `enter` counts as `enter` */
  GstClockTime hold, min_duration;
} SlTimelineOptions;

/* At 0.5 a class is likelier than all others together, so no two can enter in one frame; 0.3 leaves
 * room for a bad view of the same thing. Half a second is about the shortest text that can be read,
 * and longer than the blur of a camera that turns or the frames between two key frames of a poor
 * stream. */
#define SL_TIMELINE_ENTER 0.5f
#define SL_TIMELINE_LEAVE 0.3f
#define SL_TIMELINE_HOLD (500 * GST_MSECOND)
#define SL_TIMELINE_MIN_DURATION (500 * GST_MSECOND)

/* From `start` up to `end`, which is later by a millisecond at least. */
typedef struct SlInterval {
  GstClockTime start, end;
  guint index;  /* class number */
  gfloat score; /* mean of the results that speak for it */
  const gchar *label;
} SlInterval;

/* One thread at a time. */
typedef struct SlTimeline SlTimeline;

/* NULL: the defaults above. */
SL_API SlTimeline *sl_timeline_new (const SlTimelineOptions *options);
SL_API void sl_timeline_free (SlTimeline *timeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlTimeline, sl_timeline_free)

/* A result: the labels of the frame at `time` (stream time), best first; what is not among them has
 * score 0. Nothing is told twice: results without time, not after the last one, or before the end
 * that sl_timeline_close() set, are passed over. */
SL_API void sl_timeline_add (SlTimeline *timeline, GstClockTime time, const SlLabel *labels,
                             guint n_labels);

/* Ends what is open, at `end`: the last frame's end. GST_CLOCK_TIME_NONE, or a time before the last
 * result: after that one by as much as it came after the one before it. To be called at the end,
 * and where time jumps; results may follow. */
SL_API void sl_timeline_close (SlTimeline *timeline, GstClockTime end);

/* The next interval that is complete, the time line's until the next call; NULL if there is none so
 * far. An interval is complete `hold` after its end, or when closed. */
SL_API const SlInterval *sl_timeline_next (SlTimeline *timeline);

G_END_DECLS
