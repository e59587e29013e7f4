/* Times 3x3 layers in the direct form and both of Winograd's, and prints the rows of
 * engine/kernels/winograd_timings.c.
 *
 *   bench-winograd [--isa NAME] [--layer SIZE,IN,OUT] [--ms MILLISECONDS]
 *
 * One image, one thread. The forms take turns, each at a copy of its weights that it has not read
 * for long: in a network, too, all other layers' weights pass through the cache in between. A time
 * is the least of as many turns as fit into --ms. */
#include "core/fpenv.h"
#include "core/memory.h"
#include "kernels/gemm.h"
#include "kernels/winograd.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

enum { DIRECT, F23, F43, FORMS };
static const char *const kernel_names[FORMS] = {"conv2d", "winograd_f23", "winograd_f43"};

/* Copies of the weights of one form: more than a last cache holds, where that is not too many. */
#define COPIES_BYTES (128u << 20)
#define COPIES_MAX 32

typedef struct Form {
  const SlKernel *kernel;
  void *buffers[5], *scratch;
  size_t weights, copies; /* floats, of each of the copies behind each other */
  float *copy;
  double us;
} Form;

static double
now_us (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
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

static void
form_init (Form *form, const SlKernelSet *set, int which, const SlConv2dParams *p)
{
  SlPackWinogradParams pack = {which == F23 ? 2 : 4, p->in_c, p->out_c, 0, 0};
  form->weights = which == DIRECT ? sl_packed_elements (p->out_c, (size_t)p->in_c * 9, set->panel)
                                  : sl_winograd_elements (&pack);
  form->copies = CLAMP (COPIES_BYTES / (form->weights * sizeof (float)), 2, COPIES_MAX);
  form->copy = random_floats (form->weights * form->copies);
  form->kernel = sl_kernel_set_find (set, kernel_names[which]);
  form->buffers[0] = random_floats ((size_t)p->in_h * p->in_w * p->in_c);
  form->buffers[2] = random_floats (p->out_c);
  form->buffers[4] = random_floats ((size_t)p->out_h * p->out_w * p->out_c);
  form->scratch = sl_aligned_alloc (form->kernel->scratch (p));
  form->us = G_MAXDOUBLE;
}

static void
form_clear (Form *form)
{
  for (size_t i = 0; i < G_N_ELEMENTS (form->buffers); i++)
    if (i != 1)
      sl_aligned_free (form->buffers[i]);
  sl_aligned_free (form->copy);
  sl_aligned_free (form->scratch);
}

static void
form_run (Form *form, const SlConv2dParams *p, size_t turn)
{
  size_t tiles = form->kernel->tiles (p);
  form->buffers[1] = form->copy + turn % form->copies * form->weights;
  double begin = now_us ();
  form->kernel->run (p, form->buffers, form->scratch, 0, tiles);
  form->us = MIN (form->us, now_us () - begin);
}

static void
bench_layer (const SlKernelSet *set, uint32_t size, uint32_t in_c, uint32_t out_c, double budget_ms)
{
  SlConv2dParams p = {
      .batch = 1,
      .groups = 1,
      .in_h = size,
      .in_w = size,
      .in_c = in_c,
      .out_h = size,
      .out_w = size,
      .out_c = out_c,
      .kernel_h = 3,
      .kernel_w = 3,
      .stride_h = 1,
      .stride_w = 1,
      .dilation_h = 1,
      .dilation_w = 1,
      .pad_top = 1,
      .pad_left = 1,
      .in_stride = in_c,
      .out_stride = out_c,
      .act = {SL_ACT_CLIP, 0, G_MAXFLOAT},
  };
  Form forms[FORMS] = {0};
  for (int i = 0; i < FORMS; i++)
    form_init (&forms[i], set, i, &p);
  double end = now_us () + 1e3 * budget_ms;
  SlFpEnv saved = sl_fp_enter ();
  for (size_t turn = 0; turn < 3 || now_us () < end; turn++)
    for (int i = 0; i < FORMS; i++)
      form_run (&forms[i], &p, turn);
  sl_fp_leave (saved);
  g_print ("    {%u, %u, %u", size, in_c, out_c);
  for (int i = 0; i < FORMS; i++)
    g_print (", %.*f", forms[i].us < 100 ? 1 : 0, forms[i].us);
  g_print ("},\n");
  for (int i = 0; i < FORMS; i++)
    form_clear (&forms[i]);
}

/* Maps and widths of known networks, without what none of them has: wide layers on large maps. */
#define GRID_PRODUCTS (28u * 28 * 512 * 512)

static void
bench_grid (const SlKernelSet *set, double budget_ms)
{
  static const uint32_t sizes[] = {7, 14, 28, 56, 112}, widths[] = {16, 32, 64, 128, 256, 512};
  for (size_t s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (size_t i = 0; i < G_N_ELEMENTS (widths); i++)
      for (size_t o = 0; o < G_N_ELEMENTS (widths); o++)
        if ((uint64_t)sizes[s] * sizes[s] * widths[i] * widths[o] <= GRID_PRODUCTS &&
            widths[i] <= widths[o] * 2 && widths[o] <= widths[i] * 4)
          bench_layer (set, sizes[s], widths[i], widths[o], budget_ms);
}

int
main (int argc, char **argv)
{
  g_autofree char *isa_name = NULL, *layer = NULL;
  g_autoptr (GError) error = NULL;
  double budget_ms = 100;
  GOptionEntry options[] = {
      {"isa", 0, 0, G_OPTION_ARG_STRING, &isa_name, "Only this instruction set", "NAME"},
      {"layer", 0, 0, G_OPTION_ARG_STRING, &layer, "Only this layer", "SIZE,IN,OUT"},
      {"ms", 0, 0, G_OPTION_ARG_DOUBLE, &budget_ms, "Time for each layer", "MILLISECONDS"},
      {NULL},
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- time forms of 3x3 convolution");
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("bench-winograd: %s\n", error->message);
    return 2;
  }
  for (int isa = SL_ISA_COUNT - 1; isa >= 0; isa--) {
    const SlKernelSet *set = sl_kernel_set_get ((SlIsa)isa);
    unsigned size, in_c, out_c;
    if (!set || !sl_isa_supported ((SlIsa)isa) ||
        (isa_name && !g_str_equal (isa_name, sl_isa_name ((SlIsa)isa))))
      continue;
    g_print ("# %s: size, in_c, out_c, us direct, F(2,3), F(4,3)\n", sl_isa_name ((SlIsa)isa));
    if (layer && sscanf (layer, "%u,%u,%u", &size, &in_c, &out_c) == 3)
      bench_layer (set, size, in_c, out_c, budget_ms);
    else
      bench_grid (set, budget_ms);
  }
  return 0;
}
