/* A model file cut into its parts, on its way to being a graph. */
#pragma once

#include "onnx/node.h"
#include "onnx/onnx.h"
#include "onnx/value.h"

typedef struct SlOnnxReader {
  SlGraph *graph; /* has the initialisers, and from sl_onnx_build() on everything */
  SlModelLimits limits;
  SlTensorSource source;
  SlOnnxMeta *meta;
  int64_t ir_version;
  GHashTable *opsets;       /* domain → GINT_TO_POINTER (version); "" is ai.onnx */
  GPtrArray *nodes;         /* SlNodeProto * */
  GArray *inputs, *outputs; /* SlValueProto */
} SlOnnxReader;

/* Values (initialisers, inputs, outputs of nodes) for each node that the limits allow. */
#define SL_ONNX_VALUES_PER_NODE 16

/* Names become values, operators become nodes; then order and completeness are checked. */
gboolean sl_onnx_build (SlOnnxReader *reader, GError **error);
