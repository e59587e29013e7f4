/* Training on a Vulkan device beside training on the CPU. */
#include "train/place.h"
#include "vulkan/harness.h"

#include <math.h>
#include <string.h>

static const char perceptron[] = "Input 6x6x1\nFlatten\nDense 16 relu\nDropout 0.2\n"
                                 "Dense 3 softmax\n";
static const char convolutional[] = "Input 6x6x1\nConv2D 8 3 padding=same\nBatchNormalization\n"
                                    "LeakyReLU 0.1\nMaxPooling2D 2\nConv2D 6 3 padding=same relu\n"
                                    "Flatten\nDense 3 softmax\n";

typedef struct Case {
  const char *net, *recipe;
} Case;

static const Case cases[] = {
    {perceptron, "[optimizer]\nname=rmsprop\n[train]\nepochs=10\nbatch=16\n"},
    {perceptron, "[optimizer]\nname=adam\n[train]\nepochs=10\nbatch=16\n"},
    {convolutional, "[optimizer]\nname=sgd\nrate=0.05\nmomentum=0.9\n[train]\nepochs=8\nbatch=16\n"},
    {convolutional, "[optimizer]\nname=adam\n[train]\nepochs=8\nbatch=16\n"},
};

static SlFit *
run_on (Place *place, const Case *of, const SlDevice *device, gboolean resume, guint stop_at)
{
  SlFitEnd end;
  g_autoptr (SlRecipe) recipe = place_make_recipe (of->recipe);
  place->device = device;
  return place_run (place, recipe, resume, stop_at, &end);
}

static void
check_same_curve (SlFit *a, SlFit *b)
{
  const SlHistory *one = sl_fit_get_history (a), *other = sl_fit_get_history (b);
  g_assert_cmpuint (sl_history_get_n (one), ==, sl_history_get_n (other));
  for (guint i = 0; i < sl_history_get_n (one); i++) {
    const SlEpoch *left = sl_history_get (one, i), *right = sl_history_get (other, i);
    g_assert_cmpfloat_with_epsilon (left->loss, right->loss, 1e-3);
    g_assert_cmpfloat_with_epsilon (left->val_loss, right->val_loss, 1e-3);
  }
  g_test_message ("last loss %.7g and %.7g", sl_history_get (one, sl_history_get_n (one) - 1)->loss,
                  sl_history_get (other, sl_history_get_n (one) - 1)->loss);
}
