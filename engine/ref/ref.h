/* The reference backend: every node in double precision (integers as int64), one after the other,
 * in logical order. Oracle of all tests, evaluator of constants. */
#pragma once

#include "plan/backend.h"

extern const SlBackend sl_ref_backend;

/* Runs one node on dense row-major tensors; writes new tensors. */
gboolean sl_ref_evaluate (const SlNode *node, SlTensor *const *inputs, SlTensor **ret_outputs,
                          GError **error);
