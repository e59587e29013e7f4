#include "op_runner.h"

/* Numbers of rows with values are the specification's or ONNX Runtime's. */
static const OpCase cases[] = {
    {"uint8", "QuantizeLinear", "6=0,2,3,1000,-254,-1000; !s=2; !u8 s=128", .shape = "u8 6",
     .expected = "128,129,130,255,1,0", .steps = "quantize"},
    {"half-to-even", "QuantizeLinear", "6=-2.5,-1.5,-0.5,0.5,1.5,2.5; !s=1; !i8 s=0",
     .shape = "i8 6", .expected = "-2,-2,0,0,2,2"},
    {"no-zero", "QuantizeLinear", "3=-1,1,300; !s=0.5", .shape = "u8 3", .expected = "0,2,255"},
    {"as-input", "QuantizeLinear", "2x5x7x3; s=0.03; i8 s=-5", .steps = "quantize",
     .flags = OP_FOLLOWS},
    {"large", "QuantizeLinear", "3x67x31x9; !1=0.02; !u8 1=200", .steps = "quantize",
     .flags = OP_FOLLOWS},
    {"per-axis", "QuantizeLinear", "2x2=1,2,3,4.5; !2=1,3; !u8 2=0,10", "axis=1",
     .expected = "1,11,3,12", .steps = "reference"},
    {"per-axis-negative", "QuantizeLinear", "3x2x5; !2=0.1,0.02; !i8 2=3,-9", "axis=-2",
     .opset = 13},
    {"blocked", "QuantizeLinear", "2x3=1,2,3,3,4.5,8; !2x2=1,2,4,0.5; !u8 2x2=0,1,2,3",
     "axis=1 block_size=2", .opset = 21, .expected = "1,2,3,3,3,19"},
    {"int16", "QuantizeLinear", "5=-1000000,-3,0,3,1000000; !s=0.5; !i16 s=-100", .opset = 21,
     .shape = "i16 5", .expected = "-32768,-106,-100,-94,32767"},
    {"output-dtype", "QuantizeLinear", "2=-1,70000; !s=1", "output_dtype=4", .opset = 21,
     .shape = "u16 2", .expected = "0,65535"},
    {"of-int32", "QuantizeLinear", "i32 3=-7,5,1000; !s=2; !u8 s=10", .expected = "6,12,255"},
    {"of-float16", "QuantizeLinear", "f16 3=-7,5,1000; !f16 s=2; !u8 s=10", .opset = 19,
     .expected = "6,12,255"},
    {"nothing", "QuantizeLinear", "0x3; !s=1; !u8 s=0", .shape = "u8 0x3"},
    {"scalar", "QuantizeLinear", "s=3; !s=2; !i8 s=1", .shape = "i8 s", .expected = "3"},
    {"wrong-input", "QuantizeLinear", "i64 3; !s=1", .error = "input 'x0' is int64"},
    {"wrong-zero", "QuantizeLinear", "3; !s=1; !i32 s=0", .error = "a zero point of int32"},
    {"wrong-type", "QuantizeLinear", "3; !s=1; !u8 s=0", "output_dtype=3", .opset = 21,
     .error = "a zero point of uint8 and output_dtype 3"},
    {"wrong-scale", "QuantizeLinear", "2x3; !2=1,1", .error = "scale is 2 for an input of 2x3"},
    {"wrong-block", "QuantizeLinear", "2x5; !2x2=1,1,1,1", "block_size=2", .opset = 21,
     .error = "scale is 2x2 for an input of 2x5 on axis 1 in blocks of 2"},
    {"wrong-zeros", "QuantizeLinear", "2x3; !s=1; !u8 3=0,0,0", .error = "zero point is 3 for"},
    {"wrong-axis", "QuantizeLinear", "3; !3=1,1,1; !u8 3=0,0,0", "axis=1", .error = "axis 1"},

    {"back", "DequantizeLinear", "u8 4=0,3,128,255; !s=2; !u8 s=128", .shape = "4",
     .expected = "-256,-250,0,254", .steps = "dequantize"},
    {"back-int8", "DequantizeLinear", "i8 2x5x3x7; s=0.1; i8 s=-100", .steps = "dequantize",
     .flags = OP_FOLLOWS | OP_BYTES},
    {"back-large", "DequantizeLinear", "u8 3x67x31x9; !s=0.02", .steps = "dequantize",
     .flags = OP_FOLLOWS | OP_BYTES},
    {"back-per-axis", "DequantizeLinear", "i8 2x3=1,-2,3,4,5,-6; !2=0.5,2; !i8 2=1,-1", "axis=-2",
     .expected = "0,-1.5,1,10,12,-10", .steps = "reference"},
    {"back-blocked", "DequantizeLinear", "i8 1x4=1,2,3,4; !1x2=1,10; !i8 1x2=0,1", "block_size=3",
     .opset = 21, .expected = "1,2,3,30"},
    {"back-int32", "DequantizeLinear", "i32 3=-7,5,2000000000; !s=0.5", .expected = "-3.5,2.5,1e9"},
    {"back-uint16", "DequantizeLinear", "u16 2=0,65535; !s=2; !u16 s=100", .opset = 21,
     .expected = "-200,130870"},
    {"back-float16", "DequantizeLinear", "i8 2=-7,5; !f16 s=2; !i8 s=1", .opset = 19,
     .shape = "f16 2", .expected = "-16,8"},
    {"back-wrong-zero", "DequantizeLinear", "u8 3; !s=1; !i8 s=0",
     .error = "input 'x0' is uint8, its zero point int8"},
    {"back-wrong-input", "DequantizeLinear", "3; !s=1", .error = "input 'x0' is float32"},
    {"back-wrong-scale", "DequantizeLinear", "u8 3; !i32 s=1", .error = "scale 'x1' is int32"},

    {"dynamic", "DynamicQuantizeLinear", "6=0,2,-3,-2.5,1.34,0.5", .n_outputs = 3, .shape = "u8 6",
     .expected = "153,255,0,26,221,179", .second = "0.019607843831181526"},
    {"dynamic-positive", "DynamicQuantizeLinear", "3=1,2,255", .n_outputs = 3,
     .expected = "1,2,255", .second = "1"},
    {"dynamic-zeros", "DynamicQuantizeLinear", "2=0,0", .n_outputs = 3, .expected = "0,0",
     .second = "1"},
    {"dynamic-integers", "DynamicQuantizeLinear", "i32 3", .n_outputs = 3, .error = "is int32"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("quantize", cases);
  return g_test_run ();
}
