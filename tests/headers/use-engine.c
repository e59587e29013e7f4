/* What a stranger's first program looks like, built against an installed Sightline. */
#include <sightline/sightline.h>
#include <stdio.h>

int
main (void)
{
  g_autoptr (GError) error = NULL;
  const SlDevice *device = sl_device_find ("cpu", &error);
  if (!device || sl_model_load ("there-is-no-such.onnx", NULL, &error))
    return 1;
  printf ("%s: %s\n", device->id, error->message);
  return g_error_matches (error, SL_ERROR, SL_ERROR_IO) ? 0 : 1;
}
