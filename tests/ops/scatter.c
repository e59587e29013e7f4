#include "op_runner.h"

static const OpCase cases[] = {

    {"elements", "ScatterElements", "3x3=0,0,0,0,0,0,0,0,0; i64 2x3=1,0,2,0,2,1; 2x3=1,2,3,4,5,6",
     .shape = "3x3", .expected = "4,2,0,1,0,6,0,5,3"},
    {"elements/axis", "ScatterElements", "1x5=1,2,3,4,5; !i64 1x2=1,-2; 1x2=7,8", "axis=1",
     .expected = "1,7,3,8,5"},
    {"elements/last-wins", "ScatterElements", "3=0,0,0; !i64 2=1,1; 2=7,8", .expected = "0,8,0"},
    {"elements/add", "ScatterElements", "3=1,1,1; !i64 3=1,1,0; 3=7,8,9", "reduction=add",
     .opset = 16, .expected = "10,16,1"},
    {"elements/mul", "ScatterElements", "3=1,2,3; i32 3=1,1,0; 3=7,8,9", "reduction=mul",
     .opset = 16, .expected = "9,112,3"},
    {"elements/max", "ScatterElements", "3=1,2,nan; i64 3=0,1,2; 3=7,-8,9", "reduction=max",
     .opset = 18, .expected = "7,2,nan"},
    {"elements/min", "ScatterElements", "3=1,2,3; i64 3=0,1,2; 3=7,-8,nan", "reduction=min",
     .opset = 18, .expected = "1,-8,nan"},
    {"elements/int8", "ScatterElements", "i8 2=100,1; i64 1=0; i8 1=100", "reduction=add",
     .shape = "i8 2", .expected = "-56,1"},
    {"elements/uint64-max", "ScatterElements", "u64 1=18446744073709549568; i64 1=0; u64 1=1",
     "reduction=max", .expected = "-2048"}, /* a bit pattern in the reference */
    {"elements/middle", "ScatterElements",
     "3x4x5; !i64 2x3x4=3,2,1,0,3,2,1,0,3,2,1,0,3,2,1,0,3,2,1,0,3,2,1,0; 2x3x4", "axis=1",
     .shape = "3x4x5", .flags = OP_INTEGERS},
    {"elements/outside", "ScatterElements", "2=1,2; i64 2=5,-9; 2=7,8", .expected = "1,2"},
    {"elements/none", "ScatterElements", "3=1,2,3; i64 0; 0", .expected = "1,2,3"},
    {"elements/bool", "ScatterElements", "bool 2=0,0; i64 1=1; bool 1=1", .shape = "bool 2",
     .expected = "0,1"},
    {"elements/named-scatter", "Scatter", "1x3=1,2,3; i64 1x1=2; 1x1=9", "axis=1", .opset = 9,
     .expected = "1,2,9"},
    {"nd", "ScatterND", "8=1,2,3,4,5,6,7,8; i64 4x1=4,3,1,7; 4=9,10,11,12",
     .expected = "1,11,3,10,9,6,7,12"},
    {"nd/elements", "ScatterND", "2x2=1,2,3,4; !i64 2x2=0,1,-1,0; 2=7,8", .expected = "1,7,8,4"},
    {"nd/rows", "ScatterND", "3x2=1,2,3,4,5,6; i64 2x1=2,0; 2x2=7,8,9,10",
     .expected = "9,10,3,4,7,8"},
    {"nd/add", "ScatterND", "3x2=1,2,3,4,5,6; i64 2x1=2,2; 2x2=7,8,9,10", "reduction=add",
     .opset = 16, .expected = "1,2,3,4,21,24"},
    {"nd/mul", "ScatterND", "2=2,3; i64 2x1=0,0; 2=5,7", "reduction=mul", .opset = 16,
     .expected = "70,3"},
    {"nd/one", "ScatterND", "2x2=1,2,3,4; i64 2=1,0; s=9", .expected = "1,2,9,4"},
    {"nd/outside", "ScatterND", "2=1,2; i64 1x1=7; 1=9", .expected = "1,2"},
    {"nd/large", "ScatterND", "7x5x3; i64 2x3x2=0,1,2,3,4,4,6,0,5,2,3,3; 2x3x3", .shape = "7x5x3"},
    {"elements/updates", "ScatterElements", "3; i64 2=0,1; 3", .error = "expected 2 of float32"},
    {"elements/types", "ScatterElements", "3; i64 2=0,1; f64 2", .error = "2 of float64"},
    {"elements/rank", "ScatterElements", "3x3; i64 2=0,1; 2", .error = "indices of 2 ('x1')"},
    {"elements/wide", "ScatterElements", "3x3; i64 1x4; 1x4", .error = "indices of 1x4"},
    {"elements/range", "ScatterElements", "3; !i64 1=3; 1",
     .error = "index 3 into a dimension of 3"},
    {"elements/reduction", "ScatterElements", "3; i64 1=0; 1", "reduction=mean",
     .error = "reduction"},
    {"elements/bool-add", "ScatterElements", "bool 2; i64 1=1; bool 1", "reduction=add",
     .error = "reduction add of bool"},
    {"nd/width", "ScatterND", "3x2; i64 1x3; 1", .error = "indices of 1x3 ('x1') into 3x2"},
    {"nd/no-width", "ScatterND", "3x2; i64 1x0; 1x3x2", .error = "indices of 1x0"},
    {"nd/scalar", "ScatterND", "3; i64 s=0; s", .error = "indices of scalar"},
    {"nd/updates", "ScatterND", "3x2; i64 2x1=0,1; 2", .error = "expected 2x2 of float32"},
    {"nd/range", "ScatterND", "3x2; !i64 1x2=2,2; 1", .error = "index 2 into a dimension of 2"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("scatter", cases);
  return g_test_run ();
}
