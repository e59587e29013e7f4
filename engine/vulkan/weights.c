#include "vulkan/weights.h"

#include "core/memory.h"
#include "vulkan/commands.h"

/* Constants that are uploaded together lie in blocks of about this size: few allocations, and none
 * that is hard to find room for. */
#define BLOCK_BYTES (G_GUINT64_CONSTANT (256) << 20)

typedef enum { ENTRY_EMPTY, ENTRY_BUSY, ENTRY_READY } EntryState;

typedef struct Block {
  SlVkBuffer buffer;
  uint32_t n; /* constants in it */
} Block;

typedef struct Entry {
  SlVkConstant constant; /* first: what callers see; its tensor is held, whose address names it */
  Block *block;
  uint32_t refs;
  EntryState state;
} Entry;

struct SlVkConstants {
  GMutex lock;
  GCond changed;       /* some entry's state */
  GHashTable *entries; /* SlTensor → Entry */
};

gboolean
sl_vk_constants_new (SlVkDevice *device, GError **error)
{
  SlVkConstants *constants = device->constants = g_new0 (SlVkConstants, 1);
  g_mutex_init (&constants->lock);
  g_cond_init (&constants->changed);
  constants->entries = g_hash_table_new (NULL, NULL);
  return TRUE;
}

void
sl_vk_constants_free (SlVkDevice *device)
{
  SlVkConstants *constants = g_steal_pointer (&device->constants);
  if (constants == NULL)
    return;
  g_hash_table_unref (constants->entries);
  g_mutex_clear (&constants->lock);
  g_cond_clear (&constants->changed);
  g_free (constants);
}

static void
block_unref (SlVkDevice *device, Block *block)
{
  if (block == NULL || --block->n > 0)
    return;
  sl_vk_buffer_clear (device, &block->buffer);
  g_free (block);
}

/* Locked, and the live content, too. */
static void
entry_unref (SlVkDevice *device, Entry *entry)
{
  if (--entry->refs > 0)
    return;
  const SlLive *live = sl_tensor_get_live (entry->constant.tensor);
  if (entry->constant.is_live && live->on_host != live->version && live->holder == &device->holder)
    sl_live_lose (entry->constant.tensor);
  g_hash_table_remove (device->constants->entries, entry->constant.tensor);
  block_unref (device, entry->block);
  sl_tensor_unref (entry->constant.tensor);
  g_free (entry);
}

/* A block for entries from `first` on; returns how many fit. */
static uint32_t
make_block (SlVkDevice *device, Entry *const *entries, uint32_t n, GError **error)
{
  const uint64_t most = MIN (BLOCK_BYTES, device->limits.max_allocation);
  uint64_t bytes = 0;
  uint32_t count = 0;
  for (; count < n; count++) {
    const uint64_t size =
        sl_align_up (sl_tensor_get_size (entries[count]->constant.tensor), SL_VK_PLACE_ALIGNMENT);
    if (count > 0 && bytes + size > most)
      break;
    entries[count]->constant.offset = bytes;
    bytes += size;
  }
  Block *block = g_new0 (Block, 1);
  if (!sl_vk_buffer_init (device, SL_VK_MEMORY_DEVICE, bytes, "weights", &block->buffer, error)) {
    g_free (block);
    return 0;
  }
  block->n = count;
  for (uint32_t i = 0; i < count; i++) {
    entries[i]->block = block;
    entries[i]->constant.buffer = &block->buffer;
  }
  return count;
}

static gboolean
upload_all (SlVkDevice *device, Entry *const *entries, uint32_t n, GError **error)
{
  SlVkUpload upload;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < n;) {
    uint32_t count = make_block (device, entries + i, n - i, error);
    if (count == 0)
      return FALSE;
    i += count;
  }
  for (uint32_t i = 0; i < n; i++)
    bytes += entries[i]->constant.is_live ? 0 : sl_tensor_get_size (entries[i]->constant.tensor);
  if (bytes == 0)
    return TRUE;
  if (!sl_vk_upload_init (device, bytes, &upload, error))
    return FALSE;
  gboolean done = TRUE;
  for (uint32_t i = 0; done && i < n; i++)
    done = entries[i]->constant.is_live ||
           sl_vk_upload_add (&upload, entries[i]->constant.buffer, entries[i]->constant.offset,
                             sl_tensor_get_data (entries[i]->constant.tensor),
                             sl_tensor_get_size (entries[i]->constant.tensor), error);
  done = done && sl_vk_upload_finish (&upload, error);
  sl_vk_upload_clear (&upload);
  return done;
}

/* Takes what nobody uploads into `mine`. Locked. */
static bool
claim (Entry *const *entries, uint32_t n, GPtrArray *mine)
{
  bool missing = false;
  for (uint32_t i = 0; i < n; i++) {
    missing = missing || entries[i]->state != ENTRY_READY;
    if (entries[i]->state != ENTRY_EMPTY)
      continue;
    entries[i]->state = ENTRY_BUSY;
    g_ptr_array_add (mine, entries[i]);
  }
  return missing;
}

/* Locked. */
static void
settle (SlVkDevice *device, GPtrArray *mine, gboolean uploaded)
{
  for (guint i = 0; i < mine->len; i++) {
    Entry *entry = mine->pdata[i];
    entry->state = uploaded ? ENTRY_READY : ENTRY_EMPTY;
    if (!uploaded) {
      block_unref (device, g_steal_pointer (&entry->block));
      entry->constant.buffer = NULL;
    }
  }
  g_cond_broadcast (&device->constants->changed);
}

/* Locked. */
static Entry *
find_or_add (SlVkConstants *constants, SlTensor *tensor, bool is_live)
{
  Entry *entry = g_hash_table_lookup (constants->entries, tensor);
  if (entry == NULL) {
    entry = g_new0 (Entry, 1);
    entry->constant.tensor = sl_tensor_ref (tensor);
    entry->constant.version = SL_LIVE_NONE;
    g_hash_table_insert (constants->entries, tensor, entry);
  }
  entry->constant.is_live |= is_live;
  entry->refs++;
  return entry;
}

gboolean
sl_vk_constants_get (SlVkDevice *device, SlTensor *const *tensors, uint32_t n, uint32_t first_live,
                     SlVkConstant **ret_constants, GError **error)
{
  SlVkConstants *constants = device->constants;
  g_autofree Entry **entries = g_new0 (Entry *, n + 1);
  g_autoptr (GPtrArray) mine = g_ptr_array_new ();
  g_mutex_lock (&constants->lock);
  for (uint32_t i = 0; i < n; i++) {
    entries[i] = find_or_add (constants, tensors[i], i >= first_live);
    ret_constants[i] = &entries[i]->constant;
  }
  gboolean done = TRUE;
  while (done && claim (entries, n, mine)) {
    if (mine->len == 0) {
      g_cond_wait (&constants->changed, &constants->lock);
      continue;
    }
    g_mutex_unlock (&constants->lock);
    done = upload_all (device, (Entry **)mine->pdata, mine->len, error);
    g_mutex_lock (&constants->lock);
    settle (device, mine, done);
    g_ptr_array_set_size (mine, 0);
  }
  g_mutex_unlock (&constants->lock);
  if (done)
    return TRUE;
  sl_live_lock ();
  sl_vk_constants_release (device, ret_constants, n);
  sl_live_unlock ();
  return FALSE;
}

bool
sl_vk_constants_is_last (SlVkDevice *device, const SlVkConstant *constant)
{
  g_mutex_lock (&device->constants->lock);
  const bool is_last = ((const Entry *)constant)->refs == 1;
  g_mutex_unlock (&device->constants->lock);
  return is_last;
}

void
sl_vk_constants_release (SlVkDevice *device, SlVkConstant *const *constants, uint32_t n)
{
  g_mutex_lock (&device->constants->lock);
  for (uint32_t i = 0; i < n; i++)
    entry_unref (device, (Entry *)constants[i]);
  g_mutex_unlock (&device->constants->lock);
}

GPtrArray *
sl_vk_constants_list_live (SlVkDevice *device)
{
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer entry;
  g_mutex_lock (&device->constants->lock);
  g_hash_table_iter_init (&iter, device->constants->entries);
  while (g_hash_table_iter_next (&iter, NULL, &entry))
    if (((Entry *)entry)->constant.is_live)
      g_ptr_array_add (list, entry);
  g_mutex_unlock (&device->constants->lock);
  return list;
}

uint64_t
sl_vk_constants_get_missing (SlVkDevice *device, SlTensor *const *tensors, uint32_t n)
{
  uint64_t bytes = 0;
  g_mutex_lock (&device->constants->lock);
  for (uint32_t i = 0; i < n; i++)
    if (g_hash_table_lookup (device->constants->entries, tensors[i]) == NULL)
      bytes += sl_align_up (sl_tensor_get_size (tensors[i]), SL_VK_PLACE_ALIGNMENT);
  g_mutex_unlock (&device->constants->lock);
  return bytes;
}
