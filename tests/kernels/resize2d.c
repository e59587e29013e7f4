#include "kernels/resize2d.h"
#include "common.h"

static const SlResize2dParams cases[] = {
    /* batch, channels, input h w, output h w, taps h w, strides */
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1},           {2, 37, 5, 7, 11, 9, 1, 1, 37, 37},
    {2, 37, 5, 7, 11, 9, 1, 1, 41, 39},       {1, 64, 7, 7, 14, 14, 2, 2, 64, 64},
    {2, 19, 7, 5, 4, 13, 2, 2, 23, 20},       {1, 3, 20, 30, 15, 22, 2, 2, 3, 3},
    {1, 33, 6, 9, 13, 5, 4, 4, 33, 33},       {1, 33, 6, 9, 13, 5, 4, 1, 35, 33},
    {1, 18, 6, 9, 6, 18, 1, 2, 18, 18},       {1, 5, 40, 50, 7, 6, 13, 17, 5, 6},
    {1, 128, 20, 20, 40, 40, 2, 2, 128, 128},
};

static void
check_case (const SlKernelSet *set, const SlResize2dParams *p)
{
  size_t in_count = (size_t)p->batch * p->in_h * p->in_w * p->in_stride;
  size_t out_count = (size_t)p->batch * p->out_h * p->out_w * p->out_stride;
  size_t rows = (size_t)p->out_h * p->taps_h, cols = (size_t)p->out_w * p->taps_w;
  float *in = new_floats (in_count), *out = new_floats (out_count);
  float *weights = new_floats (rows + cols);
  int32_t *indices = (int32_t *)(void *)new_floats (rows + cols);
  double *expected = new_expected (out_count);

  fill_integers (in, in_count, 5);
  fill_integers (weights, rows + cols, 6); /* sums are exact */
  for (size_t i = 0; i < rows + cols; i++) {
    indices[i] = (int32_t)(i * 7 / 3 % (i < rows ? p->in_h : p->in_w));
    if ((i < rows ? p->taps_h : p->taps_w) == 1)
      weights[i] = 1;
  }
  for (size_t r = 0; r < (size_t)p->batch * p->out_h; r++)
    for (size_t x = 0; x < p->out_w; x++)
      for (size_t c = 0; c < p->channels; c++) {
        double sum = 0;
        for (size_t i = r % p->out_h * p->taps_h; i < (r % p->out_h + 1) * p->taps_h; i++)
          for (size_t j = rows + x * p->taps_w; j < rows + (x + 1) * p->taps_w; j++)
            sum +=
                (double)weights[i] * weights[j] *
                in[((r / p->out_h * p->in_h + (size_t)indices[i]) * p->in_w + (size_t)indices[j]) *
                       p->in_stride +
                   c];
        expected[(r * p->out_w + x) * p->out_stride + c] = sum;
      }
  run_kernel (set, "resize2d", p, (void *[]){in, indices, weights, out}, 3,
              out_count * sizeof (float));
  check_floats ("resize2d", out, expected, out_count, 0);
}

static void
test_cases (const SlKernelSet *set)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    check_case (set, &cases[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_set_tests ("resize2d", test_cases);
  return g_test_run ();
}
