/* Numbers of the operations that a shader tells apart, for C and GLSL. */
#ifndef SL_OPS_H
#define SL_OPS_H

#define UNARY_RELU 0
#define UNARY_CLIP 1
#define UNARY_LEAKY_RELU 2
#define UNARY_ELU 3
#define UNARY_SELU 4
#define UNARY_CELU 5
#define UNARY_THRESHOLDED_RELU 6
#define UNARY_SIGMOID 7
#define UNARY_HARD_SIGMOID 8
#define UNARY_HARD_SWISH 9
#define UNARY_TANH 10
#define UNARY_SOFTPLUS 11
#define UNARY_SOFTSIGN 12
#define UNARY_ERF 13
#define UNARY_GELU 14
#define UNARY_MISH 15
#define UNARY_SILU 16
#define UNARY_EXP 17
#define UNARY_LOG 18
#define UNARY_SQRT 19
#define UNARY_RECIPROCAL 20
#define UNARY_NEG 21
#define UNARY_ABS 22
#define UNARY_SIGN 23
#define UNARY_FLOOR 24
#define UNARY_CEIL 25
#define UNARY_ROUND 26
#define UNARY_LINEAR 27

#define BINARY_ADD 0
#define BINARY_SUB 1
#define BINARY_MUL 2
#define BINARY_DIV 3
#define BINARY_POW 4
#define BINARY_MIN 5
#define BINARY_MAX 6
#define BINARY_PRELU 7

#define SELECT_EQUAL 0
#define SELECT_LESS 1
#define SELECT_LESS_OR_EQUAL 2
#define SELECT_AND 3
#define SELECT_OR 4
#define SELECT_XOR 5

#define POOL_MAX 0
#define POOL_AVERAGE 1
#define POOL_AVERAGE_PADDED 2

#define REDUCE_SUM 0
#define REDUCE_MEAN 1
#define REDUCE_MAX 2
#define REDUCE_MIN 3
#define REDUCE_PROD 4
#define REDUCE_L1 5
#define REDUCE_L2 6

#define BATCH_MOMENTS 0
#define BATCH_SUMS 1
#define BATCH_SUM 2

#define CHANNEL_COPY 0
#define CHANNEL_INVERSE 1
#define CHANNEL_RUNNING 2

#define GATE_RELU 0
#define GATE_LEAKY_RELU 1
#define GATE_SIGMOID 2
#define GATE_TANH 3

#define OPTIMIZER_SGD 0
#define OPTIMIZER_RMSPROP 1
#define OPTIMIZER_ADAM 2
#define OPTIMIZER_ADAGRAD 3

/* SlConvertType */
#define CONVERT_FLOAT16 0
#define CONVERT_BFLOAT16 1
#define CONVERT_INT32 2
#define CONVERT_UINT8 3
#define CONVERT_INT8 4

#endif
