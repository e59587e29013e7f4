/* Runs of a program: their memory, inputs and outputs. */
#include "session-private.h"

#include "cpu/cpu.h"
#include "graph/live.h"

#include <string.h>

struct SlRun {
  SlProgram *program;
  void *run;
  gboolean submitted;
};

SlRun *
sl_run_new (SlProgram *program, GError **error)
{
  SlRun *run = g_new0 (SlRun, 1);
  run->run = program->backend->run_new (program->compiled, error);
  if (run->run == NULL) {
    g_free (run);
    return NULL;
  }
  run->program = sl_program_ref (program);
  return run;
}

/* For what works in the host's memory: before it, */
static gboolean
update_variables (const SlProgram *program, GError **error)
{
  const GPtrArray *variables = program->host_variables;
  gboolean done = TRUE;
  uint32_t n = 0;
  while (n < variables->len && sl_live_is_on_host (variables->pdata[n]))
    n++;
  if (n == variables->len)
    return TRUE;
  sl_live_lock ();
  for (uint32_t i = 0; done && i < variables->len; i++)
    done = sl_live_fetch (g_ptr_array_index (variables, i), error);
  sl_live_unlock ();
  return done;
}

/* and behind it. */
static void
advance_variables (const SlProgram *program)
{
  const GArray *updates = program->plan->graph->updates;
  if (updates->len == 0 || program->host_variables->len == 0)
    return;
  sl_live_lock ();
  for (uint32_t i = 0; i < updates->len; i++)
    sl_live_advance (g_array_index (updates, SlUpdate, i).value->data, NULL);
  sl_live_unlock ();
}

/* Every run of a program that updates what it reads has to see what the one before it made. */
static gboolean
begin (SlRun *run)
{
  SlProgram *program = run->program;
  g_return_val_if_fail (!run->submitted, FALSE);
  if (g_atomic_int_add (&program->in_flight, 1) > 0 && program->plan->graph->updates->len > 0) {
    g_atomic_int_add (&program->in_flight, -1);
    g_return_val_if_reached (FALSE);
  }
  run->submitted = TRUE;
  return TRUE;
}

static void
end (SlRun *run)
{
  if (run->submitted)
    g_atomic_int_add (&run->program->in_flight, -1);
  run->submitted = FALSE;
}

void
sl_run_free (SlRun *run)
{
  if (run == NULL)
    return;
  run->program->backend->run_free (run->run);
  end (run);
  sl_program_unref (run->program);
  g_free (run);
}

static void
get_view (SlRun *run, const SlValue *value, SlTensorView *ret_view)
{
  *ret_view = (SlTensorView){.dtype = value->dtype,
                             .shape = value->shape,
                             .data = run->program->backend->memory (run->run, value)};
  sl_value_get_strides (value, ret_view->stride);
}

void
sl_run_get_input (SlRun *run, uint32_t index, SlTensorView *ret_view)
{
  const GPtrArray *inputs = run->program->plan->graph->inputs;
  g_return_if_fail (index < inputs->len);
  get_view (run, g_ptr_array_index (inputs, index), ret_view);
}

void
sl_run_get_output (SlRun *run, uint32_t index, SlTensorView *ret_view)
{
  const GPtrArray *outputs = run->program->plan->graph->outputs;
  g_return_if_fail (index < outputs->len);
  get_view (run, g_ptr_array_index (outputs, index), ret_view);
}

/* Copies between dense row-major memory and a view. */
static void
copy_view (const SlTensorView *view, void *dense, gboolean into_view)
{
  SlCopyParams params = {.rank = view->shape.rank,
                         .element_size = (uint32_t)sl_dtype_get_size (view->dtype)};
  ptrdiff_t stride = 1;
  for (uint32_t d = view->shape.rank; d-- > 0;) {
    params.dims[d] = (size_t)view->shape.dim[d];
    params.src_stride[d] = into_view ? stride : view->stride[d];
    params.dst_stride[d] = into_view ? view->stride[d] : stride;
    stride *= (ptrdiff_t)view->shape.dim[d];
  }
  if (into_view)
    sl_cpu_copy (&params, dense, view->data);
  else
    sl_cpu_copy (&params, view->data, dense);
}

gboolean
sl_run_set_input (SlRun *run, uint32_t index, const SlTensor *tensor, GError **error)
{
  SlTensorView view;
  g_return_val_if_fail (index < run->program->inputs->len, FALSE);
  sl_run_get_input (run, index, &view);
  if (sl_tensor_get_dtype (tensor) != view.dtype ||
      !sl_shape_equal (sl_tensor_get_shape (tensor), &view.shape)) {
    g_autofree char *given = sl_shape_to_string (sl_tensor_get_shape (tensor));
    g_autofree char *wanted = sl_shape_to_string (&view.shape);
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE, "input '%s' got %s of %s, expected %s of %s",
                 sl_program_get_input (run->program, index)->name, given,
                 sl_dtype_get_name (sl_tensor_get_dtype (tensor)), wanted,
                 sl_dtype_get_name (view.dtype));
    return FALSE;
  }
  copy_view (&view, (void *)sl_tensor_get_data (tensor), TRUE);
  return TRUE;
}

SlTensor *
sl_run_copy_output (SlRun *run, uint32_t index, GError **error)
{
  SlTensorView view;
  g_return_val_if_fail (index < run->program->outputs->len, NULL);
  sl_run_get_output (run, index, &view);
  SlTensor *tensor = sl_tensor_new (view.dtype, &view.shape, error);
  if (tensor != NULL)
    copy_view (&view, sl_tensor_get_data_writable (tensor), FALSE);
  return tensor;
}

gboolean
sl_run_sample (SlRun *run, uint32_t index, SlImageSampler *sampler, const SlImage *image,
               const ptrdiff_t strides[3], gboolean stays, SlFramePath *ret_path, GError **error)
{
  const SlBackend *backend = run->program->backend;
  const GPtrArray *inputs = run->program->plan->graph->inputs;
  SlFramePath path = SL_FRAME_BY_CPU;
  g_return_val_if_fail (index < inputs->len && !run->submitted, FALSE);
  const SlValue *value = g_ptr_array_index (inputs, index);
  g_return_val_if_fail (value->dtype == SL_FLOAT32, FALSE);
  /* A device makes an input's only picture. */
  if (backend->sample != NULL && value->shape.rank == 4 && value->shape.dim[0] == 1 &&
      !backend->sample (run->run, value, sampler, image, strides, stays, &path, error))
    return FALSE;
  if (ret_path != NULL)
    *ret_path = path;
  if (path != SL_FRAME_BY_CPU ||
      sl_image_sample (sampler, image, backend->memory (run->run, value), strides))
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_UNSUPPORTED, "a row of the frame could not be unpacked");
  return FALSE;
}

gboolean
sl_run_get_frame (SlRun *run, uint32_t index, SlImage *ret_image)
{
  const SlBackend *backend = run->program->backend;
  const GPtrArray *inputs = run->program->plan->graph->inputs;
  g_return_val_if_fail (index < inputs->len, FALSE);
  return backend->frame != NULL &&
         backend->frame (run->run, g_ptr_array_index (inputs, index), ret_image);
}

/* The contents that a run of the program leaves, one behind the other. */
static char *
copy_updated (const SlProgram *program, GError **error)
{
  const GArray *updates = program->plan->graph->updates;
  size_t bytes = 0;
  for (uint32_t i = 0; i < updates->len; i++)
    bytes += sl_tensor_get_size (g_array_index (updates, SlUpdate, i).value->data);
  g_autofree char *copy = g_try_malloc (bytes + 1);
  if (copy == NULL) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY,
                 "a run made NaN or infinity; no memory for %zu bytes to look where", bytes);
    return NULL;
  }
  char *to = copy;
  for (uint32_t i = 0; i < updates->len; i++) {
    SlTensor *tensor = g_array_index (updates, SlUpdate, i).value->data;
    if (!sl_live_update (tensor, error))
      return NULL;
    memcpy (to, sl_tensor_get_data (tensor), sl_tensor_get_size (tensor));
    to += sl_tensor_get_size (tensor);
  }
  return g_steal_pointer (&copy);
}

static void
restore_updated (const SlProgram *program, const char *from)
{
  const GArray *updates = program->plan->graph->updates;
  for (uint32_t i = 0; i < updates->len; i++) {
    SlTensor *tensor = g_array_index (updates, SlUpdate, i).value->data;
    sl_live_set (tensor, from);
    from += sl_tensor_get_size (tensor);
  }
}

/* The look is a run again: what trains is not to be trained by it. */
static gboolean
find_nonfinite (SlRun *run, const SlNode **ret_node, GError **error)
{
  g_autofree char *before = copy_updated (run->program, error);
  if (before == NULL)
    return FALSE;
  const gboolean done = run->program->backend->find_nonfinite (run->run, ret_node, error);
  restore_updated (run->program, before);
  return done;
}

static gboolean
set_nonfinite (SlRun *run, const SlValue *output, GError **error)
{
  const SlNode *node;
  if (!find_nonfinite (run, &node, error))
    return FALSE;
  if (node != NULL)
    sl_node_error (node, error, SL_ERROR_NUMERIC, "made NaN or infinity, so output '%s' is void",
                   output->name);
  else
    g_set_error (error, SL_ERROR, SL_ERROR_NUMERIC,
                 "an input holds NaN or infinity, so output '%s' is void", output->name);
  return FALSE;
}

static gboolean
check_outputs (SlRun *run, GError **error)
{
  const SlBackend *backend = run->program->backend;
  const GPtrArray *outputs = run->program->plan->graph->outputs;
  for (uint32_t i = 0; i < outputs->len; i++) {
    const SlValue *output = g_ptr_array_index (outputs, i);
    size_t elements = 0;
    sl_shape_get_elements (&output->shape, &elements);
    /* Outputs own their place, so they are dense in either layout. */
    if (!sl_is_finite (output->dtype, backend->memory (run->run, output), elements))
      return set_nonfinite (run, output, error);
  }
  return TRUE;
}

gboolean
sl_run_submit (SlRun *run, GError **error)
{
  const SlBackend *backend = run->program->backend;
  if (!begin (run))
    return FALSE;
  if (update_variables (run->program, error) &&
      (backend->submit != NULL ? backend->submit (run->run, error)
                               : backend->execute (run->run, error))) {
    advance_variables (run->program);
    return TRUE;
  }
  end (run);
  return FALSE;
}

gboolean
sl_run_wait (SlRun *run, GError **error)
{
  const SlBackend *backend = run->program->backend;
  g_return_val_if_fail (run->submitted, FALSE);
  const gboolean done = backend->wait == NULL || backend->wait (run->run, error);
  end (run);
  return done && check_outputs (run, error);
}

gboolean
sl_run_execute (SlRun *run, GError **error)
{
  return sl_run_submit (run, error) && sl_run_wait (run, error);
}

gboolean
sl_run_execute_timed (SlRun *run, guint64 *ret_ns, GError **error)
{
  if (!begin (run))
    return FALSE;
  const gboolean done = update_variables (run->program, error) &&
                        run->program->backend->execute_timed (run->run, ret_ns, error);
  if (done)
    advance_variables (run->program);
  end (run);
  return done && check_outputs (run, error);
}
