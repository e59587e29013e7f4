/* Maps by gradients against numeric ones: the gradient is taken by central differences on the
 * reference, with the layer's content as an input of its own, and the formulas are the papers' once
 * more. */
#include "explain/heads.h"

#include <math.h>
#include <string.h>

#define CHANNELS 4
#define HEIGHT 6
#define WIDTH 5
#define N ((size_t)HEIGHT * WIDTH)
#define N_CLASSES 3
#define STEP 0.02

static const SlShape picture = {4, {1, 3, HEIGHT, WIDTH}};
static const SlShape features = {4, {1, CHANNELS, HEIGHT, WIDTH}};

/* --- Networks --- */

static SlValue *
conv (SlGraph *graph, const char *name, SlValue *x, int64_t in, uint32_t seed)
{
  SlValue *w = test_constant (graph, NULL, SL_SHAPE (CHANNELS, in, 3, 3), seed);
  SlValue *y = test_node (graph, "Conv", name, x, w, NULL);
  test_set_ints (y, "pads", 4, (const int64_t[]){1, 1, 1, 1});
  return y;
}

static SlValue *
dense (SlGraph *graph, SlValue *x, int64_t n)
{
  SlValue *flat = test_node (graph, "Flatten", "flat", x, NULL);
  SlValue *w = test_constant (graph, NULL, SL_SHAPE (n, N_CLASSES), 9);
  return test_node (graph, "MatMul", "logits", flat, w, NULL);
}

/* Logits of a network; what its layer "layer" makes is taken from `layer` unless that is NULL. */
typedef SlValue *(*BuildFunc) (SlGraph *graph, SlValue *x, SlValue *layer);

/* Dense layers behind a pool, as in VGG. */
static SlValue *
build_chain (SlGraph *graph, SlValue *x, SlValue *layer)
{
  SlValue *a = test_node (graph, "Tanh", "layer", conv (graph, "conv", x, 3, 1), NULL);
  SlValue *pool = test_node (graph, "AveragePool", "pool", layer != NULL ? layer : a, NULL);
  test_set_ints (pool, "kernel_shape", 2, (const int64_t[]){2, 2});
  test_set_ints (pool, "strides", 2, (const int64_t[]){2, 2});
  return dense (graph, pool, CHANNELS * (HEIGHT / 2) * (WIDTH / 2));
}

/* A layer that another way leads past. */
static SlValue *
build_branch (SlGraph *graph, SlValue *x, SlValue *layer)
{
  SlValue *a = test_node (graph, "Sigmoid", "trunk", conv (graph, "conv", x, 3, 1), NULL);
  SlValue *b = test_node (graph, "Tanh", "layer", conv (graph, "conv2", a, CHANNELS, 2), NULL);
  SlValue *sum = test_node (graph, "Mul", "join", a, layer != NULL ? layer : b, NULL);
  return dense (graph, test_node (graph, "Tanh", "last", sum, NULL), CHANNELS * HEIGHT * WIDTH);
}

/* Scores, then logits; with `replaced` the layer is the second input. */
static SlModel *
make_model (BuildFunc build, bool replaced)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", picture);
  SlValue *layer = replaced ? test_input (graph, "given", features) : NULL;
  SlValue *logits = build (graph, x, layer);
  sl_graph_mark_output (graph, test_node (graph, "Softmax", "scores", logits, NULL));
  sl_graph_mark_output (graph, logits);
  return model_of (graph);
}

static SlTensor *
random_tensor (const SlShape *shape, uint32_t seed)
{
  SlTensor *tensor = sl_tensor_new (SL_FLOAT32, shape, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t i = 0; i < sl_tensor_get_elements (tensor); i++)
    data[i] = (float)g_rand_double_range (rand, -1, 1);
  return tensor;
}

static SlRun *
run_of (SlModel *model, const char *device, const char *tap)
{
  g_autoptr (GError) error = NULL;
  const SlProgramOptions options = {
      .device = sl_device_find (device, NULL), .taps = &tap, .n_taps = tap != NULL ? 1 : 0};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  SlRun *run = sl_run_new (program, &error);
  g_assert_no_error (error);
  return run;
}

static void
set_input (SlRun *run, uint32_t index, const SlTensor *tensor)
{
  g_autoptr (GError) error = NULL;
  sl_run_set_input (run, index, tensor, &error);
  g_assert_no_error (error);
}

static double
logit_of (SlRun *run, const SlExplainTarget *target)
{
  g_autoptr (GError) error = NULL;
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) logits = sl_run_copy_output (run, 1, &error);
  g_assert_no_error (error);
  return sl_tensor_get_double (logits, target->klass) -
         (target->has_other ? sl_tensor_get_double (logits, target->other) : 0);
}

/* How the target changes with each element of input `index`, which now holds `at`. */
static double *
numeric_gradient (SlRun *run, uint32_t index, SlTensor *at, const SlExplainTarget *target)
{
  const size_t n = sl_tensor_get_elements (at);
  double *gradient = g_new (double, n);
  float *data = sl_tensor_get_data_writable (at);
  for (size_t i = 0; i < n; i++) {
    const float kept = data[i];
    double y[2];
    for (int side = 0; side < 2; side++) {
      data[i] = kept + (float)(side == 0 ? -STEP : STEP);
      set_input (run, index, at);
      y[side] = logit_of (run, target);
    }
    data[i] = kept;
    gradient[i] = (y[1] - y[0]) / (2 * STEP);
  }
  set_input (run, index, at);
  return gradient;
}

/* --- What maps have to be --- */

static void
expect_grad_cam (const float *a, const double *g, double *ret)
{
  for (size_t c = 0; c < CHANNELS; c++) {
    double mean = 0;
    for (size_t i = 0; i < N; i++)
      mean += g[c * N + i] / (double)N;
    for (size_t i = 0; i < N; i++)
      ret[i] += mean * (double)a[c * N + i];
  }
}

static void
expect_grad_cam_plus_plus (const float *a, const double *g, double *ret)
{
  for (size_t c = 0; c < CHANNELS; c++) {
    double sum = 0, weight = 0;
    for (size_t i = 0; i < N; i++)
      sum += (double)a[c * N + i];
    for (size_t i = 0; i < N; i++) {
      const double x = g[c * N + i];
      weight += x > 0 ? x * x / (2 * x * x + sum * x * x * x) * x : 0;
    }
    for (size_t i = 0; i < N; i++)
      ret[i] += weight * (double)a[c * N + i];
  }
}

static void
expect_hires_cam (const float *a, const double *g, double *ret)
{
  for (size_t k = 0; k < CHANNELS * N; k++)
    ret[k % N] += g[k] * (double)a[k];
}

static void
expect_layer_cam (const float *a, const double *g, double *ret)
{
  for (size_t k = 0; k < CHANNELS * N; k++)
    ret[k % N] += MAX (g[k], 0) * (double)a[k];
}

typedef struct Case {
  const char *name;
  BuildFunc build;
  SlExplainMethod method;
  void (*expect) (const float *a, const double *g, double *ret);
  const char *tap;
} Case;

static const Case cases[] = {
    {"gradcam", build_chain, SL_EXPLAIN_GRAD_CAM, expect_grad_cam, "layer"},
    {"gradcam++", build_chain, SL_EXPLAIN_GRAD_CAM_PLUS_PLUS, expect_grad_cam_plus_plus, "layer"},
    {"hirescam", build_chain, SL_EXPLAIN_HIRES_CAM, expect_hires_cam, "layer"},
    {"layercam", build_chain, SL_EXPLAIN_LAYER_CAM, expect_layer_cam, "layer"},
    {"branch/gradcam", build_branch, SL_EXPLAIN_GRAD_CAM, expect_grad_cam, "x"},
    {"branch/hirescam", build_branch, SL_EXPLAIN_HIRES_CAM, expect_hires_cam, "x"},
};

static void
assert_maps_equal (const float *map, const double *expected, size_t n)
{
  double largest = 0;
  for (size_t i = 0; i < n; i++)
    largest = MAX (largest, fabs (expected[i]));
  g_assert_cmpfloat (largest, >, 0);
  for (size_t i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon ((double)map[i], expected[i], 2e-3 * largest);
}

/* A map of the model, whose tap is the last output of `run`. */
static float *
make_map (SlExplainer *explainer, SlRun *run, const SlExplainTarget *target, size_t *ret_n)
{
  g_autoptr (GError) error = NULL;
  SlTensorView tapped;
  uint32_t width, height;
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  sl_run_get_output (run, 2, &tapped);
  sl_explainer_prepare (explainer, &tapped, &width, &height, &error);
  g_assert_no_error (error);
  *ret_n = (size_t)width * height;
  float *map = g_new (float, *ret_n);
  sl_explainer_map (explainer, &tapped, target, map, &error);
  g_assert_no_error (error);
  return map;
}

static SlExplainer *
explainer_of (SlModel *model, SlExplainMethod method, const char *layer, const char *device)
{
  g_autoptr (GError) error = NULL;
  const SlExplainOptions options = {
      .method = method, .layer = layer, .device = sl_device_find (device, NULL), .samples = 0};
  SlExplainer *explainer = sl_explainer_new (model, &options, &error);
  g_assert_no_error (error);
  return explainer;
}

static void
check_case (const Case *test, const char *device, const SlExplainTarget *target)
{
  g_autoptr (SlModel) model = make_model (test->build, false);
  g_autoptr (SlModel) open = make_model (test->build, true);
  g_autoptr (SlExplainer) explainer = explainer_of (model, test->method, "layer", device);
  g_assert_cmpstr (sl_explainer_get_tap (explainer), ==, test->tap);
  g_assert_cmpstr (sl_explainer_get_layer (explainer), ==, "layer");
  g_assert_cmpuint (sl_explainer_get_n_classes (explainer), ==, N_CLASSES);
  g_autoptr (SlTensor) x = random_tensor (&picture, 100);
  g_autoptr (SlRun) run = run_of (model, device, test->tap);
  set_input (run, 0, x);

  g_autoptr (GError) error = NULL;
  g_autoptr (SlRun) layer = run_of (model, "ref", "layer"), replaced = run_of (open, "ref", NULL);
  set_input (layer, 0, x);
  sl_run_execute (layer, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) content = sl_run_copy_output (layer, 2, &error);
  const float *a = sl_tensor_get_data (content);
  set_input (replaced, 0, x);
  g_autofree double *g = numeric_gradient (replaced, 1, content, target);
  double expected[N] = {0};
  test->expect (a, g, expected);
  for (int again = 0; again < 2; again++) {
    size_t n;
    g_autofree float *map = make_map (explainer, run, target, &n);
    g_assert_cmpuint (n, ==, N);
    assert_maps_equal (map, expected, n);
  }
}

static void
test_case (gconstpointer data)
{
  check_case (data, "cpu", &(SlExplainTarget){.klass = 2});
  check_case (data, "cpu", &(SlExplainTarget){.klass = 0, .has_other = TRUE, .other = 1});
}

static void
test_case_on_vulkan (gconstpointer data)
{
  if (sl_device_find ("vulkan", NULL) == NULL) {
    g_test_skip ("no Vulkan device");
    return;
  }
  check_case (data, "vulkan", &(SlExplainTarget){.klass = 1});
}

static void
test_saliency (void)
{
  const SlExplainTarget target = {.klass = 1};
  g_autoptr (SlModel) model = make_model (build_branch, false);
  g_autoptr (SlExplainer) explainer = explainer_of (model, SL_EXPLAIN_SALIENCY, NULL, "cpu");
  g_assert_null (sl_explainer_get_layer (explainer));
  g_autoptr (SlTensor) x = random_tensor (&picture, 101);
  g_autoptr (SlRun) run = run_of (model, "cpu", "x"), numeric = run_of (model, "ref", NULL);
  set_input (run, 0, x);
  size_t n;
  g_autofree float *map = make_map (explainer, run, &target, &n);
  g_autofree double *g = numeric_gradient (numeric, 0, x, &target);
  double expected[N] = {0};
  for (size_t k = 0; k < 3 * N; k++)
    expected[k % N] = MAX (expected[k % N], fabs (g[k]));
  g_assert_cmpuint (n, ==, N);
  assert_maps_equal (map, expected, n);
}

/* Completeness: all pixels together add what the logit has gained over that of 0. */
static void
test_integrated_gradients (void)
{
  const SlExplainTarget target = {.klass = 1};
  g_autoptr (SlModel) model = make_model (build_chain, false);
  g_autoptr (SlExplainer) explainer =
      explainer_of (model, SL_EXPLAIN_INTEGRATED_GRADIENTS, NULL, "cpu");
  g_autoptr (SlTensor) x = random_tensor (&picture, 102);
  g_autoptr (SlTensor) nothing = sl_tensor_new (SL_FLOAT32, &picture, NULL);
  g_autoptr (SlRun) run = run_of (model, "cpu", "x");
  set_input (run, 0, nothing);
  const double before = logit_of (run, &target);
  set_input (run, 0, x);
  const double after = logit_of (run, &target);
  size_t n;
  g_autofree float *map = make_map (explainer, run, &target, &n);
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += (double)map[i];
  g_assert_cmpfloat_with_epsilon (sum, after - before, 1e-3 * fabs (after - before));
}

/* The first cell's square is hidden as a person would hide it. */
static void
test_occlusion (void)
{
  const SlExplainTarget target = {.klass = 0};
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = make_model (build_chain, false);
  g_autoptr (SlExplainer) explainer = explainer_of (model, SL_EXPLAIN_OCCLUSION, NULL, "cpu");
  g_autoptr (SlTensor) x = random_tensor (&picture, 103);
  g_autoptr (SlRun) run = run_of (model, "cpu", "x");
  size_t n;
  set_input (run, 0, x);
  g_autofree float *map = make_map (explainer, run, &target, &n);
  g_autoptr (SlTensor) whole = sl_run_copy_output (run, 0, &error);
  float *data = sl_tensor_get_data_writable (x);
  for (size_t c = 0; c < 3; c++)
    for (size_t y = 0; y < 2; y++)
      memset (data + c * N + y * WIDTH, 0, 2 * sizeof *data);
  set_input (run, 0, x);
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) hidden = sl_run_copy_output (run, 0, &error);
  g_assert_cmpuint (n, ==, N); /* cells are pixels where there are so few */
  g_assert_cmpfloat_with_epsilon (
      (double)map[0], sl_tensor_get_double (whole, 0) - sl_tensor_get_double (hidden, 0), 1e-6);
}

/* Scores that depend on the bottom right alone: the map is highest there; a seed is a map. */
static void
test_rise (void)
{
  const SlShape shape = {4, {1, 1, 28, 28}};
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", shape);
  g_autoptr (SlTensor) mask = sl_tensor_new (SL_FLOAT32, &shape, NULL);
  float *weights = sl_tensor_get_data_writable (mask);
  for (size_t i = 0; i < 28 * 28; i++)
    weights[i] = i / 28 >= 20 && i % 28 >= 20 ? 0.1f : 0;
  SlValue *w = sl_graph_add_tensor (graph, "w", SL_VALUE_CONSTANT, mask);
  SlValue *seen = test_node (graph, "Mul", "seen", x, w, NULL);
  SlValue *sum = test_node (graph, "GlobalAveragePool", "sum", seen, NULL);
  SlValue *flat = test_node (graph, "Flatten", "flat", sum, NULL);
  sl_graph_mark_output (graph, flat);
  sl_graph_mark_output (graph, test_node (graph, "Neg", "other", flat, NULL));
  g_autoptr (SlModel) model = model_of (graph);
  g_autoptr (SlTensor) ones = sl_tensor_new (SL_FLOAT32, &shape, NULL);
  for (size_t i = 0; i < 28 * 28; i++)
    ((float *)sl_tensor_get_data_writable (ones))[i] = 1;
  g_autoptr (SlRun) run = run_of (model, "cpu", "x");
  set_input (run, 0, ones);
  float *maps[2];
  for (int i = 0; i < 2; i++) {
    size_t n, best = 0;
    g_autoptr (SlExplainer) explainer = explainer_of (model, SL_EXPLAIN_RISE, NULL, "cpu");
    maps[i] = make_map (explainer, run, &(SlExplainTarget){0}, &n);
    g_assert_cmpuint (n, ==, 28 * 28);
    for (size_t k = 0; k < n; k++)
      best = maps[i][k] > maps[i][best] ? k : best;
    g_assert_cmpuint (best / 28, >=, 18);
    g_assert_cmpuint (best % 28, >=, 18);
    g_assert_cmpfloat (maps[i][0], <, 0.3 * maps[i][best]);
  }
  g_assert_cmpmem (maps[0], 28 * 28 * sizeof (float), maps[1], 28 * 28 * sizeof (float));
  g_free (maps[0]);
  g_free (maps[1]);
}

/* Of features that are all of one pattern, each channel with its own weight, that is the map. */
static void
test_eigen_cam (void)
{
  g_autoptr (SlModel) model = make_model (build_chain, false);
  g_autoptr (SlExplainer) explainer = explainer_of (model, SL_EXPLAIN_EIGEN_CAM, "layer", "cpu");
  float content[CHANNELS * N], map[N];
  for (size_t k = 0; k < CHANNELS * N; k++)
    content[k] = (float)(k / N + 1) * ((float)(k % N) - 4);
  const SlTensorView view = {.dtype = SL_FLOAT32,
                             .shape = features,
                             .stride = {CHANNELS * N, N, WIDTH, 1},
                             .data = content};
  g_autoptr (GError) error = NULL;
  sl_explainer_map (explainer, &view, &(SlExplainTarget){0}, map, &error);
  g_assert_no_error (error);
  for (size_t i = 0; i < N; i++)
    g_assert_cmpfloat_with_epsilon ((double)map[i], ((double)i - 4) * sqrt (1 + 4 + 9 + 16), 1e-3);
}

/* Without a name the last layer is taken that no pool made; CAM only where it is exact. */
static void
test_choices (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) chain = make_model (build_chain, false);
  g_autoptr (SlExplainer) explainer = explainer_of (chain, SL_EXPLAIN_AUTO, NULL, "cpu");
  g_assert_cmpint (sl_explainer_get_method (explainer), ==, SL_EXPLAIN_GRAD_CAM);
  g_assert_cmpstr (sl_explainer_get_layer (explainer), ==, "layer");
  g_autoptr (SlModel) averaged = head_model (&heads[0]);
  g_autoptr (SlExplainer) exact = explainer_of (averaged, SL_EXPLAIN_AUTO, NULL, "cpu");
  g_assert_cmpint (sl_explainer_get_method (exact), ==, SL_EXPLAIN_CAM);

  g_assert_null (sl_explainer_new (
      chain, &(SlExplainOptions){.method = SL_EXPLAIN_LAYER_CAM, .layer = "nowhere"}, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_assert_cmpstr (error->message, ==,
                   "layer 'nowhere' is not in the network (expected one with feature maps (1, C, "
                   "H, W), for example 'layer')");
  g_clear_error (&error);
  g_assert_null (sl_explainer_new (
      chain, &(SlExplainOptions){.method = SL_EXPLAIN_LAYER_CAM, .layer = "flat"}, &error));
  g_assert_cmpstr (error->message, ==,
                   "layer 'flat' gives 1x24 (expected one with feature maps (1, C, H, W), for "
                   "example 'layer')");
  g_clear_error (&error);
  g_assert_null (sl_explainer_new (chain, &(SlExplainOptions){.method = SL_EXPLAIN_CAM}, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
}

/* Names go both ways. */
static void
test_names (void)
{
  SlExplainMethod method = SL_EXPLAIN_RISE;
  for (int i = 0; i < SL_EXPLAIN_METHOD_COUNT; i++) {
    g_assert_true (
        sl_explain_method_from_name (sl_explain_method_get_name ((SlExplainMethod)i), &method));
    g_assert_cmpint (method, ==, i);
    g_assert_nonnull (sl_explain_method_get_help ((SlExplainMethod)i));
  }
  g_assert_false (sl_explain_method_from_name ("grad-cam", &method));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *cpu = g_strdup_printf ("/explainer/cpu/%s", cases[i].name);
    g_autofree char *vulkan = g_strdup_printf ("/explainer/vulkan/%s", cases[i].name);
    g_test_add_data_func (cpu, &cases[i], test_case);
    g_test_add_data_func (vulkan, &cases[i], test_case_on_vulkan);
  }
  g_test_add_func ("/explainer/saliency", test_saliency);
  g_test_add_func ("/explainer/integrated-gradients", test_integrated_gradients);
  g_test_add_func ("/explainer/occlusion", test_occlusion);
  g_test_add_func ("/explainer/rise", test_rise);
  g_test_add_func ("/explainer/eigencam", test_eigen_cam);
  g_test_add_func ("/explainer/choices", test_choices);
  g_test_add_func ("/explainer/names", test_names);
  return g_test_run ();
}
