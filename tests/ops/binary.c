#include "op_runner.h"

#include <math.h>

#define LARGE "2x37x13x17"

static const OpCase cases[] = {
    /* Definitions. */
    {"add", "Add", "3=1,2,3; 3=10,20,30", .shape = "3", .expected = "11,22,33", .steps = "add"},
    {"sub", "Sub", "3=1,2,3; 3=10,20,30", .expected = "-9,-18,-27", .steps = "sub"},
    {"mul", "Mul", "3=1,2,3; 3=10,20,30", .expected = "10,40,90", .steps = "mul"},
    {"div", "Div", "4=1,2,-3,0; 4=4,0,0,0", .expected = "0.25,inf,-inf,nan", .steps = "div"},
    {"pow", "Pow", "4=2,3,-2,9; 4=3,2,2,0.5", .expected = "8,9,4,3", .tolerance = 1e-6,
     .steps = "pow"},
    {"min", "Min", "4=1,5,nan,1; 4=2,-5,1,nan", .expected = "1,-5,nan,nan", .steps = "min"},
    {"max", "Max", "4=1,5,nan,1; 4=2,-5,1,nan", .expected = "2,5,nan,nan", .steps = "max"},
    {"prelu", "PRelu", "4=-2,-1,0,3; 4=0.5,-2,9,9", .expected = "-1,2,0,3", .steps = "prelu"},
    {"mean", "Mean", "2=1,2; 2=3,5; 2=5,11", .expected = "3,6", .tolerance = 1e-6,
     .steps = "add add linear"},

    /* Broadcast in every position. */
    {"add/same", "Add", LARGE "; " LARGE, .steps = "add", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/channel", "Add", LARGE "; 37x1x1", .steps = "add", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/channel-first", "Add", "37x1x1; " LARGE, .steps = "add", .flags = OP_INTEGERS},
    {"add/column", "Add", LARGE "; 17", .shape = LARGE, .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/row", "Add", LARGE "; 13x1", .shape = LARGE, .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/scalar", "Add", LARGE "; s", .shape = LARGE, .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/scalar-first", "Add", "s; " LARGE, .shape = LARGE, .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/one", "Add", LARGE "; 1x1x1x1", .shape = LARGE, .flags = OP_INTEGERS},
    {"add/image", "Add", LARGE "; 2x1x1x1", .shape = LARGE, .flags = OP_INTEGERS},
    {"mul/gate", "Mul", LARGE "; 2x37x1x1", .shape = LARGE, .flags = OP_FOLLOWS | OP_INTEGERS},
    {"mul/mask", "Mul", LARGE "; 2x1x13x17", .shape = LARGE, .flags = OP_INTEGERS},
    {"mul/crossed", "Mul", "2x1x5x1; 1x3x1x7", .shape = "2x3x5x7", .flags = OP_INTEGERS},
    {"mul/crossed-rank", "Mul", "3x1x5x1; 2x1x7", .shape = "3x2x5x7", .flags = OP_INTEGERS},
    {"sub/outer", "Sub", "300x1; 1x70", .shape = "300x70", .flags = OP_INTEGERS},
    {"sub/rank-3", "Sub", "2x5x9; 5x1", .shape = "2x5x9", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/rank-6", "Add", "2x1x3x1x2x4; 5x1x7x1x1", .shape = "2x5x3x7x2x4", .flags = OP_INTEGERS},
    {"add/one-channel", "Add", "2x1x5x7; 2x1x5x7", .steps = "add",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/scalars", "Add", "s=2; s=3", .shape = "s", .expected = "5"},
    {"add/empty", "Add", "2x0x3; 3", .shape = "2x0x3"},
    {"add/empty-broadcast", "Add", "2x1x3; 2x0x3", .shape = "2x0x3"},
    {"add/twice-the-same", "Add", LARGE "; !1x1x1x1=2", .flags = OP_INTEGERS},
    {"prelu/channel", "PRelu", LARGE "; 37x1x1", .shape = LARGE, .steps = "prelu",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"div/large", "Div", LARGE "; 37x1x1", .tolerance = 1e-6, .steps = "div",
     .flags = OP_FOLLOWS | OP_POSITIVE},
    {"pow/large", "Pow", LARGE "; s", .tolerance = 1e-6, .steps = "pow",
     .flags = OP_FOLLOWS | OP_POSITIVE},
    {"max/large", "Max", LARGE "; " LARGE, .steps = "max", .flags = OP_FOLLOWS},
    {"mean/broadcast", "Mean", LARGE "; 37x1x1; s; " LARGE, .shape = LARGE, .tolerance = 1e-6,
     .steps = "add add add linear", .flags = OP_FOLLOWS},

    /* With an activation at the end. */
    {"add/clip", "Add", LARGE "; " LARGE, .act = {SL_ACT_CLIP, 0, 6}, .steps = "add",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"add/leaky", "Add", "2x3x5x7; 3x1x1", .act = {SL_ACT_LEAKY, 0.25f, 0}, .flags = OP_INTEGERS},
    {"add/sigmoid", "Add", "2x3x5x7; 5x7", .act = {SL_ACT_SIGMOID, 0, 0}, .tolerance = 1e-6},
    {"mul/tanh", "Mul", "2x37x5x7; 37x1x1", .act = {SL_ACT_TANH, 0, 0}, .tolerance = 1e-6},
    {"sub/silu", "Sub", "2x37x5x7; s", .act = {SL_ACT_SILU, 0, 0}, .tolerance = 1e-6},
    {"div/hard-swish", "Div", "2x37x5x7; s=0.75", .act = {SL_ACT_HARDSWISH, 0, 0},
     .tolerance = 1e-6},

    /* Other types. */
    {"add/float16", "Add", "f16 2x3x4; f16 4", .shape = "f16 2x3x4", .tolerance = 2e-3,
     .steps = "reference"},
    {"mul/float64", "Mul", "f64 2x3; f64 3", .shape = "f64 2x3", .steps = "reference"},
    {"add/int32-wraps", "Add", "i32 2=2147483647,1; i32 2=1,1", .shape = "i32 2",
     .expected = "-2147483648,2"},
    {"sub/uint8", "Sub", "u8 3=5,200,7; u8 3=4,100,7", .shape = "u8 3", .expected = "1,100,0"},
    {"div/int32-truncates", "Div", "i32 4=7,-7,7,-7; i32 4=2,2,-2,-2", .expected = "3,-3,-3,3"},
    {"div/int64-edges", "Div", "i64 3=-9223372036854775808,5,-6; i64 3=-1,0,-1",
     .expected = "-9223372036854775808,0,6"},
    {"div/uint64", "Div", "u64 2=18446744073709549568,9; u64 2=2,4",
     .expected = "9223372036854774784,2"},
    {"pow/int32", "Pow", "i32 6=2,3,-2,1,-1,5; i32 6=10,0,3,-5,-3,-1",
     .expected = "1024,1,-8,1,-1,0"},
    {"pow/float-int", "Pow", "3=2,3,4; i32 3=3,2,-1", .opset = 12, .shape = "3",
     .expected = "8,9,0.25", .steps = "reference"},
    {"pow/int-float", "Pow", "i32 3=2,9,10; 3=3,0.5,-1", .opset = 12, .shape = "i32 3",
     .expected = "8,3,0"},
    {"min/int8", "Min", "i8 3=-5,3,0; i8 3=2,-9,0", .opset = 12, .expected = "-5,-9,0"},
    {"max/uint64", "Max", "u64 2=18446744073709549568,1; u64 2=7,3", .opset = 12,
     .expected = "-2048,3"}, /* a bit pattern in the reference */
    {"prelu/int32", "PRelu", "i32 3=-4,0,4; i32 1=3", .expected = "-12,0,4"},

    /* Chains: any number of inputs. */
    {"sum/one", "Sum", "3=1,2,3", .expected = "1,2,3", .steps = "copy"},
    {"sum/two", "Sum", "3; 3", .steps = "add", .flags = OP_INTEGERS},
    {"sum/four", "Sum", "3=1,2,3; s=10; 2x1=100,200; 3=0,1,2", .shape = "2x3",
     .expected = "111,113,115,211,213,215", .steps = "add add add"},
    {"min/three", "Min", "3=1,2,3; 3=3,2,1; 3=2,0,2", .expected = "1,0,1", .steps = "min min"},
    {"max/one", "Max", "3=1,2,3", .expected = "1,2,3"},
    {"mean/one", "Mean", "3=1,2,3", .expected = "1,2,3", .steps = "copy"},

    /* Broadcast by axis, before opset 7. */
    {"add/opset-6", "Add", "2x3; 2x3", .opset = 6, .shape = "2x3", .steps = "add",
     .flags = OP_INTEGERS},
    {"add/opset-6-suffix", "Add", "2x3x4; 3x4", "broadcast=1", .opset = 6, .shape = "2x3x4",
     .flags = OP_INTEGERS},
    {"add/opset-6-axis", "Add", "2x3=1,2,3,4,5,6; 2=10,20", "broadcast=1 axis=0", .opset = 6,
     .shape = "2x3", .expected = "11,12,13,24,25,26"},
    {"mul/opset-6-middle", "Mul", "2x3x4x5; 3x4", "broadcast=1 axis=1", .opset = 6,
     .shape = "2x3x4x5", .flags = OP_INTEGERS},
    {"sub/opset-6-negative", "Sub", "2x3x4x5; 3", "broadcast=1 axis=-3", .opset = 6,
     .shape = "2x3x4x5", .flags = OP_INTEGERS},
    {"div/opset-6-scalar", "Div", "2x3=2,4,6,8,10,12; s=2", "broadcast=1 axis=0", .opset = 6,
     .expected = "1,2,3,4,5,6"},
    {"prelu/opset-6-channel", "PRelu", "2x3x2=-1,-1,-1,-1,-1,-1,1,1,1,-2,-2,-2; 3=2,3,4",
     .opset = 6, .expected = "-2,-2,-3,-3,-4,-4,1,1,1,-6,-8,-8"},
    {"prelu/opset-6-shared", "PRelu", "2x3x4; 1", .opset = 6, .shape = "2x3x4",
     .flags = OP_INTEGERS},

    /* Refusals. */
    {"add/shapes", "Add", "2x3; 2x4", .error = "2x3 and 2x4 ('x1') do not broadcast"},
    {"add/types", "Add", "2; i32 2", .error = "input 'x1' is int32, expected float32"},
    {"add/bool", "Add", "bool 2; bool 2", .error = "input 'x0' is bool"},
    {"pow/bool", "Pow", "2; bool 2", .error = "input 'x1' is bool"},
    {"prelu/larger-slope", "PRelu", "3; 2x3", .error = "2x3 ('x1') does not broadcast to 3"},
    {"mean/int", "Mean", "i32 3; i32 3", .error = "input 'x0' is int32"},
    {"mean/types", "Mean", "3; f64 3", .error = "is float64, expected float32"},
    {"mean/shapes", "Mean", "3; 4", .error = "do not broadcast"},
    {"sum/left-out", "Sum", "3; -; 3", .error = "input 1 is left out"},
    {"add/one-input", "Add", "3", .error = "1 inputs, expected 2 or more"},
    {"add/axis-misfit", "Add", "2x3; 4", "broadcast=1 axis=0", .opset = 6,
     .error = "do not broadcast"},
    {"add/axis-beyond", "Add", "2x3; 2x3", "broadcast=1 axis=1", .opset = 6,
     .error = "2x3 does not fit 2x3 from axis 1 on"},
    {"add/axis-range", "Add", "2x3; 2", "broadcast=1 axis=5", .opset = 6, .error = "axis 5"},
    {0},
};

/* Which input is taken for a vector of channels, if one is. */
static const struct {
  const char *op, *inputs;
  gboolean applies;
  uint32_t input;
} affine[] = {
    {"Add", "2x3x5x7; 3x1x1", TRUE, 0},
    {"Add", "1x3x1x1; 2x3x5x7", TRUE, 1},
    {"Mul", "2x3x5x7; 1x3x1x1", TRUE, 0},
    {"Mul", "2x3; 3", TRUE, 0},
    {"Mul", "2x3; 1x3", TRUE, 0},
    {"Add", "2x3x5x7; 2x3x1x1", FALSE, 0},
    {"Add", "2x3x5x7; 7", FALSE, 0},
    {"Add", "2x3x5x7; s", FALSE, 0},
    {"Add", "3; 3", FALSE, 0},
    {"Add", "f64 2x3; f64 3", FALSE, 0},
    {"Add", "2x3x5x5; 5x1", FALSE, 0},
};

static void
test_affine (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (affine); i++) {
    const OpCase one = {"affine", affine[i].op, affine[i].inputs};
    g_autoptr (SlGraph) graph = NULL;
    g_autoptr (GPtrArray) contents = NULL;
    g_autoptr (GError) error = NULL;
    op_case_build (&one, &graph, &contents, &error);
    g_assert_no_error (error);
    SlNode *node = ((SlValue *)graph->outputs->pdata[0])->producer;
    g_assert_true (sl_node_infer (node, &error));
    SlValue *scale = NULL, *shift = NULL;
    uint32_t input = 9;
    gboolean applies = node->op->as_affine (node, 1, &input, &scale, &shift);
    g_assert_cmpint (applies, ==, affine[i].applies);
    if (!applies)
      continue;
    g_assert_cmpuint (input, ==, affine[i].input);
    SlValue *vector = node->inputs[!input];
    g_assert_true (affine[i].op[0] == 'M' ? scale == vector && shift == NULL
                                          : shift == vector && scale == NULL);
    node->act.kind = SL_ACT_TANH;
    g_assert_false (node->op->as_affine (node, 1, &input, &scale, &shift));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("binary", cases);
  g_test_add_func ("/ops/binary/as-affine", test_affine);
  return g_test_run ();
}
