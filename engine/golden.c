#include <sightline/golden.h>

#include <sightline/image.h>
#include <sightline/program.h>

#include <math.h>
#include <string.h>

#define INPUT_KEY "sightline.golden-input"
#define OUTPUT_KEY "sightline.golden-output"

SlTensor *
sl_golden_run (SlModel *model, const SlPreprocess *rules, const SlDevice *device,
               const guint8 *bytes, GError **error)
{
  g_return_val_if_fail (model && rules && bytes, NULL);
  const SlImageInfo info = {.format = rules->channels == 1 ? SL_PIXEL_GRAY8 : SL_PIXEL_RGB,
                            .width = rules->width,
                            .height = rules->height};
  const SlImage image = {.planes = {bytes},
                         .strides = {(ptrdiff_t)rules->width * (ptrdiff_t)rules->channels}};
  const SlProgramOptions options = {.device = device, .batch = 1, .float_ports = TRUE};
  SlPreprocess plain = *rules;
  SlTensorView input;
  plain.resize = SL_RESIZE_STRETCH; /* the picture has been cut already */
  g_autoptr (SlProgram) program = sl_program_new (model, &options, error);
  g_autoptr (SlRun) run = program ? sl_run_new (program, error) : NULL;
  g_autoptr (SlImageSampler) sampler = run ? sl_image_sampler_new (&info, &plain, 1, error) : NULL;
  if (!sampler)
    return NULL;
  sl_run_get_input (run, 0, &input);
  if (!sl_image_sample (sampler, &image, input.data, &input.stride[1])) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_IO, "the golden input cannot be sampled");
    return NULL;
  }
  return sl_run_execute (run, error) ? sl_run_copy_output (run, 0, error) : NULL;
}

/* The largest difference as a part of the largest number said, or -1 if these are not as many
 * numbers. */
static double
compare (const SlTensor *output, const char *said)
{
  const size_t n = sl_tensor_get_elements (output);
  double worst = 0, largest = 0;
  for (size_t i = 0; i < n; i++) {
    char *end;
    const double wanted = g_ascii_strtod (said, &end);
    if (end == said || *end != (i + 1 < n ? ',' : '\0') || !isfinite (wanted))
      return -1;
    worst = fmax (worst, fabs (sl_tensor_get_double (output, i) - wanted));
    largest = fmax (largest, fabs (wanted));
    said = end + 1;
  }
  return largest > 0 ? worst / largest : worst;
}

gboolean
sl_golden_check (SlModel *model, const SlPreprocess *rules, const SlDevice *device,
                 gboolean *ret_checked, GError **error)
{
  g_return_val_if_fail (model && rules && ret_checked, FALSE);
  gsize length;
  const char *picture = sl_model_get_metadata (model, INPUT_KEY);
  const char *said = sl_model_get_metadata (model, OUTPUT_KEY);
  const gsize wanted = (gsize)rules->width * rules->height * rules->channels;
  *ret_checked = picture && said;
  if (!*ret_checked)
    return TRUE;
  g_autofree guchar *bytes = g_base64_decode (picture, &length);
  if (length != wanted) {
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 INPUT_KEY " has %" G_GSIZE_FORMAT " bytes (expected %" G_GSIZE_FORMAT
                           ", a picture of the input's size)",
                 length, wanted);
    return FALSE;
  }
  g_autoptr (SlTensor) output = sl_golden_run (model, rules, device, bytes, error);
  if (!output)
    return FALSE;
  const double difference = compare (output, said);
  if (difference < 0)
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED,
                 OUTPUT_KEY " is not %" G_GSIZE_FORMAT " numbers with commas between",
                 (gsize)sl_tensor_get_elements (output));
  else if (!(difference <= SL_GOLDEN_TOLERANCE))
    g_set_error (error, SL_ERROR, SL_ERROR_NUMERIC,
                 "does not say to its golden input what it said when it was made: its weights, or "
                 "what it is told of preprocessing, are others (difference %.3g of the largest "
                 "value, expected at most %g)",
                 difference, SL_GOLDEN_TOLERANCE);
  else
    return TRUE;
  return FALSE;
}
