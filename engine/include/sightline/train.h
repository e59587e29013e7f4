/* Training a network: one step at a time, in the caller's hands. */
#pragma once

#include <sightline/device.h>
#include <sightline/model.h>
#include <sightline/program.h>

G_BEGIN_DECLS

/* What is made as small as possible: the mean over the samples of a batch of a loss that each has.
 * t is the sample's target, s the network's output. */
typedef enum {
  SL_LOSS_CROSS_ENTROPY, /* - sum over c of w[c] t[c] log (softmax (s)[c]); t: probabilities (N, C),
                            w: class weights. A Softmax at the network's end is taken into the loss,
                            so that s is its input; without one s are logits already */
  SL_LOSS_HINGE,         /* sum over c of (1 - t[c]) max (0, 1 + s[c] - sum over k of t[k] s[k]):
                            the multi-class support vector machine (Weston and Watkins 1999). A Softmax
                            at the end is left out */
  SL_LOSS_MSE,           /* mean over the sample's elements of (s - t)² */
  SL_LOSS_MAE            /* mean over the sample's elements of |s - t| */
} SlLoss;

/* PyTorch's formulas (torch.optim 1.13), g being the gradient, p the parameter, r the rate, t the
 * step counted from 1:
 *
 * - SGD: g += decay p; v = momentum v + g; p -= r (nesterov ? g + momentum v : v).
 * - RMSprop: g += decay p; a = rho a + (1 - rho) g²; centered: m = rho m + (1 - rho) g and
 *   a' = a - m², else a' = a; v = momentum v + g / (sqrt (a') + epsilon); p -= r v.
 *   Keras's stands as g / sqrt (a' + epsilon): the same epsilon is less there.
 * - Adam: g += decay p; m = beta1 m + (1 - beta1) g; a = beta2 a + (1 - beta2) g²;
 *   p -= r m / (1 - beta1^t) / (sqrt (a / (1 - beta2^t)) + epsilon).
 * - AdamW: the same without decay in g, after p *= 1 - r decay. */
typedef enum {
  SL_OPTIMIZER_SGD,
  SL_OPTIMIZER_RMSPROP,
  SL_OPTIMIZER_ADAM,
  SL_OPTIMIZER_ADAMW
} SlOptimizerKind;

typedef struct SlOptimizer {
  SlOptimizerKind kind;
  double momentum;     /* SGD, RMSprop */
  gboolean nesterov;   /* SGD */
  double weight_decay; /* of all parameters */
  double rho;          /* RMSprop */
  gboolean centered;   /* RMSprop */
  double beta1, beta2; /* Adam, AdamW */
  double epsilon;      /* all but SGD */
} SlOptimizer;

/* Keras's defaults: momentum 0, rho 0.9, betas 0.9 and 0.999, epsilon 1e-7, AdamW's decay 0.004. */
SL_API void sl_optimizer_init (SlOptimizer *optimizer, SlOptimizerKind kind);

/* Parameters whose names match the pattern (of g_pattern_match_simple(): * and ?) learn at `factor`
 * times the rate; 0: they stay as they are, and cost nothing. The first rule that fits counts. A
 * batch normalisation whose running mean and variance both have factor 0 is that of inference, as
 * with Keras's trainable = False. */
typedef struct SlRateRule {
  const char *pattern;
  double factor;
  gboolean may_miss; /* else a pattern that no name fits is an error: mostly a slip */
} SlRateRule;

/* Zero in a field means its default. */
typedef struct SlTrainerOptions {
  const SlDevice *device; /* default: the first of sl_device_list() */
  uint32_t batch;         /* samples of a step; default 32 */
  uint32_t last_batch;    /* samples of the smaller batch that an epoch may end with; default: no
                             epoch does */
  uint32_t threads;       /* most threads that a step uses; default: all of the device */
  guint64 memory_limit;   /* bytes that a step may take besides the parameters; default 8 GiB. What
                             would take more, or than the device has left, computes activations
                             again instead of keeping them: the same bits, up to a third more work */
  SlLoss loss;
  double label_smoothing;     /* cross-entropy: t becomes (1 - a) t + a / C; default 0 */
  const float *class_weights; /* cross-entropy: one for each class; default: all 1 */
  uint32_t n_class_weights;
  SlOptimizer optimizer;   /* kind SGD with all fields 0 is plain gradient descent */
  double clip_norm;        /* gradients are scaled so that the norm of all together is at most
                              this; default: not */
  double clip_value;       /* each element of a gradient is then cut to so much; default: not */
  const SlRateRule *rules; /* n_rules of them */
  uint32_t n_rules;
  guint64 seed;      /* of first contents that are drawn, and of dropout */
  const char *begin; /* a value that all ways through the network lead through, and before which
                        nothing is trained: samples are what that value is for them; default: the
                        network's input. The model that comes out is whole */
} SlTrainerOptions;

/* A network with what training it needs. One thread uses it at a time. */
typedef struct SlTrainer SlTrainer;

/* Makes a private copy of the network (`model` does not change, and may go) and of its contents:
 *
 * - Parameters are a model's own (a .net file's), or of an ONNX file the float32 constants that
 *   layers read as weights, scales and biases, and running means and variances are state. First
 *   contents that the model leaves to be drawn are drawn from the seed and the parameter's name.
 * - Batch normalisation uses the batch's own moments in a step and carries running ones along (of
 *   the biased variance, as ONNX and Keras; PyTorch's running variance is the unbiased one);
 *   Dropout draws from seed, step, layer and element.
 *
 * The model has one input whose leading dimension is the batch, and its first output counts. An
 * operator without a gradient is SL_ERROR_UNSUPPORTED with its node; a step that takes more memory
 * than the limit whatever is recomputed is SL_ERROR_LIMIT with the numbers, and one that takes more
 * than the device has left beside an evaluation is SL_ERROR_MEMORY, before it is allocated. */
SL_API SlTrainer *sl_trainer_new (SlModel *model, const SlTrainerOptions *options, GError **error);
SL_API void sl_trainer_free (SlTrainer *trainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlTrainer, sl_trainer_free)

typedef struct SlTrainerInfo {
  guint64 parameters;      /* elements that are trained */
  guint64 frozen;          /* elements of parameters that stay */
  guint64 parameter_bytes; /* of parameters and state of the network */
  guint64 optimizer_bytes; /* of moments and the like */
  guint64 step_bytes;      /* activations, gradients and scratch of a step */
  guint64 evaluate_bytes;  /* of an evaluation */
  double step_flops;       /* a multiply-add counts 2 */
  guint64 kept_bytes; /* step_bytes, if nothing had to be computed twice to stay below the limit, or
                         to fit into the device's memory */
  double recomputed_flops;    /* of step_flops: what is computed twice; 0: nothing is */
  uint32_t n_reference_steps; /* as in SlProgramInfo */
} SlTrainerInfo;
SL_API void sl_trainer_get_info (SlTrainer *trainer, SlTrainerInfo *ret_info);

/* Where the samples of the next step go, and their targets: float32, the batch as leading
 * dimension. Strides say how, since the physical order is the program's choice. Valid as long as
 * the trainer; what was written stays until it is overwritten. */
SL_API void sl_trainer_get_input (SlTrainer *trainer, SlTensorView *ret_view);
SL_API void sl_trainer_get_target (SlTrainer *trainer, SlTensorView *ret_view);
/* Whether the next steps are of last_batch samples, each with the weight 1 / last_batch, or of
 * batch samples; they have input and target of their own, and everything else in common. */
SL_API void sl_trainer_choose_last (SlTrainer *trainer, gboolean last);

typedef struct SlTrainResult {
  double loss;      /* mean over the samples */
  uint32_t n_right; /* samples whose largest output is where the largest target is, the first one
                       of equals; 0 where targets are not samples x classes */
  double gradient_norm; /* of all gradients together, before clipping */
} SlTrainResult;

/* One step on what lies in input and target, at this learning rate. If the loss or a gradient is
 * NaN or infinite: SL_ERROR_NUMERIC with step, layer and rate; parameters and moments then are what
 * they were before (running means and variances are not). */
SL_API gboolean sl_trainer_step (SlTrainer *trainer, double rate, SlTrainResult *ret_result,
                                 GError **error);

/* What a step executes, to be looked at and timed in its parts; the trainer's. Executing the run is
 * the last step again, at the same number and rate, which the trainer does not count. */
SL_API SlProgram *sl_trainer_get_step_program (SlTrainer *trainer);
SL_API SlRun *sl_trainer_get_step_run (SlTrainer *trainer);

/* Steps done so far; the next one's number is one more. To be set where training is resumed:
 * dropout and Adam depend on it. */
SL_API guint64 sl_trainer_get_step (SlTrainer *trainer);
SL_API void sl_trainer_set_step (SlTrainer *trainer, guint64 step);

/* --- Evaluation: the network as it is used, with the parameters of this moment; the loss without
 * class weights and label smoothing --- */

/* As for a step, in memory of their own. */
SL_API void sl_trainer_get_eval_input (SlTrainer *trainer, SlTensorView *ret_view);
SL_API void sl_trainer_get_eval_target (SlTrainer *trainer, SlTensorView *ret_view);
/* What the loss is computed from, after an evaluation: logits with cross-entropy (the input of the
 * Softmax, if the network ends with one), else the first output. */
SL_API void sl_trainer_get_eval_output (SlTrainer *trainer, SlTensorView *ret_view);
/* `n`: the first so many samples count, the rest of the batch is padding. No gradient: its norm is
 * 0. */
SL_API gboolean sl_trainer_evaluate (SlTrainer *trainer, uint32_t n, SlTrainResult *ret_result,
                                     GError **error);

/* --- Contents --- */

/* The network in training: its contents are live, and change with each step. */
SL_API SlModel *sl_trainer_get_model (SlTrainer *trainer);

/* All that has to be kept for training to go on with the same bits: the network's variables, in the
 * model's order, then the optimiser's. Contents are read and set between steps. */
SL_API uint32_t sl_trainer_get_n_variables (SlTrainer *trainer);
SL_API void sl_trainer_get_variable (SlTrainer *trainer, uint32_t index, SlVariable *ret_variable);

/* Writes the network with its contents as they are now to an ONNX file, atomically, with the
 * model's metadata and the pairs given (n of them; a key that is there already gets the new text).
 */
SL_API gboolean sl_trainer_save_model (SlTrainer *trainer, const char *path,
                                       const char *const *keys, const char *const *values,
                                       uint32_t n, GError **error);

G_END_DECLS
