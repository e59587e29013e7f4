#include "op_runner.h"

static const OpCase cases[] = {

    {"batch", "BatchNormalization", "1x2x1x2=1,2,3,4; !2=1,2; !2=0,1; !2=1,3; !2=4,0.25",
     "epsilon=0.0", .shape = "1x2x1x2", .expected = "0,0.5,1,5", .tolerance = 1e-6},
    {"batch/layouts", "BatchNormalization", "2x37x5x7; !37; !37; !37; !37", .tolerance = 1e-5,
     .flags = OP_POSITIVE},
    {"batch/rank-2", "BatchNormalization", "5x3; 3; 3; 3; 3", .tolerance = 1e-5,
     .flags = OP_POSITIVE},
    {"batch/rank-5", "BatchNormalization", "2x3x2x2x3; !3; !3; !3; !3", .tolerance = 1e-5,
     .flags = OP_POSITIVE},
    {"batch/training", "BatchNormalization", "2x1x2=1,2,3,6; !1=1; !1=0; !1=0; !1=1",
     "training_mode=1 epsilon=0.5 momentum=0.5", .opset = 14, .n_outputs = 2,
     .expected = "-1,-0.5,0,1.5", .second = "1.5", .tolerance = 1e-6},
    {"batch/opset-6", "BatchNormalization", "2x3x4; !3; !3; !3; !3", "is_test=1 spatial=1",
     .opset = 6, .tolerance = 1e-5, .flags = OP_POSITIVE},
    {"batch/empty", "BatchNormalization", "0x3x4; !3; !3; !3; !3", .shape = "0x3x4"},
    {"batch/rank-1", "BatchNormalization", "3; !3; !3; !3; !3", .error = "1 dimensions"},
    {"batch/vector", "BatchNormalization", "2x3; !3; !3; !2; !3", .error = "input 'x3' is 2"},
    {"batch/vector-rank", "BatchNormalization", "2x3; !1x3; !3; !3; !3", .error = "is 1x3"},
    {"batch/types", "BatchNormalization", "2x3; !3; !f64 3; !3; !3", .error = "is float64"},
    {"batch/statistics", "BatchNormalization", "2x3; !3; !3; !3; !3", .n_outputs = 3,
     .error = "without training_mode"},
    {"batch/opset-7-spatial", "BatchNormalization", "2x3; !3; !3; !3; !3", "spatial=0", .opset = 7,
     .error = "spatial is not 1"},

    {"local", "LRN", "1x3x1x1=1,2,3", "size=3 alpha=3.0 beta=1.0 bias=1.0",
     .expected = "0.16666667,0.13333333,0.21428571", .tolerance = 1e-6, .steps = "lrn"},
    {"local/layouts", "LRN", "2x37x5x7", "size=5 alpha=0.5", .tolerance = 1e-6, .steps = "lrn",
     .flags = OP_FOLLOWS},
    {"local/even", "LRN", "2x7x3x3", "size=4 beta=0.5", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"local/wider-than-channels", "LRN", "2x3x4x5", "size=9 alpha=1.0", .tolerance = 1e-6,
     .flags = OP_FOLLOWS},
    {"local/rank-3", "LRN", "2x9x4", "size=3", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"local/rank-5", "LRN", "2x9x2x2x2", "size=3", .tolerance = 1e-6, .steps = "reference"},
    {"local/size-0", "LRN", "1x3x2x2", "size=0", .error = "size 0"},
    {"local/rank-1", "LRN", "3", "size=3", .error = "1 dimensions"},
    {"local/int", "LRN", "i32 1x3x2x2", "size=3", .error = "is int32, expected floats"},
    {"local/gradient", "LRNGradient", "2x37x5x7; 2x37x5x7", "size=5 alpha=0.5", .tolerance = 2e-6,
     .steps = "lrn_gradient", .flags = OP_FOLLOWS},
    {"local/gradient-even", "LRNGradient", "2x7x3x3; 2x7x3x3", "size=4 beta=0.5 alpha=1.0 bias=2.0",
     .tolerance = 2e-6, .flags = OP_FOLLOWS},
    {"local/gradient-wide", "LRNGradient", "2x3x4; 2x3x4", "size=9 alpha=1.0", .tolerance = 2e-6,
     .flags = OP_FOLLOWS},
    {"local/gradient-rank-5", "LRNGradient", "1x9x2x2x2; 1x9x2x2x2", "size=3", .tolerance = 1e-7,
     .steps = "reference"},
    {"local/gradient-shape", "LRNGradient", "1x3x2x2; 1x3x2x1", "size=3",
     .error = "gradient is 1x3x2x1, expected 1x3x2x2"},
    {"local/missing", "LRN", "1x3x2x2", .error = "attribute size is missing"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("norm", cases);
  return g_test_run ();
}
