#include "op_runner.h"

static const OpCase cases[] = {

    {"plain", "CumSum", "5=1,2,3,4,5; !i32 s=0", .opset = 11, .shape = "5",
     .expected = "1,3,6,10,15"},
    {"exclusive", "CumSum", "5=1,2,3,4,5; !i32 s=0", "exclusive=1", .expected = "0,1,3,6,10"},
    {"reverse", "CumSum", "5=1,2,3,4,5; !i64 1=0", "reverse=1", .expected = "15,14,12,9,5"},
    {"both", "CumSum", "5=1,2,3,4,5; !i64 s=0", "exclusive=1 reverse=1", .expected = "14,12,9,5,0"},
    {"rows", "CumSum", "2x3=1,2,3,4,5,6; !i64 s=0", .expected = "1,2,3,5,7,9"},
    {"columns", "CumSum", "2x3=1,2,3,4,5,6; !i64 s=-1", .expected = "1,3,6,4,9,15"},
    {"middle", "CumSum", "3x7x5; !i64 s=1", .tolerance = 1e-6, .flags = OP_INTEGERS},
    {"int32-wraps", "CumSum", "i32 2=2147483647,1; !i64 s=0", .shape = "i32 2",
     .expected = "2147483647,-2147483648"},
    {"uint8", "CumSum", "u8 3=200,100,1; !i64 s=0", .expected = "200,44,45"},
    {"float64", "CumSum", "f64 2=1,1e-9; !i64 s=0", .shape = "f64 2", .expected = "1,1.000000001"},
    {"rank-6", "CumSum", "2x1x3x2x2x3; !i64 s=2", .flags = OP_INTEGERS},
    {"empty", "CumSum", "2x0x3; !i64 s=1", .shape = "2x0x3"},
    {"run-time", "CumSum", "3; i64 s=0", .error = "has to be constant"},
    {"two-axes", "CumSum", "3x3; !i64 2=0,1", .error = "2 axes, expected 1"},
    {"axis", "CumSum", "3; !i64 s=1", .error = "axis 1"},
    {"bool", "CumSum", "bool 3; !i64 s=0", .error = "is bool"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("cumsum", cases);
  return g_test_run ();
}
