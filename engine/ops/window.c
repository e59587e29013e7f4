#include "ops/window.h"

#include <string.h>

const char *const sl_auto_pad_choices[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", NULL};

/* Larger windows and steps than this are mistakes, and their products would overflow. */
#define WINDOW_MAX (1 << 24)

/* Makes `list` n entries long: as it is, or all `preset` where the file left it out. */
static gboolean
complete (const SlNode *node, const char *name, SlInts *list, uint32_t n, int64_t preset,
          int64_t min, GError **error)
{
  if (list->n == 0) {
    list->n = n;
    for (uint32_t i = 0; i < n; i++)
      list->v[i] = preset;
  }
  if (list->n != n) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s has %u entries, expected %u", name, list->n, n);
    return FALSE;
  }
  for (uint32_t i = 0; i < n; i++) {
    if (list->v[i] >= min && list->v[i] <= WINDOW_MAX)
      continue;
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "%s holds %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT " to %d", name,
                   list->v[i], min, WINDOW_MAX);
    return FALSE;
  }
  return TRUE;
}

static int64_t
output_size (const SlWindow *window, int64_t in, uint32_t i)
{
  uint32_t n = window->strides.n;
  int64_t begin = window->pads.v[i], stride = window->strides.v[i];
  int64_t extent = (window->kernel_shape.v[i] - 1) * window->dilations.v[i] + 1;
  int64_t room = in + begin + window->pads.v[n + i] - extent;
  if (room < 0)
    return 0;
  int64_t out = room / stride + 1;
  /* A last window that ceil_mode adds has to start inside the input or its leading padding (as
   * PyTorch and, since opset 19's clarification, ONNX). */
  if (window->ceil_mode && room % stride != 0 && out * stride < in + begin)
    out++;
  return out;
}

/* SAME: out = ceil (in / stride); an odd remainder goes behind (UPPER) or before (LOWER). */
static void
set_same_pads (SlWindow *window, int64_t in, uint32_t i)
{
  uint32_t n = window->strides.n;
  int64_t stride = window->strides.v[i];
  int64_t extent = (window->kernel_shape.v[i] - 1) * window->dilations.v[i] + 1;
  int64_t total = MAX (((in + stride - 1) / stride - 1) * stride + extent - in, 0);
  int64_t begin = window->auto_pad == SL_PAD_SAME_LOWER ? total - total / 2 : total / 2;
  window->pads.v[i] = begin;
  window->pads.v[n + i] = total - begin;
}

/* Completes the lists of a window over `input`. */
static gboolean
complete_lists (const SlNode *node, SlWindow *window, const SlShape *input, GError **error)
{
  if (input->rank < 3 || input->rank > 5) {
    g_autofree char *shape = sl_shape_to_string (input);
    sl_node_error (node, error, SL_ERROR_SHAPE, "input is %s, expected 1 to 3 spatial dimensions",
                   shape);
    return FALSE;
  }
  uint32_t n = input->rank - 2;
  return complete (node, "kernel_shape", &window->kernel_shape, n, 1, 1, error) &&
         complete (node, "strides", &window->strides, n, 1, 1, error) &&
         complete (node, "dilations", &window->dilations, n, 1, 1, error) &&
         complete (node, "pads", &window->pads, 2 * n, 0, 0, error);
}

gboolean
sl_window_set_kernel (const SlNode *node, SlWindow *window, const SlShape *weights, GError **error)
{
  SlInts kernel = {.n = weights->rank - 2};
  bool agrees = window->kernel_shape.n == 0 || window->kernel_shape.n == kernel.n;
  for (uint32_t i = 0; i < kernel.n; i++) {
    kernel.v[i] = weights->dim[2 + i];
    if (agrees && window->kernel_shape.n > 0)
      agrees = window->kernel_shape.v[i] == kernel.v[i];
  }
  if (!agrees) {
    g_autofree char *shape = sl_shape_to_string (weights);
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "kernel_shape does not agree with the weights, which are %s", shape);
    return FALSE;
  }
  window->kernel_shape = kernel;
  return TRUE;
}

gboolean
sl_window_infer (const SlNode *node, SlWindow *window, const SlShape *input, SlShape *ret_output,
                 GError **error)
{
  if (!complete_lists (node, window, input, error))
    return FALSE;
  uint32_t n = input->rank - 2;
  for (uint32_t i = 0; i < n; i++) {
    int64_t in = input->dim[2 + i];
    if (window->auto_pad == SL_PAD_VALID)
      window->pads.v[i] = window->pads.v[n + i] = 0;
    else if (window->auto_pad != SL_PAD_NOTSET)
      set_same_pads (window, in, i);
    ret_output->dim[2 + i] = output_size (window, in, i);
    if (ret_output->dim[2 + i] >= 1 && window->pads.v[i] <= WINDOW_MAX &&
        window->pads.v[n + i] <= WINDOW_MAX)
      continue;
    g_autofree char *shape = sl_shape_to_string (input);
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "a kernel of %" G_GINT64_FORMAT " (dilation %" G_GINT64_FORMAT
                   ") does not fit an input of %s with padding %" G_GINT64_FORMAT
                   " + %" G_GINT64_FORMAT,
                   window->kernel_shape.v[i], window->dilations.v[i], shape, window->pads.v[i],
                   window->pads.v[n + i]);
    return FALSE;
  }
  return TRUE;
}

/* Output size of one dimension without pads; pads that give `wanted` if that is not 0. Negative
 * where it would be too large. */
static int64_t
transposed_size (SlWindow *window, int64_t in, int64_t output_padding, int64_t wanted, uint32_t i)
{
  uint32_t n = window->strides.n;
  int64_t extent = (window->kernel_shape.v[i] - 1) * window->dilations.v[i] + 1, whole;
  if (__builtin_mul_overflow (in - 1, window->strides.v[i], &whole) ||
      __builtin_add_overflow (whole, extent + output_padding, &whole))
    return -1;
  if (wanted > 0) {
    int64_t total = MAX (whole - wanted, 0), half = total / 2;
    window->pads.v[i] = window->auto_pad == SL_PAD_SAME_UPPER ? half : total - half;
    window->pads.v[n + i] = total - window->pads.v[i];
    return wanted;
  }
  if (window->auto_pad == SL_PAD_VALID)
    window->pads.v[i] = window->pads.v[n + i] = 0;
  return whole - window->pads.v[i] - window->pads.v[n + i];
}

gboolean
sl_window_infer_transposed (const SlNode *node, SlWindow *window, SlInts *output_padding,
                            SlInts *output_shape, const SlShape *input, SlShape *ret_output,
                            GError **error)
{
  if (!complete_lists (node, window, input, error))
    return FALSE;
  uint32_t n = input->rank - 2;
  if (output_shape->n == n + 2) {
    memmove (output_shape->v, output_shape->v + 2, n * sizeof *output_shape->v);
    output_shape->n = n;
  }
  if (!complete (node, "output_padding", output_padding, n, 0, 0, error) ||
      (output_shape->n > 0 && !complete (node, "output_shape", output_shape, n, 1, 1, error)))
    return FALSE;
  bool same = window->auto_pad == SL_PAD_SAME_UPPER || window->auto_pad == SL_PAD_SAME_LOWER;
  for (uint32_t i = 0; i < n; i++) {
    int64_t in = input->dim[2 + i], wanted = 0;
    if (output_shape->n > 0)
      wanted = output_shape->v[i];
    else if (same && __builtin_mul_overflow (in, window->strides.v[i], &wanted))
      wanted = 0;
    ret_output->dim[2 + i] = transposed_size (window, in, output_padding->v[i], wanted, i);
    if (in >= 1 && ret_output->dim[2 + i] >= 1 && window->pads.v[i] <= WINDOW_MAX &&
        window->pads.v[n + i] <= WINDOW_MAX)
      continue;
    g_autofree char *shape = sl_shape_to_string (input);
    sl_node_error (node, error, SL_ERROR_SHAPE,
                   "a kernel of %" G_GINT64_FORMAT " (dilation %" G_GINT64_FORMAT
                   ", stride %" G_GINT64_FORMAT ") leaves nothing of an input of %s within padding "
                   "%" G_GINT64_FORMAT " + %" G_GINT64_FORMAT,
                   window->kernel_shape.v[i], window->dilations.v[i], window->strides.v[i], shape,
                   window->pads.v[i], window->pads.v[n + i]);
    return FALSE;
  }
  return TRUE;
}

SlWindow3
sl_window_3d (const SlWindow *window, const SlShape *input, const SlShape *output)
{
  SlWindow3 w;
  uint32_t n = input->rank - 2;
  for (uint32_t i = 0; i < 3; i++) {
    w.in[i] = w.out[i] = w.kernel[i] = w.stride[i] = w.dilation[i] = 1;
    w.pad[i] = w.pad_end[i] = 0;
  }
  for (uint32_t i = 0; i < n; i++) {
    uint32_t to = 3 - n + i;
    w.in[to] = input->dim[2 + i];
    w.out[to] = output->dim[2 + i];
    w.kernel[to] = window->kernel_shape.v[i];
    w.stride[to] = window->strides.v[i];
    w.dilation[to] = window->dilations.v[i];
    w.pad[to] = window->pads.v[i];
    w.pad_end[to] = window->pads.v[n + i];
  }
  return w;
}

bool
sl_window_next (const SlWindow3 *w, int64_t k[3])
{
  for (int i = 2; i >= 0; i--) {
    if (++k[i] < w->kernel[i])
      return true;
    k[i] = 0;
  }
  return false;
}

bool
sl_window_is_inside (const SlWindow3 *w, const int64_t origin[3], const int64_t k[3],
                     int64_t ret_at[3])
{
  bool inside = true;
  for (int i = 0; i < 3; i++) {
    ret_at[i] = origin[i] + k[i] * w->dilation[i];
    inside = inside && ret_at[i] >= 0 && ret_at[i] < w->in[i];
  }
  return inside;
}

/* Kernels count positions and channels in 32 bits. */
static bool
is_large (const SlShape *shape)
{
  for (uint32_t i = 0; i < shape->rank; i++)
    if (shape->dim[i] > INT32_MAX)
      return true;
  return false;
}

bool
sl_window_fits_shapes (const SlShape *a, const SlShape *b)
{
  return (a->rank == 3 || a->rank == 4) && !is_large (a) && !is_large (b);
}

bool
sl_window_fits_kernels (const SlNode *node)
{
  return sl_window_fits_shapes (&node->inputs[0]->shape, &node->outputs[0]->shape) &&
         (node->n_outputs < 2 || node->outputs[1] == NULL);
}

gboolean
sl_window_row_major_only (const SlNode *node)
{
  return node->inputs[0]->dtype != SL_FLOAT32 || !sl_window_fits_kernels (node);
}

gboolean
sl_window_absorb_pads (SlWindow *window, const SlInts *pads)
{
  if (window->pads.n != pads->n)
    return FALSE;
  for (uint32_t i = 0; i < pads->n; i++)
    if (window->pads.v[i] > INT32_MAX - pads->v[i])
      return FALSE;
  for (uint32_t i = 0; i < pads->n; i++)
    window->pads.v[i] += pads->v[i];
  window->auto_pad = SL_PAD_NOTSET;
  return TRUE;
}
