/* Memory for frames that a GPU reads where the CPU has written them. */
#pragma once

#include <gst/gst.h>
#include <sightline/device.h>

G_BEGIN_DECLS

#define GST_TYPE_SL_ALLOCATOR (gst_sl_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstSlAllocator, gst_sl_allocator, GST, SL_ALLOCATOR, GstAllocator)

/* Of the device's sl_host_memory_new(); NULL if that gives none. Memory outlives allocator,
 * elements and the device's loss. Where the device has no more, it is plain memory. Any thread. */
GstAllocator *gst_sl_allocator_new (const SlDevice *device);

/* Answers an ALLOCATION query with a pool of frames of such memory. FALSE, the query being as it
 * was, if it asks for none or the device gives none. */
gboolean gst_sl_allocator_propose (const SlDevice *device, GstQuery *query);

G_END_DECLS
