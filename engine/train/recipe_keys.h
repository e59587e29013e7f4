/* The table of a recipe's keys: what they are called, which values they take, where they go. */
#pragma once

#include <sightline/recipe.h>

typedef enum {
  SL_RECIPE_TEXT,   /* char *, any text of one line */
  SL_RECIPE_CHOICE, /* const char *, one of `choices` */
  SL_RECIPE_INT,    /* gint64 in min … max */
  SL_RECIPE_REAL,   /* double in min … max */
  SL_RECIPE_BOOL    /* gboolean, "true" or "false" */
} SlRecipeType;

typedef struct SlRecipeField {
  SlRecipeKey public;
  SlRecipeType type;
  size_t offset; /* in SlRecipe */
  double min, max;
  gboolean above; /* min itself is not allowed */
  const char *const *choices;
} SlRecipeField;

/* In the order of the file. */
extern const SlRecipeField sl_recipe_fields[];
extern const guint sl_recipe_n_fields;

/* Sets a field from text. FALSE: the value is not what `public.expected` says. */
gboolean sl_recipe_field_parse (const SlRecipeField *field, SlRecipe *recipe, const char *text);
/* The field's content as text, or NULL where nothing is set. Free with g_free(). */
char *sl_recipe_field_format (const SlRecipeField *field, const SlRecipe *recipe);

/* Whether somebody has set the key: a file, an option. `recipe` is one that sl_recipe_new() made.
 */
gboolean sl_recipe_is_set (const SlRecipe *recipe, const char *group, const char *key);
/* Whether the field has an effect with this choice of its group's name. */
gboolean sl_recipe_field_applies (const SlRecipeField *field, const SlRecipe *recipe);
