#include "graph/import.h"

#include "graph/op.h"

#include <string.h>

const SlRawAttr *
sl_import_attr (const SlImport *im, const char *name)
{
  for (uint32_t i = 0; i < im->n_attrs; i++)
    if (strcmp (im->attrs[i].name, name) == 0)
      return &im->attrs[i];
  return NULL;
}

int64_t
sl_import_int (const SlImport *im, const char *name, int64_t preset)
{
  const SlRawAttr *raw = sl_import_attr (im, name);
  return raw != NULL && raw->type == SL_RAW_INT ? raw->i : preset;
}

float
sl_import_float (const SlImport *im, const char *name, float preset)
{
  const SlRawAttr *raw = sl_import_attr (im, name);
  return raw != NULL && raw->type == SL_RAW_FLOAT ? raw->f : preset;
}

gboolean
sl_import_error (const SlImport *im, GError **error, SlErrorCode code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  const char *name = im->name;
  if (name[0] == '\0' && im->n_outputs > 0 && im->outputs[0] != NULL)
    name = im->outputs[0]->name;
  g_set_error (error, SL_ERROR, code, "node %s (%s): %s", name, im->op_type, text);
  return FALSE;
}

static gboolean
check_count (const SlImport *im, const char *what, uint32_t n, uint32_t min, uint32_t max,
             GError **error)
{
  if (n >= min && (max == SL_VARIADIC || n <= max))
    return TRUE;
  return sl_import_error (im, error, SL_ERROR_MALFORMED, "%u %s, expected %u%s", n, what,
                          n < min ? min : max, n < min ? " or more" : " at most");
}

gboolean
sl_import_check (const SlImport *im, const SlOpClass *op, uint32_t n_inputs, GError **error)
{
  if (!check_count (im, "inputs", n_inputs, op->min_inputs, op->max_inputs, error) ||
      !check_count (im, "outputs", im->n_outputs, op->min_outputs, op->max_outputs, error))
    return FALSE;
  uint32_t required = op->max_inputs == SL_VARIADIC ? im->n_inputs : op->min_inputs;
  for (uint32_t i = 0; i < required && i < im->n_inputs; i++)
    if (im->inputs[i] == NULL)
      return sl_import_error (im, error, SL_ERROR_MALFORMED, "input %u is left out", i);
  for (uint32_t i = 0; i < op->min_outputs; i++)
    if (im->outputs[i] == NULL)
      return sl_import_error (im, error, SL_ERROR_MALFORMED, "output %u is left out", i);
  return TRUE;
}

/* Attributes of retired opsets that say nothing about the result. */
static bool
is_without_meaning (const char *name)
{
  return strcmp (name, "consumed_inputs") == 0 || strcmp (name, "__backend") == 0;
}

gboolean
sl_import_default (const SlImport *im, const SlOpClass *op, GError **error)
{
  if (!sl_import_check (im, op, im->n_inputs, error))
    return FALSE;
  g_autofree void *attrs = op->attrs_size > 0 ? g_malloc0 (op->attrs_size) : NULL;
  if (attrs != NULL)
    sl_attrs_init (op->attrs, attrs);
  for (uint32_t i = 0; i < im->n_attrs; i++) {
    g_autoptr (GError) cause = NULL;
    if (is_without_meaning (im->attrs[i].name) ||
        sl_attrs_set (op->attrs, attrs, &im->attrs[i], &cause))
      continue;
    return sl_import_error (im, error, cause->code, "%s", cause->message);
  }
  for (const SlAttrSpec *spec = op->attrs; spec != NULL && spec->name != NULL; spec++)
    if (spec->required && sl_import_attr (im, spec->name) == NULL)
      return sl_import_error (im, error, SL_ERROR_MALFORMED, "attribute %s is missing", spec->name);
  sl_graph_add_node (im->graph, op, im->name, attrs, im->n_inputs, im->inputs, im->n_outputs,
                     im->outputs);
  return TRUE;
}
