#include "op_runner.h"

static const OpCase cases[] = {
    {"relu-values", "ReluGradient", "4=1,2,3,nan; 4=0,5,-1,1", .expected = "0,2,0,nan",
     .steps = "relu_gradient"},
    {"relu", "ReluGradient", "2x19x5x7; 2x19x5x7", .steps = "relu_gradient", .flags = OP_FOLLOWS},
    {"relu-1", "ReluGradient", "1x1; 1x1"},
    {"relu-long", "ReluGradient", "3x40001; 3x40001"},
    {"relu-float64", "ReluGradient", "f64 3x5; f64 3x5", .steps = "reference"},
    {"relu-shape", "ReluGradient", "3x5; 3x4", .error = "gradient is 3x5, expected 3x4"},
    {"leaky-values", "LeakyReluGradient", "4=1,2,3,4; 4=0,5,-1,1; s=0.5", .expected = "0.5,2,1.5,4",
     .steps = "leaky_relu_gradient"},
    {"leaky", "LeakyReluGradient", "2x19x5x7; 2x19x5x7; !s=0.1", .tolerance = 1e-7,
     .flags = OP_FOLLOWS},
    {"leaky-slope", "LeakyReluGradient", "3x5; 3x5; 1", .error = "slope is 1, expected one number"},
    {"sigmoid-values", "SigmoidGradient", "4=1,2,4,nan; 4=0,0.5,1,0.25", .expected = "0,0.5,0,nan",
     .steps = "sigmoid_gradient"},
    {"sigmoid", "SigmoidGradient", "2x19x5x7; 2x19x5x7", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"sigmoid-float64", "SigmoidGradient", "f64 3x5; f64 3x5", .steps = "reference"},
    {"tanh-values", "TanhGradient", "4=1,2,4,nan; 4=0,0.5,1,-1", .expected = "1,1.5,0,nan",
     .steps = "tanh_gradient"},
    {"tanh", "TanhGradient", "2x19x5x7; 2x19x5x7", .tolerance = 1e-6, .flags = OP_FOLLOWS},
    {"tanh-shape", "TanhGradient", "3x5; 3x4", .error = "gradient is 3x5, expected 3x4"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("gate", cases);
  return g_test_run ();
}
