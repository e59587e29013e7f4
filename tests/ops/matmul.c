#include "op_runner.h"

static const OpCase cases[] = {

    {"gemm", "Gemm", "2x3=1,2,3,4,5,6; !3x2=1,2,3,4,5,6; !2=10,20", .shape = "2x2",
     .expected = "32,48,59,84", .steps = "gemm"},
    {"gemm/transposed-b", "Gemm", "5x67; !33x67; !33", "transB=1", .shape = "5x33", .steps = "gemm",
     .flags = OP_INTEGERS},
    {"gemm/one-row", "Gemm", "1x517; !517x1000; !1000", .shape = "1x1000", .steps = "gemm",
     .flags = OP_INTEGERS},
    {"gemm/one-row-floats", "Gemm", "1x517; !1000x517; !1000", "transB=1", .tolerance = 1e-5},
    {"gemm/no-bias", "Gemm", "7x5; !5x3", .steps = "gemm", .flags = OP_INTEGERS},
    {"gemm/bias-row", "Gemm", "7x5; !5x3; !1x3", .steps = "gemm", .flags = OP_INTEGERS},
    {"gemm/bias-column", "Gemm", "7x5; !5x3; !7x1", .steps = "reference", .flags = OP_INTEGERS},
    {"gemm/bias-matrix", "Gemm", "7x5; !5x3; !7x3", .flags = OP_INTEGERS},
    {"gemm/bias-scalar", "Gemm", "7x5; !5x3; !s", .flags = OP_INTEGERS},
    {"gemm/factors", "Gemm", "2x2=1,2,3,4; !2x2=1,0,0,1; !2=10,20", "alpha=2.0 beta=0.5",
     .expected = "7,14,11,18", .steps = "reference"},
    {"gemm/transposed-a", "Gemm", "5x7; !5x3", "transA=1", .shape = "7x3", .steps = "reference",
     .flags = OP_INTEGERS},
    {"gemm/both-transposed", "Gemm", "5x7; !3x5; !3", "transA=1 transB=1", .shape = "7x3",
     .flags = OP_INTEGERS},
    {"gemm/relu", "Gemm", "5x67; !67x33; !33", .act = {SL_ACT_CLIP, 0, 9}, .steps = "gemm",
     .flags = OP_INTEGERS},
    {"gemm/tanh", "Gemm", "5x7; !7x3; !3", .act = {SL_ACT_TANH, 0, 0}, .tolerance = 1e-5},
    {"gemm/weights-as-input", "Gemm", "5x7; 7x33; 33", .steps = "gemm", .flags = OP_INTEGERS},
    {"gemm/float64", "Gemm", "f64 5x7; !f64 7x3; !f64 3", .steps = "reference"},
    {"gemm/no-rows", "Gemm", "0x7; !7x3", .shape = "0x3"},
    {"gemm/no-depth", "Gemm", "2x0; !0x3; !3=1,2,3", .shape = "2x3", .expected = "1,2,3,1,2,3"},
    {"gemm/opset-6", "Gemm", "5x7; !7x3; !3", "broadcast=1", .opset = 6, .steps = "gemm",
     .flags = OP_INTEGERS},
    {"gemm/shapes", "Gemm", "2x3; !4x2", .error = "2x3 and 4x2 cannot be multiplied"},
    {"gemm/transposed-shapes", "Gemm", "2x3; !3x4", "transB=1",
     .error = "2x3 and 3x4 transposed cannot"},
    {"gemm/rank", "Gemm", "2x3x4; !4x2", .error = "cannot be multiplied"},
    {"gemm/bias", "Gemm", "2x3; !3x4; !3", .error = "bias of 3 does not broadcast to 2x4"},
    {"gemm/types", "Gemm", "2x3; !f64 3x4", .error = "input 'x1' is float64, expected float32"},
    {"gemm/bias-type", "Gemm", "2x3; !3x4; !f16 4", .error = "input 'x2' is float16"},
    {"gemm/int", "Gemm", "i32 2x3; !i32 3x4", .error = "input 'x0' is int32, expected floats"},

    {"matmul", "MatMul", "2x3=1,2,3,4,5,6; 3x2=1,2,3,4,5,6", .shape = "2x2",
     .expected = "22,28,49,64", .steps = "gemm"},
    {"matmul/large", "MatMul", "65x70; 70x67", .shape = "65x67", .flags = OP_INTEGERS},
    {"matmul/batch", "MatMul", "3x5x7; 3x7x4", .shape = "3x5x4", .steps = "gemm",
     .flags = OP_INTEGERS},
    {"matmul/shared-right", "MatMul", "2x3x5x7; 7x33", .shape = "2x3x5x33", .steps = "gemm",
     .flags = OP_INTEGERS},
    {"matmul/shared-left", "MatMul", "5x7; 3x7x4", .shape = "3x5x4", .steps = "gemm",
     .flags = OP_INTEGERS},
    {"matmul/broadcast", "MatMul", "2x1x5x7; 3x7x4", .shape = "2x3x5x4", .steps = "reference",
     .flags = OP_INTEGERS},
    {"matmul/vector-left", "MatMul", "7; 7x4", .shape = "4", .steps = "gemm", .flags = OP_INTEGERS},
    {"matmul/vector-right", "MatMul", "5x7; 7", .shape = "5", .flags = OP_INTEGERS},
    {"matmul/vectors", "MatMul", "3=1,2,3; 3=4,5,6", .shape = "s", .expected = "32"},
    {"matmul/constant", "MatMul", "5x7; !7x33", .shape = "5x33", .steps = "gemm",
     .flags = OP_INTEGERS},
    {"matmul/sigmoid", "MatMul", "5x7; 7x3", .act = {SL_ACT_SIGMOID, 0, 0}, .tolerance = 1e-5},
    {"matmul/float16", "MatMul", "f16 5x7; f16 7x3", .shape = "f16 5x3", .tolerance = 2e-3,
     .steps = "reference"},
    {"matmul/empty", "MatMul", "2x0x3; 3x4", .shape = "2x0x4"},
    {"matmul/shapes", "MatMul", "2x3; 4x2", .error = "2x3 and 4x2 cannot be multiplied"},
    {"matmul/batches", "MatMul", "2x3x4; 3x4x5", .error = "cannot be multiplied"},
    {"matmul/scalar", "MatMul", "s; 3", .error = "scalar and 3 cannot be multiplied"},
    {"matmul/types", "MatMul", "2x3; f64 3x4", .error = "is float64, expected float32"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("matmul", cases);
  return g_test_run ();
}
