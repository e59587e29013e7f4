#include "vulkan/program.h"

#include "core/limit.h"
#include "core/memory.h"
#include "graph/op.h"
#include "vulkan/commands.h"

#include <math.h>
#include <string.h>

/* A run that takes so many times the estimate hangs. */
#define HANG_FACTOR 20.0

/* What compiling works with before there is a program. */
typedef struct Draft {
  SlVkProgram *program;
  GArray *records;       /* SlDispatch */
  GPtrArray *host_steps; /* SlStep */
  SlDispatcher dispatcher;
  double part_work, work; /* of the current part, of all */
} Draft;

/* --- Records and parts --- */

static void
part_clear (void *data)
{
  SlVkPart *part = data;
  g_clear_pointer (&part->uploads, g_array_unref);
  g_clear_pointer (&part->downloads, g_array_unref);
}

static SlVkPart *
last_part (const SlVkProgram *program)
{
  return &g_array_index (program->parts, SlVkPart, program->parts->len - 1);
}

/* The part that the next record or host step belongs to. */
static SlVkPart *
open_part (Draft *draft, bool is_host, bool anew)
{
  SlVkProgram *program = draft->program;
  if (program->parts->len > 0 && last_part (program)->is_host == is_host && !anew)
    return last_part (program);
  SlVkPart part = {.is_host = is_host,
                   .first = is_host ? draft->host_steps->len : draft->records->len};
  g_array_append_val (program->parts, part);
  draft->part_work = 0;
  return last_part (program);
}

/* What a dispatcher found wrong with the step, or that there is none. */
static gboolean
set_refused (const Draft *draft, const SlStep *step, GError **error)
{
  const SlVkProgram *program = draft->program;
  const char *device = program->device->physical->info.name;
  uint64_t largest = 0;
  for (uint32_t i = 0; i < step->n_operands; i++)
    if (step->operands[i] != NULL)
      largest = MAX (largest, sl_value_get_bytes (step->operands[i]));
  if (sl_dispatch_find (step->kernel) == NULL) {
    sl_node_error (step->node, error, SL_ERROR_UNSUPPORTED,
                   "%s has no shader for '%s' (the CPU has)", device, step->kernel);
  } else if (draft->dispatcher.n_refused > 0) {
    sl_node_error (step->node, error, SL_ERROR_UNSUPPORTED,
                   "'%s' would bind %u buffers, of which %s binds %u at most (the CPU can)",
                   step->kernel, draft->dispatcher.n_refused, device,
                   program->device->gpu.max_bindings);
  } else if (largest > program->device->gpu.binding_range) {
    g_autofree char *needs = sl_limit_print_bytes (largest);
    g_autofree char *gives = sl_limit_print_bytes (program->device->gpu.binding_range);
    sl_node_error (step->node, error, SL_ERROR_UNSUPPORTED,
                   "'%s' would bind %s, of which %s binds %s at most (the CPU can)", step->kernel,
                   needs, device, gives);
  } else {
    sl_node_error (step->node, error, SL_ERROR_UNSUPPORTED,
                   "%s lacks what '%s' takes in this form (the CPU can)", device, step->kernel);
  }
  return FALSE;
}

static gboolean
add_host_step (Draft *draft, const SlStep *step, GError **error)
{
  SlVkProgram *program = draft->program;
  if (program->host == NULL || !sl_dispatch_is_host (step->kernel, NULL))
    return set_refused (draft, step, error);
  open_part (draft, true, false)->n++;
  g_ptr_array_add (draft->host_steps, (void *)step);
  return TRUE;
}

/* Steps of the same node from number `first` on. */
static uint32_t
count_steps (const GArray *steps, uint32_t first)
{
  const SlNode *node = g_array_index (steps, SlStep, first).node;
  uint32_t n = 1;
  while (first + n < steps->len && g_array_index (steps, SlStep, first + n).node == node)
    n++;
  return n;
}

/* Operations that a command buffer may take. */
static double
most_work (const Draft *draft)
{
  const SlVkLimits *limits = &draft->program->device->limits;
  return limits->speed * limits->part_seconds;
}

static void
add_record_to_parts (Draft *draft, uint32_t index, double work)
{
  SlVkPart *part = last_part (draft->program);
  const bool is_long = draft->part_work > 0 && draft->part_work + work > most_work (draft);
  if (part->is_host || is_long)
    part = open_part (draft, false, is_long);
  if (part->n++ == 0)
    part->first = index;
  draft->part_work += work;
}

/* Puts the records from number `first` on, of so much work each, into parts. A command buffer ends
 * before the record that would make it too long; a record that is so by itself is cut. */
static void
add_records_to_parts (Draft *draft, uint32_t first, double work)
{
  const double n_wanted = MIN (ceil (work / most_work (draft)), G_MAXUINT16);
  for (uint32_t i = first; i < draft->records->len;) {
    const uint32_t n = n_wanted > 1 ? sl_dispatch_cut (draft->records, i, (uint32_t)n_wanted) : 1;
    for (const uint32_t end = i + n; i < end; i++)
      add_record_to_parts (draft, i, work / n);
  }
}

static gboolean
add_steps (Draft *draft, GError **error)
{
  const GArray *steps = draft->program->plan->steps;
  const SlNode *node = NULL;
  double step_work = 0;
  open_part (draft, false, true);
  for (uint32_t i = 0; i < steps->len;) {
    SlDispatcher *to = &draft->dispatcher;
    to->steps = &g_array_index (steps, SlStep, i);
    to->n_steps = count_steps (steps, i);
    if (to->steps->node != node) {
      node = to->steps->node;
      step_work = sl_node_get_work (node) / to->n_steps;
    }
    const uint32_t first = draft->records->len;
    uint32_t n = sl_dispatch_steps (to);
    if (n > 0)
      add_records_to_parts (draft, first, n * step_work / MAX (draft->records->len - first, 1));
    else if (!add_host_step (draft, to->steps, error))
      return FALSE;
    n = MAX (n, 1);
    draft->work += n * step_work;
    i += n;
  }
  if (last_part (draft->program)->is_host)
    open_part (draft, false, false);
  return TRUE;
}

/* --- Memory --- */

/* What is needed in one piece. */
static gboolean
check_pieces (const SlVkProgram *program, GError **error)
{
  const SlVkDevice *device = program->device;
  const SlVkPlaces *places = &program->places;
  uint64_t largest = MAX (places->arena_bytes, places->staging_bytes);
  for (uint32_t i = 0; i < places->constants->len; i++)
    largest = MAX (largest, sl_tensor_get_size (places->constants->pdata[i]));
  if (largest <= device->limits.max_allocation)
    return TRUE;
  g_autofree char *most = sl_limit_print_bytes (device->limits.max_allocation);
  g_autofree char *text = sl_limit_print_bytes (largest);
  g_set_error (error, SL_ERROR, SL_ERROR_MEMORY,
               "%s: %s of memory are needed in one piece, it gives %s at most",
               device->physical->info.name, text, most);
  return FALSE;
}

/* Before anything is allocated. */
static gboolean
check_memory (const SlVkProgram *program, guint64 limit, GError **error)
{
  const SlVkPlaces *places = &program->places;
  const uint64_t weights = sl_vk_constants_get_missing (
      program->device, (SlTensor **)places->constants->pdata, places->constants->len);
  const uint64_t free = sl_vk_device_get_free_memory (program->device);
  uint64_t run = places->arena_bytes;
  if (sl_vk_staging_is_local (program->device))
    run += places->staging_bytes;
  if (!sl_plan_check_limit (sl_vk_program_get_run_bytes (program), limit, error) ||
      !check_pieces (program, error))
    return FALSE;
  if (weights + run <= free)
    return TRUE;
  g_autofree char *run_text = sl_limit_print_bytes (run);
  g_autofree char *weight_text = sl_limit_print_bytes (weights);
  g_autofree char *free_text = sl_limit_print_bytes (free);
  g_set_error (error, SL_ERROR, SL_ERROR_MEMORY,
               "%s: %s for weights and %s for a run do not fit into the %s of memory that are free",
               program->device->physical->info.name, weight_text, run_text, free_text);
  return FALSE;
}

static gboolean
upload_table (SlVkProgram *program, const GArray *table, GError **error)
{
  const uint64_t bytes = table->len * sizeof (uint32_t);
  SlVkUpload upload;
  if (!sl_vk_buffer_init (program->device, SL_VK_MEMORY_DEVICE,
                          sl_align_up (bytes, SL_VK_PLACE_ALIGNMENT) + SL_VK_PLACE_ALIGNMENT,
                          "a table", &program->table, error))
    return FALSE;
  if (bytes == 0)
    return TRUE;
  if (!sl_vk_upload_init (program->device, bytes, &upload, error))
    return FALSE;
  const gboolean done = sl_vk_upload_add (&upload, &program->table, 0, table->data, bytes, error) &&
                        sl_vk_upload_finish (&upload, error);
  sl_vk_upload_clear (&upload);
  return done;
}

static gboolean
upload_constants (SlVkProgram *program, GError **error)
{
  const GPtrArray *constants = program->places.constants;
  const uint32_t first_live = program->places.first_live;
  g_autofree SlVkConstant **list = g_new0 (SlVkConstant *, constants->len + 1);
  if (!sl_vk_constants_get (program->device, (SlTensor **)constants->pdata, constants->len,
                            first_live, list, error))
    return FALSE;
  program->constants = g_steal_pointer (&list);
  program->variables = program->constants + first_live;
  program->n_variables = constants->len - first_live;
  const GArray *updates = program->plan->graph->updates;
  for (uint32_t i = 0; i < updates->len; i++) {
    const int32_t index =
        program->places.constant_of[g_array_index (updates, SlUpdate, i).value->id];
    if (index >= 0)
      g_ptr_array_add (program->updated, program->constants[index]);
  }
  return TRUE;
}

const SlVkBuffer *
sl_vk_program_find (const SlVkProgram *program, const SlValue *value, uint64_t *ret_offset)
{
  int32_t index;
  if (sl_vk_places_find (&program->places, value, ret_offset, &index))
    return NULL;
  *ret_offset += program->constants[index]->offset;
  return program->constants[index]->buffer;
}

/* --- What runs work from --- */

/* Buffers by number, for hazards; each constant counts as one. */
enum { BUFFER_ARENA, BUFFER_TABLE, BUFFER_CONSTANTS };

/* Binds what a binding stands for, and notes it as a place; FALSE if nobody looks. */
static bool
resolve (const SlVkProgram *program, const SlBinding *binding, SlVkRecord *record,
         SlVkBinding *ret_binding, SlPlace *ret_place)
{
  const uint64_t span = sl_extent_get_span (&binding->extent);
  const uint64_t nothing = program->table.size - SL_VK_PLACE_ALIGNMENT;
  *ret_binding = (SlVkBinding){&program->table, nothing, SL_VK_PLACE_ALIGNMENT, false};
  if (binding->kind == SL_BIND_NONE || span == 0)
    return false;
  uint64_t begin = 0;
  SlPlace place = {.buffer = BUFFER_ARENA, .extent = binding->extent, .writes = binding->writes};
  ret_binding->buffer = NULL;
  ret_binding->is_half = binding->element_size == sizeof (uint16_t);
  if (binding->kind == SL_BIND_TABLE) {
    ret_binding->buffer = &program->table;
    place.buffer = BUFFER_TABLE;
  } else if (binding->kind == SL_BIND_SCRATCH) {
    begin = program->places.scratch;
  } else {
    size_t offset;
    const int32_t constant =
        program->places.constant_of[sl_value_get_root (binding->value, &offset)->id];
    ret_binding->buffer = sl_vk_program_find (program, binding->value, &begin);
    if (constant >= 0)
      place.buffer = BUFFER_CONSTANTS + (uint32_t)constant;
  }
  place.extent.begin += begin;
  const uint64_t alignment = program->device->gpu.alignment;
  const uint64_t at = place.extent.begin & (alignment - 1);
  ret_binding->offset = place.extent.begin - at;
  ret_binding->range = at + span;
  if (binding->at_push != SL_AT_NONE)
    record->push[binding->at_push / 4] = (uint32_t)(at / binding->element_size);
  *ret_place = place;
  return true;
}

static void
add_record (SlVkProgram *program, const SlDispatch *from, const SlVkPipeline *pipeline,
            SlPlace *places, uint32_t *ret_n_places)
{
  SlVkRecord record = {.pipeline = pipeline,
                       .step = from->step,
                       .groups = {from->groups[0], from->groups[1], from->groups[2]},
                       .base = {from->base[0], from->base[1]},
                       .is_cut = from->is_cut,
                       .push_size = from->shader->push_size,
                       .n_bindings = from->shader->n_bindings};
  memcpy (record.push, from->push, sizeof record.push);
  *ret_n_places = 0;
  for (uint32_t i = 0; i < record.n_bindings; i++)
    *ret_n_places +=
        resolve (program, &from->bindings[i], &record, &record.bindings[i], &places[*ret_n_places]);
  g_array_append_val (program->records, record);
}

/* With validation on: that barriers stand where they have to, by another way than they were found.
 */
static gboolean
check_hazards (const SlVkProgram *program, const SlPlace *places, const uint32_t *n_places,
               GError **error)
{
  const uint32_t n = program->records->len;
  g_autofree const SlPlace **lists = g_new (const SlPlace *, n + 1);
  g_autofree bool *barriers = g_new0 (bool, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    lists[i] = places + (size_t)i * SL_DISPATCH_MAX_BINDINGS;
    barriers[i] = g_array_index (program->records, SlVkRecord, i).barrier;
  }
  for (uint32_t i = 0; i < program->parts->len; i++) {
    const SlVkPart *part = &g_array_index (program->parts, SlVkPart, i);
    if (!part->is_host && part->n > 0)
      barriers[part->first] = true;
  }
  g_autofree char *breach = sl_hazards_check (lists, n_places, barriers, n);
  if (breach == NULL)
    return TRUE;
  g_set_error (error, SL_ERROR, SL_ERROR_DEVICE, "a barrier is missing: %s", breach);
  return FALSE;
}

/* Sets where barriers stand. The validation layer takes what a binding spans for what is touched:
 * with whole texels: `spans` says to do so, too. */
static void
add_barriers (SlVkProgram *program, const SlPlace *places, const uint32_t *n_places, bool spans)
{
  g_autoptr (SlBarriers) barriers = sl_barriers_new ();
  const uint64_t alignment = program->device->gpu.alignment;
  for (uint32_t i = 0; i < program->parts->len; i++) {
    const SlVkPart *part = &g_array_index (program->parts, SlVkPart, i);
    sl_barriers_reset (barriers);
    for (uint32_t k = part->first; !part->is_host && k < part->first + part->n; k++) {
      SlPlace list[SL_DISPATCH_MAX_BINDINGS];
      memcpy (list, places + (size_t)k * SL_DISPATCH_MAX_BINDINGS, sizeof list);
      for (uint32_t b = 0; spans && b < n_places[k]; b++) {
        const uint64_t at = list[b].extent.begin & (alignment - 1);
        list[b].extent = sl_extent (list[b].extent.begin - at,
                                    sl_align_up (at + sl_extent_get_span (&list[b].extent), 16));
      }
      g_array_index (program->records, SlVkRecord, k).barrier =
          sl_barriers_add (barriers, list, n_places[k]);
    }
  }
}

static gboolean
add_records (SlVkProgram *program, const GArray *drafts, GError **error)
{
  const uint32_t n = drafts->len;
  g_autofree const SlVkPipeline **pipelines = g_new0 (const SlVkPipeline *, n + 1);
  g_autofree SlPlace *places = g_new0 (SlPlace, (size_t)n * SL_DISPATCH_MAX_BINDINGS + 1);
  g_autofree uint32_t *n_places = g_new0 (uint32_t, n + 1);
  if (!sl_vk_pipelines_get (program->device, (const SlDispatch *)drafts->data, n, pipelines, error))
    return FALSE;
  for (uint32_t i = 0; i < n; i++)
    add_record (program, &g_array_index (drafts, SlDispatch, i), pipelines[i],
                places + (size_t)i * SL_DISPATCH_MAX_BINDINGS, &n_places[i]);
  add_barriers (program, places, n_places, false);
  if (!sl_vk_validates ())
    return TRUE;
  if (!check_hazards (program, places, n_places, error))
    return FALSE;
  add_barriers (program, places, n_places, true);
  return TRUE;
}

/* --- Copies and host steps --- */

static void
add_copy (GArray **list, uint64_t staging, const SlValue *value)
{
  const SlVkCopy copy = {value, staging, sl_value_get_bytes (value)};
  if (copy.bytes == 0)
    return;
  if (*list == NULL)
    *list = g_array_new (FALSE, FALSE, sizeof (SlVkCopy));
  g_array_append_val (*list, copy);
}

static void
add_ports (SlVkProgram *program)
{
  const SlGraph *graph = program->plan->graph;
  const uint64_t *staging = program->places.staging;
  SlVkPart *last = last_part (program);
  for (uint32_t i = 0; i < graph->outputs->len; i++) {
    const SlValue *output = graph->outputs->pdata[i];
    if (staging[output->id] != UINT64_MAX)
      add_copy (&last->downloads, staging[output->id], output);
  }
}

/* Where an operand of a host step lies in the staging memory. Its whole place comes down before the
 * part, unless the first step that touches it writes all of it, and goes up again behind the part
 * if a step writes in it. */
static uint64_t
stage_operand (SlVkProgram *program, GHashTable *staged, uint32_t part, const SlValue *value,
               bool writes, uint64_t *end)
{
  size_t offset;
  uint64_t at;
  const SlValue *root = value != NULL ? sl_value_get_root (value, &offset) : NULL;
  if (root == NULL || (root->data != NULL && !sl_value_is_variable (root)))
    return UINT64_MAX;
  gpointer known;
  if (g_hash_table_lookup_extended (staged, root, NULL, &known)) {
    at = (uint64_t)(uintptr_t)known >> 1;
  } else {
    at = *end;
    *end += sl_align_up (sl_value_get_bytes (root), SL_VK_PLACE_ALIGNMENT);
    if (!writes || sl_value_get_bytes (value) < sl_value_get_bytes (root))
      add_copy (&g_array_index (program->parts, SlVkPart, part - 1).downloads, at, root);
    known = NULL; /* not written so far */
  }
  const bool was_written = (uintptr_t)known & 1;
  if (writes && !was_written)
    add_copy (&g_array_index (program->parts, SlVkPart, part + 1).uploads, at, root);
  g_hash_table_insert (staged, (void *)root,
                       (void *)(uintptr_t)(at << 1 | (writes || was_written)));
  return at + offset;
}

static gboolean
add_host_part (SlVkProgram *program, uint32_t index, const GPtrArray *steps, uint32_t threads,
               GError **error)
{
  const SlVkPart *part = &g_array_index (program->parts, SlVkPart, index);
  g_autoptr (GHashTable) staged = g_hash_table_new (NULL, NULL);
  uint64_t end = program->places.host;
  for (uint32_t i = part->first; i < part->first + part->n; i++) {
    const SlStep *step = steps->pdata[i];
    SlVkHostStep host = {.step = step, .bound = program->host->bind (step, threads, error)};
    if (host.bound == NULL)
      return FALSE;
    host.staging = g_new (uint64_t, step->n_operands + 1);
    for (uint32_t k = 0; k < step->n_operands; k++)
      host.staging[k] =
          stage_operand (program, staged, index, step->operands[k], k >= step->n_reads, &end);
    program->host_scratch = MAX (program->host_scratch, program->host->scratch (host.bound));
    g_array_append_val (program->host_steps, host);
  }
  program->places.staging_bytes = MAX (program->places.staging_bytes, end);
  return TRUE;
}

static gboolean
add_host_parts (SlVkProgram *program, const GPtrArray *steps, uint32_t threads, GError **error)
{
  for (uint32_t i = 0; i < program->parts->len; i++)
    if (g_array_index (program->parts, SlVkPart, i).is_host &&
        !add_host_part (program, i, steps, threads, error))
      return FALSE;
  return TRUE;
}

/* --- A program --- */

static gboolean
fill_program (Draft *draft, const SlCompileOptions *options, GError **error)
{
  SlVkProgram *program = draft->program;
  if (!add_steps (draft, error))
    return FALSE;
  sl_vk_places_init (&program->places, program->plan, draft->records, draft->host_steps,
                     draft->dispatcher.scratch_size);
  const double seconds = HANG_FACTOR * draft->work / program->device->limits.speed;
  program->work_ns = (uint64_t)(MIN (seconds, 1e6) * 1e9);
  add_ports (program);
  if (!add_host_parts (program, draft->host_steps, options->threads, error))
    return FALSE;
  if (options->ret_run_bytes != NULL)
    *options->ret_run_bytes = sl_vk_program_get_run_bytes (program);
  return check_memory (program, options->memory_limit, error) &&
         upload_constants (program, error) &&
         upload_table (program, draft->dispatcher.table, error) &&
         add_records (program, draft->records, error) && sl_vk_check_messages (error);
}

void *
sl_vk_program_compile (const SlPlan *plan, const SlCompileOptions *options, GError **error)
{
  SlVkDevice *device = sl_vk_device_get (options->device, error);
  if (device == NULL)
    return NULL;
  SlVkProgram *program = g_new0 (SlVkProgram, 1);
  program->plan = plan;
  program->device = device;
  program->host = options->host;
  program->records = g_array_new (FALSE, FALSE, sizeof (SlVkRecord));
  program->host_steps = g_array_new (FALSE, FALSE, sizeof (SlVkHostStep));
  program->parts = g_array_new (FALSE, FALSE, sizeof (SlVkPart));
  program->updated = g_ptr_array_new ();
  g_array_set_clear_func (program->parts, part_clear);
  g_autoptr (GArray) records = g_array_new (FALSE, TRUE, sizeof (SlDispatch));
  g_autoptr (GArray) table = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  g_autoptr (GPtrArray) host_steps = g_ptr_array_new ();
  Draft draft = {.program = program,
                 .records = records,
                 .host_steps = host_steps,
                 .dispatcher = {.gpu = &device->gpu, .records = records, .table = table}};
  if (fill_program (&draft, options, error)) {
    sl_vk_pipelines_keep (device);
    return program;
  }
  sl_vk_program_release (program);
  return NULL;
}

static void
release_constants (SlVkProgram *program)
{
  sl_live_lock ();
  sl_vk_variables_save (program->device, program->variables, program->n_variables);
  sl_vk_constants_release (program->device, program->constants, program->places.constants->len);
  sl_live_unlock ();
  g_free (program->constants);
}

void
sl_vk_program_release (void *data)
{
  SlVkProgram *program = data;
  for (uint32_t i = 0; i < program->host_steps->len; i++) {
    SlVkHostStep *host = &g_array_index (program->host_steps, SlVkHostStep, i);
    program->host->free (host->bound);
    g_free (host->staging);
  }
  sl_vk_buffer_clear (program->device, &program->table);
  if (program->constants != NULL)
    release_constants (program);
  g_ptr_array_unref (program->updated);
  sl_vk_places_clear (&program->places);
  g_array_unref (program->records);
  g_array_unref (program->host_steps);
  g_array_unref (program->parts);
  sl_vk_device_unref (program->device);
  g_free (program);
}

guint64
sl_vk_program_get_run_bytes (const void *data)
{
  const SlVkProgram *program = data;
  return program->places.arena_bytes + program->places.staging_bytes + program->host_scratch;
}

uint32_t
sl_vk_program_get_host_steps (const void *data)
{
  return ((const SlVkProgram *)data)->host_steps->len;
}
