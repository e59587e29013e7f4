#include "op_runner.h"

/* Convolutions whose weights are packed for Winograd's kernels. */
static const OpCase cases[] = {
    {"f23", "Conv", "2x19x13x17; !37x19x3x3; !37", "pads=[1, 1, 1, 1]", .shape = "2x37x13x17",
     .steps = "winograd_f23", .tolerance = 1e-5, .flags = OP_FOLLOWS | OP_F23},
    {"f43", "Conv", "2x19x13x17; !37x19x3x3; !37", "pads=[1, 1, 1, 1]", .shape = "2x37x13x17",
     .steps = "winograd_f43", .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    {"f23/pads", "Conv", "1x9x9x11; !7x9x3x3", "pads=[0, 1, 1, 0]", .steps = "winograd_f23",
     .tolerance = 1e-5, .flags = OP_FOLLOWS | OP_F23},
    {"f43/pads", "Conv", "1x9x9x11; !7x9x3x3", "pads=[0, 1, 1, 0]", .steps = "winograd_f43",
     .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    {"f43/same", "Conv", "1x8x7x7; !16x8x3x3", "auto_pad=SAME_LOWER", .shape = "1x16x7x7",
     .steps = "winograd_f43", .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    {"f43/relu", "Conv", "1x9x9x7; !6x9x3x3; !6", .act = {SL_ACT_CLIP, 0, 6},
     .steps = "winograd_f43", .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    {"f43/residual", "Conv", "2x20x9x14; !36x20x3x3; !36; 2x36x9x14", "pads=[1, 1, 1, 1]",
     .act = {SL_ACT_CLIP, 0, 60}, .steps = "winograd_f43", .tolerance = 2e-5,
     .flags = OP_FOLLOWS | OP_F43 | OP_RESIDUAL},
    {"f23/residual", "Conv", "1x9x6x5; !7x9x3x3; 1x7x6x5", "pads=[1, 1, 1, 1]",
     .steps = "winograd_f23", .tolerance = 1e-5, .flags = OP_FOLLOWS | OP_F23 | OP_RESIDUAL},
    {"f43/one", "Conv", "1x8x3x3; !1x8x3x3", .shape = "1x1x1x1", .steps = "winograd_f43",
     .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    {"f23/uneven-pads", "Conv", "1x8x8x9; !20x8x3x3; !20", "pads=[2, 0, 1, 3]",
     .steps = "winograd_f23", .tolerance = 1e-5, .flags = OP_FOLLOWS | OP_F23},
    {"f43/leaky", "Conv", "1x12x6x9; !8x12x3x3; !8", .act = {SL_ACT_LEAKY, 0.1f, 0},
     .steps = "winograd_f43", .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    /* What is off is a part of the sums, which are larger than these results. */
    {"f43/sigmoid", "Conv", "1x12x6x9; !8x12x3x3; !8", .act = {SL_ACT_SIGMOID, 0, 0},
     .steps = "winograd_f43", .tolerance = 2e-4, .flags = OP_FOLLOWS | OP_F43},
    {"f23/tanh", "Conv", "1x12x6x9; !8x12x3x3; !8", .act = {SL_ACT_TANH, 0, 0},
     .steps = "winograd_f23", .tolerance = 2e-4, .flags = OP_FOLLOWS | OP_F23},
    {"f23/hard-swish", "Conv", "1x12x6x9; !8x12x3x3; !8", .act = {SL_ACT_HARDSWISH, 0, 0},
     .steps = "winograd_f23", .tolerance = 1e-5, .flags = OP_FOLLOWS | OP_F23},
    {"f43/many-tiles", "Conv", "1x8x34x38; !72x8x3x3; !72", "pads=[1, 1, 1, 1]",
     .steps = "winograd_f43", .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    {"f43/silu", "Conv", "1x9x9x7; !6x9x3x3", .act = {SL_ACT_SILU, 0, 0}, .steps = "winograd_f43",
     .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    {"turned-f23", "ConvTranspose", "2x19x13x17; !19x37x3x3; !37", "pads=[1, 1, 1, 1]",
     .shape = "2x37x13x17", .steps = "winograd_f23", .tolerance = 1e-5,
     .flags = OP_FOLLOWS | OP_F23},
    {"turned-f43", "ConvTranspose", "1x9x9x11; !9x17x3x3", "pads=[0, 1, 1, 2]",
     .steps = "winograd_f43", .tolerance = 2e-5, .flags = OP_FOLLOWS | OP_F43},
    {"turned-beyond", "ConvTranspose", "1x9x9x11; !9x17x3x3", "pads=[3, 4, 2, 5]",
     .shape = "1x17x6x4", .steps = "winograd_f23", .tolerance = 1e-5, .flags = OP_FOLLOWS | OP_F23},
    {"turned-relu", "ConvTranspose", "1x9x5x4; !9x20x3x3; !20", .act = {SL_ACT_CLIP, 0, 6},
     .steps = "winograd_f23", .tolerance = 1e-5, .flags = OP_FOLLOWS | OP_F23},
    {"no-images", "Conv", "0x8x5x5; !4x8x3x3", .shape = "0x4x3x3", .flags = OP_F43},
    {"no-channels", "Conv", "1x0x5x5; !4x0x3x3", .shape = "1x4x3x3", .steps = "reference",
     .flags = OP_F43},

    /* What it is not for. */
    {"weights-as-input", "Conv", "1x8x5x6; 12x8x3x3; 12", .steps = "conv2d",
     .flags = OP_INTEGERS | OP_F43},
    {"stride", "Conv", "1x8x9x9; !4x8x3x3", "strides=[1, 2]", .steps = "conv2d",
     .flags = OP_INTEGERS | OP_F43},
    {"dilation", "Conv", "1x8x9x9; !12x8x3x3", "dilations=[2, 1]", .steps = "conv2d",
     .flags = OP_INTEGERS | OP_F43},
    {"groups", "Conv", "1x4x9x9; !4x2x3x3", "group=2", .steps = "conv2d",
     .flags = OP_INTEGERS | OP_F43},
    {"few-channels", "Conv", "1x7x9x9; !12x7x3x3", .steps = "conv2d_narrow",
     .flags = OP_INTEGERS | OP_F43},
    {"depthwise", "Conv", "1x4x9x9; !4x1x3x3", "group=4", .steps = "depthwise2d",
     .flags = OP_INTEGERS | OP_F43},
    {"3x1", "Conv", "1x8x9x9; !4x8x3x1", .steps = "conv2d", .flags = OP_INTEGERS | OP_F43},
    {"1d", "Conv", "1x8x9; !4x8x3", .steps = "conv2d", .flags = OP_INTEGERS | OP_F43},
    {"turned-stride", "ConvTranspose", "1x8x9x9; !8x20x3x3", "strides=[2, 2]",
     .steps = "conv_transpose2d", .flags = OP_INTEGERS | OP_F43},
    {"turned-weights-as-input", "ConvTranspose", "1x8x5x6; 8x20x3x3", .steps = "conv_transpose2d",
     .flags = OP_INTEGERS | OP_F43},
    {"float64", "Conv", "f64 1x3x5x5; !f64 4x3x3x3", .steps = "reference", .flags = OP_F43},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("winograd", cases);
  return g_test_run ();
}
