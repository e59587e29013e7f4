#include "kernels/optimizer.h"

#include "kernels/grid.h"

#include <math.h>

enum { PARAMETER, GRADIENT = SL_OPTIMIZER_MOMENTS + 1, RATE, FACTOR, STEP, NEXT, N_OPERANDS = 12 };

/* What a run's scalars make of the parameters. */
typedef struct Rule {
  Vec rate, factor, decay, clip;
  Vec shrink;                     /* of the parameter, before anything else */
  Vec momentum, fresh;            /* of the velocity, and of the gradient in it */
  Vec beta1, beta2, rest1, rest2; /* rest: 1 - beta */
  Vec epsilon, root_scale;        /* of the second moment's root */
  bool has_velocity, has_mean, nesterov;
} Rule;

typedef struct State {
  Vec p, g;
  Vec m[SL_OPTIMIZER_MOMENTS];
} State;

typedef void (*StepFunc) (const Rule *rule, State *s);
/* What the kernel's own formula needs besides. `number`: of the step. */
typedef void (*RuleFunc) (const SlOptimizerParams *p, double rate, int64_t number,
                          void *const *buffers, Rule *rule);

static size_t
optimizer_tiles (const void *params)
{
  const SlOptimizerParams *p = params;
  return ceil_div (p->count, GRID_ELEMENTS);
}

static void
keep_old (void *const *buffers, size_t first, size_t n)
{
  for (int i = 0; i <= SL_OPTIMIZER_MOMENTS; i++)
    if (buffers[NEXT + i] != NULL && buffers[NEXT + i] != buffers[i])
      memcpy ((float *)buffers[NEXT + i] + first, (const float *)buffers[i] + first,
              n * sizeof (float));
}

ALWAYS_INLINE Vec
load (const void *buffer, size_t at, size_t lanes)
{
  const float *p = (const float *)buffer + at;
  return lanes == VEC_WIDTH ? vec_load (p) : vec_load_n (p, lanes);
}

ALWAYS_INLINE void
store (void *buffer, size_t at, Vec v, size_t lanes)
{
  if (lanes == VEC_WIDTH)
    vec_store ((float *)buffer + at, v);
  else
    vec_store_n ((float *)buffer + at, v, lanes);
}

/* `lanes` elements, from `at` on. */
ALWAYS_INLINE void
update_lanes (void *const *buffers, size_t at, size_t lanes, const Rule *rule, const StepFunc step)
{
  State s = {.p = load (buffers[PARAMETER], at, lanes), .g = load (buffers[GRADIENT], at, lanes)};
  for (int i = 0; i < SL_OPTIMIZER_MOMENTS; i++)
    if (buffers[1 + i] != NULL)
      s.m[i] = load (buffers[1 + i], at, lanes);
  s.g = vec_max (-rule->clip, vec_min (rule->clip, s.g * rule->factor));
  s.p = s.p * rule->shrink;
  s.g = s.g + rule->decay * s.p;
  step (rule, &s);
  store (buffers[NEXT], at, s.p, lanes);
  for (int i = 0; i < SL_OPTIMIZER_MOMENTS; i++)
    if (buffers[NEXT + 1 + i] != NULL)
      store (buffers[NEXT + 1 + i], at, s.m[i], lanes);
}

/* The functions are constants where this is inlined. */
ALWAYS_INLINE void
optimizer_run (const SlOptimizerParams *p, void *const *buffers, size_t first, size_t last,
               const RuleFunc finish, const StepFunc step)
{
  const float factor = buffers[FACTOR] != NULL ? *(const float *)buffers[FACTOR] : 1;
  const int64_t number = buffers[STEP] != NULL ? *(const int64_t *)buffers[STEP] : 0;
  const double rate = (double)p->rate_factor * (double)*(const float *)buffers[RATE];
  Rule rule = {.rate = vec_splat ((float)rate),
               .factor = vec_splat (factor),
               .clip = vec_splat (p->clip > 0 ? p->clip : INFINITY),
               .decay = vec_splat (p->decoupled ? 0 : p->decay),
               .shrink = vec_splat (p->decoupled ? (float)(1 - rate * (double)p->decay) : 1),
               .momentum = vec_splat (p->momentum),
               .beta1 = vec_splat (p->beta1),
               .beta2 = vec_splat (p->beta2),
               .rest1 = vec_splat ((float)(1 - (double)p->beta1)),
               .rest2 = vec_splat ((float)(1 - (double)p->beta2)),
               .epsilon = vec_splat (p->epsilon),
               .nesterov = p->nesterov};
  finish (p, rate, number, buffers, &rule);
  for (size_t t = first; t < last; t++) {
    size_t i = t * GRID_ELEMENTS, end = min_size (p->count, i + GRID_ELEMENTS);
    if (factor != factor) {
      keep_old (buffers, i, end - i);
      continue;
    }
    for (; i + VEC_WIDTH <= end; i += VEC_WIDTH)
      update_lanes (buffers, i, VEC_WIDTH, &rule, step);
    if (i < end)
      update_lanes (buffers, i, end - i, &rule, step);
  }
}

#define OPTIMIZER(id)                                                                          \
  static void id##_run (const void *params, void *const *buffers, void *scratch, size_t first, \
                        size_t last)                                                           \
  {                                                                                            \
    optimizer_run (params, buffers, first, last, id##_rule, id##_step);                        \
  }                                                                                            \
  const SlKernel SL_KERNEL_NAME (sl_kernel_##id##_update) = {                                  \
      .name = #id "_update",                                                                   \
      .params_size = sizeof (SlOptimizerParams),                                               \
      .tiles = optimizer_tiles,                                                                \
      .run = id##_run,                                                                         \
  };

/* --- Descent, with a velocity or without --- */

ALWAYS_INLINE void
sgd_rule (const SlOptimizerParams *p, double rate, int64_t number, void *const *buffers, Rule *rule)
{
  rule->has_velocity = buffers[1] != NULL;
  rule->fresh = vec_splat (number > 0 ? 1 - p->dampening : 1);
}

ALWAYS_INLINE void
sgd_step (const Rule *rule, State *s)
{
  Vec move = s->g;
  if (rule->has_velocity) {
    s->m[0] = rule->momentum * s->m[0] + rule->fresh * s->g;
    move = rule->nesterov ? s->g + rule->momentum * s->m[0] : s->m[0];
  }
  s->p -= rule->rate * move;
}

OPTIMIZER (sgd)

/* --- RMSprop: mean square, velocity or none, mean or none --- */

ALWAYS_INLINE void
rmsprop_rule (const SlOptimizerParams *p, double rate, int64_t number, void *const *buffers,
              Rule *rule)
{
  rule->has_velocity = buffers[2] != NULL;
  rule->has_mean = buffers[3] != NULL;
}

ALWAYS_INLINE void
rmsprop_step (const Rule *rule, State *s)
{
  s->m[0] = rule->beta2 * s->m[0] + rule->rest2 * s->g * s->g;
  Vec square = s->m[0];
  if (rule->has_mean) {
    s->m[2] = rule->beta2 * s->m[2] + rule->rest2 * s->g;
    square = vec_max (vec_splat (0), square - s->m[2] * s->m[2]);
  }
  Vec move = s->g / (vec_sqrt (square) + rule->epsilon);
  if (rule->has_velocity)
    move = s->m[1] = rule->momentum * s->m[1] + move;
  s->p -= rule->rate * move;
}

OPTIMIZER (rmsprop)

/* --- Adam: mean, mean square --- */

ALWAYS_INLINE void
adam_rule (const SlOptimizerParams *p, double rate, int64_t number, void *const *buffers,
           Rule *rule)
{
  double whole1 = number > 0 ? 1 - pow ((double)p->beta1, (double)number) : 1;
  double whole2 = number > 0 ? sqrt (1 - pow ((double)p->beta2, (double)number)) : 1;
  rule->rate = vec_splat ((float)(rate / whole1 * (p->plain_epsilon ? whole2 : 1)));
  rule->root_scale = vec_splat (p->plain_epsilon ? 1 : (float)(1 / whole2));
}

ALWAYS_INLINE void
adam_step (const Rule *rule, State *s)
{
  s->m[0] = rule->beta1 * s->m[0] + rule->rest1 * s->g;
  s->m[1] = rule->beta2 * s->m[1] + rule->rest2 * s->g * s->g;
  s->p -= rule->rate * s->m[0] / (vec_sqrt (s->m[1]) * rule->root_scale + rule->epsilon);
}

OPTIMIZER (adam)

/* --- Adagrad: sum of squares --- */

ALWAYS_INLINE void
adagrad_rule (const SlOptimizerParams *p, double rate, int64_t number, void *const *buffers,
              Rule *rule)
{
  rule->rate = vec_splat ((float)(rate / (1 + (double)number * (double)p->rate_decay)));
}

ALWAYS_INLINE void
adagrad_step (const Rule *rule, State *s)
{
  s->m[0] += s->g * s->g;
  s->p -= rule->rate * s->g / (vec_sqrt (s->m[0]) + rule->epsilon);
}

OPTIMIZER (adagrad)

/* --- Sums of squares --- */

static size_t
square_sum_tiles (const void *params)
{
  const SlSquareSumParams *p = params;
  return ceil_div (p->count, SL_SQUARE_BLOCK);
}

static void
square_sum_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlSquareSumParams *p = params;
  const float *in = buffers[0];
  for (size_t t = first; t < last; t++) {
    size_t i = t * SL_SQUARE_BLOCK, end = min_size (p->count, i + SL_SQUARE_BLOCK);
    Vec sum[4] = {{0}};
    for (; i + 4 * VEC_WIDTH <= end; i += 4 * VEC_WIDTH)
      for (int k = 0; k < 4; k++) {
        Vec x = vec_load (in + i + k * VEC_WIDTH);
        sum[k] = vec_fma (x, x, sum[k]);
      }
    for (; i < end; i += VEC_WIDTH) {
      Vec x = vec_load_n (in + i, min_size (VEC_WIDTH, end - i));
      sum[0] = vec_fma (x, x, sum[0]);
    }
    ((float *)buffers[1])[t] = vec_sum ((sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
}

const SlKernel SL_KERNEL_NAME (sl_kernel_square_sum) = {
    .name = "square_sum",
    .params_size = sizeof (SlSquareSumParams),
    .tiles = square_sum_tiles,
    .run = square_sum_run,
};

/* --- The factor of all gradients --- */

static size_t
clip_factor_tiles (const void *params)
{
  return 1;
}

static void
clip_factor_run (const void *params, void *const *buffers, void *scratch, size_t first, size_t last)
{
  const SlClipFactorParams *p = params;
  const float *loss = buffers[0], *sums = buffers[1];
  float *factor = buffers[2], *norm = buffers[3];
  double sum = 0;
  for (size_t i = 0; i < p->count; i++)
    sum += (double)sums[i];
  const double root = sqrt (sum), large = root + SL_CLIP_EPSILON, max = (double)p->max_norm;
  if (norm != NULL)
    *norm = (float)root;
  if (factor == NULL)
    return;
  *factor = max > 0 && large > max ? (float)(max / large) : 1;
  if (!isfinite (sum) || !isfinite (*loss))
    *factor = NAN;
}

const SlKernel SL_KERNEL_NAME (sl_kernel_clip_factor) = {
    .name = "clip_factor",
    .params_size = sizeof (SlClipFactorParams),
    .tiles = clip_factor_tiles,
    .run = clip_factor_run,
};
