#include "op_runner.h"

static const OpCase cases[] = {

    {"sin", "Sin", "3=0,0.5,-1", .opset = 7, .expected = "0,0.47942554,-0.84147098",
     .tolerance = 1e-6},
    {"cos", "Cos", "3=0,0.5,-1", .expected = "1,0.87758256,0.54030231", .tolerance = 1e-6},
    {"tan", "Tan", "3=0,0.5,-1", .expected = "0,0.54630249,-1.55740772", .tolerance = 1e-6},
    {"asin", "Asin", "3=0,0.5,-1", .expected = "0,0.52359878,-1.57079633", .tolerance = 1e-6},
    {"acos", "Acos", "3=1,0.5,-1", .expected = "0,1.04719755,3.14159265", .tolerance = 1e-6},
    {"atan", "Atan", "3=0,0.5,-inf", .expected = "0,0.46364761,-1.57079633", .tolerance = 1e-6},
    {"sinh", "Sinh", "3=0,0.5,-1", .expected = "0,0.52109531,-1.17520119", .tolerance = 1e-6},
    {"cosh", "Cosh", "3=0,0.5,-1", .expected = "1,1.12762597,1.54308063", .tolerance = 1e-6},
    {"asinh", "Asinh", "3=0,0.5,-1", .expected = "0,0.48121183,-0.88137359", .tolerance = 1e-6},
    {"acosh", "Acosh", "3=1,1.5,0", .expected = "0,0.96242365,nan", .tolerance = 1e-6},
    {"atanh", "Atanh", "3=0,0.5,-1", .expected = "0,0.54930614,-inf", .tolerance = 1e-6},
    {"float16", "Sin", "f16 2x3", .shape = "f16 2x3", .tolerance = 1e-3},
    {"rank-6", "Cos", "2x1x3x2x2x3", .shape = "2x1x3x2x2x3", .tolerance = 1e-6},
    {"empty", "Sin", "0x3", .shape = "0x3"},
    {"int", "Sin", "i32 3", .error = "is int32, expected floats"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("trigonometry", cases);
  return g_test_run ();
}
