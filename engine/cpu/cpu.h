/* The CPU backend: runs a plan's steps through the kernels of one instruction set on the thread
 * pool. */
#pragma once

#include "kernels/copy.h"
#include "plan/backend.h"

extern const SlBackend sl_cpu_backend;

/* For other backends' programs. */
extern const SlHostSteps sl_cpu_host_steps;

/* What packing and lowering need to know about the kernels that will run. */
SlTarget sl_cpu_get_target (void);

/* Runs the steps of one node outside any plan: `inputs` (in the node's order, NULL where left out)
 * and new `ret_outputs` hold elements in the values' physical order. For packing and relayout of
 * constants. */
gboolean sl_cpu_evaluate (const SlNode *node, SlTensor *const *inputs, SlTensor **ret_outputs,
                          GError **error);

/* sl_cpu_evaluate() of a node with one input, whose content `read` fetches piece by piece, as the
 * kernel goes along: bytes [offset, offset + length) of it to `ret`. Where the kernel reads its
 * input in order, only some of it is in memory at a time. */
typedef gboolean (*SlReadFunc) (void *data, size_t offset, void *ret, size_t length,
                                GError **error);
gboolean sl_cpu_evaluate_stream (const SlNode *node, SlReadFunc read, void *data,
                                 SlTensor **ret_outputs, GError **error);

/* Moves elements on the calling thread, by the kernel "copy". */
void sl_cpu_copy (const SlCopyParams *params, const void *source, void *destination);
