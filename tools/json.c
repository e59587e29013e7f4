#include "json.h"

#include <math.h>
#include <stdio.h>

void
tool_json_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (!value) {
    json_builder_add_null_value (builder);
    return;
  }
  g_autofree char *valid = g_utf8_make_valid (value, -1);
  json_builder_add_string_value (builder, valid);
}

void
tool_json_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
tool_json_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
tool_json_shape (JsonBuilder *builder, const SlShape *shape)
{
  json_builder_set_member_name (builder, "shape");
  json_builder_begin_array (builder);
  for (uint32_t i = 0; i < shape->rank; i++)
    json_builder_add_int_value (builder, shape->dim[i]);
  json_builder_end_array (builder);
}

void
tool_json_print (JsonBuilder *builder, gboolean pretty)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, pretty);
  puts (text);
}
