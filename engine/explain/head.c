/* Back from the scores to the average along the one path there is; then, along it in the order of
 * computation, what it does to the averages. Between the two all values are vectors, so that it
 * does not matter in which dimension their elements stand. */
#include "explain/head.h"

#include "explain/layer.h"
#include "graph/op.h"

#define PASSES_ON (SL_TRAIT_IDENTITY | SL_TRAIT_RESHAPE | SL_TRAIT_REORDER)

/* The step of a path: a node, and which of its inputs comes from the features. */
typedef struct Link {
  const SlNode *node;
  uint32_t input;
} Link;

/* v = scale * u + shift, element by element, where u are the averages, or what a linear layer made
 * of in_scale times them. */
typedef struct Numbers {
  size_t n;
  double *scale, *shift;
  SlLinear linear;  /* weights NULL: none so far */
  double *in_scale; /* linear.cols */
} Numbers;

static void
numbers_clear (Numbers *numbers)
{
  g_free (numbers->scale);
  g_free (numbers->shift);
  g_free (numbers->in_scale);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Numbers, numbers_clear)

static gboolean
refuse (const SlNode *node, GError **error)
{
  sl_node_error (
      node, error, SL_ERROR_UNSUPPORTED,
      "stands between the scores and the last feature maps (a class activation map wants "
      "an average over all positions and at most one linear layer there)");
  return FALSE;
}

/* --- The way back --- */

/* Elements of a value with one dimension that is not 1 (or none); 0: another shape. */
static size_t
vector_length (const SlValue *value)
{
  size_t elements = 0;
  uint32_t n_long = 0;
  for (uint32_t i = 0; i < value->shape.rank; i++)
    n_long += value->shape.dim[i] != 1;
  return n_long <= 1 && sl_shape_get_elements (&value->shape, &elements) ? elements : 0;
}

/* The one input that is computed; false if there are several. */
static bool
find_input (const SlNode *node, uint32_t *ret_input)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    if (node->inputs[i] == NULL || node->inputs[i]->kind == SL_VALUE_CONSTANT)
      continue;
    *ret_input = i;
    n++;
  }
  return n == 1;
}

static bool
is_elementwise (const SlNode *node, uint32_t input)
{
  size_t n = vector_length (node->outputs[0]);
  return (node->op->affine_inputs & 1u << input) && n > 0 &&
         vector_length (node->inputs[input]) == n;
}

static bool
is_linear (const SlNode *node, uint32_t input, SlLinear *ret)
{
  size_t n_bias = 0;
  if (node->op->as_linear == NULL || vector_length (node->outputs[0]) == 0 ||
      vector_length (node->inputs[input]) == 0 || !node->op->as_linear (node, ret) ||
      ret->input != input || ret->rows != vector_length (node->outputs[0]) ||
      ret->cols != vector_length (node->inputs[input]))
    return false;
  if (ret->bias != NULL)
    sl_shape_get_elements (&ret->bias->shape, &n_bias);
  return ret->bias == NULL || n_bias == 1 || n_bias == ret->rows;
}

/* Appends the steps to `path`, the last first, and returns the node that averages. */
static const SlNode *
walk_back (const SlValue *value, GArray *path, GError **error)
{
  bool is_score = true;
  uint32_t n_linear = 0, axes;
  for (;;) {
    const SlNode *node = value->producer;
    Link link = {.node = node};
    SlLinear linear;
    if (node == NULL) {
      g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                   "the scores are made of '%s' without an average over all positions",
                   value->name);
      return NULL;
    }
    if (node->outputs[0] != value) { /* what the class says of itself is about output 0 */
      refuse (node, error);
      return NULL;
    }
    if (node->op->as_mean != NULL && node->op->as_mean (node, &axes))
      return node;
    if (node->op->traits & PASSES_ON) {
      value = node->inputs[0];
      continue;
    }
    if (is_score && path->len == 0 && (node->op->traits & SL_TRAIT_LINK)) {
      is_score = false;
      value = node->inputs[0];
      continue;
    }
    if (!find_input (node, &link.input) ||
        (!is_elementwise (node, link.input) &&
         (!is_linear (node, link.input, &linear) || n_linear++ > 0))) {
      refuse (node, error);
      return NULL;
    }
    g_array_append_val (path, link);
    value = node->inputs[link.input];
  }
}

/* --- The numbers --- */

/* Output 0 where all elements of the one input are `x`: in double precision, since differences are
 * taken. */
static double *
evaluate_at (const SlNode *node, uint32_t input, double x)
{
  g_autofree SlRefTensor *tensors = g_new0 (SlRefTensor, node->n_inputs + 1);
  g_autofree const SlRefTensor **inputs = g_new0 (const SlRefTensor *, node->n_inputs);
  g_autofree SlRefTensor **outputs = g_new0 (SlRefTensor *, node->n_outputs);
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const SlValue *value = node->inputs[i];
    size_t n = 0;
    if (value == NULL)
      continue;
    sl_shape_get_elements (&value->shape, &n);
    sl_ref_init (&tensors[i], value, g_new (double, n));
    if (i != input)
      sl_ref_load (&tensors[i], sl_tensor_get_data (value->data));
    for (size_t k = 0; i == input && k < n; k++)
      tensors[i].f[k] = x;
    inputs[i] = &tensors[i];
  }
  SlRefTensor *y = &tensors[node->n_inputs];
  double *result = g_new0 (double, vector_length (node->outputs[0]));
  sl_ref_init (y, node->outputs[0], result);
  outputs[0] = y;
  sl_ref_call (node, inputs, outputs);
  for (uint32_t i = 0; i < node->n_inputs; i++)
    g_free (tensors[i].data);
  return result;
}

static void
pass_elementwise (Numbers *numbers, const Link *link)
{
  g_autofree double *at_0 = evaluate_at (link->node, link->input, 0);
  g_autofree double *at_1 = evaluate_at (link->node, link->input, 1);
  for (size_t i = 0; i < numbers->n; i++) {
    double scale = at_1[i] - at_0[i];
    numbers->scale[i] *= scale;
    numbers->shift[i] = numbers->shift[i] * scale + at_0[i];
  }
}

static double
weight_at (const SlLinear *linear, size_t row, size_t col)
{
  return linear->factor *
         sl_tensor_get_double (linear->weights->data,
                               row * linear->row_stride + col * linear->col_stride);
}

static double
bias_at (const SlLinear *linear, size_t row)
{
  if (linear->bias == NULL)
    return 0;
  const SlTensor *bias = linear->bias->data;
  return linear->bias_factor *
         sl_tensor_get_double (bias, sl_tensor_get_elements (bias) == 1 ? 0 : row);
}

static void
pass_linear (Numbers *numbers, const SlLinear *linear)
{
  double *scale = g_new (double, linear->rows), *shift = g_new (double, linear->rows);
  bool is_shifted = false;
  for (size_t k = 0; k < linear->cols; k++)
    is_shifted = is_shifted || numbers->shift[k] != 0;
  for (size_t m = 0; m < linear->rows; m++) {
    scale[m] = 1;
    shift[m] = bias_at (linear, m);
    for (size_t k = 0; is_shifted && k < linear->cols; k++)
      shift[m] += weight_at (linear, m, k) * numbers->shift[k];
  }
  g_free (numbers->shift);
  *numbers = (Numbers){.n = linear->rows,
                       .scale = scale,
                       .shift = shift,
                       .linear = *linear,
                       .in_scale = numbers->scale};
}

static bool
all_ones (const double *factors, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (factors[i] != 1)
      return false;
  return true;
}

/* Weights with all factors in them, rows first. */
static SlTensor *
collect_weights (const Numbers *numbers, GError **error)
{
  const SlLinear *linear = &numbers->linear;
  if (linear->weights->dtype == SL_FLOAT32 && linear->factor == 1 && linear->col_stride == 1 &&
      linear->row_stride == linear->cols && all_ones (numbers->scale, linear->rows) &&
      all_ones (numbers->in_scale, linear->cols))
    return sl_tensor_ref (linear->weights->data);
  SlTensor *tensor =
      sl_tensor_new (SL_FLOAT32, &SL_SHAPE ((int64_t)linear->rows, (int64_t)linear->cols), error);
  if (tensor == NULL)
    return NULL;
  float *data = sl_tensor_get_data_writable (tensor);
  for (size_t m = 0; m < linear->rows; m++)
    for (size_t k = 0; k < linear->cols; k++)
      data[m * linear->cols + k] =
          (float)(numbers->scale[m] * weight_at (linear, m, k) * numbers->in_scale[k]);
  return tensor;
}

static gboolean
read_numbers (SlHead *head, const GArray *path, GError **error)
{
  g_auto (Numbers) numbers = {.n = head->n_channels,
                              .scale = g_new (double, head->n_channels),
                              .shift = g_new0 (double, head->n_channels)};
  for (size_t i = 0; i < numbers.n; i++)
    numbers.scale[i] = 1;
  for (uint32_t i = path->len; i-- > 0;) {
    const Link *link = &g_array_index (path, Link, i);
    SlLinear linear;
    if (is_elementwise (link->node, link->input))
      pass_elementwise (&numbers, link);
    else if (is_linear (link->node, link->input, &linear))
      pass_linear (&numbers, &linear);
  }
  head->n_classes = (uint32_t)numbers.n;
  head->bias = g_steal_pointer (&numbers.shift);
  if (numbers.linear.weights == NULL) {
    head->scale = g_steal_pointer (&numbers.scale);
    return TRUE;
  }
  head->weights = collect_weights (&numbers, error);
  return head->weights != NULL;
}

/* --- The head --- */

/* Height, width and channels of what `average` reads: four dimensions, of which it takes away two.
 */
static gboolean
read_features (SlHead *head, const SlNode *average, GError **error)
{
  const SlValue *features = average->inputs[0];
  uint32_t axes = 0, n = 0;
  average->op->as_mean (average, &axes);
  for (uint32_t i = 1; i < 4; i++) {
    if (!(axes & 1u << i))
      head->channel_axis = i;
    else if (n++ == 0)
      head->height_axis = i;
    else
      head->width_axis = i;
  }
  if (features->shape.rank != 4 || n != 2 || (axes & 1) || features->shape.dim[0] != 1 ||
      features->shape.dim[head->channel_axis] < 1 || !sl_dtype_is_float (features->dtype))
    return refuse (average, error);
  head->features = g_strdup (features->name);
  head->n_channels = (uint32_t)features->shape.dim[head->channel_axis];
  return TRUE;
}

SlHead *
sl_head_find (SlModel *model, GError **error)
{
  g_autoptr (SlGraph) graph = sl_explain_open (model, NULL, error);
  if (graph == NULL)
    return NULL;
  g_autoptr (GArray) path = g_array_new (FALSE, FALSE, sizeof (Link));
  g_autoptr (SlHead) head = g_new0 (SlHead, 1);
  const SlNode *average = walk_back (g_ptr_array_index (graph->outputs, 0), path, error);
  if (average == NULL || !read_features (head, average, error) || !read_numbers (head, path, error))
    return NULL;
  return g_steal_pointer (&head);
}

void
sl_head_free (SlHead *head)
{
  if (head == NULL)
    return;
  g_clear_pointer (&head->weights, sl_tensor_unref);
  g_free (head->features);
  g_free (head->scale);
  g_free (head->bias);
  g_free (head);
}
