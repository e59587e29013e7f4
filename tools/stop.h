/* Ctrl-C and SIGTERM end the work in good order; a second one ends it at once. */
#pragma once

#include <glib.h>

void tool_stop_watch (void);
gboolean tool_stop_requested (void);
