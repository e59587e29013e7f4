#include "op_runner.h"

/* Numbers of rows with values are the specification's or ONNX Runtime's. */
static const OpCase cases[] = {
    {"integer", "MatMulInteger", "u8 2x3=11,7,3,10,6,2; !u8 3x2=1,4,2,5,3,6; !u8 s=12; !u8 2=0,1",
     .opset = 10, .shape = "i32 2x2", .expected = "-38,-68,-44,-80", .steps = "qconv2d"},
    {"integer-plain", "MatMulInteger", "u8 61x37; !i8 37x71", .opset = 10, .steps = "qconv2d",
     .flags = OP_BYTES},
    {"integer-one-row", "MatMulInteger", "u8 1x1301; !i8 1301x67; !u8 1=3; !i8 1=-4", .opset = 10,
     .steps = "qconv2d", .flags = OP_BYTES},
    {"integer-batch", "MatMulInteger", "i8 2x3x5x7; !i8 7x9; !i8 s=3", .opset = 10,
     .shape = "i32 2x3x5x9", .steps = "qconv2d", .flags = OP_BYTES},
    {"integer-two-batches", "MatMulInteger", "u8 2x1x5x7; u8 3x7x9; u8 2x1x5x1; u8 3x1x9",
     .opset = 10, .shape = "i32 2x3x5x9", .steps = "reference", .flags = OP_BYTES},
    {"integer-rows", "MatMulInteger", "u8 3x2=1,2,3,4,5,6; u8 2x2=1,0,0,1; !u8 3=0,1,2",
     .opset = 10, .expected = "1,2,2,3,3,4", .steps = "reference"},
    {"integer-vectors", "MatMulInteger", "u8 3=1,2,3; u8 3=4,5,6", .opset = 10, .shape = "i32 s",
     .expected = "32"},
    {"integer-row-vector", "MatMulInteger", "u8 3=1,2,3; !i8 3x2=1,2,3,4,5,6", .opset = 10,
     .shape = "i32 2", .expected = "22,28"},
    {"integer-no-depth", "MatMulInteger", "u8 2x0; !u8 0x3", .opset = 10,
     .expected = "0,0,0,0,0,0"},

    {"matrix", "QLinearMatMul",
     "u8 2x4=208,236,0,238,3,214,255,29; !s=0.0066; !u8 s=113; "
     "!u8 4x3=152,51,244,60,26,255,0,127,246,127,254,247; !s=0.00705; !u8 s=114; !s=0.0107; !u8 "
     "s=118",
     .opset = 10, .shape = "u8 2x3", .expected = "168,115,255,1,66,151", .steps = "qconv2d"},
    {"columns", "QLinearMatMul",
     "i8 37x41; !s=0.01; !i8 s=-5; !i8 41x3; !3=0.1,0.2,0.3; !i8 3=1,-2,3; !s=2; !i8 s=4",
     .opset = 21, .steps = "qconv2d", .flags = OP_BYTES},
    {"rows", "QLinearMatMul",
     "u8 3x5; !3=0.1,0.2,0.3; !u8 3=1,2,3; !i8 5x3; !3=0.1,0.2,0.3; !i8 3=1,-2,3; !s=7; !u8 s=100",
     .opset = 21, .steps = "reference", .flags = OP_BYTES},
    {"batch", "QLinearMatMul",
     "u8 2x19x17; !s=0.01; !u8 s=5; !u8 17x33; !s=0.1; !u8 s=30; !s=2; !u8 s=4", .opset = 10,
     .shape = "u8 2x19x33", .steps = "qconv2d", .flags = OP_BYTES},
    {"as-inputs", "QLinearMatMul", "u8 5x7; s=0.01; u8 s=5; u8 7x9; s=0.1; u8 s=30; s=2; u8 s=4",
     .opset = 10, .flags = OP_BYTES},

    {"gemm-float", "QGemm",
     "u8 2x2=1,2,3,4; !s=0.5; !u8 s=1; !i8 3x2=1,-2,3,4,5,-6; !3=0.25,0.5,1; !i8 3=0,1,0; "
     "!i32 3=10,-20,30",
     "transB=1", .shape = "2x3", .expected = "1,-4.25,12,0.75,-1.75,11", .steps = "qconv2d"},
    {"gemm-bytes", "QGemm",
     "u8 33x35; !s=0.5; !u8 s=1; !i8 35x37; !s=0.01; !i8 s=3; !i32 37; !s=5; !u8 s=99",
     .shape = "u8 33x37", .steps = "qconv2d", .flags = OP_BYTES},
    {"gemm-alpha", "QGemm", "u8 7x3; !s=0.5; !u8 s=1; !i8 5x7; !s=0.01; !i8 s=3; -; !s=5; !u8 s=99",
     "alpha=0.5 transA=1 transB=1", .shape = "u8 3x5", .steps = "reference", .flags = OP_BYTES},

    {"shapes", "MatMulInteger", "u8 2x3; u8 2x3", .opset = 10, .error = "2x3 and 2x3 cannot be"},
    {"types", "MatMulInteger", "u8 2x3; i32 3x2", .opset = 10, .error = "input 'x1' is int32"},
    {"zeros", "MatMulInteger", "u8 2x3; u8 3x2; u8 3", .opset = 10,
     .error = "input 'x2' is 3, expected 1 or 2"},
    {"zeros-of-batch", "MatMulInteger", "u8 2x3; u8 3x2; u8 3x1", .opset = 10,
     .error = "input 'x2' is 3x1, expected 2x1"},
    {"gemm-rank", "QGemm", "u8 1x2x3; !s=1; !u8 s=0; u8 3x2; !s=1; !u8 s=0", .error = "cannot be"},
    {"gemm-bias", "QGemm", "u8 2x3; !s=1; !u8 s=0; u8 3x2; !s=1; !u8 s=0; !i32 3",
     .error = "bias is 3, expected 2"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("qmatmul", cases);
  return g_test_run ();
}
