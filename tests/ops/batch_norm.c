/* Batch normalisation in training mode and its gradient; inference: norm.c. */
#include "op_runner.h"

/* Values of torch.nn.functional.batch_norm and its autograd, in double. */
#define X "2x2x2=1,2,5,-1,3,6,0,2"
#define DY "2x2x2=1,-2,3,4,0.5,1,-1,2"
#define TRAINING "training_mode=1 epsilon=0.5 momentum=0.75"
#define STEPS "batch_moments batch_moments_join batch_normalize"

static const OpCase cases[] = {
    {"values", "BatchNormalization", X "; 2=2,3; 2=0.5,-1; 2=0,0; 2=1,1", TRAINING, .n_outputs = 2,
     .shape = "2x2x2",
     .expected = "-1.5,-0.5,3.3788027,-4.12771621,0.5,3.5,-2.87662973,-0.374456758",
     .second = "0.75,0.375", .steps = STEPS " batch_running", .tolerance = 1e-6},
    {"all", "BatchNormalization", "5x37x5x7; 37; 37; 37; 37", TRAINING, .n_outputs = 5,
     .tolerance = 2e-6, .steps = STEPS " batch_running batch_saved batch_running batch_saved"},
    {"parts", "BatchNormalization", "9x21x28x27; 21; 21; 21; 21", TRAINING, .n_outputs = 3,
     .tolerance = 2e-6},
    {"far-from-0", "BatchNormalization",
     "1x1x2x3=10001,10002,10003,10004,10005,10006; 1=1; 1=0;"
     " 1=0; 1=1",
     TRAINING, .n_outputs = 2, .tolerance = 1e-6},
    {"rank-2", "BatchNormalization", "33x19; 19; 19; 19; 19", TRAINING, .n_outputs = 3,
     .steps = STEPS " batch_running batch_running", .tolerance = 2e-6},
    {"rank-5", "BatchNormalization", "2x3x2x2x3; 3; 3; 3; 3", TRAINING, .n_outputs = 3,
     .steps = "reference", .tolerance = 2e-6},
    /* tests/grad asks for y alone: running statistics have no gradient. */
    {"alone", "BatchNormalization", "2x5x3x4; 5; 5; 5; 5", TRAINING, .tolerance = 2e-6},
    {"alone-rank-2", "BatchNormalization", "7x5; 5; 5; !5; !5", TRAINING, .tolerance = 2e-6},
    {"alone-rank-3", "BatchNormalization", "3x17x2; 17; 17; !17; !17", TRAINING, .tolerance = 2e-6},
    {"alone-rank-5", "BatchNormalization", "2x3x2x1x3; 3; 3; 3; 3", TRAINING, .tolerance = 2e-6},
    {"one-row", "BatchNormalization", "1x3; 3; 3; 3; 3", TRAINING, .tolerance = 2e-6},
    {"relu", "BatchNormalization", "3x17x5x4; 17; 17; 17; 17", TRAINING, .tolerance = 2e-6,
     .act = {SL_ACT_CLIP, 0, 6}},
    {"silu", "BatchNormalization", "3x17x5x4; 17; 17; 17; 17", TRAINING, .tolerance = 1e-5,
     .act = {SL_ACT_SILU, 0, 0}},
    {"nan", "BatchNormalization", "1x2x1x3=4,5,6,1,nan,3; 2=1,1; 2=1,1; 2=0,0; 2=1,1", TRAINING,
     .n_outputs = 3, .tolerance = 2e-6, .act = {SL_ACT_CLIP, 0, 6}},
    {"float64", "BatchNormalization", "f64 2x3x2; f64 3; f64 3; f64 3; f64 3", TRAINING,
     .steps = "reference"},

    {"gradient-values", "BatchNormalizationGradient",
     X ";" DY "; 2=2,3; 2=3,1.5;"
       " 2=0.5,0.417028828",
     .n_outputs = 2, .shape = "2x2x2",
     .expected = "1.25,-1.9375,0.679938307,2.91013595,0.375,0.3125,-3.50848166,-0.0815925968",
     .second = "1.5,1.25108648",
     .steps = "batch_sums batch_sums_join batch_sum batch_normalize_gradient", .tolerance = 1e-6},
    {"gradient-all", "BatchNormalizationGradient", "5x37x5x7; 5x37x5x7; 37; 37; 37", .n_outputs = 3,
     .tolerance = 2e-6,
     .steps = "batch_sums batch_sums_join batch_sum batch_sum batch_normalize_gradient",
     .flags = OP_FOLLOWS},
    {"gradient-parts", "BatchNormalizationGradient", "9x21x28x27; 9x21x28x27; 21; 21; 21",
     .n_outputs = 3, .tolerance = 3e-6, .flags = OP_FOLLOWS},
    {"gradient-rank-2", "BatchNormalizationGradient", "33x19; 33x19; 19; 19; 19", .n_outputs = 3,
     .tolerance = 2e-6},
    {"gradient-nan", "BatchNormalizationGradient",
     "1x2x1x3=1,2,3,4,5,6; 1x2x1x3=nan,1,2,1,2,4; 2=1,2; 2=2,5; 2=1,1", .n_outputs = 3,
     .tolerance = 2e-6},
    {"gradient-rank-5", "BatchNormalizationGradient", "2x3x2x2x3; 2x3x2x2x3; 3; 3; 3",
     .n_outputs = 3, .steps = "reference", .tolerance = 2e-6},
    {"gradient-shape", "BatchNormalizationGradient", "2x3x4; 2x3x5; 3; 3; 3",
     .error = "is 2x3x5 and does not fit 2x3x4"},
    {"gradient-vector", "BatchNormalizationGradient", "2x3x4; 2x3x4; 3; 4; 3",
     .error = "is 4 and does not fit 2x3x4"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("batch_norm", cases);
  return g_test_run ();
}
