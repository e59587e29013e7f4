#include "gstslmemory.h"

/* Prefix of a caps feature, and the element that brings such frames into system memory. */
static const struct {
  const gchar *feature, *element;
} downloaders[] = {
    {"memory:GLMemory", "gldownload"},
    {"memory:CUDAMemory", "cudadownload"},
    {"memory:NVMM", "nvvideoconvert"},
    {"memory:VASurface", "vaapipostproc"},
    {"memory:VAMemory", "vapostproc"},
    {"memory:MSDKMemory", "msdkvpp"},
    {"memory:VulkanImage", "vulkandownload"},
    {"memory:VulkanBuffer", "vulkandownload"},
    {"memory:D3D11Memory", "d3d11download"},
    {"memory:D3D12Memory", "d3d12download"},
    {"memory:DMABuf", "vapostproc or glupload ! gldownload"},
    {"format:Interlaced", "deinterlace"},
};

static const gchar *
find_downloader (const gchar *feature)
{
  for (guint i = 0; i < G_N_ELEMENTS (downloaders); i++)
    if (g_str_has_prefix (feature, downloaders[i].feature))
      return downloaders[i].element;
  return "an element that downloads it";
}

static void
refuse (GstElement *element, const gchar *feature)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT (element));

  GST_ELEMENT_ERROR (element, STREAM, WRONG_TYPE,
                     ("Frames are %s, but %s reads system memory: put %s before it.", feature, name,
                      find_downloader (feature)),
                     (NULL));
}

/* Pads refuse caps outside their template before the element sees them, hence a probe. */
static GstPadProbeReturn
check_caps (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCapsFeatures *features;
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &caps);
  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    return GST_PAD_PROBE_OK;
  features = gst_caps_get_features (caps, 0);
  if (!features || gst_caps_features_is_any (features))
    return GST_PAD_PROBE_OK;
  for (guint i = 0; i < gst_caps_features_get_size (features); i++) {
    const gchar *feature = gst_caps_features_get_nth (features, i);

    if (!g_str_equal (feature, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY) &&
        !g_str_has_prefix (feature, "meta:")) {
      refuse (data, feature);
      break;
    }
  }
  return GST_PAD_PROBE_OK;
}

void
gst_sl_memory_watch (GstElement *element, GstPad *sinkpad)
{
  gst_pad_add_probe (sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, check_caps, element, NULL);
}
