/* The same for an application that reads labels from buffers. */
#include <gst/gst.h>
#include <sightline-gst/label-meta.h>

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  SlLabelMeta *meta = sl_buffer_add_label_meta (buffer, "me", "model");
  sl_label_meta_append (meta, 3, 0.5f, "cat");
  g_autoptr (GstElement) element = gst_element_factory_make ("slclassify", NULL);
  return element && sl_buffer_get_label_meta (buffer, "me")->n_labels == 1 ? 0 : 1;
}
