/* Clips that are read, drawn on and written again, with their sound: a cut or damaged one shows as
 * it does in classify, since the same decoder reads it. */
#pragma once

#include "network.h"
#include "selection.h"

#include <sightline-gst/decode.h>

typedef struct ToolClip {
  const char *source;
  const char *output_path; /* with the suffix of a container: tool_container_find() */
  const ToolSelection *selection;
  const ToolNetwork *network; /* whose labels slclassify and sloverlay draw in; NULL: none */
  gboolean heatmap;           /* and where it sees them, by slheatmap */
  const char *colormap;       /* of that, by slheatmap's names */
  double opacity;             /* 0 … 1 */
  /* What goes in the place of a frame, with its times and size; NULL with an error. NULL: the frame
   * itself. */
  GstSample *(*paint) (void *data, const SlDecodedFrame *frame, GError **error);
  void *data;
} ToolClip;

/* Writes all that is asked for, upright, and says how the clip came out. Returns an exit status. */
int tool_clip_write (const ToolClip *clip);
