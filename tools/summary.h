/* What a network is made of, a row for each layer. */
#pragma once

#include <sightline/sightline.h>

/* An operator of an ONNX file, or a layer of a network text with all the operators that it takes.
 */
typedef struct ToolSummaryRow {
  SlLayer layer;    /* parameters, states and flops of all of them, the rest of the last */
  const char *name; /* for people: never empty */
  const char *type; /* what a network text calls it; NULL: it is an operator */
} ToolSummaryRow;

/* Rows in the order of computation; `grouped`: the operators of one layer are one row. Free with
 * g_array_unref(). The strings are the program's. */
GArray *tool_summary_new (SlProgram *program, gboolean grouped);

/* "1x64x56x56"; of a layer of a network text as Keras writes it: "(None, 56, 56, 64)". Free with
 * g_free(). */
char *tool_summary_shape (const ToolSummaryRow *row);

/* The table, and Keras's three totals. */
void tool_summary_print (SlProgram *program);
