#include "device-check.h"

#include <math.h>

/* Of an output's largest value: what half precision may differ by. */
#define TOLERANCE 2e-2
#define SEED 20

/* Numbers between -1 and 1, of every float input. */
static void
fill (SlRun *run, SlProgram *program)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (SEED);

  for (uint32_t i = 0; i < sl_program_get_n_inputs (program); i++) {
    const SlPort *port = sl_program_get_input (program, i);
    SlTensorView view;
    size_t n = 0;

    sl_run_get_input (run, i, &view);
    if (port->dtype != SL_FLOAT32 || !sl_shape_get_elements (&port->shape, &n))
      continue;
    for (size_t k = 0; k < n; k++) {
      ptrdiff_t at = 0;
      size_t rest = k;

      for (uint32_t d = port->shape.rank; d-- > 0; rest /= (size_t)port->shape.dim[d])
        at += (ptrdiff_t)(rest % (size_t)port->shape.dim[d]) * view.stride[d];
      ((float *)view.data)[at] = (float)g_rand_double_range (random, -1, 1);
    }
  }
}

static gboolean
agree (const SlDevice *device, const SlPort *port, SlTensor *got, SlTensor *wanted, GError **error)
{
  double largest = 0, difference = 0;

  for (size_t i = 0; i < sl_tensor_get_elements (wanted); i++) {
    double a = sl_tensor_get_double (got, i), b = sl_tensor_get_double (wanted, i);

    if (isfinite (b))
      largest = fmax (largest, fabs (b));
    if (isfinite (a) && isfinite (b))
      difference = fmax (difference, fabs (a - b));
    else if (!(a == b || (isnan (a) && isnan (b))))
      difference = INFINITY;
  }
  if (difference <= TOLERANCE * largest)
    return TRUE;
  g_set_error (
      error, SL_ERROR, SL_ERROR_DEVICE,
      "%s: output \"%s\" differs by %.3g from the CPU's (expected at most %g of its largest "
      "value, %.3g)",
      device->description, port->name, difference, TOLERANCE, largest);
  return FALSE;
}

gboolean
sl_device_check (SlModel *model, const SlProgramOptions *options, SlProgram *program,
                 GError **error)
{
  SlProgramOptions there = *options;
  g_autoptr (SlProgram) reference = NULL;
  g_autoptr (SlRun) run = NULL, wanted = NULL;

  there.device = sl_device_find ("cpu", NULL);
  there.half = FALSE;
  if (!(reference = sl_program_new (model, &there, error)) ||
      !(wanted = sl_run_new (reference, error)) || !(run = sl_run_new (program, error)))
    return FALSE;
  fill (run, program);
  fill (wanted, reference);
  if (!sl_run_execute (wanted, error) || !sl_run_execute (run, error))
    return FALSE;
  for (uint32_t i = 0; i < sl_program_get_n_outputs (program); i++) {
    g_autoptr (SlTensor) a = sl_run_copy_output (run, i, error);
    g_autoptr (SlTensor) b = a ? sl_run_copy_output (wanted, i, error) : NULL;

    if (!b || !agree (options->device, sl_program_get_output (program, i), a, b, error))
      return FALSE;
  }
  return TRUE;
}
