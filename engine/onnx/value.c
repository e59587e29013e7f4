#include "onnx/value.h"

#include "onnx/schema.h"
#include "onnx/tensor.h"

void
sl_value_proto_clear (SlValueProto *proto)
{
  g_free (proto->name);
  *proto = (SlValueProto){0};
}

static bool
read_dim (SlWire *wire, const SlWireField *field, int64_t *ret)
{
  SlWire dim;
  SlWireField part;
  if (!sl_wire_enter (wire, field, "Dimension", &dim))
    return false;
  *ret = -1;
  while (sl_wire_next (&dim, &part))
    if (part.number == DIM_VALUE && !sl_wire_int (&dim, &part, ret))
      break;
  if (!dim.failed && *ret < -1)
    sl_wire_fail (&dim, SL_ERROR_MALFORMED, field->start,
                  "is %" G_GINT64_FORMAT " (expected 0 or more)", *ret);
  return sl_wire_leave (wire, &dim);
}

static bool
read_shape (SlWire *wire, const SlWireField *field, SlValueProto *proto)
{
  SlWire shape;
  SlWireField part;
  int64_t dim;
  if (!sl_wire_enter (wire, field, "TensorShapeProto", &shape))
    return false;
  proto->has_shape = true;
  proto->shape.rank = 0;
  while (sl_wire_next (&shape, &part)) {
    if (part.number != SHAPE_DIM)
      continue;
    if (!read_dim (&shape, &part, &dim))
      break;
    if (proto->shape.rank == SL_MAX_RANK) {
      sl_wire_fail (&shape, SL_ERROR_UNSUPPORTED, field->start, "has more than %d dimensions",
                    SL_MAX_RANK);
      break;
    }
    proto->shape.dim[proto->shape.rank++] = dim;
  }
  return sl_wire_leave (wire, &shape);
}

static bool
read_elem_type (SlWire *wire, const SlWireField *field, SlValueProto *proto)
{
  int64_t number;
  const char *name;
  if (!sl_wire_int (wire, field, &number))
    return false;
  if (number == 0)
    return true;
  if (!sl_onnx_type_lookup (number, &proto->dtype, &name))
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start,
                         "has the unknown element type %" G_GINT64_FORMAT, number);
  return proto->dtype != SL_DTYPE_NONE ||
         sl_wire_fail (wire, SL_ERROR_UNSUPPORTED, field->start, "has the element type %s", name);
}

static bool
read_tensor_type (SlWire *wire, const SlWireField *field, SlValueProto *proto)
{
  SlWire tensor;
  SlWireField part;
  if (!sl_wire_enter (wire, field, "TypeProto", &tensor))
    return false;
  while (sl_wire_next (&tensor, &part)) {
    if (part.number == TENSOR_TYPE_ELEM_TYPE && !read_elem_type (&tensor, &part, proto))
      break;
    if (part.number == TENSOR_TYPE_SHAPE && !read_shape (&tensor, &part, proto))
      break;
  }
  return sl_wire_leave (wire, &tensor);
}

static bool
read_type (SlWire *wire, const SlWireField *field, SlValueProto *proto)
{
  SlWire type;
  SlWireField part;
  if (!sl_wire_enter (wire, field, "TypeProto", &type))
    return false;
  while (sl_wire_next (&type, &part)) {
    switch (part.number) {
    case TYPE_TENSOR:
      read_tensor_type (&type, &part, proto);
      break;
    case TYPE_SEQUENCE:
    case TYPE_MAP:
    case TYPE_SPARSE:
    case TYPE_OPTIONAL:
      sl_wire_fail (&type, SL_ERROR_UNSUPPORTED, part.start, "is a %s (expected a tensor)",
                    part.number == TYPE_SEQUENCE ? "sequence"
                    : part.number == TYPE_MAP    ? "map"
                    : part.number == TYPE_SPARSE ? "sparse tensor"
                                                 : "optional value");
      break;
    }
  }
  return sl_wire_leave (wire, &type);
}

bool
sl_onnx_value_read (SlWire *wire, SlValueProto *ret)
{
  SlValueProto proto = {.start = wire->pos};
  SlWireField field;
  while (sl_wire_next (wire, &field)) {
    if (field.number == VALUE_NAME)
      sl_wire_name (wire, &field, &proto.name);
    else if (field.number == VALUE_TYPE && !read_type (wire, &field, &proto) && proto.name)
      g_prefix_error (wire->error, "'%s': ", proto.name);
  }
  if (!wire->failed && (proto.name == NULL || proto.name[0] == '\0'))
    sl_wire_fail (wire, SL_ERROR_MALFORMED, proto.start, "has no name");
  if (wire->failed) {
    sl_value_proto_clear (&proto);
    return false;
  }
  *ret = proto;
  return true;
}

void
sl_onnx_value_write (SlWireOut *out, uint32_t number, const char *name, SlDType dtype,
                     const SlShape *shape)
{
  const size_t value = sl_wire_begin (out, number);
  sl_wire_put_text (out, VALUE_NAME, name);
  const size_t type = sl_wire_begin (out, VALUE_TYPE);
  const size_t tensor = sl_wire_begin (out, TYPE_TENSOR);
  if (dtype != SL_DTYPE_NONE)
    sl_wire_put_int (out, TENSOR_TYPE_ELEM_TYPE, sl_onnx_type_number (dtype));
  if (shape != NULL) {
    const size_t dims = sl_wire_begin (out, TENSOR_TYPE_SHAPE);
    for (uint32_t i = 0; i < shape->rank; i++) {
      const size_t dim = sl_wire_begin (out, SHAPE_DIM);
      if (shape->dim[i] >= 0)
        sl_wire_put_int (out, DIM_VALUE, shape->dim[i]);
      sl_wire_end (out, dim);
    }
    sl_wire_end (out, dims);
  }
  sl_wire_end (out, tensor);
  sl_wire_end (out, type);
  sl_wire_end (out, value);
}
