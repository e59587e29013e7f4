#include <sightline/metadata.h>

#include "core/file.h"
#include "onnx/tensor.h"

#define MAX_FILE_BYTES (G_GUINT64_CONSTANT (2) << 30)

SlTensor *
sl_tensor_load_pb (const char *path, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);

  g_autoptr (GBytes) bytes = sl_file_read (path, MAX_FILE_BYTES, error);
  if (bytes == NULL)
    return NULL;
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  SlTensorSource source = {.file = bytes, .largest = MAX_FILE_BYTES, .left = MAX_FILE_BYTES};
  SlWire wire;
  sl_wire_init (&wire, data, size, "TensorProto", error);
  SlTensor *tensor = sl_onnx_tensor_read (&source, &wire, NULL);
  if (tensor == NULL)
    g_prefix_error (error, "%s: ", path);
  return tensor;
}
