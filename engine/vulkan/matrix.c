#include "vulkan/matrix.h"

#include "core/half.h"
#include "kernels/gemm.h"
#include "vulkan/commands.h"
#include "vulkan/sets.h"

/* More than a workgroup's tile in each direction, and no multiple of it. */
#define ROWS 70
#define COLS 80
#define DEPTH 40
#define SECOND UINT64_C (1000000000)

/* Where the operands lie, in bytes: at multiples of what any device asks for. */
enum { AT_LEFT = 0, AT_RIGHT = 8192, AT_RESULT = 16384, BYTES = AT_RESULT + ROWS * COLS * 4 };
G_STATIC_ASSERT (ROWS *DEPTH * 2 <= AT_RIGHT && AT_RIGHT + COLS * DEPTH * 2 <= AT_RESULT);

/* Small whole numbers, which are exact as halves, as are their products and sums. */
static int
left_of (uint32_t row, uint32_t k)
{
  return (int)((row * 7 + k * 3) % 11) - 5;
}

static int
right_of (uint32_t k, uint32_t col)
{
  return (int)((k * 5 + col * 2) % 9) - 4;
}

static void
fill (uint16_t *left, uint16_t *right, uint32_t panel)
{
  for (uint32_t k = 0; k < DEPTH; k++) {
    for (uint32_t row = 0; row < ROWS; row++)
      left[row * DEPTH + k] = sl_half_from_float ((float)left_of (row, k));
    for (uint32_t col = 0; col < COLS; col++)
      right[(col / panel * DEPTH + k) * panel + col % panel] =
          sl_half_from_float ((float)right_of (k, col));
  }
}

static gboolean
check (const SlVkDevice *device, const float *result, GError **error)
{
  for (uint32_t i = 0; i < ROWS * COLS; i++) {
    int wanted = 0;
    for (uint32_t k = 0; k < DEPTH; k++)
      wanted += left_of (i / COLS, k) * right_of (k, i % COLS);
    if (result[i] == (float)wanted)
      continue;
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
                 "%s: row %u, column %u of a product is %g, expected %d",
                 device->physical->info.name, i / COLS, i % COLS, (double)result[i], wanted);
    return FALSE;
  }
  return TRUE;
}

/* The record with its bindings in the buffer; operands are told by where they lie. */
static gboolean
run_record (SlVkDevice *device, SlVkCommands *commands, SlDispatch *record,
            const SlVkBuffer *buffer, const SlValue *values, SlVkSets *sets, GError **error)
{
  static const uint64_t places[] = {AT_LEFT, AT_RIGHT, AT_RESULT};
  const SlVkPipeline *pipeline;
  SlVkBound bound[SL_DISPATCH_MAX_BINDINGS];
  if (!sl_vk_pipelines_get (device, record, 1, &pipeline, error))
    return FALSE;
  for (uint32_t i = 0; i < record->shader->n_bindings; i++) {
    const SlBinding *binding = &record->bindings[i];
    bound[i] = (SlVkBound){buffer->handle, 0, BYTES, false}; /* where nobody looks */
    if (binding->kind == SL_BIND_OPERAND)
      bound[i] = (SlVkBound){buffer->handle, places[binding->value - values],
                             sl_extent_get_span (&binding->extent), binding->element_size == 2};
  }
  VkResult result = sl_vk_sets_init (device, &pipeline, 1, sets);
  if (result == VK_SUCCESS)
    result = sl_vk_sets_write (sets, 0, pipeline, bound);
  if (result != VK_SUCCESS)
    return sl_vk_device_error (device, error, result, "a product cannot be tried");
  if (!sl_vk_commands_begin (commands, error))
    return FALSE;
  sl_vk_do (device, CmdBindPipeline, commands->buffer, VK_PIPELINE_BIND_POINT_COMPUTE,
            pipeline->handle);
  sl_vk_do (device, CmdBindDescriptorSets, commands->buffer, VK_PIPELINE_BIND_POINT_COMPUTE,
            pipeline->layout, 0, 1, &sets->sets[0], 0, NULL);
  sl_vk_do (device, CmdPushConstants, commands->buffer, pipeline->layout,
            VK_SHADER_STAGE_COMPUTE_BIT, 0, record->shader->push_size, record->push);
  sl_vk_do (device, CmdDispatch, commands->buffer, record->groups[0], record->groups[1],
            record->groups[2]);
  sl_vk_barrier (device, commands->buffer);
  return sl_vk_commands_run (commands, SECOND, error);
}

/* What a dispatcher makes of the product: one record. */
static SlDispatch *
make_record (const SlVkDevice *device, uint32_t form, const SlValue *values, GArray *records)
{
  SlGpu gpu = device->gpu;
  SlGemmParams params = {.batch = 1,
                         .rows = ROWS,
                         .cols = COLS,
                         .depth = DEPTH,
                         .a_stride = DEPTH,
                         .half = true,
                         .c_stride = COLS};
  const SlValue *operands[] = {&values[0], &values[1], NULL, NULL, &values[2]};
  const SlStep step = {.kernel = "gemm",
                       .params = &params,
                       .params_size = sizeof params,
                       .operands = operands,
                       .n_operands = G_N_ELEMENTS (operands),
                       .n_reads = 4};
  gpu.product_form = form;
  SlDispatcher to = {.gpu = &gpu, .records = records, .steps = &step, .n_steps = 1};
  if (sl_dispatch_steps (&to) != 1 || records->len != 1)
    return NULL;
  return &g_array_index (records, SlDispatch, 0);
}

gboolean
sl_vk_matrix_test (SlVkDevice *device, uint32_t form, GError **error)
{
  const SlValue values[] = {{.dtype = SL_FLOAT16}, {.dtype = SL_FLOAT16}, {.dtype = SL_FLOAT32}};
  g_autoptr (GArray) records = g_array_new (FALSE, FALSE, sizeof (SlDispatch));
  g_autofree char *block = g_malloc0 (BYTES);
  SlVkBuffer buffer = {0};
  SlVkUpload upload = {0};
  SlVkSets sets = {0};
  SlDispatch *record = make_record (device, form, values, records);
  if (record == NULL) {
    g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "%s has no such form of a product",
                 device->physical->info.name);
    return FALSE;
  }
  fill ((uint16_t *)(block + AT_LEFT), (uint16_t *)(block + AT_RIGHT),
        sl_dispatch_get_target (true).panel_width);
  const SlVkPiece piece = {&buffer, AT_RESULT, BYTES - AT_RESULT, block + AT_RESULT};
  const gboolean done =
      sl_vk_buffer_init (device, SL_VK_MEMORY_DEVICE, BYTES, "a product", &buffer, error) &&
      sl_vk_upload_init (device, BYTES, &upload, error) &&
      sl_vk_upload_add (&upload, &buffer, 0, block, BYTES, error) &&
      sl_vk_upload_finish (&upload, error) &&
      run_record (device, &upload.commands, record, &buffer, values, &sets, error) &&
      sl_vk_download (device, &piece, 1, error) &&
      check (device, (const float *)(block + AT_RESULT), error);
  sl_vk_sets_clear (&sets);
  sl_vk_upload_clear (&upload);
  sl_vk_buffer_clear (device, &buffer);
  return done;
}
