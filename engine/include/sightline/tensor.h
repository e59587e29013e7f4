/* Element types, shapes and tensors. */
#pragma once

#include <sightline/error.h>

#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef enum {
  SL_DTYPE_NONE, /* not known (yet) */
  SL_FLOAT16,
  SL_BFLOAT16,
  SL_FLOAT32,
  SL_FLOAT64,
  SL_INT8,
  SL_INT16,
  SL_INT32,
  SL_INT64,
  SL_UINT8,
  SL_UINT16,
  SL_UINT32,
  SL_UINT64,
  SL_BOOL, /* one byte, 0 or 1 */
  SL_DTYPE_COUNT
} SlDType;

/* Bytes of one element; 0 for SL_DTYPE_NONE. */
SL_API size_t sl_dtype_get_size (SlDType dtype);
/* "float32", "int64", "bool" …; "unknown" for SL_DTYPE_NONE. */
SL_API const char *sl_dtype_get_name (SlDType dtype);
SL_API gboolean sl_dtype_is_float (SlDType dtype);

#define SL_MAX_RANK 8

/* Dimensions in ONNX order (N, C, H, W), slowest first. Rank 0 is a scalar. A dimension of -1 is
 * free: it gets its value when a program is made. */
typedef struct SlShape {
  uint32_t rank;
  int64_t dim[SL_MAX_RANK];
} SlShape;

/* SL_SHAPE (1, 3, 224, 224) */
#define SL_SHAPE(...) \
  ((SlShape){(uint32_t)(sizeof ((int64_t[]){__VA_ARGS__}) / sizeof (int64_t)), {__VA_ARGS__}})

SL_API gboolean sl_shape_equal (const SlShape *a, const SlShape *b);
/* True if no dimension is free. */
SL_API gboolean sl_shape_is_known (const SlShape *shape);
/* Product of the dimensions. False if one is negative or the product, counting each 0 as 1, does
 * not fit. */
SL_API gboolean sl_shape_get_elements (const SlShape *shape, size_t *ret_elements);
/* "1x3x224x224", "scalar", "?" for a free dimension. Free with g_free(). */
SL_API char *sl_shape_to_string (const SlShape *shape);

/* A dense row-major array. Reference-counted; count and content of a shared tensor may be read from
 * any thread, and nobody writes into a tensor that somebody else can see. */
typedef struct SlTensor SlTensor;

/* A new tensor of zeros, aligned to 64 bytes. NULL with SL_ERROR_SHAPE or SL_ERROR_MEMORY. */
SL_API SlTensor *sl_tensor_new (SlDType dtype, const SlShape *shape, GError **error);

/* A new tensor holding a copy of `data` (the shape says how much). */
SL_API SlTensor *sl_tensor_new_copy (SlDType dtype, const SlShape *shape, const void *data,
                                     GError **error);

/* A tensor whose data are `bytes` from `offset` on, little-endian as in a file; keeps a reference
 * on `bytes`. Copies only where the start is not aligned to the element size. SL_ERROR_SHAPE if the
 * slice is not exactly inside. */
SL_API SlTensor *sl_tensor_new_bytes (SlDType dtype, const SlShape *shape, GBytes *bytes,
                                      gsize offset, GError **error);

SL_API SlTensor *sl_tensor_ref (SlTensor *tensor);
SL_API void sl_tensor_unref (SlTensor *tensor);
SL_API SlDType sl_tensor_get_dtype (const SlTensor *tensor);
SL_API const SlShape *sl_tensor_get_shape (const SlTensor *tensor);
SL_API size_t sl_tensor_get_elements (const SlTensor *tensor);
/* Bytes of the content. */
SL_API size_t sl_tensor_get_size (const SlTensor *tensor);
SL_API const void *sl_tensor_get_data (const SlTensor *tensor);
/* For filling a tensor that its maker has not shared yet and did not make from bytes. */
SL_API void *sl_tensor_get_data_writable (SlTensor *tensor);
/* Element `index` as double or integer, whatever the type (floats truncate to integers). */
SL_API double sl_tensor_get_double (const SlTensor *tensor, size_t index);
SL_API int64_t sl_tensor_get_int (const SlTensor *tensor, size_t index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlTensor, sl_tensor_unref)

/* Elements in memory that somebody else owns, each dimension with its own stride in elements;
 * dimensions in ONNX order whatever the order in memory. */
typedef struct SlTensorView {
  SlDType dtype;
  SlShape shape;
  ptrdiff_t stride[SL_MAX_RANK];
  void *data;
} SlTensorView;

G_END_DECLS
