#include "train/recipe_keys.h"
#include "train/number.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define LARGEST_INT 9007199254740992.0 /* 2^53: doubles above it miss integers */

static const char *const losses[] = {"cross-entropy", "hinge", "mse", "mae", NULL};
static const char *const targets[] = {"class", "input", NULL};
static const char *const colors[] = {"auto", "rgb", "bgr", "gray", NULL};
static const char *const ranges[] = {"0..1", "0..255", "-1..1", NULL};
static const char *const resizes[] = {"stretch", "crop", "letterbox", NULL};
static const char *const whitenings[] = {"none", "pca", "zca", NULL};
static const char *const transfers[] = {"none", "small-similar", "large-similar", "large-different",
                                        NULL};
static const char *const balances[] = {"none", "sampling", NULL};
static const char *const fills[] = {"black", "edge", "reflect", NULL};
static const char *const split_ways[] = {"random", "last", "session", NULL};
static const char *const flips[] = {"none", "horizontal", "vertical", "both", NULL};
static const char *const optimizers[] = {"sgd", "rmsprop", "adam", "adamw", NULL};
static const char *const schedules[] = {"constant", "step", "cosine", "one-cycle", "plateau", NULL};
static const char *const granularities[] = {"step", "epoch", NULL};
static const char *const monitors[] = {"val-loss", "val-accuracy", "loss", "accuracy", NULL};
static const char *const keeps[] = {"best", "last", NULL};

#define AT(group, member) offsetof (SlRecipe, group.member)
#define TEXT(group, name, member, expected, help)                                              \
  {                                                                                            \
    {#group, name, expected, "", NULL, help}, SL_RECIPE_TEXT, AT (group, member), 0, 0, FALSE, \
        NULL                                                                                   \
  }
#define CHOICE(group, name, member, list, expected, initial, only, help)                       \
  {                                                                                            \
    {#group, name, expected, initial, only, help}, SL_RECIPE_CHOICE, AT (group, member), 0, 0, \
        FALSE, list                                                                            \
  }
#define BOOL(group, name, member, initial, only, help)                                           \
  {                                                                                              \
    {#group, name, "true or false", initial, only, help}, SL_RECIPE_BOOL, AT (group, member), 0, \
        0, FALSE, NULL                                                                           \
  }
#define INT(group, name, member, min, max, expected, initial, only, help)                       \
  {                                                                                             \
    {#group, name, expected, initial, only, help}, SL_RECIPE_INT, AT (group, member), min, max, \
        FALSE, NULL                                                                             \
  }
#define REAL(group, name, member, min, max, expected, initial, only, help)                       \
  {                                                                                              \
    {#group, name, expected, initial, only, help}, SL_RECIPE_REAL, AT (group, member), min, max, \
        FALSE, NULL                                                                              \
  }
#define REAL_ABOVE(group, name, member, max, expected, initial, only, help)                    \
  {                                                                                            \
    {#group, name, expected, initial, only, help}, SL_RECIPE_REAL, AT (group, member), 0, max, \
        TRUE, NULL                                                                             \
  }

#define PART "a part, 0 to 1"
#define BELOW_1 "a number from 0 to below 1"
#define POSITIVE "a number above 0"
#define NOT_NEGATIVE "a number, 0 or more"
#define COUNT "a whole number, 1 or more"
#define COUNT_OR_0 "a whole number, 0 or more"
#define ALMOST_1 0.99999999

const SlRecipeField sl_recipe_fields[] = {
    TEXT (network, "net", net, "a .net file", "the network, as a text file of layers"),
    TEXT (network, "base", base, "an .onnx file",
          "or a trained network, with a new last layer for other classes"),
    TEXT (network, "freeze", freeze, "patterns of names, commas between",
          "parameters and running statistics that stay: conv2d/*,dense_?/kernel"),
    TEXT (network, "rate-factors", rate_factors, "PATTERN=FACTOR, commas between",
          "parameters that learn slower or faster: features.*=0.1"),
    CHOICE (network, "case", transfer, transfers,
            "none, small-similar, large-similar or large-different", "none", NULL,
            "data beside those of the base: what learns besides the last layer: nothing, all at a "
            "tenth of the rate, all"),
    BOOL (network, "features", features, "true", NULL,
          "without augmentation, what stays of a base is computed once for each sample, and kept"),

    CHOICE (loss, "name", name, losses, "cross-entropy, hinge, mse or mae", "cross-entropy", NULL,
            "what is made small"),
    REAL (loss, "label-smoothing", label_smoothing, 0, ALMOST_1, BELOW_1, "0", "name=cross-entropy",
          "part of the target that all classes share"),
    {{"loss", "class-weights", "balanced, or a number for each class", "", "name=cross-entropy",
      "weight of a sample by its class; balanced: samples / (classes * samples of the class)"},
     SL_RECIPE_TEXT,
     AT (loss, class_weights),
     0,
     0,
     FALSE,
     NULL},

    TEXT (data, "path", path, "a folder or file",
          "the samples; a relative path is looked up beneath SIGHTLINE_DATA, if that is set"),
    INT (data, "workers", workers, 0, 64, "0 to 64", "1", NULL,
         "threads that read and prepare; 0: one for each core"),
    CHOICE (data, "target", target, targets, "class or input", "class", NULL,
            "what the network learns to say: the sample's class, or the sample (autoencoders)"),
    CHOICE (data, "balance", balance, balances, "none or sampling", "none", NULL,
            "sampling: each class as often as the others, small ones again and again"),
    BOOL (data, "drop-last", drop_last, "false", NULL,
          "leave out an epoch's last, smaller batch; else it is a step over fewer samples"),
    INT (data, "limit", limit, 0, LARGEST_INT, COUNT_OR_0, "0", NULL,
         "train on so many samples only, of each class its share; 0: all"),

    CHOICE (preprocess, "color", color, colors, "auto, rgb, bgr or gray", "auto", NULL,
            "order of the channels; auto: rgb, gray for one channel"),
    CHOICE (preprocess, "range", range, ranges, "0..1, 0..255 or -1..1", "0..1", NULL,
            "what pixel values 0 to 255 become"),
    TEXT (preprocess, "mean", mean, "numbers with commas between, or measured",
          "subtracted from each channel; measured: over the training set"),
    TEXT (preprocess, "std", std, "numbers with commas between, or measured",
          "then each channel is divided by it"),
    CHOICE (preprocess, "resize", resize, resizes, "stretch, crop or letterbox", "stretch", NULL,
            "how a picture fills the input"),
    INT (preprocess, "resize-size", resize_size, 0, 32768, "pixels, 0 to 32768", "0", NULL,
         "with crop: the short side before the cut; 0: the input's"),
    TEXT (preprocess, "size", size, "SIZE or WIDTHxHEIGHT",
          "of the input, for networks that leave it open"),
    TEXT (preprocess, "pad", pad, "R,G,B, each 0 to 255", "colour of padding"),
    CHOICE (preprocess, "whiten", whiten, whitenings, "none, pca or zca", "none", NULL,
            "make inputs uncorrelated, by a matrix in front of the network, fitted on the training "
            "set"),
    REAL_ABOVE (preprocess, "whiten-epsilon", whiten_epsilon, 1e12, POSITIVE, "1e-06",
                "whiten=pca,zca", "added to each component's variance (Keras: 1e-06)"),
    INT (preprocess, "whiten-samples", whiten_samples, 0, LARGEST_INT, COUNT_OR_0, "10000",
         "whiten=pca,zca", "samples to fit it on, evenly from all; 0: all"),

    CHOICE (split, "by", by, split_ways, "random, last or session", "random", NULL,
            "what validates: random samples, the last ones, or whole sessions of capture"),
    REAL (split, "validation", validation, 0, ALMOST_1, BELOW_1, "0.1", NULL,
          "part of the training set that is for validation, unless the data have their own"),
    REAL (split, "test", test, 0, ALMOST_1, BELOW_1, "0", NULL,
          "part that is kept away from training altogether, unless the data have their own"),

    INT (augment, "crop-padding", crop_padding, 0, 4096, "pixels, 0 to 4096", "0", NULL,
         "pad by so much on each side, then cut out at random"),
    REAL (augment, "resize-crop", resize_crop, 0, 1, PART, "0", NULL,
          "cut out at least this part of the area and resize; 0: off"),
    CHOICE (augment, "flip", flip, flips, "none, horizontal, vertical or both", "none", NULL,
            "mirror every second sample"),
    REAL (augment, "translate", translate, 0, 1, PART, "0", NULL, "shift, part of the side"),
    REAL (augment, "rotate", rotate, 0, 180, "degrees, 0 to 180", "0", NULL, "turn either way"),
    REAL (augment, "shear", shear, 0, 80, "degrees, 0 to 80", "0", NULL, "shear either way"),
    REAL (augment, "zoom", zoom, 0, ALMOST_1, BELOW_1, "0", NULL, "scale by 1 - zoom to 1 + zoom"),
    REAL (augment, "brightness", brightness, 0, 1, PART, "0", NULL, "change either way"),
    REAL (augment, "contrast", contrast, 0, 1, PART, "0", NULL, "change either way"),
    REAL (augment, "saturation", saturation, 0, 1, PART, "0", NULL, "change either way"),
    REAL (augment, "hue", hue, 0, 0.5, "turns, 0 to 0.5", "0", NULL, "change either way"),
    REAL (augment, "pca-noise", pca_noise, 0, 10, "0 to 10", "0", NULL,
          "deviation of RGB along its principal components (AlexNet: 0.1)"),
    REAL (augment, "noise", noise, 0, 1, PART, "0", NULL, "deviation of Gaussian noise"),
    CHOICE (augment, "fill", fill, fills, "black, edge or reflect", "black", NULL,
            "what shows where a picture was moved away"),
    REAL (augment, "blur", blur, 0, 1, PART, "0", NULL, "how often a Gaussian blur comes"),
    REAL_ABOVE (augment, "blur-sigma", blur_sigma, 10, "pixels, above 0 to 10", "2", NULL,
                "its largest deviation"),
    REAL (augment, "erasing", erasing, 0, 1, PART, "0", NULL, "how often a rectangle is erased"),
    REAL (augment, "mask", mask, 0, ALMOST_1, BELOW_1, "0", NULL,
          "part of the input's elements that become 0 (denoising autoencoders)"),
    REAL (augment, "mixup", mixup, 0, 100, NOT_NEGATIVE, "0", NULL,
          "alpha of the Beta distribution that mixes pairs; 0: off"),
    REAL (augment, "cutmix", cutmix, 0, 100, NOT_NEGATIVE, "0", NULL,
          "the same for rectangles of one in the other"),

    CHOICE (optimizer, "name", name, optimizers, "sgd, rmsprop, adam or adamw", "adam", NULL,
            "how parameters follow gradients"),
    REAL_ABOVE (optimizer, "rate", rate, 1e12, POSITIVE, "0.01 for sgd, else 0.001", NULL,
                "learning rate, the highest of the schedule"),
    REAL (optimizer, "momentum", momentum, 0, ALMOST_1, BELOW_1, "0", "name=sgd,rmsprop",
          "part of the last step that goes on"),
    BOOL (optimizer, "nesterov", nesterov, "false", "name=sgd", "look ahead along the momentum"),
    REAL (optimizer, "weight-decay", weight_decay, 0, 1e6, NOT_NEGATIVE, "0.004 for adamw, else 0",
          NULL, "pull of parameters to 0; adamw: apart from the gradient, else added to it"),
    REAL (optimizer, "rho", rho, 0, ALMOST_1, BELOW_1, "0.9", "name=rmsprop",
          "how much of the mean square stays (PyTorch: alpha)"),
    BOOL (optimizer, "centered", centered, "false", "name=rmsprop", "divide by the deviation"),
    REAL (optimizer, "beta1", beta1, 0, ALMOST_1, BELOW_1, "0.9", "name=adam,adamw",
          "how much of the mean gradient stays"),
    REAL (optimizer, "beta2", beta2, 0, ALMOST_1, BELOW_1, "0.999", "name=adam,adamw",
          "how much of the mean square stays"),
    REAL_ABOVE (
        optimizer, "epsilon", epsilon, 1, "above 0, at most 1", "1e-07", "name=rmsprop,adam,adamw",
        "keeps the divisor from 0, as 1e-07 in Keras (whose rmsprop has it below the root)"),
    REAL (optimizer, "clip-norm", clip_norm, 0, 1e12, NOT_NEGATIVE, "0", NULL,
          "gradients are scaled so that their common length is at most this; 0: off"),
    REAL (optimizer, "clip-value", clip_value, 0, 1e12, NOT_NEGATIVE, "0", NULL,
          "then each of their elements is cut to at most this; 0: off"),

    CHOICE (schedule, "name", name, schedules, "constant, step, cosine, one-cycle or plateau",
            "constant", NULL, "how the rate changes"),
    CHOICE (schedule, "per", per, granularities, "step or epoch", "step", "name=cosine",
            "when the rate changes"),
    REAL (schedule, "warm-up", warm_up, 0, 1e6, "epochs, 0 or more", "0",
          "name=constant,step,cosine,plateau", "epochs over which the rate rises"),
    REAL_ABOVE (schedule, "warm-up-factor", warm_up_factor, 1, "above 0, at most 1",
                "0.33333333333333331", "name=constant,step,cosine,plateau",
                "part of the rate that the first step has (PyTorch's LinearLR)"),
    REAL_ABOVE (schedule, "factor", factor, 1, "above 0, at most 1", "0.1", "name=step,plateau",
                "what the rate is multiplied with"),
    REAL (schedule, "min-rate", min_rate, 0, 1e12, NOT_NEGATIVE, "0", "name=cosine,plateau",
          "the rate goes no lower"),
    INT (schedule, "every", every, 0, 1000000, COUNT_OR_0, "0", "name=step",
         "epochs from one change to the next"),
    {{"schedule", "at", "rising numbers of epochs, commas between", "", "name=step",
      "or the epochs after which it changes: 100,150"},
     SL_RECIPE_TEXT,
     AT (schedule, at),
     0,
     0,
     FALSE,
     NULL},
    INT (schedule, "patience", patience, 0, 1000000, COUNT_OR_0, "10", "name=plateau",
         "epochs without a better [train] monitor that are put up with"),
    INT (schedule, "cooldown", cooldown, 0, 1000000, COUNT_OR_0, "0", "name=plateau",
         "epochs after a change that do not count"),
    REAL (schedule, "threshold", threshold, 0, ALMOST_1, BELOW_1, "0.0001", "name=plateau",
          "part of the best value that counts as better"),
    REAL (schedule, "rise", rise, 0, ALMOST_1, BELOW_1, "0.3", "name=one-cycle",
          "part of the run in which the rate rises"),
    REAL (schedule, "start-divisor", start_divisor, 1, 1e12, "1 or more", "25", "name=one-cycle",
          "the first rate is the highest divided by this"),
    REAL (schedule, "end-divisor", end_divisor, 1, 1e12, "1 or more", "10000", "name=one-cycle",
          "the last rate is the first divided by this"),

    INT (train, "epochs", epochs, 1, 1000000, COUNT, "10", NULL, "passes over the training set"),
    INT (train, "batch", batch, 1, 65536, "a whole number, 1 to 65536", "32", NULL,
         "samples of a step"),
    INT (train, "seed", seed, 0, LARGEST_INT, "a whole number, 0 to 2^53", "1", NULL,
         "of initial weights, order and augmentation: the same seed gives the same weights"),
    CHOICE (train, "monitor", monitor, monitors, "val-loss, val-accuracy, loss or accuracy",
            "val-loss", NULL, "what decides which epoch is the best"),
    INT (train, "patience", patience, 0, 1000000, COUNT_OR_0, "0", NULL,
         "stop after so many epochs without a better one; 0: never"),
    REAL (train, "min-delta", min_delta, 0, 1e12, NOT_NEGATIVE, "0", NULL,
          "how much better counts"),
    CHOICE (train, "keep", keep, keeps, "best or last", "best", NULL,
            "which epoch's parameters the model gets"),
};
const guint sl_recipe_n_fields = G_N_ELEMENTS (sl_recipe_fields);

static gboolean
parse_bool (const char *text, gboolean *ret)
{
  *ret = strcmp (text, "true") == 0;
  return *ret || strcmp (text, "false") == 0;
}

static gboolean
parse_number (const SlRecipeField *field, const char *text, double *ret)
{
  char *end;
  *ret = g_ascii_strtod (text, &end);
  if (end == text || *end || !isfinite (*ret) || g_ascii_isspace (*text) ||
      strpbrk (text, "xX")) /* strtod() reads hexadecimal, which nobody means */
    return FALSE;
  if (field->type == SL_RECIPE_INT && *ret != floor (*ret))
    return FALSE;
  return *ret >= field->min && *ret <= field->max && !(field->above && *ret == field->min);
}

static const char *
find_choice (const char *const *choices, const char *text)
{
  for (; *choices; choices++)
    if (strcmp (*choices, text) == 0)
      return *choices;
  return NULL;
}

static gboolean
has_control (const char *text)
{
  for (; *text; text++)
    if (g_ascii_iscntrl (*text))
      return TRUE;
  return FALSE;
}

gboolean
sl_recipe_field_parse (const SlRecipeField *field, SlRecipe *recipe, const char *text)
{
  void *place = G_STRUCT_MEMBER_P (recipe, field->offset);
  double number;
  gboolean truth;
  const char *choice;

  switch (field->type) {
  case SL_RECIPE_TEXT:
    if (!*text || has_control (text))
      return FALSE;
    g_free (*(char **)place);
    *(char **)place = g_strdup (text);
    return TRUE;
  case SL_RECIPE_CHOICE:
    if (!(choice = find_choice (field->choices, text)))
      return FALSE;
    *(const char **)place = choice;
    return TRUE;
  case SL_RECIPE_BOOL:
    if (!parse_bool (text, &truth))
      return FALSE;
    *(gboolean *)place = truth;
    return TRUE;
  case SL_RECIPE_INT:
    if (!parse_number (field, text, &number))
      return FALSE;
    *(gint64 *)place = (gint64)number;
    return TRUE;
  case SL_RECIPE_REAL:
    if (!parse_number (field, text, &number))
      return FALSE;
    *(double *)place = number;
    return TRUE;
  default:
    g_return_val_if_reached (FALSE);
  }
}

char *
sl_recipe_field_format (const SlRecipeField *field, const SlRecipe *recipe)
{
  const void *place = G_STRUCT_MEMBER_P (recipe, field->offset);
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  switch (field->type) {
  case SL_RECIPE_TEXT:
  case SL_RECIPE_CHOICE:
    return g_strdup (*(const char *const *)place);
  case SL_RECIPE_BOOL:
    return g_strdup (*(const gboolean *)place ? "true" : "false");
  case SL_RECIPE_INT:
    return g_strdup_printf ("%" G_GINT64_FORMAT, *(const gint64 *)place);
  case SL_RECIPE_REAL:
    if (isnan (*(const double *)place))
      return NULL;
    return g_strdup (sl_number_format (*(const double *)place, number));
  default:
    g_return_val_if_reached (NULL);
  }
}

/* What the field `name` of the group is set to. */
static const char *
get_choice (const SlRecipe *recipe, const char *group, const char *name)
{
  for (guint i = 0; i < sl_recipe_n_fields; i++) {
    const SlRecipeField *field = &sl_recipe_fields[i];
    if (strcmp (field->public.group, group) == 0 && strcmp (field->public.name, name) == 0)
      return G_STRUCT_MEMBER (const char *, recipe, field->offset);
  }
  g_return_val_if_reached ("");
}

gboolean
sl_recipe_field_applies (const SlRecipeField *field, const SlRecipe *recipe)
{
  if (!field->public.only_with)
    return TRUE;
  g_auto (GStrv) parts = g_strsplit (field->public.only_with, "=", 2);
  g_auto (GStrv) choices = g_strsplit (parts[1], ",", -1);
  return g_strv_contains ((const char *const *)choices,
                          get_choice (recipe, field->public.group, parts[0]));
}
