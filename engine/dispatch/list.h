/* Every family of dispatchers, by file: the one list to extend. A source defines
 * `const SlDispatchEntry sl_dispatch_<family>[]`. */
#pragma once

/* clang-format off */
#define SL_DISPATCH_LIST(X)                                                                        \
  X (affine) X (batch_norm) X (binary) X (conv2d) X (conv2d_gradient) X (convert) X (copy)         \
  X (dropout) X (gate) X (gemm) X (loss) X (norm) X (optimizer) X (pool2d) X (pool2d_gradient)     \
  X (reduce) X (select) X (unary) X (winograd)
/* clang-format on */
