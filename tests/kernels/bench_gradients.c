/* Times what training adds to a layer beside the layer itself, one thread.
 *
 *   bench_gradients [--isa NAME] [--layer TEXT] [--ms MILLISECONDS]
 *
 * The time is the thread's own, the least of as many runs as fit into --ms; the rate counts two
 * operations for a multiply-add. Columns: the layer; packing of its weights, and of those that turn
 * dy into dx; dx; dw. */
#include "core/memory.h"
#include "kernels/conv2d_gradient.h"
#include "kernels/conv_transpose2d.h"
#include "kernels/gemm.h"

#include <glib.h>
#include <string.h>
#include <time.h>

typedef struct Layer {
  const char *net;
  uint32_t batch, in, in_c, out_c, kernel_size, stride, pad; /* square maps */
} Layer;

static const Layer layers[] = {
    {"fashion 1-32 @28", 64, 28, 1, 32, 3, 1, 1},
    {"fashion 32-64 @14", 64, 14, 32, 64, 3, 1, 1},
    {"fashion 64-128 @7", 64, 7, 64, 128, 3, 1, 1},
    {"lenet 1-6 @28", 64, 28, 1, 6, 5, 1, 2},
    {"lenet 6-16 @14", 64, 14, 6, 16, 5, 1, 0},
    {"cifar 3-16 2x2 @32", 32, 32, 3, 16, 2, 1, 0},
    {"cifar 16-32 2x2 @16", 32, 16, 16, 32, 2, 1, 0},
    {"cifar 32-64 2x2 @8", 32, 8, 32, 64, 2, 1, 0},
    {"resnet20 3-16 @32", 64, 32, 3, 16, 3, 1, 1},
    {"resnet20 16-16 @32", 64, 32, 16, 16, 3, 1, 1},
    {"resnet20 16-32 s2 @32", 64, 32, 16, 32, 3, 2, 1},
    {"resnet20 32-32 @16", 64, 16, 32, 32, 3, 1, 1},
    {"resnet20 64-64 @8", 64, 8, 64, 64, 3, 1, 1},
    {"resnet20 16-32 1x1 s2", 64, 32, 16, 32, 1, 2, 0},
    {"vgg 64-64 @32", 32, 32, 64, 64, 3, 1, 1},
    {"vgg 128-128 @16", 32, 16, 128, 128, 3, 1, 1},
    {"vgg 512-512 @4", 32, 4, 512, 512, 3, 1, 1},
    {"resnet18 64-64 @56", 8, 56, 64, 64, 3, 1, 1},
    {"dense 784-512", 128, 1, 784, 512, 1, 1, 0},
    {"dense 512-512", 128, 1, 512, 512, 1, 1, 0},
    {"dense 1024-500", 32, 1, 1024, 500, 1, 1, 0},
};

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static float *
random_floats (size_t count)
{
  float *x = sl_aligned_alloc (count * sizeof *x);
  if (!x)
    g_error ("no memory for %zu floats", count);
  for (size_t i = 0; i < count; i++)
    x[i] = (float)(i * 2654435761u % 2001) / 1000.0f - 1.0f;
  return x;
}

/* The least time of one kernel. */
static double
time_kernel (const SlKernelSet *set, const char *name, const void *params, void *const *buffers,
             double budget_ms)
{
  const SlKernel *kernel = sl_kernel_set_find (set, name);
  size_t tiles = kernel->tiles (params), runs = 0;
  void *scratch = kernel->scratch ? sl_aligned_alloc (kernel->scratch (params)) : NULL;
  double least = G_MAXDOUBLE, end = cpu_ms () + budget_ms;

  while (runs++ < 3 || cpu_ms () < end) {
    double begin = cpu_ms ();
    kernel->run (params, buffers, scratch, 0, tiles);
    least = MIN (least, cpu_ms () - begin);
  }
  sl_aligned_free (scratch);
  return least;
}

static SlConv2dGradientParams
layer_params (const Layer *l)
{
  uint32_t out = (l->in + 2 * l->pad - l->kernel_size) / l->stride + 1;
  SlConv2dGradientParams p = {.bias = true,
                              .conv = {.batch = l->batch,
                                       .groups = 1,
                                       .in_h = l->in,
                                       .in_w = l->in,
                                       .in_c = l->in_c,
                                       .out_h = out,
                                       .out_w = out,
                                       .out_c = l->out_c,
                                       .kernel_h = l->kernel_size,
                                       .kernel_w = l->kernel_size,
                                       .stride_h = l->stride,
                                       .stride_w = l->stride,
                                       .dilation_h = 1,
                                       .dilation_w = 1,
                                       .pad_top = (int32_t)l->pad,
                                       .pad_left = (int32_t)l->pad,
                                       .in_stride = l->in_c,
                                       .out_stride = l->out_c}};
  p.parts = sl_conv2d_gradient_parts (&p.conv, 0);
  return p;
}

/* The transposed convolution of dy. */
static SlConvTranspose2dParams
backward_params (const SlConv2dParams *c)
{
  return (SlConvTranspose2dParams){.batch = c->batch,
                                   .groups = 1,
                                   .in_h = c->out_h,
                                   .in_w = c->out_w,
                                   .in_c = c->out_c,
                                   .out_h = c->in_h,
                                   .out_w = c->in_w,
                                   .out_c = c->in_c,
                                   .kernel_h = c->kernel_h,
                                   .kernel_w = c->kernel_w,
                                   .stride_h = c->stride_h,
                                   .stride_w = c->stride_w,
                                   .dilation_h = 1,
                                   .dilation_w = 1,
                                   .pad_top = (uint32_t)c->pad_top,
                                   .pad_left = (uint32_t)c->pad_left,
                                   .in_stride = c->out_stride,
                                   .out_stride = c->in_stride};
}

static void
bench_layer (const SlKernelSet *set, const Layer *l, double ms)
{
  SlConv2dGradientParams p = layer_params (l);
  const SlConv2dParams *c = &p.conv;
  SlConvTranspose2dParams back = backward_params (c);
  size_t taps = (size_t)c->kernel_h * c->kernel_w, weights = taps * c->in_c * c->out_c;
  SlPackParams pack = {.groups = 1,
                       .cols = c->out_c,
                       .depth = {c->kernel_h, c->kernel_w, c->in_c},
                       .col_stride = c->in_c * taps,
                       .depth_stride = {c->kernel_w, 1, taps}};
  SlPackTransposedParams turn = {.groups = 1,
                                 .group_in = c->out_c,
                                 .group_out = c->in_c,
                                 .kernel_h = c->kernel_h,
                                 .kernel_w = c->kernel_w,
                                 .stride_h = c->stride_h,
                                 .stride_w = c->stride_w,
                                 .dilation_h = 1,
                                 .dilation_w = 1};
  float *x = random_floats ((size_t)c->batch * c->in_h * c->in_w * c->in_c);
  float *dx = random_floats ((size_t)c->batch * c->in_h * c->in_w * c->in_c);
  float *y = random_floats ((size_t)c->batch * c->out_h * c->out_w * c->out_c);
  float *w = random_floats (weights), *dw = random_floats (weights);
  float *packed = random_floats (sl_packed_elements (c->out_c, taps * c->in_c, set->panel));
  float *turned = random_floats (sl_packed_elements (c->in_c, taps * c->out_c, set->panel));
  float *parts = random_floats (p.parts * sl_conv2d_gradient_part (c, set->panel));
  double flops = 2.0 * (double)weights * c->batch * c->out_h * c->out_w;

  double pack_ms = time_kernel (set, "pack_weights", &pack, (void *[]){w, packed}, ms / 8);
  double turn_ms = time_kernel (set, "pack_transposed2d", &turn, (void *[]){w, turned}, ms / 8);
  double forward = time_kernel (set, sl_conv2d_is_narrow (c) ? "conv2d_narrow" : "conv2d", c,
                                (void *[]){x, packed, NULL, NULL, y}, ms);
  double input = time_kernel (set, "conv_transpose2d", &back, (void *[]){y, turned, NULL, dx}, ms);
  double part_ms = time_kernel (set, "conv2d_weight_parts", &p, (void *[]){x, y, parts}, ms);
  double sum_ms = time_kernel (set, "sum_weight_parts", &p, (void *[]){parts, dw}, ms / 8);
  g_print ("%-22s y %8.3f ms %6.1f GFLOP/s  pack %7.3f %7.3f ms  dx %8.3f ms %6.1f GFLOP/s  "
           "dw %8.3f + %6.3f ms %6.1f GFLOP/s\n",
           l->net, forward, 1e-6 * flops / forward, pack_ms, turn_ms, input, 1e-6 * flops / input,
           part_ms, sum_ms, 1e-6 * flops / (part_ms + sum_ms));
  float *const all[] = {x, dx, y, w, dw, packed, turned, parts};
  for (size_t i = 0; i < G_N_ELEMENTS (all); i++)
    sl_aligned_free (all[i]);
}

int
main (int argc, char **argv)
{
  g_autofree char *isa_name = NULL, *filter = NULL;
  g_autoptr (GError) error = NULL;
  double budget_ms = 60;
  GOptionEntry options[] = {
      {"isa", 0, 0, G_OPTION_ARG_STRING, &isa_name, "Only this instruction set", "NAME"},
      {"layer", 0, 0, G_OPTION_ARG_STRING, &filter, "Only layers whose name holds this", "TEXT"},
      {"ms", 0, 0, G_OPTION_ARG_DOUBLE, &budget_ms, "Time for each measurement", "MILLISECONDS"},
      {NULL},
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- time kernels of training");

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("bench_gradients: %s\n", error->message);
    return 2;
  }
  for (int isa = SL_ISA_COUNT - 1; isa >= 0; isa--) {
    const SlKernelSet *set = sl_kernel_set_get ((SlIsa)isa);
    if (!set || !sl_isa_supported ((SlIsa)isa))
      continue;
    if (isa_name && !g_str_equal (isa_name, sl_isa_name ((SlIsa)isa)))
      continue;
    g_print ("# %s\n", sl_isa_name ((SlIsa)isa));
    for (size_t i = 0; i < G_N_ELEMENTS (layers); i++)
      if (!filter || strstr (layers[i].net, filter))
        bench_layer (set, &layers[i], budget_ms);
  }
  return 0;
}
