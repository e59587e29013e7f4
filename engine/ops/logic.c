/* What is true of elements: comparisons, logic on bool, tests of floats.
 * https://onnx.ai/onnx/operators/onnx__Equal.html and so on. */
#include "ops/forms.h"
#include "ops/shape.h"

#include <math.h>

/* How a stands to b. With a NaN in either, in no way at all. */
enum { IS_LESS = 1, IS_EQUAL = 2, IS_GREATER = 4 };

/* A class and when it is true. */
typedef struct Logic {
  SlOpClass op; /* first: a node's class is converted back */
  const char
      *kernel;     /* of float32 comparisons, with the operands swapped for IS_GREATER; of logic */
  unsigned orders; /* comparisons: of IS_LESS, IS_EQUAL, IS_GREATER */
  unsigned truth;  /* logic: bit 2a + b */
  bool takes_bools, takes_numbers;
} Logic;

static const Logic *
logic_of (const SlNode *node)
{
  return (const Logic *)(const void *)node->op;
}

static gboolean
logic_infer (SlNode *node, GError **error)
{
  const Logic *logic = logic_of (node);
  SlDType dtype = node->inputs[0]->dtype;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *input = node->inputs[i];
    bool fits = dtype == SL_BOOL ? logic->takes_bools : logic->takes_numbers;
    if (input->dtype == dtype && fits)
      continue;
    sl_node_error (node, error, fits ? SL_ERROR_SHAPE : SL_ERROR_UNSUPPORTED,
                   "input '%s' is %s, expected %s", input->name, sl_dtype_get_name (input->dtype),
                   fits                 ? sl_dtype_get_name (dtype)
                   : logic->takes_bools ? "bool"
                                        : "numbers");
    return FALSE;
  }
  SlShape shape;
  if (!sl_infer_broadcast (node, &shape, error))
    return FALSE;
  sl_infer_output (node, 0, SL_BOOL, &shape);
  return TRUE;
}

static unsigned
order_of (const SlRefTensor *a, size_t at_a, const SlRefTensor *b, size_t at_b)
{
  int order;
  if (!sl_dtype_is_float (a->dtype))
    order = sl_int_compare (a->i[at_a], b->i[at_b], a->dtype);
  else if (isnan (a->f[at_a]) || isnan (b->f[at_b]))
    return 0;
  else
    order = (a->f[at_a] > b->f[at_b]) - (a->f[at_a] < b->f[at_b]);
  return order < 0 ? IS_LESS : order > 0 ? IS_GREATER : IS_EQUAL;
}

static void
logic_reference (const SlRefCall *call)
{
  const Logic *logic = logic_of (call->node);
  const SlRefTensor *a = call->inputs[0], *b = call->inputs[1];
  SlRefTensor *y = call->outputs[0];
  SlIndex index = {.rank = y->shape.rank};
  for (size_t i = 0; i < y->n; i++, sl_index_next (&index, &y->shape)) {
    size_t at_a = sl_index_offset (&index, &a->shape), at_b = sl_index_offset (&index, &b->shape);
    if (logic->orders != 0)
      y->i[i] = (logic->orders & order_of (a, at_a, b, at_b)) != 0;
    else
      y->i[i] = logic->truth >> (2 * (a->i[at_a] != 0) + (b->i[at_b] != 0)) & 1;
  }
}

static gboolean
logic_row_major_only (const SlNode *node)
{
  return node->inputs[0]->dtype != (logic_of (node)->orders != 0 ? SL_FLOAT32 : SL_BOOL);
}

/* a > b is b < a. */
static void
logic_lower (const SlNode *node, SlLowering *to)
{
  const Logic *logic = logic_of (node);
  const SlValue *a = node->inputs[0], *b = node->inputs[1], *y = node->outputs[0];
  bool swap = (logic->orders & IS_GREATER) != 0;
  const SlValue *const operands[] = {swap ? b : a, swap ? a : b, y};
  if (logic_row_major_only (node))
    sl_lower_reference (to);
  else
    sl_lower_select (to, logic->kernel, G_N_ELEMENTS (operands), operands);
}

static const SlOnnxForm axis_forms[] = {
    {.since = 1, .import = sl_import_with_axis}, {.since = 7}, {0}};

/* Class op_<id> of ONNX's name; further members of Logic follow. */
#define LOGIC(id, onnx, ...)                                                   \
  static const Logic op_##id = {.op = {.name = onnx,                           \
                                       .min_inputs = 2,                        \
                                       .max_inputs = 2,                        \
                                       .min_outputs = 1,                       \
                                       .max_outputs = 1,                       \
                                       .layouts = SL_LAYOUTS_FOLLOW,           \
                                       .row_major_only = logic_row_major_only, \
                                       .infer = logic_infer,                   \
                                       .reference = logic_reference,           \
                                       .lower = logic_lower,                   \
                                       .forms = axis_forms},                   \
                                __VA_ARGS__};
#define NUMBERS .takes_numbers = true
#define BOOLS .takes_bools = true

LOGIC (equal, "Equal", .kernel = "equal", .orders = IS_EQUAL, NUMBERS, BOOLS)
LOGIC (less, "Less", .kernel = "less", .orders = IS_LESS, NUMBERS)
LOGIC (greater, "Greater", .kernel = "less", .orders = IS_GREATER, NUMBERS)
LOGIC (less_or_equal, "LessOrEqual", .kernel = "less_or_equal", .orders = IS_LESS | IS_EQUAL,
       NUMBERS)
LOGIC (greater_or_equal, "GreaterOrEqual", .kernel = "less_or_equal",
       .orders = IS_GREATER | IS_EQUAL, NUMBERS)
LOGIC (and, "And", .kernel = "and", .truth = 0x8, BOOLS)
LOGIC (or, "Or", .kernel = "or", .truth = 0xe, BOOLS)
LOGIC (xor, "Xor", .kernel = "xor", .truth = 0x6, BOOLS)

/* --- Of one element --- */

typedef struct TestAttrs {
  bool negative, positive; /* IsInf: which of the two counts */
} TestAttrs;

static const SlAttrSpec is_inf_attrs[] = {
    {.name = "detect_negative",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (TestAttrs, negative),
     .preset = 1},
    {.name = "detect_positive",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (TestAttrs, positive),
     .preset = 1},
    {0},
};

static gboolean
not_infer (SlNode *node, GError **error)
{
  const SlValue *x = node->inputs[0];
  if (x->dtype != SL_BOOL) {
    sl_node_error (node, error, SL_ERROR_SHAPE, "input '%s' is %s, expected bool", x->name,
                   sl_dtype_get_name (x->dtype));
    return FALSE;
  }
  sl_infer_output (node, 0, SL_BOOL, &x->shape);
  return TRUE;
}

static void
not_reference (const SlRefCall *call)
{
  for (size_t i = 0; i < call->inputs[0]->n; i++)
    call->outputs[0]->i[i] = call->inputs[0]->i[i] == 0;
}

static gboolean
test_infer (SlNode *node, GError **error)
{
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  sl_infer_output (node, 0, SL_BOOL, &node->inputs[0]->shape);
  return TRUE;
}

static void
is_nan_reference (const SlRefCall *call)
{
  for (size_t i = 0; i < call->inputs[0]->n; i++)
    call->outputs[0]->i[i] = isnan (call->inputs[0]->f[i]) != 0;
}

static void
is_inf_reference (const SlRefCall *call)
{
  const TestAttrs *attrs = call->attrs;
  for (size_t i = 0; i < call->inputs[0]->n; i++) {
    double x = call->inputs[0]->f[i];
    call->outputs[0]->i[i] = isinf (x) && (x < 0 ? attrs->negative : attrs->positive);
  }
}

#define OF_ONE .min_inputs = 1, .max_inputs = 1, .min_outputs = 1, .max_outputs = 1

static const SlOpClass not_op = {
    .name = "Not", .infer = not_infer, .reference = not_reference, OF_ONE};

static const SlOpClass is_nan = {
    .name = "IsNaN", .infer = test_infer, .reference = is_nan_reference, OF_ONE};

static const SlOpClass is_inf = {
    .name = "IsInf",
    .attrs = is_inf_attrs,
    .attrs_size = sizeof (TestAttrs),
    .infer = test_infer,
    .reference = is_inf_reference,
    OF_ONE,
};

const SlOpClass *const sl_ops_logic[] = {
    &op_equal.op,
    &op_less.op,
    &op_greater.op,
    &op_less_or_equal.op,
    &op_greater_or_equal.op,
    &op_and.op,
    &op_or.op,
    &op_xor.op,
    &not_op,
    &is_nan,
    &is_inf,
    NULL,
};
