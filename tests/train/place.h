/* A place to train in: a folder, a small network, and made-up pictures of three classes, of which
 * each has a bright pair of rows in noise. */
#pragma once

#include "train/fit.h"

#define SIDE 6
#define CLASSES 3
#define SAMPLES 130
/* The same bytes as pixels of three colours. */
#define COLOR_WIDTH 4
#define COLOR_HEIGHT 3

typedef struct Place {
  char *folder, *net, *run, *output;
  char *features; /* folder of kept features; NULL: none are kept */
  SlModel *model;
  SlSampleSource *source;
  const SlDevice *device;    /* NULL: the CPU */
  guint n_progress, stop_at; /* 0: never */
  gboolean anew;             /* runs that do not resume begin again */
  GPtrArray *notes;
} Place;

void place_set_up (Place *place, gconstpointer unused);
void place_tear_down (Place *place, gconstpointer unused);
void place_remove_tree (const char *path);
/* Another network in the place of the small one. */
void place_use_network (Place *place, const char *text);
/* Samples that follow from the seed. */
SlSampleSource *place_make_source (guint32 seed, gboolean has_colors);
/* A recipe with these lines behind [network]. */
SlRecipe *place_make_recipe (const char *keys);
SlFit *place_open_run (Place *place, const SlRecipe *recipe, gboolean resume, GError **error);
/* A whole run, or its first `stop_at` batches, those of validations counted. */
SlFit *place_run (Place *place, const SlRecipe *recipe, gboolean resume, guint stop_at,
                  SlFitEnd *ret_end);
/* Everything that a run leaves but times: variables, and figures of the history. */
char *place_fingerprint (SlFit *fit);
