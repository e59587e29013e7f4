/* JSON on standard output. */
#pragma once

#include <json-glib/json-glib.h>
#include <sightline/tensor.h>

/* Adds a member to the open object. */
void tool_json_string (JsonBuilder *builder, const char *name, const char *value); /* NULL: null */
void tool_json_int (JsonBuilder *builder, const char *name, gint64 value);
void tool_json_double (JsonBuilder *builder, const char *name, double value);
/* "shape": [1, 3, 224, 224] */
void tool_json_shape (JsonBuilder *builder, const SlShape *shape);

/* Prints what was built: over several lines, or as one. */
void tool_json_print (JsonBuilder *builder, gboolean pretty);
