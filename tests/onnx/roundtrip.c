/* Reads a network and writes it again: roundtrip IN.onnx OUT.onnx. For tools/dev/check_writer.py.
 */
#include <sightline/model.h>

#include <stdlib.h>

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc != 3) {
    g_printerr ("usage: roundtrip IN.onnx OUT.onnx\n");
    return 2;
  }
  g_autoptr (SlModel) model = sl_model_load (argv[1], NULL, &error);
  if (model != NULL && sl_model_save (model, argv[2], &error))
    return EXIT_SUCCESS;
  g_printerr ("roundtrip: %s\n", error->message);
  return EXIT_FAILURE;
}
