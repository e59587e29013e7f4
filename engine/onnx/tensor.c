#include "onnx/tensor.h"

#include "core/limit.h"

#include "core/file.h"
#include "core/memory.h"
#include "graph/stub.h"
#include "onnx/schema.h"

#include <string.h>

#define MAX_DATA_TYPE 26
/* Below, a tensor is read here and now: nothing is won, and importing looks into small ones. */
#define SMALLEST_STUB 16384

/* ONNX's element types and the field that holds their elements where raw_data does not. */
static const struct {
  const char *name;
  SlDType dtype; /* SL_DTYPE_NONE: not read */
  uint32_t field;
  SlWireType element;
} types[MAX_DATA_TYPE + 1] = {
    [1] = {"float32", SL_FLOAT32, TENSOR_FLOAT_DATA, SL_WIRE_FIXED32},
    [2] = {"uint8", SL_UINT8, TENSOR_INT32_DATA, SL_WIRE_VARINT},
    [3] = {"int8", SL_INT8, TENSOR_INT32_DATA, SL_WIRE_VARINT},
    [4] = {"uint16", SL_UINT16, TENSOR_INT32_DATA, SL_WIRE_VARINT},
    [5] = {"int16", SL_INT16, TENSOR_INT32_DATA, SL_WIRE_VARINT},
    [6] = {"int32", SL_INT32, TENSOR_INT32_DATA, SL_WIRE_VARINT},
    [7] = {"int64", SL_INT64, TENSOR_INT64_DATA, SL_WIRE_VARINT},
    [8] = {.name = "string"},
    [9] = {"bool", SL_BOOL, TENSOR_INT32_DATA, SL_WIRE_VARINT},
    [10] = {"float16", SL_FLOAT16, TENSOR_INT32_DATA, SL_WIRE_VARINT},
    [11] = {"float64", SL_FLOAT64, TENSOR_DOUBLE_DATA, SL_WIRE_FIXED64},
    [12] = {"uint32", SL_UINT32, TENSOR_UINT64_DATA, SL_WIRE_VARINT},
    [13] = {"uint64", SL_UINT64, TENSOR_UINT64_DATA, SL_WIRE_VARINT},
    [14] = {.name = "complex64"},
    [15] = {.name = "complex128"},
    [16] = {"bfloat16", SL_BFLOAT16, TENSOR_INT32_DATA, SL_WIRE_VARINT},
    [17] = {.name = "float8e4m3fn"},
    [18] = {.name = "float8e4m3fnuz"},
    [19] = {.name = "float8e5m2"},
    [20] = {.name = "float8e5m2fnuz"},
    [21] = {.name = "uint4"},
    [22] = {.name = "int4"},
    [23] = {.name = "float4e2m1"},
    [24] = {.name = "float8e8m0"},
    [25] = {.name = "uint2"},
    [26] = {.name = "int2"},
};

bool
sl_onnx_type_lookup (int64_t number, SlDType *ret_dtype, const char **ret_name)
{
  if (number < 1 || number > MAX_DATA_TYPE)
    return false;
  *ret_dtype = types[number].dtype;
  *ret_name = types[number].name;
  return true;
}

int64_t
sl_onnx_type_number (SlDType dtype)
{
  for (int64_t i = 1; i <= MAX_DATA_TYPE; i++)
    if (types[i].dtype == dtype && dtype != SL_DTYPE_NONE)
      return i;
  g_return_val_if_reached (0);
}

/* What the first walk over a TensorProto finds; no data are touched. */
typedef struct {
  size_t start; /* byte offset, for errors */
  char *name;
  int64_t type;
  SlShape shape;
  size_t rank; /* as stated; shape has the first SL_MAX_RANK */
  bool has_raw;
  SlWireField raw;
  uint32_t list; /* number of the one typed data field, 0: none */
  size_t count;  /* elements in it */
  int64_t location;
  SlExternalPlace place;
} TensorProto;

static void
proto_clear (TensorProto *proto)
{
  g_free (proto->name);
  sl_external_place_clear (&proto->place);
}

G_GNUC_PRINTF (4, 5)
static bool
fail (SlWire *wire, const TensorProto *proto, int code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  return sl_wire_fail (wire, code, proto->start, "tensor '%s': %s", proto->name, text);
}

static bool
read_dims (SlWire *wire, const SlWireField *field, TensorProto *proto)
{
  SlWire dims;
  size_t count;
  uint64_t value;
  if (!sl_wire_numbers (wire, field, SL_WIRE_VARINT, &dims, &count))
    return false;
  while (dims.pos < dims.end) {
    if (!sl_wire_get_varint (&dims, &value))
      return sl_wire_leave (wire, &dims);
    if (proto->rank < SL_MAX_RANK)
      proto->shape.dim[proto->rank] = (int64_t)value;
    proto->rank++;
  }
  proto->shape.rank = (uint32_t)MIN (proto->rank, SL_MAX_RANK);
  return true;
}

static bool
read_list (SlWire *wire, const SlWireField *field, SlWireType element, TensorProto *proto)
{
  SlWire numbers;
  size_t count;
  if (!sl_wire_numbers (wire, field, element, &numbers, &count))
    return false;
  if (count == 0) /* an empty packed list says nothing */
    return true;
  if (proto->list != 0 && proto->list != field->number)
    return fail (wire, proto, SL_ERROR_MALFORMED, "stores its data in fields %u and %u",
                 proto->list, field->number);
  proto->list = field->number;
  proto->count += count;
  return true;
}

static bool
read_external_entry (SlWire *wire, const SlWireField *field, TensorProto *proto)
{
  SlWire entry;
  SlWireField part;
  g_autofree char *key = NULL;
  g_autofree char *value = NULL;
  if (!sl_wire_enter (wire, field, "external_data", &entry))
    return false;
  while (sl_wire_next (&entry, &part)) {
    if (part.number == ENTRY_KEY)
      sl_wire_name (&entry, &part, &key);
    else if (part.number == ENTRY_VALUE)
      sl_wire_name (&entry, &part, &value);
  }
  const char *problem = "an external_data entry lacks its key or value";
  if (!entry.failed && (key == NULL || value == NULL ||
                        !sl_external_place_set (&proto->place, key, &value, &problem)))
    sl_wire_fail (&entry, SL_ERROR_MALFORMED, field->start, "%s", problem);
  return sl_wire_leave (wire, &entry);
}

static bool
read_field (SlWire *wire, const SlWireField *field, TensorProto *proto)
{
  switch (field->number) {
  case TENSOR_DIMS:
    return read_dims (wire, field, proto);
  case TENSOR_DATA_TYPE:
    return sl_wire_int (wire, field, &proto->type);
  case TENSOR_NAME:
    return sl_wire_name (wire, field, &proto->name);
  case TENSOR_RAW_DATA:
    if (field->type != SL_WIRE_BYTES)
      return fail (wire, proto, SL_ERROR_MALFORMED, "raw_data is not a run of bytes");
    proto->has_raw = field->length > 0; /* like an empty list, empty bytes say nothing */
    proto->raw = *field;
    return true;
  case TENSOR_FLOAT_DATA:
    return read_list (wire, field, SL_WIRE_FIXED32, proto);
  case TENSOR_DOUBLE_DATA:
    return read_list (wire, field, SL_WIRE_FIXED64, proto);
  case TENSOR_INT32_DATA:
  case TENSOR_INT64_DATA:
  case TENSOR_UINT64_DATA:
    return read_list (wire, field, SL_WIRE_VARINT, proto);
  case TENSOR_STRING_DATA:
    return fail (wire, proto, SL_ERROR_UNSUPPORTED, "holds strings (expected numbers)");
  case TENSOR_SEGMENT:
    return fail (wire, proto, SL_ERROR_UNSUPPORTED, "is a segment (expected a whole tensor)");
  case TENSOR_EXTERNAL_DATA:
    return read_external_entry (wire, field, proto);
  case TENSOR_DATA_LOCATION:
    return sl_wire_int (wire, field, &proto->location);
  default:
    return true;
  }
}

/* Type and shape, and the size that follows from them, against the limits. */
static bool
check_shape (const SlTensorSource *source, SlWire *wire, const TensorProto *proto,
             SlDType *ret_dtype, size_t *ret_elements, size_t *ret_size)
{
  const char *name;
  if (!sl_onnx_type_lookup (proto->type, ret_dtype, &name))
    return fail (wire, proto, SL_ERROR_MALFORMED, "has the unknown element type %" G_GINT64_FORMAT,
                 proto->type);
  if (*ret_dtype == SL_DTYPE_NONE)
    return fail (wire, proto, SL_ERROR_UNSUPPORTED, "has the element type %s", name);
  if (proto->rank > SL_MAX_RANK)
    return fail (wire, proto, SL_ERROR_UNSUPPORTED, "has %zu dimensions (limit is %d)", proto->rank,
                 SL_MAX_RANK);
  for (size_t i = 0; i < proto->rank; i++)
    if (proto->shape.dim[i] < 0)
      return fail (wire, proto, SL_ERROR_MALFORMED, "dimension %zu is %" G_GINT64_FORMAT, i,
                   proto->shape.dim[i]);
  if (!sl_shape_get_elements (&proto->shape, ret_elements) ||
      !sl_mul_size (*ret_elements, sl_dtype_get_size (*ret_dtype), ret_size))
    return fail (wire, proto, SL_ERROR_LIMIT, "has more elements than memory has addresses");
  if (*ret_size > source->largest)
    return fail (wire, proto, SL_ERROR_LIMIT,
                 "has %zu bytes, the limit is %" G_GUINT64_FORMAT SL_LIMIT_HINT ("tensor"),
                 *ret_size, source->largest);
  if (*ret_size > source->left)
    return fail (
        wire, proto, SL_ERROR_LIMIT,
        "has %zu bytes, the limit of all tensors leaves %" G_GUINT64_FORMAT SL_LIMIT_HINT ("file"),
        *ret_size, source->left);
  return true;
}

/* Exactly one place holds the data, and exactly as much as the shape says. */
static bool
check_storage (SlWire *wire, const TensorProto *proto, size_t elements, size_t size)
{
  const bool external = proto->location == DATA_LOCATION_EXTERNAL;
  const uint32_t field = types[proto->type].field;
  g_autofree char *shape = sl_shape_to_string (&proto->shape);

  if (proto->location != DATA_LOCATION_DEFAULT && !external)
    return fail (wire, proto, SL_ERROR_MALFORMED, "has the unknown data_location %" G_GINT64_FORMAT,
                 proto->location);
  if (proto->has_raw + (proto->list != 0) + external > 1)
    return fail (wire, proto, SL_ERROR_MALFORMED, "stores its data in more than one place");
  if (external && proto->place.location == NULL)
    return fail (wire, proto, SL_ERROR_MALFORMED, "is external but says no location");
  if (external && proto->place.has_length && proto->place.length != size)
    return fail (wire, proto, SL_ERROR_MALFORMED,
                 "has %" G_GUINT64_FORMAT " bytes of external data (expected %zu for %s %s)",
                 proto->place.length, size, types[proto->type].name, shape);
  if (proto->has_raw && proto->raw.length != size)
    return fail (wire, proto, SL_ERROR_MALFORMED,
                 "has %zu bytes of raw_data (expected %zu for %s %s)", proto->raw.length, size,
                 types[proto->type].name, shape);
  if (proto->list != 0 && proto->list != field)
    return fail (wire, proto, SL_ERROR_MALFORMED,
                 "is %s, but its data stand in field %u (expected %u)", types[proto->type].name,
                 proto->list, field);
  if (!external && !proto->has_raw && proto->count != elements)
    return fail (wire, proto, SL_ERROR_MALFORMED, "has %zu elements (expected %zu for %s)",
                 proto->count, elements, shape);
  return true;
}

/* The bits of one number that came as a varint, narrowed to `size` bytes; false if it does not fit.
 */
static bool
narrow (SlDType dtype, uint64_t value, uint64_t *ret)
{
  const int64_t number = (int64_t)value;
  int64_t low = 0, high = 0;
  switch (dtype) {
  case SL_BOOL:
    high = 1;
    break;
  case SL_INT8:
    low = INT8_MIN, high = INT8_MAX;
    break;
  case SL_UINT8:
    high = UINT8_MAX;
    break;
  case SL_INT16:
    low = INT16_MIN, high = INT16_MAX;
    break;
  case SL_INT32:
    low = INT32_MIN, high = INT32_MAX;
    break;
  case SL_UINT32:
    high = UINT32_MAX;
    break;
  case SL_INT64:
  case SL_UINT64:
    *ret = value;
    return true;
  default: /* uint16, and the bits of float16 and bfloat16 */
    high = UINT16_MAX;
  }
  *ret = value;
  return number >= low && number <= high;
}

/* The elements of one run of packed numbers. */
static bool
fill_run (SlWire *numbers, const TensorProto *proto, SlDType dtype, uint8_t **to)
{
  const size_t size = sl_dtype_get_size (dtype);
  if (types[proto->type].element != SL_WIRE_VARINT) {
    memcpy (*to, numbers->data + numbers->pos, numbers->end - numbers->pos);
    *to += numbers->end - numbers->pos;
    return true;
  }
  while (numbers->pos < numbers->end) {
    uint64_t value, bits;
    const size_t at = numbers->pos;
    if (!sl_wire_get_varint (numbers, &value))
      return false;
    if (!narrow (dtype, value, &bits))
      return sl_wire_fail (numbers, SL_ERROR_MALFORMED, at,
                           "tensor '%s': %" G_GINT64_FORMAT " is no %s", proto->name,
                           (int64_t)value, sl_dtype_get_name (dtype));
    memcpy (*to, &bits, size); /* little-endian: the low bytes come first */
    *to += size;
  }
  return true;
}

/* The second walk: the typed fields, in any number of pieces. `wire` is at the tensor's start
 * again. */
static bool
fill_from_lists (SlWire *wire, const TensorProto *proto, SlTensor *tensor)
{
  uint8_t *to = sl_tensor_get_data_writable (tensor);
  SlWireField field;
  SlWire numbers;
  size_t count;
  while (sl_wire_next (wire, &field)) {
    if (field.number != proto->list)
      continue;
    if (!sl_wire_numbers (wire, &field, types[proto->type].element, &numbers, &count))
      return false;
    fill_run (&numbers, proto, sl_tensor_get_dtype (tensor), &to);
    if (!sl_wire_leave (wire, &numbers))
      return false;
  }
  return !wire->failed;
}

static bool
fill_from_file (SlTensorSource *source, SlWire *wire, const TensorProto *proto, SlTensor *tensor)
{
  const size_t size = sl_tensor_get_size (tensor);
  g_autoptr (GError) error = NULL;
  if (!sl_file_read_at (source->open.fd, source->open.location, proto->place.offset,
                        sl_tensor_get_data_writable (tensor), size, &error))
    return fail (wire, proto, error->code, "%s", error->message);
  source->external += size;
  return true;
}

/* Finds and checks the external file before the tensor is allocated. */
static bool
open_external (SlTensorSource *source, SlWire *wire, const TensorProto *proto, size_t size)
{
  g_autoptr (GError) error = NULL;
  if (source->folder == NULL)
    return fail (wire, proto, SL_ERROR_UNSUPPORTED,
                 "lies in the file '%s' (expected a model in one piece)", proto->place.location);
  if (!sl_external_file_open (&source->open, source->folder, &proto->place, size, &error))
    return fail (wire, proto, error->code, "%s", error->message);
  return true;
}

/* Kernels count on bools being 0 or 1. */
static bool
check_bools (SlWire *wire, const TensorProto *proto, const SlTensor *tensor)
{
  const uint8_t *data = sl_tensor_get_data (tensor);
  if (sl_tensor_get_dtype (tensor) != SL_BOOL)
    return true;
  for (size_t i = 0; i < sl_tensor_get_size (tensor); i++)
    if (data[i] > 1)
      return fail (wire, proto, SL_ERROR_MALFORMED, "element %zu is %u (expected 0 or 1)", i,
                   data[i]);
  return true;
}

/* Raw data. Of floating point only are stubs: any content of theirs will do, so that nothing but
 * results depends on what the file holds when it is read again. */
static SlTensor *
read_raw (SlTensorSource *source, const TensorProto *proto, SlDType dtype, GError **error)
{
  if (!source->stays)
    return sl_tensor_new_bytes (dtype, &proto->shape, source->file, proto->raw.offset, error);
  if (sl_dtype_is_float (dtype) && proto->raw.length >= SMALLEST_STUB)
    return sl_tensor_new_stub (dtype, &proto->shape, proto->raw.offset, error);
  return sl_tensor_new_copy (
      dtype, &proto->shape, (const char *)g_bytes_get_data (source->file, NULL) + proto->raw.offset,
      error);
}

static SlTensor *
read_data (SlTensorSource *source, SlWire *wire, const SlWire *start, const TensorProto *proto,
           SlDType dtype)
{
  const bool external = proto->location == DATA_LOCATION_EXTERNAL;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlTensor) tensor = NULL;
  if (proto->has_raw)
    tensor = read_raw (source, proto, dtype, &error);
  else
    tensor = sl_tensor_new (dtype, &proto->shape, &error);
  if (tensor == NULL) {
    fail (wire, proto, error->code, "%s", error->message);
    return NULL;
  }
  source->left -= sl_tensor_get_size (tensor);

  SlWire again = *start;
  if (external && !fill_from_file (source, wire, proto, tensor))
    return NULL;
  if (proto->list != 0 && (fill_from_lists (&again, proto, tensor), !sl_wire_leave (wire, &again)))
    return NULL;
  return check_bools (wire, proto, tensor) ? g_steal_pointer (&tensor) : NULL;
}

SlTensor *
sl_onnx_tensor_read (SlTensorSource *source, SlWire *wire, char **ret_name)
{
  const SlWire start = *wire;
  TensorProto proto = {.start = wire->pos, .name = g_strdup ("")};
  SlTensor *tensor = NULL;
  SlWireField field;
  SlDType dtype = SL_DTYPE_NONE;
  size_t elements = 0, size = 0;

  while (sl_wire_next (wire, &field))
    if (!read_field (wire, &field, &proto))
      break;
  if (!wire->failed && check_shape (source, wire, &proto, &dtype, &elements, &size) &&
      check_storage (wire, &proto, elements, size) &&
      (proto.location != DATA_LOCATION_EXTERNAL || open_external (source, wire, &proto, size)))
    tensor = read_data (source, wire, &start, &proto, dtype);
  if (tensor != NULL && ret_name != NULL)
    *ret_name = g_steal_pointer (&proto.name);
  proto_clear (&proto);
  return tensor;
}

void
sl_onnx_tensor_write (SlWireOut *out, uint32_t number, const char *name, const SlTensor *tensor)
{
  const SlShape *shape = sl_tensor_get_shape (tensor);
  const size_t begin = sl_wire_begin (out, number);
  for (uint32_t i = 0; i < shape->rank; i++)
    sl_wire_put_int (out, TENSOR_DIMS, shape->dim[i]);
  sl_wire_put_int (out, TENSOR_DATA_TYPE, sl_onnx_type_number (sl_tensor_get_dtype (tensor)));
  if (name != NULL)
    sl_wire_put_text (out, TENSOR_NAME, name);
  sl_wire_put_bytes (out, TENSOR_RAW_DATA, sl_tensor_get_data (tensor),
                     sl_tensor_get_size (tensor));
  sl_wire_end (out, begin);
}
