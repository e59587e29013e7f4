#include "graph/live.h"
#include "graph/stub.h"

#include "core/half.h"
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

struct SlTensor {
  gatomicrefcount refs;
  SlDType dtype;
  SlShape shape;
  size_t elements, size;
  const void *data;
  void *owned; /* aligned, inside `block`, or NULL where `bytes` holds the data */
  void *block;
  GBytes *bytes;
  bool is_stub;
  guint64 place; /* of a stub */
  SlLive live;   /* of parameters and state */
};

static const struct {
  const char *name;
  uint8_t size;
  bool is_float;
} dtypes[SL_DTYPE_COUNT] = {
    [SL_DTYPE_NONE] = {"unknown", 0, false}, [SL_FLOAT16] = {"float16", 2, true},
    [SL_BFLOAT16] = {"bfloat16", 2, true},   [SL_FLOAT32] = {"float32", 4, true},
    [SL_FLOAT64] = {"float64", 8, true},     [SL_INT8] = {"int8", 1, false},
    [SL_INT16] = {"int16", 2, false},        [SL_INT32] = {"int32", 4, false},
    [SL_INT64] = {"int64", 8, false},        [SL_UINT8] = {"uint8", 1, false},
    [SL_UINT16] = {"uint16", 2, false},      [SL_UINT32] = {"uint32", 4, false},
    [SL_UINT64] = {"uint64", 8, false},      [SL_BOOL] = {"bool", 1, false},
};

size_t
sl_dtype_get_size (SlDType dtype)
{
  g_return_val_if_fail (dtype < SL_DTYPE_COUNT, 0);
  return dtypes[dtype].size;
}

const char *
sl_dtype_get_name (SlDType dtype)
{
  g_return_val_if_fail (dtype < SL_DTYPE_COUNT, "unknown");
  return dtypes[dtype].name;
}

gboolean
sl_dtype_is_float (SlDType dtype)
{
  g_return_val_if_fail (dtype < SL_DTYPE_COUNT, FALSE);
  return dtypes[dtype].is_float;
}

gboolean
sl_shape_equal (const SlShape *a, const SlShape *b)
{
  return a->rank == b->rank && memcmp (a->dim, b->dim, a->rank * sizeof a->dim[0]) == 0;
}

gboolean
sl_shape_is_known (const SlShape *shape)
{
  for (uint32_t i = 0; i < shape->rank; i++)
    if (shape->dim[i] < 0)
      return FALSE;
  return TRUE;
}

gboolean
sl_shape_get_elements (const SlShape *shape, size_t *ret_elements)
{
  size_t product = 1;
  bool is_empty = false;
  for (uint32_t i = 0; i < shape->rank; i++) {
    /* Strides are computed of an empty tensor, too. */
    is_empty = is_empty || shape->dim[i] == 0;
    if (shape->dim[i] < 0 || !sl_mul_size (product, (size_t)MAX (shape->dim[i], 1), &product))
      return FALSE;
  }
  /* Sums of offsets are done in signed arithmetic later on. */
  if (product > PTRDIFF_MAX / 16)
    return FALSE;
  *ret_elements = is_empty ? 0 : product;
  return TRUE;
}

char *
sl_shape_to_string (const SlShape *shape)
{
  if (shape->rank == 0)
    return g_strdup ("scalar");
  GString *text = g_string_new (NULL);
  for (uint32_t i = 0; i < shape->rank; i++) {
    if (i > 0)
      g_string_append_c (text, 'x');
    if (shape->dim[i] < 0)
      g_string_append_c (text, '?');
    else
      g_string_append_printf (text, "%" G_GINT64_FORMAT, shape->dim[i]);
  }
  return g_string_free (text, FALSE);
}

/* Checks type and shape and sets everything but the data. */
static SlTensor *
tensor_new_empty (SlDType dtype, const SlShape *shape, GError **error)
{
  size_t elements, size;
  if (dtype == SL_DTYPE_NONE || dtype >= SL_DTYPE_COUNT || shape->rank > SL_MAX_RANK ||
      !sl_shape_get_elements (shape, &elements) ||
      !sl_mul_size (elements, dtypes[dtype].size, &size)) {
    g_autofree char *text =
        shape->rank > SL_MAX_RANK ? g_strdup ("too many dimensions") : sl_shape_to_string (shape);
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "no tensor can have the shape %s", text);
    return NULL;
  }
  SlTensor *tensor = g_new0 (SlTensor, 1);
  g_atomic_ref_count_init (&tensor->refs);
  tensor->dtype = dtype;
  tensor->shape = *shape;
  tensor->elements = elements;
  tensor->size = size;
  return tensor;
}

/* Zeros. By calloc(), which does not touch large blocks: their pages come when they are written. */
static gboolean
tensor_allocate (SlTensor *tensor, GError **error)
{
  if (tensor->size <= SIZE_MAX - SL_ALIGNMENT)
    tensor->block = calloc (1, tensor->size + SL_ALIGNMENT);
  if (tensor->block != NULL) {
    tensor->owned = (void *)sl_align_up ((uintptr_t)tensor->block, SL_ALIGNMENT);
    tensor->data = tensor->owned;
    return TRUE;
  }
  g_set_error (error, SL_ERROR, SL_ERROR_MEMORY, "no memory for a tensor of %zu bytes",
               tensor->size);
  return FALSE;
}

SlTensor *
sl_tensor_new (SlDType dtype, const SlShape *shape, GError **error)
{
  g_autoptr (SlTensor) tensor = tensor_new_empty (dtype, shape, error);
  if (tensor == NULL || !tensor_allocate (tensor, error))
    return NULL;
  return g_steal_pointer (&tensor);
}

SlTensor *
sl_tensor_new_copy (SlDType dtype, const SlShape *shape, const void *data, GError **error)
{
  g_autoptr (SlTensor) tensor = tensor_new_empty (dtype, shape, error);
  if (tensor == NULL || !tensor_allocate (tensor, error))
    return NULL;
  if (tensor->size > 0)
    memcpy (tensor->owned, data, tensor->size);
  return g_steal_pointer (&tensor);
}

SlTensor *
sl_tensor_new_bytes (SlDType dtype, const SlShape *shape, GBytes *bytes, gsize offset,
                     GError **error)
{
  g_autoptr (SlTensor) tensor = tensor_new_empty (dtype, shape, error);
  if (tensor == NULL)
    return NULL;
  gsize length;
  const uint8_t *start = g_bytes_get_data (bytes, &length);
  if (offset > length || tensor->size > length - offset) {
    g_autofree char *text = sl_shape_to_string (shape);
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
                 "%s of %s needs %zu bytes, %" G_GSIZE_FORMAT " are there", text,
                 dtypes[dtype].name, tensor->size, offset > length ? 0 : length - offset);
    return NULL;
  }
  if (tensor->size > 0 && (uintptr_t)(start + offset) % dtypes[dtype].size == 0) {
    tensor->data = start + offset;
    tensor->bytes = g_bytes_ref (bytes);
    return g_steal_pointer (&tensor);
  }
  if (!tensor_allocate (tensor, error))
    return NULL;
  if (tensor->size > 0)
    memcpy (tensor->owned, start + offset, tensor->size);
  return g_steal_pointer (&tensor);
}

SlTensor *
sl_tensor_new_stub (SlDType dtype, const SlShape *shape, guint64 place, GError **error)
{
  SlTensor *tensor = tensor_new_empty (dtype, shape, error);
  if (tensor != NULL) {
    tensor->is_stub = true;
    tensor->place = place;
  }
  return tensor;
}

bool
sl_tensor_is_stub (const SlTensor *tensor)
{
  return tensor->is_stub;
}

guint64
sl_tensor_get_place (const SlTensor *tensor)
{
  return tensor->place;
}

bool
sl_tensor_is_unshared (const SlTensor *tensor)
{
  return g_atomic_ref_count_compare ((gatomicrefcount *)&tensor->refs, 1);
}

SlTensor *
sl_tensor_ref (SlTensor *tensor)
{
  g_atomic_ref_count_inc (&tensor->refs);
  return tensor;
}

void
sl_tensor_unref (SlTensor *tensor)
{
  if (tensor == NULL || !g_atomic_ref_count_dec (&tensor->refs))
    return;
  free (tensor->block);
  g_clear_pointer (&tensor->bytes, g_bytes_unref);
  g_free (tensor);
}

SlDType
sl_tensor_get_dtype (const SlTensor *tensor)
{
  return tensor->dtype;
}

const SlShape *
sl_tensor_get_shape (const SlTensor *tensor)
{
  return &tensor->shape;
}

size_t
sl_tensor_get_elements (const SlTensor *tensor)
{
  return tensor->elements;
}

size_t
sl_tensor_get_size (const SlTensor *tensor)
{
  return tensor->size;
}

const void *
sl_tensor_get_data (const SlTensor *tensor)
{
  return tensor->data;
}

void *
sl_tensor_get_data_writable (SlTensor *tensor)
{
  g_return_val_if_fail (tensor->owned != NULL, NULL);
  return tensor->owned;
}

SlLive *
sl_tensor_get_live (SlTensor *tensor)
{
  return &tensor->live;
}

double
sl_tensor_get_double (const SlTensor *tensor, size_t index)
{
  const void *data = tensor->data;
  g_return_val_if_fail (index < tensor->elements && data != NULL, 0);
  switch (tensor->dtype) {
  case SL_FLOAT16:
    return sl_half_to_float (((const uint16_t *)data)[index]);
  case SL_BFLOAT16:
    return sl_bfloat16_to_float (((const uint16_t *)data)[index]);
  case SL_FLOAT32:
    return ((const float *)data)[index];
  case SL_FLOAT64:
    return ((const double *)data)[index];
  case SL_UINT64:
    return (double)((const uint64_t *)data)[index];
  default:
    return (double)sl_tensor_get_int (tensor, index);
  }
}

int64_t
sl_tensor_get_int (const SlTensor *tensor, size_t index)
{
  const void *data = tensor->data;
  g_return_val_if_fail (index < tensor->elements && data != NULL, 0);
  switch (tensor->dtype) {
  case SL_INT8:
    return ((const int8_t *)data)[index];
  case SL_INT16:
    return ((const int16_t *)data)[index];
  case SL_INT32:
    return ((const int32_t *)data)[index];
  case SL_INT64:
  case SL_UINT64:
    return ((const int64_t *)data)[index];
  case SL_UINT8:
  case SL_BOOL:
    return ((const uint8_t *)data)[index];
  case SL_UINT16:
    return ((const uint16_t *)data)[index];
  case SL_UINT32:
    return ((const uint32_t *)data)[index];
  default: {
    double value = sl_tensor_get_double (tensor, index);
    return value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : 0;
  }
  }
}
