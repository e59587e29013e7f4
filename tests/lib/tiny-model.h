/* A network small enough to write by hand, that knows the colours of its picture: what tests of
 * everything around the engine run. */
#pragma once

#include <glib.h>

/* Classes, in the order of the output. "none" wins where no colour does. */
enum { TINY_RED, TINY_GREEN, TINY_BLUE, TINY_NONE, TINY_CLASSES };
#define TINY_SIZE 8 /* of the input's sides */

typedef enum {
  TINY_PLAIN = 0,
  TINY_METADATA = 1 << 0, /* labels and every preprocessing rule; else Sightline has to assume */
  TINY_BGR = 1 << 1,      /* with METADATA: the file says (wrongly) that it wants B, G, R */
  TINY_NAN = 1 << 2,      /* the node "score" makes NaN */
  TINY_LOGITS = 1 << 3,   /* no Softmax at the end */
  TINY_MAX = 1 << 4,      /* a maximum in the place of the average: no class activation maps */
  TINY_ODD_NAME = 1 << 5  /* the node "score" is called TINY_ODD_SCORE */
} TinyFlags;

#define TINY_ODD_SCORE "Stateful Call;score, \"1\""

/* Writes the network into `folder`; returns its path, free with g_free(). */
gchar *tiny_model_write (const gchar *folder, const gchar *name, TinyFlags flags);

/* Removes a folder and the files in it. */
void tiny_folder_remove (const gchar *folder);
