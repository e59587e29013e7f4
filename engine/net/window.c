#include "net/window.h"

bool
sl_net_spread (SlNetBuilder *builder, const char *name, SlInts *list, uint32_t n)
{
  if (list->n != 1 && list->n != n)
    sl_net_fail (builder, SL_ERROR_SHAPE, "%s has %u numbers (expected 1 or %u)", name, list->n, n);
  for (uint32_t i = 1; list->n == 1 && i < n; i++)
    list->v[i] = list->v[0];
  list->n = n;
  return !builder->failed;
}

bool
sl_net_pads (SlNetBuilder *builder, const SlNetPadding *padding, uint32_t n, SlInts *ret)
{
  const SlInts *sizes = &padding->sizes;
  *ret = (SlInts){.n = 2 * n};
  if (sizes->n > 1 && sizes->n != n && sizes->n != 2 * n)
    sl_net_fail (builder, SL_ERROR_SHAPE, "padding has %u numbers (expected 1, %u or %u)", sizes->n,
                 n, 2 * n);
  for (uint32_t i = 0; i < n && sizes->n > 0; i++) {
    const bool both = sizes->n == 2 * n && n > 0 && sizes->n > 1 && sizes->n != n;
    ret->v[i] = sizes->v[both ? 2 * i : sizes->n == 1 ? 0 : i];
    ret->v[n + i] = both ? sizes->v[2 * i + 1] : ret->v[i];
  }
  return !builder->failed;
}

SlNetAttr
sl_net_pad_attr (const SlNetPadding *padding, const SlInts *pads)
{
  return padding->same ? SL_NET_ATTR_STRING ("auto_pad", "SAME_UPPER")
                       : SL_NET_ATTR_INTS ("pads", pads);
}

static char *
join (const SlInts *list)
{
  GString *text = g_string_new (NULL);
  for (uint32_t i = 0; i < list->n; i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i > 0 ? "x" : "", list->v[i]);
  return g_string_free (text, FALSE);
}

/* With dilation: from the first to the last element. */
static void
check_fit (SlNetBuilder *builder, const SlShape *x, const SlInts *pads, const SlInts *kernel,
           const SlInts *dilations)
{
  SlInts extent = {.n = kernel->n};
  bool fits = true, is_dilated = false;
  for (uint32_t i = 0; i < kernel->n; i++) {
    extent.v[i] = (kernel->v[i] - 1) * dilations->v[i] + 1;
    is_dilated = is_dilated || dilations->v[i] > 1;
    fits = fits && extent.v[i] <= x->dim[2 + i] + pads->v[i] + pads->v[kernel->n + i];
  }
  if (fits)
    return;
  g_autofree char *size = join (kernel), *wide = join (&extent), *padding = join (pads);
  g_autofree char *input = sl_net_shape_to_string (x);
  sl_net_fail (builder, SL_ERROR_SHAPE,
               "a %s kernel%s%s%s does not fit an input of %s with padding %s (expected one no "
               "larger, or padding=same)",
               size, is_dilated ? " (dilated to " : "", is_dilated ? wide : "",
               is_dilated ? ")" : "", input, padding);
}

bool
sl_net_window (SlNetBuilder *builder, const SlShape *x, const SlNetPadding *padding, SlInts *kernel,
               SlInts *strides, SlInts *dilations)
{
  const uint32_t n = x->rank - 2;
  SlInts pads;
  if (strides->n == 0)
    *strides = *kernel;
  if (!sl_net_spread (builder, "kernel_size", kernel, n) ||
      !sl_net_spread (builder, "strides", strides, n) ||
      !sl_net_spread (builder, "dilation_rate", dilations, n) ||
      !sl_net_pads (builder, padding, n, &pads))
    return false;
  if (!padding->same)
    check_fit (builder, x, &pads, kernel, dilations);
  return !builder->failed;
}
