/* The presets that ship load, and set what they name. */
#include "fixture.h"

static const gchar *const factories[] = {"slclassify", "slheatmap"};

/* Every key of a preset is a property of the element, and its value can be read as one. */
static void
check_file (const gchar *factory, const gchar *folder)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (gst_element_factory_make (factory, NULL));
  g_autofree gchar *name = g_strconcat (G_OBJECT_TYPE_NAME (element), ".prs", NULL);
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;

  g_assert_true (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL));
  groups = g_key_file_get_groups (file, NULL);
  g_assert_cmpuint (g_strv_length (groups), >, 1);
  for (gchar **group = groups + 1; *group; group++) {
    g_auto (GStrv) keys = g_key_file_get_keys (file, *group, NULL, NULL);

    g_assert_true (gst_preset_load_preset (GST_PRESET (element), *group));
    for (gchar **key = keys; *key; key++) {
      g_autofree gchar *wanted = g_key_file_get_value (file, *group, *key, NULL);
      GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), *key);
      GValue value = G_VALUE_INIT, expected = G_VALUE_INIT;

      if (g_str_has_prefix (*key, "_meta/"))
        continue;
      g_assert_nonnull (spec);
      g_value_init (&value, spec->value_type);
      g_value_init (&expected, spec->value_type);
      g_assert_true (gst_value_deserialize (&expected, wanted));
      g_object_get_property (G_OBJECT (element), *key, &value);
      g_assert_cmpint (gst_value_compare (&value, &expected), ==, GST_VALUE_EQUAL);
      g_value_unset (&value);
      g_value_unset (&expected);
    }
  }
}

static void
test_shipped (gconstpointer folder)
{
  for (guint i = 0; i < G_N_ELEMENTS (factories); i++)
    check_file (factories[i], folder);
}

int
main (int argc, char **argv)
{
  g_setenv ("GST_PRESET_PATH", argv[argc - 1], TRUE);
  fixture_init (&argc, &argv);
  g_test_add_data_func ("/presets/shipped", argv[argc - 1], test_shipped);
  return fixture_run ();
}
