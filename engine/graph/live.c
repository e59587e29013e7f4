#include "graph/live.h"

#include <string.h>

static GMutex lock;

void
sl_live_lock (void)
{
  g_mutex_lock (&lock);
}

void
sl_live_unlock (void)
{
  g_mutex_unlock (&lock);
}

gboolean
sl_live_fetch (SlTensor *tensor, GError **error)
{
  const SlLive *live = sl_tensor_get_live (tensor);
  if (live->on_host == live->version)
    return TRUE;
  if (live->holder != NULL)
    return live->holder->fetch (live->holder, error);
  g_set_error (error, SL_ERROR, SL_ERROR_DEVICE,
               "parameters were lost with the device or the run that changed them (a checkpoint "
               "restores them)");
  return FALSE;
}

void
sl_live_advance (SlTensor *tensor, SlLiveHolder *holder)
{
  SlLive *live = sl_tensor_get_live (tensor);
  live->version++;
  live->holder = holder;
  if (holder == NULL)
    live->on_host = live->version;
}

void
sl_live_lose (SlTensor *tensor)
{
  SlLive *live = sl_tensor_get_live (tensor);
  live->version++;
  live->holder = NULL;
}

gboolean
sl_live_update (SlTensor *tensor, GError **error)
{
  sl_live_lock ();
  const gboolean done = sl_live_fetch (tensor, error);
  sl_live_unlock ();
  return done;
}

void
sl_live_set (SlTensor *tensor, const void *data)
{
  sl_live_lock ();
  memcpy (sl_tensor_get_data_writable (tensor), data, sl_tensor_get_size (tensor));
  sl_live_advance (tensor, NULL);
  sl_live_unlock ();
}
