/* Frames to heat maps: the network that `sightline heatmap` runs. */
#pragma once

#include "network.h"
#include "picture.h"

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

/* Class activation maps of the options' network. `target`: a class by number or label; "top" or
 * NULL: the best one of each frame. NULL after a report; *ret_status is then the exit status. */
ToolHeat *tool_heat_new (const ToolNetwork *network, const char *target, int threads,
                         int *ret_status);
void tool_heat_free (ToolHeat *heat);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolHeat, tool_heat_free)

SlModel *tool_heat_get_model (ToolHeat *heat);

gboolean tool_heat_run (ToolHeat *heat, const SlDecodedFrame *frame, ToolHeatMap *ret_map,
                        GError **error);

/* Paints the map on the picture that was made of its frame and not turned yet. */
gboolean tool_heat_paint (const ToolHeatMap *map, ToolPicture *picture, const SlHeatLook *look,
                          GError **error);
