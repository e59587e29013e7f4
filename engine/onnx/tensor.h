/* TensorProto: every form in which a file can store a tensor. */
#pragma once

#include "onnx/external.h"
#include "onnx/wire.h"

#include <sightline/tensor.h>

/* Where tensors get their bytes, and how much they may take. */
typedef struct SlTensorSource {
  GBytes *file;        /* what the cursors walk; tensors keep a reference where they need no copy */
  bool stays;          /* the file can be read again: large tensors of numbers are stubs */
  const char *folder;  /* of external data; NULL refuses them */
  guint64 largest;     /* bytes of one tensor */
  guint64 left;        /* bytes that all tensors together may still take */
  guint64 external;    /* bytes read from other files so far */
  SlExternalFile open; /* the external file read last: most models have one */
} SlTensorSource;

/* Reads one TensorProto. Type, shape and length are checked against each other and the limits
 * before anything is allocated. *ret_name, which may be NULL, gets the tensor's name ("" if it has
 * none). */
SlTensor *sl_onnx_tensor_read (SlTensorSource *source, SlWire *wire, char **ret_name);

/* A TensorProto with raw_data as field `number`. `name` may be NULL. */
void sl_onnx_tensor_write (SlWireOut *out, uint32_t number, const char *name,
                           const SlTensor *tensor);

/* TensorProto.DataType. The dtype is SL_DTYPE_NONE and *ret_name still set where ONNX knows a type
 * that Sightline does not; false for numbers that ONNX does not know. */
bool sl_onnx_type_lookup (int64_t number, SlDType *ret_dtype, const char **ret_name);
int64_t sl_onnx_type_number (SlDType dtype);
