#include "kernels/convert.h"
#include "dispatch/loops.h"
#include "shaders/narrow.h"
#include "shaders/ops.h"
#include "shaders/widen.h"

G_STATIC_ASSERT (CONVERT_FLOAT16 == SL_CONVERT_FLOAT16 && CONVERT_BFLOAT16 == SL_CONVERT_BFLOAT16 &&
                 CONVERT_INT32 == SL_CONVERT_INT32 && CONVERT_UINT8 == SL_CONVERT_UINT8 &&
                 CONVERT_INT8 == SL_CONVERT_INT8);

G_STATIC_ASSERT (sizeof (SlWidenPush) == sizeof (SlRowsPush) &&
                 sizeof (SlNarrowPush) == sizeof (SlRowsPush));

static void
add_widen (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlConvertParams *p = data;
  const uint32_t size = loops->element_size[0];
  SlWidenPush push = {0};
  SlDispatch *record = sl_loops_add_rows (to, loops,
                                          size == 1   ? &sl_shader_widen8
                                          : size == 2 ? &sl_shader_widen16
                                                      : &sl_shader_widen32,
                                          &push);
  record->specs[SL_WIDEN_TYPE] = p->type;
}

static void
add_narrow (SlDispatcher *to, const SlLoops *loops, const void *data)
{
  const SlConvertParams *p = data;
  SlNarrowPush push = {0};
  SlDispatch *record = sl_loops_add_rows (to, loops, &sl_shader_narrow, &push);
  record->specs[SL_NARROW_TYPE] = p->type;
}

/* Bytes of the side that is not float32. */
static uint32_t
size_of (SlConvertType type)
{
  return type == SL_CONVERT_INT32 ? 4 : type == SL_CONVERT_UINT8 || type == SL_CONVERT_INT8 ? 1 : 2;
}

static uint32_t
dispatch (SlDispatcher *to, const void *params, uint32_t widens)
{
  const SlConvertParams *p = params;
  const uint32_t size = size_of (p->type);
  SlLoops loops = {.n_operands = 2,
                   .rank = 2,
                   .dims = {p->rows, p->cols},
                   .stride = {{(ptrdiff_t)p->in_stride, 1}, {(ptrdiff_t)p->out_stride, 1}},
                   .element_size = {widens ? size : 4, widens ? 4 : size}};
  sl_loops_dispatch (to, &loops, 2, widens ? add_widen : add_narrow, p);
  return 1;
}

const SlDispatchEntry sl_dispatch_convert[] = {
    {"widen", sizeof (SlConvertParams), dispatch, true, {0}},
    {"narrow", sizeof (SlConvertParams), dispatch, false, {0}},
    {0},
};
