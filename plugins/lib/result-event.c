#include <sightline-gst/result-event.h>

#define EVENT_NAME "sightline-result"

GstEvent *
sl_result_event_new (GstBuffer *buffer)
{
  GstStructure *structure = gst_structure_new (EVENT_NAME, "buffer", GST_TYPE_BUFFER, buffer, NULL);

  gst_buffer_unref (buffer);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, structure);
}

GstBuffer *
sl_result_event_get_buffer (GstEvent *event)
{
  const GValue *value;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM ||
      !gst_event_has_name (event, EVENT_NAME))
    return NULL;
  value = gst_structure_get_value (gst_event_get_structure (event), "buffer");
  return value && G_VALUE_HOLDS (value, GST_TYPE_BUFFER) ? gst_value_get_buffer (value) : NULL;
}
