/* ONNX files to graphs and back. */
#pragma once

#include "graph/graph.h"

#include <sightline/model.h>

/* The opset that files are written in, unless an operator has its canonical form only in a later
 * one. */
#define SL_ONNX_WRITE_OPSET 17
/* Opsets that are read. */
#define SL_ONNX_MIN_OPSET 6
#define SL_ONNX_MAX_OPSET 25
/* The newest format of files (IR version) that this reader knows: a newer one may mean other things
 * by the same fields. */
#define SL_ONNX_MAX_IR 13

/* Pairs of strings from metadata_props, in the file's order. */
typedef struct SlOnnxMeta {
  GPtrArray *keys, *values; /* char * */
  char *producer;           /* producer_name and version, may be empty */
  int64_t ir_version;
  int opset;     /* of ONNX's own operators */
  guint64 bytes; /* read altogether, external data included */
} SlOnnxMeta;

void sl_onnx_meta_init (SlOnnxMeta *meta);
void sl_onnx_meta_clear (SlOnnxMeta *meta);
void sl_onnx_meta_copy (const SlOnnxMeta *meta, SlOnnxMeta *ret_copy);
/* Replaces the text of a key, or adds the pair. */
void sl_onnx_meta_set (SlOnnxMeta *meta, const char *key, const char *value);

/* `limits` (or NULL) with what holds in the place of zeros. FALSE if the environment makes no
 * sense.
 */
gboolean sl_onnx_complete_limits (const SlModelLimits *limits, SlModelLimits *ret, GError **error);

/* Reads a ModelProto. `folder` is where external data may lie, NULL refuses them. The graph comes
 * back sorted and structurally checked; initialisers are constants, graph inputs (less
 * initialisers) are inputs with the stated shapes. Float initialisers are SL_VALUE_CONSTANT (a
 * trainer turns those it trains into parameters). */
SlGraph *sl_onnx_read (GBytes *bytes, const char *name, const char *folder,
                       const SlModelLimits *limits, SlOnnxMeta *ret_meta, GError **error);

/* The same of a file that can be read again: the graph holds no reference on `bytes`, and large
 * constants of floating point (raw data in the file itself) come back as stubs (graph/stub.h) with
 * their place in it. */
SlGraph *sl_onnx_read_stubs (GBytes *bytes, const char *name, const char *folder,
                             const SlModelLimits *limits, SlOnnxMeta *ret_meta, GError **error);

/* A ModelProto of `graph` (canonical opset, no internal ops: those are an error naming the node).
 */
GBytes *sl_onnx_write (const SlGraph *graph, const SlOnnxMeta *meta, GError **error);

/* ONNX's name of the operator that makes output `index`, looking through those that pass all
 * elements on (Identity, Reshape …): "Softmax" where the scores are probabilities. NULL if no
 * operator does. */
const char *sl_onnx_output_op (const SlGraph *graph, uint32_t index);
