/* Streams of results through slresults, and what comes of them. */
#pragma once

#include "fixture.h"

#define STEP (100 * GST_MSECOND) /* between frames */

/* A playing slresults named "out" that takes any caps, with further properties (name, value …,
 * NULL). Unless they say otherwise it writes no wall clock, since rows are compared to the letter,
 * and calls the source "s", which is not live. */
Fixture *results_start (const gchar *location, const gchar *first_property, ...);

/* A path for a file that is not there yet. */
gchar *results_place (const gchar *name);

/* An empty buffer with the n-th timestamp. */
GstBuffer *results_buffer (guint n);

/* The labels (`label`, class 0 for "a…", or none if NULL) that `producer` found in frame `frame`,
 * on a buffer `age` frames later. */
SlLabelMeta *results_add_labels (GstBuffer *buffer, const gchar *producer, const gchar *model,
                                 guint64 frame, guint64 age, const gchar *label, gfloat score);

void results_push (Fixture *fixture, GstBuffer *buffer);
/* Frame n with a result of its own, by "net" with the model "m": `label` at 0.75. */
void results_push_frame (Fixture *fixture, guint n, const gchar *label);
/* Frames `from` up to `to`. */
void results_push_run (Fixture *fixture, guint from, guint to, const gchar *label);
void results_push_eos (Fixture *fixture);

guint64 results_get_stat (Fixture *fixture, const gchar *name);
void results_assert_file (const gchar *path, const gchar *expected);
/* Neither an error nor a warning. */
void results_assert_no_message (Fixture *fixture);
/* A warning of GST_RESOURCE_ERROR, and no error before it. */
void results_expect_warning (Fixture *fixture, gint code, const gchar *part);

/* The row of such a frame. */
#define ROW(frame, pts, label, score)                                  \
  "{\"source\":\"s\",\"frame\":" frame ",\"pts\":" pts                 \
  ",\"labels\":[{\"index\":0,\"label\":\"" label "\",\"score\":" score \
  "}],\"model\":\"m\",\"producer\":\"net\"}\n"
