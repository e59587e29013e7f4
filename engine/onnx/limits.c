/* What holds where nobody says. */
#include "onnx/onnx.h"

#include "core/limit.h"

#define DEFAULT_FILE_BYTES (G_GUINT64_CONSTANT (4) << 30)
#define DEFAULT_TENSOR_BYTES (G_GUINT64_CONSTANT (2) << 30)
#define DEFAULT_TEXT_BYTES (G_GUINT64_CONSTANT (64) << 20)
#define DEFAULT_NODES 100000
#define DEFAULT_NODE_ENDS 16384
#define DEFAULT_VALUES_PER_NODE 16

static gboolean
complete (const char *name, guint64 stated, guint64 preset, guint64 max, guint64 *ret,
          GError **error)
{
  *ret = stated > 0 ? stated : preset;
  if (stated == 0 && !sl_limit_read (name, ret, error))
    return FALSE;
  *ret = MIN (*ret, max);
  return TRUE;
}

gboolean
sl_onnx_complete_limits (const SlModelLimits *limits, SlModelLimits *ret, GError **error)
{
  const SlModelLimits given = limits != NULL ? *limits : (SlModelLimits){0};
  guint64 nodes, ends, values;
  if (!complete ("file", given.file_bytes, DEFAULT_FILE_BYTES, G_MAXINT64, &ret->file_bytes,
                 error) ||
      !complete ("tensor", given.tensor_bytes, DEFAULT_TENSOR_BYTES, G_MAXINT64, &ret->tensor_bytes,
                 error) ||
      !complete ("text", given.text_bytes, DEFAULT_TEXT_BYTES, G_MAXINT32, &ret->text_bytes,
                 error) ||
      !complete ("nodes", given.nodes, DEFAULT_NODES, G_MAXINT32, &nodes, error) ||
      !complete ("ends", given.node_ends, DEFAULT_NODE_ENDS, G_MAXINT32, &ends, error) ||
      !complete ("values", given.values, nodes * DEFAULT_VALUES_PER_NODE, G_MAXINT32, &values,
                 error))
    return FALSE;
  ret->nodes = (guint32)nodes;
  ret->node_ends = (guint32)ends;
  ret->values = (guint32)values;
  return TRUE;
}
