/* A case in double precision, and what is compared with it. */
#pragma once

#include "op_case.h"

#include "passes/passes.h"

/* In turn: imports, infers and folds, FALSE with the error that refuses the case; rounds inputs and
 * weights to float16; computes every value, by id (g_ptr_array_unref()); one value, of `content` or
 * zeros; compares numbers within tolerance * max |wanted|; compares an output with the table's
 * numbers; its shape. */
gboolean op_reference_build (const OpCase *row, SlPasses *passes, GPtrArray **ret_contents,
                             GError **error);
void op_reference_round (SlGraph *graph, GPtrArray *contents);
GPtrArray *op_reference_run (const SlGraph *graph, GPtrArray *contents);
SlRefTensor *op_reference_new (const SlValue *value, const SlTensor *content);
void op_reference_free (void *data);
void op_reference_compare (const char *what, const SlRefTensor *got, const SlRefTensor *wanted,
                           double tolerance);
void op_reference_check_stated (const OpCase *row, const SlGraph *graph, GPtrArray *results,
                                uint32_t index, const char *expected);
void op_reference_check_shape (const OpCase *row, const SlGraph *graph);
