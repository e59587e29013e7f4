#include "op_runner.h"

static const OpCase cases[] = {

    {"columns", "Concat", "2x1=1,2; 2x2=3,4,5,6", "axis=1", .shape = "2x3",
     .expected = "1,3,4,2,5,6", .steps = "copy copy"},
    {"rows", "Concat", "1x2=1,2; 2x2=3,4,5,6", "axis=0", .expected = "1,2,3,4,5,6"},
    {"channels", "Concat", "2x3x5x7; 2x19x5x7; 2x1x5x7", "axis=1", .shape = "2x23x5x7",
     .steps = "copy copy copy", .flags = OP_FOLLOWS},
    {"height", "Concat", "2x5x3x7; 2x5x4x7", "axis=2", .shape = "2x5x7x7", .flags = OP_FOLLOWS},
    {"negative", "Concat", "2x5x7x3; 2x5x7x4", "axis=-1", .shape = "2x5x7x7", .flags = OP_FOLLOWS},
    {"images", "Concat", "2x5x3x7; 1x5x3x7", "axis=0", .shape = "3x5x3x7", .flags = OP_FOLLOWS},
    {"rank-3", "Concat", "2x5x3; 2x4x3", "axis=1", .shape = "2x9x3", .flags = OP_FOLLOWS},
    {"rank-6", "Concat", "1x2x1x2x3x2; 1x2x1x2x1x2", "axis=4", .shape = "1x2x1x2x4x2"},
    {"one", "Concat", "2x3", "axis=0", .shape = "2x3"},
    {"empty-part", "Concat", "2x0; 2x3", "axis=1", .shape = "2x3", .steps = "copy"},
    {"all-empty", "Concat", "0x2; 0x3", "axis=1", .shape = "0x5"},
    {"constant", "Concat", "2x3x4x5; !2x3x4x5", "axis=1", .shape = "2x6x4x5"},
    {"int64", "Concat", "i64 1=5; i64 2=6,7", "axis=0", .shape = "i64 3", .expected = "5,6,7",
     .steps = "copy copy"},
    {"bool", "Concat", "bool 1=1; bool 2=0,1", "axis=0", .expected = "1,0,1"},
    {"shapes", "Concat", "2x3; 3x3", "axis=1", .error = "input 'x1' is 3x3 of float32"},
    {"ranks", "Concat", "2x3; 3", "axis=1", .error = "input 'x1' is 3 of float32"},
    {"types", "Concat", "2x3; i32 2x3", "axis=1", .error = "is 2x3 of int32"},
    {"axis", "Concat", "2x3; 2x3", "axis=2", .error = "axis 2"},
    {"scalars", "Concat", "s; s", "axis=0", .error = "axis 0"},
    {"no-axis", "Concat", "2x3; 2x3", .error = "attribute axis is missing"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("concat", cases);
  return g_test_run ();
}
