/* A model compiled for shapes and a device, and the slots that run it. */
#pragma once

#include <sightline/device.h>
#include <sightline/image.h>
#include <sightline/model.h>

G_BEGIN_DECLS

/* Immutable once made: any number of threads may make runs of one program. Reference-counted. */
typedef struct SlProgram SlProgram;

/* Memory for one computation at a time: inputs, outputs, everything between. One thread uses it at
 * a time; different runs of one program may execute at once. */
typedef struct SlRun SlRun;

/* Zero in a field means its default. */
typedef struct SlProgramOptions {
  const SlDevice *device; /* default: "auto" of sl_device_find() */
  uint32_t batch; /* value of a free or leading dimension of inputs; default 1, or the file's own */
  const SlShape *shapes; /* full shapes of all inputs, instead of batch; n_shapes of them */
  uint32_t n_shapes;
  SlTensor *const
      *fixed; /* one for each input of the model: its content, known now and part of the program
                 (an input that decides a shape has to be), or NULL; not an input of the program */
  const char *const *taps; /* names of values of the model's graph that a run yields as further
                              outputs, behind the model's own and in this order; n_taps of them */
  uint32_t n_taps;
  uint32_t threads; /* most threads of the CPU that a run uses; default: all of the device */
  /* What the program may take: checked before anything is allocated or computed, SL_ERROR_LIMIT
   * with the numbers. */
  guint64 memory_limit;   /* bytes of a run's memory, and of any value in it; default 8 GiB */
  guint64 constant_limit; /* bytes of constants made of others (folded, packed), counted in double
                             precision; default 1 GiB and 16 times those of the file */
  double constant_work;   /* operations that making them takes; default 2^31, some seconds, and 64
                             for each byte of the file's */
  double run_work;        /* operations of one run; default: any number */
  gboolean float_ports;   /* inputs and outputs of 16-bit floats are float32 instead: for who makes
                             pictures and reads scores */
  gboolean half;   /* keep as float16 what may be, with float32 arithmetic: half the memory to
                      hold and to read. On the CPU the weights of products and direct
                      convolutions: results move by some 1e-4 of the largest, or not at all
                      where the file has them in float16. On a GPU with 16-bit storage those
                      and the activations: results move by some 1e-3 of the largest, and a
                      number beyond 65504 becomes infinity, which is an error of the run that
                      names the node. Inputs and outputs, and all of a program that trains,
                      stay float32. SlProgramInfo.half says what became of it */
  gboolean frozen; /* parameters and state are constants, with the content that they have while the
                      program is made: folded and packed once, not in each run, and what training
                      makes of them later is not seen. Of a model without any: nothing */
  gboolean unoptimized; /* leave the graph as the file has it (for oracles and bisecting) */
} SlProgramOptions;

/* Infers shapes, optimises, plans memory. The numbers of a plan that does not fit are in the error,
 * before anything is allocated.
 *
 * A tap is what the file's node makes, whatever is fused around it: the value behind the Relu if
 * that is what the name stands for, the one before it if it is that. It costs the memory that it is
 * kept in, and what cannot be fused over it; the weights stay shared with programs that tap
 * nothing. A name may be that of an input, a constant or an output, and may come twice; one that no
 * value has is SL_ERROR_UNSUPPORTED. NaN or infinity in a tap is an error of the run as in any
 * output. */
SL_API SlProgram *sl_program_new (SlModel *model, const SlProgramOptions *options, GError **error);
SL_API SlProgram *sl_program_ref (SlProgram *program);
SL_API void sl_program_unref (SlProgram *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlProgram, sl_program_unref)

SL_API SlModel *sl_program_get_model (SlProgram *program);
SL_API const SlDevice *sl_program_get_device (SlProgram *program);
/* Shapes as compiled: nothing is free. Inputs that the options fixed are not among them; taps are
 * outputs. */
SL_API uint32_t sl_program_get_n_inputs (SlProgram *program);
SL_API uint32_t sl_program_get_n_outputs (SlProgram *program);
SL_API const SlPort *sl_program_get_input (SlProgram *program, uint32_t index);
SL_API const SlPort *sl_program_get_output (SlProgram *program, uint32_t index);

typedef struct SlProgramInfo {
  uint32_t n_nodes, n_steps;
  uint32_t n_reference_steps; /* steps without a fast kernel, but for those of a few numbers */
  uint32_t n_host_steps;      /* of a GPU's program: steps that the CPU does in between */
  guint64 arena_bytes;        /* of one run */
  guint64 weight_bytes;       /* constants that the steps read, shared by all runs */
  double flops;               /* of one run; a multiply-add counts 2 */
  const char *half;           /* what is kept as float16, for people: "nothing", "weights" … */
} SlProgramInfo;
SL_API void sl_program_get_info (SlProgram *program, SlProgramInfo *ret_info);

/* One node of the program, in the order of computation. Strings and pointers are the program's. */
typedef struct SlLayer {
  const char *name, *op;  /* op: ONNX's name, or an internal one of the optimised graph */
  const char *output;     /* name of the first output */
  const char *kernel;     /* that computes it on the CPU; "" if none was needed (a view) */
  const char *attributes; /* "kernel_shape=[3, 3] strides=[2, 2]" */
  SlDType dtype;
  SlShape shape;          /* of the first output */
  guint64 parameters;     /* elements of the weights it reads */
  guint64 states;         /* how many of them no gradient changes: running statistics */
  double flops;           /* a multiply-add counts 2 */
  double bytes;           /* read and written at least once, weights included */
  const char *fused;      /* what its kernel does besides: "bias, residual, clip(0, 6)"; or "" */
  gboolean channels_last; /* the output is stored so: NCHW as NHWC */
  gboolean is_part;       /* the output lies inside of a wider value, between others */
} SlLayer;
SL_API uint32_t sl_program_get_n_layers (SlProgram *program);
SL_API void sl_program_get_layer (SlProgram *program, uint32_t index, SlLayer *ret_layer);

/* What one rewrite of the graph left of its nodes. */
typedef struct SlPassInfo {
  const char *name;
  uint32_t before, after; /* nodes */
} SlPassInfo;
/* In the order in which they ran. */
SL_API uint32_t sl_program_get_n_passes (SlProgram *program);
SL_API void sl_program_get_pass (SlProgram *program, uint32_t index, SlPassInfo *ret_pass);

/* One call of a kernel: layers take none (views), one or several. */
typedef struct SlStepInfo {
  uint32_t layer;     /* index of the layer that it is of */
  const char *kernel; /* "reference": the operator's definition, slow */
} SlStepInfo;
/* In the order of computation; on the reference device each layer is one step. */
SL_API uint32_t sl_program_get_n_steps (SlProgram *program);
SL_API void sl_program_get_step (SlProgram *program, uint32_t index, SlStepInfo *ret_step);

typedef enum { SL_PRINT_TEXT, SL_PRINT_DOT } SlPrintFormat;
/* The compiled graph; free with g_free(). */
SL_API char *sl_program_print (SlProgram *program, SlPrintFormat format);

/* Allocates all that executing needs; executing itself allocates nothing. */
SL_API SlRun *sl_run_new (SlProgram *program, GError **error);
SL_API void sl_run_free (SlRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlRun, sl_run_free)

/* Where to write input `index` before execute, and where output `index` lies after it: strides say
 * how, since the physical order is the program's choice. The views stay valid as long as the run.
 */
SL_API void sl_run_get_input (SlRun *run, uint32_t index, SlTensorView *ret_view);
SL_API void sl_run_get_output (SlRun *run, uint32_t index, SlTensorView *ret_view);

/* The same with a copy, from and to dense tensors of the program's shape and type. */
SL_API gboolean sl_run_set_input (SlRun *run, uint32_t index, const SlTensor *tensor,
                                  GError **error);
SL_API SlTensor *sl_run_copy_output (SlRun *run, uint32_t index, GError **error);

/* Makes input `index`, or one picture of it, of a video frame: sl_image_sample() with the input's
 * memory, but where the program runs on a GPU the frame's planes go there as they are, and the next
 * execution makes the picture of them (*ret_path says; may be NULL). That picture is within 0.02 of
 * 255 of the CPU's. The frame may be given back at once, unless `stays` says that its memory is
 * left as it is until the run has been executed: if all of it lies in one piece of host memory of
 * the device, nobody but the device copies it then, and what is sampled is good for one execution.
 *
 * Frames that a GPU cannot take (rows from a callback, more than it binds), and pictures of an
 * input of several, are sampled by the CPU. `strides`: of the picture in the input's view, whose
 * element 0 is its first; all above 0. The input stays what was sampled until sl_run_get_input() or
 * sl_run_set_input() is called for it, or it is sampled again. One input of a run is sampled.
 * Errors: those of the device, SL_ERROR_MEMORY. */
SL_API gboolean sl_run_sample (SlRun *run, uint32_t index, SlImageSampler *sampler,
                               const SlImage *image, const ptrdiff_t strides[3], gboolean stays,
                               SlFramePath *ret_path, GError **error);

/* The frame that input `index` is to be made of on a GPU: what its sampler reads of it, for another
 * sampler of the same frames and rules, as long as the run (and a frame that stays) lives and is
 * not sampled again. FALSE: the input is what its memory holds. */
SL_API gboolean sl_run_get_frame (SlRun *run, uint32_t index, SlImage *ret_image);

/* Computes all outputs. SL_ERROR_NUMERIC, naming the first node that made one, if an output holds
 * NaN or infinity (the outputs may be read all the same). Inputs keep their contents. */
SL_API gboolean sl_run_execute (SlRun *run, GError **error);

/* The same in two: submit() begins, wait() comes back when all is computed, and both may fail as
 * sl_run_execute() does. In between the thread can do other things, as to prepare another run: two
 * or three runs of one program keep a GPU busy. Inputs and outputs are not to be touched from the
 * one to the other, and not to be read if either failed. What was submitted is waited for exactly
 * once; sl_run_free() does so by itself. What was submitted first is done first. submit() of a
 * program with steps on the CPU comes back when the last of these is done, and on the CPU it
 * computes everything, so that nothing is gained there. A program that updates what it reads (in
 * training) has one run under way at a time. Any thread, and another one may wait than has
 * submitted. */
SL_API gboolean sl_run_submit (SlRun *run, GError **error);
SL_API gboolean sl_run_wait (SlRun *run, GError **error);

/* As sl_run_execute(), and writes the nanoseconds that each step took to `ret_ns`, which holds
 * sl_program_get_n_steps() of them. The clock is read between steps, so that a run takes some 50 ns
 * longer for each. */
SL_API gboolean sl_run_execute_timed (SlRun *run, guint64 *ret_ns, GError **error);

G_END_DECLS
