/* Labelled data as train and evaluate are told of it. */
#pragma once

#include <sightline/sightline.h>

/* Largest class by smallest beyond which a word is due. */
#define TOOL_DATASET_UNEVEN 3

/* Where [data] path leads: absolute, else beneath SIGHTLINE_DATA if that is set and has it, else as
 * the recipe means it. Free with g_free(). */
char *tool_dataset_find (const SlRecipe *recipe);

/* The part of that name: train, val, test. FALSE if there is none. */
gboolean tool_dataset_find_part (const char *name, SlDataPart *ret);

/* Opens a part of what lies at `path`: all that sl_samples_open() reads; gst_init() has been
 * called. Notes say which files cannot be read. NULL with an error; SL_ERROR_NOT_FOUND where the
 * data have no such part. */
SlSampleSource *tool_dataset_open (const char *path, SlDataPart part, GError **error);
/* NULL without an error where the data have no such part. */
SlSampleSource *tool_dataset_open_if_there (const char *path, SlDataPart part, GError **error);

/* "54,000 samples of 10 classes, 5,421 to 6,742 each"; free with g_free(). */
char *tool_dataset_describe (SlSampleSource *source);
/* What may go wrong with so few, so uneven or so divided samples: one line, or NULL. `validation`:
 * what was taken off `train`, or NULL. Free with g_free(). */
char *tool_dataset_find_fault (SlSampleSource *train, SlSampleSource *validation);
