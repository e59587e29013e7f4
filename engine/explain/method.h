/* The methods as a table. */
#pragma once

#include "explain/maps.h"

#include <sightline/explain.h>

/* What a method looks at. */
typedef enum { SL_EXPLAINS_HEAD, SL_EXPLAINS_FEATURES, SL_EXPLAINS_INPUT } SlExplains;

typedef struct SlMethod {
  const char *name, *help;
  SlExplains what;
  gboolean by_gradient;
  void (*map) (const SlMaps *maps, float *ret); /* NULL: it goes its own way */
} SlMethod;

extern const SlMethod sl_methods[SL_EXPLAIN_METHOD_COUNT];
