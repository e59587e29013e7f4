/* A map by any method: what is tapped, what else is computed, which arithmetic. */
#include "explain/gradient.h"
#include "explain/layer.h"
#include "explain/method.h"
#include "explain/perturb.h"
#include "explain/view.h"

#include <string.h>

#define STEPS 32 /* of INTEGRATED_GRADIENTS */
#define BATCH 8  /* of them at once */

struct SlExplainer {
  SlExplainMethod method;
  uint32_t samples, n_classes;
  char *layer, *tap;           /* names of values; layer NULL: the input */
  SlCam *cam;                  /* CAM, or NULL */
  SlExplainGradient *gradient; /* where the method wants one */
  SlExplainPerturb *perturb;   /* OCCLUSION, RISE */
  SlPicture features, slopes;  /* feature maps, or the input; the gradient by them */
};

void
sl_explainer_free (SlExplainer *self)
{
  if (self == NULL)
    return;
  sl_cam_free (self->cam);
  sl_explain_gradient_free (self->gradient);
  sl_explain_perturb_free (self->perturb);
  sl_picture_clear (&self->features);
  sl_picture_clear (&self->slopes);
  g_free (self->layer);
  g_free (self->tap);
  g_free (self);
}

/* --- Making --- */

/* The one input, of pictures. */
static const SlPort *
find_input (SlModel *model, GError **error)
{
  const SlPort *port = sl_model_get_n_inputs (model) == 1 ? sl_model_get_input (model, 0) : NULL;
  if (port != NULL && port->shape.rank == 4 && sl_dtype_is_float (port->dtype))
    return port;
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
               "%s: does not take pictures (expected one input of floats of rank 4)",
               sl_model_get_name (model));
  return NULL;
}

static uint32_t
count_classes (const SlValue *logits)
{
  size_t n = 0;
  sl_shape_get_elements (&logits->shape, &n);
  return (uint32_t)(n / (size_t)MAX (logits->shape.dim[0], 1));
}

/* A program that begins where the tap is, for the gradient, or for features behind an input. */
static gboolean
take_gradient (SlExplainer *self, SlModel *model, const SlExplainOptions *options, GError **error)
{
  self->gradient = sl_explain_gradient_new (model, self->layer, options, error);
  if (self->gradient == NULL)
    return FALSE;
  self->tap = g_strdup (sl_explain_gradient_get_start (self->gradient));
  return TRUE;
}

/* CAM, also where AUTO finds that it is exact. */
static gboolean
take_cam (SlExplainer *self, SlModel *model, const SlExplainOptions *options, GError **error)
{
  self->cam = sl_cam_new (model, error);
  if (self->cam == NULL)
    return FALSE;
  self->method = SL_EXPLAIN_CAM;
  self->layer = g_strdup (sl_cam_get_tap (self->cam));
  self->n_classes = sl_cam_get_n_classes (self->cam);
  if (options->from_input)
    return take_gradient (self, model, options, error);
  self->tap = g_strdup (self->layer);
  return TRUE;
}

static gboolean
take_other (SlExplainer *self, SlModel *model, const SlExplainOptions *options, GError **error)
{
  const SlMethod *method = &sl_methods[self->method];
  const SlPort *input = find_input (model, error);
  g_autoptr (SlGraph) graph = input != NULL ? sl_explain_open (model, NULL, error) : NULL;
  const SlValue *logits = graph != NULL ? sl_explain_find_logits (graph, error) : NULL;
  if (logits == NULL)
    return FALSE;
  self->n_classes = count_classes (logits);
  if (method->what == SL_EXPLAINS_FEATURES) {
    const SlValue *layer = sl_explain_find_layer (graph, logits, options->layer, error);
    if (layer == NULL)
      return FALSE;
    self->layer = g_strdup (layer->name);
  }
  if (method->by_gradient || (options->from_input && self->layer != NULL))
    return take_gradient (self, model, options, error);
  self->tap = g_strdup (self->layer != NULL ? self->layer : input->name);
  if (method->map == NULL)
    self->perturb = sl_explain_perturb_new (model, options);
  return TRUE;
}

SlExplainer *
sl_explainer_new (SlModel *model, const SlExplainOptions *options, GError **error)
{
  static const SlExplainOptions all_default;
  g_return_val_if_fail (model != NULL, NULL);
  if (options == NULL)
    options = &all_default;
  g_return_val_if_fail (options->method < SL_EXPLAIN_METHOD_COUNT, NULL);
  g_autoptr (SlExplainer) self = g_new0 (SlExplainer, 1);
  self->method = options->method;
  self->samples = options->samples > 0 ? options->samples : STEPS;
  const bool may_be_cam =
      self->method == SL_EXPLAIN_CAM || (self->method == SL_EXPLAIN_AUTO && options->layer == NULL);
  if (may_be_cam && take_cam (self, model, options, self->method == SL_EXPLAIN_CAM ? error : NULL))
    return g_steal_pointer (&self);
  if (self->method == SL_EXPLAIN_CAM)
    return NULL;
  if (self->method == SL_EXPLAIN_AUTO)
    self->method = SL_EXPLAIN_GRAD_CAM;
  return take_other (self, model, options, error) ? g_steal_pointer (&self) : NULL;
}

SlExplainMethod
sl_explainer_get_method (const SlExplainer *self)
{
  return self->method;
}

const char *
sl_explainer_get_layer (const SlExplainer *self)
{
  return self->layer;
}

const char *
sl_explainer_get_tap (const SlExplainer *self)
{
  return self->tap;
}

uint32_t
sl_explainer_get_n_classes (const SlExplainer *self)
{
  return self->n_classes;
}

/* --- Maps --- */

static void
fill_target (const SlTensorView *view, const SlExplainTarget *target)
{
  const size_t batch = (size_t)view->shape.dim[0];
  size_t all = 0;
  sl_shape_get_elements (&view->shape, &all);
  const size_t n = all / batch;
  for (size_t b = 0; b < batch; b++) {
    for (size_t k = 0; k < n; k++)
      sl_view_store (view, b * n + k, 0);
    sl_view_store (view, b * n + target->klass, 1);
    if (target->has_other)
      sl_view_store (view, b * n + target->other, target->other == target->klass ? 0 : -1);
  }
}

/* Pictures at once. */
static uint32_t
get_batch (const SlExplainer *self)
{
  return self->method == SL_EXPLAIN_INTEGRATED_GRADIENTS ? MIN (BATCH, self->samples) : 1;
}

/* The gradient at the start's content as it is; *ret_features: the view of the layer's, data NULL
 * where that is the start. */
static gboolean
find_slopes (SlExplainer *self, const SlTensorView *tapped, const SlExplainTarget *target,
             SlTensorView *ret_features, GError **error)
{
  SlTensorView start, goal, slopes;
  uint32_t batch;
  if (!sl_explain_gradient_prepare (self->gradient, tapped, get_batch (self), &batch, error))
    return FALSE;
  sl_explain_gradient_get_views (self->gradient, &start, &goal, &slopes, ret_features);
  sl_picture_init (&self->features, tapped);
  sl_picture_write (&self->features, NULL, &start);
  fill_target (&goal, target);
  if (!sl_explain_gradient_execute (self->gradient, error))
    return FALSE;
  sl_picture_init (&self->slopes, &slopes);
  if (ret_features->data != NULL)
    sl_picture_init (&self->features, ret_features);
  return TRUE;
}

/* The mean gradient on the way from 0 to the input, at the middle of each of `samples` steps. */
static gboolean
find_mean_slopes (SlExplainer *self, const SlTensorView *tapped, const SlExplainTarget *target,
                  GError **error)
{
  SlTensorView start, goal, slopes, features;
  uint32_t batch;
  if (!sl_explain_gradient_prepare (self->gradient, tapped, get_batch (self), &batch, error))
    return FALSE;
  sl_explain_gradient_get_views (self->gradient, &start, &goal, &slopes, &features);
  sl_picture_init (&self->features, tapped);
  const size_t area = (size_t)self->features.width * self->features.height;
  const size_t n = area * self->features.channels;
  g_autofree float *part = g_new (float, area);
  g_autofree double *sum = g_new0 (double, n);
  fill_target (&goal, target);
  for (uint32_t first = 0; first < self->samples; first += batch) {
    const uint32_t some = MIN (batch, self->samples - first);
    for (uint32_t b = 0; b < some; b++) {
      const SlTensorView one = sl_view_slice (&start, b);
      for (size_t i = 0; i < area; i++)
        part[i] = ((float)(first + b) + 0.5f) / (float)self->samples;
      sl_picture_write (&self->features, part, &one);
    }
    if (!sl_explain_gradient_execute (self->gradient, error))
      return FALSE;
    for (uint32_t b = 0; b < some; b++) {
      const SlTensorView one = sl_view_slice (&slopes, b);
      sl_picture_init (&self->slopes, &one);
      for (size_t i = 0; i < n; i++)
        sum[i] += (double)self->slopes.data[i];
    }
  }
  for (size_t i = 0; i < n; i++)
    self->slopes.data[i] = (float)(sum[i] / self->samples);
  return TRUE;
}

gboolean
sl_explainer_prepare (SlExplainer *self, const SlTensorView *tapped, uint32_t *ret_width,
                      uint32_t *ret_height, GError **error)
{
  SlTensorView start, goal, slopes = *tapped, features;
  uint32_t batch;
  if (self->perturb != NULL) {
    sl_explain_perturb_get_size (self->perturb, tapped, ret_width, ret_height);
    return sl_explain_perturb_prepare (self->perturb, tapped, error);
  }
  if (self->gradient != NULL) {
    if (!sl_explain_gradient_prepare (self->gradient, tapped, get_batch (self), &batch, error))
      return FALSE;
    sl_explain_gradient_get_views (self->gradient, &start, &goal, &slopes, &features);
  }
  if (self->cam != NULL)
    sl_cam_get_size (self->cam, self->gradient != NULL ? &features : tapped, ret_width, ret_height);
  else
    sl_view_get_size (&slopes, ret_width, ret_height);
  return TRUE;
}

/* The difference of two classes is the difference of their maps. */
static void
map_head (SlExplainer *self, const SlTensorView *tapped, const SlExplainTarget *target, float *ret)
{
  uint32_t width, height;
  sl_cam_map (self->cam, tapped, target->klass, ret);
  if (!target->has_other)
    return;
  sl_cam_get_size (self->cam, tapped, &width, &height);
  const size_t n = (size_t)width * height;
  g_autofree float *other = g_new (float, n);
  sl_cam_map (self->cam, tapped, target->other, other);
  for (size_t i = 0; i < n; i++)
    ret[i] -= other[i];
}

gboolean
sl_explainer_map (SlExplainer *self, const SlTensorView *tapped, const SlExplainTarget *target,
                  float *ret, GError **error)
{
  SlTensorView features = {0};
  g_return_val_if_fail (target->klass < self->n_classes, FALSE);
  g_return_val_if_fail (!target->has_other || target->other < self->n_classes, FALSE);
  if (self->perturb != NULL)
    return sl_explain_perturb_map (self->perturb, tapped, target, ret, error);
  if (self->method == SL_EXPLAIN_INTEGRATED_GRADIENTS) {
    if (!find_mean_slopes (self, tapped, target, error))
      return FALSE;
  } else if (self->gradient != NULL) {
    if (!find_slopes (self, tapped, target, &features, error))
      return FALSE;
  } else if (self->cam == NULL) {
    sl_picture_init (&self->features, tapped);
  }
  if (self->cam != NULL) {
    map_head (self, features.data != NULL ? &features : tapped, target, ret);
    return TRUE;
  }
  const SlMaps maps = {.n_channels = self->features.channels,
                       .n = (size_t)self->features.width * self->features.height,
                       .features = self->features.data,
                       .gradient = self->slopes.data};
  sl_methods[self->method].map (&maps, ret);
  return TRUE;
}

/* --- Heat --- */

#define PART_AT_1 0.01 /* of the pixels */

static int
compare (const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

float
sl_explainer_to_heat (const SlExplainer *self, const float *map, size_t n, float *ret_heat)
{
  const SlMethod *method = &sl_methods[self->method];
  if (method->what != SL_EXPLAINS_INPUT || !method->by_gradient)
    return sl_map_to_heat (map, n, ret_heat);
  g_autofree float *sorted = g_memdup2 (map, n * sizeof *map);
  qsort (sorted, n, sizeof *sorted, compare);
  const float high = sorted[n - 1 - (size_t)(PART_AT_1 * (double)(n - 1))];
  if (!(high > 0))
    return sl_map_to_heat (map, n, ret_heat);
  for (size_t i = 0; i < n; i++)
    ret_heat[i] = CLAMP (map[i] / high, 0, 1);
  return high;
}
