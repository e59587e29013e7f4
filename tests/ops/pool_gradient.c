#include "op_runner.h"

static const OpCase cases[] = {
    /* Overlapping windows: 9 wins in two of them, and the first 5 of a tie. */
    {"max-values", "MaxPoolGradient", "1x1x1x5=5,5,9,1,2; 1x1x1x4=1,10,100,1000",
     "kernel_shape=[1, 2]", .shape = "1x1x1x5", .expected = "1,0,110,0,1000",
     .steps = "max_pool2d_gradient", .flags = OP_FOLLOWS},
    {"max-ties", "MaxPoolGradient", "1x1x2x2=3,3,3,3; 1x1x1x1=7", "kernel_shape=[2, 2]",
     .expected = "7,0,0,0"},
    {"max-nan", "MaxPoolGradient", "1x1x2x2=3,nan,9,nan; 1x1x1x1=7", "kernel_shape=[2, 2]",
     .expected = "0,7,0,0"},
    {"max-low", "MaxPoolGradient", "1x1x1x2=-inf,-inf; 1x1x1x1=7", "kernel_shape=[1, 2]",
     .expected = "7,0"},
    {"max-2x2", "MaxPoolGradient", "3x37x8x6; 3x37x4x3", "kernel_shape=[2, 2] strides=[2, 2]",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-2x2-left-over", "MaxPoolGradient", "2x70x9x7; 2x70x4x3",
     "kernel_shape=[2, 2] strides=[2, 2]", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-2x2-same", "MaxPoolGradient", "2x130x7x7; 2x130x4x4",
     "kernel_shape=[2, 2] strides=[2, 2] auto_pad=SAME_UPPER", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-3x3-stride-2", "MaxPoolGradient", "2x19x9x11; 2x19x5x6",
     "kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1]", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-apart", "MaxPoolGradient", "1x16x9x9; 1x16x3x3", "kernel_shape=[2, 2] strides=[3, 3]",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-dilated", "MaxPoolGradient", "1x5x9x8; 1x5x5x4", "kernel_shape=[3, 3] dilations=[2, 2]",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-ceil", "MaxPoolGradient", "1x16x6x6; 1x16x3x3",
     "kernel_shape=[3, 3] strides=[2, 2] ceil_mode=1", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-global", "MaxPoolGradient", "3x19x13x17; 3x19x1x1", "kernel_shape=[13, 17]",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-1d", "MaxPoolGradient", "2x3x9; 2x3x4", "kernel_shape=[2] strides=[2]",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-3d", "MaxPoolGradient", "1x2x4x5x6; 1x2x3x4x5", "kernel_shape=[2, 2, 2]",
     .steps = "reference", .flags = OP_INTEGERS},
    {"max-float64", "MaxPoolGradient", "f64 1x2x4x4; f64 1x2x2x2",
     "kernel_shape=[2, 2] strides=[2, 2]", .steps = "reference"},
    {"max-images", "MaxPoolGradient", "40x1x4x4; 40x1x2x2", "kernel_shape=[2, 2] strides=[2, 2]",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"max-one", "MaxPoolGradient", "1x1x1x1; 1x1x1x1=3", "kernel_shape=[1, 1]", .expected = "3"},
    {"max-shape", "MaxPoolGradient", "1x1x4x4; 1x1x2x3", "kernel_shape=[2, 2] strides=[2, 2]",
     .error = "gradient is 1x1x2x3, expected 1x1x2x2"},

    {"average-values", "AveragePoolGradient", "1x1x1x3=2,4,8",
     "kernel_shape=[1, 2] shape=[1, 1, 1, 4]", .shape = "1x1x1x4", .expected = "1,3,6,4",
     .steps = "average_pool2d_gradient", .flags = OP_FOLLOWS},
    {"average-2x2", "AveragePoolGradient", "3x37x4x3",
     "kernel_shape=[2, 2] strides=[2, 2] shape=[3, 37, 8, 6]", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"average-excluding", "AveragePoolGradient", "2x19x5x6",
     "kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1] shape=[2, 19, 9, 11]", .tolerance = 2e-7,
     .flags = OP_FOLLOWS},
    {"average-including", "AveragePoolGradient", "2x19x5x6",
     "kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1] count_include_pad=1 "
     "shape=[2, 19, 9, 11]",
     .tolerance = 2e-7, .flags = OP_FOLLOWS},
    {"average-ceil", "AveragePoolGradient", "1x5x4x4",
     "kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 0, 0] ceil_mode=1 count_include_pad=1 "
     "shape=[1, 5, 7, 7]",
     .tolerance = 2e-7, .flags = OP_FOLLOWS},
    {"average-dilated", "AveragePoolGradient", "1x5x5x4",
     "kernel_shape=[3, 3] dilations=[2, 2] shape=[1, 5, 9, 8]", .tolerance = 2e-7,
     .flags = OP_FOLLOWS},
    {"average-1d", "AveragePoolGradient", "2x3x4", "kernel_shape=[2] strides=[2] shape=[2, 3, 9]",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"average-images", "AveragePoolGradient", "40x1x2x2",
     "kernel_shape=[2, 2] strides=[2, 2] shape=[40, 1, 4, 4]", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"average-3d", "AveragePoolGradient", "1x2x3x4x5",
     "kernel_shape=[2, 2, 2] shape=[1, 2, 4, 5, 6]", .steps = "reference", .flags = OP_INTEGERS},
    {"average-shape", "AveragePoolGradient", "1x1x2x3",
     "kernel_shape=[2, 2] strides=[2, 2] shape=[1, 1, 4, 4]",
     .error = "gradient is 1x1x2x3, expected 1x1x2x2"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("pool_gradient", cases);
  return g_test_run ();
}
