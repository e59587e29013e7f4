/* Functions of one element: activations and elementwise mathematics. Each class is a row at the
 * end: https://onnx.ai/onnx/operators/onnx__Relu.html and so on. */
#include "kernels/elementwise.h"
#include "ops/forms.h"
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>

/* What a class's table calls alpha, beta or gamma; the kernels' a and b. */
typedef struct UnaryAttrs {
  float a, b;
  uint32_t approximate; /* Gelu */
} UnaryAttrs;

/* A class and its mathematics. */
typedef struct Unary {
  SlOpClass op; /* first: a node's class is converted back */
  const char *kernel;
  double (*of_float) (double x, const UnaryAttrs *attrs);
  int64_t (*of_int) (int64_t x, SlDType dtype); /* NULL: floats only */
  const char *gradient; /* formula with the attributes a and b; NULL: 0 everywhere */
} Unary;

static const Unary *
unary_of (const SlNode *node)
{
  return (const Unary *)(const void *)node->op;
}

static gboolean
unary_infer (SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0];
  if (!sl_dtype_is_float (x->dtype) && (unary_of (node)->of_int == NULL || x->dtype == SL_BOOL)) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is %s", x->name,
                   sl_dtype_get_name (x->dtype));
    return FALSE;
  }
  sl_infer_output (node, 0, x->dtype, &x->shape);
  return TRUE;
}

static void
unary_reference (const SlRefCall *call)
{
  const Unary *unary = unary_of (call->node);
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  bool is_float = sl_dtype_is_float (x->dtype);
  for (size_t i = 0; i < x->n; i++) {
    if (is_float)
      y->f[i] = unary->of_float (x->f[i], call->attrs);
    else
      y->i[i] = unary->of_int (x->i[i], x->dtype);
  }
}

/* One step over the memory of x, whatever its layout. */
static void
lower_rows (SlLowering *to, const char *kernel, float a, float b, const SlValue *x,
            const SlValue *y)
{
  SlUnaryParams params = {.a = a, .b = b};
  sl_value_get_rows (x, &params.rows, &params.cols, &params.in_stride);
  sl_value_get_rows (y, &params.rows, &params.cols, &params.out_stride);
  sl_lower (to, kernel, &params, x, y);
}

static void
unary_lower (const SlNode *node, SlLowering *to)
{
  static const UnaryAttrs none;
  const UnaryAttrs *attrs = node->attrs != NULL ? node->attrs : &none;
  if (node->op->row_major_only (node))
    sl_lower_reference (to);
  else
    lower_rows (to, unary_of (node)->kernel, attrs->a, attrs->b, node->inputs[0], node->outputs[0]);
}

/* Gelu's with approximate = tanh. */
#define GELU_TANH_GRADIENT                                             \
  "s = x * x; t = Tanh (0.7978845608028654 * x * (1 + 0.044715 * s));" \
  "d * 0.5 * (1 + t + x * (1 - t * t) * (0.7978845608028654 + 0.10703222440890037 * s))"

static gboolean
unary_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const Unary *unary = unary_of (node);
  const UnaryAttrs *attrs = node->attrs;
  SlFormula formula = sl_formula (to, node);
  if (unary->gradient == NULL)
    return TRUE;
  if (attrs != NULL) {
    sl_formula_bind_number (&formula, 'a', (double)attrs->a);
    sl_formula_bind_number (&formula, 'b', (double)attrs->b);
    /* Of x's sign: y, where the slope allows it, since x is then needed by nobody. */
    sl_formula_bind (&formula, 's', attrs->a > 0 ? node->outputs[0] : node->inputs[0]);
  }
  bool is_tanh = attrs != NULL && attrs->approximate != 0;
  sl_gradients_give (to, node, 0,
                     sl_formula_add (&formula, is_tanh ? GELU_TANH_GRADIENT : unary->gradient));
  return TRUE;
}

/* --- Floats --- */

static double
of_relu (double x, const UnaryAttrs *attrs)
{
  return x < 0 ? 0 : x;
}

static double
of_leaky_relu (double x, const UnaryAttrs *attrs)
{
  return x < 0 ? (double)attrs->a * x : x;
}

static double
of_elu (double x, const UnaryAttrs *attrs)
{
  return x < 0 ? (double)attrs->a * expm1 (x) : x;
}

static double
of_selu (double x, const UnaryAttrs *attrs)
{
  return (double)attrs->b * of_elu (x, attrs);
}

static double
of_celu (double x, const UnaryAttrs *attrs)
{
  return x < 0 ? (double)attrs->a * expm1 (x / (double)attrs->a) : x;
}

static double
of_thresholded_relu (double x, const UnaryAttrs *attrs)
{
  return x > (double)attrs->a || isnan (x) ? x : 0;
}

static double
of_sigmoid (double x, const UnaryAttrs *attrs)
{
  return 1 / (1 + exp (-x));
}

/* A NaN stays one. */
static double
clamp (double x, double lo, double hi)
{
  double y = x < lo ? lo : x;
  return y > hi ? hi : y;
}

static double
of_silu (double x, const UnaryAttrs *attrs)
{
  return x / (1 + exp (-x));
}

static double
of_hard_sigmoid (double x, const UnaryAttrs *attrs)
{
  return clamp ((double)attrs->a * x + (double)attrs->b, 0, 1);
}

static double
of_hard_swish (double x, const UnaryAttrs *attrs)
{
  return x * clamp (x / 6 + 0.5, 0, 1);
}

static double
of_tanh (double x, const UnaryAttrs *attrs)
{
  return tanh (x);
}

static double
of_softplus (double x, const UnaryAttrs *attrs)
{
  return (x > 0 ? x : 0) + log1p (exp (-fabs (x)));
}

static double
of_softsign (double x, const UnaryAttrs *attrs)
{
  return x / (1 + fabs (x));
}

static double
of_erf (double x, const UnaryAttrs *attrs)
{
  return erf (x);
}

static double
of_gelu (double x, const UnaryAttrs *attrs)
{
  if (attrs->approximate)
    return 0.5 * x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
  return 0.5 * x * erfc (-x / G_SQRT2);
}

static double
of_mish (double x, const UnaryAttrs *attrs)
{
  return x * tanh (of_softplus (x, attrs));
}

static double
of_exp (double x, const UnaryAttrs *attrs)
{
  return exp (x);
}

static double
of_log (double x, const UnaryAttrs *attrs)
{
  return log (x);
}

static double
of_sqrt (double x, const UnaryAttrs *attrs)
{
  return sqrt (x);
}

static double
of_reciprocal (double x, const UnaryAttrs *attrs)
{
  return 1 / x;
}

static double
of_neg (double x, const UnaryAttrs *attrs)
{
  return -x;
}

static double
of_abs (double x, const UnaryAttrs *attrs)
{
  return fabs (x);
}

static double
of_sign (double x, const UnaryAttrs *attrs)
{
  return isnan (x) ? x : (x > 0) - (x < 0);
}

static double
of_floor (double x, const UnaryAttrs *attrs)
{
  return floor (x);
}

static double
of_ceil (double x, const UnaryAttrs *attrs)
{
  return ceil (x);
}

/* Half to even: the FP environment's default. */
static double
of_round (double x, const UnaryAttrs *attrs)
{
  return nearbyint (x);
}

/* --- Integers; uint64 comes as a bit pattern --- */

static int64_t
int_relu (int64_t x, SlDType dtype)
{
  return x < 0 && dtype != SL_UINT64 ? 0 : x;
}

static int64_t
int_neg (int64_t x, SlDType dtype)
{
  return (int64_t)(0 - (uint64_t)x);
}

static int64_t
int_abs (int64_t x, SlDType dtype)
{
  return x < 0 && dtype != SL_UINT64 ? int_neg (x, dtype) : x;
}

static int64_t
int_sign (int64_t x, SlDType dtype)
{
  return dtype == SL_UINT64 ? x != 0 : (x > 0) - (x < 0);
}

/* --- As the end of another node's kernel --- */

static gboolean
relu_epilogue (const SlNode *node, SlAct *ret_act)
{
  *ret_act = (SlAct){.kind = SL_ACT_CLIP, .a = 0, .b = INFINITY};
  return node->inputs[0]->dtype == SL_FLOAT32;
}

static gboolean
leaky_relu_epilogue (const SlNode *node, SlAct *ret_act)
{
  const UnaryAttrs *attrs = node->attrs;
  *ret_act = (SlAct){.kind = SL_ACT_LEAKY, .a = attrs->a};
  return node->inputs[0]->dtype == SL_FLOAT32;
}

static gboolean
sigmoid_epilogue (const SlNode *node, SlAct *ret_act)
{
  *ret_act = (SlAct){.kind = SL_ACT_SIGMOID};
  return node->inputs[0]->dtype == SL_FLOAT32;
}

static gboolean
silu_epilogue (const SlNode *node, SlAct *ret_act)
{
  *ret_act = (SlAct){.kind = SL_ACT_SILU};
  return node->inputs[0]->dtype == SL_FLOAT32;
}

static gboolean
tanh_epilogue (const SlNode *node, SlAct *ret_act)
{
  *ret_act = (SlAct){.kind = SL_ACT_TANH};
  return node->inputs[0]->dtype == SL_FLOAT32;
}

static gboolean
hard_swish_epilogue (const SlNode *node, SlAct *ret_act)
{
  *ret_act = (SlAct){.kind = SL_ACT_HARDSWISH};
  return node->inputs[0]->dtype == SL_FLOAT32;
}

/* --- Clip --- */

static gboolean
clip_infer (SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0];
  bool is_float = sl_dtype_is_float (x->dtype);
  for (uint32_t i = 1; i < node->n_inputs; i++) {
    const SlValue *bound = node->inputs[i];
    size_t n = 1;
    if (bound != NULL)
      sl_shape_get_elements (&bound->shape, &n);
    /* Bounds from an attribute are float32, whatever the input's precision. */
    if (bound == NULL ||
        (n == 1 && bound->shape.rank <= 1 &&
         (bound->dtype == x->dtype || (is_float && sl_dtype_is_float (bound->dtype)))))
      continue;
    g_autofree char *shape = sl_shape_to_string (&bound->shape);
    sl_node_error (node, error, SL_ERROR_SHAPE, "bound '%s' is %s of %s, expected a scalar of %s",
                   bound->name, shape, sl_dtype_get_name (bound->dtype),
                   sl_dtype_get_name (x->dtype));
    return FALSE;
  }
  if (x->dtype == SL_BOOL) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "input '%s' is bool", x->name);
    return FALSE;
  }
  sl_infer_output (node, 0, x->dtype, &x->shape);
  return TRUE;
}

static bool
int_is_less (int64_t a, int64_t b, SlDType dtype)
{
  return dtype == SL_UINT64 ? (uint64_t)a < (uint64_t)b : a < b;
}

static void
clip_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0];
  const SlRefTensor *min = call->n_inputs > 1 ? call->inputs[1] : NULL;
  const SlRefTensor *max = call->n_inputs > 2 ? call->inputs[2] : NULL;
  SlRefTensor *y = call->outputs[0];
  if (sl_dtype_is_float (x->dtype)) {
    double lo = min != NULL ? min->f[0] : -INFINITY, hi = max != NULL ? max->f[0] : INFINITY;
    for (size_t i = 0; i < x->n; i++)
      y->f[i] = clamp (x->f[i], lo, hi);
    return;
  }
  for (size_t i = 0; i < x->n; i++) {
    int64_t value = x->i[i];
    if (min != NULL && int_is_less (value, min->i[0], x->dtype))
      value = min->i[0];
    if (max != NULL && int_is_less (max->i[0], value, x->dtype))
      value = max->i[0];
    y->i[i] = value;
  }
}

/* The bounds if they are constant or left out. */
static bool
clip_get_bounds (const SlNode *node, float *ret_min, float *ret_max)
{
  const SlValue *min = sl_node_input (node, 1), *max = sl_node_input (node, 2);
  if ((min != NULL && min->kind != SL_VALUE_CONSTANT) ||
      (max != NULL && max->kind != SL_VALUE_CONSTANT))
    return false;
  *ret_min = min != NULL ? (float)sl_tensor_get_double (min->data, 0) : -INFINITY;
  *ret_max = max != NULL ? (float)sl_tensor_get_double (max->data, 0) : INFINITY;
  return true;
}

/* Bounds that are only known at run time take two steps, which want operands of one type and a
 * bound of no higher rank than the input. */
static gboolean
clip_row_major_only (const SlNode *node)
{
  float min, max;
  const SlValue *x = node->inputs[0];
  if (x->dtype != SL_FLOAT32)
    return TRUE;
  if (clip_get_bounds (node, &min, &max))
    return FALSE;
  if (sl_node_input (node, 1) == sl_node_input (node, 2))
    return TRUE;
  for (uint32_t i = 1; i < node->n_inputs; i++) {
    const SlValue *bound = node->inputs[i];
    if (bound != NULL && (bound->dtype != SL_FLOAT32 || bound->shape.rank > x->shape.rank))
      return TRUE;
  }
  return FALSE;
}

static void
clip_lower (const SlNode *node, SlLowering *to)
{
  const SlAct none = {.kind = SL_ACT_NONE};
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  const SlValue *min = sl_node_input (node, 1), *max = sl_node_input (node, 2);
  float lo, hi;
  if (clip_row_major_only (node)) {
    sl_lower_reference (to);
  } else if (clip_get_bounds (node, &lo, &hi)) {
    lower_rows (to, "clip", lo, hi, x, y);
  } else {
    if (min != NULL)
      sl_lower_binary (to, "max", x, min, y, &none);
    if (max != NULL)
      sl_lower_binary (to, "min", min != NULL ? y : x, max, y, &none);
  }
}

static gboolean
clip_epilogue (const SlNode *node, SlAct *ret_act)
{
  *ret_act = (SlAct){.kind = SL_ACT_CLIP};
  return node->inputs[0]->dtype == SL_FLOAT32 && clip_get_bounds (node, &ret_act->a, &ret_act->b) &&
         ret_act->a <= ret_act->b;
}

static gboolean
clip_import_attrs (const SlImport *im, const SlOpClass *op, GError **error)
{
  static const char *const names[] = {"min", "max", NULL};
  return sl_import_attrs_as_inputs (im, op, 1, names, NULL, error);
}

/* Where neither bound holds; a bound gets what its own value passed on. */
static gboolean
clip_gradient (SlGradients *to, SlNode *node, GError **error)
{
  static const char bounds[] = {'l', 'h'};
  const SlShape scalar = {0};
  SlFormula f = sl_formula (to, node);
  SlValue *min = sl_node_input (node, 1), *max = sl_node_input (node, 2);
  for (uint32_t i = 0; i < 2; i++) {
    SlValue *bound = sl_node_input (node, 1 + i);
    if (bound == NULL)
      continue;
    bound = sl_gradient_cast (to, node, bound, node->inputs[0]->dtype);
    sl_formula_bind (&f, bounds[i], sl_gradient_reshape (to, node, bound, &scalar));
  }
  if (sl_gradients_want (to, node, 0)) {
    if (min != NULL)
      sl_formula_add (&f, "g = x < l ? 0 : d");
    else
      sl_formula_bind (&f, 'g', f.bound['d' - 'a']);
    sl_gradients_give (to, node, 0, sl_formula_add (&f, max != NULL ? "x > h ? 0 : g" : "g"));
  }
  for (uint32_t i = 1; i <= 2; i++) {
    if (!sl_gradients_want (to, node, i))
      continue;
    const char *both[] = {"x < l ? (l > h ? 0 : d) : 0", "Max (x, l) > h ? d : 0"};
    const char *alone[] = {"x < l ? d : 0", "x > h ? d : 0"};
    SlValue *all = sl_formula_add (&f, (min != NULL && max != NULL ? both : alone)[i - 1]);
    SlValue *sum = sl_gradient_sum_to (to, node, all, &scalar);
    sum = sl_gradient_cast (to, node, sum, node->inputs[i]->dtype);
    sl_gradients_give (to, node, i, sl_gradient_reshape (to, node, sum, &node->inputs[i]->shape));
  }
  return TRUE;
}

static const SlOnnxForm clip_forms[] = {
    {.since = 1, .import = clip_import_attrs},
    {.since = 11},
    {0},
};

static const SlOpClass clip = {
    .name = "Clip",
    .min_inputs = 1,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .traits = SL_TRAIT_IN_PLACE | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = clip_infer,
    .reference = clip_reference,
    .lower = clip_lower,
    .epilogue = clip_epilogue,
    .row_major_only = clip_row_major_only,
    .gradient = clip_gradient,
    .forms = clip_forms,
};

/* --- The rows --- */

#define ALPHA(value)                                                                            \
  {                                                                                             \
    .name = "alpha", .type = SL_ATTR_FLOAT, .offset = offsetof (UnaryAttrs, a), .preset = value \
  }
#define SECOND(onnx, value)                                                                  \
  {                                                                                          \
    .name = onnx, .type = SL_ATTR_FLOAT, .offset = offsetof (UnaryAttrs, b), .preset = value \
  }

static const SlAttrSpec leaky_relu_attrs[] = {ALPHA (0.01f), {0}};
static const SlAttrSpec alpha_1_attrs[] = {ALPHA (1), {0}};
static const SlAttrSpec selu_attrs[] = {
    ALPHA (1.67326319217681884765625), SECOND ("gamma", 1.05070102214813232421875), {0}};
static const SlAttrSpec hard_sigmoid_attrs[] = {ALPHA (0.2f), SECOND ("beta", 0.5), {0}};

static const char *const gelu_choices[] = {"none", "tanh", NULL};
static const SlAttrSpec gelu_attrs[] = {
    {.name = "approximate",
     .type = SL_ATTR_ENUM,
     .offset = offsetof (UnaryAttrs, approximate),
     .choices = gelu_choices},
    {0},
};

/* The kernel is the exact form. */
static gboolean
gelu_row_major_only (const SlNode *node)
{
  const UnaryAttrs *attrs = node->attrs;
  return attrs->approximate || sl_row_major_unless_float32 (node);
}

/* Class op_<id> of ONNX's name, with kernel "<id>", double form of_<id>, integer form `ints` and
 * gradient `formula`; further members of SlOpClass follow. */
#define UNARY(id, onnx, more_traits, ints, formula, ...)                                         \
  static const Unary op_##id = {                                                                 \
      .op = {.name = onnx,                                                                       \
             .min_inputs = 1,                                                                    \
             .max_inputs = 1,                                                                    \
             .min_outputs = 1,                                                                   \
             .max_outputs = 1,                                                                   \
             .traits = SL_TRAIT_IN_PLACE | SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT | more_traits, \
             .layouts = SL_LAYOUTS_FOLLOW,                                                       \
             .infer = unary_infer,                                                               \
             .reference = unary_reference,                                                       \
             .lower = unary_lower,                                                               \
             .gradient = unary_gradient,                                                         \
             __VA_ARGS__},                                                                       \
      .kernel = #id,                                                                             \
      .of_float = of_##id,                                                                       \
      .of_int = ints,                                                                            \
      .gradient = formula,                                                                       \
  };
#define PLAIN .row_major_only = sl_row_major_unless_float32
#define ATTRS(table) .attrs = table, .attrs_size = sizeof (UnaryAttrs)

UNARY (relu, "Relu", SL_TRAIT_NONE, int_relu, "ReluGradient (d, y)", PLAIN,
       .epilogue = relu_epilogue)
UNARY (leaky_relu, "LeakyRelu", SL_TRAIT_NONE, NULL, "LeakyReluGradient (d, s, a)", PLAIN,
       ATTRS (leaky_relu_attrs), .epilogue = leaky_relu_epilogue)
UNARY (elu, "Elu", SL_TRAIT_NONE, NULL, "x > 0 ? d : d * (y + a)", PLAIN, ATTRS (alpha_1_attrs))
UNARY (selu, "Selu", SL_TRAIT_NONE, NULL, "x > 0 ? d * b : d * (y + a * b)", PLAIN,
       ATTRS (selu_attrs))
UNARY (celu, "Celu", SL_TRAIT_NONE, NULL, "x > 0 ? d : d * (y / a + 1)", PLAIN,
       ATTRS (alpha_1_attrs))
UNARY (thresholded_relu, "ThresholdedRelu", SL_TRAIT_NONE, NULL, "x > a ? d : 0", PLAIN,
       ATTRS (alpha_1_attrs))
UNARY (sigmoid, "Sigmoid", SL_TRAIT_LINK, NULL, "SigmoidGradient (d, y)", PLAIN,
       .epilogue = sigmoid_epilogue)
UNARY (silu, "Silu", SL_TRAIT_NONE, NULL, "s = Sigmoid (x); d * (s + y * (1 - s))", PLAIN,
       .domain = SL_DOMAIN, .epilogue = silu_epilogue)
UNARY (hard_sigmoid, "HardSigmoid", SL_TRAIT_NONE, NULL, "y > 0 ? (y < 1 ? d * a : 0) : 0", PLAIN,
       ATTRS (hard_sigmoid_attrs))
UNARY (hard_swish, "HardSwish", SL_TRAIT_NONE, NULL, "x < 3 ? (x > -3 ? d * (x / 3 + 0.5) : 0) : d",
       PLAIN, .epilogue = hard_swish_epilogue)
UNARY (tanh, "Tanh", SL_TRAIT_NONE, NULL, "TanhGradient (d, y)", PLAIN, .epilogue = tanh_epilogue)
UNARY (softplus, "Softplus", SL_TRAIT_NONE, NULL, "d * Sigmoid (x)", PLAIN)
UNARY (softsign, "Softsign", SL_TRAIT_NONE, NULL, "t = 1 + Abs (x); d / (t * t)", PLAIN)
UNARY (erf, "Erf", SL_TRAIT_NONE, NULL, "d * (1.1283791670955126 * Exp (-(x * x)))", PLAIN)
UNARY (gelu, "Gelu", SL_TRAIT_NONE, NULL,
       "d * (0.5 * (1 + Erf (x * 0.7071067811865476)) + x * (0.3989422804014327 * Exp (x * x * "
       "-0.5)))",
       .row_major_only = gelu_row_major_only, ATTRS (gelu_attrs))
UNARY (mish, "Mish", SL_TRAIT_NONE, NULL,
       "t = Tanh (Softplus (x)); d * (t + x * Sigmoid (x) * (1 - t * t))", PLAIN)
UNARY (exp, "Exp", SL_TRAIT_NONE, NULL, "d * y", PLAIN)
UNARY (log, "Log", SL_TRAIT_NONE, NULL, "d / x", PLAIN)
UNARY (sqrt, "Sqrt", SL_TRAIT_NONE, NULL, "0.5 * d / y", PLAIN)
UNARY (reciprocal, "Reciprocal", SL_TRAIT_NONE, NULL, "-(d * y * y)", PLAIN)
UNARY (neg, "Neg", SL_TRAIT_NONE, int_neg, "-d", PLAIN)
UNARY (abs, "Abs", SL_TRAIT_NONE, int_abs, "d * Sign (x)", PLAIN)
UNARY (sign, "Sign", SL_TRAIT_NONE, int_sign, NULL, PLAIN)
UNARY (floor, "Floor", SL_TRAIT_NONE, NULL, NULL, PLAIN)
UNARY (ceil, "Ceil", SL_TRAIT_NONE, NULL, NULL, PLAIN)
UNARY (round, "Round", SL_TRAIT_NONE, NULL, NULL, PLAIN)

const SlOpClass *const sl_ops_activation[] = {
    &op_relu.op,
    &op_leaky_relu.op,
    &op_elu.op,
    &op_selu.op,
    &op_celu.op,
    &op_thresholded_relu.op,
    &op_sigmoid.op,
    &op_silu.op,
    &op_hard_sigmoid.op,
    &op_hard_swish.op,
    &op_tanh.op,
    &op_softplus.op,
    &op_softsign.op,
    &op_erf.op,
    &op_gelu.op,
    &op_mish.op,
    &op_exp.op,
    &op_log.op,
    &op_sqrt.op,
    &op_reciprocal.op,
    &op_neg.op,
    &op_abs.op,
    &op_sign.op,
    &op_floor.op,
    &op_ceil.op,
    &op_round.op,
    &clip,
    NULL,
};
