/* ValueInfoProto: name, element type and shape of a graph's input or output. */
#pragma once

#include "onnx/wire.h"

#include <sightline/tensor.h>

typedef struct SlValueProto {
  size_t start; /* byte offset in the file */
  char *name;
  SlDType dtype; /* SL_DTYPE_NONE: not stated */
  SlShape shape;
  bool has_shape;
} SlValueProto;

void sl_value_proto_clear (SlValueProto *proto);

/* A free dimension is one that has a name, no value, or the value -1 that some exporters mean that
 * by. Types that are no tensors of numbers are SL_ERROR_UNSUPPORTED. */
bool sl_onnx_value_read (SlWire *wire, SlValueProto *ret);

/* A ValueInfoProto as field `number`; `shape` may be NULL. */
void sl_onnx_value_write (SlWireOut *out, uint32_t number, const char *name, SlDType dtype,
                          const SlShape *shape);
