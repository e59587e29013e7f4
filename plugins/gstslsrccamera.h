/* Cameras by number or name, and the mode that fits best. */
#pragma once

#include <gst/gst.h>

/* Finds a camera among the devices that GStreamer lists as Video/Source: `wanted` is a number (in
 * the order of the list) or a part of a display name, case ignored; a whole name beats a part.
 * `allowed` are the raw caps that downstream takes. Returns its source element, floating, and in
 * *ret_mode the caps to ask it for, or NULL with an error of the domain GST_RESOURCE_ERROR that
 * lists what cameras there are. Opens devices to probe them: not for streaming threads. */
GstElement *gst_sl_src_camera_open (const gchar *wanted, const GstCaps *allowed, GstCaps **ret_mode,
                                    GError **error);

/* The mode of `offered` whose size and rate come closest to 1280x720 at 30 frames a second, within
 * the size and rate that `allowed` states: raw if a raw mode is as close as any, else MJPG, else
 * whatever else can be decoded. Fixed in size, rate and format; NULL if none fits. */
GstCaps *gst_sl_src_camera_choose_mode (const GstCaps *offered, const GstCaps *allowed);
