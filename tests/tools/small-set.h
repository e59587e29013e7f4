/* A data set in MNIST's format that a network learns in a moment, with the network and a recipe. */
#pragma once

#include <glib.h>

#define SMALL_SET_CLASSES 4
#define SMALL_SET_TRAIN 500
#define SMALL_SET_TEST 100

/* What small.recipe says. */
extern const char small_set_recipe[];

/* A new folder with small.net, small.recipe and data/, as tool_folder_new(). Class c is a bright
 * pair of rows in noise. */
char *small_set_new (void);
/* Writes data/ anew: part "train" or "t10k", n samples that follow from the seed. Sample i is of
 * class order[i % 4]; NULL: 0, 1, 2, 3. What pictures show is class i % 4. */
void small_set_write (const char *folder, const char *part, guint n, guint32 seed,
                      const guint8 *order);
/* Removes a part. */
void small_set_remove (const char *folder, const char *part);
/* Whether there is such a file in the folder. */
gboolean small_set_has (const char *folder, const char *name);
