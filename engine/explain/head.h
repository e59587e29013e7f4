/* The head of a classifier: what makes scores of feature maps. */
#pragma once

#include <sightline/model.h>

/* logit[c] = bias[c] + sum over k of weight[c][k] * mean over y, x of features[k][y][x] */
typedef struct SlHead {
  char *features;                                 /* name of the value in the model's graph */
  uint32_t height_axis, width_axis, channel_axis; /* of that value; axis 0 is the picture */
  uint32_t n_classes, n_channels;
  SlTensor *weights; /* float32 (n_classes, n_channels), the model's own where that holds them so;
                        NULL: class c is channel c, times scale[c] */
  double *scale;     /* n_classes, or NULL */
  double *bias;      /* n_classes */
} SlHead;

/* SL_ERROR_UNSUPPORTED, naming the node that stands in the way, if the model's first output is made
 * otherwise. */
SlHead *sl_head_find (SlModel *model, GError **error);
void sl_head_free (SlHead *head);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlHead, sl_head_free)
