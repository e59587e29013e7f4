/* One operator of a file on its way to becoming nodes. Given to SlOnnxForm.import. */
#pragma once

#include "graph/attrs.h"
#include "graph/graph.h"

typedef struct SlOpClass SlOpClass;

typedef struct SlImport {
  SlGraph *graph;
  const char *name, *op_type; /* of the node in the file; the name may be empty */
  int opset;
  uint32_t n_inputs, n_outputs;
  SlValue *const *inputs;  /* NULL where left out ("" in the file) */
  SlValue *const *outputs; /* without a producer yet; NULL where left out */
  uint32_t n_attrs;
  const SlRawAttr *attrs;
} SlImport;

/* One node of class `op` with the same inputs, outputs and attributes. */
gboolean sl_import_default (const SlImport *im, const SlOpClass *op, GError **error);

/* Refuses counts of inputs (`n_inputs` of them in the canonical form) and outputs that the class
 * does not take, and required inputs that are left out: of a class that takes any number, each is.
 * sl_import_default() does it by itself. */
gboolean sl_import_check (const SlImport *im, const SlOpClass *op, uint32_t n_inputs,
                          GError **error);

/* The attribute of that name, or NULL. */
const SlRawAttr *sl_import_attr (const SlImport *im, const char *name);
int64_t sl_import_int (const SlImport *im, const char *name, int64_t preset);
float sl_import_float (const SlImport *im, const char *name, float preset);

/* "node NAME (OP): …" */
G_GNUC_PRINTF (4, 5)
gboolean sl_import_error (const SlImport *im, GError **error, SlErrorCode code, const char *format,
                          ...);
