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

    {"elements", "GatherElements", "2x2=1,2,3,4; i64 2x2=0,0,1,0", "axis=1", .opset = 11,
     .shape = "2x2", .expected = "1,1,4,3"},
    {"elements/default-axis", "GatherElements", "3x3=1,2,3,4,5,6,7,8,9; !i64 2x3=1,2,0,2,0,0",
     .expected = "4,8,3,7,2,3"},
    {"elements/negative", "GatherElements", "3=1,2,3; i32 2=-1,-3", .expected = "3,1"},
    {"elements/smaller", "GatherElements",
     "3x2x4; i64 2x5x3=0,1,1,0,1,0,0,0,1,1,0,1,0,0,0,1,1,1,0,0,0,1,"
     "0,1,0,1,0,1,0,1",
     "axis=-2", .shape = "2x5x3"},
    {"elements/outside", "GatherElements", "2=1,2; i64 3=1,2,-3", .expected = "2,0,0"},
    {"elements/int8", "GatherElements", "i8 2=-1,2; i64 1=0", .shape = "i8 1", .expected = "-1"},
    {"elements/empty", "GatherElements", "2; i64 0", .shape = "0"},
    {"elements/rank", "GatherElements", "2x2; i64 2", .error = "indices of 2 ('x1') into axis 0"},
    {"elements/larger", "GatherElements", "2x2; i64 1x3", .error = "indices of 1x3"},
    {"elements/range", "GatherElements", "2x2; !i64 1x2=2,0", .error = "index 2"},
    {"elements/axis", "GatherElements", "2x2; i64 1x2", "axis=2", .error = "axis 2"},
    {"elements/float-indices", "GatherElements", "2; 1", .error = "expected int32 or int64"},

    {"nd", "GatherND", "2x2=0,1,2,3; i64 2x2=0,0,1,1", .opset = 11, .shape = "2",
     .expected = "0,3"},
    {"nd/rows", "GatherND", "2x2=0,1,2,3; i64 2x1=1,0", .shape = "2x2", .expected = "2,3,0,1"},
    {"nd/matrix", "GatherND", "2x2x2=0,1,2,3,4,5,6,7; !i64 2x1x2=0,1,-1,0", .shape = "2x1x2",
     .expected = "2,3,4,5"},
    {"nd/batch", "GatherND", "2x2x2=0,1,2,3,4,5,6,7; i64 2x1=1,0", "batch_dims=1", .opset = 12,
     .shape = "2x2", .expected = "2,3,4,5"},
    {"nd/batches", "GatherND",
     "2x3x4; i64 2x3x5x1=0,1,2,3,3,0,1,2,3,3,0,1,2,3,3,0,1,2,3,3,0,1,2,3,3,0,"
     "1,2,3,3",
     "batch_dims=2", .shape = "2x3x5"},
    {"nd/scalar", "GatherND", "2x2=0,1,2,3; i64 2=1,0", .shape = "s", .expected = "2"},
    {"nd/outside", "GatherND", "2x2=5,1,2,3; i64 2x1=0,9", .expected = "5,1,0,0"},
    {"nd/bool", "GatherND", "bool 2=0,1; i64 1x1=1", .shape = "bool 1", .expected = "1"},
    {"nd/empty", "GatherND", "2x2; i64 0x1", .shape = "0x2"},
    {"nd/empty-batch", "GatherND", "0x2; i64 0x1", "batch_dims=1", .shape = "0"},
    {"nd/width", "GatherND", "2x2; i64 1x3", .error = "indices of 1x3 ('x1')"},
    {"nd/no-width", "GatherND", "2x2; i64 1x0", .error = "indices of 1x0"},
    {"nd/batch-misfit", "GatherND", "2x2; i64 3x1", "batch_dims=1",
     .error = "batch_dims 1 into 2x2"},
    {"nd/batch-beyond", "GatherND", "2x2; i64 2x1", "batch_dims=2", .error = "batch_dims 2"},
    {"nd/range", "GatherND", "2x3; !i64 1x2=1,3", .error = "index 3 into a dimension of 3"},
    {"nd/rank-9", "GatherND", "1x1x1x1x1x1; i64 1x1x1x1x1", .error = "indices of 1x1x1x1x1"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("gather", cases);
  return g_test_run ();
}
