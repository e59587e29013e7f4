/* Sightline's own elements. */
#pragma once

/* Makes them known to GStreamer where it does not look by itself: in a build folder, and in a
 * prefix that is not its own. After gst_init(). */
void tool_load_plugin (void);
