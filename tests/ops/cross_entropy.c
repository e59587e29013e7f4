#include "op_runner.h"

/* Values of torch.nn.functional.cross_entropy and its autograd, in double. */
#define LOGITS "2x3=1,2,3,0,-1,4"
#define TARGETS "2x3=0,0,1,.25,.5,.25"

static const OpCase cases[] = {
    {"values", "SoftmaxCrossEntropy", LOGITS ";" TARGETS, .shape = "2",
     .expected = "0.407605964,3.524744890", .steps = "cross_entropy", .tolerance = 1e-6},
    {"weights", "SoftmaxCrossEntropy", LOGITS ";" TARGETS "; 3=1,2,4",
     .expected = "1.630423858,6.055676003", .tolerance = 1e-6},
    {"long", "SoftmaxCrossEntropy", "37x1003; 37x1003; 1003", .tolerance = 2e-6,
     .flags = OP_POSITIVE},
    {"wide", "SoftmaxCrossEntropy", "5x17; 5x17", .tolerance = 1e-6, .flags = OP_WIDE},
    /* A target of 0 makes nothing of an infinite difference. */
    {"impossible", "SoftmaxCrossEntropy", "1x2=-inf,3; 1x2=0,1", .expected = "0"},
    {"one-class", "SoftmaxCrossEntropy", "3x1; 3x1", .expected = "0,0,0"},
    {"large", "SoftmaxCrossEntropy", "1x3=1000,999,-1000; 1x3=0,1,0", .expected = "1.313261688",
     .tolerance = 1e-5},
    {"float64", "SoftmaxCrossEntropy", "f64 3x5; f64 3x5", .steps = "reference"},
    {"no-samples", "SoftmaxCrossEntropy", "0x5; 0x5", .shape = "0"},
    {"rank", "SoftmaxCrossEntropy", "3x5x2; 3x5x2", .error = "logits are 3x5x2"},
    {"target", "SoftmaxCrossEntropy", "3x5; 3x4", .error = "is 3x4 and does not fit logits of 3x5"},
    {"weights-shape", "SoftmaxCrossEntropy", "3x5; 3x5; 3", .error = "is 3 and does not fit"},

    {"gradient-values", "SoftmaxCrossEntropyGradient", "2=1,10;" LOGITS ";" TARGETS, .shape = "2x3",
     .expected = "0.090030573,0.244728471,-0.334759044,-2.321320181,-4.934267368,7.255587549",
     .steps = "cross_entropy_gradient", .tolerance = 1e-6},
    {"gradient-weights", "SoftmaxCrossEntropyGradient", "2=1,10;" LOGITS ";" TARGETS "; 3=1,2,4",
     .expected = "0.360122293,0.978913884,-1.339036177,-2.097970408,-9.852101578,11.950071986",
     .tolerance = 1e-6},
    {"gradient-long", "SoftmaxCrossEntropyGradient", "37; 37x1003; 37x1003; 1003",
     .tolerance = 2e-6, .flags = OP_POSITIVE},
    {"gradient-wide", "SoftmaxCrossEntropyGradient", "5; 5x17; 5x17", .tolerance = 1e-6,
     .flags = OP_WIDE},
    {"gradient-float64", "SoftmaxCrossEntropyGradient", "f64 3; f64 3x5; f64 3x5",
     .steps = "reference"},
    {"gradient-shape", "SoftmaxCrossEntropyGradient", "4; 3x5; 3x5",
     .error = "gradient is 4, expected 3"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("cross_entropy", cases);
  return g_test_run ();
}
