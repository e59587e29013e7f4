#include "net/layer.h"

#include <string.h>

static const SlNetLayer *const families[] = {
    sl_net_layers_basic, sl_net_layers_conv,  sl_net_layers_pool,       sl_net_layers_norm,
    sl_net_layers_shape, sl_net_layers_merge, sl_net_layers_activation,
};

static const SlNetLayer *
find (const char *name, int (*compare) (const char *, const char *))
{
  for (size_t i = 0; i < G_N_ELEMENTS (families); i++)
    for (const SlNetLayer *layer = families[i]; layer->name != NULL; layer++)
      if (compare (layer->name, name) == 0)
        return layer;
  return NULL;
}

const SlNetLayer *
sl_net_layer_find (const char *name)
{
  return find (name, strcmp);
}

const SlNetLayer *
sl_net_layer_guess (const char *name)
{
  return find (name, g_ascii_strcasecmp);
}
