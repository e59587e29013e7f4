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
  guint64 ends;             /* inputs and outputs of all nodes so far */
  guint64 text_left;        /* bytes that metadata may still take */
} SlOnnxReader;

/* Names become values, operators become nodes; then order and completeness are checked. */
gboolean sl_onnx_build (SlOnnxReader *reader, GError **error);

/* Weights that are multiplied (convolutions, matrices, normalisation) are finite: what an
 * activation makes of a NaN may look like a score. SL_ERROR_NUMERIC names node, tensor and element.
 * `file`: where the content of stubs stands. */
gboolean sl_onnx_check_weights (const SlGraph *graph, GBytes *file, GError **error);
