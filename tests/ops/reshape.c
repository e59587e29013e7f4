#include "op_runner.h"

static const OpCase cases[] = {

    /* Reshape. */
    {"plain", "Reshape", "2x3x4; !i64 2=4,6", .shape = "4x6", .steps = "copy"},
    {"values", "Reshape", "2x3=1,2,3,4,5,6; !i64 2=3,2", .shape = "3x2", .expected = "1,2,3,4,5,6"},
    {"minus-one", "Reshape", "2x3x4; !i64 3=2,-1,2", .shape = "2x6x2"},
    {"zero-copies", "Reshape", "2x3x4; !i64 4=0,3,-1,1", .shape = "2x3x4x1"},
    {"zero-and-minus-one", "Reshape", "2x3x4; !i64 3=-1,0,2", .shape = "4x3x2"},
    {"to-scalar", "Reshape", "1x1; !i64 0", .shape = "s"},
    {"from-scalar", "Reshape", "s; !i64 3=1,1,-1", .shape = "1x1x1"},
    {"channels-last-input", "Reshape", "2x5x3x4; !i64 2=2,60", .shape = "2x60"},
    {"rank-8", "Reshape", "4x16; !i64 8=2,2,2,2,2,2,1,1", .shape = "2x2x2x2x2x2x1x1"},
    {"int32-shape", "Reshape", "2x3; !i32 1=6", .shape = "6"},
    {"int8", "Reshape", "i8 2x3; !i64 1=6", .shape = "i8 6", .steps = "copy"},
    {"empty", "Reshape", "0x3; !i64 2=3,0", "allowzero=1", .opset = 14, .shape = "3x0"},
    {"empty-copies-zero", "Reshape", "0x3; !i64 2=0,7", .shape = "0x7"},
    {"same", "Reshape", "2x3x4; !i64 3=2,3,4", .shape = "2x3x4"},
    {"opset-1", "Reshape", "2x3x4", "shape=[4, -1]", .opset = 4, .shape = "4x6"},
    {"misfit", "Reshape", "2x3x4; !i64 2=5,5", .error = "2x3x4 cannot take the shape [5, 5]"},
    {"open-misfit", "Reshape", "2x3x4; !i64 2=5,-1", .error = "cannot take the shape [5, -1]"},
    {"two-open", "Reshape", "2x3x4; !i64 2=-1,-1", .error = "cannot take the shape"},
    {"negative", "Reshape", "2x3x4; !i64 2=-2,-12", .error = "cannot take the shape"},
    {"zero-beyond", "Reshape", "6; !i64 2=6,0", .error = "cannot take the shape"},
    {"zero-open", "Reshape", "0x3; !i64 2=0,-1", .error = "cannot take the shape"},
    {"rank-9", "Reshape", "2; !i64 9=1,1,1,1,1,1,1,1,2", .error = "cannot take the shape"},
    {"huge", "Reshape", "2; !i64 2=4611686018427387904,4611686018427387904",
     .error = "cannot take the shape"},
    {"not-constant", "Reshape", "6; i64 2", .error = "has to be constant"},
    {"float-shape", "Reshape", "6; !2=2,3", .error = "expected up to 16 integers"},
    {"long-shape", "Reshape", "1; !i64 17", .error = "17 elements of int64"},
    {"opset-1-inputs", "Reshape", "6; !i64 2=2,3", .opset = 4, .error = "2 inputs in opset 4"},
    {"opset-1-missing", "Reshape", "6", .opset = 4, .error = "1 inputs, expected 2"},

    /* Flatten. */
    {"flatten", "Flatten", "2x3x4x5", .shape = "2x60", .steps = "copy"},
    {"flatten/axis-0", "Flatten", "2x3x4", "axis=0", .shape = "1x24"},
    {"flatten/axis-rank", "Flatten", "2x3x4", "axis=3", .shape = "24x1"},
    {"flatten/negative", "Flatten", "2x3x4", "axis=-1", .shape = "6x4"},
    {"flatten/rank-1", "Flatten", "7", .shape = "7x1"},
    {"flatten/scalar", "Flatten", "s", "axis=0", .shape = "1x1"},
    {"flatten/empty", "Flatten", "2x0x4", .shape = "2x0"},
    {"flatten/beyond", "Flatten", "2x3", "axis=3", .error = "axis 3 of an input with 2"},
    {"flatten/before", "Flatten", "2x3", "axis=-3", .error = "axis -3"},

    /* Squeeze and Unsqueeze. */
    {"squeeze", "Squeeze", "1x3x1x5; !i64 1=0", .shape = "3x1x5", .steps = "copy"},
    {"squeeze/all", "Squeeze", "1x3x1x5", .shape = "3x5"},
    {"squeeze/negative", "Squeeze", "1x3x1x5; !i64 2=-2,0", .shape = "3x5"},
    {"squeeze/to-scalar", "Squeeze", "1x1", .shape = "s"},
    {"squeeze/none", "Squeeze", "3x1; !i64 0", .shape = "3x1"},
    {"squeeze/opset-11", "Squeeze", "1x3x1x5", "axes=[0, 2]", .opset = 11, .shape = "3x5"},
    {"squeeze/opset-11-all", "Squeeze", "1x3x1x5", .opset = 11, .shape = "3x5"},
    {"squeeze/not-1", "Squeeze", "1x3; !i64 1=1", .error = "axis 1 of an input of 1x3 is not 1"},
    {"squeeze/beyond", "Squeeze", "1x3; !i64 1=2", .error = "axis 2"},
    {"squeeze/twice", "Squeeze", "1x3; !i64 2=0,-2", .error = "axis 0 stands twice"},
    {"squeeze/not-constant", "Squeeze", "1x3; i64 1", .error = "has to be constant"},
    {"unsqueeze", "Unsqueeze", "3x4x5; !i64 2=1,4", .shape = "3x1x4x5x1", .steps = "copy"},
    {"unsqueeze/unsorted", "Unsqueeze", "3x4x5; !i64 3=5,4,2", .shape = "3x4x1x5x1x1"},
    {"unsqueeze/negative", "Unsqueeze", "3x4; !i64 1=-1", .shape = "3x4x1"},
    {"unsqueeze/scalar", "Unsqueeze", "s; !i64 1=0", .shape = "1"},
    {"unsqueeze/opset-11", "Unsqueeze", "3x4", "axes=[0]", .opset = 11, .shape = "1x3x4"},
    {"unsqueeze/twice", "Unsqueeze", "3x4; !i64 2=1,1", .error = "axis 1 stands twice"},
    {"unsqueeze/beyond", "Unsqueeze", "3x4; !i64 1=3", .error = "axis 3"},
    {"unsqueeze/rank-9", "Unsqueeze", "1x1x1x1x1x1x1; !i64 2=0,1", .error = "9 dimensions"},
    {"unsqueeze/opset-11-missing", "Unsqueeze", "3x4", .opset = 11, .error = "1 inputs"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("reshape", cases);
  return g_test_run ();
}
