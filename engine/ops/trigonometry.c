/* Circular and hyperbolic functions and their inverses:
 * https://onnx.ai/onnx/operators/onnx__Sin.html and so on. They have no kernels: networks for
 * pictures use them, if at all, to make constants. */
#include "ops/gradient.h"
#include "ops/shape.h"

#include <math.h>

typedef struct Trigonometry {
  SlOpClass op; /* first: a node's class is converted back */
  double (*function) (double x);
  const char *gradient; /* formula */
} Trigonometry;

static gboolean
infer (SlNode *node, GError **error)
{
  if (!sl_infer_float_inputs (node, error))
    return FALSE;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape);
  return TRUE;
}

static void
reference (const SlRefCall *call)
{
  const Trigonometry *row = (const Trigonometry *)(const void *)call->node->op;
  for (size_t i = 0; i < call->inputs[0]->n; i++)
    call->outputs[0]->f[i] = row->function (call->inputs[0]->f[i]);
}

static gboolean
gradient (SlGradients *to, SlNode *node, GError **error)
{
  const Trigonometry *row = (const Trigonometry *)(const void *)node->op;
  return sl_gradient_of_formula (to, node, row->gradient);
}

#define ROW(id, onnx, formula)                                        \
  static const Trigonometry op_##id = {.op = {.name = onnx,           \
                                              .min_inputs = 1,        \
                                              .max_inputs = 1,        \
                                              .min_outputs = 1,       \
                                              .max_outputs = 1,       \
                                              .infer = infer,         \
                                              .reference = reference, \
                                              .gradient = gradient},  \
                                       .function = id,                \
                                       .gradient = formula};

ROW (sin, "Sin", "d * Cos (x)")
ROW (cos, "Cos", "-(d * Sin (x))")
ROW (tan, "Tan", "d * (1 + y * y)")
ROW (asin, "Asin", "d / Sqrt (1 - x * x)")
ROW (acos, "Acos", "-(d / Sqrt (1 - x * x))")
ROW (atan, "Atan", "d / (1 + x * x)")
ROW (sinh, "Sinh", "d * Cosh (x)")
ROW (cosh, "Cosh", "d * Sinh (x)")
ROW (asinh, "Asinh", "d / Sqrt (x * x + 1)")
ROW (acosh, "Acosh", "d / Sqrt (x * x - 1)")
ROW (atanh, "Atanh", "d / (1 - x * x)")

const SlOpClass *const sl_ops_trigonometry[] = {
    &op_sin.op,  &op_cos.op,  &op_tan.op,   &op_asin.op,  &op_acos.op,  &op_atan.op,
    &op_sinh.op, &op_cosh.op, &op_asinh.op, &op_acosh.op, &op_atanh.op, NULL,
};
