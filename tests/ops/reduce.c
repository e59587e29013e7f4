#include "op_runner.h"

static const OpCase cases[] = {

    /* Definitions. */
    {"sum", "ReduceSum", "2x3=1,2,3,4,5,6; !i64 1=1", .shape = "2x1", .expected = "6,15",
     .tolerance = 1e-6, .steps = "reduce_sum"},
    {"mean", "ReduceMean", "2x3=1,2,3,4,5,6; !i64 1=0", .opset = 18, .shape = "1x3",
     .expected = "2.5,3.5,4.5", .tolerance = 1e-6, .steps = "reduce_mean"},
    {"max", "ReduceMax", "2x3=1,nan,3,4,5,-6; !i64 1=1", .opset = 18, .expected = "nan,5",
     .steps = "reduce_max"},
    {"min", "ReduceMin", "2x3=1,nan,3,4,5,-6; !i64 1=1", .opset = 18, .expected = "nan,-6",
     .steps = "reduce_min"},
    {"prod", "ReduceProd", "2x3=1,2,3,4,5,6; !i64 1=1", .opset = 18, .expected = "6,120",
     .steps = "reduce_prod"},
    {"l1", "ReduceL1", "2x3=1,-2,3,-4,5,6; !i64 1=1", .opset = 18, .expected = "6,15",
     .steps = "reduce_l1"},
    {"l2", "ReduceL2", "2x2=3,-4,0,2; !i64 1=1", .opset = 18, .expected = "5,2", .tolerance = 1e-6,
     .steps = "reduce_l2"},
    {"sum-square", "ReduceSumSquare", "2x2=3,-4,0,2; !i64 1=1", .opset = 18, .expected = "25,4",
     .steps = "reference"},
    {"log-sum", "ReduceLogSum", "2x2=1,2,3,4; !i64 1=1", .opset = 18,
     .expected = "1.09861229,1.94591015", .tolerance = 1e-6, .steps = "reference"},
    {"log-sum-exp", "ReduceLogSumExp", "3x2=1000,1000,0,-inf,-inf,-inf; !i64 1=1", .opset = 18,
     .expected = "1000.6931472,0,-inf", .tolerance = 1e-6, .steps = "reference"},

    /* Which axes. */
    {"all", "ReduceSum", "2x3x4", .shape = "1x1x1", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"all-of-rank-4", "ReduceMean", "2x37x5x7", .opset = 18, .shape = "1x1x1x1", .tolerance = 1e-6,
     .steps = "reduce_mean", .flags = OP_FOLLOWS | OP_POSITIVE},
    {"all-empty-list", "ReduceSum", "2x3x4; !i64 0", .shape = "1x1x1", .tolerance = 1e-6},
    {"none", "ReduceSum", "2x3x4; !i64 0", "noop_with_empty_axes=1", .shape = "2x3x4",
     .flags = OP_FOLLOWS},
    {"none-given", "ReduceL1", "2x2=1,-2,3,-4", "noop_with_empty_axes=1", .opset = 18,
     .expected = "1,2,3,4"},
    {"drop", "ReduceSum", "2x3x4; !i64 1=1", "keepdims=0", .shape = "2x4", .tolerance = 1e-6},
    {"drop-all", "ReduceSum", "2x3", "keepdims=0", .shape = "s", .tolerance = 1e-6},
    {"drop-positions", "ReduceMean", "2x37x5x7; !i64 2=2,3", "keepdims=0", .opset = 18,
     .shape = "2x37", .tolerance = 1e-6, .flags = OP_POSITIVE},
    {"negative", "ReduceSum", "2x3x4; !i64 2=-1,-3", .shape = "1x3x1", .tolerance = 1e-5},
    {"twice", "ReduceSum", "2x3x4; !i64 2=1,-2", .shape = "2x1x4", .tolerance = 1e-6},
    {"unsorted", "ReduceSum", "2x3x4; !i64 2=2,1", .shape = "2x1x1", .tolerance = 1e-5},
    {"scalar", "ReduceSum", "s=3", .shape = "s", .expected = "3"},

    /* In both layouts: with one block of memory a kernel, else the reference in row-major order. */
    {"positions", "ReduceMean", "2x37x13x17; !i64 2=2,3", .opset = 18, .shape = "2x37x1x1",
     .tolerance = 1e-6, .steps = "reduce_mean", .flags = OP_FOLLOWS | OP_POSITIVE},
    {"channels", "ReduceMax", "2x37x13x17; !i64 1=1", .opset = 18, .shape = "2x1x13x17",
     .steps = "reduce_max", .flags = OP_FOLLOWS},
    {"rows", "ReduceMin", "2x37x13x17; !i64 1=2", .opset = 18, .shape = "2x37x1x17",
     .steps = "reduce_min", .flags = OP_FOLLOWS},
    {"columns", "ReduceL2", "2x37x13x17; !i64 1=3", .opset = 18, .shape = "2x37x13x1",
     .tolerance = 1e-6, .steps = "reduce_l2", .flags = OP_FOLLOWS},
    {"images", "ReduceL1", "5x37x3x7; !i64 1=0", .opset = 18, .shape = "1x37x3x7",
     .tolerance = 1e-6, .steps = "reduce_l1", .flags = OP_FOLLOWS},
    {"statistics", "ReduceMean", "5x37x3x7; !i64 3=0,2,3", .opset = 18, .shape = "1x37x1x1",
     .tolerance = 1e-6, .flags = OP_POSITIVE},
    {"image", "ReduceSum", "5x37x3x7; !i64 3=1,2,3", .shape = "5x1x1x1", .tolerance = 1e-5,
     .steps = "reduce_sum", .flags = OP_FOLLOWS | OP_POSITIVE},
    {"odd", "ReduceSum", "5x37x3x7; !i64 2=0,3", .shape = "1x37x3x1", .tolerance = 1e-5,
     .steps = "reference"},
    {"channels-and-rows", "ReduceSum", "2x5x3x7; !i64 2=1,2", .shape = "2x1x1x7",
     .tolerance = 1e-5},
    {"rank-3", "ReduceSum", "3x19x33; !i64 1=2", .shape = "3x19x1", .tolerance = 1e-5,
     .steps = "reduce_sum", .flags = OP_FOLLOWS},
    {"rank-6", "ReduceSum", "2x3x2x2x3x2; !i64 2=2,3", .shape = "2x3x1x1x3x2", .tolerance = 1e-6,
     .steps = "reduce_sum"},
    {"long", "ReduceSum", "3x20011; !i64 1=1", .tolerance = 1e-6, .flags = OP_POSITIVE},
    {"ones", "ReduceSum", "1x5x1x1; !i64 2=2,3", .shape = "1x5x1x1", .flags = OP_FOLLOWS},
    {"one-channel", "ReduceMean", "2x1x5x7; !i64 2=1,2", .opset = 18, .shape = "2x1x1x7",
     .tolerance = 1e-6, .flags = OP_FOLLOWS | OP_POSITIVE},
    {"l1-large", "ReduceL1", "37x130; !i64 1=1", .opset = 18, .tolerance = 1e-6,
     .steps = "reduce_l1", .flags = OP_FOLLOWS},
    {"prod-large", "ReduceProd", "3x5x4x6; !i64 1=1", .opset = 18, .tolerance = 1e-6,
     .steps = "reduce_prod", .flags = OP_FOLLOWS},

    /* Of nothing. */
    {"empty-sum", "ReduceSum", "2x0; !i64 1=1", .shape = "2x1", .expected = "0,0"},
    {"empty-prod", "ReduceProd", "2x0; !i64 1=1", .opset = 18, .expected = "1,1"},
    {"empty-max", "ReduceMax", "0x2; !i64 1=0", .opset = 18, .expected = "-inf,-inf"},
    {"empty-mean", "ReduceMean", "1x0; !i64 1=1", .opset = 18, .expected = "nan"},
    {"empty-result", "ReduceSum", "0x3; !i64 1=1", .shape = "0x1"},

    /* Integers. */
    {"sum-int64", "ReduceSum", "i64 2x2=9007199254740993,1,-5,3; !i64 1=1",
     .expected = "9007199254740993,-2"},
    {"max-uint64", "ReduceMax", "u64 2=18446744073709549568,3; !i64 1=0", .opset = 18,
     .expected = "-2048"}, /* a bit pattern in the reference */
    {"min-int8", "ReduceMin", "i8 3=-5,3,-128; !i64 1=0", .opset = 18, .expected = "-128"},
    {"prod-int32", "ReduceProd", "i32 3=-5,3,4", .opset = 18, .expected = "-60"},
    {"mean-int32", "ReduceMean", "i32 3=-5,-3,1", .opset = 18, .expected = "-2"},
    {"float64", "ReduceSum", "f64 3x5; !i64 1=1", .shape = "f64 3x1", .steps = "reference"},

    /* Axes as an attribute. */
    {"mean-opset-11", "ReduceMean", "2x3x4", "axes=[-2] keepdims=0", .opset = 11, .shape = "2x4",
     .tolerance = 1e-5},
    {"mean-opset-17", "ReduceMean", "2x37x5x7", "axes=[2, 3]", .shape = "2x37x1x1",
     .tolerance = 1e-6, .flags = OP_FOLLOWS | OP_POSITIVE},
    {"sum-opset-12", "ReduceSum", "2x3x4", "axes=[0, 1]", .opset = 12, .shape = "1x1x4",
     .tolerance = 1e-5},

    {"beyond", "ReduceSum", "2x3; !i64 1=2", .error = "axis 2 of an input with 2"},
    {"not-constant", "ReduceSum", "2x3; i64 1", .error = "has to be constant"},
    {"bool-max", "ReduceMax", "bool 3x2=0,1,0,0,0,0", "keepdims=0", .opset = 20, .shape = "bool s",
     .expected = "1"},
    {"bool-min", "ReduceMin", "bool 2x2=1,0,1,1; !i64 1=0", .opset = 20, .shape = "bool 1x2",
     .expected = "1,0"},
    {"bool-none", "ReduceMax", "bool 0x2; !i64 1=0", .opset = 20, .expected = "0,0"},
    {"bool-min-none", "ReduceMin", "bool 0x2; !i64 1=0", .opset = 20, .expected = "1,1"},
    {"int8-max-none", "ReduceMax", "i8 0; !i64 1=0", .opset = 20, .expected = "-128"},
    {"int32-min-none", "ReduceMin", "i32 0; !i64 1=0", .opset = 20, .expected = "2147483647"},
    {"uint16-max-none", "ReduceMax", "u16 0; !i64 1=0", .opset = 20, .expected = "0"},
    {"uint16-min-none", "ReduceMin", "u16 0; !i64 1=0", .opset = 20, .expected = "65535"},
    {"int64-max-none", "ReduceMax", "i64 0; !i64 1=0", .opset = 20,
     .expected = "-9223372036854775808"},
    {"bool", "ReduceSum", "bool 3", .opset = 18, .error = "is bool"},
    {"opset-12-inputs", "ReduceSum", "3; !i64 1=0", .opset = 12, .error = "2 inputs in opset 12"},
    {"keepdims", "ReduceSum", "3", "keepdims=2", .error = "keepdims is not 0 or 1"},

    {"argmax", "ArgMax", "2x3=1,5,5,7,2,nan", "axis=1", .shape = "i64 2x1", .expected = "1,2"},
    {"argmax/last", "ArgMax", "2x3=1,5,5,7,2,7", "axis=1 select_last_index=1", .expected = "2,2"},
    {"argmax/drop", "ArgMax", "2x5x3x4", "axis=1 keepdims=0", .shape = "i64 2x3x4"},
    {"argmax/default", "ArgMax", "2x2=1,9,3,4", .shape = "i64 1x2", .expected = "1,0"},
    {"argmax/int", "ArgMax", "i32 4=1,-9,3,2", .expected = "2"},
    {"argmin", "ArgMin", "2x3=1,0,5,7,2,nan", "axis=-1", .expected = "1,2"},
    {"argmin/uint64", "ArgMin", "u64 3=18446744073709549568,3,9", .expected = "1"},
    {"argmax/nothing", "ArgMax", "2x0", "axis=1", .error = "axis 1 has no elements"},
    {"argmax/beyond", "ArgMax", "3", "axis=1", .error = "axis 1"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("reduce", cases);
  return g_test_run ();
}
