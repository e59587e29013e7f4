#include "op_runner.h"

static const OpCase cases[] = {

    {"affine", "ChannelAffine", "1x2x1x2=1,2,3,4; !2=10,100; !2=1,2", .shape = "1x2x1x2",
     .expected = "11,21,302,402", .steps = "affine", .flags = OP_FOLLOWS},
    {"affine/layouts", "ChannelAffine", "2x37x5x7; !37; !37", .steps = "affine",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"affine/rank-2", "ChannelAffine", "5x37; !37; !37", .steps = "affine", .flags = OP_INTEGERS},
    {"affine/rank-3", "ChannelAffine", "2x19x7; !19; !19", .steps = "affine",
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"affine/rank-5", "ChannelAffine", "2x3x2x2x3; !3; !3", .steps = "reference",
     .flags = OP_INTEGERS},
    {"affine/relu", "ChannelAffine", "2x37x5x7; !37; !37", .act = {SL_ACT_CLIP, 0, 6},
     .flags = OP_FOLLOWS | OP_INTEGERS},
    {"affine/sigmoid", "ChannelAffine", "2x7x5x3; !7; !7", .act = {SL_ACT_SIGMOID, 0, 0},
     .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"affine/vector", "ChannelAffine", "2x3x4; !4; !4", .error = "input 1 is 4"},
    {"scale-weights", "ScaleWeights", "2x3=1,2,3,4,5,6; 2=10,100",
     .expected = "10,20,30,400,500,600"},
    {"scale-bias", "ScaleBias", "2=1,2; 2x1x1=10,100; 2=5,6", .shape = "2", .expected = "15,206"},
    {"scale-bias/none", "ScaleBias", "-; 2=10,100; 2=5,6", .expected = "5,6"},
    {"scale-bias/no-scale", "ScaleBias", "2=1,2; -; 1x2=5,6", .expected = "6,8"},
    {"affine-of-norm", "AffineOfNorm", "2=1,2; 2=0,1; 2=1,3; 2=4,0.25", .n_outputs = 2,
     .expected = "0.5,4", .second = "-0.5,-11", .tolerance = 1e-6, .steps = "affine_of_norm"},
    {"affine-of-norm/odd", "AffineOfNorm",
     "19; 19; 19; "
     "19=0.25,2.84,5.43,0.99,3.58,6.17,1.73,4.32,6.91,2.47,5.06,0.62,3.21,5.8,1.36,3.95,6.54,2.1,4."
     "69",
     .n_outputs = 2, .tolerance = 1e-6},
    {"align", "AlignAxis", "2x3; 4x2x3x5", "axis=1", .shape = "2x3x1"},
    {"align/at-the-end", "AlignAxis", "3x5; 4x2x3x5", "axis=2", .shape = "3x5"},
    {"align/scalar", "AlignAxis", "s; 4x2", "axis=0", .shape = "s"},
    {"align/misfit", "AlignAxis", "2x3; 4x2", "axis=1", .error = "from axis 1 on"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("internal", cases);
  return g_test_run ();
}
