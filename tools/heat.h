/* Frames to heat maps: the network that `sightline heatmap` runs. */
#pragma once

#include "network.h"
#include "picture.h"

#include <sightline/explain.h>
#include <sightline/heat.h>

typedef struct ToolHeat ToolHeat;

/* What one frame shows. */
typedef struct ToolHeatMap {
  uint32_t index; /* the class that the map is of */
  const char *label;
  float score;
  uint32_t width, height;
  const float *values; /* raw: width * height, until the next frame */
  double matrix[6];    /* where the map lies on the frame, as SlHeatGrid.matrix */
} ToolHeatMap;

/* What maps are wanted. */
typedef struct ToolHeatOptions {
  SlExplainMethod method;
  char *layer;   /* NULL: the method's own */
  char *target;  /* a class by number or label; "top" or NULL: the best one of each frame */
  char *against; /* a class that the target is compared with, or NULL */
  int threads;
} ToolHeatOptions;

/* NULL after a report; *ret_status is then the exit status. */
ToolHeat *tool_heat_new (const ToolNetwork *network, const ToolHeatOptions *options,
                         int *ret_status);
void tool_heat_free (ToolHeat *heat);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolHeat, tool_heat_free)

SlModel *tool_heat_get_model (ToolHeat *heat);

gboolean tool_heat_run (ToolHeat *heat, const SlDecodedFrame *frame, ToolHeatMap *ret_map,
                        GError **error);

/* Paints the map on the picture that was made of its frame and not turned yet. */
gboolean tool_heat_paint (ToolHeat *heat, const ToolHeatMap *map, ToolPicture *picture,
                          const SlHeatLook *look, GError **error);
