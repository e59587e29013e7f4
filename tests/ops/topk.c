#include "op_runner.h"

static const OpCase cases[] = {

    {"largest", "TopK", "2x4=1,9,3,7,-1,-4,-2,-3; !i64 1=2", .n_outputs = 2, .shape = "2x2",
     .expected = "9,7,-1,-2", .second = "1,3,0,2"},
    {"smallest", "TopK", "2x4=1,9,3,7,-1,-4,-2,-3; !i64 1=3", "largest=0", .n_outputs = 2,
     .expected = "1,3,7,-4,-3,-2", .second = "0,2,3,1,3,2"},
    {"ties", "TopK", "6=2,5,2,5,2,5; !i64 1=4", .n_outputs = 2, .expected = "5,5,5,2",
     .second = "1,3,5,0"},
    {"ties/smallest", "TopK", "6=2,5,2,5,2,5; !i64 1=4", "largest=0", .n_outputs = 2,
     .expected = "2,2,2,5", .second = "0,2,4,1"},
    {"all", "TopK", "5=3,1,4,1,5; !i64 1=5", .n_outputs = 2, .expected = "5,4,3,1,1",
     .second = "4,2,0,1,3"},
    {"none", "TopK", "2x3; !i64 1=0", .n_outputs = 2, .shape = "2x0"},
    {"one", "TopK", "3=1,3,2; !i64 1=1", .n_outputs = 2, .expected = "3", .second = "1"},
    {"unsorted", "TopK", "4=1,9,3,7; !i64 1=2", "sorted=0", .n_outputs = 2, .expected = "9,7",
     .second = "1,3"},
    {"first-axis", "TopK", "3x2=1,6,5,2,3,4; !i64 1=2", "axis=0", .n_outputs = 2, .shape = "2x2",
     .expected = "5,6,3,4", .second = "1,0,2,2"},
    {"middle-axis", "TopK", "2x3x2=1,2,3,4,5,6,6,5,4,3,2,1; !i64 1=1", "axis=-2", .n_outputs = 2,
     .shape = "2x1x2", .expected = "5,6,6,5", .second = "2,2,0,0"},
    {"classes", "TopK", "3x1000; !i64 1=5", .n_outputs = 2, .shape = "3x5"},
    {"heap", "TopK", "7x257; !i64 1=100", "largest=0", .n_outputs = 2, .flags = OP_INTEGERS},
    {"values-alone", "TopK", "4=1,9,3,7; !i64 1=2", .expected = "9,7"},
    {"nan", "TopK", "4=1,nan,inf,2; !i64 1=3", .n_outputs = 2, .expected = "nan,inf,2",
     .second = "1,2,3"},
    {"nan/smallest", "TopK", "3=nan,1,-inf; !i64 1=3", "largest=0", .n_outputs = 2,
     .expected = "-inf,1,nan", .second = "2,1,0"},
    {"int64", "TopK", "i64 4=-9223372036854775808,5,7,-1; !i64 1=2", .n_outputs = 2,
     .shape = "i64 2", .expected = "7,5", .second = "2,1"},
    {"uint64", "TopK", "u64 3=1,18446744073709549568,7; !i64 1=1", .n_outputs = 2,
     .expected = "-2048", .second = "1"}, /* a bit pattern in the reference */
    {"uint8", "TopK", "u8 3=200,100,250; !i64 1=2", .shape = "u8 2", .expected = "250,200"},
    {"rank-6", "TopK", "2x1x3x5x2x2; !i64 1=3", "axis=3", .n_outputs = 2, .shape = "2x1x3x3x2x2"},
    {"no-rows", "TopK", "0x3; !i64 1=2", .n_outputs = 2, .shape = "0x2"},
    {"opset-9", "TopK", "2x3=1,3,2,6,5,4", "k=2 axis=-1", .opset = 9, .n_outputs = 2,
     .expected = "3,2,6,5", .second = "1,2,0,1"},
    {"opset-10", "TopK", "3=1,3,2; !i64 1=2", .opset = 10, .n_outputs = 2, .expected = "3,2"},
    {"too-many", "TopK", "3; !i64 1=4", .error = "k, 'x1', is no number of up to 3"},
    {"negative", "TopK", "3; !i64 1=-1", .error = "is no number of up to 3"},
    {"two-ks", "TopK", "3; !i64 2=1,1", .error = "is no number of up to 3"},
    {"run-time-k", "TopK", "3; i64 1=1", .error = "has to be constant"},
    {"axis", "TopK", "3; !i64 1=1", "axis=1", .error = "axis 1"},
    {"bool", "TopK", "bool 3; !i64 1=1", .error = "is bool"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("topk", cases);
  return g_test_run ();
}
