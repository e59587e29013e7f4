#include "onnx/wire.h"

#include <sightline/error.h>

#include <stdlib.h>
#include <string.h>

#define MAX_VARINT 10 /* bytes of 64 bits in groups of 7 */
#define MAX_NUMBER ((1u << 29) - 1)

void
sl_wire_init (SlWire *wire, const void *data, size_t size, const char *message, GError **error)
{
  *wire = (SlWire){.data = data, .end = size, .message = message, .error = error};
}

bool
sl_wire_fail (SlWire *wire, int code, size_t offset, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  if (!wire->failed)
    g_set_error (wire->error, SL_ERROR, code, "%s at byte %zu: %s", wire->message, offset, text);
  wire->failed = true;
  wire->pos = wire->end;
  return false;
}

static bool
malformed (SlWire *wire, size_t offset, const char *text)
{
  return sl_wire_fail (wire, SL_ERROR_MALFORMED, offset, "%s", text);
}

bool
sl_wire_get_varint (SlWire *wire, uint64_t *ret)
{
  const size_t start = wire->pos;
  uint64_t value = 0;
  for (unsigned i = 0; i < MAX_VARINT; i++) {
    if (wire->pos == wire->end)
      return malformed (wire, start, "a number is cut off");
    uint8_t byte = wire->data[wire->pos++];
    if (i == MAX_VARINT - 1 && byte > 1)
      break;
    value |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *ret = value;
      return true;
    }
  }
  return malformed (wire, start, "a number has more than 64 bits");
}

static bool
get_length (SlWire *wire, SlWireField *field)
{
  uint64_t length;
  if (!sl_wire_get_varint (wire, &length))
    return false;
  size_t left = wire->end - wire->pos;
  if (length > left)
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start,
                         "field %u states %" G_GUINT64_FORMAT " bytes where %zu are left",
                         field->number, length, left);
  field->offset = wire->pos;
  field->length = (size_t)length;
  return true;
}

bool
sl_wire_next (SlWire *wire, SlWireField *ret)
{
  if (wire->pos == wire->end)
    return false;

  uint64_t tag, ignored;
  ret->start = wire->pos;
  if (!sl_wire_get_varint (wire, &tag))
    return false;
  if (tag >> 3 == 0 || tag >> 3 > MAX_NUMBER)
    return malformed (wire, ret->start, "a field has an impossible number");
  ret->number = (uint32_t)(tag >> 3);
  ret->type = (SlWireType)(tag & 7);
  ret->offset = wire->pos;

  switch (ret->type) {
  case SL_WIRE_VARINT:
    if (!sl_wire_get_varint (wire, &ignored))
      return false;
    ret->length = wire->pos - ret->offset;
    return true;
  case SL_WIRE_FIXED64:
    ret->length = 8;
    break;
  case SL_WIRE_FIXED32:
    ret->length = 4;
    break;
  case SL_WIRE_BYTES:
    if (!get_length (wire, ret))
      return false;
    break;
  default:
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, ret->start,
                         "field %u has wire type %u (expected 0, 1, 2 or 5)", ret->number,
                         (unsigned)(tag & 7));
  }
  if (ret->length > wire->end - wire->pos)
    return malformed (wire, ret->start, "a number is cut off");
  wire->pos += ret->length;
  return true;
}

static bool
expect (SlWire *wire, const SlWireField *field, SlWireType type)
{
  return field->type == type ||
         sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start,
                       "field %u has wire type %d (expected %d)", field->number, field->type, type);
}

bool
sl_wire_int (SlWire *wire, const SlWireField *field, int64_t *ret)
{
  if (!expect (wire, field, SL_WIRE_VARINT))
    return false;
  SlWire number = *wire;
  number.pos = field->offset;
  uint64_t value = 0;
  sl_wire_get_varint (&number, &value); /* sl_wire_next() has seen that it is whole */
  *ret = (int64_t)value;
  return true;
}

bool
sl_wire_float (SlWire *wire, const SlWireField *field, float *ret)
{
  if (!expect (wire, field, SL_WIRE_FIXED32))
    return false;
  memcpy (ret, wire->data + field->offset, sizeof *ret);
  return true;
}

bool
sl_wire_text (SlWire *wire, const SlWireField *field, guint64 limit, char **ret)
{
  if (!expect (wire, field, SL_WIRE_BYTES))
    return false;
  if (field->length > limit)
    return sl_wire_fail (wire, SL_ERROR_LIMIT, field->start,
                         "field %u has %zu bytes of text (limit is %" G_GUINT64_FORMAT ")",
                         field->number, field->length, limit);
  const char *text = (const char *)wire->data + field->offset;
  /* g_utf8_validate_len() refuses NUL as well. */
  if (!g_utf8_validate_len (text, field->length, NULL))
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->offset,
                         "field %u is not text (expected UTF-8)", field->number);
  char *copy = g_try_malloc (field->length + 1);
  if (copy == NULL)
    return sl_wire_fail (wire, SL_ERROR_MEMORY, field->offset, "no memory for %zu bytes of text",
                         field->length);
  memcpy (copy, text, field->length);
  copy[field->length] = '\0';
  g_free (*ret);
  *ret = copy;
  return true;
}

bool
sl_wire_name (SlWire *wire, const SlWireField *field, char **ret)
{
  if (!expect (wire, field, SL_WIRE_BYTES))
    return false;
  if (field->length > SL_WIRE_MAX_NAME)
    return sl_wire_fail (wire, SL_ERROR_LIMIT, field->start, "a name has %zu bytes (limit is %d)",
                         field->length, SL_WIRE_MAX_NAME);
  for (size_t i = 0; i < field->length; i++)
    if (wire->data[field->offset + i] < ' ' || wire->data[field->offset + i] == 0x7f)
      return malformed (wire, field->offset + i, "a name holds a control character");
  return sl_wire_text (wire, field, SL_WIRE_MAX_NAME, ret);
}

bool
sl_wire_enter (SlWire *wire, const SlWireField *field, const char *message, SlWire *ret)
{
  if (!expect (wire, field, SL_WIRE_BYTES))
    return false;
  *ret = (SlWire){.data = wire->data,
                  .pos = field->offset,
                  .end = field->offset + field->length,
                  .message = message,
                  .error = wire->error};
  return true;
}

bool
sl_wire_numbers (SlWire *wire, const SlWireField *field, SlWireType element, SlWire *ret,
                 size_t *ret_count)
{
  if (field->type != SL_WIRE_BYTES && !expect (wire, field, element))
    return false;
  *ret = (SlWire){.data = wire->data,
                  .pos = field->offset,
                  .end = field->offset + field->length,
                  .message = wire->message,
                  .error = wire->error};

  size_t count = 0;
  if (element == SL_WIRE_VARINT) {
    for (size_t i = ret->pos; i < ret->end; i++)
      count += wire->data[i] < 0x80;
  } else {
    size_t size = element == SL_WIRE_FIXED32 ? 4 : 8;
    if (field->length % size != 0)
      return sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start,
                           "field %u packs %zu bytes (expected a multiple of %zu)", field->number,
                           field->length, size);
    count = field->length / size;
  }
  *ret_count = count;
  return true;
}

void
sl_wire_out_reserve (SlWireOut *out, size_t size)
{
  if (out->failed || size <= out->capacity - out->length)
    return;
  size_t capacity = MAX (out->capacity + out->capacity / 2, 256);
  if (size > SIZE_MAX / 4 - out->length)
    capacity = 0;
  else
    capacity = MAX (capacity, out->length + size);
  uint8_t *data = capacity > 0 ? g_try_realloc (out->data, capacity) : NULL;
  if (data == NULL) {
    out->failed = true;
    return;
  }
  out->data = data;
  out->capacity = capacity;
}

void
sl_wire_out_clear (SlWireOut *out)
{
  g_free (out->data);
  *out = (SlWireOut){0};
}

static void
put_raw (SlWireOut *out, const void *data, size_t length)
{
  sl_wire_out_reserve (out, length);
  if (out->failed || length == 0)
    return;
  memcpy (out->data + out->length, data, length);
  out->length += length;
}

static size_t
encode_varint (uint8_t ret[static MAX_VARINT], uint64_t value)
{
  size_t n = 0;
  for (; value >= 0x80; value >>= 7)
    ret[n++] = (uint8_t)(value | 0x80);
  ret[n++] = (uint8_t)value;
  return n;
}

static void
put_varint (SlWireOut *out, uint64_t value)
{
  uint8_t bytes[MAX_VARINT];
  put_raw (out, bytes, encode_varint (bytes, value));
}

static void
put_tag (SlWireOut *out, uint32_t number, SlWireType type)
{
  put_varint (out, (uint64_t)number << 3 | type);
}

void
sl_wire_put_int (SlWireOut *out, uint32_t number, int64_t value)
{
  put_tag (out, number, SL_WIRE_VARINT);
  put_varint (out, (uint64_t)value);
}

void
sl_wire_put_float (SlWireOut *out, uint32_t number, float value)
{
  put_tag (out, number, SL_WIRE_FIXED32);
  put_raw (out, &value, sizeof value);
}

void
sl_wire_put_double (SlWireOut *out, uint32_t number, double value)
{
  put_tag (out, number, SL_WIRE_FIXED64);
  put_raw (out, &value, sizeof value);
}

void
sl_wire_put_bytes (SlWireOut *out, uint32_t number, const void *data, size_t length)
{
  put_tag (out, number, SL_WIRE_BYTES);
  put_varint (out, length);
  put_raw (out, data, length);
}

void
sl_wire_put_text (SlWireOut *out, uint32_t number, const char *text)
{
  sl_wire_put_bytes (out, number, text, strlen (text));
}

size_t
sl_wire_begin (SlWireOut *out, uint32_t number)
{
  put_tag (out, number, SL_WIRE_BYTES);
  return out->length;
}

void
sl_wire_end (SlWireOut *out, size_t begin)
{
  uint8_t bytes[MAX_VARINT];
  size_t length = out->length - begin;
  size_t n = encode_varint (bytes, length);
  sl_wire_out_reserve (out, n);
  if (out->failed)
    return;
  memmove (out->data + begin + n, out->data + begin, length);
  memcpy (out->data + begin, bytes, n);
  out->length += n;
}
