/* What is known about a loaded model, for the property model-info. */
#pragma once

#include "gstslloader.h"

/* A new structure "model-info"; see plugins/README.md for its fields. */
GstStructure *gst_sl_model_info_new (const GstSlLoaded *loaded);
