#include "gstslcomposition.h"

#define COMPOSITION GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION

static gboolean
is_system_memory (const GstCapsFeatures *features)
{
  return gst_caps_features_is_any (features) ||
         gst_caps_features_contains (features, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY);
}

gboolean
gst_sl_composition_is_system_memory (const GstCaps *caps)
{
  return is_system_memory (gst_caps_get_features (caps, 0));
}

gboolean
gst_sl_composition_in_caps (const GstCaps *caps)
{
  return caps && gst_caps_features_contains (gst_caps_get_features (caps, 0), COMPOSITION);
}

static void
add_variants (GstCaps *caps, GstPadDirection direction, gboolean offered,
              const GstStructure *structure, const GstCapsFeatures *features)
{
  gboolean has = gst_caps_features_contains (features, COMPOSITION);

  if (gst_caps_features_is_any (features) || has) {
    gst_caps_append_structure_full (caps, gst_structure_copy (structure),
                                    gst_caps_features_copy (features));
  }
  if (direction == GST_PAD_SINK && offered && !has && !gst_caps_features_is_any (features)) {
    GstCapsFeatures *with = gst_caps_features_copy (features);

    gst_caps_features_add (with, COMPOSITION);
    gst_caps_append_structure_full (caps, gst_structure_copy (structure), with);
  }
  if (direction == GST_PAD_SRC && has) {
    GstCapsFeatures *without = gst_caps_features_copy (features);

    gst_caps_features_remove (without, COMPOSITION);
    gst_caps_append_structure_full (caps, gst_structure_copy (structure), without);
  }
  if (!has && !gst_caps_features_is_any (features) && is_system_memory (features))
    gst_caps_append_structure_full (caps, gst_structure_copy (structure),
                                    gst_caps_features_copy (features));
}

GstCaps *
gst_sl_composition_transform_caps (GstCaps *caps, GstPadDirection direction, gboolean offered)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    add_variants (result, direction, offered, gst_caps_get_structure (caps, i),
                  gst_caps_get_features (caps, i));
  return result;
}

gboolean
gst_sl_composition_ask (GstPad *srcpad, GstCaps *caps)
{
  GstQuery *query = gst_query_new_allocation (caps, FALSE);
  gboolean takes =
      gst_pad_peer_query (srcpad, query) &&
      gst_query_find_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);

  gst_query_unref (query);
  return takes;
}
