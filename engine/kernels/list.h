/* Every kernel of a set, by name: the one list to extend. A source defines
 * `const SlKernel SL_KERNEL_NAME (sl_kernel_<name>)`. */
#pragma once

/* clang-format off */
#define SL_KERNEL_LIST(X)                                                                          \
  X (conv2d) X (conv2d_narrow) X (conv2d_planes) X (depthwise2d) X (gemm) X (pack_weights)         \
  X (winograd_f23) X (winograd_f43) X (pack_winograd)                                              \
  X (max_pool2d) X (average_pool2d)                                                                \
  X (relu) X (clip) X (leaky_relu) X (elu) X (selu) X (celu) X (thresholded_relu) X (sigmoid)      \
  X (hard_sigmoid) X (hard_swish) X (tanh) X (softplus) X (softsign) X (erf) X (gelu) X (mish)     \
  X (silu) X (exp) X (log) X (sqrt) X (reciprocal) X (neg) X (abs) X (sign) X (floor) X (ceil)     \
  X (round) X (linear)                                                                             \
  X (add) X (sub) X (mul) X (div) X (pow) X (min) X (max) X (prelu) X (affine)                     \
  X (reduce_sum) X (reduce_mean) X (reduce_max) X (reduce_min) X (reduce_prod) X (reduce_l1)       \
  X (reduce_l2) X (softmax) X (log_softmax) X (lrn)                                                \
  X (equal) X (less) X (less_or_equal) X (and) X (or) X (xor) X (where)                            \
  X (copy) X (fill)                                                                                \
  X (conv_transpose2d) X (depthwise_transposed2d) X (pack_transposed2d)                            \
  X (resize2d) X (layer_norm) X (group_norm)                                                       \
  X (widen) X (narrow) X (quantize) X (dequantize) X (qadd) X (qmul) X (qmean)                     \
  X (max_pool2d_uint8) X (max_pool2d_int8)                                                         \
  X (sgd_update) X (rmsprop_update) X (adam_update) X (adagrad_update) X (square_sum)          \
  X (clip_factor) X (dropout)                                                                      \
  X (qconv2d) X (qdepthwise2d) X (pack_quantized) X (pack_qdepthwise)                              \
  X (max_pool2d_gradient) X (average_pool2d_gradient) X (relu_gradient) X (leaky_relu_gradient)    \
  X (cross_entropy) X (cross_entropy_gradient)                                                     \
  X (batch_moments) X (batch_moments_join) X (batch_saved) X (batch_running) X (batch_normalize)   \
  X (batch_sums) X (batch_sums_join) X (batch_sum) X (batch_normalize_gradient) X (affine_of_norm)  \
  X (lrn_gradient) X (sigmoid_gradient) X (tanh_gradient)                                          \
  X (conv2d_weight_parts) X (depthwise2d_weight_parts) X (sum_weight_parts) X (sum_bias_parts)
/* clang-format on */
