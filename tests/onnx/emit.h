/* Protocol buffers written field by field, right or wrong: what the tests feed the reader. It
 * shares nothing with the engine's own writer. Functions that take a child message free it. */
#pragma once

#include "onnx/onnx.h"

#include <stdbool.h>

typedef GByteArray Emit;

Emit *emit_new (void);
void emit_varint (Emit *to, guint64 value);
void emit_tag (Emit *to, guint field, guint wire_type);
void emit_int (Emit *to, guint field, gint64 value);
void emit_float (Emit *to, guint field, float value);
void emit_bytes (Emit *to, guint field, const void *data, gsize size);
void emit_text (Emit *to, guint field, const char *text);
void emit_message (Emit *to, guint field, Emit *child);

/* TensorProto; `raw` may be NULL: no data. */
Emit *emit_tensor (const char *name, int type, guint rank, const gint64 *dims, const void *raw,
                   gsize size);
/* ValueInfoProto of float32; a negative dimension is left without a value. */
Emit *emit_value (const char *name, guint rank, const gint64 *dims);
/* The same of element type `type`, ONNX's number. */
Emit *emit_value_of (const char *name, int type, guint rank, const gint64 *dims);
/* NodeProto; the names are separated by blanks, "-" stands for one that is left out. */
Emit *emit_node (const char *op, const char *name, const char *inputs, const char *outputs);
void emit_attr_int (Emit *node, const char *name, gint64 value);
void emit_attr_ints (Emit *node, const char *name, guint n, const gint64 *values);

/* ModelProto around a graph. */
Emit *emit_model (Emit *graph, gint64 opset);

/* GraphProto of a small network that everything is right with: x (1, 3, 4, 4), convolution with w
 * and b, Relu, sum with a Constant, y (1, 2, 4, 4). */
Emit *emit_network (void);

/* Reads and frees what was emitted. */
SlGraph *read_model (Emit *model, GError **error);
SlGraph *read_bytes (const void *data, gsize size, const SlModelLimits *limits, GError **error);
/* The reader must refuse it with this code and a message of one line that holds `text`. */
void expect_refusal (Emit *model, int code, const char *text);
void check_error (GError *error, int code, const char *text);
