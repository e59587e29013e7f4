/* Attributes: generic as a file states them, typed as an op reads them. */
#pragma once

#include <sightline/tensor.h>

#include <stdbool.h>

#define SL_INTS_MAX 16

/* A short list: strides, pads, axes, permutations. */
typedef struct SlInts {
  uint32_t n;
  int64_t v[SL_INTS_MAX];
} SlInts;

typedef enum { SL_ATTR_INT, SL_ATTR_FLOAT, SL_ATTR_INTS, SL_ATTR_ENUM, SL_ATTR_BOOL } SlAttrType;

/* One row of an op class's attribute table: where the attribute lies in the class's plain struct.
 */
typedef struct SlAttrSpec {
  const char *name; /* ONNX's; names that start with '.' are Sightline's own and never in a file */
  SlAttrType type;  /* int64_t, float, SlInts, uint32_t (index into choices), bool */
  size_t offset;
  double preset;              /* default of INT, FLOAT, ENUM, BOOL; INTS start empty */
  const char *const *choices; /* ENUM: NULL-ended, the strings in ONNX's spelling */
  bool required;
} SlAttrSpec;

/* An attribute as the file has it. Pointers belong to whoever made it. */
typedef enum {
  SL_RAW_INT,
  SL_RAW_FLOAT,
  SL_RAW_STRING,
  SL_RAW_TENSOR,
  SL_RAW_INTS,
  SL_RAW_FLOATS,
  SL_RAW_STRINGS,
  SL_RAW_OTHER /* graphs, types: present, not read */
} SlRawType;

typedef struct SlRawAttr {
  char *name;
  SlRawType type;
  int64_t i;
  float f;
  char *s;          /* STRING, NUL-ended; bytes after an embedded NUL are refused by the reader */
  SlTensor *tensor; /* TENSOR */
  size_t n;         /* INTS, FLOATS */
  int64_t *ints;
  float *floats;
} SlRawAttr;

/* Fills `attrs` (attrs_size bytes) with the table's defaults. */
void sl_attrs_init (const SlAttrSpec *table, void *attrs);

/* Reads one attribute of a file into the struct. FALSE with SL_ERROR_MALFORMED where type, length
 * or choice do not fit, SL_ERROR_UNSUPPORTED where the table has no such name. */
gboolean sl_attrs_set (const SlAttrSpec *table, void *attrs, const SlRawAttr *raw, GError **error);

/* True if the struct's value equals the default (a writer leaves it out). */
bool sl_attrs_is_default (const SlAttrSpec *spec, const void *attrs);

/* "strides=[2, 2]"; appends to `string`. */
void sl_attrs_print (const SlAttrSpec *spec, const void *attrs, GString *string);
