/* Times layers of well-known networks, batch 1, per instruction set: on one thread, and on the
 * pool.
 *
 *   bench_kernels [--isa NAME] [--layer TEXT] [--ms MILLISECONDS]
 *
 * The time is the least of as many runs as fit into --ms; the rate counts two operations for a
 * multiply-add. The share of the peak is the median over all runs, each held against multiply-adds
 * in registers timed right before and after it: a core's clock falls within milliseconds of wide
 * multiply-adds and with what else the machine does, so a peak measured once at the beginning would
 * say nothing. */
#include "core/memory.h"
#include "core/pool.h"
#include "kernels/conv2d.h"
#include "kernels/gemm.h"
#include "kernels/pool2d.h"

#include <glib.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

typedef struct Layer {
  const char *kernel, *net;
  uint32_t in, in_c, out_c, kernel_size, stride,
      pad; /* square maps; gemm: 1 row, in_c deep, out_c wide */
} Layer;

static const Layer layers[] = {
    {"conv2d", "squeezenet stem", 224, 3, 64, 3, 2, 0},
    {"conv2d", "squeezenet fire2 squeeze", 55, 64, 16, 1, 1, 0},
    {"conv2d", "squeezenet fire2 expand 1x1", 55, 16, 64, 1, 1, 0},
    {"conv2d", "squeezenet fire2 expand 3x3", 55, 16, 64, 3, 1, 1},
    {"conv2d", "squeezenet fire3 squeeze", 55, 128, 16, 1, 1, 0},
    {"conv2d", "squeezenet fire5 expand 3x3", 27, 32, 128, 3, 1, 1},
    {"conv2d", "squeezenet fire6 squeeze", 13, 256, 48, 1, 1, 0},
    {"conv2d", "squeezenet fire9 expand 3x3", 13, 64, 256, 3, 1, 1},
    {"conv2d", "squeezenet classifier", 13, 512, 1000, 1, 1, 0},
    {"conv2d", "resnet stem", 224, 3, 64, 7, 2, 3},
    {"conv2d", "resnet 3x3 64 @56", 56, 64, 64, 3, 1, 1},
    {"conv2d", "resnet 3x3 128 @28", 28, 128, 128, 3, 1, 1},
    {"conv2d", "resnet 3x3 128-256 s2 @28", 28, 128, 256, 3, 2, 1},
    {"conv2d", "resnet 3x3 256 @14", 14, 256, 256, 3, 1, 1},
    {"conv2d", "resnet 3x3 512 @7", 7, 512, 512, 3, 1, 1},
    {"conv2d", "resnet50 1x1 64-256 @56", 56, 64, 256, 1, 1, 0},
    {"conv2d", "resnet50 1x1 256-64 @56", 56, 256, 64, 1, 1, 0},
    {"conv2d", "resnet50 1x1 256-512 s2 @56", 56, 256, 512, 1, 2, 0},
    {"conv2d", "resnet50 1x1 512-128 @28", 28, 512, 128, 1, 1, 0},
    {"conv2d", "resnet50 1x1 1024-256 @14", 14, 1024, 256, 1, 1, 0},
    {"conv2d", "resnet50 1x1 256-1024 @14", 14, 256, 1024, 1, 1, 0},
    {"conv2d", "resnet50 1x1 2048-512 @7", 7, 2048, 512, 1, 1, 0},
    {"conv2d", "mobilenetv2 stem", 224, 3, 32, 3, 2, 1},
    {"conv2d", "mobilenetv2 1x1 32-16 @112", 112, 32, 16, 1, 1, 0},
    {"conv2d", "mobilenetv2 1x1 16-96 @112", 112, 16, 96, 1, 1, 0},
    {"conv2d", "mobilenetv2 1x1 144-24 @56", 56, 144, 24, 1, 1, 0},
    {"conv2d", "mobilenetv2 1x1 64-384 @14", 14, 64, 384, 1, 1, 0},
    {"conv2d", "mobilenetv2 1x1 960-160 @7", 7, 960, 160, 1, 1, 0},
    {"conv2d", "mobilenetv2 1x1 320-1280 @7", 7, 320, 1280, 1, 1, 0},
    {"depthwise2d", "mobilenetv2 3x3 32 @112", 112, 32, 32, 3, 1, 1},
    {"depthwise2d", "mobilenetv2 3x3 96 s2 @112", 112, 96, 96, 3, 2, 1},
    {"depthwise2d", "mobilenetv2 3x3 144 @56", 56, 144, 144, 3, 1, 1},
    {"depthwise2d", "mobilenetv2 3x3 384 @14", 14, 384, 384, 3, 1, 1},
    {"depthwise2d", "mobilenetv2 3x3 960 @7", 7, 960, 960, 3, 1, 1},
    {"conv2d", "vgg 3x3 3-64 @224", 224, 3, 64, 3, 1, 1},
    {"conv2d", "vgg 3x3 64 @224", 224, 64, 64, 3, 1, 1},
    {"conv2d", "vgg 3x3 256 @56", 56, 256, 256, 3, 1, 1},
    {"conv2d", "vgg 3x3 512 @14", 14, 512, 512, 3, 1, 1},
    {"gemm", "resnet dense 2048-1000", 1, 2048, 1000, 1, 1, 0},
    {"gemm", "vgg dense 25088-4096", 1, 25088, 4096, 1, 1, 0},
    {"max_pool2d", "squeezenet 3x3 s2 64 @111", 111, 64, 64, 3, 2, 0},
    {"average_pool2d", "resnet50 global 2048 @7", 7, 2048, 2048, 7, 1, 0},
};

typedef struct Job {
  const SlKernel *kernel;
  const void *params;
  void *buffers[5];
  void *scratch[SL_POOL_MAX_THREADS];
} Job;

static void
run_tiles (void *data, unsigned slot, size_t first, size_t last)
{
  Job *job = data;
  job->kernel->run (job->params, job->buffers, job->scratch[slot], first, last);
}

/* Multiply-adds in registers: as many independent chains as hide their latency. Returns operations.
 */
#define PEAK_STEPS 4000
#define PEAK_CHAINS 10
#define PEAK(name, attributes, type, fma)                                              \
  attributes static double name (void)                                                 \
  {                                                                                    \
    type x = {0}, y = {0}, sum[PEAK_CHAINS] = {{0}};                                   \
    for (int i = 0; i < PEAK_STEPS; i++) {                                             \
      __asm__ volatile("" : PEAK_REGISTER (x), PEAK_REGISTER (y));                     \
      _Pragma ("GCC unroll 16") for (int j = 0; j < PEAK_CHAINS; j++) sum[j] = fma;    \
    }                                                                                  \
    _Pragma ("GCC unroll 16") for (int j = 0; j < PEAK_CHAINS;                         \
                                   j++) __asm__ volatile("" : PEAK_REGISTER (sum[j])); \
    return 2.0 * sizeof (type) / sizeof (float) * PEAK_CHAINS * PEAK_STEPS;            \
  }

typedef float Vec4 __attribute__ ((vector_size (16)));
#ifdef __x86_64__
#define PEAK_REGISTER(v) "+v"(v)
PEAK (peak_v3, __attribute__ ((target ("avx2,fma"))), __m256, _mm256_fmadd_ps (x, y, sum[j]))
PEAK (peak_v4, __attribute__ ((target ("avx512f"))), __m512, _mm512_fmadd_ps (x, y, sum[j]))
#elif defined __aarch64__
#include <arm_neon.h>
#define PEAK_REGISTER(v) "+w"(v)
PEAK (peak_neon, , float32x4_t, vfmaq_f32 (sum[j], x, y))
#else
#define PEAK_REGISTER(v) "+g"(v)
#endif
PEAK (peak_128, , Vec4, x *y + sum[j])

typedef double (*PeakFunc) (void);

static PeakFunc
peak_func (SlIsa isa)
{
  switch (isa) {
#ifdef __x86_64__
  case SL_ISA_X86_64_V3:
    return peak_v3;
  case SL_ISA_X86_64_V4:
    return peak_v4;
#elif defined __aarch64__
  case SL_ISA_AARCH64:
    return peak_neon;
#endif
  default:
    return peak_128;
  }
}

static double
now_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* GFLOP/s of one thread at this very moment. */
static double
measure_peak (PeakFunc func)
{
  double begin = now_ms (), flops = func ();
  return 1e-6 * flops / (now_ms () - begin);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef struct Timing {
  double ms;    /* the least of all runs */
  double share; /* of the peak, the median of all runs */
} Timing;

static Timing
time_job (Job *job, SlIsa isa, unsigned threads, double flops, double budget_ms)
{
  size_t tiles = job->kernel->tiles (job->params), runs = 0;
  double end = now_ms () + budget_ms, shares[4096], before;
  Timing timing = {.ms = G_MAXDOUBLE};

  sl_pool_run (tiles, threads, run_tiles, job);
  before = measure_peak (peak_func (isa));
  while (runs < 3 || (now_ms () < end && runs < G_N_ELEMENTS (shares))) {
    double begin = now_ms (), ms, after;
    sl_pool_run (tiles, threads, run_tiles, job);
    ms = now_ms () - begin;
    after = measure_peak (peak_func (isa));
    timing.ms = MIN (timing.ms, ms);
    shares[runs++] = 1e-6 * flops / ms / ((before + after) / 2);
    before = after;
  }
  qsort (shares, runs, sizeof shares[0], compare_doubles);
  timing.share = shares[runs / 2];
  return timing;
}

static void *
random_floats (size_t count)
{
  float *x = sl_aligned_alloc (count * sizeof *x);
  if (!x)
    g_error ("no memory for %zu floats", count);
  for (size_t i = 0; i < count; i++)
    x[i] = (float)(i * 2654435761u % 2001) / 1000.0f - 1.0f;
  return x;
}

/* Fills in parameters and buffers; returns the floats that have to cross the memory bus at least
 * once. */
static size_t
prepare (Job *job, const SlKernelSet *set, const Layer *l, SlConv2dParams *conv, SlGemmParams *gemm,
         SlPool2dParams *pool)
{
  uint32_t out = (l->in + 2 * l->pad - l->kernel_size) / l->stride + 1,
           taps = l->kernel_size * l->kernel_size;
  bool depthwise = g_str_equal (l->kernel, "depthwise2d"),
       is_pool = g_str_has_suffix (l->kernel, "pool2d");
  size_t in_count = (size_t)l->in * l->in * l->in_c, out_count = (size_t)out * out * l->out_c;
  size_t weights = depthwise ? (size_t)taps * l->in_c
                             : sl_packed_elements (l->out_c, (size_t)taps * l->in_c, set->panel);
  SlAct relu = {SL_ACT_CLIP, 0, G_MAXFLOAT};

  *conv = (SlConv2dParams){
      .batch = 1,
      .groups = depthwise ? l->in_c : 1,
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
      .out_stride = l->out_c,
      .act = relu,
  };
  *gemm = (SlGemmParams){.batch = 1,
                         .rows = 1,
                         .cols = l->out_c,
                         .depth = l->in_c,
                         .a_stride = l->in_c,
                         .c_stride = l->out_c,
                         .act = relu};
  *pool = (SlPool2dParams){
      .batch = 1,
      .channels = l->in_c,
      .in_h = l->in,
      .in_w = l->in,
      .out_h = out,
      .out_w = out,
      .kernel_h = l->kernel_size,
      .kernel_w = l->kernel_size,
      .stride_h = l->stride,
      .stride_w = l->stride,
      .dilation_h = 1,
      .dilation_w = 1,
      .in_stride = l->in_c,
      .out_stride = l->out_c,
  };
  job->kernel = sl_kernel_set_find (set, l->kernel);
  job->params = is_pool                           ? (void *)pool
                : g_str_equal (l->kernel, "gemm") ? (void *)gemm
                                                  : (void *)conv;
  job->buffers[0] = random_floats (in_count);
  job->buffers[1] = is_pool ? random_floats (out_count) : random_floats (weights);
  job->buffers[2] = is_pool ? NULL : random_floats (l->out_c);
  job->buffers[3] = NULL;
  job->buffers[4] = is_pool ? NULL : random_floats (out_count);
  for (unsigned t = 0; t < sl_pool_get_threads () && job->kernel->scratch; t++)
    job->scratch[t] = sl_aligned_alloc (job->kernel->scratch (job->params));
  return in_count + out_count + (is_pool ? 0 : weights);
}

static void
clear (Job *job)
{
  for (size_t i = 0; i < G_N_ELEMENTS (job->buffers); i++)
    sl_aligned_free (job->buffers[i]);
  for (size_t i = 0; i < G_N_ELEMENTS (job->scratch); i++)
    sl_aligned_free (job->scratch[i]);
}

static void
bench_layer (const SlKernelSet *set, const Layer *l, double budget_ms)
{
  SlConv2dParams conv;
  SlGemmParams gemm;
  SlPool2dParams pool;
  Job job = {0};
  size_t floats = prepare (&job, set, l, &conv, &gemm, &pool);
  size_t out = conv.out_h * conv.out_w;
  double flops = 2.0 * (double)out * l->out_c * l->kernel_size * l->kernel_size;
  Timing alone, together;

  if (g_str_equal (l->kernel, "conv2d") || g_str_equal (l->kernel, "gemm"))
    flops *= l->in_c;
  alone = time_job (&job, set->isa, 1, flops, budget_ms);
  together = time_job (&job, set->isa, 0, flops, budget_ms);
  g_print ("%-12s %-30s %9.4f ms %7.1f GFLOP/s %4.0f %% %6.1f GB/s  %9.4f ms %7.1f GFLOP/s  %4zu "
           "tiles\n",
           l->kernel, l->net, alone.ms, 1e-6 * flops / alone.ms, 100 * alone.share,
           4e-6 * (double)floats / alone.ms, together.ms, 1e-6 * flops / together.ms,
           job.kernel->tiles (job.params));
  clear (&job);
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
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- time kernels on layers of networks");

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("bench_kernels: %s\n", error->message);
    return 2;
  }
  for (int isa = SL_ISA_COUNT - 1; isa >= 0; isa--) {
    const SlKernelSet *set = sl_kernel_set_get ((SlIsa)isa);
    if (!set || !sl_isa_supported ((SlIsa)isa))
      continue;
    if (isa_name && !g_str_equal (isa_name, sl_isa_name ((SlIsa)isa)))
      continue;
    g_print ("# %s: one thread (time, rate, share of the peak, memory), then %u threads\n",
             sl_isa_name ((SlIsa)isa), sl_pool_get_threads ());
    for (size_t i = 0; i < G_N_ELEMENTS (layers); i++)
      if (!filter || strstr (layers[i].net, filter) || g_str_equal (layers[i].kernel, filter))
        bench_layer (set, &layers[i], budget_ms);
  }
  sl_pool_shutdown ();
  return 0;
}
