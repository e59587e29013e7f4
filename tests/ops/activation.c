#include "op_runner.h"

#include <math.h>

/* Beyond a tile of the kernels (16384 elements), odd in every dimension. */
#define LARGE "3x37x13x17"

static const OpCase cases[] = {
    /* Definitions, at the points where they bend. */
    {"relu", "Relu", "6=-2,-0.5,-0,0,0.5,nan", .expected = "0,0,0,0,0.5,nan"},
    {"leaky-relu", "LeakyRelu", "4=-2,0,0.5,nan", "alpha=0.25", .expected = "-0.5,0,0.5,nan"},
    {"leaky-relu-default", "LeakyRelu", "2=-2,3", .expected = "-0.02,3"},
    {"elu", "Elu", "3=-1,0,2", "alpha=2.0", .expected = "-1.2642411,0,2", .tolerance = 1e-6},
    {"selu", "Selu", "3=-1,0,2", .expected = "-1.1113307,0,2.1014020", .tolerance = 1e-6},
    {"selu-attributes", "Selu", "2=-1,1", "alpha=2.0 gamma=3.0", .expected = "-3.7927234,3",
     .tolerance = 1e-6},
    {"celu", "Celu", "3=-2,0,2", "alpha=2.0", .expected = "-1.2642411,0,2", .tolerance = 1e-6},
    {"thresholded-relu", "ThresholdedRelu", "4=-2,1,1.5,2", "alpha=1.5", .expected = "0,0,0,2"},
    {"sigmoid", "Sigmoid", "5=-100,-1,0,1,100", .expected = "0,0.26894142,0.5,0.73105858,1",
     .tolerance = 1e-6},
    {"hard-sigmoid", "HardSigmoid", "4=-4,0,1,4", .expected = "0,0.5,0.7,1", .tolerance = 1e-6},
    {"hard-sigmoid-attributes", "HardSigmoid", "3=-1,0,1", "alpha=0.5 beta=0.6",
     .expected = "0.1,0.6,1", .tolerance = 1e-6},
    {"hard-swish", "HardSwish", "5=-4,-3,0,1,4", .expected = "0,0,0,0.66666667,4",
     .tolerance = 1e-6},
    {"tanh", "Tanh", "4=-100,-0.5,0.001,100", .expected = "-1,-0.46211716,0.000999999667,1",
     .tolerance = 1e-6},
    {"softplus", "Softplus", "3=-200,0,200", .expected = "0,0.69314718,200", .tolerance = 1e-6},
    {"softsign", "Softsign", "3=-1,0,3", .expected = "-0.5,0,0.75", .tolerance = 1e-6},
    {"erf", "Erf", "4=-5,-0.5,0,1", .expected = "-1,-0.52049988,0,0.84270079", .tolerance = 1e-6},
    {"gelu", "Gelu", "3=-1,0,1", .opset = 20, .expected = "-0.15865525,0,0.84134475",
     .tolerance = 1e-6, .steps = "gelu"},
    {"gelu-tanh", "Gelu", "3=-1,0,1", "approximate=tanh", .opset = 20,
     .expected = "-0.15880801,0,0.84119199", .tolerance = 1e-6, .steps = "reference"},
    {"mish", "Mish", "3=-1,0,1", .opset = 18, .expected = "-0.30340147,0,0.86509839",
     .tolerance = 1e-6},
    {"exp", "Exp", "4=-inf,0,1,inf", .expected = "0,1,2.7182818,inf", .tolerance = 1e-6},
    {"log", "Log", "4=0,1,2.7182818,-1", .expected = "-inf,0,1,nan", .tolerance = 1e-6},
    {"sqrt", "Sqrt", "4=0,2,4,-1", .expected = "0,1.41421356,2,nan", .tolerance = 1e-6},
    {"reciprocal", "Reciprocal", "3=-2,4,0", .expected = "-0.5,0.25,inf", .tolerance = 1e-6},
    {"neg", "Neg", "3=-2,0,4", .expected = "2,0,-4"},
    {"abs", "Abs", "3=-2,0,4", .expected = "2,0,4"},
    {"sign", "Sign", "4=-2,0,4,nan", .expected = "-1,0,1,nan"},
    {"floor", "Floor", "4=-1.5,-1,0.5,2.9", .expected = "-2,-1,0,2"},
    {"ceil", "Ceil", "4=-1.5,-1,0.5,2.9", .expected = "-1,-1,1,3"},
    {"round-half-to-even", "Round", "6=-2.5,-1.5,-0.5,0.5,1.5,2.6", .expected = "-2,-2,0,0,2,3"},

    /* Many elements, in all layouts. */
    {"relu/large", "Relu", LARGE, .steps = "relu", .flags = OP_FOLLOWS},
    {"leaky-relu/large", "LeakyRelu", LARGE, .tolerance = 1e-6, .steps = "leaky_relu",
     .flags = OP_FOLLOWS},
    {"elu/large", "Elu", LARGE, .tolerance = 1e-6, .steps = "elu", .flags = OP_FOLLOWS},
    {"selu/large", "Selu", LARGE, .tolerance = 1e-6, .steps = "selu", .flags = OP_FOLLOWS},
    {"celu/large", "Celu", LARGE, .tolerance = 1e-6, .steps = "celu", .flags = OP_FOLLOWS},
    {"thresholded-relu/large", "ThresholdedRelu", LARGE, .steps = "thresholded_relu",
     .flags = OP_FOLLOWS},
    {"sigmoid/large", "Sigmoid", LARGE, .tolerance = 1e-6, .steps = "sigmoid",
     .flags = OP_FOLLOWS | OP_WIDE},
    {"hard-sigmoid/large", "HardSigmoid", LARGE, .tolerance = 1e-6, .steps = "hard_sigmoid",
     .flags = OP_FOLLOWS | OP_WIDE},
    {"hard-swish/large", "HardSwish", LARGE, .tolerance = 1e-6, .steps = "hard_swish",
     .flags = OP_FOLLOWS | OP_WIDE},
    {"tanh/large", "Tanh", LARGE, .tolerance = 1e-6, .steps = "tanh", .flags = OP_FOLLOWS},
    {"softplus/large", "Softplus", LARGE, .tolerance = 1e-6, .steps = "softplus",
     .flags = OP_FOLLOWS | OP_WIDE},
    {"softsign/large", "Softsign", LARGE, .tolerance = 1e-6, .steps = "softsign",
     .flags = OP_FOLLOWS},
    {"erf/large", "Erf", LARGE, .tolerance = 1e-6, .steps = "erf", .flags = OP_FOLLOWS},
    {"gelu/large", "Gelu", LARGE, .opset = 20, .tolerance = 1e-6, .steps = "gelu",
     .flags = OP_FOLLOWS},
    {"gelu-tanh/large", "Gelu", LARGE, "approximate=tanh", .opset = 20, .tolerance = 1e-6,
     .steps = "reference"},
    {"mish/large", "Mish", LARGE, .opset = 18, .tolerance = 1e-6, .steps = "mish",
     .flags = OP_FOLLOWS | OP_WIDE},
    {"exp/large", "Exp", LARGE, .tolerance = 1e-6, .steps = "exp", .flags = OP_FOLLOWS},
    {"log/large", "Log", LARGE, .tolerance = 1e-6, .steps = "log",
     .flags = OP_FOLLOWS | OP_POSITIVE},
    {"sqrt/large", "Sqrt", LARGE, .tolerance = 1e-6, .steps = "sqrt",
     .flags = OP_FOLLOWS | OP_POSITIVE},
    {"reciprocal/large", "Reciprocal", LARGE, .tolerance = 1e-6, .steps = "reciprocal",
     .flags = OP_FOLLOWS | OP_POSITIVE},
    {"neg/large", "Neg", LARGE, .steps = "neg", .flags = OP_FOLLOWS},
    {"abs/large", "Abs", LARGE, .steps = "abs", .flags = OP_FOLLOWS},
    {"sign/large", "Sign", LARGE, .steps = "sign", .flags = OP_FOLLOWS},
    {"floor/large", "Floor", LARGE, .steps = "floor", .flags = OP_FOLLOWS},
    {"ceil/large", "Ceil", LARGE, .steps = "ceil", .flags = OP_FOLLOWS},
    {"round/large", "Round", LARGE, .steps = "round", .flags = OP_FOLLOWS | OP_WIDE},

    /* Shapes and types. */
    {"relu/scalar", "Relu", "s", .shape = "s", .steps = "relu"},
    {"relu/rank-1", "Relu", "1", .shape = "1"},
    {"relu/rank-3", "Relu", "2x5x7", .shape = "2x5x7", .flags = OP_FOLLOWS},
    {"relu/rank-6", "Relu", "2x1x3x2x1x3", .shape = "2x1x3x2x1x3"},
    {"relu/empty", "Relu", "2x0x3x3", .shape = "2x0x3x3"},
    {"relu/int32", "Relu", "i32 4=-2147483648,-1,0,7", .shape = "i32 4", .expected = "0,0,0,7",
     .steps = "reference"},
    {"sigmoid/float16", "Sigmoid", "f16 2x3x4x5", .shape = "f16 2x3x4x5", .tolerance = 1e-3,
     .steps = "reference"},
    {"tanh/float64", "Tanh", "f64 7", .shape = "f64 7", .tolerance = 1e-15},
    {"neg/int8", "Neg", "i8 3=-127,0,5", .shape = "i8 3", .expected = "127,0,-5"},
    {"abs/uint64", "Abs", "u64 2=18446744073709549568,3", .shape = "u64 2",
     .expected = "-2048,3"}, /* a bit pattern in the reference */
    {"sign/int64", "Sign", "i64 3=-9,0,9", .shape = "i64 3", .expected = "-1,0,1"},
    {"sign/uint64", "Sign", "u64 2=18446744073709549568,0", .expected = "1,0"},
    {"relu/bool", "Relu", "bool 3", .error = "is bool"},
    {"tanh/int32", "Tanh", "i32 3", .error = "is int32"},
    {"elu/attribute", "Elu", "3", "alpha=[1]", .error = "attribute alpha is not a float"},
    {"relu/attribute", "Relu", "3", "alpha=1.0", .error = "attribute alpha is not known"},
    {"gelu/attribute", "Gelu", "3", "approximate=much", .opset = 20, .error = "known: none, tanh"},
    {"relu/inputs", "Relu", "3; 3", .error = "2 inputs, expected 1 at most"},

    /* Clip: bounds as constants, as inputs, as attributes, left out. */
    {"clip/constant", "Clip", "2x3x5x7; !s=-0.5; !s=0.5", .steps = "clip", .flags = OP_FOLLOWS},
    {"clip/values", "Clip", "5=-2,-1,0,1,nan; !s=-1; !s=0.5", .expected = "-1,-1,0,0.5,nan"},
    {"clip/inputs", "Clip", "2x3x5x7; s=-0.5; s=0.5", .steps = "max min", .flags = OP_FOLLOWS},
    {"clip/vector-bounds", "Clip", "7; 1=-0.5; 1=0.5", .steps = "max min"},
    {"clip/scalar-input", "Clip", "s=3; 1=-0.5; 1=0.5", .expected = "0.5", .steps = "reference"},
    {"clip/scalar-in-place", "Clip", "s=3; s=-0.5; s=0.5", .expected = "0.5", .steps = "max min"},
    {"clip/min", "Clip", "4=-2,0,2,nan; s=-1", .expected = "-1,0,2,nan", .steps = "max"},
    {"clip/max", "Clip", "4=-2,0,2,nan; -; s=1", .expected = "-2,0,1,nan", .steps = "min"},
    {"clip/none", "Clip", "4=-2,0,2,nan; -; -", .expected = "-2,0,2,nan", .steps = "clip"},
    {"clip/crossed", "Clip", "3=-2,0,2; !s=1; !s=-1", .expected = "-1,-1,-1"},
    {"clip/crossed-inputs", "Clip", "3=-2,0,2; s=1; s=-1", .expected = "-1,-1,-1"},
    {"clip/opset-6", "Clip", "2x3x4", "min=-0.5 max=0.5", .opset = 6, .steps = "clip"},
    {"clip/opset-6-half", "Clip", "f16 3=-3,0.25,3", "min=-0.5 max=0.5", .opset = 6,
     .expected = "-0.5,0.25,0.5"},
    {"clip/opset-6-one", "Clip", "3=-3,0,3", "max=0.5", .opset = 10, .expected = "-3,0,0.5"},
    {"clip/int8", "Clip", "i8 4=-128,-5,5,127; !i8 s=-3; !i8 s=4", .opset = 12,
     .expected = "-3,-3,4,4"},
    {"clip/uint64", "Clip", "u64 2=18446744073709549568,3; -; u64 s=7", .expected = "7,3"},
    {"clip/empty", "Clip", "0x3; !s=0", .shape = "0x3"},
    {"clip/bound-shape", "Clip", "3; 2", .error = "bound 'x1' is 2 of float32"},
    {"clip/bound-type", "Clip", "3; i32 s", .error = "expected a scalar of float32"},
    {"clip/bool", "Clip", "bool 3", .error = "is bool"},
    {"clip/opset-6-inputs", "Clip", "3; s", .opset = 6, .error = "2 inputs in opset 6"},
    {"clip/opset-6-attribute", "Clip", "3", "min=few", .opset = 6, .error = "attribute min"},
    {0},
};

/* What a producer's kernel does in the node's place. */
typedef struct Epilogue {
  const char *name, *op, *inputs, *attrs;
  gboolean applies;
  SlAct act;
} Epilogue;

static const Epilogue epilogues[] = {
    {"relu", "Relu", "9", NULL, TRUE, {SL_ACT_CLIP, 0, INFINITY}},
    {"leaky-relu", "LeakyRelu", "9", "alpha=0.25", TRUE, {SL_ACT_LEAKY, 0.25f, 0}},
    {"sigmoid", "Sigmoid", "9", NULL, TRUE, {SL_ACT_SIGMOID, 0, 0}},
    {"tanh", "Tanh", "9", NULL, TRUE, {SL_ACT_TANH, 0, 0}},
    {"hard-swish", "HardSwish", "9", NULL, TRUE, {SL_ACT_HARDSWISH, 0, 0}},
    {"clip", "Clip", "9; !s=-1; !s=0.5", NULL, TRUE, {SL_ACT_CLIP, -1, 0.5f}},
    {"clip-half-open", "Clip", "9; -; !s=0.5", NULL, TRUE, {SL_ACT_CLIP, -INFINITY, 0.5f}},
    {"clip-inputs", "Clip", "9; s; s", NULL, FALSE, {0}},
    {"clip-crossed", "Clip", "9; !s=1; !s=-1", NULL, FALSE, {0}},
    {"relu-int", "Relu", "i32 9", NULL, FALSE, {0}},
    {"relu-half", "Relu", "f16 9", NULL, FALSE, {0}},
};

/* The epilogue is what the node's own reference says. */
static void
test_epilogue (const void *data)
{
  const Epilogue *row = data;
  const OpCase one = {row->name, row->op, row->inputs, row->attrs};
  g_autoptr (SlGraph) graph = NULL;
  g_autoptr (GPtrArray) contents = NULL;
  g_autoptr (GError) error = NULL;
  op_case_build (&one, &graph, &contents, &error);
  g_assert_no_error (error);
  SlNode *node = ((SlValue *)graph->outputs->pdata[0])->producer;
  g_assert_true (sl_node_infer (node, &error));
  SlAct act;
  gboolean applies = node->op->epilogue (node, &act);
  g_assert_cmpint (applies, ==, row->applies);
  if (!applies)
    return;
  g_assert_cmpint (act.kind, ==, row->act.kind);
  g_assert_true (act.a == row->act.a && act.b == row->act.b);

  double x[9] = {-7, -1.5, -1, -0.25, 0, 0.25, 0.5, 2, 7}, y[9], lo = -1, hi = 0.5;
  SlRefTensor in = {.dtype = SL_FLOAT32, .n = 9, .f = x},
              out = {.dtype = SL_FLOAT32, .n = 9, .f = y};
  SlRefTensor min = {.dtype = SL_FLOAT32, .n = 1, .f = &lo},
              max = {.dtype = SL_FLOAT32, .n = 1, .f = &hi};
  const SlRefTensor *inputs[] = {&in, &min, &max};
  for (uint32_t i = 1; i < node->n_inputs; i++)
    if (node->inputs[i] == NULL)
      inputs[i] = NULL;
  SlRefTensor *output = &out;
  sl_ref_call (node, inputs, &output);
  for (int i = 0; i < 9; i++)
    g_assert_cmpfloat_with_epsilon (y[i], sl_act_apply (&act, x[i]), 1e-12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("activation", cases);
  for (size_t i = 0; i < G_N_ELEMENTS (epilogues); i++) {
    g_autofree char *path = g_strdup_printf ("/ops/activation/epilogue/%s", epilogues[i].name);
    g_test_add_data_func (path, &epilogues[i], test_epilogue);
  }
  return g_test_run ();
}
