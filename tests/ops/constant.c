#include "op_runner.h"

static const OpCase cases[] = {

    {"shape", "Shape", "2x3x4", .shape = "i64 3", .expected = "2,3,4"},
    {"shape/range", "Shape", "2x3x4", "start=-2 end=3", .shape = "i64 2", .expected = "3,4"},
    {"shape/nothing", "Shape", "2x3x4", "start=2 end=1", .shape = "i64 0"},
    {"shape/far", "Shape", "2x3x4", "start=-9 end=9", .expected = "2,3,4"},
    {"shape/scalar", "Shape", "s", .shape = "i64 0"},
    {"size", "Size", "2x3x4", .shape = "i64 s", .expected = "24"},
    {"size/empty", "Size", "2x0", .expected = "0"},

    {"expand", "Expand", "2x1=1,2; !i64 2=2,3", .shape = "2x3", .expected = "1,1,1,2,2,2",
     .steps = "copy"},
    {"expand/both-ways", "Expand", "3x1; !i64 3=2,1,4", .shape = "2x3x4"},
    {"expand/smaller", "Expand", "2x3; !i64 1=1", .shape = "2x3"},
    {"expand/channels", "Expand", "2x5x1x1; !i64 4=2,5,3,4", .shape = "2x5x3x4",
     .flags = OP_FOLLOWS},
    {"expand/scalar", "Expand", "s=7; !i64 2=2,2", .expected = "7,7,7,7"},
    {"expand/int8", "Expand", "i8 1=7; !i64 1=3", .shape = "i8 3", .steps = "copy"},
    {"expand/empty", "Expand", "1; !i64 2=0,3", .shape = "0x3"},
    {"expand/misfit", "Expand", "2x3; !i64 2=2,4", .error = "2x3 and 2x4 do not broadcast"},
    {"expand/negative", "Expand", "2x3; !i64 2=-1,3", .error = "is no shape"},
    {"expand/rank-9", "Expand", "1; !i64 9=1,1,1,1,1,1,1,1,1", .error = "is no shape"},
    {"expand/not-constant", "Expand", "1; i64 1", .error = "has to be constant"},
    {"expand/huge", "Expand", "1; !i64 3=4294967296,4294967296,4294967296",
     .error = "would have the shape"},

    {"of-shape", "ConstantOfShape", "!i64 2=2,3", "value={i32 1=7}", .shape = "i32 2x3",
     .expected = "7,7,7,7,7,7"},
    {"of-shape/zero", "ConstantOfShape", "!i64 1=3", .shape = "3", .expected = "0,0,0"},
    {"of-shape/scalar", "ConstantOfShape", "!i64 0", "value={1=2.5}", .shape = "s",
     .expected = "2.5"},
    {"of-shape/empty", "ConstantOfShape", "!i64 2=0,3", .shape = "0x3"},
    {"of-shape/two", "ConstantOfShape", "!i64 1=3", "value={2=1,2}", .error = "one element"},
    {"of-shape/type", "ConstantOfShape", "!i64 1=3", "value=7", .error = "one element"},
    {"of-shape/attribute", "ConstantOfShape", "!i64 1=3", "fill=7",
     .error = "expected value alone"},
    {"of-shape/huge", "ConstantOfShape", "!i64 2=1048576,1048576",
     .error = "more than constants made of shapes may take"},
    {"of-shape/negative", "ConstantOfShape", "!i64 1=-1", .error = "is no shape"},
    {"of-shape/not-constant", "ConstantOfShape", "i64 1", .error = "has to be constant"},

    {"tile", "Tile", "1x2=1,2; !i64 2=2,3", .shape = "2x6", .expected = "1,2,1,2,1,2,1,2,1,2,1,2",
     .steps = "copy"},
    {"tile/planes", "Tile", "2x3x4x5; !i64 4=1,2,1,3", .shape = "2x6x4x15", .steps = "copy"},
    {"tile/all-of-rank-5", "Tile", "2x1x2x3x2; !i64 5=2,2,2,2,2", .shape = "4x2x4x6x4",
     .steps = "reference"},
    {"tile/none", "Tile", "2; !i64 1=0", .shape = "0"},
    {"tile/none-of-many", "Tile", "47x2; !i64 2=0,250000000000000000",
     .shape = "0x500000000000000000"},
    {"tile/int64", "Tile", "i64 2=1,2; !i64 1=2", .expected = "1,2,1,2"},
    {"tile/count", "Tile", "2x3; !i64 1=2", .error = "are no 2 counts"},
    {"tile/negative", "Tile", "2; !i64 1=-1", .error = "are no 1 counts"},
    {"tile/huge", "Tile", "4; !i64 1=4611686018427387904", .error = "are no 1 counts"},

    {"range", "Range", "!s=1; !s=2.5; !s=0.5", .shape = "3", .expected = "1,1.5,2"},
    {"range/back", "Range", "!i64 s=5; !i64 s=0; !i64 s=-2", .shape = "i64 3", .expected = "5,3,1"},
    {"range/nothing", "Range", "!i32 s=5; !i32 s=0; !i32 s=2", .shape = "i32 0"},
    {"range/step-0", "Range", "!s=1; !s=2; !s=0", .error = "no range from 1 to 2 in steps of 0"},
    {"range/types", "Range", "!s=1; !i64 s=2; !s=1", .error = "no constant scalar of float32"},
    {"range/not-constant", "Range", "!s=1; s=2; !s=1", .error = "input 1, 'x1'"},
    {"range/nan", "Range", "!s=1; !s=nan; !s=1", .error = "no range"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("constant", cases);
  return g_test_run ();
}
