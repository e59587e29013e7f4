#include "vulkan/pipeline.h"

#include "vulkan/cache.h"

#include <string.h>

/* Threads that build at a time: more would only contend in the driver. */
#define MAX_BUILDERS 4

typedef enum { ENTRY_EMPTY, ENTRY_BUSY, ENTRY_READY } EntryState;

typedef struct Entry {
  SlVkPipeline pipeline; /* first: what callers see */
  uint32_t specs[SL_DISPATCH_MAX_SPECS];
  bool has_base; /* for records that were cut */
  EntryState state;
} Entry;

/* What shaders with as many bindings, of the same kinds, share. */
typedef struct SetLayout {
  uint32_t n_bindings, texels; /* as in SlShader */
  VkDescriptorSetLayout handle;
} SetLayout;

struct SlVkPipelines {
  GMutex lock;
  GCond changed;       /* some entry's state */
  GHashTable *entries; /* Entry, its own key */
  VkPipelineCache cache;
  size_t kept;         /* bytes of the cache that are on disk */
  gint built;          /* atomic: something was, since the cache was last looked at */
  GMutex keep_lock;    /* of `kept`, and one writes at a time */
  GArray *set_layouts; /* SetLayout */
};

static guint
entry_hash (gconstpointer data)
{
  const Entry *entry = data;
  guint hash = g_direct_hash (entry->pipeline.shader) + entry->has_base;
  for (uint32_t i = 0; i < entry->pipeline.shader->n_specs; i++)
    hash = hash * 31 + entry->specs[i];
  return hash;
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *left = a, *right = b;
  return left->pipeline.shader == right->pipeline.shader && left->has_base == right->has_base &&
         (left->pipeline.shader->n_specs == 0 ||
          memcmp (left->specs, right->specs,
                  left->pipeline.shader->n_specs * sizeof left->specs[0]) == 0);
}

/* The shader's layout, found or new. Locked. */
static VkResult
get_set_layout (SlVkDevice *device, const SlShader *shader, VkDescriptorSetLayout *ret_layout)
{
  GArray *layouts = device->pipelines->set_layouts;
  for (uint32_t i = 0; i < layouts->len; i++) {
    const SetLayout *layout = &g_array_index (layouts, SetLayout, i);
    if (layout->n_bindings == shader->n_bindings && layout->texels == shader->texels) {
      *ret_layout = layout->handle;
      return VK_SUCCESS;
    }
  }
  VkDescriptorSetLayoutBinding bindings[SL_DISPATCH_MAX_BINDINGS];
  for (uint32_t i = 0; i < shader->n_bindings; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){
        .binding = i,
        .descriptorType = shader->texels >> i & 1 ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                                                  : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
        .descriptorCount = 1,
        .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
  const VkDescriptorSetLayoutCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .bindingCount = shader->n_bindings,
      .pBindings = bindings};
  SetLayout layout = {.n_bindings = shader->n_bindings, .texels = shader->texels};
  VkResult result =
      sl_vk_try (device, CreateDescriptorSetLayout, device->handle, &info, NULL, &layout.handle);
  if (result != VK_SUCCESS)
    return result;
  g_array_append_val (layouts, layout);
  *ret_layout = layout.handle;
  return VK_SUCCESS;
}

static VkResult
make_cache (SlVkDevice *device, GBytes *content, VkPipelineCache *ret_cache)
{
  gsize size = 0;
  const void *data = content != NULL ? g_bytes_get_data (content, &size) : NULL;
  const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                          .initialDataSize = size,
                                          .pInitialData = data};
  VkResult result = sl_vk_try (device, CreatePipelineCache, device->handle, &info, NULL, ret_cache);
  if (result != VK_SUCCESS)
    *ret_cache = VK_NULL_HANDLE;
  return result;
}

gboolean
sl_vk_pipelines_new (SlVkDevice *device, GError **error)
{
  SlVkPipelines *pipelines = device->pipelines = g_new0 (SlVkPipelines, 1);
  g_mutex_init (&pipelines->lock);
  g_cond_init (&pipelines->changed);
  pipelines->entries = g_hash_table_new_full (entry_hash, entry_equal, NULL, g_free);
  pipelines->set_layouts = g_array_new (FALSE, FALSE, sizeof (SetLayout));
  g_mutex_init (&pipelines->keep_lock);
  g_autoptr (GBytes) content = sl_vk_cache_read (device->physical);
  VkResult result = make_cache (device, content, &pipelines->cache);
  if (result == VK_SUCCESS && content != NULL)
    pipelines->kept = g_bytes_get_size (content);
  else if (content != NULL)
    result = make_cache (device, NULL, &pipelines->cache);
  return result == VK_SUCCESS || sl_vk_device_error (device, error, result, "no pipeline cache");
}

/* The cache's content, of *ret_size bytes; NULL if it cannot be had. */
static void *
read_cache (SlVkDevice *device, VkPipelineCache cache, size_t *ret_size)
{
  *ret_size = 0;
  VkResult result = sl_vk_try (device, GetPipelineCacheData, device->handle, cache, ret_size, NULL);
  void *data = result == VK_SUCCESS && *ret_size > 0 ? g_try_malloc (*ret_size) : NULL;
  if (data != NULL)
    result = sl_vk_try (device, GetPipelineCacheData, device->handle, cache, ret_size, data);
  if (result != VK_SUCCESS)
    g_clear_pointer (&data, g_free);
  return data;
}

/* With what other processes have kept meanwhile. */
static void
keep_merged (SlVkDevice *device)
{
  SlVkPipelines *pipelines = device->pipelines;
  g_autoptr (GBytes) content = sl_vk_cache_read (device->physical);
  VkPipelineCache merged;
  size_t size;
  if (make_cache (device, content, &merged) != VK_SUCCESS)
    return;
  if (sl_vk_try (device, MergePipelineCaches, device->handle, merged, 1, &pipelines->cache) ==
      VK_SUCCESS) {
    g_autofree void *data = read_cache (device, merged, &size);
    if (data != NULL && (content == NULL || size != g_bytes_get_size (content)))
      sl_vk_cache_write (device->physical, data, size);
  }
  sl_vk_do (device, DestroyPipelineCache, device->handle, merged, NULL);
}

void
sl_vk_pipelines_keep (SlVkDevice *device)
{
  SlVkPipelines *pipelines = device->pipelines;
  if (!g_atomic_int_compare_and_exchange (&pipelines->built, 1, 0))
    return;
  g_mutex_lock (&pipelines->keep_lock);
  size_t size = 0;
  VkResult result =
      sl_vk_try (device, GetPipelineCacheData, device->handle, pipelines->cache, &size, NULL);
  /* It only grows: with what it was made of, and what is new. */
  if (result == VK_SUCCESS && size != pipelines->kept) {
    keep_merged (device);
    pipelines->kept = size;
  }
  g_mutex_unlock (&pipelines->keep_lock);
}

static void
clear_pipeline (SlVkDevice *device, SlVkPipeline *pipeline)
{
  if (pipeline->handle != VK_NULL_HANDLE)
    sl_vk_do (device, DestroyPipeline, device->handle, pipeline->handle, NULL);
  if (pipeline->layout != VK_NULL_HANDLE)
    sl_vk_do (device, DestroyPipelineLayout, device->handle, pipeline->layout, NULL);
  /* The layout of its set is the device's, and serves the next try. */
  pipeline->handle = VK_NULL_HANDLE;
  pipeline->layout = VK_NULL_HANDLE;
}

void
sl_vk_pipelines_free (SlVkDevice *device)
{
  SlVkPipelines *pipelines = g_steal_pointer (&device->pipelines);
  if (pipelines == NULL)
    return;
  GHashTableIter iter;
  gpointer entry;
  g_hash_table_iter_init (&iter, pipelines->entries);
  while (g_hash_table_iter_next (&iter, &entry, NULL))
    clear_pipeline (device, &((Entry *)entry)->pipeline);
  for (uint32_t i = 0; i < pipelines->set_layouts->len; i++)
    sl_vk_do (device, DestroyDescriptorSetLayout, device->handle,
              g_array_index (pipelines->set_layouts, SetLayout, i).handle, NULL);
  g_array_unref (pipelines->set_layouts);
  if (pipelines->cache != VK_NULL_HANDLE)
    sl_vk_do (device, DestroyPipelineCache, device->handle, pipelines->cache, NULL);
  g_hash_table_unref (pipelines->entries);
  g_mutex_clear (&pipelines->keep_lock);
  g_mutex_clear (&pipelines->lock);
  g_cond_clear (&pipelines->changed);
  g_free (pipelines);
}

/* --- Building --- */

static VkResult
make_module (SlVkDevice *device, const SlShader *shader, VkShaderModule *ret_module)
{
  const VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                         .codeSize = shader->code_size,
                                         .pCode = shader->code};
  return sl_vk_try (device, CreateShaderModule, device->handle, &info, NULL, ret_module);
}

static VkResult
make_layout (SlVkDevice *device, Entry *entry)
{
  const VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                    .size = entry->pipeline.shader->push_size};
  const VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                           .setLayoutCount = 1,
                                           .pSetLayouts = &entry->pipeline.set_layout,
                                           .pushConstantRangeCount = push.size > 0,
                                           .pPushConstantRanges = &push};
  VkResult result = sl_vk_try (device, CreatePipelineLayout, device->handle, &info, NULL,
                               &entry->pipeline.layout);
  if (result != VK_SUCCESS)
    entry->pipeline.layout = VK_NULL_HANDLE;
  return result;
}

static VkResult
make_pipeline (SlVkDevice *device, Entry *entry, VkShaderModule module)
{
  VkSpecializationMapEntry map[SL_DISPATCH_MAX_SPECS];
  for (uint32_t i = 0; i < entry->pipeline.shader->n_specs; i++)
    map[i] = (VkSpecializationMapEntry){
        .constantID = i, .offset = i * (uint32_t)sizeof (uint32_t), .size = sizeof (uint32_t)};
  const VkSpecializationInfo specs = {.mapEntryCount = entry->pipeline.shader->n_specs,
                                      .pMapEntries = map,
                                      .dataSize =
                                          entry->pipeline.shader->n_specs * sizeof (uint32_t),
                                      .pData = entry->specs};
  const VkComputePipelineCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .flags = entry->has_base ? VK_PIPELINE_CREATE_DISPATCH_BASE_BIT : 0,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = module,
                .pName = "main",
                .pSpecializationInfo = &specs},
      .layout = entry->pipeline.layout};
  VkPipeline *pipeline = &entry->pipeline.handle;
  VkResult result = sl_vk_try (device, CreateComputePipelines, device->handle,
                               device->pipelines->cache, 1, &info, NULL, pipeline);
  if (result != VK_SUCCESS)
    *pipeline = VK_NULL_HANDLE;
  return result;
}

static gboolean
build (SlVkDevice *device, Entry *entry, GError **error)
{
  VkShaderModule module;
  VkResult result = make_module (device, entry->pipeline.shader, &module);
  if (result == VK_SUCCESS) {
    result = make_layout (device, entry);
    if (result == VK_SUCCESS)
      result = make_pipeline (device, entry, module);
    sl_vk_do (device, DestroyShaderModule, device->handle, module, NULL);
  }
  if (result == VK_SUCCESS) {
    g_atomic_int_set (&device->pipelines->built, 1);
    return TRUE;
  }
  clear_pipeline (device, &entry->pipeline);
  return sl_vk_device_error (device, error, result, "shader %s cannot be built",
                             entry->pipeline.shader->name);
}

/* Entries that one call builds. */
typedef struct Batch {
  SlVkDevice *device;
  GPtrArray *entries; /* Entry, busy */
  gint next;          /* atomic */
  GError *error;      /* the first, guarded by the pipelines' lock */
} Batch;

static void *
build_some (void *data)
{
  Batch *batch = data;
  SlVkPipelines *pipelines = batch->device->pipelines;
  for (guint i; (i = (guint)g_atomic_int_add (&batch->next, 1)) < batch->entries->len;) {
    Entry *entry = g_ptr_array_index (batch->entries, i);
    GError *error = NULL;
    const gboolean built = build (batch->device, entry, &error);
    g_mutex_lock (&pipelines->lock);
    entry->state = built ? ENTRY_READY : ENTRY_EMPTY;
    if (!built && batch->error == NULL)
      batch->error = g_steal_pointer (&error);
    g_cond_broadcast (&pipelines->changed);
    g_mutex_unlock (&pipelines->lock);
    g_clear_error (&error);
  }
  return NULL;
}

/* The caller takes part. */
static gboolean
build_all (SlVkDevice *device, GPtrArray *entries, GError **error)
{
  Batch batch = {.device = device, .entries = entries};
  GThread *threads[MAX_BUILDERS] = {0};
  const guint n = MIN (MIN (entries->len, MAX_BUILDERS), g_get_num_processors ());
  for (guint i = 1; i < n; i++)
    threads[i] = g_thread_try_new ("sl-shaders", build_some, &batch, NULL);
  build_some (&batch);
  for (guint i = 1; i < n; i++)
    if (threads[i] != NULL)
      g_thread_join (threads[i]);
  if (batch.error == NULL)
    return TRUE;
  g_propagate_error (error, batch.error);
  return FALSE;
}

/* The record's entry, found or new. Locked. */
static VkResult
find_entry (SlVkDevice *device, const SlDispatch *record, Entry **ret_entry)
{
  SlVkPipelines *pipelines = device->pipelines;
  const SlShader *shader = record->shader;
  Entry key = {.pipeline = {.shader = shader}, .has_base = record->is_cut};
  memcpy (key.specs, record->specs, shader->n_specs * sizeof key.specs[0]);
  Entry *entry = g_hash_table_lookup (pipelines->entries, &key);
  if (entry == NULL) {
    VkResult result = get_set_layout (device, shader, &key.pipeline.set_layout);
    if (result != VK_SUCCESS)
      return result;
    entry = g_memdup2 (&key, sizeof key);
    g_hash_table_add (pipelines->entries, entry);
  }
  *ret_entry = entry;
  return VK_SUCCESS;
}

/* Takes what nobody builds into `mine`; sets *ret_missing if any is not ready yet. */
static VkResult
claim (SlVkDevice *device, const SlDispatch *records, uint32_t n,
       const SlVkPipeline **ret_pipelines, GPtrArray *mine, bool *ret_missing)
{
  *ret_missing = false;
  for (uint32_t i = 0; i < n; i++) {
    Entry *entry;
    VkResult result = find_entry (device, &records[i], &entry);
    if (result != VK_SUCCESS)
      return result;
    ret_pipelines[i] = &entry->pipeline;
    *ret_missing = *ret_missing || entry->state != ENTRY_READY;
    if (entry->state == ENTRY_EMPTY) {
      entry->state = ENTRY_BUSY;
      g_ptr_array_add (mine, entry);
    }
  }
  return VK_SUCCESS;
}

/* Hands back what was claimed and not begun. Locked. */
static void
disclaim (SlVkPipelines *pipelines, GPtrArray *mine)
{
  for (guint i = 0; i < mine->len; i++)
    ((Entry *)mine->pdata[i])->state = ENTRY_EMPTY;
  g_cond_broadcast (&pipelines->changed);
}

gboolean
sl_vk_pipelines_get (SlVkDevice *device, const SlDispatch *records, uint32_t n,
                     const SlVkPipeline **ret_pipelines, GError **error)
{
  SlVkPipelines *pipelines = device->pipelines;
  g_autoptr (GPtrArray) mine = g_ptr_array_new ();
  for (bool missing = true; missing;) {
    g_ptr_array_set_size (mine, 0);
    g_mutex_lock (&pipelines->lock);
    VkResult result = claim (device, records, n, ret_pipelines, mine, &missing);
    if (result != VK_SUCCESS)
      disclaim (pipelines, mine);
    else if (missing && mine->len == 0)
      g_cond_wait (&pipelines->changed, &pipelines->lock);
    g_mutex_unlock (&pipelines->lock);
    if (result != VK_SUCCESS)
      return sl_vk_device_error (device, error, result, "no descriptor layout");
    if (mine->len > 0 && !build_all (device, mine, error))
      return FALSE;
  }
  return TRUE;
}
