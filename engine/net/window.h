/* What convolution and pooling layers share. */
#pragma once

#include "net/layer.h"

/* `list` with one entry for each of the `n` spatial dimensions: one number stands for all. */
bool sl_net_spread (SlNetBuilder *builder, const char *name, SlInts *list, uint32_t n);

/* Completes the lists for an input of shape `x`, and refuses a window that its input does not hold,
 * naming both sizes. `strides` without entries: as `kernel`. */
bool sl_net_window (SlNetBuilder *builder, const SlShape *x, const SlNetPadding *padding,
                    SlInts *kernel, SlInts *strides, SlInts *dilations);

/* ONNX's pads of explicit padding: all beginnings, then all ends, of `n` dimensions; zeros where
 * nothing is said. */
bool sl_net_pads (SlNetBuilder *builder, const SlNetPadding *padding, uint32_t n, SlInts *ret);

/* How the node is told: auto_pad or `pads`, which outlives the result. */
SlNetAttr sl_net_pad_attr (const SlNetPadding *padding, const SlInts *pads);
