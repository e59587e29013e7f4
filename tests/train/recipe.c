#include <sightline/recipe.h>

#include <glib/gstdio.h>

#include <string.h>

#define NET "[network]\nnet=a.net\n"

static SlRecipe *
parse (const char *text, GError **error)
{
  g_autoptr (SlRecipe) recipe = sl_recipe_parse (text, strlen (text), "r", error);
  return recipe && sl_recipe_complete (recipe, error) ? g_steal_pointer (&recipe) : NULL;
}

static void
assert_refused (const char *text, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRecipe) recipe = parse (text, &error);
  g_assert_null (recipe);
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_values (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRecipe) recipe = parse ("# a comment\n" NET "freeze = conv1.*, conv2.*\n"
                                       "[loss]\nlabel-smoothing=0.1\n"
                                       "[data]\npath=mnist\nworkers=2\ndrop-last=true\n"
                                       "[optimizer]\nname=sgd\nmomentum=0.9\nnesterov=true\n"
                                       "[train]\nepochs=3\nbatch=64\nseed=9007199254740992\n",
                                       &error);
  g_assert_no_error (error);
  g_assert_cmpstr (recipe->network.net, ==, "a.net");
  g_assert_cmpstr (recipe->network.freeze, ==, "conv1.*, conv2.*");
  g_assert_null (recipe->network.base);
  g_assert_cmpfloat (recipe->loss.label_smoothing, ==, 0.1);
  g_assert_cmpint (recipe->data.workers, ==, 2);
  g_assert_true (recipe->data.drop_last);
  g_assert_cmpstr (recipe->optimizer.name, ==, "sgd");
  g_assert_cmpfloat (recipe->optimizer.momentum, ==, 0.9);
  g_assert_cmpint (recipe->train.seed, ==, G_GINT64_CONSTANT (9007199254740992));
  /* Defaults, those that hang on the optimiser among them. */
  g_assert_cmpfloat (recipe->optimizer.rate, ==, 0.01);
  g_assert_cmpfloat (recipe->optimizer.weight_decay, ==, 0);
  g_assert_cmpfloat (recipe->split.validation, ==, 0.1);
  g_assert_cmpstr (recipe->schedule.name, ==, "constant");
  g_assert_cmpstr (recipe->train.keep, ==, "best");

  g_autoptr (SlRecipe) adamw = parse (NET "[optimizer]\nname=adamw\n", &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (adamw->optimizer.rate, ==, 0.001);
  g_assert_cmpfloat (adamw->optimizer.weight_decay, ==, 0.004);
  g_assert_cmpfloat (adamw->optimizer.epsilon, ==, 1e-7);
}

/* Each stated default reads as a value of its key. */
static void
test_defaults (void)
{
  for (guint i = 0; sl_recipe_get_key (i); i++) {
    const SlRecipeKey *key = sl_recipe_get_key (i);
    g_autoptr (GError) error = NULL;
    g_autoptr (SlRecipe) recipe = sl_recipe_new ();
    if (!*key->initial || strchr (key->initial, ' '))
      continue;
    sl_recipe_set (recipe, key->group, key->name, key->initial, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (strlen (key->help), >, 0);
  }
}

static void
test_errors (void)
{
  assert_refused ("", "r: is empty (expected a key file with groups such as [train])");
  assert_refused ("[train]\nepochs\n",
                  "r: Key file contains line “epochs” which is not a key-value pair, group, or "
                  "comment (expected KEY=VALUE, [GROUP] or # comment)");
  assert_refused (NET "[train]\nepochs=0\n",
                  "r: [train] epochs is '0' (expected a whole number, 1 or more)");
  assert_refused (NET "[train]\nepochs=2.5\n",
                  "r: [train] epochs is '2.5' (expected a whole number, 1 or more)");
  assert_refused (NET "[optimizer]\nrate=fast\n",
                  "r: [optimizer] rate is 'fast' (expected a number above 0)");
  assert_refused (NET "[optimizer]\nrate=0\n",
                  "r: [optimizer] rate is '0' (expected a number above 0)");
  assert_refused (NET "[optimizer]\nrate=nan\n",
                  "r: [optimizer] rate is 'nan' (expected a number above 0)");
  assert_refused (NET "[optimizer]\nrate=0x1\n",
                  "r: [optimizer] rate is '0x1' (expected a number above 0)");
  assert_refused (NET "[optimizer]\nrate=\n",
                  "r: [optimizer] rate is '' (expected a number above 0)");
  assert_refused (NET "[optimizer]\nname=Adam\n",
                  "r: [optimizer] name is 'Adam' (expected sgd, rmsprop, adam or adamw)");
  assert_refused (NET "[optimizer]\nmomentun=0.9\n",
                  "r: [optimizer] momentun is no key (expected its nearest name, momentum)");
  assert_refused (NET "[train]\nzzzzzzzz=1\n",
                  "r: [train] zzzzzzzz is no key (expected one of epochs, batch, seed, monitor, "
                  "patience, min-delta, keep)");
  assert_refused (NET "[optimiser]\nname=adam\n",
                  "r: [optimiser] is no group of a recipe (expected its nearest name, optimizer)");
  assert_refused (NET "[data]\ndrop-last=yes\n",
                  "r: [data] drop-last is 'yes' (expected true or false)");
  assert_refused (NET "[train]\nepochs=3\nbatch=2\n epochs = 4\n",
                  "r: [train] epochs is there twice (expected once)");
}

static void
test_checks (void)
{
  assert_refused ("[train]\nepochs=1\n",
                  "r: [network] names neither net nor base (expected one of them)");
  assert_refused (NET "base=b.onnx\n",
                  "r: [network] names both net and base (expected one of them)");
  assert_refused (
      NET "[optimizer]\nname=adam\nmomentum=0.9\n",
      "r: [optimizer] momentum has no effect here (expected with name=sgd,rmsprop only)");
  assert_refused (NET "[optimizer]\nname=sgd\nnesterov=true\n",
                  "r: [optimizer] nesterov is true without momentum (expected one)");
  assert_refused (NET "[split]\nvalidation=0.6\ntest=0.4\n",
                  "r: [split] validation and test take 1 of the data (expected below 1)");
  assert_refused (NET "[schedule]\nname=step\n",
                  "r: [schedule] step says neither every nor at (expected one of them)");
  assert_refused (NET "[schedule]\nname=step\nat=5,5\n",
                  "r: [schedule] at is '5,5' (expected rising numbers of epochs)");
  assert_refused (NET "[schedule]\nwarm-up=10\n",
                  "r: [schedule] warm-up takes 10 epochs of 10 (expected fewer)");
}

/* Text of a recipe gives the same recipe and the same text. */
static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlRecipe) recipe =
      parse (NET "freeze=a\\\\b ; # c\n[optimizer]\nname=rmsprop\nrate=0.00012345678901234567\n"
                 "rho=0.99\n[schedule]\nname=step\nat=1,2\n[preprocess]\nmean=0.1,0.2,0.3\n",
             &error);
  g_assert_no_error (error);
  g_autofree char *text = sl_recipe_to_text (recipe);
  g_autoptr (SlRecipe) again = parse (text, &error);
  g_assert_no_error (error);
  g_autofree char *text_again = sl_recipe_to_text (again);
  g_assert_cmpstr (text, ==, text_again);
  g_assert_cmpstr (again->network.freeze, ==, "a\\b ; # c");
  g_assert_cmpfloat (again->optimizer.rate, ==, recipe->optimizer.rate);
  g_assert_cmpfloat (again->optimizer.rho, ==, 0.99);
  g_assert_cmpfloat (again->schedule.warm_up_factor, ==, 1.0 / 3);
  /* What has no effect with this optimiser is not there. */
  g_assert_null (strstr (text, "beta1"));
}

static void
test_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("sightline-recipe-XXXXXX", &error);
  g_autofree char *path = g_build_filename (folder, "x.recipe", NULL);
  g_assert_true (g_file_set_contents (path, NET, -1, NULL));
  g_autoptr (SlRecipe) recipe = sl_recipe_load (path, &error);
  g_assert_no_error (error);
  g_autofree char *net = sl_recipe_resolve (recipe, recipe->network.net);
  g_autofree char *beside = g_build_filename (folder, "a.net", NULL);
  g_assert_cmpstr (net, ==, beside);

  g_assert_true (g_file_set_contents (path, "[train]\nepochs=\xff\n", -1, NULL));
  g_assert_null (sl_recipe_load (path, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "[train]\nepochs=1\0x", 18, NULL));
  g_assert_null (sl_recipe_load (path, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_MALFORMED);
  g_clear_error (&error);
  g_remove (path);
  g_assert_null (sl_recipe_load (path, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_IO);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/recipe/values", test_values);
  g_test_add_func ("/train/recipe/defaults", test_defaults);
  g_test_add_func ("/train/recipe/errors", test_errors);
  g_test_add_func ("/train/recipe/checks", test_checks);
  g_test_add_func ("/train/recipe/round-trip", test_round_trip);
  g_test_add_func ("/train/recipe/file", test_file);
  return g_test_run ();
}
