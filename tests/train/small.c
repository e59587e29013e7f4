#include "train/small.h"

SlValue *
small_batch_norm (SlGraph *graph, SlValue *x)
{
  static const char *const names[] = {"gamma", "beta", "mean", "variance"};
  SlValue *vectors[4];
  for (uint32_t i = 0; i < 4; i++) {
    g_autoptr (SlTensor) content = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (8), NULL);
    for (int c = 0; c < 8; c++)
      ((float *)sl_tensor_get_data_writable (content))[c] = i % 3 == 0;
    vectors[i] = sl_graph_add_tensor (graph, names[i], SL_VALUE_CONSTANT, content);
  }
  SlValue *norm = test_node (graph, "BatchNormalization", "norm", x, vectors[0], vectors[1],
                             vectors[2], vectors[3], NULL);
  test_set_float (norm, "momentum", 0.75f);
  return norm;
}

SlModel *
small_convolutional (bool has_norm)
{
  SlGraph *graph = sl_graph_new ();
  SlValue *x = test_input (graph, "x", SL_SHAPE (-1, 2, 6, 6));
  SlValue *conv = test_node (graph, "Conv", "conv", x,
                             test_constant (graph, "w1", SL_SHAPE (8, 2, 3, 3), 1), NULL);
  SlValue *norm = has_norm ? small_batch_norm (graph, conv) : conv;
  SlValue *relu = test_node (graph, "Relu", "relu", norm, NULL);
  SlValue *drop = test_node (graph, "Dropout", "drop", relu, NULL);
  SlValue *wide = test_node (graph, "Conv", "classes", drop,
                             test_constant (graph, "w2", SL_SHAPE (SMALL_CLASSES, 8, 3, 3), 3),
                             test_constant (graph, "b2", SL_SHAPE (SMALL_CLASSES), 4), NULL);
  sl_graph_mark_output (graph, test_node (graph, "GlobalAveragePool", "y", wide, NULL));
  return sl_model_new_from_graph (graph, "convolutional", NULL);
}
