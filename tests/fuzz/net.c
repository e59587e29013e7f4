/* Arbitrary bytes as a network text. */
#include "fuzz.h"
#include "whole.h"

#include "net/layer.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  fuzz_try_model (data, size, "fuzz.net");
  return 0;
}

GByteArray *
fuzz_seed (unsigned index)
{
  static const char *const seeds[] = {
      "Input 6x6x2\nConv2D 4 3 padding=same activation=relu # comment\nMaxPooling2D 2\nFlatten\n"
      "Dense 3 softmax use_bias=false\n",
      "default Conv2D padding=1 kernel_initializer=he_normal\n"
      "block cell n k=3 {\n  one: Conv2D $n $k\n  Conv2D $n*2/2 $k//2 padding=valid from=in\n"
      "  two: BatchNormalization epsilon=1e-5\n  Concatenate one two\n}\n"
      "Input 5x4x1\nrepeat 2 i {\n  cell 2*$i\n  ReLU 6\n}\nlast: cell 2 k=1\nAdd last last\n"
      "GlobalAveragePooling2D\n",
      "a: Input 4\nb: Input 4\nsum: Add a b\nMultiply a\nOutput sum multiply\n",
      "Input 7x3\nConv1D 4 3 2 same\nDepthwiseConv1D 2\nSeparableConv1D 2 1\nZeroPadding1D 2,1\n"
      "AveragePooling1D 3 1 padding=1\nPermute 2,1\nReshape 2x1x9\nPReLU 0.25\n",
      "Input 5x5x4\nConv2D 4 3,1 dilation_rate=2x1 groups=2 activation=silu\nMaxout 2\nDropout "
      "0.3\n"
      "Conv2DTranspose 2 3 2 same\nUpSampling2D 1x2\nZeroPadding2D 1,0,2,0\n"
      "LocalResponseNormalization 3\nLeakyReLU\nELU 0.5\nSoftmax\nGlobalMaxPooling2D "
      "keepdims=true\n",
      "in: Dense\n}\n{\nrepeat x {\n$a\n",
  };
  if (index >= G_N_ELEMENTS (seeds))
    return NULL;
  GByteArray *seed = g_byte_array_new ();
  g_byte_array_append (seed, (const guint8 *)seeds[index], (guint)strlen (seeds[index]));
  return seed;
}

void
fuzz_dictionary (GString *ret)
{
  static const char *const words[] = {"repeat 2 {\\x0a",
                                      "block b n {\\x0a",
                                      "}\\x0a",
                                      "default ",
                                      "Output ",
                                      "from=",
                                      "in",
                                      "$n",
                                      "same",
                                      "valid",
                                      "true",
                                      "x",
                                      ",",
                                      "*",
                                      "/",
                                      "//",
                                      ": ",
                                      "#"};
  static const SlNetLayer *const families[] = {
      sl_net_layers_basic, sl_net_layers_conv,  sl_net_layers_pool,       sl_net_layers_norm,
      sl_net_layers_shape, sl_net_layers_merge, sl_net_layers_activation,
  };
  for (size_t i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_append_printf (ret, "\"%s\"\n", words[i]);
  for (size_t i = 0; i < G_N_ELEMENTS (families); i++)
    for (const SlNetLayer *layer = families[i]; layer->name != NULL; layer++) {
      g_string_append_printf (ret, "\"%s \"\n", layer->name);
      for (const SlNetArg *arg = layer->args; arg != NULL && arg->name != NULL; arg++)
        g_string_append_printf (ret, "\" %s=\"\n", arg->name);
    }
}
