#include "op_runner.h"

static const OpCase cases[] = {

    {"truncates", "Cast", "5=-1.9,-0.5,0.5,1.9,7", "to=6", .shape = "i32 5",
     .expected = "-1,0,0,1,7", .steps = "reference"},
    {"to-bool", "Cast", "4=0,0.5,nan,-3", "to=9", .shape = "bool 4", .expected = "0,1,1,1"},
    {"int-to-bool", "Cast", "i32 3=0,256,-1", "to=9", .expected = "0,1,1"},
    {"from-bool", "Cast", "bool 2=0,1", "to=1", .shape = "2", .expected = "0,1"},
    {"to-uint8", "Cast", "3=0,254.7,255", "to=2", .shape = "u8 3", .expected = "0,254,255"},
    {"int-wraps", "Cast", "i32 3=300,-1,128", "to=3", .shape = "i8 3", .expected = "44,-1,-128"},
    {"to-uint64", "Cast", "f64 2=9223372036854775808,3.5", "to=13", .shape = "u64 2",
     .expected = "-9223372036854775808,3"}, /* a bit pattern in the reference */
    {"from-uint64", "Cast", "u64 2=18446744073709549568,3", "to=11", .shape = "f64 2",
     .expected = "18446744073709549568,3"},
    {"what-nothing-holds", "Cast", "3=nan,inf,1e30", "to=7", .shape = "i64 3", .expected = "0,0,0"},
    {"to-float16", "Cast", "2x3x4x5", "to=10", .shape = "f16 2x3x4x5", .tolerance = 1e-3},
    {"to-float16-kernel", "Cast", "2x19x4x5", "to=10", .tolerance = 1e-3, .steps = "narrow",
     .flags = OP_FOLLOWS},
    {"from-float16", "Cast", "f16 2x3x37", "to=1", .shape = "2x3x37", .steps = "widen"},
    {"from-int32", "Cast", "i32 2=-7,16777217", "to=1", .tolerance = 1e-7, .steps = "widen"},
    {"from-int8", "Cast", "i8 1x5x3x2", "to=1", .shape = "1x5x3x2", .steps = "widen",
     .flags = OP_FOLLOWS},
    {"from-bfloat16", "Cast", "3=1,2,-3", "to=16", .expected = "1,2,-3"},
    {"to-float64", "Cast", "3=1,2,-3", "to=11", .shape = "f64 3", .expected = "1,2,-3"},
    {"same", "Cast", "2x3x4x5", "to=1", .shape = "2x3x4x5", .steps = "copy", .flags = OP_FOLLOWS},
    {"same-int", "Cast", "i64 2x3", "to=7", .shape = "i64 2x3", .steps = "copy"},
    {"saturate", "Cast", "1=2.5", "to=6 saturate=0", .opset = 19, .expected = "2"},
    {"rounds", "Cast", "f64 3=16777217,1e-50,0.1", "to=1", .expected = "16777216,0,0.1",
     .tolerance = 1e-6},
    {"rounds-to-half", "Cast", "2=2049,65519", "to=10", .expected = "2048,65504"},
    {"like", "CastLike", "3=1.5,-2.5,300; u8 1", .opset = 15, .shape = "u8 3",
     .expected = "1,254,44"},
    {"like/same", "CastLike", "2x3; 0", .shape = "2x3"},
    {"empty", "Cast", "0x3", "to=6", .shape = "i32 0x3"},
    {"string", "Cast", "3", "to=8", .error = "data type 8"},
    {"unknown", "Cast", "3", "to=99", .error = "data type 99"},
    {"missing", "Cast", "3", .error = "attribute to is missing"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("cast", cases);
  return g_test_run ();
}
