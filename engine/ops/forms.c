#include "ops/forms.h"

#include <string.h>

static bool
is_among (const char *name, const char *const *names)
{
  for (; names != NULL && *names != NULL; names++)
    if (strcmp (name, *names) == 0)
      return true;
  return false;
}

/* The attribute as a constant of the graph. */
static SlValue *
constant_of (const SlImport *im, const SlRawAttr *raw, GError **error)
{
  g_autoptr (SlTensor) tensor = NULL;
  const SlShape scalar = {0};
  if (raw->type == SL_RAW_INTS)
    return sl_graph_add_ints (im->graph, raw->name, raw->ints, raw->n);
  if (raw->type == SL_RAW_INT)
    tensor = sl_tensor_new_copy (SL_INT64, &scalar, &raw->i, error);
  else if (raw->type == SL_RAW_FLOAT)
    tensor = sl_tensor_new_copy (SL_FLOAT32, &scalar, &raw->f, error);
  else
    sl_import_error (im, error, SL_ERROR_MALFORMED, "attribute %s is no number or list of integers",
                     raw->name);
  return tensor != NULL ? sl_graph_add_tensor (im->graph, raw->name, SL_VALUE_CONSTANT, tensor)
                        : NULL;
}

/* Attributes that are in neither list; free with g_free(). */
static SlRawAttr *
other_attrs (const SlImport *im, const char *const *names, const char *const *dropped,
             uint32_t *ret_n)
{
  SlRawAttr *others = g_new (SlRawAttr, im->n_attrs);
  uint32_t n = 0;
  for (uint32_t i = 0; i < im->n_attrs; i++)
    if (!is_among (im->attrs[i].name, names) && !is_among (im->attrs[i].name, dropped))
      others[n++] = im->attrs[i];
  *ret_n = n;
  return others;
}

gboolean
sl_import_attrs_as_inputs (const SlImport *im, const SlOpClass *op, uint32_t first,
                           const char *const *names, const char *const *dropped, GError **error)
{
  if (im->n_inputs > first)
    return sl_import_error (im, error, SL_ERROR_MALFORMED, "%u inputs in opset %d, expected %u",
                            im->n_inputs, im->opset, first);
  uint32_t n_names = g_strv_length ((char **)names);
  g_autofree SlValue **inputs = g_new0 (SlValue *, first + n_names);
  for (uint32_t i = 0; i < im->n_inputs; i++)
    inputs[i] = im->inputs[i];
  for (uint32_t i = 0; i < n_names; i++) {
    const SlRawAttr *raw = sl_import_attr (im, names[i]);
    if (raw == NULL)
      continue;
    inputs[first + i] = constant_of (im, raw, error);
    if (inputs[first + i] == NULL)
      return FALSE;
  }
  SlImport canonical = *im;
  canonical.inputs = inputs;
  canonical.n_inputs = first + n_names;
  while (canonical.n_inputs > 0 && inputs[canonical.n_inputs - 1] == NULL)
    canonical.n_inputs--;
  g_autofree SlRawAttr *others = other_attrs (im, names, dropped, &canonical.n_attrs);
  canonical.attrs = others;
  return sl_import_default (&canonical, op, error);
}

gboolean
sl_import_dropping (const SlImport *im, const SlOpClass *op, const char *const *dropped,
                    GError **error)
{
  SlImport canonical = *im;
  g_autofree SlRawAttr *others = other_attrs (im, NULL, dropped, &canonical.n_attrs);
  canonical.attrs = others;
  return sl_import_default (&canonical, op, error);
}

SlValue *
sl_import_add (const SlImport *im, const SlOpClass *op, const void *attrs, uint32_t n_inputs,
               SlValue *const *inputs)
{
  SlValue *output = sl_graph_add_value (im->graph, NULL, SL_VALUE_ACTIVATION);
  sl_graph_add_node (im->graph, op, im->name, attrs, n_inputs, inputs, 1, &output);
  return output;
}

gboolean
sl_import_with_axis (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const dropped[] = {"broadcast", "axis", NULL};
  SlImport aligned = *im;
  SlValue *inputs[] = {NULL, NULL};
  if (!sl_import_check (im, op, im->n_inputs, error))
    return FALSE;
  if (sl_import_int (im, "broadcast", 0) != 0 && sl_import_attr (im, "axis") != NULL) {
    inputs[0] = im->inputs[0];
    inputs[1] = sl_align_axis (im, im->inputs[1], im->inputs[0], sl_import_int (im, "axis", 0));
    aligned.inputs = inputs;
  }
  return sl_import_dropping (&aligned, op, dropped, error);
}
