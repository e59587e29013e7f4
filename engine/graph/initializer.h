/* How the first content of a parameter is drawn: Keras's initialisers by name, as data. Who trains
 * draws (train/); a reader of networks only notes the name. */
#pragma once

#include <stddef.h>

typedef enum {
  SL_DRAW_CONSTANT,
  SL_DRAW_UNIFORM,         /* between -size and size */
  SL_DRAW_NORMAL,          /* mean 0, standard deviation size */
  SL_DRAW_TRUNCATED_NORMAL /* the same; what lies beyond 2 size is drawn again */
} SlDraw;

/* What the variance is divided by. */
typedef enum { SL_FAN_NONE, SL_FAN_IN, SL_FAN_OUT, SL_FAN_AVERAGE } SlFan;

typedef struct SlInitializer {
  const char *name; /* Keras's: "glorot_uniform"; "pytorch_uniform" is PyTorch's own default */
  SlDraw draw;
  SlFan fan;
  double scale; /* SL_FAN_NONE: the size itself; else the variance is scale / fan */
} SlInitializer;

/* NULL if there is none of that name. */
const SlInitializer *sl_initializer_find (const char *name);
/* Initialiser `index` of the list, NULL behind the last. */
const SlInitializer *sl_initializer_list (size_t index);

/* `size` of the draw for a parameter of these fans: how many inputs one output is a sum over, and
 * in how many outputs one input takes part. Keras's VarianceScaling: a truncated normal's size is
 * larger than the standard deviation that is wanted, by what cutting it takes away. */
double sl_initializer_get_size (const SlInitializer *initializer, double fan_in, double fan_out);
