#include "gstslallocator.h"

#include <gst/video/gstvideopool.h>
#include <gst/video/video.h>
#include <string.h>

struct _GstSlAllocator {
  GstAllocator parent;
  const SlDevice *device;
};

G_DEFINE_FINAL_TYPE (GstSlAllocator, gst_sl_allocator, GST_TYPE_ALLOCATOR)

/* What comes out is system memory as any other, which lies where the device reads it. */
static GstMemory *
gst_sl_allocator_alloc (GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
  const SlDevice *device = GST_SL_ALLOCATOR (allocator)->device;
  const gsize all = params->prefix + size + params->padding;
  g_autoptr (GError) error = NULL;
  SlHostMemory *memory = sl_host_memory_new (device, all + params->align, &error);
  guint8 *data;

  if (!memory) {
    GST_DEBUG_OBJECT (allocator, "%s", error->message);
    return gst_allocator_alloc (NULL, size, params);
  }
  data = sl_host_memory_get_data (memory);
  data += -(guintptr)data & params->align; /* one less than a power of two */
  if (params->flags & GST_MEMORY_FLAG_ZERO_PREFIXED)
    memset (data, 0, params->prefix);
  if (params->flags & GST_MEMORY_FLAG_ZERO_PADDED)
    memset (data + params->prefix + size, 0, params->padding);
  return gst_memory_new_wrapped (params->flags, data, all, params->prefix, size, memory,
                                 (GDestroyNotify)sl_host_memory_free);
}

static void
gst_sl_allocator_class_init (GstSlAllocatorClass *klass)
{
  GST_ALLOCATOR_CLASS (klass)->alloc = gst_sl_allocator_alloc;
}

static void
gst_sl_allocator_init (GstSlAllocator *self)
{
}

GstAllocator *
gst_sl_allocator_new (const SlDevice *device)
{
  g_autoptr (SlHostMemory) memory = sl_host_memory_new (device, 1, NULL);
  GstSlAllocator *self;

  if (!memory)
    return NULL;
  self = g_object_new (GST_TYPE_SL_ALLOCATOR, NULL);
  self->device = device;
  return GST_ALLOCATOR (gst_object_ref_sink (self));
}

gboolean
gst_sl_allocator_propose (const SlDevice *device, GstQuery *query)
{
  g_autoptr (GstAllocator) allocator = NULL;
  g_autoptr (GstBufferPool) pool = NULL;
  GstStructure *config;
  GstVideoInfo info;
  gboolean wanted;
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, &wanted);
  if (!wanted || !caps || !gst_video_info_from_caps (&info, caps) ||
      !(allocator = gst_sl_allocator_new (device)))
    return FALSE;
  pool = gst_video_buffer_pool_new ();
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, info.size, 0, 0);
  gst_buffer_pool_config_set_allocator (config, allocator, NULL);
  if (!gst_buffer_pool_set_config (pool, config))
    return FALSE;
  /* Upstream configures the pool anew, with the allocator that the query names. */
  gst_query_add_allocation_param (query, allocator, NULL);
  gst_query_add_allocation_pool (query, pool, info.size, 0, 0);
  return TRUE;
}
