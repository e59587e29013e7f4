/* A plugin with cameras that are none: what tests/tools/live.c puts on GST_PLUGIN_PATH. */
#include <gst/gst.h>

typedef struct Model {
  const char *name, *line;
} Model;

static const Model models[] = {
    {"Fake Red", "videotestsrc is-live=true pattern=red"},
    /* Ends again and again. */
    {"Fake Flaky", "videotestsrc is-live=true pattern=green num-buffers=8"},
    {"Fake Flood", "videotestsrc is-live=true pattern=blue"},
};
#define CAPS "video/x-raw,format=I420,width=64,height=48,framerate=%d/1"

typedef struct FakeCamera {
  GstDevice parent;
  guint model;
} FakeCamera;
typedef GstDeviceClass FakeCameraClass;

static GType fake_camera_get_type (void);
G_DEFINE_TYPE (FakeCamera, fake_camera, GST_TYPE_DEVICE)

static GstElement *
fake_camera_create_element (GstDevice *device, const char *name)
{
  GstElement *element =
      gst_parse_bin_from_description (models[((FakeCamera *)device)->model].line, TRUE, NULL);
  g_object_force_floating (G_OBJECT (element));
  return element;
}

static void
fake_camera_class_init (FakeCameraClass *klass)
{
  klass->create_element = fake_camera_create_element;
}

static void
fake_camera_init (FakeCamera *self)
{
}

typedef GstDeviceProvider FakeProvider;
typedef GstDeviceProviderClass FakeProviderClass;

static GType fake_provider_get_type (void);
G_DEFINE_TYPE (FakeProvider, fake_provider, GST_TYPE_DEVICE_PROVIDER)

static GList *
fake_provider_probe (GstDeviceProvider *provider)
{
  GList *devices = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autofree char *text = g_strdup_printf (CAPS, i == 2 ? 500 : 30);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);
    FakeCamera *camera = g_object_new (fake_camera_get_type (), "display-name", models[i].name,
                                       "caps", caps, "device-class", "Video/Source", NULL);
    camera->model = i;
    devices = g_list_append (devices, gst_object_ref_sink (camera));
  }
  return devices;
}

static void
fake_provider_class_init (FakeProviderClass *klass)
{
  klass->probe = fake_provider_probe;
  gst_device_provider_class_set_static_metadata (klass, "Fake cameras", "Video/Source", "Tests",
                                                 "Sightline");
}

static void
fake_provider_init (FakeProvider *self)
{
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  return gst_device_provider_register (plugin, "fakecameras", GST_RANK_PRIMARY + 1,
                                       fake_provider_get_type ());
}

#define PACKAGE "sightline-tests"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, fakecamera, "Cameras of tests",
                   plugin_init, "0", "LGPL", "sightline", "https://gstreamer.freedesktop.org")
