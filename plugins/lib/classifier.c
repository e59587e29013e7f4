#include <sightline-gst/classifier.h>

#include "device-check.h"
#include "frame.h"

#include <math.h>
#include <string.h>

/* How often a device that failed is tried again: what takes it down may be the network itself. */
#define MAX_REVIVALS 2

/* One frame under way. */
typedef struct Slot {
  SlProgram *program; /* of the run; after a device has failed not the classifier's */
  SlRun *run;
  SlTensorView output;  /* of the run, batch 1 */
  ptrdiff_t strides[3]; /* of the input: from a channel, a row and a pixel to the next */
  SlImageInfo image;    /* of the frame that was sampled last */
  float *scores;        /* n_scores */
  guint64 *ns;          /* of each step of the run; NULL: they are not timed */
} Slot;

struct SlClassifier {
  const SlModelRules *rules;
  SlModel *model;
  const SlDevice *device;
  gboolean named; /* the device was; nothing takes its place */
  guint n_revivals;
  char *note; /* for the user, not taken yet */
  SlProgram *program;
  SlShape shape; /* of the input */
  uint32_t channel_axis;
  char **taps;
  uint32_t threads;
  gboolean half;
  gboolean timed;
  uint32_t n_outputs, n_scores; /* n_outputs: without the taps */
  uint32_t n_slots;
  Slot *slots;

  /* The sampling side's. */
  GstVideoInfo info; /* of the caps */
  guint orientation;
  SlImageInfo image; /* that the sampler was made for */
  SlImageSampler *sampler;
  SlFramePath path; /* of the last frame */
};

/* Position of the channels among the input's four dimensions: 1 (ONNX's custom) or 3 (networks that
 * were converted from TensorFlow as they are). */
static uint32_t
find_channel_axis (const SlShape *shape, uint32_t channels)
{
  return shape->dim[1] != (int64_t)channels && shape->dim[3] == (int64_t)channels ? 3 : 1;
}

static gboolean
fits (int64_t dim, int64_t wanted)
{
  return dim < 0 || dim == wanted;
}

/* The full shape of the input, batch 1, from what the file states and what the rules know. */
static gboolean
find_input_shape (SlModel *model, const SlPreprocess *preprocess, SlShape *ret_shape,
                  uint32_t *ret_axis, GError **error)
{
  const SlPort *port = sl_model_get_n_inputs (model) == 1 ? sl_model_get_input (model, 0) : NULL;
  SlShape shape;
  uint32_t axis;

  if (!port || port->shape.rank != 4 ||
      !(port->dtype == SL_FLOAT32 || port->dtype == SL_FLOAT16 || port->dtype == SL_BFLOAT16)) {
    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: does not take pictures (expected one float32 input of rank 4)",
                 sl_model_get_name (model));
    return FALSE;
  }
  axis = find_channel_axis (&port->shape, preprocess->channels);
  shape = axis == 1 ? SL_SHAPE (1, preprocess->channels, preprocess->height, preprocess->width)
                    : SL_SHAPE (1, preprocess->height, preprocess->width, preprocess->channels);
  for (uint32_t i = 1; i < 4; i++)
    if (!fits (port->shape.dim[i], shape.dim[i])) {
      g_autofree char *found = sl_shape_to_string (&port->shape);
      g_autofree char *wanted = sl_shape_to_string (&shape);

      g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "%s: input \"%s\" is %s (the rules say %s)",
                   sl_model_get_name (model), port->name, found, wanted);
      return FALSE;
    }
  *ret_shape = shape;
  *ret_axis = axis;
  return TRUE;
}

/* A classifier's first output is one vector of scores: at most one dimension that is not 1. */
static gboolean
check_output (SlClassifier *self, GError **error)
{
  const char *path = sl_model_get_name (sl_program_get_model (self->program));
  const SlPort *port = sl_program_get_output (self->program, 0);
  uint32_t n_long = 0;
  size_t n;

  for (uint32_t i = 0; i < port->shape.rank; i++)
    n_long += port->shape.dim[i] != 1;
  if (port->dtype != SL_FLOAT32 || n_long > 1 || !sl_shape_get_elements (&port->shape, &n) ||
      n == 0 || n > G_MAXUINT32) {
    g_autofree char *shape = sl_shape_to_string (&port->shape);

    g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                 "%s: output \"%s\" is %s %s (expected one float32 score for each class)", path,
                 port->name, sl_dtype_get_name (port->dtype), shape);
    return FALSE;
  }
  if (self->rules->labels && self->rules->n_labels != n) {
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
                 "%s: the network has %" G_GSIZE_FORMAT " classes, but there are %u labels", path,
                 n, self->rules->n_labels);
    return FALSE;
  }
  self->n_scores = n;
  return TRUE;
}

/* --- Where it runs --- */

static SlProgramOptions
get_program_options (const SlClassifier *self, const SlDevice *device)
{
  return (SlProgramOptions){
      .device = device,
      .shapes = &self->shape,
      .n_shapes = 1,
      .threads = self->threads,
      .half = self->half,
      .taps = (const char *const *)self->taps,
      .n_taps = g_strv_length (self->taps),
      .float_ports = TRUE,
      .frozen = TRUE,
  };
}

static gboolean
make_program (SlClassifier *self, const SlDevice *device, GError **error)
{
  const SlProgramOptions options = get_program_options (self, device);
  SlProgram *program = sl_program_new (self->model, &options, error);

  if (!program)
    return FALSE;
  g_clear_pointer (&self->program, sl_program_unref);
  self->program = program;
  self->device = device;
  return TRUE;
}

static void
clear_slot (Slot *slot)
{
  g_clear_pointer (&slot->run, sl_run_free);
  g_clear_pointer (&slot->ns, g_free);
  g_clear_pointer (&slot->program, sl_program_unref);
}

static gboolean
init_slot (SlClassifier *self, Slot *slot, GError **error)
{
  const uint32_t c = self->channel_axis;
  SlTensorView view;

  if (!(slot->run = sl_run_new (self->program, error)))
    return FALSE;
  slot->program = sl_program_ref (self->program);
  sl_run_get_output (slot->run, 0, &slot->output);
  sl_run_get_input (slot->run, 0, &view);
  slot->strides[0] = view.stride[c];
  slot->strides[1] = view.stride[c == 1 ? 2 : 1];
  slot->strides[2] = view.stride[c == 1 ? 3 : 2];
  return TRUE;
}

static gboolean
open_device (SlClassifier *self, const SlDevice *device, GError **error)
{
  if (!make_program (self, device, error) || !check_output (self, error))
    return FALSE;
  for (uint32_t i = 0; i < self->n_slots; i++)
    if (!init_slot (self, &self->slots[i], error))
      return FALSE;
  return TRUE;
}

/* Whether another device may do better. */
static gboolean
is_of_device (const GError *error)
{
  return g_error_matches (error, SL_ERROR, SL_ERROR_DEVICE) ||
         g_error_matches (error, SL_ERROR, SL_ERROR_MEMORY) ||
         g_error_matches (error, SL_ERROR, SL_ERROR_UNSUPPORTED) ||
         g_error_matches (error, SL_ERROR, SL_ERROR_NOT_FOUND);
}

/* A device that nobody named has to compute what the CPU does. */
static gboolean
open_unnamed (SlClassifier *self, const SlDevice *device, GError **error)
{
  const SlProgramOptions options = get_program_options (self, device);

  return open_device (self, device, error) &&
         sl_device_check (self->model, &options, self->program, error);
}

/* The best GPU, or else the CPU. */
static gboolean
choose_device (SlClassifier *self, GError **error)
{
  g_autoptr (GError) reason = NULL;
  const SlDevice *gpu = sl_device_find_gpu (&reason);

  if (gpu && open_unnamed (self, gpu, &reason))
    return TRUE;
  for (uint32_t i = 0; i < self->n_slots; i++)
    clear_slot (&self->slots[i]);
  if (!is_of_device (reason)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  /* A machine without a GPU is nothing to speak of; a driver that does not work is. */
  if (!g_error_matches (reason, SL_ERROR, SL_ERROR_NOT_FOUND))
    self->note = g_strdup_printf ("the network runs on the CPU: %s", reason->message);
  return open_device (self, sl_device_find ("cpu", NULL), error);
}

/* A new program after `failure` of the device that it runs on. */
static gboolean
revive (SlClassifier *self, const GError *failure)
{
  while (self->n_revivals < MAX_REVIVALS) {
    g_autoptr (GError) error = NULL;

    self->n_revivals++;
    g_debug ("%s (made anew, %u of %d)", failure->message, self->n_revivals, MAX_REVIVALS);
    if (make_program (self, self->device, &error))
      return TRUE;
    g_debug ("%s", error->message);
  }
  if (self->named || self->device->backend == SL_BACKEND_CPU ||
      !make_program (self, sl_device_find ("cpu", NULL), NULL))
    return FALSE;
  g_free (self->note);
  self->note = g_strdup_printf ("the network goes on by the CPU: %s", failure->message);
  return TRUE;
}

static void
copy_input (const SlClassifier *self, const Slot *from, Slot *to)
{
  const uint32_t c = self->channel_axis;
  const int64_t *dim = self->shape.dim;
  SlTensorView source, target;

  sl_run_get_input (from->run, 0, &source);
  sl_run_get_input (to->run, 0, &target);
  for (int64_t i = 0; i < dim[c]; i++)
    for (int64_t y = 0; y < dim[c == 1 ? 2 : 1]; y++)
      for (int64_t x = 0; x < dim[c == 1 ? 3 : 2]; x++)
        ((float *)target.data)[i * to->strides[0] + y * to->strides[1] + x * to->strides[2]] =
            ((const float *)
                 source.data)[i * from->strides[0] + y * from->strides[1] + x * from->strides[2]];
}

/* The device is lost, or has no memory left. */
static gboolean
has_failed (const GError *error)
{
  return g_error_matches (error, SL_ERROR, SL_ERROR_DEVICE) ||
         g_error_matches (error, SL_ERROR, SL_ERROR_MEMORY);
}

/* Where the device cannot, the CPU samples: whether it is lost is found by who executes. */
static gboolean
sample_slot (Slot *slot, SlImageSampler *sampler, const SlImage *image, gboolean stays,
             SlFramePath *ret_path, GError **error)
{
  g_autoptr (GError) failure = NULL;
  SlTensorView input;

  if (sl_run_sample (slot->run, 0, sampler, image, slot->strides, stays, ret_path, &failure))
    return TRUE;
  if (has_failed (failure)) {
    g_debug ("the CPU samples: %s", failure->message);
    *ret_path = SL_FRAME_BY_CPU;
    sl_run_get_input (slot->run, 0, &input);
    if (sl_image_sample (sampler, image, input.data, slot->strides))
      return TRUE;
  }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* A run of the present program in the place of the slot's, with its input. That lies in memory of
 * the host, which a device does not take along: a picture, or the frame to make it of. The sampling
 * side has its sampler in use. */
static gboolean
move_slot (SlClassifier *self, Slot *slot, GError **error)
{
  Slot moved = {.scores = slot->scores, .image = slot->image};
  g_autoptr (SlImageSampler) sampler = NULL;
  SlFramePath path;
  SlImage image;

  if (!init_slot (self, &moved, error))
    return FALSE;
  if (!sl_run_get_frame (slot->run, 0, &image))
    copy_input (self, slot, &moved);
  else if (!(sampler = sl_image_sampler_new (&slot->image, &self->rules->preprocess, self->threads,
                                             error)) ||
           !sample_slot (&moved, sampler, &image, FALSE, &path, error)) {
    clear_slot (&moved);
    return FALSE;
  }
  clear_slot (slot);
  *slot = moved;
  return TRUE;
}

/* A device without a clock is no reason not to run. */
static gboolean
execute_slot (SlClassifier *self, Slot *slot, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_clear_pointer (&slot->ns, g_free);
  if (!self->timed)
    return sl_run_execute (slot->run, error);
  slot->ns = g_new0 (guint64, sl_program_get_n_steps (slot->program));
  if (sl_run_execute_timed (slot->run, slot->ns, &failure))
    return TRUE;
  if (g_error_matches (failure, SL_ERROR, SL_ERROR_UNSUPPORTED)) {
    self->timed = FALSE;
    return execute_slot (self, slot, error);
  }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
run_slot (SlClassifier *self, Slot *slot, GError **error)
{
  for (;;) {
    g_autoptr (GError) failure = NULL;

    if ((slot->program == self->program || move_slot (self, slot, &failure)) &&
        execute_slot (self, slot, &failure))
      return TRUE;
    if (!has_failed (failure) || !revive (self, failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
}

char *
sl_classifier_take_note (SlClassifier *self)
{
  return g_steal_pointer (&self->note);
}

/* --- Making one --- */

SlClassifier *
sl_classifier_new (SlModel *model, const SlModelRules *rules, const SlClassifierOptions *options,
                   GError **error)
{
  static const SlClassifierOptions defaults;
  g_autoptr (SlClassifier) self = NULL;
  SlShape shape;
  uint32_t axis;

  g_return_val_if_fail (model != NULL && rules != NULL, NULL);

  if (!options)
    options = &defaults;
  if (!find_input_shape (model, &rules->preprocess, &shape, &axis, error))
    return NULL;

  self = g_new0 (SlClassifier, 1);
  self->rules = rules;
  self->model = sl_model_ref (model);
  self->shape = shape;
  self->channel_axis = axis;
  self->taps = g_new0 (char *, options->n_taps + 1);
  for (uint32_t i = 0; i < options->n_taps; i++)
    self->taps[i] = g_strdup (options->taps[i]);
  self->threads = options->threads;
  self->half = options->half;
  self->orientation = 1;
  self->n_outputs = sl_model_get_n_outputs (model);
  self->n_slots = MAX (options->n_slots, 1);
  self->slots = g_new0 (Slot, self->n_slots);
  self->named = options->device != NULL;
  if (!(self->named ? open_device (self, options->device, error) : choose_device (self, error)))
    return NULL;
  for (uint32_t i = 0; i < self->n_slots; i++)
    self->slots[i].scores = g_new (float, self->n_scores);
  return g_steal_pointer (&self);
}

void
sl_classifier_free (SlClassifier *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->sampler, sl_image_sampler_free);
  for (uint32_t i = 0; i < self->n_slots; i++) {
    clear_slot (&self->slots[i]);
    g_free (self->slots[i].scores);
  }
  g_free (self->slots);
  g_clear_pointer (&self->program, sl_program_unref);
  g_strfreev (self->taps);
  g_free (self->note);
  sl_model_unref (self->model);
  g_free (self);
}

SlProgram *
sl_classifier_get_program (SlClassifier *self)
{
  return self->program;
}

/* Makes the sampler for frames of `image`, which it gives the orientation. */
static gboolean
prepare (SlClassifier *self, SlImageInfo *image, GError **error)
{
  SlImageSampler *sampler;

  image->orientation = self->orientation;
  if (memcmp (image, &self->image, sizeof *image) == 0)
    return TRUE;
  sampler = sl_image_sampler_new (image, &self->rules->preprocess, self->threads, error);
  if (!sampler)
    return FALSE;
  g_clear_pointer (&self->sampler, sl_image_sampler_free);
  self->sampler = sampler;
  self->image = *image;
  return TRUE;
}

gboolean
sl_classifier_set_info (SlClassifier *self, const GstVideoInfo *info, GError **error)
{
  SlImageInfo image;

  if (self->sampler && gst_video_info_is_equal (info, &self->info))
    return TRUE;
  sl_image_info_from_video (info, &image);
  if (!prepare (self, &image, error))
    return FALSE;
  self->info = *info;
  return TRUE;
}

guint
sl_orientation_from_tags (const GstTagList *tags)
{
  /* GStreamer names a turn and then a flip where EXIF has a flip and then a turn; the last four
   * name sides: EXIF's number of the method at each place. */
  static const guint exif[] = {
      [GST_VIDEO_ORIENTATION_IDENTITY] = 1, [GST_VIDEO_ORIENTATION_90R] = 6,
      [GST_VIDEO_ORIENTATION_180] = 3,      [GST_VIDEO_ORIENTATION_90L] = 8,
      [GST_VIDEO_ORIENTATION_HORIZ] = 2,    [GST_VIDEO_ORIENTATION_VERT] = 4,
      [GST_VIDEO_ORIENTATION_UL_LR] = 5,    [GST_VIDEO_ORIENTATION_UR_LL] = 7,
  };
  GstVideoOrientationMethod method;

  g_return_val_if_fail (tags != NULL, 1);

  if (!gst_video_orientation_from_tag ((GstTagList *)tags, &method) ||
      (guint)method >= G_N_ELEMENTS (exif))
    return 1;
  return exif[method];
}

void
sl_classifier_set_orientation (SlClassifier *self, guint orientation)
{
  g_return_if_fail (orientation >= 1 && orientation <= 8);

  self->orientation = orientation;
}

/* GstVideoMeta may contradict the caps. A frame may be larger than its picture, but not smaller. */
static gboolean
check_frame (SlClassifier *self, const GstVideoFrame *frame, GError **error)
{
  if (GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_INFO_FORMAT (&self->info) &&
      GST_VIDEO_FRAME_WIDTH (frame) >= GST_VIDEO_INFO_WIDTH (&self->info) &&
      GST_VIDEO_FRAME_HEIGHT (frame) >= GST_VIDEO_INFO_HEIGHT (&self->info))
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "the frame is %s %dx%d (expected %s %dx%d)",
               GST_VIDEO_INFO_NAME (&frame->info), GST_VIDEO_FRAME_WIDTH (frame),
               GST_VIDEO_FRAME_HEIGHT (frame), GST_VIDEO_INFO_NAME (&self->info),
               GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info));
  return FALSE;
}

/* The `n` scores in order of class, wherever the run keeps them. */
static void
read_scores (const Slot *slot, uint32_t n)
{
  const SlTensorView *view = &slot->output;
  const float *data = view->data;
  ptrdiff_t stride = 1;

  for (uint32_t i = 0; i < view->shape.rank; i++)
    if (view->shape.dim[i] != 1)
      stride = view->stride[i];
  for (uint32_t i = 0; i < n; i++)
    slot->scores[i] = data[i * stride];
}

static void
apply_softmax (float *scores, uint32_t n)
{
  float most = scores[0];
  double sum = 0;

  for (uint32_t i = 1; i < n; i++)
    most = MAX (most, scores[i]);
  for (uint32_t i = 0; i < n; i++)
    sum += scores[i] = expf (scores[i] - most);
  for (uint32_t i = 0; i < n; i++)
    scores[i] = (float)(scores[i] / sum);
}

gboolean
sl_classifier_sample (SlClassifier *self, uint32_t slot, const GstVideoFrame *frame, gboolean stays,
                      GError **error)
{
  SlImageInfo info;
  SlImage image;

  g_return_val_if_fail (self->sampler != NULL && slot < self->n_slots, FALSE);

  if (!check_frame (self, frame, error))
    return FALSE;
  sl_image_info_from_video (&frame->info, &info);
  sl_image_info_set_crop (&info, frame->buffer, GST_VIDEO_INFO_WIDTH (&self->info),
                          GST_VIDEO_INFO_HEIGHT (&self->info));
  if (!prepare (self, &info, error) || !sl_image_from_frame (frame, &image, error))
    return FALSE;
  self->slots[slot].image = self->image;
  return sample_slot (&self->slots[slot], self->sampler, &image, stays, &self->path, error);
}

SlFramePath
sl_classifier_get_frame_path (SlClassifier *self)
{
  return self->path;
}

void
sl_classifier_get_placement (SlClassifier *self, double ret_matrix[6])
{
  g_return_if_fail (self->sampler != NULL);

  sl_image_sampler_get_placement (self->sampler, ret_matrix);
}

gboolean
sl_classifier_execute (SlClassifier *self, uint32_t slot, const float **ret_scores, uint32_t *ret_n,
                       GError **error)
{
  Slot *s = &self->slots[slot];

  g_return_val_if_fail (slot < self->n_slots, FALSE);

  if (!run_slot (self, s, error))
    return FALSE;
  read_scores (s, self->n_scores);
  if (self->rules->apply_softmax)
    apply_softmax (s->scores, self->n_scores);
  *ret_scores = s->scores;
  *ret_n = self->n_scores;
  return TRUE;
}

void
sl_classifier_set_timed (SlClassifier *self, gboolean timed)
{
  self->timed = timed;
}

const guint64 *
sl_classifier_get_times (SlClassifier *self, uint32_t slot)
{
  g_return_val_if_fail (slot < self->n_slots, NULL);

  return self->slots[slot].ns;
}

void
sl_classifier_get_tap (SlClassifier *self, uint32_t slot, uint32_t index, SlTensorView *ret_view)
{
  g_return_if_fail (slot < self->n_slots);

  sl_run_get_output (self->slots[slot].run, self->n_outputs + index, ret_view);
}

gboolean
sl_classifier_run (SlClassifier *self, const GstVideoFrame *frame, const float **ret_scores,
                   uint32_t *ret_n, GError **error)
{
  return sl_classifier_sample (self, 0, frame, TRUE, error) &&
         sl_classifier_execute (self, 0, ret_scores, ret_n, error);
}
