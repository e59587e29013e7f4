#include "dispatch/loops.h"
#include "kernels/copy.h"
#include "shaders/copy.h"
#include "shaders/fill.h"
#include "shaders/group.h"
#include "shaders/rank.h"

static const SlShader *
shader_of (uint32_t element_size, const SlShader *const by_size[4])
{
  return by_size[element_size == 1 ? 0 : element_size == 2 ? 1 : element_size == 4 ? 2 : 3];
}

/* TRUE if four elements that follow each other in the loops do so in operand 1, in aligned vectors:
 * the fastest loops go through it without a gap, the others by multiples of four. */
static bool
writes_fours (const SlDispatcher *to, const SlLoops *loops)
{
  ptrdiff_t run = 1;
  uint32_t d = loops->rank;
  while (d > 0 && loops->stride[1][d - 1] == run)
    run *= (ptrdiff_t)loops->dims[--d];
  bool aligned = run % 4 == 0 && sl_dispatch_is_aligned (to, 1, loops->first[1]);
  for (; d > 0; d--)
    aligned = aligned && loops->stride[1][d - 1] % 4 == 0;
  return aligned && (loops->element_size[1] == 2 || loops->element_size[1] == 4);
}

static void
add_copy (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  static const SlShader *const shaders[4] = {&sl_shader_copy8, &sl_shader_copy16, &sl_shader_copy32,
                                             &sl_shader_copy64};
  const uint32_t size = loops->element_size[0];
  const SlExtent in = sl_loops_get_extent (loops, 0), out = sl_loops_get_extent (loops, 1);
  const bool by_fours = writes_fours (to, loops);
  SlCopyPush push = {.invocations = (uint32_t)(sl_loops_get_elements (loops) / (by_fours ? 4 : 1)),
                     .in_first = (uint32_t)(loops->first[0] - in.begin / size)};
  sl_loops_push_dims (loops, LOOP_RANK, push.dims);
  sl_loops_push_strides (loops, 0, LOOP_RANK, push.in_stride);
  sl_loops_push_strides (loops, 1, LOOP_RANK, push.out_stride);
  const SlShader *shader = shader_of (size, shaders);
  if (to->gpu->is_cpu && size == 4)
    shader = &sl_shader_copy32_texels;
  SlDispatch *record = sl_dispatch_add (to, shader, &push);
  record->specs[SL_COPY_RANK] = loops->rank;
  record->specs[SL_COPY_WRITES_FOURS] = by_fours;
  record->specs[SL_COPY_READS_FOURS] =
      by_fours && loops->stride[0][loops->rank - 1] == 1 && sl_loops_have_fours (to, loops, 0, 0);
  sl_dispatch_bind (record, 0, 0, in, size, offsetof (SlCopyPush, at_in));
  sl_dispatch_bind (record, 1, 1, out, size, offsetof (SlCopyPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.invocations, GROUP);
}

static uint32_t
dispatch_copy (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlCopyParams *p = params;
  SlLoops loops = {.n_operands = 2,
                   .rank = p->rank,
                   .first = {p->src_offset, p->dst_offset},
                   .element_size = {p->element_size, p->element_size}};
  for (uint32_t d = 0; d < p->rank; d++) {
    loops.dims[d] = p->dims[d];
    loops.stride[0][d] = p->src_stride[d];
    loops.stride[1][d] = p->dst_stride[d];
  }
  sl_loops_dispatch (to, &loops, LOOP_RANK, add_copy, NULL);
  return 1;
}

static void
add_fill (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  static const SlShader *const shaders[4] = {&sl_shader_fill8, &sl_shader_fill16, &sl_shader_fill32,
                                             &sl_shader_fill64};
  const SlFillParams *p = data;
  SlFillPush push = {.elements = (uint32_t)loops->dims[0],
                     .value = {(uint32_t)p->value, (uint32_t)(p->value >> 32)}};
  SlDispatch *record = sl_dispatch_add (to, shader_of (p->element_size, shaders), &push);
  sl_dispatch_bind (record, 0, 0, sl_loops_get_extent (loops, 0), p->element_size,
                    offsetof (SlFillPush, at_out));
  sl_dispatch_groups (record, to->gpu, push.elements, GROUP);
}

static uint32_t
dispatch_fill (SlDispatcher *to, const void *params, uint32_t variant)
{
  const SlFillParams *p = params;
  SlLoops loops = {.n_operands = 1,
                   .rank = 1,
                   .dims = {p->count},
                   .stride = {{1}},
                   .element_size = {p->element_size}};
  sl_loops_dispatch (to, &loops, 1, add_fill, p);
  return 1;
}

const SlDispatchEntry sl_dispatch_copy[] = {
    {"copy", sizeof (SlCopyParams), dispatch_copy, 0, {.all = 3, .moves = true}},
    {"fill", sizeof (SlFillParams), dispatch_fill, 0, {.all = 1, .moves = true}},
    {0},
};
