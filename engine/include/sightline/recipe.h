/* A training run in words: which network, which data, how it learns. */
#pragma once

#include <sightline/augment.h>
#include <sightline/train.h>

#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A GKeyFile with the groups below, one field a key (`rate_factors` is the key "rate-factors").
 * What nobody sets has the default that sl_recipe_get_key() states. Choices are static strings of
 * the key's list, compared with strcmp(); texts are NULL where nothing is set. Numbers are inside
 * their key's range. Plain data: one thread at a time. */
typedef struct SlRecipe {
  char *name;   /* what messages call it: its file, or "options" */
  char *folder; /* relative paths start here; NULL: the working folder */

  struct {
    char *net;            /* a .net text file */
    char *base;           /* or an ONNX file to start from */
    char *freeze;         /* names of parameters that stay, with * and ?, commas between */
    char *rate_factors;   /* PATTERN=FACTOR, commas between; the first that fits counts */
    const char *transfer; /* none, small-similar, large-similar, large-different */
    gboolean features;    /* those of the part that stays are computed once, and kept */
  } network;

  struct {
    const char *name; /* cross-entropy, hinge, mse, mae */
    double label_smoothing;
    char *class_weights; /* one number a class, or "balanced" */
  } loss;

  struct {
    char *path;         /* a relative one is looked up in the folder of data sets, if that is set */
    const char *target; /* class, input */
    gint64 workers;
    const char *balance; /* none, sampling */
    gboolean drop_last;
    gint64 limit; /* samples taken of the training set; 0: all */
  } data;

  /* The keys of the model file's own table (engine/onnx/README.md), as text. */
  struct {
    const char *color, *range, *resize;
    char *mean, *std; /* numbers, or "measured" */
    char *size, *pad;
    gint64 resize_size;
    const char *whiten; /* none, pca, zca */
    double whiten_epsilon;
    gint64 whiten_samples; /* 0: all */
  } preprocess;

  struct {
    const char *by; /* random, last, session */
    double validation, test;
  } split;

  struct {
    gint64 crop_padding;
    double resize_crop;
    const char *flip; /* none, horizontal, vertical, both */
    double translate, rotate, shear, zoom;
    double brightness, contrast, saturation, hue;
    const char *fill; /* black, edge, reflect */
    double pca_noise, noise, blur, blur_sigma, erasing, mask;
    double mixup, cutmix;
  } augment;

  struct {
    const char *name; /* sgd, rmsprop, adam, adamw */
    double rate, momentum;
    gboolean nesterov;
    double weight_decay;
    double rho;
    gboolean centered;
    double beta1, beta2, epsilon;
    double clip_norm, clip_value; /* 0: no clipping */
  } optimizer;

  struct {
    const char *name; /* constant, step, cosine, one-cycle, plateau */
    const char *per;  /* step, epoch */
    double warm_up, warm_up_factor;
    double factor, min_rate;
    gint64 every;
    char *at;
    gint64 patience, cooldown;
    double threshold;
    double rise, start_divisor, end_divisor;
  } schedule;

  struct {
    gint64 epochs, batch, seed;
    const char *monitor; /* val-loss, val-accuracy, loss, accuracy */
    gint64 patience;     /* 0: no early stopping */
    double min_delta;
    const char *keep; /* best, last */
  } train;
} SlRecipe;

/* One key of the table. */
typedef struct SlRecipeKey {
  const char *group, *name;
  const char *expected;  /* of the value: "a number above 0" */
  const char *initial;   /* the default as text; "" for none */
  const char *only_with; /* "name=sgd,rmsprop": another key of the group and the choices of it that
                            this one goes with; NULL: always */
  const char *help;      /* what it means, half a line */
} SlRecipeKey;

/* The defaults. Free with sl_recipe_free(). */
SL_API SlRecipe *sl_recipe_new (void);
SL_API void sl_recipe_free (SlRecipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlRecipe, sl_recipe_free)

/* Reads a file. Unknown groups and keys, repeated keys and values outside their range are errors of
 * one line with file, group, key, what was found and what was expected. */
SL_API SlRecipe *sl_recipe_load (const char *path, GError **error);
/* The same of text, such as sl_recipe_to_text() makes; `name` stands for the file in messages. */
SL_API SlRecipe *sl_recipe_parse (const char *text, gsize length, const char *name, GError **error);

/* Sets one key as a file would: what options of a command line do, after loading. */
SL_API gboolean sl_recipe_set (SlRecipe *recipe, const char *group, const char *key,
                               const char *value, GError **error);

/* To be called once all is set: gives keys their default that depends on another one's value (the
 * rate on the optimiser), and checks what no key alone shows: a network is named, keys fit the
 * chosen optimiser and schedule, parts leave something to train on. */
SL_API gboolean sl_recipe_complete (SlRecipe *recipe, GError **error);

/* The whole recipe with every default written out, so that a later version with other defaults
 * reads the same run; keys without effect are left out. Parsing it gives the same run. Free with
 * g_free(). */
SL_API char *sl_recipe_to_text (const SlRecipe *recipe);

/* The group [augment] for inputs of these rules; what is erased shows the mean colour. It may still
 * not pass sl_augment_check(), whose ranges are narrower in places. */
SL_API void sl_recipe_get_augment (const SlRecipe *recipe, const SlPreprocess *rules,
                                   SlAugment *ret_augment);

/* Loss, optimiser, batch and seed of a complete recipe; what the recipe does not say by itself
 * (device, threads, class weights, rules for parameters) is 0. */
SL_API void sl_recipe_get_trainer_options (const SlRecipe *recipe, SlTrainerOptions *ret_options);

/* PATH as the recipe means it: absolute, or beneath its folder. Free with g_free(). */
SL_API char *sl_recipe_resolve (const SlRecipe *recipe, const char *path);

/* The keys in the order of the file, for help and documentation; NULL after the last. */
SL_API const SlRecipeKey *sl_recipe_get_key (guint index);

G_END_DECLS
