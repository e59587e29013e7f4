#include "op_runner.h"

static const OpCase cases[] = {

    {"same", "Where", "bool 4=1,0,0,1; 4=1,2,3,4; 4=5,6,7,8", .shape = "4", .expected = "1,6,7,4",
     .steps = "where"},
    {"all-broadcast", "Where", "bool 2x1=1,0; 3=1,2,3; s=9", .shape = "2x3",
     .expected = "1,2,3,9,9,9"},
    {"condition", "Where", "bool 2=1,0; 2x2=1,2,3,4; 2x2=5,6,7,8", .expected = "1,6,3,8"},
    {"nan", "Where", "bool 2=1,0; 2=1,nan; 2=nan,2", .expected = "1,2", .steps = "where"},
    {"large", "Where", "bool 2x1x13x17; 2x37x13x17; 37x1x1", .shape = "2x37x13x17",
     .steps = "where", .flags = OP_FOLLOWS},
    {"whole", "Where", "bool 2x37x13x17; 2x37x13x17; 2x37x13x17", .steps = "where",
     .flags = OP_FOLLOWS},
    {"masked", "Where", "bool 5x1x9; 5x7x9; !s=-1e9", .shape = "5x7x9", .steps = "where"},
    {"masked-left", "Where", "bool 5x7x9; !s=-1e9; 5x7x9", .shape = "5x7x9", .steps = "where"},
    {"gated", "Where", "bool 5x7x1; 5x7x67; 5x7x67", .shape = "5x7x67", .steps = "where"},
    {"crossed", "Where", "bool 131x1; 1x67; s", .shape = "131x67", .steps = "where"},
    {"rank-6", "Where", "bool 2x1x3x1x2x1; 5x1x7x1x3; 3", .shape = "2x5x3x7x2x3", .steps = "where"},
    {"scalars", "Where", "bool s=0; s=1; s=2", .shape = "s", .expected = "2"},
    {"int64", "Where", "bool 3=1,0,1; i64 3=-1,2,3; i64 1=7", .shape = "i64 3",
     .expected = "-1,7,3", .steps = "reference"},
    {"bool", "Where", "bool 2=1,0; bool 2=1,1; bool 2=0,0", .shape = "bool 2", .expected = "1,0"},
    {"float16", "Where", "bool 2=1,0; f16 2=1,2; f16 2=3,4", .shape = "f16 2", .expected = "1,4"},
    {"constant", "Where", "!bool 2=1,0; !i64 2=1,2; !i64 2=3,4", .expected = "1,4"},
    {"empty", "Where", "bool 1; 0x3; 3", .shape = "0x3"},
    {"int-condition", "Where", "i32 1; 1; 1", .error = "input 'x0' is int32, expected bool"},
    {"types", "Where", "bool 1; 1; f64 1", .error = "input 'x2' is float64, expected float32"},
    {"shapes", "Where", "bool 2; 3; 3", .error = "2 and 3 ('x1') do not broadcast"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("where", cases);
  return g_test_run ();
}
