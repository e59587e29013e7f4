#include "op_runner.h"

static const OpCase cases[] = {

    /* Constant. */
    {"zeros", "Pad", "1x2=1,2; !i64 4=1,0,0,2", .shape = "2x4", .expected = "0,0,0,0,1,2,0,0",
     .steps = "fill copy"},
    {"value", "Pad", "1x2=1,2; !i64 4=1,0,0,2; s=7", .expected = "7,7,7,7,1,2,7,7",
     .steps = "copy copy"},
    {"constant-value", "Pad", "2x5x3x4; !i64 8=0,0,1,2,0,0,3,0; !s=-1.5", .shape = "2x5x7x6",
     .steps = "copy copy", .flags = OP_FOLLOWS},
    {"channels", "Pad", "2x16x5x5; !i64 8=0,8,0,0,0,8,0,0", .shape = "2x32x5x5",
     .steps = "fill copy", .flags = OP_FOLLOWS},
    {"crop", "Pad", "5=1,2,3,4,5; !i64 2=-1,-2", .expected = "2,3"},
    {"crop-and-pad", "Pad", "5=1,2,3,4,5; !i64 2=-2,1; s=9", .expected = "3,4,5,9"},
    {"crop-everything", "Pad", "3=1,2,3; !i64 2=-4,3", .expected = "0,0"},
    {"crop-layouts", "Pad", "2x5x3x4; !i64 8=1,-1,1,-1,0,-2,-1,2", .shape = "3x2x3x5",
     .flags = OP_FOLLOWS},
    {"axes", "Pad", "1x2x2=1,2,3,4; !i64 2=1,0; -; !i64 1=-1", .opset = 18, .shape = "1x2x3",
     .expected = "0,1,2,0,3,4"},
    {"none", "Pad", "2x3; !i64 4=0,0,0,0", .shape = "2x3"},
    {"int8", "Pad", "i8 2=5,6; !i64 2=1,1; i8 s=-3", .expected = "-3,5,6,-3", .steps = "copy copy"},
    {"float16", "Pad", "f16 2=5,6; !i64 2=1,1", .expected = "0,5,6,0", .steps = "fill copy"},
    {"from-empty", "Pad", "0x2; !i64 4=1,0,1,0; s=3", .shape = "2x2", .expected = "3,3,3,3"},
    {"to-empty", "Pad", "2x3; !i64 4=-1,0,-1,0", .shape = "0x3"},
    {"scalar", "Pad", "s=4; !i64 0", .shape = "s", .expected = "4"},
    {"rank-6", "Pad", "1x2x1x2x3x2; !i64 12=0,1,0,0,1,0,1,0,0,1,0,0", .shape = "2x3x1x3x4x2"},
    {"opset-2", "Pad", "1x2=1,2", "pads=[0, 1, 0, 0] value=5.0", .opset = 10, .expected = "5,1,2",
     .steps = "copy copy"},
    {"opset-2-half", "Pad", "f16 2=1,2", "pads=[1, 0] value=0.5", .opset = 2, .expected = "0.5,1,2",
     .steps = "reference"},
    {"large", "Pad", "3x37x13x17; !i64 8=0,1,2,3,0,4,5,6; s=0.5", .shape = "3x42x20x26",
     .flags = OP_FOLLOWS},

    /* The others: NumPy's. */
    {"reflect", "Pad", "4=1,2,3,4; !i64 2=3,2", "mode=reflect", .expected = "4,3,2,1,2,3,4,3,2",
     .steps = "copy copy copy"},
    {"edge", "Pad", "3=1,2,3; !i64 2=2,3", "mode=edge", .expected = "1,1,1,2,3,3,3,3"},
    {"wrap", "Pad", "3=1,2,3; !i64 2=2,3", "mode=wrap", .opset = 19, .expected = "2,3,1,2,3,1,2,3"},
    {"reflect-plane", "Pad", "2x2=1,2,3,4; !i64 4=1,1,1,1", "mode=reflect",
     .expected = "4,3,4,3,2,1,2,1,4,3,4,3,2,1,2,1"},
    {"reflect-layouts", "Pad", "2x5x6x7; !i64 8=0,2,5,3,0,4,1,6", "mode=reflect",
     .shape = "2x11x12x16", .flags = OP_FOLLOWS},
    {"edge-layouts", "Pad", "2x5x6x7; !i64 8=0,2,8,3,1,4,1,9", "mode=edge", .flags = OP_FOLLOWS},
    {"wrap-layouts", "Pad", "2x5x6x7; !i64 8=0,2,6,3,1,5,1,7", "mode=wrap", .opset = 19,
     .flags = OP_FOLLOWS},
    {"reflect-periods", "Pad", "3=1,2,3; !i64 2=5,4", "mode=reflect",
     .expected = "2,1,2,3,2,1,2,3,2,1,2,3", .steps = "reference"},
    {"wrap-periods", "Pad", "2=1,2; !i64 2=3,4", "mode=wrap", .opset = 19,
     .expected = "2,1,2,1,2,1,2,1,2", .steps = "reference"},
    {"reflect-one", "Pad", "1=5; !i64 2=2,1", "mode=reflect", .expected = "5,5,5,5"},
    {"reflect-crop", "Pad", "4=1,2,3,4; !i64 2=2,-1", "mode=reflect", .expected = "3,2,1,2,3",
     .steps = "reference"},
    {"edge-int32", "Pad", "i32 1x2=1,2; !i64 4=1,1,0,0", "mode=edge", .expected = "1,1,2,1,1,2"},
    {"reflect-opset-6", "Pad", "1x1x2x3", "mode=reflect pads=[0, 0, 1, 2, 0, 0, 1, 1]", .opset = 6,
     .shape = "1x1x4x6"},
    {"edge-empty", "Pad", "0x3; !i64 4=0,1,0,1", "mode=edge", .shape = "0x5"},

    {"few-pads", "Pad", "2x3; !i64 2=1,1", .error = "2 pads for 2 axes, expected 4"},
    {"too-small", "Pad", "2x3; !i64 4=-2,0,-1,0",
     .error = "pads of -2 and -1 around a dimension of 2"},
    {"huge", "Pad", "2; !i64 2=4611686018427387904,0", .error = "on axis 0"},
    {"edge-of-nothing", "Pad", "0; !i64 2=1,0", "mode=edge", .error = "around a dimension of 0"},
    {"axis-twice", "Pad", "2x3; !i64 4=1,1,1,1; -; !i64 2=1,-1", .error = "on axis 1"},
    {"axis-beyond", "Pad", "2x3; !i64 2=1,1; -; !i64 1=2", .error = "axis 2"},
    {"not-constant", "Pad", "2; i64 2", .error = "has to be constant"},
    {"value-type", "Pad", "2; !i64 2=1,1; i32 s", .error = "expected a scalar of float32"},
    {"value-shape", "Pad", "2; !i64 2=1,1; 2", .error = "value 'x2' is 2 of float32"},
    {"mode", "Pad", "2; !i64 2=1,1", "mode=mirror", .error = "attribute mode is 'mirror'"},
    {"opset-2-missing", "Pad", "2", .opset = 2, .error = "1 inputs, expected 2"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("pad", cases);
  return g_test_run ();
}
