/* Pictures that a GPU makes of frames are those of sl_image_sample(). The device of the tests
 * works as a GPU: one that is a CPU leaves sampling to the CPU. */
#include "vulkan/harness.h"

#include <math.h>
#include <string.h>

#define FRAME_WIDTH 37
#define FRAME_HEIGHT 23
#define TOLERANCE 0.02 /* of 255 */
#define RUNS 1000

/* A frame of noise in any format, its planes in one piece of memory with rows of 64 bytes and more.
 */
typedef struct Frame {
  SlImageInfo info;
  SlImage image;
  size_t size;
  uint8_t *bytes;
  SlHostMemory *memory; /* of the device, that `bytes` are */
} Frame;

static void
frame_init (Frame *frame, SlPixelFormat format, uint32_t seed)
{
  const size_t stride = 4 * FRAME_WIDTH + 12, plane = stride * FRAME_HEIGHT;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  frame->size = 3 * plane;
  frame->memory = NULL;
  frame->bytes = g_malloc (frame->size);
  for (size_t i = 0; i < 3 * plane; i++)
    frame->bytes[i] = (uint8_t)g_rand_int (rand);
  frame->info = (SlImageInfo){.format = format,
                              .width = FRAME_WIDTH,
                              .height = FRAME_HEIGHT,
                              .matrix = SL_MATRIX_BT709,
                              .range = SL_RANGE_LIMITED};
  frame->image = (SlImage){0};
  for (size_t i = 0; i < 3; i++) {
    frame->image.planes[i] = frame->bytes + i * plane;
    frame->image.strides[i] = (ptrdiff_t)stride;
  }
}

/* Puts it into memory that the device reads where it is. */
static void
frame_move (Frame *frame)
{
  g_autoptr (GError) error = NULL;
  /* Not at the beginning of it. */
  frame->memory = sl_host_memory_new (test_vulkan_device (), frame->size + 7, &error);
  g_assert_no_error (error);
  uint8_t *bytes = (uint8_t *)sl_host_memory_get_data (frame->memory) + 7;
  memcpy (bytes, frame->bytes, frame->size);
  for (size_t i = 0; i < 3; i++)
    frame->image.planes[i] = bytes + ((const uint8_t *)frame->image.planes[i] - frame->bytes);
  g_free (frame->bytes);
  frame->bytes = bytes;
}

static void
frame_clear (Frame *frame)
{
  if (frame->memory == NULL)
    g_free (frame->bytes);
  sl_host_memory_free (frame->memory);
}

/* x → Neg → y, and z → Neg → w beside it: a picture and something else. */
static SlProgram *
make_program (const SlShape *shape)
{
  g_autoptr (GError) error = NULL;
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", *shape);
  SlValue *z = test_input (graph, "z", SL_SHAPE (5));
  sl_graph_mark_output (graph, test_node (graph, "Neg", "y", x, NULL));
  sl_graph_mark_output (graph, test_node (graph, "Neg", "w", z, NULL));
  g_autoptr (SlModel) model = test_vulkan_model (graph);
  SlProgram *program =
      sl_program_new (model, &(SlProgramOptions){.device = test_vulkan_device ()}, &error);
  g_assert_no_error (error);
  return program;
}

/* Strides of channels, rows, pixels of a picture whose channels are on that axis. */
static void
get_strides (const SlTensorView *view, uint32_t channel_axis, ptrdiff_t ret[3])
{
  const uint32_t row = channel_axis == 1 ? 2 : 1;
  ret[0] = view->stride[channel_axis];
  ret[1] = view->stride[row];
  ret[2] = view->stride[row + 1];
}

static void
fill (SlRun *run, uint32_t index, float value)
{
  SlTensorView view;
  sl_run_get_input (run, index, &view);
  for (int64_t i = 0; i < view.shape.dim[view.shape.rank - 1]; i++)
    ((float *)view.data)[i] = value;
}

/* Samples and executes, and compares what comes out with the CPU's picture. */
static void
compare_once (SlRun *run, const Frame *frame, const SlPreprocess *rules, uint32_t channel_axis)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&frame->info, rules, 1, &error);
  g_assert_no_error (error);
  SlTensorView in, out, other;
  ptrdiff_t strides[3];
  SlFramePath path;
  sl_run_get_input (run, 0, &in);
  get_strides (&in, channel_axis, strides);
  fill (run, 1, 3);
  sl_run_sample (run, 0, sampler, &frame->image, strides, TRUE, &path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (path, ==, frame->memory != NULL ? SL_FRAME_IN_PLACE : SL_FRAME_UPLOAD);
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  sl_run_get_output (run, 0, &out);
  sl_run_get_output (run, 1, &other);
  g_assert_cmpfloat (((float *)other.data)[4], ==, -3);
  const size_t n = (size_t)rules->width * rules->height * rules->channels;
  g_autofree float *wanted = g_new (float, n);
  g_assert_true (sl_image_sample (sampler, &frame->image, wanted, strides));
  double most = 0;
  for (size_t i = 0; i < n; i++)
    most = fmax (most, fabs (-((const float *)out.data)[i] - wanted[i]));
  g_assert_cmpfloat (most * 255, <=, TOLERANCE * 255 * rules->scale / rules->std[0]);
}

/* The same with the frame in plain memory, and then in the device's. */
static void
compare (SlRun *run, Frame *frame, const SlPreprocess *rules, uint32_t channel_axis)
{
  if (frame->memory == NULL) {
    compare_once (run, frame, rules, channel_axis);
    frame_move (frame);
  }
  compare_once (run, frame, rules, channel_axis);
}

static void
test_formats (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  hooks->works_as_gpu = true;
  SlProgram *program = make_program (&SL_SHAPE (1, 3, 9, 14));
  SlRun *run = sl_run_new (program, NULL);
  SlPreprocess rules;
  sl_preprocess_init (&rules, 14, 9, 3);
  for (SlPixelFormat format = 0; format <= SL_PIXEL_GRAY8; format++) {
    Frame frame;
    frame_init (&frame, format, format);
    if (format >= SL_PIXEL_RGB && format < SL_PIXEL_GRAY8)
      frame.info.matrix = SL_MATRIX_RGB;
    frame.info.siting = format % 4;
    compare (run, &frame, &rules, 1);
    frame_clear (&frame);
  }
  sl_run_free (run);
  sl_program_unref (program);
  test_vulkan_hooks_free (hooks);
}

static void
test_geometry (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  hooks->works_as_gpu = true;
  SlProgram *program = make_program (&SL_SHAPE (1, 11, 15, 3));
  SlRun *run = sl_run_new (program, NULL);
  Frame frame;
  SlPreprocess rules;
  frame_init (&frame, SL_PIXEL_NV12, 7);
  sl_preprocess_init (&rules, 15, 11, 3);
  rules.order = SL_ORDER_BGR;
  for (unsigned i = 0; i < 3; i++) {
    rules.pad[i] = (uint8_t)(40 + i);
    rules.mean[i] = 0.3f + 0.1f * (float)i;
    rules.std[i] = 0.25f;
  }
  for (unsigned i = 0; i < 8 * SL_RESIZE_COUNT; i++) {
    frame.info.orientation = i % 8 + 1;
    rules.resize = i / 8;
    rules.resize_size = i % 3 ? 0 : 8; /* less than the input: padded */
    memset (&frame.info.crop, 0, sizeof frame.info.crop);
    if (i % 2) {
      frame.info.crop.x = 5;
      frame.info.crop.y = 3;
      frame.info.crop.width = 21;
      frame.info.crop.height = 17;
    }
    compare (run, &frame, &rules, 3);
  }
  frame_clear (&frame);
  sl_run_free (run);
  sl_program_unref (program);
  test_vulkan_hooks_free (hooks);
}

/* One channel; and a picture far larger than the frame. */
static void
test_gray (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  hooks->works_as_gpu = true;
  SlProgram *program = make_program (&SL_SHAPE (1, 1, 97, 61));
  SlRun *run = sl_run_new (program, NULL);
  Frame frame;
  SlPreprocess rules;
  sl_preprocess_init (&rules, 61, 97, 1);
  frame_init (&frame, SL_PIXEL_I420, 3);
  compare (run, &frame, &rules, 1);
  frame_clear (&frame);
  frame_init (&frame, SL_PIXEL_GRAY8, 4);
  compare (run, &frame, &rules, 1);
  frame_clear (&frame);
  sl_run_free (run);
  sl_program_unref (program);
  test_vulkan_hooks_free (hooks);
}

/* What a test of runs needs: one with a sampler for its picture. */
typedef struct Setup {
  TestVulkanHooks *hooks;
  SlProgram *program;
  SlRun *run;
  Frame frame;
  SlImageSampler *sampler;
  ptrdiff_t strides[3];
  gboolean stays; /* the frame's memory, until the run is executed */
} Setup;

static SlImageSampler *
make_sampler (const Setup *setup)
{
  SlPreprocess rules;
  sl_preprocess_init (&rules, 7, 6, 3);
  return sl_image_sampler_new (&setup->frame.info, &rules, 1, NULL);
}

static void
setup_init (Setup *setup, SlPixelFormat format, bool works_as_gpu)
{
  SlTensorView view;
  setup->hooks = test_vulkan_hooks_new ();
  setup->hooks->works_as_gpu = works_as_gpu;
  setup->program = make_program (&SL_SHAPE (1, 3, 6, 7));
  setup->run = sl_run_new (setup->program, NULL);
  frame_init (&setup->frame, format, 11);
  setup->sampler = make_sampler (setup);
  sl_run_get_input (setup->run, 0, &view);
  get_strides (&view, 1, setup->strides);
  fill (setup->run, 1, 1);
  setup->stays = FALSE;
}

static gboolean
sample (Setup *setup, SlFramePath *ret_path, GError **error)
{
  return sl_run_sample (setup->run, 0, setup->sampler, &setup->frame.image, setup->strides,
                        setup->stays, ret_path, error);
}

static void
setup_clear (Setup *setup)
{
  sl_image_sampler_free (setup->sampler);
  frame_clear (&setup->frame);
  sl_run_free (setup->run);
  sl_program_unref (setup->program);
  test_vulkan_hooks_free (setup->hooks);
}

/* The input is the frame until its memory is asked for. */
static void
test_memory (void)
{
  Setup setup;
  SlTensorView in, out;
  setup_init (&setup, SL_PIXEL_I420, true);
  g_assert_true (sample (&setup, NULL, NULL));
  g_assert_true (sl_run_execute (setup.run, NULL));
  sl_run_get_output (setup.run, 0, &out);
  const float first = *(const float *)out.data;
  g_assert_true (sl_run_execute (setup.run, NULL));
  g_assert_cmpfloat (*(const float *)out.data, ==, first);
  sl_run_get_input (setup.run, 0, &in);
  *(float *)in.data = 5;
  g_assert_true (sl_run_execute (setup.run, NULL));
  g_assert_cmpfloat (*(const float *)out.data, ==, -5);
  g_assert_true (sample (&setup, NULL, NULL));
  g_assert_true (sl_run_execute (setup.run, NULL));
  g_assert_cmpfloat (*(const float *)out.data, ==, first);
  setup_clear (&setup);
}

/* Frame after frame nothing is made or recorded, and each run is one submission. */
static void
test_counts (void)
{
  Setup setup;
  setup_init (&setup, SL_PIXEL_NV12, true);
  g_assert_true (sample (&setup, NULL, NULL));
  g_assert_true (sl_run_execute (setup.run, NULL));
  uint32_t before[SL_VK_N_CALLS];
  memcpy (before, setup.hooks->counts, sizeof before);
  for (int i = 0; i < RUNS; i++) {
    g_assert_true (sample (&setup, NULL, NULL));
    g_assert_true (sl_run_execute (setup.run, NULL));
  }
  for (uint32_t i = 0; i < SL_VK_N_CALLS; i++) {
    const bool of_memory =
        i == SL_VK_FlushMappedMemoryRanges || i == SL_VK_InvalidateMappedMemoryRanges;
    const bool of_runs =
        i == SL_VK_QueueSubmit || i == SL_VK_WaitForFences || i == SL_VK_ResetFences;
    g_assert_cmpuint (setup.hooks->counts[i] - before[i], <=,
                      of_memory ? 2 * RUNS
                      : of_runs ? RUNS
                                : 0);
  }
  g_assert_cmpuint (setup.hooks->counts[SL_VK_QueueSubmit] - before[SL_VK_QueueSubmit], ==, RUNS);
  setup_clear (&setup);
}

static float
execute (Setup *setup)
{
  g_autoptr (GError) error = NULL;
  SlTensorView out;
  sl_run_execute (setup->run, &error);
  g_assert_no_error (error);
  sl_run_get_output (setup->run, 0, &out);
  return -*(const float *)out.data;
}

static void
expect_path (Setup *setup, SlFramePath wanted)
{
  g_autoptr (GError) error = NULL;
  SlFramePath path;
  sample (setup, &path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (path, ==, wanted);
}

/* What is recorded for frames that the device copies by itself takes no memory. */
static void
test_counts_in_place (void)
{
  static const SlVkCall none[] = {SL_VK_AllocateMemory,         SL_VK_CreateBuffer,
                                  SL_VK_AllocateCommandBuffers, SL_VK_CreateDescriptorPool,
                                  SL_VK_UpdateDescriptorSets,   SL_VK_CreateComputePipelines};
  Setup setup;
  setup_init (&setup, SL_PIXEL_NV12, true);
  frame_move (&setup.frame);
  setup.stays = TRUE;
  expect_path (&setup, SL_FRAME_IN_PLACE);
  execute (&setup);
  uint32_t before[SL_VK_N_CALLS];
  memcpy (before, setup.hooks->counts, sizeof before);
  for (int i = 0; i < 10; i++) {
    expect_path (&setup, SL_FRAME_IN_PLACE);
    execute (&setup);
  }
  for (size_t i = 0; i < G_N_ELEMENTS (none); i++)
    g_assert_cmpuint (setup.hooks->counts[none[i]], ==, before[none[i]]);
  g_assert_cmpuint (setup.hooks->counts[SL_VK_QueueSubmit] - before[SL_VK_QueueSubmit], ==, 10);
  setup_clear (&setup);
}

/* A frame that stays is read when the run executes, any other before. */
static void
test_in_place (void)
{
  Setup setup;
  setup_init (&setup, SL_PIXEL_GRAY8, true);
  frame_move (&setup.frame);
  memset (setup.frame.bytes, 0, setup.frame.size);
  expect_path (&setup, SL_FRAME_UPLOAD);
  memset (setup.frame.bytes, 255, setup.frame.size);
  const float black = execute (&setup);
  setup.stays = TRUE;
  memset (setup.frame.bytes, 0, setup.frame.size);
  expect_path (&setup, SL_FRAME_IN_PLACE);
  memset (setup.frame.bytes, 255, setup.frame.size);
  const float white = execute (&setup);
  g_assert_cmpfloat (white, >, black + 0.5f);
  /* What is not like the frames before is copied, and so are rows from below. */
  setup.frame.image.strides[0]--;
  expect_path (&setup, SL_FRAME_UPLOAD);
  g_assert_cmpfloat (execute (&setup), ==, white);
  setup.frame.image.strides[0] *= -1;
  setup.frame.image.planes[0] =
      setup.frame.bytes + (FRAME_HEIGHT - 1) * (size_t)-setup.frame.image.strides[0];
  expect_path (&setup, SL_FRAME_UPLOAD);
  g_assert_cmpfloat (execute (&setup), ==, white);
  setup_clear (&setup);
}

/* A frame that goes beyond its memory is no affair of the device's. */
static void
test_out_of_place (void)
{
  Setup setup;
  setup_init (&setup, SL_PIXEL_I420, true);
  frame_move (&setup.frame);
  setup.stays = TRUE;
  g_autofree uint8_t *plane = g_memdup2 (setup.frame.image.planes[2], setup.frame.size / 3);
  setup.frame.image.planes[2] = plane;
  expect_path (&setup, SL_FRAME_UPLOAD);
  execute (&setup);
  setup_clear (&setup);
}

/* It is there when all else of the device is gone, and when the device is lost; the next one does
 * not know it. */
static void
test_host_memory (void)
{
  Setup setup;
  g_autoptr (GError) error = NULL;
  g_assert_null (sl_host_memory_new (sl_device_find ("cpu", NULL), 10, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  setup_init (&setup, SL_PIXEL_RGB, true);
  setup.frame.info.matrix = SL_MATRIX_RGB;
  frame_move (&setup.frame);
  setup.stays = TRUE;
  expect_path (&setup, SL_FRAME_IN_PLACE);
  const float wanted = execute (&setup);
  setup.hooks->result = VK_ERROR_DEVICE_LOST;
  setup.hooks->fail_call = SL_VK_QueueSubmit;
  setup.hooks->fail_at = setup.hooks->seen = 0;
  g_assert_false (sl_run_execute (setup.run, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_DEVICE);
  sl_run_free (setup.run);
  sl_program_unref (setup.program);
  test_vulkan_hooks_reset (setup.hooks);
  memset (setup.frame.bytes, 0, setup.frame.size);
  setup.program = make_program (&SL_SHAPE (1, 3, 6, 7));
  setup.run = sl_run_new (setup.program, NULL);
  expect_path (&setup, SL_FRAME_UPLOAD);
  g_assert_cmpfloat (execute (&setup), !=, wanted);
  setup_clear (&setup);
}

/* A CPU that plays a GPU samples by itself, wherever frames lie. */
static void
test_no_host_memory (void)
{
  TestVulkanHooks *hooks = test_vulkan_hooks_new ();
  g_autoptr (GError) error = NULL;
  g_assert_null (sl_host_memory_new (test_vulkan_device (), 10, &error));
  g_assert_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED);
  test_vulkan_hooks_free (hooks);
}

static gboolean
unpack (void *data, uint32_t row, void *ret)
{
  memset (ret, (int)row, 4 * FRAME_WIDTH);
  return TRUE;
}

/* The CPU samples what is unpacked, and for a device that is a CPU. */
static void
test_by_cpu (void)
{
  for (int i = 0; i < 2; i++) {
    Setup setup;
    SlTensorView out;
    SlFramePath path = SL_FRAME_UPLOAD;
    setup_init (&setup, i ? SL_PIXEL_UNPACKED_8 : SL_PIXEL_I420, i);
    setup.frame.image.unpack = unpack;
    g_assert_true (sample (&setup, &path, NULL));
    g_assert_cmpint (path, ==, SL_FRAME_BY_CPU);
    g_assert_true (sl_run_execute (setup.run, NULL));
    sl_run_get_output (setup.run, 0, &out);
    g_autofree float *wanted = g_new (float, 3 * 6 * 7);
    g_assert_true (sl_image_sample (setup.sampler, &setup.frame.image, wanted, setup.strides));
    for (int k = 0; k < 3 * 6 * 7; k++)
      g_assert_cmpfloat (-((const float *)out.data)[k], ==, wanted[k]);
    setup_clear (&setup);
  }
}

/* Whichever call fails, the error says so once, and the CPU samples what comes by that sampler. */
static void
check_faults (bool in_place)
{
  Setup setup;
  setup_init (&setup, SL_PIXEL_RGB, true);
  if (in_place)
    frame_move (&setup.frame);
  setup.stays = in_place;
  setup.frame.info.matrix = SL_MATRIX_RGB;
  gboolean done = FALSE;
  int n_failures = 0;
  for (int64_t at = 0; !done; at++) {
    g_autoptr (GError) error = NULL;
    test_vulkan_hooks_reset (setup.hooks);
    setup.hooks->result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    setup.hooks->fail_at = at;
    done = sample (&setup, NULL, &error);
    setup.hooks->fail_at = -1;
    if (done && !setup.hooks->has_failed)
      break;
    if (!done) {
      SlFramePath path = SL_FRAME_UPLOAD;
      g_assert_error (error, SL_ERROR, SL_ERROR_MEMORY);
      g_assert_true (sample (&setup, &path, NULL));
      g_assert_cmpint (path, ==, SL_FRAME_BY_CPU);
      n_failures++;
    }
    done = FALSE; /* or whatever failed could be done without */
    g_assert_true (sl_run_execute (setup.run, NULL));
    sl_image_sampler_free (setup.sampler);
    setup.sampler = make_sampler (&setup);
    SlTensorView view;
    sl_run_get_input (setup.run, 0, &view);
  }
  g_assert_cmpint (n_failures, >, 8);
  g_assert_true (sl_run_execute (setup.run, NULL));
  setup_clear (&setup);
}

static void
test_faults (void)
{
  check_faults (false);
  check_faults (true);
}

/* An input of two pictures is the CPU's to fill. */
static void
test_batch (void)
{
  Setup setup;
  SlTensorView in, out;
  SlFramePath path = SL_FRAME_UPLOAD;
  setup_init (&setup, SL_PIXEL_I420, true);
  SlProgram *program = make_program (&SL_SHAPE (2, 3, 6, 7));
  SlRun *run = sl_run_new (program, NULL);
  sl_run_get_input (run, 0, &in);
  ((float *)in.data)[in.stride[0]] = 7;
  get_strides (&in, 1, setup.strides);
  g_assert_true (
      sl_run_sample (run, 0, setup.sampler, &setup.frame.image, setup.strides, FALSE, &path, NULL));
  g_assert_cmpint (path, ==, SL_FRAME_BY_CPU);
  g_assert_true (sl_run_execute (run, NULL));
  sl_run_get_output (run, 0, &out);
  g_assert_cmpfloat (((const float *)out.data)[out.stride[0]], ==, -7);
  sl_run_free (run);
  sl_program_unref (program);
  setup_clear (&setup);
}

int
main (int argc, char **argv)
{
  int status;
  if (!test_vulkan_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vulkan/frames/formats", test_formats);
  g_test_add_func ("/vulkan/frames/geometry", test_geometry);
  g_test_add_func ("/vulkan/frames/gray", test_gray);
  g_test_add_func ("/vulkan/frames/memory", test_memory);
  g_test_add_func ("/vulkan/frames/counts", test_counts);
  g_test_add_func ("/vulkan/frames/counts-in-place", test_counts_in_place);
  g_test_add_func ("/vulkan/frames/in-place", test_in_place);
  g_test_add_func ("/vulkan/frames/out-of-place", test_out_of_place);
  g_test_add_func ("/vulkan/frames/host-memory", test_host_memory);
  g_test_add_func ("/vulkan/frames/no-host-memory", test_no_host_memory);
  g_test_add_func ("/vulkan/frames/by-cpu", test_by_cpu);
  g_test_add_func ("/vulkan/frames/batch", test_batch);
  g_test_add_func ("/vulkan/frames/faults", test_faults);
  return g_test_run ();
}
