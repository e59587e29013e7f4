#include "summary.h"

#include "text.h"

#include <stdio.h>

/* Widest columns of the table, in characters; longer names are cut in the middle. */
#define NAME_WIDTH 34
#define OP_WIDTH 26
#define SHAPE_WIDTH 22

GArray *
tool_summary_new (SlProgram *program, gboolean grouped)
{
  SlModel *model = sl_program_get_model (program);
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (ToolSummaryRow));
  ToolSummaryRow *last = NULL;
  for (uint32_t i = 0; i < sl_program_get_n_layers (program); i++) {
    ToolSummaryRow row = {0};
    sl_program_get_layer (program, i, &row.layer);
    const SlLayer *layer = &row.layer;
    row.name = layer->name && *layer->name ? layer->name : layer->output;
    row.type = sl_model_get_layer_type (model, row.name);
    if (grouped && row.type && last && last->type && g_str_equal (last->name, row.name)) {
      row.layer.parameters += last->layer.parameters;
      row.layer.states += last->layer.states;
      row.layer.flops += last->layer.flops;
      *last = row;
      continue;
    }
    g_array_append_val (rows, row);
    last = &g_array_index (rows, ToolSummaryRow, rows->len - 1);
  }
  return rows;
}

char *
tool_summary_shape (const ToolSummaryRow *row)
{
  const SlShape *shape = &row->layer.shape;
  if (!row->type || shape->rank == 0)
    return sl_shape_to_string (shape);
  GString *text = g_string_new ("(None");
  for (uint32_t i = 2; i < shape->rank; i++)
    g_string_append_printf (text, ", %" G_GINT64_FORMAT, shape->dim[i]);
  if (shape->rank > 1)
    g_string_append_printf (text, ", %" G_GINT64_FORMAT, shape->dim[1]);
  g_string_append_c (text, ')');
  return g_string_free (text, FALSE);
}

static void
print_total (const char *what, guint64 number)
{
  g_autofree char *digits = tool_group_digits (number);
  printf ("%s: %s\n", what, digits);
}

void
tool_summary_print (SlProgram *program)
{
  SlModel *model = sl_program_get_model (program);
  g_autoptr (GArray) rows = tool_summary_new (program, TRUE);
  const gboolean is_text = rows->len > 0 && g_array_index (rows, ToolSummaryRow, 0).type;
  tool_print_cell ("layer", NAME_WIDTH);
  tool_print_cell (is_text ? "type" : "op", OP_WIDTH);
  tool_print_cell ("output shape", SHAPE_WIDTH);
  printf ("%12s %16s\n", "parameters", "multiply-adds");
  for (guint i = 0; i < rows->len; i++) {
    const ToolSummaryRow *row = &g_array_index (rows, ToolSummaryRow, i);
    g_autofree char *shape = tool_summary_shape (row);
    g_autofree char *parameters = tool_group_digits (row->layer.parameters);
    g_autofree char *madds = tool_group_digits ((guint64)(row->layer.flops / 2));
    tool_print_cell (row->name, NAME_WIDTH);
    tool_print_cell (row->type ? row->type : row->layer.op, OP_WIDTH);
    tool_print_cell (shape, SHAPE_WIDTH);
    printf ("%12s %16s\n", parameters, madds);
  }
  const guint64 all = sl_model_get_n_parameters (model), states = sl_model_get_n_states (model);
  putchar ('\n');
  print_total ("Total params", all);
  print_total ("Trainable params", all - states);
  print_total ("Non-trainable params", states);
}
