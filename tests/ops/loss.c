#include "op_runner.h"

static const OpCase cases[] = {

    {"nll", "NegativeLogLikelihoodLoss", "2x3=-1,-2,-3,-4,-5,-6; i64 2=0,2", .opset = 13,
     .shape = "s", .expected = "3.5"},
    {"nll/none", "NegativeLogLikelihoodLoss", "2x3=-1,-2,-3,-4,-5,-6; i64 2=0,2", "reduction=none",
     .opset = 12, .shape = "2", .expected = "1,6"},
    {"nll/sum", "NegativeLogLikelihoodLoss", "2x3=-1,-2,-3,-4,-5,-6; i32 2=0,2", "reduction=sum",
     .expected = "7"},
    {"nll/weights", "NegativeLogLikelihoodLoss", "2x3=-1,-2,-3,-4,-5,-6; i64 2=0,2; 3=3,9,1",
     .expected = "2.25"},
    {"nll/ignore", "NegativeLogLikelihoodLoss", "2x3=-1,-2,-3,-4,-5,-6; i64 2=0,2",
     "ignore_index=0", .expected = "6"},
    {"nll/ignore-outside", "NegativeLogLikelihoodLoss",
     "2x3=-1,-2,-3,-4,-5,-6; i64 2=-1,2; 3=3,9,5", "ignore_index=-1", .expected = "6"},
    {"nll/ignore-none", "NegativeLogLikelihoodLoss", "2x3=-1,-2,-3,-4,-5,-6; i64 2=9,1",
     "ignore_index=9 reduction=none", .expected = "0,5"},
    {"nll/planes", "NegativeLogLikelihoodLoss", "1x2x2=-1,-2,-3,-4; i64 1x2=1,0", "reduction=none",
     .shape = "1x2", .expected = "3,2"},
    {"nll/float16", "NegativeLogLikelihoodLoss", "f16 1x2=-1,-2; i64 1=1", .shape = "f16 s",
     .expected = "2"},
    {"nll/no-class", "NegativeLogLikelihoodLoss", "2x2=-1,-2,-3,-4; i64 2=0,2", "reduction=none",
     .expected = "1,nan"},
    {"sce", "SoftmaxCrossEntropyLoss", "2x2=0,0,1000,0; i64 2=1,0", .n_outputs = 2, .opset = 13,
     .shape = "s", .expected = "0.34657359", .second = "-0.69314718,-0.69314718,0,-1000",
     .tolerance = 1e-6},
    {"sce/none", "SoftmaxCrossEntropyLoss", "2x2=0,0,1000,0; i64 2=1,1", "reduction=none",
     .opset = 12, .expected = "0.69314718,1000", .tolerance = 1e-6},
    {"sce/weights-sum", "SoftmaxCrossEntropyLoss", "2x2=0,0,1000,0; i64 2=1,1; 2=0,0.5",
     "reduction=sum", .expected = "500.34657359", .tolerance = 1e-6},
    {"sce/all-ignored", "SoftmaxCrossEntropyLoss", "1x2=0,0; i64 1=1",
     "ignore_index=1 reduction=sum", .expected = "0", .tolerance = 1e-6},
    {"sce/large", "SoftmaxCrossEntropyLoss", "3x5x6x6; i64 3x6x6; 5",
     "reduction=none ignore_index=7", .n_outputs = 2, .shape = "3x6x6", .tolerance = 1e-6},
    {"sce/rank-7", "SoftmaxCrossEntropyLoss", "2x3x2x1x2x1x2; i64 2x2x1x2x1x2", "reduction=none",
     .n_outputs = 2, .shape = "2x2x1x2x1x2", .tolerance = 1e-6},
    {"nll/vector", "NegativeLogLikelihoodLoss", "3; i64 s=0",
     .error = "targets of scalar ('x1') for 3"},
    {"nll/targets", "NegativeLogLikelihoodLoss", "2x3; i64 3",
     .error = "targets of 3 ('x1') for 2x3"},
    {"nll/float-targets", "NegativeLogLikelihoodLoss", "2x3; 2",
     .error = "'x1' is float32, expected int32 or int64"},
    {"nll/int", "NegativeLogLikelihoodLoss", "i32 2x3; i64 2", .error = "'x0' is int32"},
    {"nll/weights-size", "NegativeLogLikelihoodLoss", "2x3; i64 2; 2",
     .error = "weights of 2 ('x2') for the classes of 2x3"},
    {"nll/weights-type", "NegativeLogLikelihoodLoss", "2x3; i64 2; f64 3",
     .error = "'x2' is float64, expected float32"},
    {"nll/reduction", "NegativeLogLikelihoodLoss", "2x3; i64 2", "reduction=max",
     .error = "reduction"},
    {"nll/two-outputs", "NegativeLogLikelihoodLoss", "2x3; i64 2", .n_outputs = 2,
     .error = "2 outputs, expected 1 at most"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("loss", cases);
  return g_test_run ();
}
