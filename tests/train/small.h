/* Small networks to train. */
#pragma once

#include "graph/build.h"
#include "model-private.h"

#define SMALL_CLASSES 3

/* Of 8 channels, its vectors named gamma, beta, mean and variance. */
SlValue *small_batch_norm (SlGraph *graph, SlValue *x);
/* x (N, 2, 6, 6) → Conv 8, maybe BatchNormalization, Relu, Dropout → Conv 3 → GlobalAveragePool */
SlModel *small_convolutional (bool has_norm);
