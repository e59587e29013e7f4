#include <sightline/explain.h>

#include "explain/head.h"
#include "explain/view.h"

#include <string.h>

struct SlCam {
  SlModel *model;
  SlHead *head;
};

SlCam *
sl_cam_new (SlModel *model, GError **error)
{
  g_return_val_if_fail (model != NULL, NULL);
  SlHead *head = sl_head_find (model, error);
  if (head == NULL)
    return NULL;
  SlCam *cam = g_new0 (SlCam, 1);
  cam->model = sl_model_ref (model);
  cam->head = head;
  return cam;
}

void
sl_cam_free (SlCam *cam)
{
  if (cam == NULL)
    return;
  sl_head_free (cam->head);
  sl_model_unref (cam->model);
  g_free (cam);
}

const char *
sl_cam_get_tap (const SlCam *cam)
{
  return cam->head->features;
}

uint32_t
sl_cam_get_n_classes (const SlCam *cam)
{
  return cam->head->n_classes;
}

double
sl_cam_get_bias (const SlCam *cam, uint32_t klass)
{
  g_return_val_if_fail (klass < cam->head->n_classes, 0);
  return cam->head->bias[klass];
}

void
sl_cam_get_size (const SlCam *cam, const SlTensorView *features, uint32_t *ret_width,
                 uint32_t *ret_height)
{
  g_return_if_fail (features->shape.rank == 4);
  *ret_width = (uint32_t)features->shape.dim[cam->head->width_axis];
  *ret_height = (uint32_t)features->shape.dim[cam->head->height_axis];
}

/* --- Maps --- */

/* The features as three dimensions: strides in elements. */
typedef struct Planes {
  const SlTensorView *view;
  size_t width, height, channels;
  ptrdiff_t x, y, channel;
} Planes;

/* One channel, scaled. */
static void
map_channel (const Planes *planes, uint32_t channel, double scale, float *ret)
{
  for (size_t y = 0; y < planes->height; y++)
    for (size_t x = 0; x < planes->width; x++)
      *ret++ =
          (float)(scale * sl_view_element (planes->view, (ptrdiff_t)y * planes->y +
                                                             (ptrdiff_t)x * planes->x +
                                                             (ptrdiff_t)channel * planes->channel));
}

/* Partial sums of a dot product: what vector registers of every machine hold, and enough of them
 * that no addition waits for the one before it. */
typedef float Lanes __attribute__ ((vector_size (16)));
#define N_LANES (sizeof (Lanes) / sizeof (float))
#define N_SUMS 4

static float
dot (const float *a, const float *b, size_t n)
{
  Lanes sums[N_SUMS] = {0};
  float sum = 0;
  size_t i = 0;
  for (; i + N_SUMS * N_LANES <= n; i += N_SUMS * N_LANES)
    for (size_t k = 0; k < N_SUMS; k++) {
      Lanes left, right;
      memcpy (&left, a + i + k * N_LANES, sizeof left);
      memcpy (&right, b + i + k * N_LANES, sizeof right);
      sums[k] += left * right;
    }
  for (; i < n; i++)
    sum += a[i] * b[i];
  const Lanes total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (size_t k = 0; k < N_LANES; k++)
    sum += total[k];
  return sum;
}

/* Channels next to each other, as spatial layers keep them. */
static void
map_channels_last (const Planes *planes, const float *weights, float *ret)
{
  const float *data = planes->view->data;
  for (size_t y = 0; y < planes->height; y++)
    for (size_t x = 0; x < planes->width; x++)
      *ret++ = dot (weights, data + (ptrdiff_t)y * planes->y + (ptrdiff_t)x * planes->x,
                    planes->channels);
}

/* Plane by plane, where each is one run of elements. */
static void
map_planes (const Planes *planes, const float *weights, float *ret)
{
  const float *data = planes->view->data;
  const size_t n = planes->width * planes->height;
  for (size_t i = 0; i < n; i++)
    ret[i] = 0;
  for (size_t k = 0; k < planes->channels; k++, data += planes->channel)
    for (size_t i = 0; i < n; i++)
      ret[i] += weights[k] * data[i];
}

/* Any order and type. */
static void
map_elements (const Planes *planes, const float *weights, float *ret)
{
  for (size_t y = 0; y < planes->height; y++)
    for (size_t x = 0; x < planes->width; x++) {
      ptrdiff_t at = (ptrdiff_t)y * planes->y + (ptrdiff_t)x * planes->x;
      double sum = 0;
      for (size_t k = 0; k < planes->channels; k++, at += planes->channel)
        sum += (double)weights[k] * sl_view_element (planes->view, at);
      *ret++ = (float)sum;
    }
}

void
sl_cam_map (const SlCam *cam, const SlTensorView *features, uint32_t klass, float *ret)
{
  const SlHead *head = cam->head;
  g_return_if_fail (klass < head->n_classes);
  g_return_if_fail (features->shape.rank == 4 && sl_dtype_is_float (features->dtype) &&
                    features->shape.dim[head->channel_axis] == (int64_t)head->n_channels);
  const Planes planes = {.view = features,
                         .width = (size_t)features->shape.dim[head->width_axis],
                         .height = (size_t)features->shape.dim[head->height_axis],
                         .channels = head->n_channels,
                         .x = features->stride[head->width_axis],
                         .y = features->stride[head->height_axis],
                         .channel = features->stride[head->channel_axis]};
  if (head->weights == NULL) {
    map_channel (&planes, klass, head->scale[klass], ret);
    return;
  }
  const float *weights =
      (const float *)sl_tensor_get_data (head->weights) + (size_t)klass * head->n_channels;
  if (features->dtype == SL_FLOAT32 && planes.channel == 1)
    map_channels_last (&planes, weights, ret);
  else if (features->dtype == SL_FLOAT32 && planes.x == 1 && planes.y == (ptrdiff_t)planes.width)
    map_planes (&planes, weights, ret);
  else
    map_elements (&planes, weights, ret);
}

float
sl_map_to_heat (const float *map, size_t n, float *ret_heat)
{
  float high = 0;
  for (size_t i = 0; i < n; i++)
    high = MAX (high, map[i]);
  for (size_t i = 0; i < n; i++)
    ret_heat[i] = map[i] > 0 ? map[i] / high : 0;
  return high;
}
