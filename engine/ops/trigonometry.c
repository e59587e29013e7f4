/* Circular and hyperbolic functions and their inverses:
 * https://onnx.ai/onnx/operators/onnx__Sin.html and so on. They have no kernels: networks for
 * pictures use them, if at all, to make constants. */
#include "ops/shape.h"

#include <math.h>

typedef struct Trigonometry {
  SlOpClass op; /* first: a node's class is converted back */
  double (*function) (double x);
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

#define ROW(id, onnx)                                                  \
  static const Trigonometry op_##id = {.op = {.name = onnx,            \
                                              .min_inputs = 1,         \
                                              .max_inputs = 1,         \
                                              .min_outputs = 1,        \
                                              .max_outputs = 1,        \
                                              .infer = infer,          \
                                              .reference = reference}, \
                                       .function = id};

ROW (sin, "Sin")
ROW (cos, "Cos")
ROW (tan, "Tan")
ROW (asin, "Asin")
ROW (acos, "Acos")
ROW (atan, "Atan")
ROW (sinh, "Sinh")
ROW (cosh, "Cosh")
ROW (asinh, "Asinh")
ROW (acosh, "Acosh")
ROW (atanh, "Atanh")

const SlOpClass *const sl_ops_trigonometry[] = {
    &op_sin.op,  &op_cos.op,  &op_tan.op,   &op_asin.op,  &op_acos.op,  &op_atan.op,
    &op_sinh.op, &op_cosh.op, &op_asinh.op, &op_acosh.op, &op_atanh.op, NULL,
};
