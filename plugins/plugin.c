#include "gstslclassify.h"
#include "gstslheatmap.h"
#include "gstsloverlay.h"
#include "gstslresults.h"
#include "gstslsrc.h"
#include "gstslsteps.h"
#include "gstsltestsrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ok = TRUE;

  ok &= GST_ELEMENT_REGISTER (slclassify, plugin);
  ok &= GST_ELEMENT_REGISTER (slheatmap, plugin);
  ok &= GST_ELEMENT_REGISTER (sloverlay, plugin);
  ok &= GST_ELEMENT_REGISTER (slresults, plugin);
  ok &= GST_ELEMENT_REGISTER (slsrc, plugin);
  ok &= GST_ELEMENT_REGISTER (sltestsrc, plugin);
  ok &= gst_tracer_register (plugin, "slsteps", GST_TYPE_SL_STEPS);
  return ok;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, sightline,
                   "Convolutional networks on video frames", plugin_init, SL_VERSION, "LGPL",
                   "Sightline", "Unknown package origin")
