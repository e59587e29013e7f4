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
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("dropout", cases);
  return g_test_run ();
}
