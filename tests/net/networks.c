/* The network texts that Sightline ships: parameters and shapes are those of the networks'
 * publications, or of Keras and torchvision where those are the reference. */
#include "model-private.h"

#include <sightline/program.h>
#include <sightline/train.h>

#include <math.h>
#include <string.h>

typedef struct Shipped {
  const char *file;
  guint64 parameters, states; /* all, and running statistics among them */
  const char *input, *output; /* of batch 1, in ONNX's order */
} Shipped;

static const Shipped shipped[] = {
    {"mnist-mlp", 669706, 0, "1x1x28x28", "1x10"},
    /* 784·64 + 64 + 64·32 + 32 + 32·64 + 64 + 64·784 + 784 */
    {"denoising-autoencoder", 105392, 0, "1x784", "1x784"},
    {"sigmoid-autoencoder", 25648, 0, "1x512", "1x512"},
    {"cifar-cnn-keras", 528054, 0, "1x3x32x32", "1x10"},
    {"cifar-cnn-book", 40330, 0, "1x3x32x32", "1x10"},
    {"shape-exercise", 15104, 0, "1x3x64x64", "1x32x8x8"},
    {"shape-convolution", 80, 0, "1x1x200x200", "1x16x100x100"},
    {"shape-pooling", 0, 0, "1x15x100x100", "1x15x50x50"},
    {"fashion-cnn", 356234, 0, "1x1x28x28", "1x10"},
    {"lenet5", 61706, 0, "1x1x28x28", "1x10"},
    {"mnist-cnn", 454922, 0, "1x1x28x28", "1x10"},
    {"cifar-cnn-pytorch", 62006, 0, "1x3x32x32", "1x10"},
    {"vgg-cifar", 551914, 896, "1x3x32x32", "1x10"},
    /* torch: 14,724,042 parameters and 8,448 running statistics */
    {"vgg16-cifar", 14732490, 8448, "1x3x32x32", "1x10"},
    {"alexnet", 60965224, 0, "1x3x224x224", "1x1000"}, /* Caffe's bvlc_reference */
    {"zfnet", 107627624, 0, "1x3x224x224", "1x1000"},
    {"vgg16", 138357544, 0, "1x3x224x224", "1x1000"},
    {"vgg19", 143667240, 0, "1x3x224x224", "1x1000"},
    {"googlenet", 6998552, 0, "1x3x224x224", "1x1000"}, /* Caffe's bvlc_googlenet */
    {"inception-v1-module", 249674, 0, "1x3x32x32", "1x10"},
    {"inception-v2-module", 255946, 0, "1x3x32x32", "1x10"},
    {"inception-v3-module", 245386, 0, "1x3x32x32", "1x10"},
    {"mnist-inception", 97298, 0, "1x1x28x28", "1x10"},
    /* torchvision's numbers are those without running statistics. */
    {"resnet18", 11689512 + 9600, 9600, "1x3x224x224", "1x1000"},
    {"resnet34", 21797672 + 17024, 17024, "1x3x224x224", "1x1000"},
    {"resnet50", 25557032 + 53120, 53120, "1x3x224x224", "1x1000"},
    {"resnet101", 44549160 + 105344, 105344, "1x3x224x224", "1x1000"},
    {"resnet152", 60192808 + 151424, 151424, "1x3x224x224", "1x1000"},
    {"resnet20-cifar", 272474 + 1568, 1568, "1x3x32x32", "1x10"},
};
/* One that is refused, and has to be. */
#define FAULTY "cifar-cnn-faulty"

static SlModel *
load (const char *name, GError **error)
{
  g_autofree char *file = g_strconcat (name, ".net", NULL);
  g_autofree char *path = g_build_filename (g_getenv ("SIGHTLINE_NETWORKS"), file, NULL);
  return sl_model_load (path, NULL, error);
}

/* Shapes by way of the reference's program: nothing is run. */
static SlProgram *
compile (SlModel *model, GError **error)
{
  const SlProgramOptions options = {.device = sl_device_find ("ref", NULL), .unoptimized = TRUE};
  return sl_program_new (model, &options, error);
}

static void
test_shipped (gconstpointer data)
{
  const Shipped *expected = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = load (expected->file, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sl_model_get_n_parameters (model), ==, expected->parameters);
  g_assert_cmpuint (sl_model_get_n_states (model), ==, expected->states);
  g_autoptr (SlProgram) program = compile (model, &error);
  g_assert_no_error (error);
  g_autofree char *input = sl_shape_to_string (&sl_program_get_input (program, 0)->shape);
  g_autofree char *output = sl_shape_to_string (&sl_program_get_output (program, 0)->shape);
  g_assert_cmpstr (input, ==, expected->input);
  g_assert_cmpstr (output, ==, expected->output);
}

static void
test_faulty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = load (FAULTY, &error);
  g_assert_null (model);
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "layer 'conv2d_2' (Conv2D): a 7x7 kernel does not fit "
                                            "an input of 6x6x32"));
}

/* --- Running --- */

/* Networks of fewer parameters are run, too: the reference takes a moment for them. */
#define SMALL 1000000

/* Even, of the size that the initialiser asks for. */
static void
draw (const SlValue *value, GRand *rand)
{
  if (value->initializer == NULL)
    return;
  const double size = sl_initializer_get_size (value->initializer, value->fan_in, value->fan_out);
  float *data = sl_tensor_get_data_writable (value->data);
  for (size_t i = 0; i < sl_tensor_get_elements (value->data); i++)
    data[i] = (float)g_rand_double_range (rand, -size, size);
}

/* The output for an even input. */
static SlTensor *
run_on (SlModel *model, const char *device)
{
  g_autoptr (GError) error = NULL;
  const SlProgramOptions options = {.device = sl_device_find (device, NULL), .batch = 2};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  const SlPort *port = sl_program_get_input (program, 0);
  g_autoptr (SlTensor) input = sl_tensor_new (SL_FLOAT32, &port->shape, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  float *data = sl_tensor_get_data_writable (input);
  for (size_t i = 0; i < sl_tensor_get_elements (input); i++)
    data[i] = (float)g_rand_double_range (rand, -1, 1);
  g_assert_true (sl_run_set_input (run, 0, input, &error));
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  SlTensor *output = sl_run_copy_output (run, 0, &error);
  g_assert_no_error (error);
  return output;
}

/* The network as it runs, and its definition in double precision. */
static void
test_run (gconstpointer data)
{
  const Shipped *network = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = load (network->file, &error);
  g_assert_no_error (error);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  const SlGraph *graph = sl_model_get_graph (model);
  for (uint32_t i = 0; i < graph->values->len; i++)
    draw (graph->values->pdata[i], rand);
  g_autoptr (SlTensor) expected = run_on (model, "ref");
  g_autoptr (SlTensor) got = run_on (model, "cpu");
  double largest = 0, difference = 0;
  for (size_t i = 0; i < sl_tensor_get_elements (expected); i++) {
    const double want = sl_tensor_get_double (expected, i);
    largest = MAX (largest, fabs (want));
    difference = MAX (difference, fabs (sl_tensor_get_double (got, i) - want));
  }
  g_test_message ("difference %g of %g", difference, largest);
  g_assert_cmpfloat (difference, <=, 1e-4 * largest);
}

/* --- Training --- */

enum { BATCH = 4, STEPS = 8 };
#define RATE 1e-3

/* Numbers from -0.5 to 0.5, or for each sample one class. */
static void
write_samples (const SlTensorView *view, gboolean classes)
{
  size_t elements = 0;
  sl_shape_get_elements (&view->shape, &elements);
  for (size_t i = 0; i < elements; i++) {
    size_t rest = i, offset = 0;
    int64_t at[SL_MAX_RANK];
    for (uint32_t d = view->shape.rank; d-- > 0; rest /= (size_t)view->shape.dim[d]) {
      at[d] = (int64_t)(rest % (size_t)view->shape.dim[d]);
      offset += (size_t)(at[d] * view->stride[d]);
    }
    ((float *)view->data)[offset] = classes ? (float)(at[1] == at[0] * 3 % view->shape.dim[1])
                                            : (float)(i * 7919 % 1001) / 1000 - 0.5f;
  }
}

/* Steps on the same few samples make the loss smaller. */
static void
test_train (gconstpointer data)
{
  const Shipped *network = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = load (network->file, &error);
  g_assert_no_error (error);
  const gboolean classes = g_strcmp0 (sl_model_get_output_op (model, 0), "Softmax") == 0;
  SlTrainerOptions options = {
      .batch = BATCH, .seed = 1, .loss = classes ? SL_LOSS_CROSS_ENTROPY : SL_LOSS_MSE};
  sl_optimizer_init (&options.optimizer, SL_OPTIMIZER_ADAM);
  g_autoptr (SlTrainer) trainer = sl_trainer_new (model, &options, &error);
  g_assert_no_error (error);
  SlTensorView input, target;
  SlTrainResult first, last;
  sl_trainer_get_input (trainer, &input);
  sl_trainer_get_target (trainer, &target);
  write_samples (&input, FALSE);
  write_samples (&target, classes);
  for (int i = 0; i < STEPS; i++) {
    sl_trainer_step (trainer, RATE, i == 0 ? &first : &last, &error);
    g_assert_no_error (error);
  }
  g_test_message ("loss %g, then %g", first.loss, last.loss);
  /* As far from right as one in ten; a batch of four, normalised by itself, says nothing of that.
   */
  if (classes && sl_model_get_n_states (model) == 0)
    g_assert_cmpfloat_with_epsilon (first.loss, log (10), 0.5);
  g_assert_cmpfloat (last.loss, <, first.loss);
}

/* No file lies there that no row above knows. */
static void
test_all_listed (void)
{
  g_autoptr (GDir) folder = g_dir_open (g_getenv ("SIGHTLINE_NETWORKS"), 0, NULL);
  g_assert_nonnull (folder);
  for (const char *name; (name = g_dir_read_name (folder)) != NULL;) {
    if (!g_str_has_suffix (name, ".net"))
      continue;
    gboolean is_listed = g_str_equal (name, FAULTY ".net");
    for (size_t i = 0; i < G_N_ELEMENTS (shipped); i++)
      is_listed |=
          strlen (shipped[i].file) + 4 == strlen (name) && g_str_has_prefix (name, shipped[i].file);
    if (!is_listed)
      g_error ("%s is in no row of the test", name);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (shipped); i++) {
    g_autofree char *path = g_strconcat ("/net/networks/", shipped[i].file, NULL);
    g_autofree char *train = g_strconcat ("/net/networks/train/", shipped[i].file, NULL);
    g_autofree char *run = g_strconcat ("/net/networks/run/", shipped[i].file, NULL);
    g_test_add_data_func (path, &shipped[i], test_shipped);
    if (shipped[i].parameters < SMALL)
      g_test_add_data_func (run, &shipped[i], test_run);
    if (shipped[i].parameters > 0 && shipped[i].parameters < SMALL)
      g_test_add_data_func (train, &shipped[i], test_train);
  }
  g_test_add_func ("/net/networks/faulty", test_faulty);
  g_test_add_func ("/net/networks/all-listed", test_all_listed);
  return g_test_run ();
}
