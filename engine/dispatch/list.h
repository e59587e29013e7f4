/* Every family of dispatchers, by file: the one list to extend. A source defines
 * `const SlDispatchEntry sl_dispatch_<family>[]`. */
#pragma once

/* clang-format off */
#define SL_DISPATCH_LIST(X)                                                                        \
  X (affine) X (binary) X (copy) X (unary)
/* clang-format on */
