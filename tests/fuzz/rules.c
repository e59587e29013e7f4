#include "rules.h"

#include "onnx/emit.h"

#include <math.h>
#include <string.h>

/* Pictures above this are not sampled: it would only take long. */
#define MAX_PIXELS (256 * 256)

SlModel *
fuzz_network (int channels, int size, const char *last, const char *metadata)
{
  Emit *graph = emit_new ();
  emit_message (graph, 1, emit_node ("GlobalAveragePool", "", "x", "p"));
  emit_message (graph, 1, emit_node (last, "", "p", "y"));
  emit_message (graph, 11, emit_value ("x", 4, (const gint64[]){-1, channels, size, size}));
  emit_message (graph, 12, emit_value ("y", 4, (const gint64[]){-1, channels, 1, 1}));
  Emit *model = emit_model (graph, 13);
  g_auto (GStrv) lines = g_strsplit (metadata != NULL ? metadata : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    char *equals = strchr (*line, '=');
    if (equals == NULL)
      continue;
    if (g_str_has_suffix (*line, "\\"))
      continue;
    g_autofree char *value = g_strcompress (equals + 1);
    *equals = '\0';
    Emit *entry = emit_new ();
    emit_text (entry, 1, *line);
    emit_text (entry, 2, value);
    emit_message (model, 14, entry);
  }
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (model);
  GError *error = NULL;
  SlModel *result = sl_model_load_bytes (bytes, "network", NULL, &error);
  if (result == NULL)
    fuzz_check_error (error);
  return result;
}

static void
check_numbers (const SlPreprocess *p)
{
  bool good = p->width > 0 && p->height > 0 && p->width <= SL_IMAGE_MAX_SIZE &&
              p->height <= SL_IMAGE_MAX_SIZE && p->resize < SL_RESIZE_COUNT &&
              p->order < SL_ORDER_COUNT && isfinite (p->scale);
  for (uint32_t i = 0; i < p->channels; i++)
    good = good && isfinite (p->mean[i]) && isfinite (p->std[i]) && p->std[i] > 0;
  if (!good)
    fuzz_fail ("rules out of range");
}

static void
sample (const SlPreprocess *p)
{
  enum { WIDTH = 13, HEIGHT = 7 };
  static uint8_t pixels[HEIGHT][WIDTH][3];
  GError *error = NULL;
  const SlImageInfo info = {.format = SL_PIXEL_RGB, .width = WIDTH, .height = HEIGHT};
  g_autoptr (SlImageSampler) sampler = sl_image_sampler_new (&info, p, 1, &error);
  if (sampler == NULL) {
    fuzz_check_error (error);
    return;
  }
  const SlImage image = {.planes = {pixels}, .strides = {WIDTH * 3}};
  const ptrdiff_t strides[3] = {(ptrdiff_t)p->height * p->width, p->width, 1};
  g_autofree float *input = g_new (float, (size_t)p->channels * p->height * p->width);
  if (!sl_image_sample (sampler, &image, input, strides))
    fuzz_fail ("nothing was sampled");
}

void
fuzz_check_rules (SlModelRules *rules, GError *error)
{
  if (rules == NULL) {
    fuzz_check_error (error);
    return;
  }
  if (error != NULL)
    fuzz_fail ("rules and an error: %s", error->message);
  check_numbers (&rules->preprocess);
  if (rules->labels != NULL && g_strv_length (rules->labels) != rules->n_labels)
    fuzz_fail ("%u labels are not that many", rules->n_labels);
  if (rules->assumed != NULL && strchr (rules->assumed, '\n') != NULL)
    fuzz_fail ("more than one line is assumed");
  if ((guint64)rules->preprocess.width * rules->preprocess.height <= MAX_PIXELS)
    sample (&rules->preprocess);
  sl_model_rules_free (rules);
}
