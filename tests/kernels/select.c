#include "kernels/select.h"
#include "common.h"

#include <math.h>
#include <string.h>

static bool
ref_equal (double a, double b)
{
  return a == b;
}
static bool
ref_less (double a, double b)
{
  return a < b;
}
static bool
ref_less_or_equal (double a, double b)
{
  return a <= b;
}
static bool
ref_and (double a, double b)
{
  return a != 0 && b != 0;
}
static bool
ref_or (double a, double b)
{
  return a != 0 || b != 0;
}
static bool
ref_xor (double a, double b)
{
  return (a != 0) != (b != 0);
}

static const struct {
  const char *name;
  bool (*reference) (double a, double b);
  bool of_bools;
} functions[] = {
    {"equal", ref_equal},   {"less", ref_less},   {"less_or_equal", ref_less_or_equal},
    {"and", ref_and, true}, {"or", ref_or, true}, {"xor", ref_xor, true},
};

/* Three inputs; which repeat along which dimension. */
typedef struct Shape {
  uint32_t rank;
  size_t dims[SL_KERNEL_RANK];
  bool repeats[3][SL_KERNEL_RANK];
} Shape;

static const Shape shapes[] = {
    {1, {1}},
    {1, {40003}},
    {3, {2, 3, 37}},
    {2, {9, 33}, {{0}, {1, 1}, {0}}},
    {2, {9, 67}, {{1, 1}, {0}, {1, 1}}},
    {2, {9, 67}, {{0}, {0}, {1, 1}}},
    {2, {170, 118}, {{0, 1}, {1, 0}, {0, 1}}},
    {4, {3, 4, 5, 6}, {{0, 1, 0, 1}, {1, 0, 1, 0}, {0, 0, 0, 1}}},
    {8, {2, 1, 2, 3, 1, 2, 2, 3}, {{0, 0, 1}, {0, 0, 0, 1, 0, 0, 1, 0}, {1}}},
};

/* Dense strides of `operand`, 0 where it repeats (3: the output, which does not); its elements. */
static size_t
lay_out (const Shape *shape, uint32_t operand, size_t *stride)
{
  size_t count = 1;
  for (uint32_t d = shape->rank; d-- > 0;) {
    bool repeats = operand < 3 && shape->repeats[operand][d];
    stride[d] = repeats ? 0 : count;
    count *= repeats ? 1 : shape->dims[d];
  }
  return count;
}

static size_t
place (const Shape *shape, const size_t *stride, size_t index)
{
  size_t at = 0;
  for (uint32_t d = shape->rank; d-- > 0; index /= shape->dims[d])
    at += index % shape->dims[d] * stride[d];
  return at;
}

/* Integers, so that there are equal ones, and a NaN. */
static float *
make_floats (size_t count, guint32 seed)
{
  float *x = new_floats (count);
  fill_integers (x, count, seed);
  x[count / 2] = NAN;
  return x;
}

static uint8_t *
make_bools (size_t count, guint32 seed)
{
  float *x = new_floats (count);
  uint8_t *bools = g_malloc (count);
  fill_random (x, count, seed);
  for (size_t i = 0; i < count; i++)
    bools[i] = x[i] > 0;
  g_test_queue_free (bools);
  return bools;
}

static void
check_two (const SlKernelSet *set, const Shape *shape, size_t f)
{
  SlSelectParams p = {.rank = shape->rank};
  memcpy (p.dims, shape->dims, sizeof p.dims);
  size_t a_count = lay_out (shape, 0, p.stride[0]), b_count = lay_out (shape, 1, p.stride[1]);
  size_t total = lay_out (shape, 3, p.stride[2]);
  bool of_bools = functions[f].of_bools;
  void *a = of_bools ? (void *)make_bools (a_count, 1) : make_floats (a_count, 1);
  void *b = of_bools ? (void *)make_bools (b_count, 2) : make_floats (b_count, 2);
  g_autofree uint8_t *out = g_malloc (total);
  run_kernel (set, functions[f].name, &p, (void *[]){a, b, out}, 2, total);
  for (size_t i = 0; i < total; i++) {
    size_t at_a = place (shape, p.stride[0], i), at_b = place (shape, p.stride[1], i);
    bool expected = of_bools ? functions[f].reference (((uint8_t *)a)[at_a], ((uint8_t *)b)[at_b])
                             : functions[f].reference (((float *)a)[at_a], ((float *)b)[at_b]);
    if (out[i] != expected)
      g_error ("%s: element %zu of %zu is %u", functions[f].name, i, total, out[i]);
  }
}

static void
test_two (const SlKernelSet *set)
{
  for (size_t f = 0; f < G_N_ELEMENTS (functions); f++)
    for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++)
      check_two (set, &shapes[i], f);
}

static void
test_where (const SlKernelSet *set)
{
  for (size_t s = 0; s < G_N_ELEMENTS (shapes); s++) {
    const Shape *shape = &shapes[s];
    SlSelectParams p = {.rank = shape->rank};
    memcpy (p.dims, shape->dims, sizeof p.dims);
    uint8_t *condition = make_bools (lay_out (shape, 0, p.stride[0]), 3);
    float *a = make_floats (lay_out (shape, 1, p.stride[1]), 4);
    float *b = make_floats (lay_out (shape, 2, p.stride[2]), 5);
    size_t total = lay_out (shape, 3, p.stride[3]);
    float *out = new_floats (total);
    double *expected = new_expected (total);
    for (size_t i = 0; i < total; i++)
      expected[i] = condition[place (shape, p.stride[0], i)]
                        ? (double)a[place (shape, p.stride[1], i)]
                        : (double)b[place (shape, p.stride[2], i)];
    run_kernel (set, "where", &p, (void *[]){condition, a, b, out}, 3, total * sizeof (float));
    check_floats ("where", out, expected, total, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("select/two", test_two);
  add_set_tests ("select/where", test_where);
  return g_test_run ();
}
