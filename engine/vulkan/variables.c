#include "vulkan/variables.h"

#include "core/memory.h"
#include "vulkan/commands.h"

#include <string.h>

static bool
is_newest (const SlVkDevice *device, const SlVkConstant *variable)
{
  const SlLive *live = sl_tensor_get_live (variable->tensor);
  return live->on_host != live->version && live->holder == &device->holder;
}

/* Gives the tensors what lies in `aside`, one behind the other. */
static void
settle (const GPtrArray *list, const char *aside)
{
  for (guint i = 0; i < list->len; i++) {
    SlVkConstant *variable = g_ptr_array_index (list, i);
    const size_t bytes = sl_tensor_get_size (variable->tensor);
    memcpy (sl_tensor_get_data_writable (variable->tensor), aside, bytes);
    sl_live_settle (variable->tensor);
    aside += bytes;
  }
}

/* All that the device has newer, aside first: no failure may leave tensors of different steps. */
static gboolean
fetch (SlLiveHolder *holder, GError **error)
{
  SlVkDevice *device = (SlVkDevice *)((char *)holder - G_STRUCT_OFFSET (SlVkDevice, holder));
  g_autoptr (GPtrArray) list = sl_vk_constants_list_live (device);
  uint64_t bytes = 0;
  for (guint i = list->len; i-- > 0;)
    if (is_newest (device, list->pdata[i]))
      bytes += sl_tensor_get_size (((SlVkConstant *)list->pdata[i])->tensor);
    else
      g_ptr_array_remove_index_fast (list, i);
  if (!sl_vk_device_check (device, error))
    return FALSE;
  g_autofree char *aside = g_try_malloc (bytes);
  g_autofree SlVkPiece *pieces = g_new (SlVkPiece, list->len + 1);
  if (aside == NULL && bytes > 0) {
    g_set_error (error, SL_ERROR, SL_ERROR_MEMORY,
                 "no memory for the %" G_GUINT64_FORMAT " bytes of parameters that %s has", bytes,
                 device->physical->info.name);
    return FALSE;
  }
  char *to = aside;
  for (guint i = 0; i < list->len; i++) {
    const SlVkConstant *variable = list->pdata[i];
    pieces[i] = (SlVkPiece){.from = variable->buffer,
                            .offset = variable->offset,
                            .bytes = sl_tensor_get_size (variable->tensor),
                            .to = to};
    to += pieces[i].bytes;
  }
  if (!sl_vk_download (device, pieces, list->len, error))
    return FALSE;
  settle (list, aside);
  return TRUE;
}

void
sl_vk_variables_init (SlVkDevice *device)
{
  device->holder.fetch = fetch;
}

static gboolean
upload (SlVkDevice *device, SlVkConstant *const *variables, uint32_t n, uint64_t bytes,
        GError **error)
{
  SlVkUpload upload;
  if (!sl_vk_upload_init (device, bytes, &upload, error))
    return FALSE;
  gboolean done = TRUE;
  for (uint32_t i = 0; done && i < n; i++) {
    SlVkConstant *to = variables[i];
    if (to->version == sl_tensor_get_live (to->tensor)->version)
      continue;
    to->version = SL_LIVE_NONE;
    done = sl_vk_upload_add (&upload, to->buffer, to->offset, sl_tensor_get_data (to->tensor),
                             sl_tensor_get_size (to->tensor), error);
  }
  done = done && sl_vk_upload_finish (&upload, error);
  sl_vk_upload_clear (&upload);
  for (uint32_t i = 0; done && i < n; i++)
    variables[i]->version = sl_tensor_get_live (variables[i]->tensor)->version;
  return done;
}

gboolean
sl_vk_variables_load (SlVkDevice *device, SlVkConstant *const *variables, uint32_t n,
                      GError **error)
{
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (variables[i]->version == sl_tensor_get_live (variables[i]->tensor)->version)
      continue;
    if (!sl_live_fetch (variables[i]->tensor, error))
      return FALSE;
    bytes += sl_tensor_get_size (variables[i]->tensor);
  }
  return bytes == 0 || upload (device, variables, n, bytes, error);
}

void
sl_vk_variables_advance (SlVkDevice *device, SlVkConstant *const *variables, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    sl_live_advance (variables[i]->tensor, &device->holder);
    variables[i]->version = sl_tensor_get_live (variables[i]->tensor)->version;
  }
}

void
sl_vk_variables_save (SlVkDevice *device, SlVkConstant *const *variables, uint32_t n)
{
  g_autoptr (GError) error = NULL;
  for (uint32_t i = 0; i < n; i++) {
    if (!is_newest (device, variables[i]) || !sl_vk_constants_is_last (device, variables[i]))
      continue;
    if (!fetch (&device->holder, &error))
      g_debug ("%s", error->message);
    return;
  }
}
