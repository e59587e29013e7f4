/* Protocol buffers' wire format: bounded reading, and writing.
 *
 * A cursor walks the fields of one message inside a file that lies in memory whole. It never
 * recurses: who reads a schema enters the messages that the schema knows, so the depth is the
 * schema's, not the file's, and what nobody asks for is skipped by its length. Every error names
 * the byte offset in the file. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest name of a node, tensor, operator or attribute, and longest string attribute. */
#define SL_WIRE_MAX_NAME 65536

typedef enum {
  SL_WIRE_VARINT = 0,
  SL_WIRE_FIXED64 = 1,
  SL_WIRE_BYTES = 2, /* strings, messages, packed numbers */
  SL_WIRE_FIXED32 = 5
} SlWireType;

typedef struct SlWire {
  const uint8_t *data; /* the whole file */
  size_t pos, end;     /* what is left of this message */
  const char *message; /* what it is, for errors; static */
  GError **error;      /* set by the first failure */
  bool failed;         /* after a failure the cursor stands at its end */
} SlWire;

typedef struct SlWireField {
  uint32_t number;
  SlWireType type;
  size_t start;          /* of the tag */
  size_t offset, length; /* of the content, inside the message */
} SlWireField;

/* A cursor over `size` bytes, which must outlive it. */
void sl_wire_init (SlWire *wire, const void *data, size_t size, const char *message,
                   GError **error);

/* The next field, content not looked at. False at the end and on failure: check wire->failed then.
 */
bool sl_wire_next (SlWire *wire, SlWireField *ret);

/* SL_ERROR_… "MESSAGE at byte OFFSET: …"; returns false. */
G_GNUC_PRINTF (4, 5)
bool sl_wire_fail (SlWire *wire, int code, size_t offset, const char *format, ...);

/* Content of a field just read; false (and wire->failed) if the field is of another wire type. The
 * last of several occurrences of a field counts: *ret is replaced. */
bool sl_wire_int (SlWire *wire, const SlWireField *field, int64_t *ret);
bool sl_wire_float (SlWire *wire, const SlWireField *field, float *ret);
/* Valid UTF-8 without NUL, at most `limit` bytes; frees what *ret held. */
bool sl_wire_text (SlWire *wire, const SlWireField *field, guint64 limit, char **ret);
/* The same, at most SL_WIRE_MAX_NAME bytes and without control characters: fit for messages. */
bool sl_wire_name (SlWire *wire, const SlWireField *field, char **ret);
/* The field's content as a message: a cursor with the same error. */
bool sl_wire_enter (SlWire *wire, const SlWireField *field, const char *message, SlWire *ret);

/* A repeated number, packed or not: a cursor over the raw numbers, to be read by the functions
 * below while ret->pos < ret->end. `element` is VARINT, FIXED32 or FIXED64. */
bool sl_wire_numbers (SlWire *wire, const SlWireField *field, SlWireType element, SlWire *ret,
                      size_t *ret_count);
bool sl_wire_get_varint (SlWire *numbers, uint64_t *ret);

/* Hands a child's failure to its parent. */
static inline bool
sl_wire_leave (SlWire *wire, const SlWire *child)
{
  if (child->failed) {
    wire->failed = true;
    wire->pos = wire->end;
  }
  return !child->failed;
}

/* What is written grows in memory. An allocation that fails is remembered, everything after it is
 * ignored. */
typedef struct SlWireOut {
  uint8_t *data;
  size_t length, capacity;
  bool failed;
} SlWireOut;

/* Room for `size` more bytes at once. */
void sl_wire_out_reserve (SlWireOut *out, size_t size);
void sl_wire_out_clear (SlWireOut *out);

void sl_wire_put_int (SlWireOut *out, uint32_t number, int64_t value);
void sl_wire_put_float (SlWireOut *out, uint32_t number, float value);
void sl_wire_put_double (SlWireOut *out, uint32_t number, double value);
void sl_wire_put_bytes (SlWireOut *out, uint32_t number, const void *data, size_t length);
void sl_wire_put_text (SlWireOut *out, uint32_t number, const char *text);

/* A message is what is put between begin and end; end takes what begin returned. */
size_t sl_wire_begin (SlWireOut *out, uint32_t number);
void sl_wire_end (SlWireOut *out, size_t begin);
