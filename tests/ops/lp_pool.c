#include "op_runner.h"

static const OpCase cases[] = {

    {"l2", "LpPool", "1x1x2x3=3,4,0,0,0,12", "kernel_shape=[2, 2]", .shape = "1x1x1x2",
     .expected = "5,12.649110641", .steps = "reference", .tolerance = 1e-6},
    {"l1", "LpPool", "1x1x1x3=3,-4,5", "kernel_shape=[1, 2] p=1", .expected = "7,9",
     .tolerance = 1e-6},
    {"l3", "LpPool", "1x1x4=1,-2,3,0", "kernel_shape=[2] strides=[2] p=3",
     .expected = "2.080083823,3", .tolerance = 1e-6},
    {"pads", "LpPool", "1x1x2=3,4", "kernel_shape=[2] pads=[1, 1]", .expected = "3,5,4",
     .tolerance = 1e-6},
    {"same-upper", "LpPool", "1x1x3=3,4,12", "kernel_shape=[2] auto_pad=SAME_UPPER",
     .expected = "5,12.649110641,12", .tolerance = 1e-6},
    {"same-lower", "LpPool", "1x1x3=3,4,12", "kernel_shape=[2] auto_pad=SAME_LOWER",
     .expected = "3,5,12.649110641", .tolerance = 1e-6},
    {"valid", "LpPool", "1x1x3=3,4,12", "kernel_shape=[2] auto_pad=VALID",
     .expected = "5,12.649110641", .tolerance = 1e-6},
    {"dilations", "LpPool", "1x1x3=3,7,4", "kernel_shape=[2] dilations=[2]", .opset = 18,
     .expected = "5", .tolerance = 1e-6},
    {"ceil", "LpPool", "1x1x3=3,4,7", "kernel_shape=[2] strides=[2] ceil_mode=1", .opset = 18,
     .expected = "5,7", .tolerance = 1e-6},
    {"3d", "LpPool", "2x3x4x5x6", "kernel_shape=[2, 3, 2] strides=[1, 2, 1]", .shape = "2x3x3x2x5",
     .tolerance = 1e-6},
    {"layouts", "LpPool", "2x19x7x5", "kernel_shape=[3, 3]", .shape = "2x19x5x3",
     .tolerance = 1e-6},
    {"float64", "LpPool", "f64 1x2x3x3", "kernel_shape=[2, 2]", .tolerance = 1e-6},
    {"no-images", "LpPool", "0x2x3x3", "kernel_shape=[2, 2]", .shape = "0x2x2x2",
     .tolerance = 1e-6},

    {"global", "GlobalLpPool", "1x2x1x2=3,4,5,-12", .shape = "1x2x1x1", .expected = "5,13",
     .tolerance = 1e-6},
    {"global-l1", "GlobalLpPool", "1x1x3=1,-2,3", "p=1", .expected = "6", .tolerance = 1e-6},
    {"global-sizes", "GlobalLpPool", "2x19x7x5", "p=3", .shape = "2x19x1x1", .tolerance = 1e-6},
    {"global-5d", "GlobalLpPool", "1x2x2x3x2", .shape = "1x2x1x1x1", .tolerance = 1e-6},

    {"missing", "LpPool", "1x1x3", .error = "kernel_shape is missing"},
    {"power", "LpPool", "1x1x3", "kernel_shape=[2] p=0", .error = "p is 0, expected 1 or more"},
    {"type", "LpPool", "i32 1x1x3", "kernel_shape=[2]", .error = "is int32, expected floats"},
    {"large", "LpPool", "1x1x3", "kernel_shape=[4]", .error = "does not fit an input of 1x1x3"},
    {"global-rank", "GlobalLpPool", "2x3", .error = "input is 2x3"},
    {"global-power", "GlobalLpPool", "2x3x1", "p=-1", .error = "p is -1"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("lp_pool", cases);
  return g_test_run ();
}
