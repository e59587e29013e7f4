#include "graph/attrs.h"

#include <math.h>
#include <string.h>

static void *
field (const SlAttrSpec *spec, void *attrs)
{
  return (char *)attrs + spec->offset;
}

static const void *
const_field (const SlAttrSpec *spec, const void *attrs)
{
  return (const char *)attrs + spec->offset;
}

void
sl_attrs_init (const SlAttrSpec *table, void *attrs)
{
  for (const SlAttrSpec *spec = table; spec != NULL && spec->name != NULL; spec++) {
    void *to = field (spec, attrs);
    switch (spec->type) {
    case SL_ATTR_INT:
      *(int64_t *)to = (int64_t)spec->preset;
      break;
    case SL_ATTR_FLOAT:
      *(float *)to = (float)spec->preset;
      break;
    case SL_ATTR_ENUM:
      *(uint32_t *)to = (uint32_t)spec->preset;
      break;
    case SL_ATTR_BOOL:
      *(bool *)to = spec->preset != 0;
      break;
    case SL_ATTR_INTS:
      memset (to, 0, sizeof (SlInts));
      break;
    }
  }
}

static gboolean
wrong_type (const SlRawAttr *raw, const char *expected, GError **error)
{
  g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "attribute %s is not %s", raw->name, expected);
  return FALSE;
}

static gboolean
set_ints (SlInts *to, const SlRawAttr *raw, GError **error)
{
  if (raw->type != SL_RAW_INTS)
    return wrong_type (raw, "a list of integers", error);
  if (raw->n > SL_INTS_MAX) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "attribute %s has %zu integers, at most %d are read", raw->name, raw->n,
                 SL_INTS_MAX);
    return FALSE;
  }
  to->n = (uint32_t)raw->n;
  if (raw->n > 0)
    memcpy (to->v, raw->ints, raw->n * sizeof raw->ints[0]);
  return TRUE;
}

static gboolean
set_choice (uint32_t *to, const SlAttrSpec *spec, const SlRawAttr *raw, GError **error)
{
  if (raw->type != SL_RAW_STRING)
    return wrong_type (raw, "a string", error);
  for (uint32_t i = 0; spec->choices[i] != NULL; i++) {
    if (strcmp (spec->choices[i], raw->s) == 0) {
      *to = i;
      return TRUE;
    }
  }
  g_autofree char *choices = g_strjoinv (", ", (char **)spec->choices);
  g_autofree char *found = g_strescape (raw->s, NULL);
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "attribute %s is '%.40s' (known: %s)",
               raw->name, found, choices);
  return FALSE;
}

gboolean
sl_attrs_set (const SlAttrSpec *table, void *attrs, const SlRawAttr *raw, GError **error)
{
  const SlAttrSpec *spec = table;
  while (spec != NULL && spec->name != NULL && strcmp (spec->name, raw->name) != 0)
    spec++;
  if (spec == NULL || spec->name == NULL || spec->name[0] == '.') {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "attribute %s is not known", raw->name);
    return FALSE;
  }
  void *to = field (spec, attrs);
  switch (spec->type) {
  case SL_ATTR_INT:
    if (raw->type != SL_RAW_INT)
      return wrong_type (raw, "an integer", error);
    *(int64_t *)to = raw->i;
    return TRUE;
  case SL_ATTR_FLOAT:
    if (raw->type != SL_RAW_FLOAT)
      return wrong_type (raw, "a float", error);
    *(float *)to = raw->f;
    return TRUE;
  case SL_ATTR_BOOL:
    if (raw->type != SL_RAW_INT || (raw->i != 0 && raw->i != 1))
      return wrong_type (raw, "0 or 1", error);
    *(bool *)to = raw->i == 1;
    return TRUE;
  case SL_ATTR_INTS:
    return set_ints (to, raw, error);
  case SL_ATTR_ENUM:
    return set_choice (to, spec, raw, error);
  }
  g_assert_not_reached ();
}

bool
sl_attrs_is_default (const SlAttrSpec *spec, const void *attrs)
{
  const void *at = const_field (spec, attrs);
  switch (spec->type) {
  case SL_ATTR_INT:
    return *(const int64_t *)at == (int64_t)spec->preset;
  case SL_ATTR_FLOAT:
    return *(const float *)at == (float)spec->preset;
  case SL_ATTR_ENUM:
    return *(const uint32_t *)at == (uint32_t)spec->preset;
  case SL_ATTR_BOOL:
    return *(const bool *)at == (spec->preset != 0);
  case SL_ATTR_INTS:
    return ((const SlInts *)at)->n == 0;
  }
  g_assert_not_reached ();
}

void
sl_attrs_print (const SlAttrSpec *spec, const void *attrs, GString *string)
{
  const void *at = const_field (spec, attrs);
  g_string_append_printf (string, "%s=", spec->name);
  switch (spec->type) {
  case SL_ATTR_INT:
    g_string_append_printf (string, "%" G_GINT64_FORMAT, *(const int64_t *)at);
    break;
  case SL_ATTR_FLOAT:
    g_string_append_printf (string, "%g", *(const float *)at);
    break;
  case SL_ATTR_BOOL:
    g_string_append_printf (string, "%d", *(const bool *)at);
    break;
  case SL_ATTR_ENUM:
    g_string_append (string, spec->choices[*(const uint32_t *)at]);
    break;
  case SL_ATTR_INTS: {
    const SlInts *ints = at;
    for (uint32_t i = 0; i < ints->n; i++)
      g_string_append_printf (string, "%s%" G_GINT64_FORMAT, i == 0 ? "[" : ", ", ints->v[i]);
    g_string_append (string, ints->n == 0 ? "[]" : "]");
    break;
  }
  }
}
