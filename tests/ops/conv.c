#include "op_runner.h"

static const OpCase cases[] = {

    {"values", "Conv", "1x1x3x3=0,1,2,3,4,5,6,7,8; !1x1x2x2=1,2,3,4", .shape = "1x1x2x2",
     .expected = "27,37,57,67", .steps = "conv2d_narrow", .flags = OP_FOLLOWS},
    {"bias", "Conv", "1x1x2x2=1,2,3,4; !2x1x1x1=1,-1; !2=10,20",
     .expected = "11,12,13,14,19,18,17,16", .flags = OP_FOLLOWS},
    {"pads", "Conv", "1x1x2x2=1,2,3,4; !1x1x3x3=1,1,1,1,1,1,1,1,1", "pads=[1, 1, 1, 1]",
     .expected = "10,10,10,10"},
    {"3x3", "Conv", "2x19x13x17; !37x19x3x3; !37", "pads=[1, 1, 1, 1]", .shape = "2x37x13x17",
     .steps = "conv2d", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"3x3-floats", "Conv", "2x19x13x17; !37x19x3x3; !37", "pads=[1, 1, 1, 1]", .tolerance = 1e-5,
     .flags = OP_FOLLOWS},
    {"1x1", "Conv", "3x67x5x7; !33x67x1x1", .shape = "3x33x5x7", .steps = "conv2d",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"stem", "Conv", "1x3x32x31; !24x3x7x7; !24", "strides=[2, 2] pads=[3, 3, 3, 3]",
     .shape = "1x24x16x16", .steps = "conv2d_narrow", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"odd", "Conv", "2x5x9x11; !7x5x2x3", "strides=[3, 2] pads=[0, 1, 2, 3] dilations=[2, 3]",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"one-output", "Conv", "1x3x4x5; !2x3x4x5", .shape = "1x2x1x1",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"same-upper", "Conv", "1x3x5x6; !4x3x3x2", "auto_pad=SAME_UPPER strides=[2, 2]",
     .shape = "1x4x3x3", .flags = OP_INTEGERS},
    {"same-lower", "Conv", "1x1x1x2=1,2; !1x1x1x2=10,1", "auto_pad=SAME_LOWER", .expected = "1,12"},
    {"groups", "Conv", "2x12x7x9; !18x4x3x3; !18", "group=3 pads=[1, 1, 1, 1]", .shape = "2x18x7x9",
     .steps = "conv2d", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"depthwise", "Conv", "2x37x9x11; !37x1x3x3; !37", "group=37 pads=[1, 1, 1, 1]",
     .shape = "2x37x9x11", .steps = "depthwise2d", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"depthwise-stride", "Conv", "1x64x15x14; !64x1x5x3",
     "group=64 strides=[2, 3] pads=[2, 1, 2, 1]", .steps = "depthwise2d",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"depthwise-multiplied", "Conv", "1x6x5x5; !12x1x3x3", "group=6", .shape = "1x12x3x3",
     .steps = "conv2d", .flags = OP_INTEGERS},
    {"1d", "Conv", "2x5x33; !7x5x3; !7", "strides=[2] pads=[1, 1]", .shape = "2x7x17",
     .steps = "conv2d_narrow", .flags = OP_FOLLOWS | OP_INTEGERS},
    {"3d", "Conv", "1x2x4x5x6; !3x2x2x3x2; !3", "strides=[1, 2, 1] pads=[1, 0, 0, 0, 1, 1]",
     .steps = "reference", .flags = OP_INTEGERS},
    {"float64", "Conv", "f64 1x3x5x5; !f64 4x3x3x3", .steps = "reference"},
    {"weights-as-input", "Conv", "1x3x5x6; 4x3x3x3; 4", .steps = "conv2d_narrow",
     .flags = OP_INTEGERS},
    {"relu", "Conv", "2x19x9x7; !37x19x3x3; !37", .act = {SL_ACT_CLIP, 0, 6}, .steps = "conv2d",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"leaky", "Conv", "1x5x9x7; !6x5x3x3", .act = {SL_ACT_LEAKY, 0.5f, 0}, .flags = OP_INTEGERS},
    {"silu", "Conv", "1x5x9x7; !6x5x3x3", .act = {SL_ACT_SILU, 0, 0}, .tolerance = 1e-5},
    {"depthwise-swish", "Conv", "1x5x9x7; !5x1x3x3", "group=5", .act = {SL_ACT_HARDSWISH, 0, 0},
     .tolerance = 1e-5, .steps = "depthwise2d"},
    {"no-images", "Conv", "0x3x5x5; !4x3x3x3", .shape = "0x4x3x3"},

    {"rank", "Conv", "3x5; !4x3", .error = "weights of 4x3 do not fit an input of 3x5"},
    {"weight-rank", "Conv", "1x3x5x5; !4x3x3", .error = "weights of 4x3x3 do not fit"},
    {"channels", "Conv", "1x3x5x5; !4x2x3x3", .error = "weights of 4x2x3x3 in 1 groups"},
    {"group", "Conv", "1x4x5x5; !3x2x3x3", "group=2", .error = "in 2 groups"},
    {"group-0", "Conv", "1x4x5x5; !3x2x3x3", "group=0", .error = "in 0 groups"},
    {"bias-shape", "Conv", "1x3x5x5; !4x3x3x3; !3", .error = "bias is 3, expected 4"},
    {"kernel-shape", "Conv", "1x3x5x5; !4x3x3x3", "kernel_shape=[3, 2]",
     .error = "kernel_shape does not agree"},
    {"too-small", "Conv", "1x3x2x2; !4x3x3x3", .error = "does not fit an input of 1x3x2x2"},
    {"strides", "Conv", "1x3x5x5; !4x3x3x3", "strides=[1]", .error = "strides has 1 entries"},
    {"dilation-0", "Conv", "1x3x5x5; !4x3x3x3", "dilations=[0, 1]", .error = "dilations holds 0"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("conv", cases);
  return g_test_run ();
}
