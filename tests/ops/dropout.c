#include "op_runner.h"

static const OpCase cases[] = {

    {"identity", "Identity", "2x3x4x5", .shape = "2x3x4x5", .steps = "copy", .flags = OP_FOLLOWS},
    {"identity/int", "Identity", "i32 7", .shape = "i32 7", .steps = "copy"},
    {"identity/empty", "Identity", "0x2", .shape = "0x2"},
    {"plain", "Dropout", "2x3x4x5", .shape = "2x3x4x5", .steps = "copy", .flags = OP_FOLLOWS},
    {"ratio", "Dropout", "3=1,2,3; s=0.5", .expected = "1,2,3"},
    {"inference", "Dropout", "3=1,2,3; s=0.5; !bool s=0", .expected = "1,2,3"},
    {"nothing-dropped", "Dropout", "3=1,2,3; !s=0; !bool s=1", .expected = "1,2,3"},
    {"mask", "Dropout", "2x3x4x5; s=0.5", .n_outputs = 2, .steps = "copy fill",
     .flags = OP_FOLLOWS},
    {"mask-values", "Dropout", "3=1,2,3", .n_outputs = 2, .expected = "1,2,3", .second = "1,1,1"},
    {"seed", "Dropout", "3=1,2,3", "seed=7", .expected = "1,2,3"},
    {"opset-7", "Dropout", "3=1,2,3", "ratio=0.3", .opset = 7, .expected = "1,2,3"},
    {"opset-6", "Dropout", "3=1,2,3", "ratio=0.3 is_test=1", .opset = 6, .expected = "1,2,3"},
    {"opset-10-mask", "Dropout", "3=1,2,3", .opset = 10, .n_outputs = 2, .second = "1,1,1"},
    {"training", "Dropout", "3; s; !bool s=1", .error = "training_mode, 'x2'"},
    {"training-input", "Dropout", "3; s; bool s", .error = "training_mode, 'x2'"},
    {"opset-7-attribute", "Dropout", "3", "is_training=1", .opset = 7,
     .error = "is_training is not known"},
    /* Of the same elements in every layout, and on every set. */
    {"random", "RandomDropout", "2x3x4x5; i64 s=7; i64 s=1", .shape = "2x3x4x5", .tolerance = 1e-7,
     .steps = "dropout", .flags = OP_FOLLOWS},
    {"random/large", "RandomDropout", "3x70x31x5; i64 s=-7; i64 s=123456789012", "rate=0.25 node=3",
     .tolerance = 1e-7, .flags = OP_FOLLOWS},
    {"random/rank-3", "RandomDropout", "2x67x9; i64 s=7; i64 s=1", "rate=0.9", .tolerance = 1e-7},
    {"random/matrix", "RandomDropout", "65x67; i64 s=7; i64 s=1", .tolerance = 1e-7},
    {"random/vector", "RandomDropout", "9001; i64 s=7; i64 s=1", "node=1", .tolerance = 1e-7},
    {"random/rank-5", "RandomDropout", "2x3x2x5x3; i64 s=7; i64 s=1", .tolerance = 1e-7},
    {"random/nothing", "RandomDropout", "3=1,2,3; i64 s=7; i64 s=1", "rate=0.0",
     .expected = "1,2,3"},
    {"random/scale", "RandomDropout", "8=1,1,1,1,1,1,1,1; i64 s=0; i64 s=0", "rate=0.5",
     .expected = "0,2,2,2,2,0,2,0"},
    {"random/nan", "RandomDropout", "2=nan,1; i64 s=0; i64 s=0", .expected = "0,2"},
    {"random/double", "RandomDropout", "f64 7; i64 s=0; i64 s=0", .steps = "reference"},
    {"random/empty", "RandomDropout", "0x3; i64 s=0; i64 s=0", .shape = "0x3"},
    {"random/rate", "RandomDropout", "3; i64 s; i64 s", "rate=1.0", .error = "rate 1"},
    {"random/step", "RandomDropout", "3; i64 s; s", .error = "expected one int64"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("dropout", cases);
  return g_test_run ();
}
