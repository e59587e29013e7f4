#include "op_runner.h"

static const OpCase cases[] = {

    {"one-hot", "OneHot", "i64 3=0,2,-1; !i64 s=3; 2=5,7", .opset = 9, .shape = "3x3",
     .expected = "7,5,5,5,5,7,5,5,7"},
    {"one-hot/outside", "OneHot", "i64 3=3,-4,1; !i64 1=3; 2=0,1", .expected = "0,0,0,0,0,0,0,1,0"},
    {"one-hot/first-axis", "OneHot", "i64 2=0,2; !i64 s=3; i32 2=0,1", "axis=0", .shape = "i32 3x2",
     .expected = "1,0,0,0,0,1"},
    {"one-hot/middle", "OneHot", "i64 2x2=0,1,1,0; !i32 s=2; 2=0,1", "axis=1", .shape = "2x2x2",
     .expected = "1,0,0,1,0,1,1,0"},
    {"one-hot/floats", "OneHot", "3=1,0,1.5; !s=2; bool 2=0,1", .shape = "bool 3x2",
     .expected = "0,1,1,0,0,0"},
    {"one-hot/scalar", "OneHot", "i64 s=1; !i64 s=3; 2=0,1", .shape = "3", .expected = "0,1,0"},
    {"one-hot/large", "OneHot", "i64 37x5; !i64 s=19; 2", "axis=-2", .shape = "37x19x5"},
    {"one-hot/empty", "OneHot", "i64 0; !i64 s=3; 2=0,1", .shape = "0x3"},
    {"one-hot/run-time", "OneHot", "i64 3; i64 s=3; 2=0,1", .error = "depth 'x1' is no constant"},
    {"one-hot/depth", "OneHot", "i64 3; !i64 s=0; 2=0,1", .error = "of at least 1"},
    {"one-hot/values", "OneHot", "i64 3; !i64 s=3; 3=0,1,2", .error = "values are not two"},
    {"one-hot/axis", "OneHot", "i64 3; !i64 s=3; 2=0,1", "axis=2", .error = "axis 2"},
    {"one-hot/rank", "OneHot", "i64 1x1x1x1x1x1x1x1; !i64 s=3; 2", .error = "9 dimensions"},
    {"eye", "EyeLike", "2x3", .opset = 9, .shape = "2x3", .expected = "1,0,0,0,1,0"},
    {"eye/above", "EyeLike", "2x3", "k=1", .expected = "0,1,0,0,0,1"},
    {"eye/below", "EyeLike", "i32 3x2", "k=-1", .shape = "i32 3x2", .expected = "0,0,1,0,0,1"},
    {"eye/dtype", "EyeLike", "2x2", "dtype=11", .shape = "f64 2x2", .expected = "1,0,0,1"},
    {"eye/bool", "EyeLike", "2x2", "dtype=9", .shape = "bool 2x2", .expected = "1,0,0,1"},
    {"eye/far", "EyeLike", "2x2", "k=9223372036854775807", .expected = "0,0,0,0"},
    {"eye/rank", "EyeLike", "2x2x2", .error = "3 dimensions, expected 2"},
    {"eye/string", "EyeLike", "2x2", "dtype=8", .error = "data type 8"},
    {"trilu", "Trilu", "3x3=1,2,3,4,5,6,7,8,9", .opset = 14, .shape = "3x3",
     .expected = "1,2,3,0,5,6,0,0,9"},
    {"trilu/lower", "Trilu", "3x3=1,2,3,4,5,6,7,8,9", "upper=0", .expected = "1,0,0,4,5,0,7,8,9"},
    {"trilu/above", "Trilu", "2x3=1,2,3,4,5,6; i64 s=1", .expected = "0,2,3,0,0,6"},
    {"trilu/lower-below", "Trilu", "2x3=1,2,3,4,5,6; !i64 s=-1", "upper=0",
     .expected = "0,0,0,4,0,0"},
    {"trilu/batch", "Trilu", "2x2x2=1,2,3,4,5,6,7,8; i64 1=0", .expected = "1,2,0,4,5,6,0,8"},
    {"trilu/far", "Trilu", "2x2=1,2,3,4; i64 s=-9223372036854775808", .expected = "1,2,3,4"},
    {"trilu/int64", "Trilu", "i64 2x2=1,2,3,4", .shape = "i64 2x2", .expected = "1,2,0,4"},
    {"trilu/bool", "Trilu", "bool 2x2=1,1,1,1", "upper=0", .expected = "1,0,1,1"},
    {"trilu/nan", "Trilu", "2x2=1,2,nan,4", .expected = "1,2,0,4"},
    {"trilu/rank-6", "Trilu", "2x1x2x1x5x3; i64 s=-2", .shape = "2x1x2x1x5x3"},
    {"trilu/empty", "Trilu", "2x0x3", .shape = "2x0x3"},
    {"trilu/vector", "Trilu", "3", .error = "1 dimensions, expected 2 or more"},
    {"trilu/k", "Trilu", "3x3; i64 2", .error = "k, 'x1', is no int64 scalar"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("indicator", cases);
  return g_test_run ();
}
