#include "op_runner.h"

static const OpCase cases[] = {

    {"default", "Transpose", "2x3=1,2,3,4,5,6", .shape = "3x2", .expected = "1,4,2,5,3,6",
     .steps = "copy"},
    {"to-nhwc", "Transpose", "2x37x5x7", "perm=[0, 2, 3, 1]", .shape = "2x5x7x37",
     .flags = OP_FOLLOWS},
    {"from-nhwc", "Transpose", "2x5x7x37", "perm=[0, 3, 1, 2]", .shape = "2x37x5x7"},
    {"reversed", "Transpose", "2x3x4x5", .shape = "5x4x3x2", .flags = OP_FOLLOWS},
    {"images-and-channels", "Transpose", "3x5x4x6", "perm=[1, 0, 2, 3]", .flags = OP_FOLLOWS},
    {"rank-3", "Transpose", "4x5x6", "perm=[2, 0, 1]", .shape = "6x4x5", .flags = OP_FOLLOWS},
    {"shuffle", "Transpose", "2x4x3x5x7", "perm=[0, 2, 1, 3, 4]", .shape = "2x3x4x5x7"},
    {"rank-6", "Transpose", "1x2x3x2x4x2", "perm=[0, 1, 4, 2, 5, 3]", .shape = "1x2x4x3x2x2"},
    {"same", "Transpose", "3x4", "perm=[0, 1]", .shape = "3x4"},
    {"large", "Transpose", "300x170", .shape = "170x300"},
    {"scalar", "Transpose", "s=3", .shape = "s", .expected = "3"},
    {"rank-1", "Transpose", "3=1,2,3", .expected = "1,2,3"},
    {"empty", "Transpose", "2x0x3", .shape = "3x0x2"},
    {"int8", "Transpose", "i8 3x4", .shape = "i8 4x3", .steps = "copy"},
    {"float64", "Transpose", "f64 3x4", .shape = "f64 4x3", .steps = "copy"},
    {"few", "Transpose", "2x3", "perm=[0]", .error = "perm is no order"},
    {"twice", "Transpose", "2x3", "perm=[1, 1]", .error = "perm is no order"},
    {"beyond", "Transpose", "2x3", "perm=[0, 2]", .error = "perm is no order"},
    {"negative", "Transpose", "2x3", "perm=[0, -1]", .error = "perm is no order"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("transpose", cases);
  return g_test_run ();
}
