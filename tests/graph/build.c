#include "graph/build.h"

#include <string.h>

SlValue *
test_input (SlGraph *graph, const char *name, SlShape shape)
{
  SlValue *value = sl_graph_add_value (graph, name, SL_VALUE_INPUT);
  value->dtype = SL_FLOAT32;
  value->shape = shape;
  value->has_shape = true;
  sl_graph_mark_input (graph, value);
  return value;
}

SlValue *
test_constant (SlGraph *graph, const char *name, SlShape shape, uint32_t seed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (SlTensor) tensor = sl_tensor_new (SL_FLOAT32, &shape, &error);
  g_assert_no_error (error);
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t i = 0; i < sl_tensor_get_elements (tensor); i++)
    data[i] = (float)g_rand_double_range (rand, -0.5, 0.5);
  return sl_graph_add_tensor (graph, name, SL_VALUE_CONSTANT, tensor);
}

SlValue *
test_node (SlGraph *graph, const char *op, const char *name, ...)
{
  SlValue *inputs[16];
  uint32_t n = 0;
  va_list args;
  va_start (args, name);
  for (SlValue *value = va_arg (args, SlValue *); value != NULL; value = va_arg (args, SlValue *))
    inputs[n++] = value;
  va_end (args);
  const SlOpClass *class = sl_op_find (op);
  g_assert_nonnull (class);
  SlValue *output = sl_graph_add_value (graph, name, SL_VALUE_ACTIVATION);
  sl_graph_add_node (graph, class, name, NULL, n, inputs, 1, &output);
  return output;
}

static void
set (SlValue *value, const SlRawAttr *raw)
{
  g_autoptr (GError) error = NULL;
  sl_attrs_set (value->producer->op->attrs, value->producer->attrs, raw, &error);
  g_assert_no_error (error);
}

void
test_set_ints (SlValue *value, const char *attribute, uint32_t n, const int64_t *ints)
{
  set (value, &(SlRawAttr){
                  .name = (char *)attribute, .type = SL_RAW_INTS, .n = n, .ints = (int64_t *)ints});
}

void
test_set_int (SlValue *value, const char *attribute, int64_t i)
{
  set (value, &(SlRawAttr){.name = (char *)attribute, .type = SL_RAW_INT, .i = i});
}

void
test_set_float (SlValue *value, const char *attribute, float f)
{
  set (value, &(SlRawAttr){.name = (char *)attribute, .type = SL_RAW_FLOAT, .f = f});
}

void
test_set_string (SlValue *value, const char *attribute, const char *string)
{
  set (value, &(SlRawAttr){.name = (char *)attribute, .type = SL_RAW_STRING, .s = (char *)string});
}

void
test_finish (SlGraph *graph)
{
  g_autoptr (GError) error = NULL;
  sl_graph_sort (graph, &error);
  g_assert_no_error (error);
  sl_graph_infer (graph, &error);
  g_assert_no_error (error);
}

uint32_t
test_count (const SlGraph *graph, const char *op)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    n += strcmp (((SlNode *)graph->nodes->pdata[i])->op->name, op) == 0;
  return n;
}

SlNode *
test_find (const SlGraph *graph, const char *name)
{
  const SlValue *value = sl_graph_find_value (graph, name);
  g_assert_nonnull (value);
  g_assert_nonnull (value->producer);
  return value->producer;
}
