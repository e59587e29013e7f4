/* What the session sees of a model. */
#pragma once

#include "constants.h"

#include <sightline/model.h>

/* The graph as read, large constants as stubs. Nobody changes it: programs work on clones. */
const SlGraph *sl_model_get_graph (SlModel *model);

/* Name, type and shape of each of the values (SlValue *): SlPort, whose names stay the values'. */
GArray *sl_list_ports (const GPtrArray *values);

/* The weight store: programs for other shapes, and other elements, share folded and packed weights.
 */
SlConstants *sl_model_get_constants (SlModel *model);
