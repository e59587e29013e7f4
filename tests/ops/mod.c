#include "op_runner.h"

static const OpCase cases[] = {

    {"int32", "Mod", "i32 6=-4,7,5,4,-7,8; i32 6=2,-3,8,-2,3,5", .opset = 10, .shape = "i32 6",
     .expected = "0,-2,5,0,2,3"},
    {"int32/fmod", "Mod", "i32 6=-4,7,5,4,-7,8; i32 6=2,-3,8,-2,3,5", "fmod=1",
     .expected = "0,1,5,0,-1,3"},
    {"float32", "Mod", "4=-4.25,7.5,5,-7.5; 4=2,-3,8,3", "fmod=1", .shape = "4",
     .expected = "-0.25,1.5,5,-1.5"},
    {"float16", "Mod", "f16 2=5.5,-5.5; f16 1=2", "fmod=1", .expected = "1.5,-1.5"},
    {"float64", "Mod", "f64 1=1e17; f64 1=3", "fmod=1", .expected = "1"},
    {"int64/edges", "Mod", "i64 3=-9223372036854775808,5,5; i64 3=-1,0,-9223372036854775808",
     .expected = "0,0,-9223372036854775803"},
    {"uint64", "Mod", "u64 2=18446744073709549568,9; u64 2=10,4", .expected = "8,1"},
    {"uint8", "Mod", "u8 2=200,7; u8 1=9", .shape = "u8 2", .expected = "2,7"},
    {"int8/broadcast", "Mod", "i8 2x1=-5,5; i8 3=-3,3,4", .shape = "i8 2x3",
     .expected = "-2,1,3,-1,2,1"},
    {"scalars", "Mod", "i32 s=7; i32 s=4", .shape = "i32 s", .expected = "3"},
    {"empty", "Mod", "i32 0x3; i32 3", .shape = "i32 0x3"},
    {"float/no-fmod", "Mod", "2; 2", .error = "float32 with fmod 0, expected 1"},
    {"types", "Mod", "i32 2; i64 2", .error = "int32 modulo int64 ('x1')"},
    {"bool", "Mod", "bool 2; bool 2", .error = "bool modulo bool"},
    {"shapes", "Mod", "i32 2; i32 3", .error = "do not broadcast"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("mod", cases);
  return g_test_run ();
}
