/* Which elements write a clip of a given suffix. */
#pragma once

#include <gst/gst.h>

typedef struct ToolContainer {
  const char *suffix;
  const char *muxer;
  const char *video[4]; /* encoders, best first, as launch text; NULL-ended */
  const char *audio[4]; /* the same for sound that cannot be passed through */
} ToolContainer;

/* The container for the path's suffix, or NULL. */
const ToolContainer *tool_container_find (const char *path);

/* A bin with the first encoder of the list that is installed, with what has to stand before and
 * after it. NULL with an error that names the packages. */
GstElement *tool_encoder_make (const char *const *encoders, const char *kind, GError **error);
