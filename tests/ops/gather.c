#include "op_runner.h"

static const OpCase cases[] = {

    {"rows", "Gather", "3x2=1,2,3,4,5,6; !i64 2=2,0", .shape = "2x2", .expected = "5,6,1,2",
     .steps = "copy copy"},
    {"columns", "Gather", "2x3=1,2,3,4,5,6; !i64 2=-1,0", "axis=1", .expected = "3,1,6,4"},
    {"scalar-index", "Gather", "2x3=1,2,3,4,5,6; !i64 s=1", .shape = "3", .expected = "4,5,6"},
    {"index-matrix", "Gather", "4x3; !i64 2x2=0,1,3,2", "axis=0", .shape = "2x2x3"},
    {"index-matrix-behind", "Gather", "3x4; !i64 1x2=0,3", "axis=-1", .shape = "3x1x2"},
    {"inputs", "Gather", "3x2=1,2,3,4,5,6; i64 4=2,-3,7,-9", .expected = "5,6,1,2,0,0,0,0",
     .steps = "reference"},
    {"int32-indices", "Gather", "3=1,2,3; i32 2=2,1", .expected = "3,2"},
    {"many", "Gather", "40x3; !i64 17=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,39", .shape = "17x3",
     .steps = "reference"},
    {"middle", "Gather", "3x5x4x2; !i64 3=4,0,4", "axis=1", .shape = "3x3x4x2"},
    {"int8", "Gather", "i8 3=1,2,3; !i64 1=1", .shape = "i8 1", .expected = "2", .steps = "copy"},
    {"no-indices", "Gather", "3x2; !i64 0", .shape = "0x2"},
    {"empty", "Gather", "3x0; !i64 2=1,1", .shape = "2x0"},
    {"beyond", "Gather", "3x2; !i64 2=1,3", .error = "index 3 into a dimension of 3"},
    {"before", "Gather", "3x2; !i64 1=-4", .error = "index -4"},
    {"axis", "Gather", "3x2; !i64 1=0", "axis=2", .error = "axis 2"},
    {"scalar", "Gather", "s; !i64 1=0", .error = "axis 0"},
    {"float-indices", "Gather", "3x2; 1", .error = "expected int32 or int64"},
    {"rank-9", "Gather", "1x1x1x1x1x1x1; !i64 1x1x1=0", .error = "9 dimensions"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("gather", cases);
  return g_test_run ();
}
