#include "op_runner.h"

static const OpCase cases[] = {

    {"values", "Softmax", "2x3=0,1,2,1000,1000,1000", .shape = "2x3",
     .expected = "0.09003057,0.24472847,0.66524096,0.33333333,0.33333333,0.33333333",
     .tolerance = 1e-6, .steps = "softmax"},
    {"log-values", "LogSoftmax", "2x3=0,1,2,1000,1000,1000", .shape = "2x3",
     .expected = "-2.40760596,-1.40760596,-0.40760596,-1.09861229,-1.09861229,-1.09861229",
     .tolerance = 1e-6, .steps = "log_softmax"},
    {"infinite", "Softmax", "3=-inf,0,0", .expected = "0,0.5,0.5", .tolerance = 1e-6},
    {"nan", "Softmax", "3=nan,0,0", .expected = "nan,nan,nan"},
    {"channels", "Softmax", "2x19x5x7", "axis=1", .tolerance = 1e-6, .steps = "softmax",
     .flags = OP_FOLLOWS},
    {"rows", "Softmax", "2x19x5x7", "axis=2", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"columns", "Softmax", "2x19x5x7", "axis=-1", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"images", "Softmax", "3x19x5x7", "axis=0", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"default-axis", "Softmax", "2x3x33", .tolerance = 1e-6},
    {"classes", "Softmax", "3x1000", "axis=1", .tolerance = 1e-6, .flags = OP_WIDE},
    {"log-classes", "LogSoftmax", "3x1000", "axis=1", .tolerance = 1e-6, .flags = OP_WIDE},
    {"log-channels", "LogSoftmax", "2x19x5x7", "axis=1", .tolerance = 1e-6, .steps = "log_softmax",
     .flags = OP_FOLLOWS},
    {"one", "Softmax", "5x1", .expected = "1,1,1,1,1"},
    {"one-channel", "Softmax", "2x1x4x5", "axis=2", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"many", "Softmax", "300x70", .tolerance = 1e-6},
    {"rank-6", "Softmax", "2x1x3x2x4x3", "axis=2", .tolerance = 1e-6},
    {"empty", "Softmax", "0x3", .shape = "0x3"},
    {"empty-axis", "Softmax", "3x0", .shape = "3x0"},
    {"float16", "Softmax", "f16 2x9", .shape = "f16 2x9", .tolerance = 1e-3, .steps = "reference"},

    /* Before opset 13: everything from the axis on is one. */
    {"opset-9", "Softmax", "2x3x2", .opset = 9, .shape = "2x3x2", .tolerance = 1e-6},
    {"opset-9-values", "Softmax", "1x2x2=0,0,0,0", .opset = 9, .expected = "0.25,0.25,0.25,0.25",
     .tolerance = 1e-6},
    {"opset-9-images", "Softmax", "2x2=0,0,0,0", "axis=0", .opset = 9,
     .expected = "0.25,0.25,0.25,0.25", .tolerance = 1e-6},
    {"opset-9-channels", "Softmax", "2x19x1x1", .opset = 9, .shape = "2x19x1x1", .tolerance = 1e-6},
    {"opset-11-last", "Softmax", "2x3x4", "axis=-1", .opset = 11, .tolerance = 1e-6,
     .steps = "softmax", .flags = OP_FOLLOWS},
    {"opset-11-negative", "LogSoftmax", "2x3x4", "axis=-2", .opset = 11, .shape = "2x3x4",
     .tolerance = 1e-6},
    {"opset-9-float64", "Softmax", "f64 2x3x4", .opset = 9, .shape = "f64 2x3x4"},

    {"hardmax", "Hardmax", "2x4=1,3,3,2,nan,9,nan,0", .expected = "0,1,0,0,1,0,0,0"},
    {"hardmax/axis", "Hardmax", "2x3=1,5,3,4,2,3", "axis=0", .expected = "0,1,1,1,0,0"},
    {"hardmax/channels", "Hardmax", "2x19x5x7", "axis=1", .shape = "2x19x5x7"},
    {"hardmax/opset-11", "Hardmax", "1x2x2=1,2,4,3", .opset = 11, .shape = "1x2x2",
     .expected = "0,0,1,0"},
    {"hardmax/int", "Hardmax", "i32 2", .error = "is int32"},
    {"axis-beyond", "Softmax", "2x3", "axis=2", .error = "axis 2"},
    {"int", "Softmax", "i32 2x3", .error = "is int32"},
    {"scalar", "Softmax", "s", .error = "axis -1"},
    {"opset-9-beyond", "Softmax", "2x3", "axis=5", .opset = 9, .error = "axis 5"},
    {"opset-9-attribute", "Softmax", "2x3", "order=1", .opset = 9, .error = "order is not known"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("softmax", cases);
  return g_test_run ();
}
