#include "op_runner.h"

#include <math.h>

static const OpCase cases[] = {

    {"values", "LayerNormalization", "2x2=1,3,10,20; !2=1,2; !2=0,5", "epsilon=0.0",
     .expected = "-1,7,-1,7", .tolerance = 1e-6, .steps = "layer_norm"},
    {"no-bias", "LayerNormalization", "1x3=1,2,3; !3=1,1,1", "epsilon=0.0",
     .expected = "-1.2247448714,0,1.2247448714", .tolerance = 1e-6},
    {"moments", "LayerNormalization", "2x2=1,3,10,20; !2", .n_outputs = 2, .second = "2,15",
     .tolerance = 1e-6, .steps = "reference"},
    {"all-moments", "LayerNormalization", "2x3x4; !4", .n_outputs = 3, .tolerance = 1e-6},
    {"epsilon", "LayerNormalization", "1x2=1,3; !2=1,1", "epsilon=3.0", .expected = "-0.5,0.5",
     .tolerance = 1e-6},
    {"far-from-0", "LayerNormalization", "1x4=16777216,16777218,16777220,16777222; !4=1,1,1,1",
     "epsilon=0.0", .expected = "-1.3416407865,-0.4472135955,0.4472135955,1.3416407865",
     .tolerance = 1e-6},
    {"equal", "LayerNormalization", "2x5=7,7,7,7,7,0,0,0,0,0; !5=1,1,1,1,1",
     .expected = "0,0,0,0,0,0,0,0,0,0", .tolerance = 1e-6},
    {"sizes", "LayerNormalization", "3x7x97; !97; !97", .tolerance = 1e-5, .steps = "layer_norm"},
    {"large", "LayerNormalization", "5x3000; !3000; !3000", .tolerance = 1e-5},
    {"one", "LayerNormalization", "4x1; !1; !1", .tolerance = 1e-6},
    {"axis", "LayerNormalization", "2x3x4x5; !3x4x5; !3x4x5", "axis=1", .tolerance = 1e-5,
     .steps = "layer_norm"},
    {"axis-0", "LayerNormalization", "3x5; !3x5", "axis=0", .tolerance = 1e-5},
    {"axis-negative", "LayerNormalization", "2x3x4x5; !4x5; !4x5", "axis=-2", .tolerance = 1e-5},
    {"broadcast", "LayerNormalization", "2x3x4; !4; !3x1", "axis=1", .tolerance = 1e-6,
     .steps = "reference"},
    {"relu", "LayerNormalization", "5x19; !19; !19", .tolerance = 1e-5,
     .act = {SL_ACT_CLIP, 0, INFINITY}},
    {"silu", "LayerNormalization", "5x19; !19; !19", .tolerance = 1e-5, .act = {SL_ACT_SILU, 0, 0}},
    {"float64", "LayerNormalization", "f64 2x9; !f64 9; !f64 9", .tolerance = 1e-6,
     .steps = "reference"},
    {"rank-6", "LayerNormalization", "1x2x1x3x2x4; !2x4", "axis=4", .tolerance = 1e-5},
    {"empty", "LayerNormalization", "0x5; !5", .shape = "0x5"},

    {"scale", "LayerNormalization", "2x5; !4", .error = "input 'x1' is 4, expected 5"},
    {"bias", "LayerNormalization", "2x5; !5; !2x5", .error = "input 'x2' is 2x5, expected 5"},
    {"axis-beyond", "LayerNormalization", "2x5; !5", "axis=2", .error = "axis 2"},
    {"stash", "LayerNormalization", "2x5; !5", "stash_type=10", .error = "stash_type is 10"},
    {"type", "LayerNormalization", "i32 2x5; !i32 5", .error = "expected floats"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("layer_norm", cases);
  return g_test_run ();
}
