#include <sightline-gst/timeline.h>

/* What cannot be told apart in the milliseconds of subtitles is no interval. */
#define SHORTEST GST_MSECOND

/* A class that is, or may become, what is seen. */
typedef struct {
  guint index;
  gchar *label; /* NULL: there is none */
  GstClockTime since;
  double score_sum;
  guint n_results;
} Sighting;

typedef struct {
  SlInterval interval;
  gchar *label;
} Complete;

struct SlTimeline {
  SlTimelineOptions options;
  Sighting current;
  Sighting rival;        /* another class that is the best, for less than `hold` so far */
  GstClockTime doubt;    /* since then `current` is contradicted; NONE: it is not */
  GstClockTime from;     /* what lies before is told */
  GstClockTime last;     /* the last result's time; NONE: none since the start or since closed */
  GstClockTime distance; /* between the last two results */
  GQueue complete;       /* of Complete */
  Complete *given;       /* what sl_timeline_next() returned last */
};

static void
complete_free (Complete *complete)
{
  if (complete)
    g_free (complete->label);
  g_free (complete);
}

static void
sighting_clear (Sighting *sighting)
{
  g_free (sighting->label);
  *sighting = (Sighting){0};
}

/* `label` is the best of the frame at `time`. */
static void
sighting_add (Sighting *sighting, GstClockTime time, const SlLabel *label)
{
  if (!sighting->label || sighting->index != label->index) {
    sighting_clear (sighting);
    sighting->index = label->index;
    sighting->label = g_strdup (label->label);
    sighting->since = time;
  }
  sighting->score_sum += (double)label->score;
  sighting->n_results++;
}

SlTimeline *
sl_timeline_new (const SlTimelineOptions *options)
{
  SlTimeline *self = g_new0 (SlTimeline, 1);

  self->options = options ? *options
                          : (SlTimelineOptions){SL_TIMELINE_ENTER, SL_TIMELINE_LEAVE,
                                                SL_TIMELINE_HOLD, SL_TIMELINE_MIN_DURATION};
  self->options.leave = MIN (self->options.leave, self->options.enter);
  self->options.min_duration = MAX (self->options.min_duration, SHORTEST);
  self->doubt = self->last = GST_CLOCK_TIME_NONE;
  return self;
}

void
sl_timeline_free (SlTimeline *self)
{
  if (!self)
    return;
  sighting_clear (&self->current);
  sighting_clear (&self->rival);
  g_queue_clear_full (&self->complete, (GDestroyNotify)complete_free);
  complete_free (self->given);
  g_free (self);
}

/* Ends the current class at `end`, and puts the rival, or nothing, in its place. */
static void
change_current (SlTimeline *self, GstClockTime end)
{
  Sighting *current = &self->current;

  if (current->label && end >= current->since + self->options.min_duration) {
    Complete *complete = g_new0 (Complete, 1);
    complete->label = g_steal_pointer (&current->label);
    complete->interval = (SlInterval){.start = current->since,
                                      .end = end,
                                      .index = current->index,
                                      .score = (gfloat)(current->score_sum / current->n_results),
                                      .label = complete->label};
    g_queue_push_tail (&self->complete, complete);
  }
  sighting_clear (current);
  *current = self->rival;
  self->rival = (Sighting){0};
  self->doubt = GST_CLOCK_TIME_NONE;
}

/* What was said last held until `time`: long enough to be believed? */
static void
settle_doubt (SlTimeline *self, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (self->doubt) && time - self->doubt >= self->options.hold)
    change_current (self, self->doubt);
}

static const SlLabel *
find_label (const SlLabel *labels, guint n_labels, guint index, gfloat least)
{
  for (guint i = 0; i < n_labels; i++)
    if (labels[i].index == index)
      return labels[i].score >= least ? &labels[i] : NULL;
  return NULL;
}

void
sl_timeline_add (SlTimeline *self, GstClockTime time, const SlLabel *labels, guint n_labels)
{
  Sighting *current = &self->current;
  const SlLabel *entered, *stays = NULL;

  g_return_if_fail (self && (labels || n_labels == 0));

  if (!GST_CLOCK_TIME_IS_VALID (time) || time < self->from)
    return;
  self->distance = GST_CLOCK_TIME_IS_VALID (self->last) ? time - self->last : 0;
  self->last = time;
  self->from = time + 1;
  settle_doubt (self, time);

  entered = n_labels > 0 && labels[0].score >= self->options.enter ? &labels[0] : NULL;
  if (!entered && current->label)
    stays = find_label (labels, n_labels, current->index, self->options.leave);
  else if (entered && (!current->label || current->index == entered->index))
    stays = entered;

  if (stays) {
    sighting_add (current, time, stays);
    sighting_clear (&self->rival);
    self->doubt = GST_CLOCK_TIME_NONE;
    return;
  }
  if (current->label && !GST_CLOCK_TIME_IS_VALID (self->doubt))
    self->doubt = time;
  if (entered)
    sighting_add (&self->rival, time, entered);
  else
    sighting_clear (&self->rival);
}

void
sl_timeline_close (SlTimeline *self, GstClockTime end)
{
  g_return_if_fail (self);

  if (!GST_CLOCK_TIME_IS_VALID (self->last))
    return;
  if (!GST_CLOCK_TIME_IS_VALID (end) || end < self->last)
    end = self->last + self->distance;
  settle_doubt (self, end);
  sighting_clear (&self->rival);
  change_current (self, end);
  self->from = end;
  self->last = GST_CLOCK_TIME_NONE;
}

const SlInterval *
sl_timeline_next (SlTimeline *self)
{
  g_return_val_if_fail (self, NULL);

  complete_free (self->given);
  self->given = g_queue_pop_head (&self->complete);
  return self->given ? &self->given->interval : NULL;
}
