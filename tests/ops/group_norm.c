#include "op_runner.h"

static const OpCase cases[] = {

    /* Of the specification. */
    {"instance", "InstanceNormalization", "1x2x1x3=-1,0,1,2,3,4; !2=1,1.5; !2=0,1", "epsilon=0.0",
     .expected = "-1.2247448714,0,1.2247448714,-0.8371173,1,2.8371173", .tolerance = 1e-6,
     .steps = "group_norm", .flags = OP_FOLLOWS},
    {"instance-sizes", "InstanceNormalization", "2x37x9x7; !37; !37", "epsilon=0.01",
     .tolerance = 1e-5, .steps = "group_norm", .flags = OP_FOLLOWS},
    {"instance-far-from-0", "InstanceNormalization",
     "1x1x4=16777216,16777218,16777220,16777222; !1=1; !1=0", "epsilon=0.0",
     .expected = "-1.3416407865,-0.4472135955,0.4472135955,1.3416407865", .tolerance = 1e-6},
    {"instance-large", "InstanceNormalization", "1x3x40x50; !3; !3", .tolerance = 1e-5,
     .flags = OP_FOLLOWS},
    {"instance-rank-3", "InstanceNormalization", "2x19x11; !19; !19", .tolerance = 1e-5,
     .flags = OP_FOLLOWS},
    {"instance-rank-5", "InstanceNormalization", "2x3x2x3x4; !3; !3", .tolerance = 1e-5,
     .steps = "reference"},
    {"instance-one-position", "InstanceNormalization", "1x3x1x1=4,5,6; !3=1,1,1; !3=1,2,3",
     .expected = "1,2,3", .tolerance = 1e-6},
    {"instance-relu", "InstanceNormalization", "1x20x3x5; !20; !20", .tolerance = 1e-5,
     .act = {SL_ACT_CLIP, 0, 1}},
    {"instance-vectors-as-inputs", "InstanceNormalization", "1x20x3x5; 20; 20", .tolerance = 1e-5},
    {"instance-empty", "InstanceNormalization", "0x3x2x2; !3; !3", .shape = "0x3x2x2"},

    {"group", "GroupNormalization", "1x4x1x1=1,3,10,20; !4=1,2,1,2; !4=0,0,5,5",
     "num_groups=2 epsilon=0.0", .opset = 21, .expected = "-1,2,4,7", .tolerance = 1e-6,
     .steps = "group_norm", .flags = OP_FOLLOWS},
    {"group-18", "GroupNormalization", "1x4x1x1=1,3,10,20; !2=1,2; !2=0,5",
     "num_groups=2 epsilon=0.0", .opset = 18, .expected = "-1,1,3,7", .tolerance = 1e-6,
     .steps = "group_norm", .flags = OP_FOLLOWS},
    {"group-sizes", "GroupNormalization", "2x60x5x7; !60; !60", "num_groups=12", .opset = 21,
     .tolerance = 1e-5, .flags = OP_FOLLOWS},
    {"group-18-sizes", "GroupNormalization", "2x60x5x7; !12; !12", "num_groups=12", .opset = 20,
     .tolerance = 1e-5, .flags = OP_FOLLOWS},
    {"group-wide", "GroupNormalization", "1x74x9x3; !74; !74", "num_groups=2", .opset = 21,
     .tolerance = 1e-5, .flags = OP_FOLLOWS},
    {"group-all", "GroupNormalization", "2x33x4x4; !33; !33", "num_groups=1", .opset = 21,
     .tolerance = 1e-5, .flags = OP_FOLLOWS},
    {"group-each", "GroupNormalization", "2x33x4x4; !33; !33", "num_groups=33", .opset = 21,
     .tolerance = 1e-5, .flags = OP_FOLLOWS},
    {"group-rank-2", "GroupNormalization", "3x8; !8; !8", "num_groups=2", .opset = 21,
     .tolerance = 1e-5},
    {"group-silu", "GroupNormalization", "1x24x5x5; !24; !24", "num_groups=3", .opset = 21,
     .tolerance = 1e-5, .act = {SL_ACT_SILU, 0, 0}},
    {"group-float64", "GroupNormalization", "f64 1x4x3x3; !f64 4; !f64 4", "num_groups=2",
     .opset = 21, .tolerance = 1e-6, .steps = "reference"},

    {"mean-variance", "MeanVarianceNormalization", "1x2x1x2=1,3,10,20", .expected = "-1,1,-1,1",
     .tolerance = 1e-6},
    {"mean-variance-axes", "MeanVarianceNormalization", "2x2=1,10,3,20", "axes=[0]",
     .expected = "-1,-1,1,1", .tolerance = 1e-6},
    {"mean-variance-last", "MeanVarianceNormalization", "3x4x5", "axes=[-1, 1]", .tolerance = 1e-6},
    {"mean-variance-equal", "MeanVarianceNormalization", "1x1x1x3=2,2,2", .expected = "0,0,0"},
    {"mean-variance-sizes", "MeanVarianceNormalization", "2x7x5x3", .tolerance = 1e-6},

    {"instance-vector", "InstanceNormalization", "2x3x4; !3; !4",
     .error = "input 'x2' is 4, expected 3"},
    {"instance-rank-2", "InstanceNormalization", "2x3; !3; !3", .error = "2 dimensions"},
    {"group-divisor", "GroupNormalization", "2x4x3; !4; !4", "num_groups=3", .opset = 21,
     .error = "3 groups of 4 channels"},
    {"group-none", "GroupNormalization", "2x4x3; !4; !4", "num_groups=0", .opset = 21,
     .error = "0 groups of 4 channels"},
    {"group-missing", "GroupNormalization", "2x4x3; !4; !4", .opset = 21,
     .error = "attribute num_groups is missing"},
    {"group-18-channels", "GroupNormalization", "2x4x3; !4; !4", "num_groups=2", .opset = 18,
     .error = "input 'x1' is 4, expected 2"},
    {"group-21-groups", "GroupNormalization", "2x4x3; !2; !2", "num_groups=2", .opset = 21,
     .error = "input 'x1' is 2, expected 4"},
    {"mean-variance-rank", "MeanVarianceNormalization", "2x3", .error = "axis 2"},
    {"mean-variance-twice", "MeanVarianceNormalization", "2x3", "axes=[1, -1]",
     .error = "axis 1 stands there twice"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("group_norm", cases);
  return g_test_run ();
}
