/* Arithmetic on two broadcast operands, and what ONNX builds from chains of it:
 * https://onnx.ai/onnx/operators/onnx__Add.html and so on. */
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"
#include "kernels/elementwise.h"

#include <math.h>

/* A class and its mathematics. */
typedef struct Binary {
  SlOpClass op; /* first: a node's class is converted back */
  const char *kernel;
  double (*of_floats) (double a, double b);
  int64_t (*of_ints) (int64_t a, int64_t b, SlDType dtype); /* NULL: floats only */
  bool keeps_first; /* output and input 0 have one shape: input 1 alone may broadcast */
  bool mixes_types; /* input 1 may be of another type */
} Binary;

static const Binary *
binary_of (const SlNode *node)
{
  return (const Binary *)(const void *)node->op;
}

static gboolean
check_type (const SlNode *node, const SlValue *input, SlDType dtype, bool integers, GError **error)
{
  if (input->dtype != dtype) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected %s", input->name,
                   sl_dtype_get_name (input->dtype), sl_dtype_get_name (dtype));
    return FALSE;
  }
  if (dtype != SL_BOOL && (integers || sl_dtype_is_float (dtype)))
    return TRUE;
  sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s", input->name,
                 sl_dtype_get_name (dtype));
  return FALSE;
}

static gboolean
binary_infer (SlNode *node, GError **error)
{
  const Binary *binary = binary_of (node);
  const SlValue *a = node->inputs[0], *b = node->inputs[1];
  SlShape shape;
  if (!check_type (node, a, a->dtype, binary->of_ints != NULL, error) ||
      !check_type (node, b, binary->mixes_types ? b->dtype : a->dtype, binary->of_ints != NULL,
                   error) ||
      !sl_infer_broadcast (node, &shape, error))
    return FALSE;
  if (binary->keeps_first && !sl_shape_equal (&shape, &a->shape)) {
    g_autofree char *left = sl_shape_to_string (&a->shape);
    g_autofree char *right = sl_shape_to_string (&b->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "%s ('%s') does not broadcast to %s", right,
                   b->name, left);
    return FALSE;
  }
  sl_infer_output (node, 0, a->dtype, &shape);
  return TRUE;
}

/* Truncates; what no integer can hold becomes 0. */
static int64_t
to_int (double x)
{
  return x > -0x1p63 && x < 0x1p63 ? (int64_t)x : 0;
}

static void
binary_reference (const SlRefCall *call)
{
  const Binary *binary = binary_of (call->node);
  const SlRefTensor *a = call->inputs[0], *b = call->inputs[1];
  SlRefTensor *y = call->outputs[0];
  bool float_a = sl_dtype_is_float (a->dtype), float_b = sl_dtype_is_float (b->dtype);
  SlIndex index = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&index, &y->shape)) {
    size_t at_a = sl_index_offset (&index, &a->shape), at_b = sl_index_offset (&index, &b->shape);
    if (!float_a && !float_b) {
      y->i[i] = binary->of_ints (a->i[at_a], b->i[at_b], a->dtype);
      continue;
    }
    double value = binary->of_floats (sl_ref_double (a, at_a), sl_ref_double (b, at_b));
    if (float_a)
      y->f[i] = value;
    else
      y->i[i] = to_int (value);
  }
}

/* Kernels read float32, both operands. */
static gboolean
binary_row_major_only (const SlNode *node)
{
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (node->inputs[i]->dtype != SL_FLOAT32)
      return TRUE;
  return FALSE;
}

static void
binary_lower (const SlNode *node, SlLowering *to)
{
  if (binary_row_major_only (node))
    sl_lower_reference (to);
  else
    sl_lower_binary (to, binary_of (node)->kernel, node->inputs[0], node->inputs[1],
                     node->outputs[0], &node->act);
}

/* --- As a map of channels --- */

/* The input that has one element a channel where the other one has output 0's shape. */
static gboolean
find_channel_vector (const SlNode *node, uint32_t axis, uint32_t *ret_input, SlValue **ret_vector)
{
  const SlShape *shape = &node->outputs[0]->shape;
  if (shape->rank <= axis || node->act.kind != SL_ACT_NONE || node->inputs[0]->dtype != SL_FLOAT32)
    return FALSE;
  for (uint32_t i = 0; i < 2; i++) {
    SlValue *vector = node->inputs[!i];
    if (!sl_shape_equal (&node->inputs[i]->shape, shape) || vector->shape.rank > shape->rank)
      continue;
    uint32_t skip = shape->rank - vector->shape.rank;
    SlShape expected = {.rank = vector->shape.rank};
    for (uint32_t k = 0; k < expected.rank; k++)
      expected.dim[k] = k + skip == axis ? shape->dim[axis] : 1;
    if (skip > axis || !sl_shape_equal (&vector->shape, &expected))
      continue;
    *ret_input = i;
    *ret_vector = vector;
    return TRUE;
  }
  return FALSE;
}

static gboolean
add_as_affine (const SlNode *node, uint32_t axis, uint32_t *ret_input, SlValue **ret_scale,
               SlValue **ret_shift)
{
  *ret_scale = NULL;
  return find_channel_vector (node, axis, ret_input, ret_shift);
}

static gboolean
mul_as_affine (const SlNode *node, uint32_t axis, uint32_t *ret_input, SlValue **ret_scale,
               SlValue **ret_shift)
{
  *ret_shift = NULL;
  return find_channel_vector (node, axis, ret_input, ret_scale);
}

/* --- Floats --- */

static double
add_floats (double a, double b)
{
  return a + b;
}

static double
sub_floats (double a, double b)
{
  return a - b;
}

static double
mul_floats (double a, double b)
{
  return a * b;
}

static double
div_floats (double a, double b)
{
  return a / b;
}

static double
pow_floats (double a, double b)
{
  return pow (a, b);
}

/* A NaN wins, as in NumPy. */
static double
min_floats (double a, double b)
{
  return isnan (a) || a < b ? a : b;
}

static double
max_floats (double a, double b)
{
  return isnan (a) || a > b ? a : b;
}

static double
prelu_floats (double x, double slope)
{
  return x < 0 ? slope * x : x;
}

/* --- Integers wrap; uint64 comes as a bit pattern --- */

static int64_t
add_ints (int64_t a, int64_t b, SlDType dtype)
{
  return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t
sub_ints (int64_t a, int64_t b, SlDType dtype)
{
  return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t
mul_ints (int64_t a, int64_t b, SlDType dtype)
{
  return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Truncates towards 0. ONNX leaves division by 0 open: it gives 0. */
static int64_t
div_ints (int64_t a, int64_t b, SlDType dtype)
{
  if (b == 0)
    return 0;
  if (dtype == SL_UINT64)
    return (int64_t)((uint64_t)a / (uint64_t)b);
  return b == -1 ? sub_ints (0, a, dtype) : a / b;
}

static int64_t
pow_ints (int64_t a, int64_t b, SlDType dtype)
{
  uint64_t base = (uint64_t)a, power = 1;
  if (b < 0 && dtype != SL_UINT64) /* a reciprocal, truncated */
    return a == 1 ? 1 : a == -1 ? (b % 2 != 0 ? -1 : 1) : 0;
  for (uint64_t exponent = (uint64_t)b; exponent > 0; exponent >>= 1, base *= base)
    if (exponent & 1)
      power *= base;
  return (int64_t)power;
}

static bool
is_less (int64_t a, int64_t b, SlDType dtype)
{
  return dtype == SL_UINT64 ? (uint64_t)a < (uint64_t)b : a < b;
}

static int64_t
min_ints (int64_t a, int64_t b, SlDType dtype)
{
  return is_less (b, a, dtype) ? b : a;
}

static int64_t
max_ints (int64_t a, int64_t b, SlDType dtype)
{
  return is_less (a, b, dtype) ? b : a;
}

static int64_t
prelu_ints (int64_t x, int64_t slope, SlDType dtype)
{
  return is_less (x, 0, dtype) ? mul_ints (x, slope, dtype) : x;
}

/* --- Gradients --- */

/* Input `index` gets what the formula computes, where 'a' and 'b' are the inputs. */
static void
give_formula (SlGradients *to, const SlNode *node, uint32_t index, const char *text)
{
  if (!sl_gradients_want (to, node, index))
    return;
  SlFormula formula = sl_formula (to, node);
  sl_formula_bind (&formula, 'a', node->inputs[0]);
  sl_formula_bind (&formula, 'b', node->inputs[1]);
  sl_gradients_give (to, node, index, sl_formula_add (&formula, text));
}

/* The same where the sum over what was broadcast may be negated, which is less work. */
static void
give_negative (SlGradients *to, const SlNode *node, uint32_t index, const char *text)
{
  if (!sl_gradients_want (to, node, index))
    return;
  SlFormula formula = sl_formula (to, node);
  sl_formula_bind (&formula, 'a', node->inputs[0]);
  sl_formula_bind (&formula, 'b', node->inputs[1]);
  SlValue *sum =
      sl_gradient_sum_to (to, node, sl_formula_add (&formula, text), &node->inputs[index]->shape);
  sl_formula_bind (&formula, 's', sum);
  sl_gradients_give (to, node, index, sl_formula_add (&formula, "-s"));
}

static gboolean
add_gradient (SlGradients *to, SlNode *node, GError **error)
{
  for (uint32_t i = 0; i < node->n_inputs; i++)
    sl_gradients_give (to, node, i, sl_gradients_get (to, node, 0));
  return TRUE;
}

static gboolean
sub_gradient (SlGradients *to, SlNode *node, GError **error)
{
  sl_gradients_give (to, node, 0, sl_gradients_get (to, node, 0));
  give_negative (to, node, 1, "d");
  return TRUE;
}

static gboolean
mul_gradient (SlGradients *to, SlNode *node, GError **error)
{
  give_formula (to, node, 0, "d * b");
  give_formula (to, node, 1, "d * a");
  return TRUE;
}

static gboolean
div_gradient (SlGradients *to, SlNode *node, GError **error)
{
  give_formula (to, node, 0, "d / b");
  give_negative (to, node, 1, "d * y / b");
  return TRUE;
}

/* The exponent's is 0 where the base is not positive, as PyTorch has it for 0. */
static gboolean
pow_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlFormula f = sl_formula (to, node);
  SlValue *exponent = node->inputs[1];
  if (!sl_dtype_is_float (node->inputs[0]->dtype))
    return FALSE;
  sl_formula_bind (&f, 'p', sl_gradient_cast (to, node, exponent, node->inputs[0]->dtype));
  if (sl_gradients_want (to, node, 0))
    sl_gradients_give (to, node, 0, sl_formula_add (&f, "d * p * Pow (x, p - 1)"));
  if (sl_gradients_want (to, node, 1)) {
    SlValue *each = sl_formula_add (&f, "x > 0 ? d * y * Log (x) : 0");
    SlValue *sum = sl_gradient_sum_to (to, node, each, &exponent->shape);
    sl_gradients_give (to, node, 1, sl_gradient_cast (to, node, sum, exponent->dtype));
  }
  return TRUE;
}

/* Of equals each gets half, as in PyTorch. */
static gboolean
max_gradient (SlGradients *to, SlNode *node, GError **error)
{
  give_formula (to, node, 0, "d * (0.5 + 0.5 * Sign (a - b))");
  give_formula (to, node, 1, "d * (0.5 - 0.5 * Sign (a - b))");
  return TRUE;
}

static gboolean
min_gradient (SlGradients *to, SlNode *node, GError **error)
{
  give_formula (to, node, 0, "d * (0.5 - 0.5 * Sign (a - b))");
  give_formula (to, node, 1, "d * (0.5 + 0.5 * Sign (a - b))");
  return TRUE;
}

static gboolean
prelu_gradient (SlGradients *to, SlNode *node, GError **error)
{
  give_formula (to, node, 0, "a > 0 ? d : d * b");
  give_formula (to, node, 1, "d * Min (a, 0)");
  return TRUE;
}

/* --- Forms --- */

/* Sum, Min and Max of any number: a chain of nodes with two inputs. */
static gboolean
import_chain (const SlImport *im, const SlOpClass *op, GError **error)
{
  SlImport link = *im;
  for (uint32_t i = 0; i < im->n_inputs; i++)
    if (im->inputs[i] == NULL)
      return sl_import_error (im, error, SL_ERROR_MALFORMED, "input %u is left out", i);
  if (im->n_inputs == 1)
    return sl_import_default (im, sl_op_find ("Identity"), error);
  SlValue *pair[] = {im->n_inputs > 0 ? im->inputs[0] : NULL, NULL};
  for (uint32_t i = 1; i + 1 < im->n_inputs; i++) {
    pair[1] = im->inputs[i];
    pair[0] = sl_import_add (im, op, NULL, 2, pair);
  }
  if (im->n_inputs > 1)
    pair[1] = im->inputs[im->n_inputs - 1];
  link.inputs = pair;
  link.n_inputs = MIN (im->n_inputs, 2);
  return sl_import_default (&link, op, error);
}

/* Before opset 7 a slope of one dimension is one for each channel. */
static gboolean
import_slope (const SlImport *im, const SlOpClass *op, GError **error)
{
  if (!sl_import_check (im, op, im->n_inputs, error))
    return FALSE;
  SlImport aligned = *im;
  SlValue *inputs[] = {im->inputs[0], sl_align_axis (im, im->inputs[1], im->inputs[0], 1)};
  aligned.inputs = inputs;
  return sl_import_default (&aligned, op, error);
}

static const SlOnnxForm axis_forms[] = {
    {.since = 1, .import = sl_import_with_axis}, {.since = 7}, {0}};
static const SlOnnxForm add_forms[] = {
    {.since = 1, .import = sl_import_with_axis},
    {.since = 7},
    {.op_type = "Sum", .since = 1, .import = import_chain},
    {0},
};
static const SlOnnxForm chain_forms[] = {{.since = 1, .import = import_chain}, {0}};
static const SlOnnxForm prelu_forms[] = {{.since = 1, .import = import_slope}, {.since = 7}, {0}};

/* --- Mean: of any number, with one factor at the end --- */

static gboolean
mean_infer (SlNode *node, GError **error)
{
  SlShape shape;
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (!check_type (node, node->inputs[i], node->inputs[0]->dtype, false, error))
      return FALSE;
  if (!sl_infer_broadcast (node, &shape, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &shape);
  return TRUE;
}

static void
mean_reference (const SlRefCall *call)
{
  SlRefTensor *y = call->outputs[0];
  SlIndex index = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&index, &y->shape)) {
    double sum = 0;
    for (uint32_t k = 0; k < call->n_inputs; k++)
      sum += call->inputs[k]->f[sl_index_offset (&index, &call->inputs[k]->shape)];
    y->f[i] = sum / call->n_inputs;
  }
}

/* y = x0 + x1, y = y + x2 …, y = y / n. No input may lie in y's memory: some are read after the
 * first step has written it. */
static void
mean_lower (const SlNode *node, SlLowering *to)
{
  const SlAct none = {.kind = SL_ACT_NONE};
  const SlValue *y = node->outputs[0];
  if (binary_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  for (uint32_t i = 1; i < node->n_inputs; i++)
    sl_lower_binary (to, "add", i == 1 ? node->inputs[0] : y, node->inputs[i], y, &none);
  SlUnaryParams params = {.a = (float)(1.0 / node->n_inputs)};
  sl_value_get_rows (y, &params.rows, &params.cols, &params.out_stride);
  params.in_stride = params.out_stride;
  sl_lower (to, "linear", &params, y, y);
}

static void
mean_cost (const SlNode *node, SlCost *ret_cost)
{
  size_t n = 0;
  sl_shape_get_elements (&node->outputs[0]->shape, &n);
  ret_cost->flops = (double)n * node->n_inputs;
}

/* The mean of one is itself. */
static gboolean
import_mean (const SlImport *im, const SlOpClass *op, GError **error)
{
  return sl_import_default (im, im->n_inputs == 1 ? sl_op_find ("Identity") : op, error);
}

static gboolean
mean_gradient (SlGradients *to, SlNode *node, GError **error)
{
  SlFormula f = sl_formula (to, node);
  sl_formula_bind_number (&f, 'n', 1.0 / node->n_inputs);
  SlValue *share = sl_formula_add (&f, "d * n");
  for (uint32_t i = 0; i < node->n_inputs; i++)
    sl_gradients_give (to, node, i, share);
  return TRUE;
}

static const SlOnnxForm mean_forms[] = {{.since = 1, .import = import_mean}, {0}};

static const SlOpClass mean = {
    .name = "Mean",
    .min_inputs = 2,
    .max_inputs = SL_VARIADIC,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = mean_infer,
    .reference = mean_reference,
    .lower = mean_lower,
    .row_major_only = binary_row_major_only,
    .cost = mean_cost,
    .gradient = mean_gradient,
    .forms = mean_forms,
};

/* --- The rows --- */

/* Class op_<id> of ONNX's name, with kernel "<id>" and the functions <id>_floats and <id>_ints;
 * further members of SlOpClass follow. */
#define BINARY(id, onnx, more_traits, unusual, ...)                                        \
  static const Binary op_##id = {.op = {.name = onnx,                                      \
                                        .min_inputs = 2,                                   \
                                        .max_inputs = 2,                                   \
                                        .min_outputs = 1,                                  \
                                        .max_outputs = 1,                                  \
                                        .traits = SL_TRAIT_EPILOGUE | SL_TRAIT_IN_PLACE |  \
                                                  SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT | \
                                                  more_traits,                             \
                                        .layouts = SL_LAYOUTS_FOLLOW,                      \
                                        .infer = binary_infer,                             \
                                        .reference = binary_reference,                     \
                                        .lower = binary_lower,                             \
                                        .row_major_only = binary_row_major_only,           \
                                        .gradient = id##_gradient,                         \
                                        __VA_ARGS__},                                      \
                                 .kernel = #id,                                            \
                                 .of_floats = id##_floats,                                 \
                                 .of_ints = id##_ints,                                     \
                                 unusual};
#define USUAL

static SlValue *pow_simplify (SlGraph *graph, SlNode *node);

BINARY (add, "Add", SL_TRAIT_SUM | SL_TRAIT_COMMUTES, USUAL, .forms = add_forms, .affine_inputs = 3,
        .parameter_inputs = 3, .as_affine = add_as_affine)
BINARY (sub, "Sub", SL_TRAIT_NONE, USUAL, .forms = axis_forms, .affine_inputs = 3,
        .parameter_inputs = 3)
BINARY (mul, "Mul", SL_TRAIT_COMMUTES, USUAL, .forms = axis_forms, .affine_inputs = 3,
        .parameter_inputs = 3, .as_affine = mul_as_affine)
BINARY (div, "Div", SL_TRAIT_NONE, USUAL, .forms = axis_forms, .affine_inputs = 1,
        .parameter_inputs = 3)
BINARY (pow, "Pow", SL_TRAIT_NONE, .mixes_types = true, .forms = axis_forms,
        .simplify = pow_simplify)
BINARY (min, "Min", SL_TRAIT_NONE, USUAL, .forms = chain_forms)
BINARY (max, "Max", SL_TRAIT_NONE, USUAL, .forms = chain_forms)
BINARY (prelu, "PRelu", SL_TRAIT_NONE, .keeps_first = true, .forms = prelu_forms,
        .parameter_inputs = 1 << 1)

/* Powers that exporters write for squares, roots and the like. */
static SlValue *
pow_simplify (SlGraph *graph, SlNode *node)
{
  SlValue *x = node->inputs[0], *exponent = node->inputs[1];
  if (exponent->kind != SL_VALUE_CONSTANT || sl_tensor_get_elements (exponent->data) != 1 ||
      !sl_dtype_is_float (x->dtype) || !sl_shape_equal (&x->shape, &node->outputs[0]->shape))
    return NULL;
  double power = sl_tensor_get_double (exponent->data, 0);
  SlValue *inputs[] = {x, x};
  bool is_square = power == 2;
  const SlOpClass *op = is_square      ? &op_mul.op
                        : power == 0.5 ? sl_op_find ("Sqrt")
                        : power == -1  ? sl_op_find ("Reciprocal")
                                       : NULL;
  if (power == 1)
    return x;
  if (op == NULL)
    return NULL;
  SlValue *output = sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION);
  sl_graph_add_node (graph, op, node->name, NULL, is_square ? 2 : 1, inputs, 1, &output);
  return output;
}

const SlOpClass *const sl_ops_binary[] = {
    &op_add.op, &op_sub.op, &op_mul.op,   &op_div.op, &op_pow.op,
    &op_min.op, &op_max.op, &op_prelu.op, &mean,      NULL,
};
