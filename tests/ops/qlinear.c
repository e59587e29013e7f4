#include "op_runner.h"

/* Numbers of rows with values are ONNX Runtime's. */
static const OpCase cases[] = {
    {"add", "QLinearAdd",
     "u8 4=0,100,200,255; !s=0.5; !u8 s=10; u8 4=5,6,250,255; !s=0.25; !u8 s=3; !s=0.6; !u8 s=7",
     .shape = "u8 4", .expected = "0,83,255,255", .steps = "qadd"},
    {"add-follows", "QLinearAdd",
     "i8 2x37x9x5; !s=0.5; !i8 s=10; i8 2x37x9x5; !s=0.25; !i8 s=-3; !s=0.6; !i8 s=7",
     .steps = "qadd", .flags = OP_BYTES | OP_FOLLOWS},
    {"add-large", "QLinearAdd",
     "u8 3x67x31x9; s=0.05; u8 s=10; u8 3x67x31x9; s=0.02; u8 s=3; s=0.06; u8 s=70",
     .steps = "qadd", .flags = OP_BYTES | OP_FOLLOWS},
    {"add-one", "QLinearAdd",
     "u8 2x5x3x7; !s=0.5; !u8 s=10; !u8 s=77; !s=0.25; !u8 s=3; !s=0.6; !u8 s=7", .steps = "qadd",
     .flags = OP_BYTES | OP_FOLLOWS},
    {"add-row", "QLinearAdd",
     "u8 2x5x37; !s=0.5; !u8 s=10; !u8 1x37; !s=0.25; !u8 s=3; !s=0.6; !u8 s=7", .flags = OP_BYTES},
    {"add-channels", "QLinearAdd",
     "u8 2x37x3x5; !s=0.5; !u8 s=10; !u8 37x1x1; !s=0.25; !u8 s=3; !s=0.6; !u8 s=7",
     .flags = OP_BYTES | OP_FOLLOWS},
    {"add-both-ways", "QLinearAdd",
     "u8 1x5x3; !s=0.5; !u8 s=10; u8 4x1x3; !s=0.25; !u8 s=3; !s=0.6; !u8 s=7", .shape = "u8 4x5x3",
     .steps = "reference", .flags = OP_BYTES},
    {"add-no-zeros", "QLinearAdd", "u8 2=1,2; !s=1; -; u8 2=3,4; !s=1; -; !s=1", .expected = "4,6"},
    /* half-way between two numbers: what the zero points come to decides */
    {"add-halves", "QLinearAdd",
     "u8 4=91,128,146,183; !s=0.03178010880947113; !u8 s=137; u8 4=145,248,12,115; "
     "!s=0.021092401817440987; !u8 s=130; !s=0.0352461114525795; !u8 s=128",
     .expected = "96,191,66,161", .steps = "qadd"},

    {"mul", "QLinearMul",
     "i8 4=-128,-5,3,127; !s=0.5; !i8 s=10; i8 4=5,6,-7,127; !s=0.25; !i8 s=3; !s=0.6; !i8 s=7",
     .shape = "i8 4", .expected = "-50,-2,22,127", .steps = "qmul"},
    {"mul-channels", "QLinearMul",
     "u8 2x37x3x5; !s=0.5; !u8 s=10; u8 1x37x1x1; !s=0.25; !u8 s=3; !s=20; !u8 s=7",
     .flags = OP_BYTES | OP_FOLLOWS},
    {"mul-large", "QLinearMul",
     "u8 3x67x31x9; !s=0.05; !u8 s=10; u8 3x67x31x9; !s=0.02; !u8 s=3; !s=0.06; !u8 s=70",
     .steps = "qmul", .flags = OP_BYTES | OP_FOLLOWS},

    {"mean", "QLinearGlobalAveragePool",
     "u8 1x2x2x3=0,20,40,60,80,100,120,140,160,180,200,220; !s=0.5; !u8 s=10; !s=0.25; !u8 s=3",
     .shape = "u8 1x2x1x1", .expected = "83,255", .steps = "qmean"},
    {"mean-last", "QLinearGlobalAveragePool",
     "u8 1x2x2x3=0,20,40,60,80,100,120,140,160,180,200,220; !s=0.5; !u8 s=10; !s=0.75; !u8 s=3",
     "channels_last=1", .shape = "u8 1x1x1x3", .expected = "56,70,83", .steps = "qmean"},
    {"mean-follows", "QLinearGlobalAveragePool", "i8 3x67x7x9; !s=0.5; !i8 s=10; !s=0.4; !i8 s=3",
     .steps = "qmean", .flags = OP_BYTES | OP_FOLLOWS},
    {"mean-rank-3", "QLinearGlobalAveragePool", "i8 3x5x13; !s=0.5; -; !s=0.2", .shape = "i8 3x5x1",
     .steps = "qmean", .flags = OP_BYTES | OP_FOLLOWS},
    {"mean-rank-5", "QLinearGlobalAveragePool", "i8 3x5x2x3x4; !s=0.5; -; !s=0.2",
     .shape = "i8 3x5x1x1x1", .steps = "reference", .flags = OP_BYTES},

    {"leaky", "QLinearLeakyRelu", "u8 4=0,100,128,255; !s=0.1; !u8 s=128; !s=0.05; !u8 s=50",
     "alpha=0.5", .shape = "u8 4", .expected = "0,22,50,255",
     .steps = "dequantize leaky_relu quantize"},
    {"sigmoid", "QLinearSigmoid", "u8 4=0,100,128,255; !s=0.1; !u8 s=128; !s=0.00390625; !u8 s=0",
     .expected = "0,15,128,255"},
    {"average", "QLinearAveragePool",
     "u8 1x1x3x3=1,2,3,4,51,60,70,80,9; !s=0.1; !u8 s=8; !s=0.03; !u8 s=20", "kernel_shape=[2, 2]",
     .expected = "42,90,164,160"},
    {"concat", "QLinearConcat",
     "!s=0.5; !u8 s=3; u8 1x2=1,2; !s=1; !u8 s=0; u8 1x2=10,250; !s=0.25; !u8 s=3", "axis=1",
     .shape = "u8 1x4", .expected = "5,7,7,127"},

    {"add-types", "QLinearAdd", "u8 2; !s=1; -; i8 2; !s=1; -; !s=1",
     .error = "input 'x3' is int8, expected uint8"},
    {"add-shapes", "QLinearAdd", "u8 2; !s=1; -; u8 3; !s=1; -; !s=1", .error = "2 and 3 do not"},
    {"add-scale", "QLinearAdd", "u8 2; !2=1,1; -; u8 2; !s=1; -; !s=1",
     .error = "input 'x1' is 2, expected 1"},
    {"add-half", "QLinearAdd", "u8 2; !s=1; -; u8 2; !s=1", .error = "scale '' is left out"},
    {"mean-float", "QLinearGlobalAveragePool", "1x2x3x3; !s=1; -; !s=1", .error = "is float32"},
    {"mean-flat", "QLinearGlobalAveragePool", "u8 1x2; !s=1; -; !s=1", .error = "input is 1x2"},
    {"concat-parts", "QLinearConcat", "!s=1; !u8 s=0; u8 2; !s=1", "axis=0", .error = "4 inputs"},
    {"leaky-no-zero", "QLinearLeakyRelu", "i8 2; !s=1; !i8 s=0; !s=1", .error = "4 inputs"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("qlinear", cases);
  return g_test_run ();
}
