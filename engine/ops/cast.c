/* Cast and CastLike: https://onnx.ai/onnx/operators/onnx__Cast.html and so on. */
#include "kernels/convert.h"
#include "ops/gradient.h"
#include "ops/internal.h"
#include "ops/shape.h"

#include <math.h>
#include <string.h>

typedef struct CastAttrs {
  int64_t to;    /* TensorProto.DataType */
  bool saturate; /* of 8-bit floats only, which there are none of here */
} CastAttrs;

static const SlAttrSpec cast_attrs[] = {
    {.name = "to", .type = SL_ATTR_INT, .offset = offsetof (CastAttrs, to), .required = true},
    {.name = "saturate",
     .type = SL_ATTR_BOOL,
     .offset = offsetof (CastAttrs, saturate),
     .preset = 1},
    {0},
};

static gboolean
cast_infer (SlNode *node, GError **error)
{
  const CastAttrs *attrs = node->attrs;
  SlDType to = sl_dtype_of_onnx (attrs->to);
  if (to == SL_DTYPE_NONE) {
    sl_node_error (node, error, SL_ERROR_UNSUPPORTED, "no tensor is of data type %" G_GINT64_FORMAT,
                   attrs->to);
    return FALSE;
  }
  sl_infer_output (node, 0, to, &node->inputs[0]->shape);
  return TRUE;
}

static gboolean
like_infer (SlNode *node, GError **error)
{
  sl_infer_output (node, 0, node->inputs[1]->dtype, &node->inputs[0]->shape);
  return TRUE;
}

/* Truncates; what the widest integer cannot hold becomes 0. */
static int64_t
int_of (double x, SlDType to)
{
  if (to == SL_BOOL)
    return x != 0;
  if (to == SL_UINT64 && x >= 0x1p63 && x < 0x1p64)
    return (int64_t)(uint64_t)x;
  return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : 0;
}

static void
cast_reference (const SlRefCall *call)
{
  const SlRefTensor *x = call->inputs[0];
  SlRefTensor *y = call->outputs[0];
  bool from_float = sl_dtype_is_float (x->dtype), to_float = sl_dtype_is_float (y->dtype);
  for (size_t i = 0; i < x->n; i++) {
    if (from_float && to_float)
      y->f[i] = x->f[i];
    else if (from_float)
      y->i[i] = int_of (x->f[i], y->dtype);
    else if (to_float)
      y->f[i] = sl_ref_double (x, i);
    else
      y->i[i] = y->dtype == SL_BOOL ? x->i[i] != 0 : x->i[i];
  }
  sl_ref_round (y); /* a cast by way of a narrower type loses what that loses */
}

/* Kernels convert to and from float32. */
static const struct {
  SlDType dtype;
  SlConvertType type;
  bool back; /* from float32 too */
} conversions[] = {
    {SL_FLOAT16, SL_CONVERT_FLOAT16, true}, {SL_BFLOAT16, SL_CONVERT_BFLOAT16, true},
    {SL_INT32, SL_CONVERT_INT32, false},    {SL_UINT8, SL_CONVERT_UINT8, false},
    {SL_INT8, SL_CONVERT_INT8, false},
};

/* The kernel that casts, or NULL. */
static const char *
find_kernel (SlDType from, SlDType to, SlConvertType *ret_type)
{
  for (size_t i = 0; i < G_N_ELEMENTS (conversions); i++) {
    *ret_type = conversions[i].type;
    if (to == SL_FLOAT32 && from == conversions[i].dtype)
      return "widen";
    if (from == SL_FLOAT32 && to == conversions[i].dtype && conversions[i].back)
      return "narrow";
  }
  return NULL;
}

static bool
is_same (const SlNode *node)
{
  return node->inputs[0]->dtype == node->outputs[0]->dtype;
}

static gboolean
cast_row_major_only (const SlNode *node)
{
  SlConvertType type;
  return !is_same (node) &&
         find_kernel (node->inputs[0]->dtype, node->outputs[0]->dtype, &type) == NULL;
}

static void
cast_lower (const SlNode *node, SlLowering *to)
{
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  if (cast_row_major_only (node)) {
    sl_lower_reference (to);
    return;
  }
  SlConvertParams params = {0};
  const char *kernel = find_kernel (x->dtype, y->dtype, &params.type);
  if (kernel != NULL) {
    sl_value_get_rows (x, &params.rows, &params.cols, &params.in_stride);
    sl_value_get_rows (y, &params.rows, &params.cols, &params.out_stride);
    sl_lower (to, kernel, &params, x, y);
    return;
  }
  SlWalk from = sl_walk (x), into = sl_walk (y);
  sl_lower_copy (to, &x->shape, x, &from, y, &into);
}

/* To the type that it is of already. */
static SlValue *
cast_simplify (SlGraph *graph, SlNode *node)
{
  return is_same (node) ? node->inputs[0] : NULL;
}

/* As if nothing were rounded. */
static gboolean
cast_gradient (SlGradients *to, SlNode *node, GError **error)
{
  if (sl_dtype_is_float (node->inputs[0]->dtype))
    sl_gradients_give (
        to, node, 0,
        sl_gradient_cast (to, node, sl_gradients_get (to, node, 0), node->inputs[0]->dtype));
  return TRUE;
}

static const SlOpClass cast = {
    .name = "Cast",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = cast_attrs,
    .attrs_size = sizeof (CastAttrs),
    .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT,
    .layouts = SL_LAYOUTS_FOLLOW,
    .infer = cast_infer,
    .reference = cast_reference,
    .lower = cast_lower,
    .gradient = cast_gradient,
    .simplify = cast_simplify,
    .row_major_only = cast_row_major_only,
};

SlValue *
sl_cast (SlGraph *graph, SlValue *value, SlDType to, SlValue *output)
{
  CastAttrs attrs = {.to = 1, .saturate = true};
  while (sl_dtype_of_onnx (attrs.to) != to)
    attrs.to++;
  if (output == NULL)
    output = sl_graph_add_value (graph, value->name, SL_VALUE_ACTIVATION);
  SlNode *node = sl_graph_add_node (graph, &cast, value->name, &attrs, 1, &value, 1, &output);
  cast_infer (node, NULL); /* the type is known: cannot fail */
  return output;
}

static const SlOnnxForm like_forms[] = {{.since = 15}, {0}};

/* The type is that of input 1, whose content nobody reads. */
static const SlOpClass cast_like = {
    .name = "CastLike",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .attrs = cast_attrs + 1, /* all but the type */
    .attrs_size = sizeof (CastAttrs),
    .infer = like_infer,
    .reference = cast_reference,
    .gradient = cast_gradient,
    .simplify = cast_simplify,
    .forms = like_forms,
};

const SlOpClass *const sl_ops_cast[] = {&cast, &cast_like, NULL};
