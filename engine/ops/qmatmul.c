/* MatMulInteger, QLinearMatMul and ONNX Runtime's QGemm:
 * https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html, …/onnx__MatMulInteger.html,
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md */
#include "ops/quant.h"
#include "ops/shape.h"

typedef struct QMatMulAttrs {
  float alpha;           /* QGemm's */
  bool trans_a, trans_b; /* QGemm's */
  bool packed;
  SlMatMulShape shape; /* since inference: packing takes the shape of b away */
} QMatMulAttrs;

static const SlAttrSpec qgemm_attrs[] = {
    {.name = "alpha", .type = SL_ATTR_FLOAT, .offset = offsetof (QMatMulAttrs, alpha), .preset = 1},
    {.name = "transA", .type = SL_ATTR_BOOL, .offset = offsetof (QMatMulAttrs, trans_a)},
    {.name = "transB", .type = SL_ATTR_BOOL, .offset = offsetof (QMatMulAttrs, trans_b)},
    {0},
};

typedef struct QMatMul {
  SlOpClass op; /* first: a node's class is converted back */
  SlQuantRoles roles;
  bool is_gemm;
  SlDType sum; /* the type of the output where there is no y_scale */
} QMatMul;

static const QMatMul *
class_of (const SlNode *node)
{
  return (const QMatMul *)(const void *)node->op;
}

static void
transpose (SlShape *matrix)
{
  int64_t rows = matrix->dim[0];
  matrix->dim[0] = matrix->dim[1];
  matrix->dim[1] = rows;
}

static bool
shape_of (const SlNode *node, SlMatMulShape *ret)
{
  const QMatMul *class = class_of (node);
  const QMatMulAttrs *attrs = node->attrs;
  SlShape a = node->inputs[class->roles.x]->shape, b = node->inputs[class->roles.w]->shape;
  if (class->is_gemm && (a.rank != 2 || b.rank != 2))
    return false;
  if (attrs->trans_a)
    transpose (&a);
  if (attrs->trans_b)
    transpose (&b);
  return sl_matmul_shape (&a, &b, ret);
}

/* A scale or zero point of the left side has one element, one a row, or the shape (batch…, rows,
 * 1); of the right side one, one a column, or (batch…, 1, cols). */
static gboolean
check_spread (const SlNode *node, uint32_t index, const SlShape *batch, bool left, int64_t n,
              GError **error)
{
  const SlValue *input = sl_node_input (node, index);
  if (input == NULL || input->shape.rank < 2)
    return sl_quant_check_count (node, index, n, error);
  SlShape wanted = *batch;
  wanted.dim[wanted.rank++] = left ? n : 1;
  wanted.dim[wanted.rank++] = left ? 1 : n;
  if (sl_is_single (input) || sl_shape_equal (&input->shape, &wanted))
    return TRUE;
  g_autofree char *found = sl_shape_to_string (&input->shape);
  g_autofree char *expected = sl_shape_to_string (&wanted);
  sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected %s", input->name, found,
                 expected);
  return FALSE;
}

/* Of QGemm: (cols), (1, cols) or one element. */
static gboolean
check_bias (const SlNode *node, const SlQuantRoles *roles, int64_t cols, GError **error)
{
  const SlValue *bias = sl_node_input (node, roles->bias);
  size_t n = 0;
  if (bias == NULL || (sl_shape_get_elements (&bias->shape, &n) && n == (size_t)cols &&
                       bias->shape.rank > 0 && bias->shape.dim[bias->shape.rank - 1] == cols))
    return TRUE;
  g_autofree char *shape = sl_shape_to_string (&bias->shape);
  sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "bias is %s, expected %" G_GINT64_FORMAT, shape,
                 cols);
  return FALSE;
}

static gboolean
qmatmul_infer (SlNode *node, GError **error)
{
  const QMatMul *class = class_of (node);
  const SlQuantRoles *roles = &class->roles;
  QMatMulAttrs *attrs = node->attrs;
  const SlValue *a = node->inputs[roles->x], *b = node->inputs[roles->w];
  SlMatMulShape shape;
  SlDType dtype;
  if (!sl_quant_check_product (node, roles, class->sum, &dtype, error))
    return FALSE;
  if (!shape_of (node, &shape)) {
    g_autofree char *left = sl_shape_to_string (&a->shape);
    g_autofree char *right = sl_shape_to_string (&b->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s%s and %s%s cannot be multiplied", left,
                   attrs->trans_a ? " transposed" : "", right, attrs->trans_b ? " transposed" : "");
    return FALSE;
  }
  int64_t rows = (int64_t)shape.rows, cols = (int64_t)shape.cols;
  if (!check_spread (node, roles->x_scale, &shape.a, true, rows, error) ||
      !check_spread (node, roles->x_zero, &shape.a, true, rows, error) ||
      !check_spread (node, roles->w_scale, &shape.b, false, cols, error) ||
      !check_spread (node, roles->w_zero, &shape.b, false, cols, error) ||
      !check_bias (node, roles, cols, error))
    return FALSE;
  attrs->shape = shape;
  SlShape y = shape.batch;
  if (a->shape.rank > 1)
    y.dim[y.rank++] = rows;
  if (b->shape.rank > 1)
    y.dim[y.rank++] = cols;
  sl_infer_output (node, 0, dtype, &y);
  return TRUE;
}

/* --- Reference --- */

/* Which element of a scale or zero point goes with a row (or column) of product `batch`. */
static size_t
spread_at (const SlRefTensor *tensor, size_t batch, size_t i, size_t n)
{
  return tensor == NULL || tensor->n == 1 ? 0 : tensor->shape.rank < 2 ? i : batch * n + i;
}

typedef struct One {
  const SlRefCall *call;
  const SlQuantRoles *roles;
  const SlMatMulShape *shape;
  size_t a, b, y; /* number of the matrix in each */
} One;

static const SlRefTensor *
input_of (const SlRefCall *call, uint32_t role)
{
  return role < call->n_inputs ? call->inputs[role] : NULL;
}

static int64_t
sum_at (const One *one, size_t m, size_t n)
{
  const SlRefCall *call = one->call;
  const QMatMulAttrs *attrs = call->attrs;
  const SlMatMulShape *s = one->shape;
  const SlRefTensor *a_zeros = input_of (call, one->roles->x_zero);
  const SlRefTensor *b_zeros = input_of (call, one->roles->w_zero);
  const SlRefTensor *bias = input_of (call, one->roles->bias);
  const int64_t *a = call->inputs[one->roles->x]->i + one->a * s->rows * s->depth;
  const int64_t *b = call->inputs[one->roles->w]->i + one->b * s->depth * s->cols;
  int64_t a_zero = sl_quant_zero_at (a_zeros, spread_at (a_zeros, one->a, m, s->rows));
  int64_t b_zero = sl_quant_zero_at (b_zeros, spread_at (b_zeros, one->b, n, s->cols));
  int64_t sum = bias != NULL ? bias->i[n] : 0;
  for (size_t k = 0; k < s->depth; k++)
    sum += (a[attrs->trans_a ? k * s->rows + m : m * s->depth + k] - a_zero) *
           (b[attrs->trans_b ? n * s->depth + k : k * s->cols + n] - b_zero);
  return sum;
}

/* alpha goes first, as in ONNX Runtime. */
static float
factor_at (const One *one, size_t m, size_t n)
{
  const SlRefCall *call = one->call;
  const QMatMulAttrs *attrs = call->attrs;
  const SlRefTensor *a = input_of (call, one->roles->x_scale);
  const SlRefTensor *b = input_of (call, one->roles->w_scale);
  const SlRefTensor *y = input_of (call, one->roles->y_scale);
  float factor = attrs->alpha * sl_quant_scale_at (a, spread_at (a, one->a, m, one->shape->rows)) *
                 sl_quant_scale_at (b, spread_at (b, one->b, n, one->shape->cols));
  return y != NULL ? factor / sl_quant_scale_at (y, 0) : factor;
}

static void
multiply (const One *one)
{
  const SlRefCall *call = one->call;
  SlRefTensor *y = call->outputs[0];
  int64_t zero = sl_quant_zero_at (input_of (call, one->roles->y_zero), 0);
  for (size_t m = 0; m < one->shape->rows; m++)
    for (size_t n = 0; n < one->shape->cols; n++) {
      size_t to = (one->y * one->shape->rows + m) * one->shape->cols + n;
      int64_t sum = sum_at (one, m, n);
      if (y->dtype == SL_INT32)
        y->i[to] = (int32_t)sum;
      else if (y->dtype == SL_FLOAT32)
        y->f[to] = (double)((float)(int32_t)sum * factor_at (one, m, n));
      else
        y->i[to] = sl_requantize (sum, factor_at (one, m, n), zero, y->dtype);
    }
}

static void
qmatmul_reference (const SlRefCall *call)
{
  const QMatMulAttrs *attrs = call->attrs;
  const SlMatMulShape *shape = &attrs->shape;
  SlIndex index = {.rank = shape->batch.rank};
  size_t batch = 1;
  sl_shape_get_elements (&shape->batch, &batch);
  for (size_t i = 0; i < batch; i++) {
    One one = {.call = call,
               .roles = &class_of (call->node)->roles,
               .shape = shape,
               .a = sl_index_offset (&index, &shape->a),
               .b = sl_index_offset (&index, &shape->b),
               .y = i};
    multiply (&one);
    sl_index_next (&index, &shape->batch);
  }
}

/* --- Steps --- */

static bool
is_vector_of (const SlValue *value, size_t n)
{
  return value == NULL || sl_is_single (value) ||
         (value->shape.rank == 1 && (size_t)value->shape.dim[0] == n);
}

/* The kernel multiplies one matrix on the right, whose columns may have scales and zero points of
 * their own, with any number of rows, which may not. */
static bool
has_kernel (const SlNode *node)
{
  const SlQuantRoles *roles = &class_of (node)->roles;
  const QMatMulAttrs *attrs = node->attrs;
  const SlMatMulShape *s = &attrs->shape;
  const SlValue *x_scale = sl_node_input (node, roles->x_scale);
  const SlValue *x_zero = sl_node_input (node, roles->x_zero);
  size_t batch = 1, a = 1, b = 1;
  sl_shape_get_elements (&s->batch, &batch);
  sl_shape_get_elements (&s->a, &a);
  sl_shape_get_elements (&s->b, &b);
  if (attrs->trans_a || attrs->alpha != 1 || b != 1 || a != batch || s->depth == 0 ||
      MAX (batch, 1) * s->rows > INT32_MAX || s->cols > INT32_MAX || s->depth > INT32_MAX)
    return false;
  return (x_scale == NULL || sl_is_single (x_scale)) && (x_zero == NULL || sl_is_single (x_zero)) &&
         is_vector_of (sl_node_input (node, roles->w_scale), s->cols) &&
         is_vector_of (sl_node_input (node, roles->w_zero), s->cols);
}

static void
qmatmul_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  QMatMulAttrs *attrs = node->attrs;
  const SlMatMulShape *s = &attrs->shape;
  if (!has_kernel (node))
    return;
  SlQuantPackParams pack = {.groups = 1,
                            .cols = (uint32_t)s->cols,
                            .depth = {1, 1, (uint32_t)s->depth},
                            .col_stride = attrs->trans_b ? s->depth : 1,
                            .depth_stride = {0, 0, attrs->trans_b ? 1 : s->cols}};
  attrs->packed = true;
  sl_quant_prepare (graph, node, &class_of (node)->roles, &pack, false, target);
}

static void
qmatmul_lower (const SlNode *node, SlLowering *to)
{
  const QMatMulAttrs *attrs = node->attrs;
  const SlMatMulShape *s = &attrs->shape;
  if (!attrs->packed) {
    sl_lower_reference (to);
    return;
  }
  size_t batch = 1;
  sl_shape_get_elements (&s->batch, &batch);
  uint32_t rows = (uint32_t)(batch * s->rows), depth = (uint32_t)s->depth, cols = (uint32_t)s->cols;
  SlQuantConvParams params = {.batch = 1,
                              .groups = 1,
                              .in_h = 1,
                              .in_w = rows,
                              .in_c = depth,
                              .out_h = 1,
                              .out_w = rows,
                              .out_c = cols,
                              .kernel_h = 1,
                              .kernel_w = 1,
                              .stride_h = 1,
                              .stride_w = 1,
                              .dilation_h = 1,
                              .dilation_w = 1,
                              .in_stride = depth,
                              .out_stride = cols};
  sl_quant_lower (node, to, &class_of (node)->roles, &params, false);
}

static void
qmatmul_cost (const SlNode *node, SlCost *ret_cost)
{
  const QMatMulAttrs *attrs = node->attrs;
  size_t out = 0;
  sl_shape_get_elements (&node->outputs[0]->shape, &out);
  ret_cost->flops = 2 * (double)out * (double)attrs->shape.depth;
}

static const SlAttrSpec no_attrs[] = {
    {.name = ".alpha",
     .type = SL_ATTR_FLOAT,
     .offset = offsetof (QMatMulAttrs, alpha),
     .preset = 1},
    {0},
};

#define QMATMUL                                                                                    \
  .min_outputs = 1, .max_outputs = 1, .attrs_size = sizeof (QMatMulAttrs), .infer = qmatmul_infer, \
  .reference = qmatmul_reference, .prepare = qmatmul_prepare, .lower = qmatmul_lower,              \
  .cost = qmatmul_cost

static const QMatMul qlinear_matmul = {
    .op = {.name = "QLinearMatMul", .min_inputs = 8, .max_inputs = 8, .attrs = no_attrs, QMATMUL},
    .roles = {.x = 0,
              .x_scale = 1,
              .x_zero = 2,
              .w = 3,
              .w_scale = 4,
              .w_zero = 5,
              .y_scale = 6,
              .y_zero = 7,
              .bias = SL_QUANT_NONE},
};

static const QMatMul matmul_integer = {
    .op = {.name = "MatMulInteger", .min_inputs = 2, .max_inputs = 4, .attrs = no_attrs, QMATMUL},
    .roles = {.x = 0,
              .w = 1,
              .x_zero = 2,
              .w_zero = 3,
              .x_scale = SL_QUANT_NONE,
              .w_scale = SL_QUANT_NONE,
              .y_scale = SL_QUANT_NONE,
              .y_zero = SL_QUANT_NONE,
              .bias = SL_QUANT_NONE},
    .sum = SL_INT32,
};

static const QMatMul qgemm = {
    .op = {.name = "QGemm",
           .domain = "com.microsoft",
           .min_inputs = 6,
           .max_inputs = 9,
           .attrs = qgemm_attrs,
           QMATMUL},
    .roles = {.x = 0,
              .x_scale = 1,
              .x_zero = 2,
              .w = 3,
              .w_scale = 4,
              .w_zero = 5,
              .bias = 6,
              .y_scale = 7,
              .y_zero = 8},
    .is_gemm = true,
    .sum = SL_FLOAT32,
};

const SlOpClass *const sl_ops_qmatmul[] = {&qlinear_matmul.op, &matmul_integer.op, &qgemm.op, NULL};
