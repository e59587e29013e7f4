/* Class activation maps against what they are defined by: how the logits change with the features
 * at one position, and that a map's mean and the bias make the logit. */
#include "explain/heads.h"
#include "model-private.h"

#include <math.h>
#include <string.h>

#define N_POSITIONS ((size_t)HEAD_HEIGHT * HEAD_WIDTH)

/* --- A network with its features --- */

typedef struct Network {
  SlModel *model;
  SlCam *cam;
  SlRun *run;
  SlTensorView features;
  uint32_t width, height, n_classes;
} Network;

static void
network_clear (Network *network)
{
  g_clear_pointer (&network->run, sl_run_free);
  g_clear_pointer (&network->cam, sl_cam_free);
  g_clear_pointer (&network->model, sl_model_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Network, network_clear)

/* Takes the model over. */
static void
network_init (Network *network, SlModel *model, const char *device)
{
  g_autoptr (GError) error = NULL;
  *network = (Network){.model = model, .cam = sl_cam_new (model, &error)};
  g_assert_no_error (error);
  const char *tap = sl_cam_get_tap (network->cam);
  SlProgramOptions options = {
      .device = sl_device_find (device, NULL), .batch = 1, .taps = &tap, .n_taps = 1};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  network->run = sl_run_new (program, &error);
  g_assert_no_error (error);
  sl_run_get_output (network->run, sl_program_get_n_outputs (program) - 1, &network->features);
  sl_cam_get_size (network->cam, &network->features, &network->width, &network->height);
  network->n_classes = sl_cam_get_n_classes (network->cam);
}

static void
execute (Network *network, const SlTensor *x)
{
  g_autoptr (GError) error = NULL;
  sl_run_set_input (network->run, 0, x, &error);
  g_assert_no_error (error);
  sl_run_execute (network->run, &error);
  g_assert_no_error (error);
}

static float *
map_of (Network *network, uint32_t klass)
{
  float *map = g_new (float, (size_t)network->width * network->height);
  sl_cam_map (network->cam, &network->features, klass, map);
  return map;
}

static double
mean_of (Network *network, uint32_t klass)
{
  g_autofree float *map = map_of (network, klass);
  size_t n = (size_t)network->width * network->height;
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += (double)map[i];
  return sum / (double)n;
}

static SlTensor *
numbers (const SlShape *shape, uint32_t seed)
{
  SlTensor *tensor = sl_tensor_new (SL_FLOAT32, shape, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t i = 0; i < sl_tensor_get_elements (tensor); i++)
    data[i] = (float)g_rand_double_range (rand, -1, 1);
  return tensor;
}

/* --- Made-up heads --- */

/* `x` at one position, 0 elsewhere. */
static SlTensor *
only_at (const SlTensor *x, size_t position)
{
  SlTensor *tensor = sl_tensor_new (SL_FLOAT32, sl_tensor_get_shape (x), NULL);
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t i = position; i < sl_tensor_get_elements (x); i += N_POSITIONS)
    data[i] = (float)sl_tensor_get_double (x, i);
  return tensor;
}

static void
check_head (const Head *head, const char *device)
{
  g_auto (Network) network = {0};
  network_init (&network, head_model (head), device);
  g_assert_cmpuint (network.width, ==, HEAD_WIDTH);
  g_assert_cmpuint (network.height, ==, HEAD_HEIGHT);
  const uint32_t logits = head->link != NULL ? 1 : 0;
  g_autoptr (SlTensor) x = numbers (&SL_SHAPE (1, HEAD_CHANNELS, HEAD_HEIGHT, HEAD_WIDTH), 100);
  g_autoptr (SlTensor) nothing = only_at (x, SIZE_MAX);
  execute (&network, nothing);
  g_autoptr (SlTensor) at_rest = sl_run_copy_output (network.run, logits, NULL);
  g_assert_cmpuint (network.n_classes, ==, sl_tensor_get_elements (at_rest));
  for (uint32_t c = 0; c < network.n_classes; c++) {
    execute (&network, nothing);
    g_autofree float *map_at_rest = map_of (&network, c);
    execute (&network, x);
    g_autofree float *map = map_of (&network, c);
    g_autoptr (SlTensor) whole = sl_run_copy_output (network.run, logits, NULL);
    g_assert_cmpfloat_with_epsilon (mean_of (&network, c) + sl_cam_get_bias (network.cam, c),
                                    sl_tensor_get_double (whole, c), 1e-5);
    for (size_t i = 0; i < N_POSITIONS; i++) {
      g_autoptr (SlTensor) part = only_at (x, i);
      execute (&network, part);
      g_autoptr (SlTensor) moved = sl_run_copy_output (network.run, logits, NULL);
      double share = sl_tensor_get_double (moved, c) - sl_tensor_get_double (at_rest, c);
      g_assert_cmpfloat_with_epsilon ((double)(map[i] - map_at_rest[i]),
                                      share * (double)N_POSITIONS, 2e-5);
    }
  }
}

static void
test_head (gconstpointer data)
{
  const Head *head = data;
  g_autoptr (GError) error = NULL;
  if (head->problem == NULL) {
    check_head (head, "cpu");
    check_head (head, "ref");
    return;
  }
  g_autoptr (SlModel) model = head_model (head);
  g_assert_null (sl_cam_new (model, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  if (strstr (error->message, head->problem) == NULL)
    g_error ("'%s' does not say \"%s\"", error->message, head->problem);
}

/* The same features in every order and type that a view can have. */
static void
test_orders (void)
{
  g_auto (Network) network = {0};
  network_init (&network, head_model (&heads[0]), "ref");
  g_autoptr (SlTensor) x = numbers (&SL_SHAPE (1, HEAD_CHANNELS, HEAD_HEIGHT, HEAD_WIDTH), 101);
  execute (&network, x);
  g_autofree float *map = map_of (&network, 3);
  const ptrdiff_t pixel = 9, row = HEAD_WIDTH * pixel, n = HEAD_HEIGHT * row;
  const ptrdiff_t strides[][3] = {
      /* channel, y, x: dense planes; padded pixels; padded planes; width before height */
      {HEAD_HEIGHT * HEAD_WIDTH, HEAD_WIDTH, 1},
      {1, row, pixel},
      {HEAD_HEIGHT * 6, 6, 1},
      {HEAD_HEIGHT * HEAD_WIDTH, 1, HEAD_HEIGHT}};
  for (size_t i = 0; i < G_N_ELEMENTS (strides); i++) {
    for (SlDType dtype = SL_FLOAT32; dtype <= SL_FLOAT64; dtype++) {
      g_autofree double *memory = g_new0 (double, (size_t)n);
      SlTensorView view = {.dtype = dtype,
                           .shape = *sl_tensor_get_shape (x),
                           .stride = {0, strides[i][0], strides[i][1], strides[i][2]},
                           .data = memory};
      for (ptrdiff_t k = 0; k < HEAD_CHANNELS * HEAD_HEIGHT * HEAD_WIDTH; k++) {
        ptrdiff_t at = k / (HEAD_HEIGHT * HEAD_WIDTH) * strides[i][0] +
                       k / HEAD_WIDTH % HEAD_HEIGHT * strides[i][1] +
                       k % HEAD_WIDTH * strides[i][2];
        double value = sl_tensor_get_double (x, (size_t)k);
        if (dtype == SL_FLOAT64)
          memory[at] = value;
        else
          ((float *)memory)[at] = (float)value;
      }
      float again[HEAD_HEIGHT * HEAD_WIDTH];
      sl_cam_map (network.cam, &view, 3, again);
      for (size_t k = 0; k < N_POSITIONS; k++)
        g_assert_cmpfloat_with_epsilon ((double)again[k], (double)map[k], 1e-6);
    }
  }
}

static void
test_half_features (void)
{
  /* Features of a network that computes in half precision. */
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (1, HEAD_CHANNELS, HEAD_HEIGHT, HEAD_WIDTH));
  x->dtype = SL_FLOAT16;
  SlValue *gap = test_node (graph, "GlobalAveragePool", "gap", x, NULL);
  sl_graph_mark_output (graph, test_node (graph, "Flatten", "y", gap, NULL));
  g_autoptr (SlModel) model = model_of (graph);
  g_autoptr (SlCam) cam = sl_cam_new (model, &error);
  g_assert_no_error (error);
  uint16_t features[HEAD_CHANNELS * HEAD_HEIGHT * HEAD_WIDTH];
  for (size_t i = 0; i < G_N_ELEMENTS (features); i++)
    features[i] = i % 2 ? 0x3c00 : 0xc100; /* 1 and -2.5 */
  SlTensorView view = {.dtype = SL_FLOAT16,
                       .shape = SL_SHAPE (1, HEAD_CHANNELS, HEAD_HEIGHT, HEAD_WIDTH),
                       .stride = {0, HEAD_HEIGHT * HEAD_WIDTH, HEAD_WIDTH, 1},
                       .data = features};
  float map[HEAD_HEIGHT * HEAD_WIDTH];
  sl_cam_map (cam, &view, 2, map);
  g_assert_cmpfloat (map[0], ==, -2.5f);
  g_assert_cmpfloat (map[1], ==, 1);
}

static void
test_heat (void)
{
  const float map[] = {-3, 1, 0, 4, -1}, expected[] = {0, 0.25, 0, 1, 0};
  float heat[5], cold[] = {-2, 0};
  g_assert_cmpfloat (sl_map_to_heat (map, 5, heat), ==, 4);
  for (int i = 0; i < 5; i++)
    g_assert_cmpfloat (heat[i], ==, expected[i]);
  g_assert_cmpfloat (sl_map_to_heat (cold, 2, cold), ==, 0);
  g_assert_cmpfloat (cold[0], ==, 0);
  g_assert_cmpfloat (cold[1], ==, 0);
}

/* --- Real networks --- */

/* Scores that are not probabilities are logits already. */
static void
to_scores (SlModel *model, double *logits, uint32_t n)
{
  const char *op = sl_model_get_output_op (model, 0);
  double most = -INFINITY, sum = 0;
  if (g_strcmp0 (op, "Softmax") != 0)
    return;
  for (uint32_t i = 0; i < n; i++)
    most = fmax (most, logits[i]);
  for (uint32_t i = 0; i < n; i++)
    sum += logits[i] = exp (logits[i] - most);
  for (uint32_t i = 0; i < n; i++)
    logits[i] /= sum;
}

static void
check_network (const char *path, SlModel *model)
{
  g_auto (Network) network = {0};
  network_init (&network, model, "cpu");
  g_autoptr (SlTensor) x = NULL;
  SlTensorView input;
  sl_run_get_input (network.run, 0, &input);
  if (input.dtype != SL_FLOAT32) {
    g_test_message ("%s: input is not float32", path);
    return;
  }
  x = numbers (&input.shape, 7);
  execute (&network, x);
  g_autoptr (SlTensor) scores = sl_run_copy_output (network.run, 0, NULL);
  g_autofree double *logits = g_new (double, network.n_classes);
  g_assert_cmpuint (sl_tensor_get_elements (scores), ==, network.n_classes);
  double largest = 0;
  for (uint32_t c = 0; c < network.n_classes; c++)
    logits[c] = mean_of (&network, c) + sl_cam_get_bias (network.cam, c);
  to_scores (model, logits, network.n_classes);
  for (uint32_t c = 0; c < network.n_classes; c++)
    largest = fmax (largest, fabs (sl_tensor_get_double (scores, c)));
  for (uint32_t c = 0; c < network.n_classes; c++)
    g_assert_cmpfloat_with_epsilon (logits[c], sl_tensor_get_double (scores, c), 1e-5 * largest);
  g_test_message ("%s: %ux%u maps of '%s', %u classes", path, network.width, network.height,
                  sl_cam_get_tap (network.cam), network.n_classes);
}

/* What these networks have behind their feature maps is more than one linear layer. */
static const char *const refused[][2] = {
    {"nns_lenet_caffe.onnx", "node relu1 (Relu)"},
    {"tengine_mnist.onnx", "node Relu_10 (Relu)"},
    {"winml_mnist.onnx", "node Pooling160 (MaxPool)"},
    {"light_bvlc_alexnet.onnx", "node n20 (Relu)"},
    {"light_vgg19.onnx", "node n42 (Relu)"},
    {"light_zfnet512.onnx", "node n19 (Relu)"},
};

static const char *
problem_of (const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (refused); i++)
    if (strcmp (refused[i][0], name) == 0)
      return refused[i][1];
  return NULL;
}

static void
test_data (gconstpointer folder_name)
{
  const char *data = g_getenv ("SIGHTLINE_DATA"), *name;
  g_autofree char *folder = data != NULL ? g_build_filename (data, folder_name, NULL) : NULL;
  g_autoptr (GDir) dir = folder != NULL ? g_dir_open (folder, 0, NULL) : NULL;
  uint32_t n = 0;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = g_build_filename (folder, name, NULL);
    if (!g_str_has_suffix (name, ".onnx"))
      continue;
    n++;
    SlModel *model = sl_model_load (path, NULL, &error);
    g_assert_no_error (error);
    if (problem_of (name) == NULL) {
      check_network (name, model);
      continue;
    }
    g_assert_null (sl_cam_new (model, &error));
    g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
    g_assert_nonnull (strstr (error->message, problem_of (name)));
    sl_model_unref (model);
  }
  if (n == 0)
    g_test_skip ("SIGHTLINE_DATA has no such networks");
}

/* --- What the maps are made of --- */

#define SCENE_SIDE 96

static SlModel *
scenes (void)
{
  g_autoptr (GError) error = NULL;
  SlModel *model = sl_model_load (g_getenv ("SIGHTLINE_SCENES"), NULL, &error);
  g_assert_no_error (error);
  return model;
}

/* A bright disc on a darker, noisy ground. */
static SlTensor *
draw_disc (double cx, double cy, double radius, uint32_t seed)
{
  SlTensor *picture = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (1, 3, SCENE_SIDE, SCENE_SIDE), NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  float *data = sl_tensor_get_data_writable (picture);
  for (int channel = 0; channel < 3; channel++)
    for (int y = 0; y < SCENE_SIDE; y++)
      for (int x = 0; x < SCENE_SIDE; x++) {
        bool inside = hypot (x - cx, y - cy) < radius;
        double ground = -0.6 + 0.1 * g_rand_double (rand);
        *data++ = (float)(inside ? 0.9 - 0.5 * channel : ground);
      }
  return picture;
}

/* The model with the elements of each of its weights in another order: the same distribution. */
static SlModel *
shuffle_weights (SlModel *model, uint32_t seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  SlGraph *graph = sl_graph_clone (sl_model_get_graph (model));
  g_assert_true (sl_constants_load (sl_model_get_constants (model), graph, NULL, NULL));
  for (uint32_t i = 0; i < graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (graph->values, i);
    if (value->data == NULL || value->dtype != SL_FLOAT32)
      continue;
    SlTensor *shuffled = sl_tensor_new_copy (SL_FLOAT32, sl_tensor_get_shape (value->data),
                                             sl_tensor_get_data (value->data), NULL);
    float *data = sl_tensor_get_data_writable (shuffled);
    for (size_t k = sl_tensor_get_elements (shuffled); k-- > 1;) {
      size_t other = (size_t)g_rand_int_range (rand, 0, (gint32)k + 1);
      float kept = data[k];
      data[k] = data[other];
      data[other] = kept;
    }
    sl_tensor_unref (value->data);
    value->data = shuffled;
  }
  return model_of (graph);
}

static double
correlate (const float *a, const float *b, size_t n)
{
  double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < n; i++) {
    mean_a += (double)a[i] / (double)n;
    mean_b += (double)b[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    ab += ((double)a[i] - mean_a) * ((double)b[i] - mean_b);
    aa += ((double)a[i] - mean_a) * ((double)a[i] - mean_a);
    bb += ((double)b[i] - mean_b) * ((double)b[i] - mean_b);
  }
  return aa > 0 && bb > 0 ? ab / sqrt (aa * bb) : 0;
}

static uint32_t
best_class (Network *network)
{
  uint32_t best = 0;
  g_autoptr (SlTensor) scores = sl_run_copy_output (network->run, 0, NULL);
  for (uint32_t c = 1; c < network->n_classes; c++)
    if (sl_tensor_get_double (scores, c) > sl_tensor_get_double (scores, best))
      best = c;
  return best;
}

static void
test_maximum_on_object (void)
{
  g_auto (Network) network = {0};
  network_init (&network, scenes (), "cpu");
  const double places[][3] = {{24, 70, 13}, {70, 24, 13}, {48, 48, 18}, {72, 70, 12}};
  for (size_t i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autoptr (SlTensor) x = draw_disc (places[i][0], places[i][1], places[i][2], (uint32_t)i);
    execute (&network, x);
    g_autofree float *map = map_of (&network, best_class (&network));
    size_t best = 0, cell = SCENE_SIDE / network.width;
    for (size_t k = 1; k < (size_t)network.width * network.height; k++)
      best = map[k] > map[best] ? k : best;
    double dx = ((double)(best % network.width) + 0.5) * (double)cell - places[i][0];
    double dy = ((double)(best / network.width) + 0.5) * (double)cell - places[i][1];
    g_test_message ("class %u, %.1f %.1f", best_class (&network), dx, dy);
    g_assert_cmpfloat (hypot (dx, dy), <, places[i][2] + (double)cell);
  }
}

static void
test_random_weights (void)
{
  /* A map that came from the picture alone would survive. */
  g_auto (Network) network = {0};
  network_init (&network, scenes (), "cpu");
  g_autoptr (SlTensor) x = draw_disc (30, 66, 14, 1);
  execute (&network, x);
  const uint32_t klass = best_class (&network), n_seeds = 12;
  g_autofree float *map = map_of (&network, klass);
  double sum = 0;
  for (uint32_t seed = 0; seed < n_seeds; seed++) {
    g_auto (Network) random = {0};
    network_init (&random, shuffle_weights (network.model, seed), "cpu");
    execute (&random, x);
    g_autofree float *other = map_of (&random, klass);
    double r = correlate (map, other, (size_t)network.width * network.height);
    g_test_message ("seed %u: %.3f", seed, r);
    sum += r;
  }
  g_test_message ("mean %.3f", sum / n_seeds);
  g_assert_cmpfloat (fabs (sum / n_seeds), <, 0.2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (const Head *head = heads; head->name != NULL; head++) {
    g_autofree char *path = g_strconcat ("/explain/cam/", head->name, NULL);
    g_test_add_data_func (path, head, test_head);
  }
  g_test_add_func ("/explain/cam/orders", test_orders);
  g_test_add_func ("/explain/cam/half", test_half_features);
  g_test_add_func ("/explain/cam/heat", test_heat);
  g_test_add_data_func ("/explain/cam/data/models", "models", test_data);
  g_test_add_data_func ("/explain/cam/data/onnx-light", "onnx-light", test_data);
  g_test_add_func ("/explain/cam/scenes/maximum", test_maximum_on_object);
  g_test_add_func ("/explain/cam/scenes/random-weights", test_random_weights);
  return g_test_run ();
}
