/* Gemm and MatMul: https://onnx.ai/onnx/operators/onnx__Gemm.html, …/onnx__MatMul.html */
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/internal.h"
#include "ops/shape.h"

#include <math.h>
#include <string.h>

/* --- Gemm: alpha * A' * B' + beta * C --- */

typedef struct GemmAttrs {
  float alpha, beta;
  bool trans_a, trans_b;
} GemmAttrs;

static const SlAttrSpec gemm_attrs[] = {
    {.name = "alpha", .type = SL_ATTR_FLOAT, .offset = offsetof (GemmAttrs, alpha), .preset = 1},
    {.name = "beta", .type = SL_ATTR_FLOAT, .offset = offsetof (GemmAttrs, beta), .preset = 1},
    {.name = "transA", .type = SL_ATTR_BOOL, .offset = offsetof (GemmAttrs, trans_a)},
    {.name = "transB", .type = SL_ATTR_BOOL, .offset = offsetof (GemmAttrs, trans_b)},
    {0},
};

static const SlOpClass gemm;

static gboolean
gemm_infer (SlNode *node, GError **error)
{
  const GemmAttrs *attrs = node->attrs;
  const SlShape *a = &node->inputs[0]->shape, *b = &node->inputs[1]->shape;
  const SlValue *c = sl_node_input (node, 2);
  if (!sl_infer_number_inputs (node, error))
    return FALSE;
  if (a->rank != 2 || b->rank != 2 || a->dim[!attrs->trans_a] != b->dim[attrs->trans_b]) {
    g_autofree char *left = sl_shape_to_string (a);
    g_autofree char *right = sl_shape_to_string (b);
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s%s and %s%s cannot be multiplied", left,
                   attrs->trans_a ? " transposed" : "", right, attrs->trans_b ? " transposed" : "");
    return FALSE;
  }
  SlShape y = SL_SHAPE (a->dim[attrs->trans_a], b->dim[!attrs->trans_b]), joint;
  if (c != NULL && (!sl_shape_broadcast (&y, &c->shape, &joint) || !sl_shape_equal (&joint, &y))) {
    g_autofree char *bias = sl_shape_to_string (&c->shape);
    g_autofree char *shape = sl_shape_to_string (&y);
    sl_node_error (node, error, SL_ERROR_SHAPE, "bias of %s does not broadcast to %s", bias, shape);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

/* Integers wrap; alpha and beta, which are floats, apply to the sum, and the result is truncated.
 */
static int64_t
gemm_int (const GemmAttrs *attrs, int64_t sum, int64_t bias)
{
  if (attrs->alpha == 1 && attrs->beta == 1)
    return (int64_t)((uint64_t)sum + (uint64_t)bias);
  double y = (double)attrs->alpha * (double)sum + (double)attrs->beta * (double)bias;
  return fabs (y) < 0x1p63 ? (int64_t)y : 0;
}

static void
gemm_reference (const SlRefCall *call)
{
  const GemmAttrs *attrs = call->attrs;
  const SlRefTensor *a = call->inputs[0], *b = call->inputs[1];
  const SlRefTensor *c = call->n_inputs > 2 ? call->inputs[2] : NULL;
  SlRefTensor *y = call->outputs[0];
  size_t rows = (size_t)y->shape.dim[0], cols = (size_t)y->shape.dim[1];
  size_t depth = (size_t)a->shape.dim[!attrs->trans_a];
  size_t a_row = attrs->trans_a ? 1 : depth, a_depth = attrs->trans_a ? rows : 1;
  size_t b_col = attrs->trans_b ? depth : 1, b_depth = attrs->trans_b ? 1 : cols;
  SlIndex index = {.rank = 2};
  for (size_t m = 0; m < rows; m++) {
    for (size_t n = 0; n < cols; n++) {
      index.at[0] = (int64_t)m;
      index.at[1] = (int64_t)n;
      size_t at = c != NULL ? sl_index_offset (&index, &c->shape) : 0;
      if (sl_dtype_is_float (y->dtype)) {
        double sum = 0;
        for (size_t k = 0; k < depth; k++)
          sum += a->f[m * a_row + k * a_depth] * b->f[n * b_col + k * b_depth];
        double bias = c != NULL ? c->f[at] : 0;
        y->f[m * cols + n] = (double)attrs->alpha * sum + (double)attrs->beta * bias;
      } else {
        uint64_t sum = 0;
        for (size_t k = 0; k < depth; k++)
          sum += (uint64_t)a->i[m * a_row + k * a_depth] * (uint64_t)b->i[n * b_col + k * b_depth];
        y->i[m * cols + n] = gemm_int (attrs, (int64_t)sum, c != NULL ? c->i[at] : 0);
      }
    }
  }
}

static bool
fits_kernel (const SlShape *matrix)
{
  return matrix->dim[0] <= UINT32_MAX && matrix->dim[1] <= UINT32_MAX;
}

/* The kernel takes one bias a column, and neither factors nor a transposed left side. */
static gboolean
gemm_is_plain (const SlNode *node)
{
  const GemmAttrs *attrs = node->attrs;
  const SlValue *c = sl_node_input (node, 2);
  if (node->inputs[0]->dtype != SL_FLOAT32 || attrs->trans_a || attrs->alpha != 1 ||
      !fits_kernel (&node->inputs[0]->shape) || !fits_kernel (&node->outputs[0]->shape))
    return FALSE;
  if (c == NULL)
    return TRUE;
  const SlShape *shape = &c->shape;
  int64_t cols = node->outputs[0]->shape.dim[1];
  return attrs->beta == 1 && shape->rank > 0 && shape->dim[shape->rank - 1] == cols &&
         (shape->rank == 1 || shape->dim[0] == 1);
}

static gboolean
gemm_absorb_affine (SlGraph *graph, SlNode *node, SlValue *scale, SlValue *shift)
{
  GemmAttrs *attrs = node->attrs;
  if (!gemm_is_plain (node))
    return FALSE;
  if (node->n_inputs < 3)
    sl_node_add_input (node, NULL);
  attrs->beta = 1; /* of a bias that was not there so far, else it is 1 already */
  if (scale != NULL)
    sl_node_set_input (node, 1,
                       sl_scale_weights (graph, node->inputs[1], attrs->trans_b ? 0 : 1, scale));
  sl_node_set_input (node, 2, sl_scale_bias (graph, node->inputs[2], scale, shift));
  return TRUE;
}

/* `weights`, of the given dimensions as stored, stand on the left (index 0) or the right of x;
 * `transposed` turns the product's rows and columns around. */
static SlLinear
linear_with (const SlNode *node, uint32_t index, const int64_t *dims, bool transposed)
{
  const bool rows_first = (index == 0) != transposed; /* dims are (rows, cols), else (cols, rows) */
  const size_t rows = (size_t)dims[!rows_first], cols = (size_t)dims[rows_first];
  return (SlLinear){.input = !index,
                    .weights = node->inputs[index],
                    .rows = rows,
                    .cols = cols,
                    .row_stride = rows_first ? cols : 1,
                    .col_stride = rows_first ? 1 : rows,
                    .factor = 1};
}

static gboolean
gemm_as_linear (const SlNode *node, SlLinear *ret)
{
  const GemmAttrs *attrs = node->attrs;
  uint32_t index = node->inputs[0]->kind == SL_VALUE_CONSTANT ? 0 : 1;
  *ret = linear_with (node, index, node->inputs[index]->shape.dim,
                      index == 0 ? attrs->trans_a : attrs->trans_b);
  ret->bias = sl_node_input (node, 2);
  ret->factor = (double)attrs->alpha;
  ret->bias_factor = (double)attrs->beta;
  return TRUE;
}

static void
gemm_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  const GemmAttrs *attrs = node->attrs;
  if (!gemm_is_plain (node))
    return;
  const SlShape *b = &node->inputs[1]->shape;
  size_t depth = (size_t)b->dim[attrs->trans_b], cols = (size_t)b->dim[!attrs->trans_b];
  SlPackParams pack = {.groups = 1,
                       .cols = (uint32_t)cols,
                       .depth = {1, 1, (uint32_t)depth},
                       .col_stride = attrs->trans_b ? depth : 1,
                       .depth_stride = {0, 0, attrs->trans_b ? 1 : cols}};
  sl_node_set_input (node, 1, sl_pack_weights (graph, node->inputs[1], &pack, target));
}

static void
gemm_lower (const SlNode *node, SlLowering *to)
{
  if (!gemm_is_plain (node)) {
    sl_lower_reference (to);
    return;
  }
  const SlShape *a = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
  SlGemmParams params = {.batch = 1,
                         .rows = (uint32_t)y->dim[0],
                         .cols = (uint32_t)y->dim[1],
                         .depth = (uint32_t)a->dim[1],
                         .a_stride = (size_t)a->dim[1],
                         .half = node->inputs[1]->dtype == SL_FLOAT16,
                         .c_stride = (size_t)y->dim[1],
                         .act = node->act};
  sl_lower (to, "gemm", &params, node->inputs[0], node->inputs[1], sl_node_input (node, 2), NULL,
            node->outputs[0]);
}

static void
gemm_cost (const SlNode *node, SlCost *ret_cost)
{
  const GemmAttrs *attrs = node->attrs;
  const SlShape *y = &node->outputs[0]->shape;
  double depth = (double)node->inputs[0]->shape.dim[!attrs->trans_a];
  ret_cost->flops = 2 * (double)y->dim[0] * (double)y->dim[1] * depth;
}

/* a * b, each transposed or not. */
static SlValue *
multiply (SlGradients *to, const SlNode *of, SlValue *a, bool trans_a, SlValue *b, bool trans_b)
{
  const GemmAttrs attrs = {.alpha = 1, .beta = 1, .trans_a = trans_a, .trans_b = trans_b};
  SlValue *inputs[] = {a, b};
  return sl_gradients_node (to, of, &gemm, &attrs, 2, inputs);
}

static void
give_scaled (SlGradients *to, const SlNode *node, uint32_t index, SlValue *value, float factor)
{
  SlFormula f = sl_formula (to, node);
  sl_formula_bind (&f, 'v', value);
  sl_formula_bind_number (&f, 'f', (double)factor);
  sl_gradients_give (to, node, index, factor == 1 ? value : sl_formula_add (&f, "v * f"));
}

/* Y = A' B': of A' it is dY B'', of B' A'' dY; the transpose of that where the operand was
 * transposed. */
static gboolean
gemm_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const GemmAttrs *attrs = node->attrs;
  SlValue *a = node->inputs[0], *b = node->inputs[1], *d = sl_gradients_get (to, node, 0);
  if (sl_gradients_want (to, node, 0))
    give_scaled (to, node, 0,
                 attrs->trans_a ? multiply (to, node, b, attrs->trans_b, d, true)
                                : multiply (to, node, d, false, b, !attrs->trans_b),
                 attrs->alpha);
  if (sl_gradients_want (to, node, 1))
    give_scaled (to, node, 1,
                 attrs->trans_b ? multiply (to, node, d, true, a, attrs->trans_a)
                                : multiply (to, node, a, !attrs->trans_a, d, false),
                 attrs->alpha);
  if (sl_gradients_want (to, node, 2))
    give_scaled (to, node, 2, sl_gradient_sum_to (to, node, d, &node->inputs[2]->shape),
                 attrs->beta);
  return TRUE;
}

/* The kernel reads rows of the left side: transposed, it is turned around first. */
static SlValue *
gemm_simplify (SlGraph *graph, SlNode *node)
{
  const GemmAttrs *attrs = node->attrs;
  if (!attrs->trans_a || node->inputs[0]->dtype != SL_FLOAT32)
    return NULL;
  GemmAttrs plain = *attrs;
  plain.trans_a = false;
  SlValue *turned =
      sl_add_internal (graph, sl_op_find ("Transpose"), node->name, NULL, 1, node->inputs);
  SlValue *inputs[] = {turned, node->inputs[1], sl_node_input (node, 2)};
  return sl_add_internal (graph, node->op, node->name, &plain, node->n_inputs, inputs);
}

/* Before opset 7 C broadcast only where `broadcast` said so. */
static gboolean
gemm_import_old (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const dropped[] = {"broadcast", NULL};
  return sl_import_dropping (im, op, dropped, error);
}

static const SlOnnxForm gemm_forms[] = {
    {.since = 1, .import = gemm_import_old},
    {.since = 7},
    {0},
};

static const SlOpClass gemm = {
    .name = "Gemm",
    .parameter_inputs = 1 << 1 | 1 << 2,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = gemm_attrs,
    .attrs_size = sizeof (GemmAttrs),
    .traits = SL_TRAIT_EPILOGUE,
    .infer = gemm_infer,
    .reference = gemm_reference,
    .as_linear = gemm_as_linear,
    .absorb_affine = gemm_absorb_affine,
    .prepare = gemm_prepare,
    .simplify = gemm_simplify,
    .lower = gemm_lower,
    .gradient = gemm_gradient,
    .cost = gemm_cost,
    .forms = gemm_forms,
};

/* --- MatMul: NumPy's matmul --- */

typedef struct MatMulAttrs {
  bool packed;
  SlMatMulShape shape; /* once packed */
} MatMulAttrs;

static bool
matmul_shape (const SlNode *node, SlMatMulShape *ret)
{
  return sl_matmul_shape (&node->inputs[0]->shape, &node->inputs[1]->shape, ret);
}

static gboolean
matmul_infer (SlNode *node, GError **error)
{
  SlMatMulShape shape;
  if (!sl_infer_number_inputs (node, error))
    return FALSE;
  if (!matmul_shape (node, &shape)) {
    g_autofree char *left = sl_shape_to_string (&node->inputs[0]->shape);
    g_autofree char *right = sl_shape_to_string (&node->inputs[1]->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s and %s cannot be multiplied", left, right);
    return FALSE;
  }
  SlShape y = shape.batch;
  if (node->inputs[0]->shape.rank > 1)
    y.dim[y.rank++] = (int64_t)shape.rows;
  if (node->inputs[1]->shape.rank > 1)
    y.dim[y.rank++] = (int64_t)shape.cols;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static void
matmul_one (const double *a, const double *b, double *y, const SlMatMulShape *shape)
{
  size_t elements = shape->rows * shape->cols;
  if (elements == 0)
    return;
  memset (y, 0, elements * sizeof *y);
  for (size_t m = 0; m < shape->rows; m++)
    for (size_t k = 0; k < shape->depth; k++)
      for (size_t n = 0; n < shape->cols; n++)
        y[m * shape->cols + n] += a[m * shape->depth + k] * b[k * shape->cols + n];
}

/* A bias, one element a column, comes from folding: no file can give it. */
static void
matmul_add_bias (const SlRefTensor *bias, SlRefTensor *y)
{
  for (size_t i = 0; i < y->n; i++)
    y->f[i] += bias->f[i % bias->n];
}

/* The same for integers, which wrap. */
static void
matmul_one_int (const int64_t *a, const int64_t *b, int64_t *y, const SlMatMulShape *shape)
{
  size_t elements = shape->rows * shape->cols;
  if (elements == 0)
    return;
  memset (y, 0, elements * sizeof *y);
  for (size_t m = 0; m < shape->rows; m++)
    for (size_t k = 0; k < shape->depth; k++)
      for (size_t n = 0; n < shape->cols; n++)
        y[m * shape->cols + n] =
            (int64_t)((uint64_t)y[m * shape->cols + n] +
                      (uint64_t)a[m * shape->depth + k] * (uint64_t)b[k * shape->cols + n]);
}

static void
matmul_reference (const SlRefCall *call)
{
  const SlRefTensor *a = call->inputs[0], *b = call->inputs[1];
  SlRefTensor *y = call->outputs[0];
  SlMatMulShape shape;
  matmul_shape (call->node, &shape);
  SlIndex index = {.rank = shape.batch.rank};
  size_t batch = 1;
  sl_shape_get_elements (&shape.batch, &batch);
  for (size_t i = 0; i < batch; i++) {
    size_t at_a = sl_index_offset (&index, &shape.a) * shape.rows * shape.depth;
    size_t at_b = sl_index_offset (&index, &shape.b) * shape.depth * shape.cols;
    size_t at_y = i * shape.rows * shape.cols;
    if (sl_dtype_is_float (y->dtype))
      matmul_one (a->f + at_a, b->f + at_b, y->f + at_y, &shape);
    else
      matmul_one_int (a->i + at_a, b->i + at_b, y->i + at_y, &shape);
    sl_index_next (&index, &shape.batch);
  }
  if (call->n_inputs > 2 && call->inputs[2] != NULL)
    matmul_add_bias (call->inputs[2], call->outputs[0]);
}

/* The kernel repeats one side over the batch, or none: left and right batch are whole or 1. A batch
 * over one right-hand matrix is a single product with more rows. */
static bool
matmul_plan (const SlNode *node, const SlMatMulShape *shape, SlGemmParams *ret)
{
  size_t batch = 1, a = 1, b = 1;
  if (node->inputs[0]->dtype != SL_FLOAT32 || !sl_shape_get_elements (&shape->batch, &batch) ||
      !sl_shape_get_elements (&shape->a, &a) || !sl_shape_get_elements (&shape->b, &b))
    return false;
  if ((a != batch && a != 1) || (b != batch && b != 1) ||
      MAX (batch, 1) * shape->rows > UINT32_MAX || batch > UINT32_MAX || shape->cols > UINT32_MAX ||
      shape->depth > UINT32_MAX)
    return false;
  *ret = (SlGemmParams){.batch = (uint32_t)batch,
                        .rows = (uint32_t)shape->rows,
                        .cols = (uint32_t)shape->cols,
                        .depth = (uint32_t)shape->depth,
                        .a_stride = shape->depth,
                        .c_stride = shape->cols,
                        .a_batch = a == 1 ? 0 : shape->rows * shape->depth,
                        .c_batch = shape->rows * shape->cols,
                        .act = node->act};
  if (b == 1 && a == batch) {
    ret->rows *= ret->batch;
    ret->batch = 1;
  }
  return true;
}

static gboolean
matmul_as_linear (const SlNode *node, SlLinear *ret)
{
  uint32_t index = node->inputs[0]->kind == SL_VALUE_CONSTANT ? 0 : 1;
  const SlShape *shape = &node->inputs[index]->shape;
  if (shape->rank < 2)
    return FALSE;
  *ret = linear_with (node, index, shape->dim + shape->rank - 2, false);
  ret->bias = sl_node_input (node, 2);
  ret->bias_factor = 1;
  return TRUE;
}

/* The columns of one matrix for the whole batch are channels. */
static gboolean
matmul_absorb_affine (SlGraph *graph, SlNode *node, SlValue *scale, SlValue *shift)
{
  SlMatMulShape shape;
  SlGemmParams params;
  if (node->inputs[1]->shape.rank != 2 || node->inputs[0]->shape.rank < 2 ||
      !matmul_shape (node, &shape) || !matmul_plan (node, &shape, &params))
    return FALSE;
  if (node->n_inputs < 3)
    sl_node_add_input (node, NULL);
  if (scale != NULL)
    sl_node_set_input (node, 1, sl_scale_weights (graph, node->inputs[1], 1, scale));
  sl_node_set_input (node, 2, sl_scale_bias (graph, node->inputs[2], scale, shift));
  return TRUE;
}

static void
matmul_prepare (SlGraph *graph, SlNode *node, const SlTarget *target)
{
  SlMatMulShape shape;
  SlGemmParams params;
  matmul_shape (node, &shape);
  if (!matmul_plan (node, &shape, &params))
    return;
  size_t groups = 1;
  sl_shape_get_elements (&shape.b, &groups);
  SlPackParams pack = {.groups = (uint32_t)groups,
                       .cols = (uint32_t)shape.cols,
                       .depth = {1, 1, (uint32_t)shape.depth},
                       .col_stride = 1,
                       .group_stride = shape.cols * shape.depth,
                       .depth_stride = {0, 0, shape.cols}};
  /* From here on input 1 is packed and its own shape gone: what lowering needs is kept. */
  MatMulAttrs *attrs = node->attrs;
  attrs->packed = true;
  attrs->shape = shape;
  sl_node_set_input (node, 1, sl_pack_weights (graph, node->inputs[1], &pack, target));
}

static void
matmul_lower (const SlNode *node, SlLowering *to)
{
  const MatMulAttrs *attrs = node->attrs;
  const SlMatMulShape *shape = &attrs->shape;
  SlGemmParams params;
  if (!attrs->packed || !matmul_plan (node, shape, &params)) {
    sl_lower_reference (to);
    return;
  }
  params.half = node->inputs[1]->dtype == SL_FLOAT16;
  size_t groups = 1;
  sl_shape_get_elements (&shape->b, &groups);
  if (groups > 1)
    params.b_batch = sl_packed_elements (shape->cols, shape->depth, to->target->panel);
  sl_lower (to, "gemm", &params, node->inputs[0], node->inputs[1], sl_node_input (node, 2), NULL,
            node->outputs[0]);
}

/* A constant matrix on the right: Gemm, which takes a bias and folds scales. */
static SlValue *
matmul_simplify (SlGraph *graph, SlNode *node)
{
  if (node->inputs[0]->shape.rank != 2 || node->inputs[1]->shape.rank != 2 ||
      node->inputs[1]->kind != SL_VALUE_CONSTANT || !sl_dtype_is_float (node->inputs[0]->dtype))
    return NULL;
  SlValue *output = sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION);
  sl_graph_add_node (graph, &gemm, node->name, NULL, 2, node->inputs, 1, &output);
  return output;
}

/* `value` as a matrix of so many rows and columns. */
static SlValue *
as_matrix (SlGradients *to, const SlNode *of, SlValue *value, size_t rows, size_t cols)
{
  return sl_gradient_reshape (to, of, value, &SL_SHAPE ((int64_t)rows, (int64_t)cols));
}

/* One matrix on the right: all products are one with more rows. */
static void
give_joined (SlGradients *to, const SlNode *node, const SlMatMulShape *shape, size_t batch)
{
  const size_t rows = batch * shape->rows;
  SlValue *d = as_matrix (to, node, sl_gradients_get (to, node, 0), rows, shape->cols);
  SlValue *a = node->inputs[0], *b = node->inputs[1];
  if (sl_gradients_want (to, node, 0)) {
    SlValue *matrix = as_matrix (to, node, b, shape->depth, shape->cols);
    matrix = multiply (to, node, d, false, matrix, true);
    sl_gradients_give (to, node, 0, sl_gradient_reshape (to, node, matrix, &a->shape));
  }
  if (sl_gradients_want (to, node, 1)) {
    SlValue *matrix = as_matrix (to, node, a, rows, shape->depth);
    matrix = multiply (to, node, matrix, true, d, false);
    sl_gradients_give (to, node, 1, sl_gradient_reshape (to, node, matrix, &b->shape));
  }
}

/* The batch's dimensions, then those of a matrix. */
static SlShape
stack_of (const SlShape *batch, size_t rows, size_t cols)
{
  SlShape stack = *batch;
  stack.dim[stack.rank++] = (int64_t)rows;
  stack.dim[stack.rank++] = (int64_t)cols;
  return stack;
}

static SlValue *
turn_matrices (SlGradients *to, const SlNode *of, SlValue *value)
{
  int64_t perm[SL_MAX_RANK];
  const uint32_t rank = value->shape.rank;
  for (uint32_t i = 0; i < rank; i++)
    perm[i] = i + 2 < rank ? i : i + 2 == rank ? rank - 1 : rank - 2;
  return sl_gradient_transpose (to, of, value, perm);
}

/* Product by product, summed up over the batch that an operand was repeated for. */
static void
give_stacked (SlGradients *to, const SlNode *node, const SlMatMulShape *shape)
{
  const SlShape of_a = stack_of (&shape->a, shape->rows, shape->depth);
  const SlShape of_b = stack_of (&shape->b, shape->depth, shape->cols);
  const SlShape of_y = stack_of (&shape->batch, shape->rows, shape->cols);
  SlValue *d = sl_gradient_reshape (to, node, sl_gradients_get (to, node, 0), &of_y);
  for (uint32_t i = 0; i < 2; i++) {
    if (!sl_gradients_want (to, node, i))
      continue;
    SlValue *other = sl_gradient_reshape (to, node, node->inputs[!i], i == 0 ? &of_b : &of_a);
    other = turn_matrices (to, node, other);
    SlValue *product[] = {i == 0 ? d : other, i == 0 ? other : d};
    SlValue *sum =
        sl_gradient_sum_to (to, node, sl_gradient_node (to, node, "MatMul", NULL, 0, 2, product),
                            i == 0 ? &of_a : &of_b);
    sl_gradients_give (to, node, i, sl_gradient_reshape (to, node, sum, &node->inputs[i]->shape));
  }
}

static gboolean
matmul_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlMatMulShape shape;
  size_t batch = 1, a = 1, b = 1;
  matmul_shape (node, &shape);
  sl_shape_get_elements (&shape.batch, &batch);
  sl_shape_get_elements (&shape.a, &a);
  sl_shape_get_elements (&shape.b, &b);
  if (b == 1 && a == batch)
    give_joined (to, node, &shape, batch);
  else
    give_stacked (to, node, &shape);
  return TRUE;
}

static void
matmul_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t out = 0;
  const SlShape *a = &node->inputs[0]->shape;
  sl_shape_get_elements (&node->outputs[0]->shape, &out);
  ret_cost->flops = 2 * (double)out * (double)a->dim[a->rank - 1];
}

static const SlOpClass matmul = {
    .name = "MatMul",
    .parameter_inputs = 1 << 0 | 1 << 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs_size = sizeof (MatMulAttrs),
    .traits = SL_TRAIT_EPILOGUE,
    .infer = matmul_infer,
    .reference = matmul_reference,
    .simplify = matmul_simplify,
    .as_linear = matmul_as_linear,
    .absorb_affine = matmul_absorb_affine,
    .channels_last_axis = true,
    .prepare = matmul_prepare,
    .lower = matmul_lower,
    .gradient = matmul_gradient,
    .cost = matmul_cost,
};

const SlOpClass *const sl_ops_matmul[] = {&gemm, &matmul, NULL};
