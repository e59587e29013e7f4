/* The ONNX reader on arbitrary bytes, and the writer on what it made of them.
 *
 * With clang, build/tests/onnx/fuzz-onnx-reader is a libFuzzer target (configure with
 * -Dc_args=-fsanitize=fuzzer-no-link -Db_sanitize=address,undefined -Db_lundef=false);
 * tests/onnx/malformed.c runs the same function on damaged networks, everywhere. */
#include "fuzz/onnx_reader.h"

#include "onnx/onnx.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* Small limits: what a fuzzer finds beyond them is only slow. */
  const SlModelLimits limits = {.file_bytes = 1 << 20, .nodes = 1000, .tensor_bytes = 1 << 20};
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  SlOnnxMeta meta;
  sl_onnx_meta_init (&meta);
  g_autoptr (SlGraph) graph = sl_onnx_read (bytes, "fuzz", NULL, &limits, &meta, &error);
  if ((graph == NULL) == (error == NULL))
    abort ();
  /* What was read can be written, unless an operator has no form in a file, and then be read again.
   */
  g_autoptr (GBytes) written = graph != NULL ? sl_onnx_write (graph, &meta, NULL) : NULL;
  sl_onnx_meta_clear (&meta);
  if (written == NULL)
    return 0;
  sl_onnx_meta_init (&meta);
  g_autoptr (SlGraph) again = sl_onnx_read (written, "again", NULL, NULL, &meta, &error);
  if (again == NULL)
    g_error ("%s", error->message);
  sl_onnx_meta_clear (&meta);
  return 0;
}
