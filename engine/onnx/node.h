/* NodeProto and AttributeProto: one operator as the file states it, names not yet resolved. */
#pragma once

#include "graph/attrs.h"
#include "onnx/tensor.h"

/* More than any operator has; keeps the search for duplicates short. */
#define SL_NODE_MAX_ATTRIBUTES 256

typedef struct SlNodeProto {
  size_t start;                  /* byte offset in the file */
  char *name, *op_type, *domain; /* never NULL; domain is "" for ai.onnx */
  GPtrArray *inputs, *outputs;   /* char *, "" where left out */
  GArray *attributes;            /* SlWire: where each AttributeProto lies */
} SlNodeProto;

void sl_node_proto_free (SlNodeProto *proto);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlNodeProto, sl_node_proto_free)

/* NULL with wire->failed. At most `max_ends` inputs, and as many outputs. Attributes are only
 * located, so that a node whose operator is unknown is named as that, whatever its attributes hold.
 */
SlNodeProto *sl_onnx_node_read (SlWire *wire, uint32_t max_ends);

/* What to call the node in a message: its name, or its first output's. */
const char *sl_node_proto_label (const SlNodeProto *proto);

/* The node's attributes, SlRawAttr that the array frees. NULL with the error set; it names the
 * node. */
GArray *sl_onnx_attrs_read (SlTensorSource *source, const SlNodeProto *proto, GError **error);
