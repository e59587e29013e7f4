#include "op_runner.h"

/* Numbers of rows with values are the specification's or ONNX Runtime's. */
static const OpCase cases[] = {
    {"specification", "QLinearConv",
     "u8 1x1x2x3=255,174,162,25,203,168; !s=0.00369204697; !u8 s=132; !u8 1x1x1x1=0; "
     "!1=0.00172794575; !u8 1=255; !s=0.00162681262; !u8 s=123",
     .shape = "u8 1x1x2x3", .expected = "0,81,93,230,52,87", .steps = "qconv2d"},
    {"1x1", "QLinearConv",
     "u8 2x37x5x9; !s=0.1; !u8 s=100; !i8 53x37x1x1; !s=0.01; !i8 s=0; !s=0.3; !u8 s=130; !i32 53",
     .shape = "u8 2x53x5x9", .steps = "qconv2d", .flags = OP_BYTES | OP_FOLLOWS},
    {"3x3", "QLinearConv",
     "i8 1x19x9x7; !s=0.1; !i8 s=-100; !i8 35x19x3x3; !s=0.01; !i8 s=7; !s=0.3; !i8 s=-3",
     "pads=[1, 1, 1, 1]", .shape = "i8 1x35x9x7", .steps = "qconv2d",
     .flags = OP_BYTES | OP_FOLLOWS},
    {"first-layer", "QLinearConv",
     "u8 1x3x17x19; !s=0.1; !u8 s=100; !u8 33x3x3x3; !s=0.01; !u8 s=128; !s=0.3; !u8 s=130; !i32 "
     "33",
     "pads=[0, 1, 2, 0] strides=[2, 1]", .steps = "qconv2d", .flags = OP_BYTES | OP_FOLLOWS},
    {"per-channel", "QLinearConv",
     "u8 1x2x3x3; !s=0.1; !u8 s=100; !i8 3x2x2x1; !3=0.01,0.02,0.004; !i8 3=0,5,-100; !s=0.05; "
     "!u8 s=130; !i32 3=500,-700,1000000",
     "strides=[1, 2]", .steps = "qconv2d", .flags = OP_BYTES},
    {"groups", "QLinearConv",
     "u8 1x6x5x7; !s=0.1; !u8 s=100; !i8 9x2x3x3; !9=1,2,3,4,5,6,7,8,9; !i8 9=0,1,2,3,4,5,6,7,8; "
     "!s=300; !u8 s=130",
     "group=3 dilations=[1, 2]", .steps = "qconv2d", .flags = OP_BYTES | OP_FOLLOWS},
    {"depthwise", "QLinearConv",
     "u8 2x67x19x11; !s=0.1; !u8 s=100; !u8 67x1x3x3; !s=0.01; !u8 s=120; !s=0.7; !u8 s=130; !i32 "
     "67",
     "group=67 pads=[1, 1, 1, 1] strides=[2, 2]", .steps = "qdepthwise2d",
     .flags = OP_BYTES | OP_FOLLOWS},
    {"depthwise-dilated", "QLinearConv",
     "i8 1x5x9x8; !s=0.1; !i8 s=-128; !i8 5x1x2x3; !5=0.1,0.2,0.3,0.4,0.5; !i8 5=1,2,3,4,5; !s=70; "
     "!i8 s=1",
     "group=5 pads=[0, 2, 3, 1] dilations=[3, 2]", .steps = "qdepthwise2d",
     .flags = OP_BYTES | OP_FOLLOWS},
    {"depthwise-wide", "QLinearConv",
     "u8 1x2x30x20; !s=0.1; !u8 s=0; !u8 2x1x20x13; !s=1; !u8 s=0; !s=2000; !u8 s=130", "group=2",
     .steps = "qconv2d", .flags = OP_BYTES},
    {"depthwise-most", "QLinearConv",
     "u8 1x2x30x20; !s=0.1; !u8 s=0; !u8 2x1x43x6; !s=1; !u8 s=0; !s=2000; !u8 s=130",
     "group=2 pads=[20, 2, 20, 2]", .steps = "qdepthwise2d", .flags = OP_BYTES},
    {"rank-3", "QLinearConv",
     "u8 2x5x31; !s=0.1; !u8 s=100; !i8 9x5x4; !s=0.01; !i8 s=0; !s=0.1; !u8 s=130; !i32 9",
     "strides=[2] pads=[1, 2]", .steps = "qconv2d", .flags = OP_BYTES | OP_FOLLOWS},
    {"rank-5", "QLinearConv",
     "u8 1x3x4x5x6; !s=0.1; !u8 s=100; !i8 4x3x2x2x3; !s=0.01; !i8 s=0; !s=0.1; !u8 s=130",
     .shape = "u8 1x4x3x4x4", .steps = "reference", .flags = OP_BYTES},
    {"all-inputs", "QLinearConv",
     "u8 1x3x5x4; s=0.1; u8 s=100; i8 4x3x2x2; 4=0.01,0.02,0.03,0.04; i8 4=0,1,2,3; s=0.1; "
     "u8 s=130; i32 4",
     "auto_pad=SAME_UPPER", .shape = "u8 1x4x5x4", .flags = OP_BYTES},
    {"long-sum", "QLinearConv",
     "u8 1x4100x2x2; !s=0.1; !u8 s=0; !u8 3x4100x1x1; !s=0.001; !u8 s=0; !s=300; !u8 s=1",
     .steps = "qconv2d", .flags = OP_BYTES | OP_FOLLOWS},
    {"no-images", "QLinearConv",
     "u8 0x3x5x5; !s=0.1; !u8 s=0; !u8 4x3x3x3; !s=1; !u8 s=0; !s=1; !u8 s=0",
     .shape = "u8 0x4x3x3"},

    {"integer", "ConvInteger", "u8 1x1x3x3=2,3,4,5,6,7,8,9,10; !u8 1x1x2x2=1,1,1,1; !u8 s=1",
     .opset = 10, .shape = "i32 1x1x2x2", .expected = "12,16,24,28", .steps = "qconv2d"},
    {"integer-padded", "ConvInteger", "u8 1x1x3x3=2,3,4,5,6,7,8,9,10; !u8 1x1x2x2=1,1,1,1; !u8 s=1",
     "pads=[1, 1, 1, 1]", .opset = 10, .expected = "1,3,5,3,5,12,16,9,11,24,28,15,7,15,17,9"},
    {"integer-no-zeros", "ConvInteger", "i8 2x5x7x6; !u8 37x5x3x3", .opset = 10, .steps = "qconv2d",
     .flags = OP_BYTES | OP_FOLLOWS},
    {"integer-depthwise", "ConvInteger", "u8 2x5x7x6; !i8 5x1x3x3; !u8 s=9; !i8 5=1,2,3,4,5",
     "group=5", .opset = 10, .steps = "qdepthwise2d", .flags = OP_BYTES | OP_FOLLOWS},

    {"float-input", "ConvInteger", "1x3x5x5; !u8 4x3x3x3", .error = "input 'x0' is float32"},
    {"zero-type", "ConvInteger", "u8 1x3x5x5; !u8 4x3x3x3; !i8 s=0",
     .error = "input 'x2' is int8, expected uint8"},
    {"channels", "ConvInteger", "u8 1x3x5x5; !u8 4x2x3x3",
     .error = "weights of 4x2x3x3 in 1 groups"},
    {"too-small", "ConvInteger", "u8 1x3x2x2; !u8 4x3x3x3", .error = "does not fit an input"},
    {"kernel-shape", "ConvInteger", "u8 1x3x5x5; !u8 4x3x3x3", "kernel_shape=[3, 2]",
     .error = "kernel_shape does not agree"},
    {"zeros", "ConvInteger", "u8 1x3x5x5; !u8 4x3x3x3; !u8 s=0; !u8 3=0,0,0",
     .error = "input 'x3' is 3, expected 1 or 4"},
    {"scale-type", "QLinearConv",
     "u8 1x3x5x5; !f16 s=0.1; !u8 s=0; !u8 4x3x3x3; !s=1; !u8 s=0; !s=1; !u8 s=0",
     .error = "scale 'x1' is float16"},
    {"bias-type", "QLinearConv",
     "u8 1x3x5x5; !s=0.1; !u8 s=0; !u8 4x3x3x3; !s=1; !u8 s=0; !s=1; !u8 s=0; !4",
     .error = "bias 'x8' is float32, expected int32"},
    {"bias-shape", "QLinearConv",
     "u8 1x3x5x5; !s=0.1; !u8 s=0; !u8 4x3x3x3; !s=1; !u8 s=0; !s=1; !u8 s=0; !i32 3",
     .error = "bias is 3, expected 4"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("qconv", cases);
  return g_test_run ();
}
