/* Trust in a device that nobody asked for: its driver may compute something else without a word. */
#pragma once

#include <sightline/sightline.h>

/* Runs `program`, made of `model` by `options`, and the same program on the CPU with one made-up
 * input. SL_ERROR_DEVICE where they disagree. */
gboolean sl_device_check (SlModel *model, const SlProgramOptions *options, SlProgram *program,
                          GError **error);
