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

bool
sl_live_is_on_host (SlTensor *tensor)
{
  return !g_atomic_int_get (&sl_tensor_get_live (tensor)->is_away);
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
    sl_live_settle (tensor);
  else
    g_atomic_int_set (&live->is_away, 1);
}

void
sl_live_settle (SlTensor *tensor)
{
  SlLive *live = sl_tensor_get_live (tensor);
  live->on_host = live->version;
  live->holder = NULL;
  g_atomic_int_set (&live->is_away, 0);
}

void
sl_live_lose (SlTensor *tensor)
{
  SlLive *live = sl_tensor_get_live (tensor);
  live->version++;
  live->holder = NULL;
  g_atomic_int_set (&live->is_away, 1);
}

gboolean
sl_live_update (SlTensor *tensor, GError **error)
{
  if (sl_live_is_on_host (tensor))
    return TRUE;
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
