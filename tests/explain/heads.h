/* Heads of classifiers on feature maps that are the network's input, and models made of graphs. */
#pragma once

#include "graph/build.h"

#include <sightline/sightline.h>

#define HEAD_CHANNELS 5
#define HEAD_HEIGHT 3
#define HEAD_WIDTH 4
#define HEAD_CLASSES 7

typedef struct Head {
  const char *name;
  /* From x (1, HEAD_CHANNELS, HEAD_HEIGHT, HEAD_WIDTH) to logits. */
  SlValue *(*logits) (SlGraph *graph, SlValue *x);
  const char *link;    /* op behind the logits, or NULL */
  const char *problem; /* what the refusal says; NULL: a class activation map is exact */
} Head;

extern const Head heads[]; /* ended by a row without a name */

/* Outputs: the scores, then the logits where those are something else. */
SlModel *head_model (const Head *head);

/* Written and read again; takes the graph over. */
SlModel *model_of (SlGraph *graph);
