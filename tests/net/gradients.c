/* Gradients of one step of the networks of the literature: all layers of their texts, narrow and on
 * small pictures, so that the reference is done with them in a moment. The CPU's against those in
 * double precision, and the same bits on one thread and on three. At the published sizes
 * tools/dev/check_gradients.py compares them with PyTorch's. */
#include <sightline/sightline.h>

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define BATCH 4
#define TOLERANCE 1e-4 /* of each tensor's largest element */

typedef struct Network {
  const char *file;
  int narrower;        /* that many times fewer filters */
  const char *input;   /* small, and all windows fit */
  gboolean smooth;     /* ELU in the place of ReLU */
  gboolean recomputes; /* is tried in less memory, too; takes a while */
} Network;

/* Batches of ResNets are normalised by four positions of four samples at the end: fewer say nothing
 * about a variance. Gradients of the deep ones are large and jump where a ReLU bends: PyTorch's in
 * single precision are several percent away from its own in double. Without bends they agree. */
static const Network networks[] = {
    {"alexnet", 8, "67x67x3", FALSE, TRUE},
    {"zfnet", 8, "63x63x3", FALSE, TRUE},
    {"vgg16", 8, "32x32x3", FALSE, TRUE},
    {"vgg19", 8, "32x32x3", FALSE, TRUE},
    {"googlenet", 4, "64x64x3", FALSE, TRUE},
    {"inception-v1-module", 4, "16x16x3", FALSE, TRUE},
    {"inception-v2-module", 4, "16x16x3", FALSE, TRUE},
    {"inception-v3-module", 4, "16x16x3", FALSE, TRUE},
    {"mnist-inception", 1, "28x28x1", FALSE, TRUE},
    {"resnet18", 8, "64x64x3", FALSE, TRUE},
    {"resnet34", 8, "64x64x3", TRUE, TRUE},
    {"resnet50", 8, "64x64x3", TRUE, TRUE},
    {"resnet101", 8, "64x64x3", TRUE, FALSE},
    {"resnet152", 8, "64x64x3", TRUE, FALSE},
    {"resnet20-cifar", 2, "16x16x3", FALSE, TRUE},
};

/* --- The text, narrower --- */

/* Number `word` of a line divided, but not below `least`. FALSE: it is none. */
static gboolean
divide (char **words, guint word, int by, gint64 least)
{
  if (words[word] == NULL || !g_ascii_isdigit (words[word][0]))
    return FALSE;
  const gint64 number = g_ascii_strtoll (words[word], NULL, 10);
  g_free (words[word]);
  words[word] = g_strdup_printf ("%" G_GINT64_FORMAT, MAX (number / by, least));
  return TRUE;
}

/* A layer's filters or units stand first; of GoogLeNet's modules all numbers are such. */
static char *
reduce_line (const char *line, const Network *network)
{
  static const char *const filtered[] = {"Conv2D", "conv", "stage", "residual", NULL};
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  guint type = 0;
  while (words[type] != NULL && (words[type][0] == '\0' || g_str_has_suffix (words[type], ":")))
    type++;
  if (words[type] == NULL)
    return g_strdup (line);
  if (g_str_equal (words[type], "Input"))
    return g_strconcat ("Input ", network->input, NULL);
  if (network->smooth && g_str_equal (words[type], "ReLU")) {
    g_free (words[type]);
    words[type] = g_strdup ("ELU");
  }
  if (g_str_equal (words[type], "Dense"))
    divide (words, type + 1, network->narrower * network->narrower, 10);
  if (g_strv_contains (filtered, words[type]))
    divide (words, type + 1, network->narrower, 1);
  for (guint i = type + 1; g_str_equal (words[type], "inception"); i++)
    if (!divide (words, i, network->narrower, 1))
      break;
  return g_strjoinv (" ", words);
}

static SlModel *
load (const Network *network)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_strconcat (network->file, ".net", NULL), *text = NULL, *dir = NULL;
  g_autofree char *path = g_build_filename (g_getenv ("SIGHTLINE_NETWORKS"), file, NULL);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    char *line = reduce_line (lines[i], network);
    g_free (lines[i]);
    lines[i] = line;
  }
  g_autofree char *narrow = g_strjoinv ("\n", lines);
  dir = g_dir_make_tmp ("sightline-XXXXXX", &error);
  g_autofree char *copy = g_build_filename (dir, file, NULL);
  g_file_set_contents (copy, narrow, -1, &error);
  g_assert_no_error (error);
  SlModel *model = sl_model_load (copy, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_remove (copy) + g_rmdir (dir), ==, 0);
  return model;
}

/* --- A step --- */

/* Even numbers around 0, or of each sample another class; the same in any layout. */
static void
fill (const SlTensorView *view, gboolean classes)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  size_t elements = 1;
  for (uint32_t d = 0; d < view->shape.rank; d++)
    elements *= (size_t)view->shape.dim[d];
  for (size_t i = 0; i < elements; i++) {
    size_t rest = i;
    ptrdiff_t at = 0;
    int64_t index[SL_MAX_RANK];
    for (uint32_t d = view->shape.rank; d-- > 0; rest /= (size_t)view->shape.dim[d]) {
      index[d] = (int64_t)(rest % (size_t)view->shape.dim[d]);
      at += (ptrdiff_t)index[d] * view->stride[d];
    }
    ((float *)view->data)[at] = classes ? (float)(index[1] == index[0] * 3 % view->shape.dim[1])
                                        : (float)g_rand_double_range (rand, -1.5, 1.5);
  }
}

/* Gradient descent with momentum, which keeps the gradients of the first step as velocities. */
static SlTrainer *
open_trainer (SlModel *model, const char *device, uint32_t threads, guint64 memory_limit,
              GError **error)
{
  SlTrainerOptions options = {.batch = BATCH,
                              .seed = 3,
                              .threads = threads,
                              .device = sl_device_find (device, NULL),
                              .memory_limit = memory_limit};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_SGD);
  options.optimizer.momentum = 0.9;
  return sl_trainer_new (model, &options, error);
}

static void
run_step (SlTrainer *trainer)
{
  g_autoptr (GError) error = NULL;
  SlTensorView input, target;
  sl_trainer_get_input (trainer, &input);
  sl_trainer_get_target (trainer, &target);
  fill (&input, FALSE);
  fill (&target, TRUE);
  sl_trainer_step (trainer, 1e-3, NULL, &error);
  g_assert_no_error (error);
}

static SlTrainer *
train (SlModel *model, const char *device, uint32_t threads)
{
  g_autoptr (GError) error = NULL;
  SlTrainer *trainer = open_trainer (model, device, threads, 0, &error);
  g_assert_no_error (error);
  run_step (trainer);
  return trainer;
}

static gboolean
is_gradient (SlTrainer *trainer, uint32_t index, SlVariable *ret)
{
  sl_trainer_get_variable (trainer, index, ret);
  return g_str_has_suffix (ret->name, "/velocity");
}

static void
assert_same_bits (SlTrainer *a, SlTrainer *b)
{
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (a); i++) {
    SlVariable left, right;
    sl_trainer_get_variable (a, i, &left);
    sl_trainer_get_variable (b, i, &right);
    g_assert_cmpstr (left.name, ==, right.name);
    if (memcmp (sl_variable_read (&left, NULL), sl_variable_read (&right, NULL), left.bytes) != 0)
      g_error ("%s differs", left.name);
  }
}

static void
test_gradients (gconstpointer data)
{
  g_autoptr (SlModel) model = load (data);
  g_autoptr (SlTrainer) expected = train (model, "ref", 1);
  g_autoptr (SlTrainer) got = train (model, "cpu", 1);
  g_autoptr (SlTrainer) three = train (model, "cpu", 3);
  SlVariable want, have;
  double worst = 0;
  uint32_t n = 0;
  assert_same_bits (got, three);
  for (uint32_t i = 0; i < sl_trainer_get_n_variables (expected); i++) {
    if (!is_gradient (expected, i, &want))
      continue;
    sl_trainer_get_variable (got, i, &have);
    g_assert_cmpstr (want.name, ==, have.name);
    const float *numbers = sl_variable_read (&want, NULL), *found = sl_variable_read (&have, NULL);
    double largest = 0, difference = 0;
    for (size_t k = 0; k < want.elements; k++) {
      const double number = (double)numbers[k];
      largest = fmax (largest, fabs (number));
      difference = fmax (difference, fabs ((double)found[k] - number));
    }
    if (!(largest > 0 && difference <= TOLERANCE * largest))
      g_error ("%s: off by %g of %g", want.name, difference, largest);
    worst = fmax (worst, difference / largest);
    n++;
  }
  g_test_message ("%u gradients, the worst is off by %.1e of its largest", n, worst);
  g_assert_cmpuint (n, >, 10);
}

/* --- The same in less memory --- */

/* One byte less than it took, and again, until there is no way. */
static void
test_recomputed (gconstpointer data)
{
  g_autoptr (SlModel) model = load (data);
  g_autoptr (SlTrainer) expected = train (model, "cpu", 2);
  SlTrainerInfo info, less;
  uint32_t n = 0;
  sl_trainer_get_info (expected, &info);
  g_assert_cmpuint (info.kept_bytes, ==, info.step_bytes);
  g_assert_cmpfloat (info.recomputed_flops, ==, 0);
  for (guint64 limit = info.step_bytes - 1;; limit = less.step_bytes - 1) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SlTrainer) trainer = open_trainer (model, "cpu", 2, limit, &error);
    if (trainer == NULL) {
      g_assert_error (error, SL_ERROR, SL_ERROR_LIMIT);
      g_test_message ("%s", error->message);
      break;
    }
    sl_trainer_get_info (trainer, &less);
    g_test_message ("%.0f KiB of %.0f, %.0f %% more work", (double)less.step_bytes / 0x1p10,
                    (double)info.step_bytes / 0x1p10,
                    100 * less.recomputed_flops / info.step_flops);
    g_assert_cmpuint (less.step_bytes, <=, limit);
    g_assert_cmpuint (less.kept_bytes, ==, info.step_bytes);
    g_assert_cmpfloat (less.recomputed_flops, >, 0);
    g_assert_cmpfloat (less.recomputed_flops, <, 0.4 * info.step_flops);
    run_step (trainer);
    assert_same_bits (expected, trainer);
    n++;
  }
  g_assert_cmpuint (n, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (networks); i++) {
    g_autofree char *path = g_strconcat ("/net/gradients/", networks[i].file, NULL);
    g_autofree char *less = g_strconcat ("/net/gradients/recomputed/", networks[i].file, NULL);
    g_test_add_data_func (path, &networks[i], test_gradients);
    if (networks[i].recomputes)
      g_test_add_data_func (less, &networks[i], test_recomputed);
  }
  return g_test_run ();
}
