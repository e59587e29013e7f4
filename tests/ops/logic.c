#include "op_runner.h"

static const OpCase cases[] = {

    {"equal", "Equal", "4=1,2,nan,inf; 4=1,3,nan,inf", .shape = "bool 4", .expected = "1,0,0,1",
     .steps = "equal"},
    {"less", "Less", "4=1,2,nan,3; 4=1,3,5,2", .shape = "bool 4", .expected = "0,1,0,0",
     .steps = "less"},
    {"greater", "Greater", "4=1,2,nan,3; 4=1,3,5,2", .expected = "0,0,0,1", .steps = "less"},
    {"less-or-equal", "LessOrEqual", "4=1,2,nan,3; 4=1,3,5,2", .opset = 12, .expected = "1,1,0,0",
     .steps = "less_or_equal"},
    {"greater-or-equal", "GreaterOrEqual", "4=1,2,nan,3; 4=1,3,nan,2", .opset = 16,
     .expected = "1,0,0,1", .steps = "less_or_equal"},
    {"equal/zeros", "Equal", "2=-0.0,0; 2=0,-0.0", .expected = "1,1"},
    {"equal/bool", "Equal", "bool 4=0,0,1,1; bool 4=0,1,0,1", .opset = 7, .expected = "1,0,0,1",
     .steps = "reference"},
    {"equal/int64", "Equal", "i64 2=9007199254740992,-1; i64 2=9007199254740992,1",
     .expected = "1,0", .steps = "reference"},
    {"less/int8", "Less", "i8 3=-128,127,0; i8 3=127,-128,0", .opset = 9, .expected = "1,0,0"},
    {"less/uint64", "Less", "u64 2=1,18446744073709549568; u64 2=18446744073709549568,1",
     .expected = "1,0"},
    {"greater/float16", "Greater", "f16 2=1,2; f16 2=2,1", .expected = "0,1", .steps = "reference"},
    {"and", "And", "bool 4=0,0,1,1; bool 4=0,1,0,1", .shape = "bool 4", .expected = "0,0,0,1",
     .steps = "and"},
    {"or", "Or", "bool 4=0,0,1,1; bool 4=0,1,0,1", .expected = "0,1,1,1", .steps = "or"},
    {"xor", "Xor", "bool 4=0,0,1,1; bool 4=0,1,0,1", .expected = "0,1,1,0", .steps = "xor"},
    {"not", "Not", "bool 2x2=0,1,1,0", .shape = "bool 2x2", .expected = "1,0,0,1"},
    {"is-nan", "IsNaN", "4=nan,1,inf,-nan", .opset = 9, .shape = "bool 4", .expected = "1,0,0,1"},
    {"is-inf", "IsInf", "4=-inf,1,inf,nan", .opset = 10, .shape = "bool 4", .expected = "1,0,1,0"},
    {"is-inf/positive", "IsInf", "3=-inf,1,inf", "detect_negative=0", .expected = "0,0,1"},
    {"is-inf/negative", "IsInf", "f64 3=-inf,1,inf", "detect_positive=0", .expected = "1,0,0"},
    {"is-inf/neither", "IsInf", "2=-inf,inf", "detect_positive=0 detect_negative=0",
     .expected = "0,0"},

    {"less/row", "Less", "2x3=1,2,3,4,5,6; 3=2,2,4", .shape = "bool 2x3",
     .expected = "1,0,1,0,0,0"},
    {"less/crossed", "Less", "2x1=1,2; 1x3=1,2,3", .expected = "0,1,1,0,0,1"},
    {"less/large", "Less", "2x37x13x17; 37x1x1", .shape = "bool 2x37x13x17",
     .flags = OP_INTEGERS | OP_FOLLOWS, .steps = "less"},
    {"equal/large", "Equal", "2x37x13x17; 2x37x13x17", .flags = OP_INTEGERS | OP_FOLLOWS,
     .steps = "equal"},
    {"or/pictures", "Or", "bool 2x37x13x17; bool 2x37x13x17", .flags = OP_FOLLOWS, .steps = "or"},
    {"greater/scalar", "Greater", "2x37x13x17; s=0", .shape = "bool 2x37x13x17",
     .flags = OP_FOLLOWS, .steps = "less"},
    {"less/scalar-first", "LessOrEqual", "s=0; 300x70", .shape = "bool 300x70",
     .steps = "less_or_equal"},
    {"greater/columns", "GreaterOrEqual", "300x1; 1x70", .shape = "bool 300x70",
     .flags = OP_INTEGERS, .steps = "less_or_equal"},
    {"equal/rank-6", "Equal", "2x1x3x1x2x4; 5x1x7x1x1", .shape = "bool 2x5x3x7x2x4",
     .flags = OP_INTEGERS, .steps = "equal"},
    {"and/large", "And", "bool 5x37x67; bool 67", .shape = "bool 5x37x67", .steps = "and"},
    {"or/crossed", "Or", "bool 131x1; bool 1x67", .shape = "bool 131x67", .steps = "or"},
    {"xor/scalars", "Xor", "bool s=1; bool s=0", .shape = "bool s", .expected = "1"},
    {"not/large", "Not", "bool 5x37x67"},
    {"less/empty", "Less", "2x0x3; 3", .shape = "bool 2x0x3"},

    {"less/opset-6", "Less", "2x3=1,2,3,4,5,6; 2=2,5", "broadcast=1 axis=0", .opset = 6,
     .expected = "1,0,0,1,0,0"},
    {"and/opset-6", "And", "bool 2x2=1,1,0,1; bool 2=1,0", "broadcast=1", .opset = 6,
     .expected = "1,0,0,0"},

    {"less/bool", "Less", "bool 2; bool 2", .error = "input 'x0' is bool, expected numbers"},
    {"less/types", "Less", "2; f64 2", .error = "input 'x1' is float64, expected float32"},
    {"and/float", "And", "2; 2", .error = "input 'x0' is float32, expected bool"},
    {"equal/types", "Equal", "bool 2; i32 2", .error = "input 'x1' is int32, expected bool"},
    {"equal/shapes", "Equal", "2; 3", .error = "2 and 3 ('x1') do not broadcast"},
    {"not/int", "Not", "i32 2", .error = "is int32, expected bool"},
    {"is-nan/int", "IsNaN", "i32 2", .error = "is int32, expected floats"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("logic", cases);
  return g_test_run ();
}
