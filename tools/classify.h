/* The parts of `sightline classify`: cmd_classify.c has the command line and what all inputs share,
 * classify_input.c takes one input after another through the network. */
#pragma once

#include "network.h"
#include "report.h"
#include "rows.h"
#include "selection.h"

#include <sightline-gst/classifier.h>
#include <sightline-gst/results.h>

typedef struct ClassifyOptions {
  ToolNetwork network;
  ToolSelection selection;
  SlResultFormat format;
  int top, threads, jobs;
  double threshold;
  gboolean recursive, quiet, key_frames, resume, half;
  char *output_path;
} ClassifyOptions;

/* What all inputs share. */
typedef struct Classify {
  const ClassifyOptions *options;
  const SlDevice *device; /* NULL: the classifier's choice */
  SlModel *model;
  SlModelRules *rules;
  GStrv names; /* of all classes */
  guint top;   /* labels a frame: no more than there are classes */
  SlResultLayout layout;
  GPtrArray *inputs;  /* char *: files, URIs, cameras */
  GPtrArray *outputs; /* char *, WebVTT: a file for each; NULL: standard output */
  ToolRows *rows;     /* the other formats */
  guint jobs;         /* inputs at once */
  gboolean live;      /* all inputs are cameras */

  GMutex lock;     /* of what follows */
  guint next;      /* input that nobody works on yet */
  guint counts[4]; /* inputs by SlOutcome */
  gboolean failed; /* something asked for was not done */
  gboolean noted;  /* that the CPU has taken over: each job's classifier would say so */
  ToolProgress progress;
  guint ended;                /* inputs */
  guint64 frames;             /* of these */
  struct ClassifyPart *parts; /* of each job */
} Classify;

/* How far a job is with its input. */
typedef struct ClassifyPart {
  double part; /* 0 … 1 */
  guint64 frames;
} ClassifyPart;

/* One thread's share: a classifier of its own; weights are the model's. */
typedef struct ClassifyJob ClassifyJob;

/* Number `number` of `shared->jobs`. NULL with an error. */
ClassifyJob *classify_job_new (Classify *shared, guint number, GError **error);
void classify_job_free (ClassifyJob *job);

/* Classes of the network. */
gsize classify_job_get_n_classes (ClassifyJob *job);

/* Takes inputs until there is none left, the output is broken, or the user says stop. */
void classify_job_run (ClassifyJob *job);

/* Tells how far job `number` is with its input; draws the bar. `part` is negative if unknown. */
void classify_show_progress (Classify *shared, guint number, double part, guint64 frames);
