/* What a class activation map adds to classification: runs without and with a map take turns, and
 * medians are compared.
 *
 *     bench-cam SCENES.onnx DATA
 *
 * With a map: the tapped run, finding the best class, and its map. */
#include <sightline/sightline.h>

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 400
#define WARM_UP 20

typedef struct {
  SlRun *run;
  SlTensorView scores, features;
} Side;

static void
side_init (Side *side, SlModel *model, const char *tap)
{
  g_autoptr (GError) error = NULL;
  const SlProgramOptions options = {.batch = 1, .taps = &tap, .n_taps = tap != NULL};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  side->run = sl_run_new (program, &error);
  g_assert_no_error (error);
  SlTensorView input;
  sl_run_get_input (side->run, 0, &input);
  size_t n = 0;
  g_assert_true (sl_shape_get_elements (&input.shape, &n) && input.dtype == SL_FLOAT32);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  for (size_t i = 0; i < n; i++)
    ((float *)input.data)[i] = (float)g_rand_double_range (rand, -1, 1);
  sl_run_get_output (side->run, 0, &side->scores);
  if (tap != NULL)
    sl_run_get_output (side->run, sl_program_get_n_outputs (program) - 1, &side->features);
}

static double
execute (const Side *side, const SlCam *cam, float *map)
{
  SlClassScore best;
  gint64 start = g_get_monotonic_time ();
  g_assert_true (sl_run_execute (side->run, NULL));
  if (map != NULL) {
    size_t n = 0;
    sl_shape_get_elements (&side->scores.shape, &n);
    sl_top_k (side->scores.data, (uint32_t)n, 1, -G_MAXFLOAT, FALSE, &best);
    sl_cam_map (cam, &side->features, best.index, map);
  }
  return (double)(g_get_monotonic_time () - start) / 1e3;
}

static int
compare (const void *a, const void *b)
{
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static double
median (double *times)
{
  qsort (times, ROUNDS, sizeof *times, compare);
  return times[ROUNDS / 2];
}

static void
measure (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_path_get_basename (path);
  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    printf ("%-36s left out: it is not there\n", name);
    return;
  }
  g_autoptr (SlModel) model = sl_model_load (path, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SlCam) cam = sl_cam_new (model, &error);
  g_assert_no_error (error);
  Side plain = {0}, tapped = {0};
  side_init (&plain, model, NULL);
  side_init (&tapped, model, sl_cam_get_tap (cam));
  uint32_t width, height;
  sl_cam_get_size (cam, &tapped.features, &width, &height);
  g_autofree float *map = g_new (float, (size_t)width *height);
  double without[ROUNDS], with[ROUNDS], alone[ROUNDS];
  for (int i = 0; i < WARM_UP + ROUNDS; i++) {
    int round = MAX (i - WARM_UP, 0);
    without[round] = execute (&plain, cam, NULL);
    with[round] = execute (&tapped, cam, map);
    gint64 start = g_get_monotonic_time ();
    for (int k = 0; k < 10; k++)
      sl_cam_map (cam, &tapped.features, 0, map);
    alone[round] = (double)(g_get_monotonic_time () - start) / 1e4;
  }
  double a = median (without), b = median (with);
  printf ("%-36s %2ux%-2u  %8.3f ms  %8.3f ms  %+5.1f %%  %8.4f ms\n", name, width, height, a, b,
          100 * (b - a) / a, median (alone));
  sl_run_free (plain.run);
  sl_run_free (tapped.run);
}

int
main (int argc, char **argv)
{
  static const char *const networks[] = {
      "winml_SqueezeNet_fp32.onnx", "nns_mobilenet_v2_onnxzoo.onnx",
      "coral_mobilenet_v1_0.25_128_opset13.onnx", "akamaster_resnet20_cifar10.onnx"};
  g_assert_cmpint (argc, ==, 3);
  printf ("%-36s %5s  %11s  %11s  %7s  %11s\n", "network", "map", "scores", "with map", "adds",
          "map alone");
  measure (argv[1]);
  for (size_t i = 0; i < G_N_ELEMENTS (networks); i++) {
    g_autofree char *path = g_build_filename (argv[2], "models", networks[i], NULL);
    measure (path);
  }
  return 0;
}
