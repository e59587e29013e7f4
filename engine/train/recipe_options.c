/* What a recipe says to a trainer. */
#include <sightline/recipe.h>

#include <string.h>

static guint
find_name (const char *const *names, guint n, const char *name)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (names[i], name) == 0)
      return i;
  g_return_val_if_reached (0);
}

void
sl_recipe_get_trainer_options (const SlRecipe *recipe, SlTrainerOptions *ret_options)
{
  static const char *const losses[] = {[SL_LOSS_CROSS_ENTROPY] = "cross-entropy",
                                       [SL_LOSS_HINGE] = "hinge",
                                       [SL_LOSS_MSE] = "mse",
                                       [SL_LOSS_MAE] = "mae"};
  static const char *const optimizers[] = {[SL_OPTIMIZER_SGD] = "sgd",
                                           [SL_OPTIMIZER_RMSPROP] = "rmsprop",
                                           [SL_OPTIMIZER_ADAM] = "adam",
                                           [SL_OPTIMIZER_ADAMW] = "adamw"};
  g_return_if_fail (recipe && ret_options);
  const guint kind = find_name (optimizers, G_N_ELEMENTS (optimizers), recipe->optimizer.name);
  const guint loss = find_name (losses, G_N_ELEMENTS (losses), recipe->loss.name);
  *ret_options = (SlTrainerOptions){
      .batch = (uint32_t)recipe->train.batch,
      .loss = (SlLoss)loss,
      .label_smoothing = recipe->loss.label_smoothing,
      .optimizer = {.kind = (SlOptimizerKind)kind,
                    .momentum = recipe->optimizer.momentum,
                    .nesterov = recipe->optimizer.nesterov,
                    .weight_decay = recipe->optimizer.weight_decay,
                    .rho = recipe->optimizer.rho,
                    .centered = recipe->optimizer.centered,
                    .beta1 = recipe->optimizer.beta1,
                    .beta2 = recipe->optimizer.beta2,
                    .epsilon = recipe->optimizer.epsilon},
      .clip_norm = recipe->optimizer.clip_norm,
      .clip_value = recipe->optimizer.clip_value,
      .seed = (guint64)recipe->train.seed,
  };
}
