/* Channels to positions and back: https://onnx.ai/onnx/operators/onnx__DepthToSpace.html,
 * …/onnx__SpaceToDepth.html */
#include "ops/gradient.h"
#include "ops/shape.h"

enum { MODE_DCR, MODE_CRD };

static const char *const modes[] = {"DCR", "CRD", NULL};

typedef struct BlockAttrs {
  int64_t size;
  uint32_t mode; /* which of blocks and channels is the slower one in the depth */
} BlockAttrs;

static const SlAttrSpec depth_to_space_attrs[] = {
    {.name = "blocksize",
     .type = SL_ATTR_INT,
     .offset = offsetof (BlockAttrs, size),
     .required = true},
    {.name = "mode", .type = SL_ATTR_ENUM, .offset = offsetof (BlockAttrs, mode), .choices = modes},
    {0},
};

static const SlAttrSpec space_to_depth_attrs[] = {
    {.name = "blocksize",
     .type = SL_ATTR_INT,
     .offset = offsetof (BlockAttrs, size),
     .required = true},
    {0},
};

/* Larger blocks are mistakes, and their squares would overflow. */
#define BLOCK_MAX (1 << 20)

static gboolean
check_input (const SlNode *node, int64_t size, GError **error)
{
  const SlShape *x = &node->inputs[0]->shape;
  if (x->rank == 4 && size >= 1 && size <= BLOCK_MAX)
    return TRUE;
  g_autofree char *shape = sl_shape_to_string (x);
  sl_node_error (node, error, SL_ERROR_SHAPE,
                 "blocks of %" G_GINT64_FORMAT " in an input of %s, expected N, C, H, W", size,
                 shape);
  return FALSE;
}

static void
refuse_blocks (const SlNode *node, int64_t size, const char *what, GError **error)
{
  g_autofree char *shape = sl_shape_to_string (&node->inputs[0]->shape);
  sl_node_error (node, error, SL_ERROR_SHAPE,
                 "an input of %s has no whole blocks of %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
                 " %s",
                 shape, size, size, what);
}

static gboolean
depth_to_space_infer (SlNode *node, GError **error)
{
  const BlockAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SlShape y = *x;
  if (!check_input (node, attrs->size, error))
    return FALSE;
  if (x->dim[1] % (attrs->size * attrs->size) != 0) {
    refuse_blocks (node, attrs->size, "channels", error);
    return FALSE;
  }
  y.dim[1] /= attrs->size * attrs->size;
  if (__builtin_mul_overflow (x->dim[2], attrs->size, &y.dim[2]) ||
      __builtin_mul_overflow (x->dim[3], attrs->size, &y.dim[3])) {
    refuse_blocks (node, attrs->size, "channels", error);
    return FALSE;
  }
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

static gboolean
space_to_depth_infer (SlNode *node, GError **error)
{
  const BlockAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape;
  SlShape y = *x;
  if (!check_input (node, attrs->size, error))
    return FALSE;
  if (x->dim[2] % attrs->size != 0 || x->dim[3] % attrs->size != 0 ||
      __builtin_mul_overflow (x->dim[1], attrs->size * attrs->size, &y.dim[1])) {
    refuse_blocks (node, attrs->size, "positions", error);
    return FALSE;
  }
  y.dim[2] /= attrs->size;
  y.dim[3] /= attrs->size;
  sl_infer_output (node, 0, node->inputs[0]->dtype, &y);
  return TRUE;
}

/* Both are one copy over (N, C, H, row of the block, W, column of the block), where the deep side
 * has C * size * size channels and the wide side H * size by W * size positions. */
static SlShape
walk_dims (const SlShape *wide, int64_t size)
{
  return (SlShape){
      .rank = 6,
      .dim = {wide->dim[0], wide->dim[1], wide->dim[2] / size, size, wide->dim[3] / size, size}};
}

/* The sides' strides over these dimensions, from those over N, C, H, W. */
static SlWalk
walk_wide (const ptrdiff_t s[], ptrdiff_t size)
{
  return (SlWalk){.stride = {s[0], s[1], s[2] * size, s[2], s[3] * size, s[3]}};
}

static SlWalk
walk_deep (const ptrdiff_t s[], ptrdiff_t size, ptrdiff_t channels, uint32_t mode)
{
  if (mode == MODE_CRD)
    return (SlWalk){.stride = {s[0], s[1] * size * size, s[2], s[1] * size, s[3], s[1]}};
  return (SlWalk){.stride = {s[0], s[1], s[2], s[1] * channels * size, s[3], s[1] * channels}};
}

static void
row_major (const SlShape *shape, ptrdiff_t ret_strides[4])
{
  ptrdiff_t stride = 1;
  for (uint32_t i = 4; i-- > 0; stride *= (ptrdiff_t)shape->dim[i])
    ret_strides[i] = stride;
}

static size_t
offset_of (const SlIndex *at, const SlWalk *walk)
{
  ptrdiff_t offset = 0;
  for (uint32_t i = 0; i < at->rank; i++)
    offset += (ptrdiff_t)at->at[i] * walk->stride[i];
  return (size_t)offset;
}

static void
rearrange (const SlRefCall *call, const SlShape *wide, const SlWalk *from, const SlWalk *into)
{
  const BlockAttrs *attrs = call->attrs;
  SlShape dims = walk_dims (wide, attrs->size);
  SlIndex at = {.rank = dims.rank};
  if (call->outputs[0]->n == 0)
    return;
  do
    sl_ref_move (call->outputs[0], offset_of (&at, into), call->inputs[0], offset_of (&at, from));
  while (sl_index_next (&at, &dims));
}

static void
depth_to_space_reference (const SlRefCall *call)
{
  const BlockAttrs *attrs = call->attrs;
  const SlShape *x = &call->inputs[0]->shape, *y = &call->outputs[0]->shape;
  ptrdiff_t deep[4], wide[4];
  row_major (x, deep);
  row_major (y, wide);
  SlWalk from = walk_deep (deep, (ptrdiff_t)attrs->size, (ptrdiff_t)y->dim[1], attrs->mode);
  SlWalk into = walk_wide (wide, (ptrdiff_t)attrs->size);
  rearrange (call, y, &from, &into);
}

static void
space_to_depth_reference (const SlRefCall *call)
{
  const BlockAttrs *attrs = call->attrs;
  const SlShape *x = &call->inputs[0]->shape, *y = &call->outputs[0]->shape;
  ptrdiff_t deep[4], wide[4];
  row_major (x, wide);
  row_major (y, deep);
  SlWalk from = walk_wide (wide, (ptrdiff_t)attrs->size);
  SlWalk into = walk_deep (deep, (ptrdiff_t)attrs->size, (ptrdiff_t)x->dim[1], MODE_DCR);
  rearrange (call, x, &from, &into);
}

static void
depth_to_space_lower (const SlNode *node, SlLowering *to)
{
  const BlockAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  ptrdiff_t size = (ptrdiff_t)attrs->size;
  SlShape dims = walk_dims (&y->shape, attrs->size);
  SlWalk from = sl_walk (x), into = sl_walk (y);
  from = walk_deep (from.stride, size, (ptrdiff_t)y->shape.dim[1], attrs->mode);
  into = walk_wide (into.stride, size);
  sl_lower_copy (to, &dims, x, &from, y, &into);
}

static void
space_to_depth_lower (const SlNode *node, SlLowering *to)
{
  const BlockAttrs *attrs = node->attrs;
  const SlValue *x = node->inputs[0], *y = node->outputs[0];
  ptrdiff_t size = (ptrdiff_t)attrs->size;
  SlShape dims = walk_dims (&x->shape, attrs->size);
  SlWalk from = sl_walk (x), into = sl_walk (y);
  from = walk_wide (from.stride, size);
  into = walk_deep (into.stride, size, (ptrdiff_t)x->shape.dim[1], MODE_DCR);
  sl_lower_copy (to, &dims, x, &from, y, &into);
}

/* CRD has no inverse among the operators: its channels come last in a transpose. */
static gboolean
depth_to_space_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const BlockAttrs *attrs = node->attrs;
  const SlShape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
  const SlRawAttr size = {.name = (char *)"blocksize", .type = SL_RAW_INT, .i = attrs->size};
  SlValue *d = sl_gradients_get (to, node, 0);
  if (attrs->mode == MODE_DCR) {
    sl_gradients_give (to, node, 0, sl_gradient_node (to, node, "SpaceToDepth", &size, 1, 1, &d));
    return TRUE;
  }
  const SlShape blocks =
      SL_SHAPE (y->dim[0], y->dim[1], x->dim[2], attrs->size, x->dim[3], attrs->size);
  d = sl_gradient_reshape (to, node, d, &blocks);
  d = sl_gradient_transpose (to, node, d, (const int64_t[]){0, 1, 3, 5, 2, 4});
  sl_gradients_give (to, node, 0, sl_gradient_reshape (to, node, d, x));
  return TRUE;
}

static gboolean
space_to_depth_gradient (SlGradients *to, SlNode *node, GError **error)
{
  const BlockAttrs *attrs = node->attrs;
  const SlRawAttr size = {.name = (char *)"blocksize", .type = SL_RAW_INT, .i = attrs->size};
  SlValue *d = sl_gradients_get (to, node, 0);
  sl_gradients_give (to, node, 0, sl_gradient_node (to, node, "DepthToSpace", &size, 1, 1, &d));
  return TRUE;
}

#define REARRANGEMENT                                                                  \
  .min_inputs = 1, .max_inputs = 1, .min_outputs = 1, .max_outputs = 1,                \
  .attrs_size = sizeof (BlockAttrs), .traits = SL_TRAIT_SLICE_IN | SL_TRAIT_SLICE_OUT, \
  .layouts = SL_LAYOUTS_FOLLOW

static const SlOpClass depth_to_space = {
    .name = "DepthToSpace",
    .attrs = depth_to_space_attrs,
    .infer = depth_to_space_infer,
    .reference = depth_to_space_reference,
    .lower = depth_to_space_lower,
    .gradient = depth_to_space_gradient,
    REARRANGEMENT,
};

static const SlOpClass space_to_depth = {
    .name = "SpaceToDepth",
    .attrs = space_to_depth_attrs,
    .infer = space_to_depth_infer,
    .reference = space_to_depth_reference,
    .lower = space_to_depth_lower,
    .gradient = space_to_depth_gradient,
    REARRANGEMENT,
};

const SlOpClass *const sl_ops_depth_to_space[] = {&depth_to_space, &space_to_depth, NULL};
