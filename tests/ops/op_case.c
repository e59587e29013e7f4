#include "op_case.h"

#include "onnx/emit.h"
#include "onnx/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  SlDType dtype;
} types[] = {
    {"f16", SL_FLOAT16}, {"f32", SL_FLOAT32}, {"f64", SL_FLOAT64}, {"i8", SL_INT8},
    {"i16", SL_INT16},   {"i32", SL_INT32},   {"i64", SL_INT64},   {"u8", SL_UINT8},
    {"u16", SL_UINT16},  {"u32", SL_UINT32},  {"u64", SL_UINT64},  {"bool", SL_BOOL},
};

void
op_case_parse_shape (const char *text, SlDType *ret_dtype, SlShape *ret_shape)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  *ret_dtype = SL_FLOAT32;
  *ret_shape = (SlShape){0};
  for (char **word = words; *word != NULL; word++) {
    bool is_type = false;
    for (size_t i = 0; i < G_N_ELEMENTS (types); i++)
      if (strcmp (*word, types[i].name) == 0) {
        *ret_dtype = types[i].dtype;
        is_type = true;
      }
    if (is_type || **word == '\0' || strcmp (*word, "s") == 0)
      continue;
    for (char *at = *word;; at++) {
      char *start = at;
      g_assert_cmpuint (ret_shape->rank, <, SL_MAX_RANK);
      ret_shape->dim[ret_shape->rank++] = strtoll (start, &at, 10);
      g_assert_true (at > start && (*at == 'x' || *at == '\0'));
      if (*at == '\0')
        break;
    }
  }
}

GArray *
op_case_parse_values (const char *text)
{
  GArray *values = g_array_new (FALSE, FALSE, sizeof (double));
  while (*text != '\0') {
    char *end;
    double value = strtod (text, &end);
    g_assert_true (end > text);
    g_array_append_val (values, value);
    text = end + strspn (end, ", ");
  }
  return values;
}

/* Numbers of the kind that the case asks for. */
static double
random_number (GRand *rand, SlDType dtype, unsigned flags)
{
  if (dtype == SL_BOOL)
    return g_rand_int_range (rand, 0, 2);
  if (!sl_dtype_is_float (dtype)) {
    bool is_signed = dtype >= SL_INT8 && dtype <= SL_INT64;
    if ((flags & OP_BYTES) && sl_dtype_get_size (dtype) == 1)
      return g_rand_int_range (rand, is_signed ? INT8_MIN : 0,
                               is_signed ? INT8_MAX + 1 : UINT8_MAX + 1);
    return g_rand_int_range (rand, is_signed ? -9 : 0, 10);
  }
  if (flags & OP_INTEGERS)
    return g_rand_int_range (rand, -4, 5);
  if (flags & OP_POSITIVE)
    return g_rand_double_range (rand, 0.1, 4);
  if (flags & OP_WIDE)
    return g_rand_double_range (rand, -20, 20);
  return g_rand_double_range (rand, -2, 2);
}

/* A tensor of given or random numbers, in the type's own storage. */
static SlTensor *
make_tensor (SlDType dtype, const SlShape *shape, const char *values, GRand *rand, unsigned flags)
{
  g_autoptr (GError) error = NULL;
  SlTensor *tensor = sl_tensor_new (dtype, shape, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) given = values != NULL ? op_case_parse_values (values) : NULL;
  size_t n = sl_tensor_get_elements (tensor);
  g_autofree double *numbers = g_new0 (double, n);
  SlRefTensor view = {.dtype = dtype, .shape = *shape, .n = n, .data = numbers};
  g_assert_true (given == NULL || given->len == n);
  for (size_t i = 0; i < n; i++) {
    double value =
        given != NULL ? g_array_index (given, double, i) : random_number (rand, dtype, flags);
    if (sl_dtype_is_float (dtype))
      view.f[i] = value;
    else if (value < 0x1p63)
      view.i[i] = (int64_t)value;
    else /* what an int64 rounds to, or a uint64 */
      view.i[i] = dtype == SL_UINT64 ? (int64_t)(uint64_t)value : INT64_MAX;
  }
  sl_ref_store (&view, sl_tensor_get_data_writable (tensor));
  return tensor;
}

/* "[!] [type] DIMENSIONS [= VALUES]" */
static SlTensor *
parse_tensor (const char *text, GRand *rand, unsigned flags)
{
  g_auto (GStrv) parts = g_strsplit (text, "=", 2);
  SlDType dtype;
  SlShape shape;
  op_case_parse_shape (g_strstrip (parts[0]), &dtype, &shape);
  return make_tensor (dtype, &shape, parts[1] != NULL ? g_strstrip (parts[1]) : NULL, rand, flags);
}

static void
raw_clear (void *data)
{
  SlRawAttr *raw = data;
  g_free (raw->name);
  g_free (raw->s);
  g_free (raw->ints);
  g_free (raw->floats);
  g_clear_pointer (&raw->tensor, sl_tensor_unref);
}

static void
parse_value (const char *text, SlRawAttr *raw)
{
  char *end;
  if (text[0] == '[') {
    g_autofree char *inner = g_strndup (text + 1, strlen (text) - 2);
    g_autoptr (GArray) values = op_case_parse_values (inner);
    raw->type = strchr (inner, '.') != NULL ? SL_RAW_FLOATS : SL_RAW_INTS;
    raw->n = values->len;
    raw->ints = g_new0 (int64_t, values->len);
    raw->floats = g_new0 (float, values->len);
    for (guint i = 0; i < values->len; i++) {
      raw->ints[i] = (int64_t)g_array_index (values, double, i);
      raw->floats[i] = (float)g_array_index (values, double, i);
    }
    return;
  }
  if (text[0] == '{') {
    g_autofree char *inner = g_strndup (text + 1, strlen (text) - 2);
    raw->type = SL_RAW_TENSOR;
    raw->tensor = parse_tensor (inner, NULL, 0);
    return;
  }
  raw->i = strtoll (text, &end, 10);
  if (*end == '\0') {
    raw->type = SL_RAW_INT;
    return;
  }
  raw->f = (float)strtod (text, &end);
  raw->type = *end == '\0' ? SL_RAW_FLOAT : SL_RAW_STRING;
  raw->s = raw->type == SL_RAW_STRING ? g_strdup (text) : NULL;
}

static GArray *
parse_attrs (const char *text)
{
  GArray *attrs = g_array_new (FALSE, TRUE, sizeof (SlRawAttr));
  g_array_set_clear_func (attrs, raw_clear);
  while (text != NULL && *text != '\0') {
    const char *equals = strchr (text, '=');
    g_assert_nonnull (equals);
    const char *start = equals + 1;
    const char *end = *start == '['   ? strchr (start, ']') + 1
                      : *start == '{' ? strchr (start, '}') + 1
                                      : start + strcspn (start, " ");
    g_autofree char *value = g_strndup (start, (size_t)(end - start));
    SlRawAttr raw = {.name = g_strndup (text, (size_t)(equals - text))};
    parse_value (value, &raw);
    g_array_append_val (attrs, raw);
    text = end + strspn (end, " ");
  }
  return attrs;
}

/* Adds the values that the case's inputs describe; NULL for what is left out. */
static GPtrArray *
add_inputs (const OpCase *row, SlGraph *graph, GPtrArray *contents)
{
  GPtrArray *inputs = g_ptr_array_new ();
  g_auto (GStrv) texts = g_strsplit (row->inputs, ";", -1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_str_hash (row->name));
  for (uint32_t i = 0; texts[i] != NULL; i++) {
    char *text = g_strstrip (texts[i]);
    g_autofree char *name = g_strdup_printf ("x%u", i);
    if (strcmp (text, "-") == 0) {
      g_ptr_array_add (inputs, NULL);
      continue;
    }
    bool constant = text[0] == '!';
    SlTensor *tensor = parse_tensor (text + constant, rand, row->flags);
    SlValue *value;
    if (constant) {
      value = sl_graph_add_tensor (graph, name, SL_VALUE_CONSTANT, tensor);
      sl_tensor_unref (tensor);
    } else {
      value = sl_graph_add_value (graph, name, SL_VALUE_INPUT);
      value->dtype = sl_tensor_get_dtype (tensor);
      value->shape = *sl_tensor_get_shape (tensor);
      value->has_shape = true;
      sl_graph_mark_input (graph, value);
      g_ptr_array_add (contents, tensor);
    }
    g_ptr_array_add (inputs, value);
  }
  return inputs;
}

/* A node that no file has: any input may be left out. */
static gboolean
add_internal (const SlImport *im, const SlOpClass *op, GError **error)
{
  g_autofree void *attrs = op->attrs_size > 0 ? g_malloc0 (op->attrs_size) : NULL;
  if (attrs != NULL)
    sl_attrs_init (op->attrs, attrs);
  for (uint32_t i = 0; i < im->n_attrs; i++)
    if (!sl_attrs_set (op->attrs, attrs, &im->attrs[i], error))
      return FALSE;
  sl_graph_add_node (im->graph, op, im->name, attrs, im->n_inputs, im->inputs, im->n_outputs,
                     im->outputs);
  return TRUE;
}

gboolean
op_case_build (const OpCase *row, SlGraph **ret_graph, GPtrArray **ret_contents, GError **error)
{
  g_autoptr (SlGraph) graph = sl_graph_new ();
  g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  g_autoptr (GPtrArray) inputs = add_inputs (row, graph, contents);
  g_autoptr (GArray) attrs = parse_attrs (row->attrs);
  SlValue *outputs[8];
  uint32_t n_outputs = MAX (row->n_outputs, 1);
  g_assert_cmpuint (n_outputs, <=, G_N_ELEMENTS (outputs));
  for (uint32_t i = 0; i < n_outputs; i++) {
    g_autofree char *name = g_strdup_printf ("y%u", i);
    outputs[i] = sl_graph_add_value (graph, name, SL_VALUE_ACTIVATION);
    sl_graph_mark_output (graph, outputs[i]);
  }
  const SlImport im = {.graph = graph,
                       .name = "it",
                       .op_type = row->op,
                       .opset = row->opset > 0 ? row->opset : 17,
                       .n_inputs = inputs->len - (row->flags & OP_RESIDUAL ? 1 : 0),
                       .n_outputs = n_outputs,
                       .inputs = (SlValue **)inputs->pdata,
                       .outputs = outputs,
                       .n_attrs = attrs->len,
                       .attrs = (const SlRawAttr *)(void *)attrs->data};
  const SlOnnxForm *form = NULL;
  const SlOpClass *op = sl_op_find_onnx ("", row->op, im.opset, &form);
  if (op == NULL)
    op = sl_op_find_onnx ("com.microsoft", row->op, 1, &form);
  gboolean (*import) (const SlImport *, const SlOpClass *, GError **) = add_internal;
  if (op != NULL)
    import = form->import != NULL ? form->import : sl_import_default;
  else
    op = sl_op_find (row->op);
  if (op == NULL)
    g_error ("no class reads %s of opset %d", row->op, im.opset);
  if (!import (&im, op, error) || !sl_graph_sort (graph, error))
    return FALSE;
  SlNode *last = outputs[0]->producer;
  if (row->flags & OP_RESIDUAL) {
    g_assert_true (last->op->traits & SL_TRAIT_RESIDUAL);
    while (last->n_inputs < last->op->max_inputs)
      sl_node_add_input (last, NULL);
    sl_node_add_input (last, inputs->pdata[inputs->len - 1]);
  }
  if (row->act.kind != SL_ACT_NONE) {
    g_assert_true (last->op->traits & SL_TRAIT_EPILOGUE);
    last->act = row->act;
  }
  *ret_graph = g_steal_pointer (&graph);
  *ret_contents = g_steal_pointer (&contents);
  return TRUE;
}

/* --- As a file --- */

static Emit *
emit_content (const char *name, const SlTensor *tensor)
{
  const SlShape *shape = sl_tensor_get_shape (tensor);
  return emit_tensor (name, (int)sl_onnx_type_number (sl_tensor_get_dtype (tensor)), shape->rank,
                      shape->dim, sl_tensor_get_data (tensor), sl_tensor_get_size (tensor));
}

static void
emit_attr (Emit *node, const SlRawAttr *raw)
{
  Emit *attr = emit_new ();
  emit_text (attr, 1, raw->name);
  switch (raw->type) {
  case SL_RAW_INT:
    emit_int (attr, 3, raw->i);
    emit_int (attr, 20, 2);
    break;
  case SL_RAW_FLOAT:
    emit_float (attr, 2, raw->f);
    emit_int (attr, 20, 1);
    break;
  case SL_RAW_STRING:
    emit_text (attr, 4, raw->s);
    emit_int (attr, 20, 3);
    break;
  case SL_RAW_TENSOR:
    emit_message (attr, 5, emit_content (NULL, raw->tensor));
    emit_int (attr, 20, 4);
    break;
  default:
    for (size_t i = 0; i < raw->n; i++)
      emit_int (attr, 8, raw->ints[i]);
    emit_int (attr, 20, 7);
    break;
  }
  emit_message (node, 5, attr);
}

GByteArray *
op_case_emit (const OpCase *row)
{
  const SlOnnxForm *form;
  const int opset = row->opset > 0 ? row->opset : 17;
  if (row->act.kind != SL_ACT_NONE || (row->flags & OP_RESIDUAL) ||
      sl_op_find_onnx ("", row->op, opset, &form) == NULL)
    return NULL;
  g_autoptr (SlGraph) graph = sl_graph_new ();
  g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func ((GDestroyNotify)sl_tensor_unref);
  g_autoptr (GPtrArray) inputs = add_inputs (row, graph, contents);
  g_autoptr (GArray) attrs = parse_attrs (row->attrs);
  Emit *node = emit_new (), *to = emit_new ();
  for (uint32_t i = 0; i < inputs->len; i++) {
    const SlValue *input = inputs->pdata[i];
    emit_text (node, 1, input != NULL ? input->name : "");
    if (input == NULL)
      continue;
    if (input->data != NULL)
      emit_message (to, 5, emit_content (input->name, input->data));
    else
      emit_message (to, 11,
                    emit_value_of (input->name, (int)sl_onnx_type_number (input->dtype),
                                   input->shape.rank, input->shape.dim));
  }
  for (uint32_t i = 0; i < MAX (row->n_outputs, 1); i++) {
    g_autofree char *name = g_strdup_printf ("y%u", i);
    Emit *output = emit_new ();
    emit_text (node, 2, name);
    emit_text (output, 1, name);
    emit_message (to, 12, output);
  }
  emit_text (node, 4, row->op);
  for (guint i = 0; i < attrs->len; i++)
    emit_attr (node, &g_array_index (attrs, SlRawAttr, i));
  emit_message (to, 1, node);
  return emit_model (to, opset);
}

OpCase *
op_case_new_one_channel (const OpCase *row)
{
  g_autoptr (GMatchInfo) match = NULL;
  g_autoptr (GRegex) second = g_regex_new ("[0-9]+x([0-9]+)x", 0, 0, NULL);
  if (!g_str_has_suffix (row->name, "/large") || !g_regex_match (second, row->inputs, 0, &match))
    return NULL;
  g_autofree char *channels = g_match_info_fetch (match, 1);
  g_autofree char *number = g_strdup_printf ("(?<![0-9])%s(?![0-9])", channels);
  g_autoptr (GRegex) all = g_regex_new (number, 0, 0, NULL);
  OpCase *narrow = g_memdup2 (row, sizeof *row);
  narrow->inputs = g_regex_replace_literal (all, row->inputs, -1, 0, "1", 0, NULL);
  if (row->shape != NULL)
    narrow->shape = g_regex_replace_literal (all, row->shape, -1, 0, "1", 0, NULL);
  return narrow;
}

void
op_case_free (void *row)
{
  OpCase *narrow = row;
  g_free ((char *)narrow->inputs);
  g_free ((char *)narrow->shape);
  g_free (narrow);
}
