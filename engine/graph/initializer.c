#include "graph/initializer.h"

#include <glib.h>

#include <math.h>
#include <string.h>

/* Standard deviation of a normal distribution of deviation 1 that is cut at 2 (as Keras has it). */
#define TRUNCATED_DEVIATION 0.87962566103423978

static const SlInitializer list[] = {
    {"zeros", SL_DRAW_CONSTANT, SL_FAN_NONE, 0},
    {"ones", SL_DRAW_CONSTANT, SL_FAN_NONE, 1},
    {"glorot_uniform", SL_DRAW_UNIFORM, SL_FAN_AVERAGE, 1},
    {"glorot_normal", SL_DRAW_TRUNCATED_NORMAL, SL_FAN_AVERAGE, 1},
    {"he_uniform", SL_DRAW_UNIFORM, SL_FAN_IN, 2},
    {"he_normal", SL_DRAW_TRUNCATED_NORMAL, SL_FAN_IN, 2},
    {"lecun_uniform", SL_DRAW_UNIFORM, SL_FAN_IN, 1},
    {"lecun_normal", SL_DRAW_TRUNCATED_NORMAL, SL_FAN_IN, 1},
    {"random_uniform", SL_DRAW_UNIFORM, SL_FAN_NONE, 0.05},
    {"random_normal", SL_DRAW_NORMAL, SL_FAN_NONE, 0.05},
    {"truncated_normal", SL_DRAW_TRUNCATED_NORMAL, SL_FAN_NONE, 0.05},
    /* torch.nn: kaiming_uniform (a = sqrt (5)), within 1 / sqrt (fan_in). */
    {"pytorch_uniform", SL_DRAW_UNIFORM, SL_FAN_IN, 1.0 / 3},
    /* torchvision's ResNet and VGG: kaiming_normal (mode "fan_out"). */
    {"kaiming_normal_fan_out", SL_DRAW_NORMAL, SL_FAN_OUT, 2},
};

const SlInitializer *
sl_initializer_find (const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (list); i++)
    if (strcmp (list[i].name, name) == 0)
      return &list[i];
  return NULL;
}

const SlInitializer *
sl_initializer_list (size_t index)
{
  return index < G_N_ELEMENTS (list) ? &list[index] : NULL;
}

double
sl_initializer_get_size (const SlInitializer *initializer, double fan_in, double fan_out)
{
  if (initializer->fan == SL_FAN_NONE)
    return initializer->scale;
  double fan = initializer->fan == SL_FAN_IN    ? fan_in
               : initializer->fan == SL_FAN_OUT ? fan_out
                                                : (fan_in + fan_out) / 2;
  double deviation = sqrt (initializer->scale / MAX (fan, 1));
  if (initializer->draw == SL_DRAW_UNIFORM)
    return sqrt (3) * deviation;
  return initializer->draw == SL_DRAW_TRUNCATED_NORMAL ? deviation / TRUNCATED_DEVIATION
                                                       : deviation;
}
