/* Live content: that of parameters and state, which runs change. Its newest version may be in a
 * device's memory and not on the host. Who touches it anywhere goes through here; what nobody else
 * sees yet may be filled as any other tensor.
 *
 * Any thread. Nobody sets content while a run that reads or changes it is submitted. Reading is
 * allowed, and yields what that run makes once it is submitted; if its wait then fails the content
 * is lost all the same, and what was read is no good. */
#pragma once

#include <sightline/tensor.h>

#include <stdbool.h>

/* Who keeps content that the host lacks: a device. */
typedef struct SlLiveHolder SlLiveHolder;
struct SlLiveHolder {
  /* Brings to the host whatever the holder has newer, of all tensors or, on failure, of none: what
   * the host has is the content of one moment. Locked. */
  gboolean (*fetch) (SlLiveHolder *holder, GError **error);
};

/* Of each tensor; guarded by the lock. */
typedef struct SlLive {
  uint64_t version;     /* grows by 1 with each change */
  uint64_t on_host;     /* that the tensor's own memory holds */
  SlLiveHolder *holder; /* has the newest where the host has not; NULL: it is lost */
  gint is_away;         /* on_host is not version; atomic: may be asked without the lock */
} SlLive;

/* A version that no content has. */
#define SL_LIVE_NONE UINT64_MAX

/* Makes the content of the tensor's own memory the newest; FALSE with the error of the device that
 * has it. */
gboolean sl_live_update (SlTensor *tensor, GError **error);
/* Gives it a whole new content, also where the newest was lost. */
void sl_live_set (SlTensor *tensor, const void *data);

/* --- For who runs programs --- */

/* One for all content. Held while versions are compared and content is moved, and by a run that
 * changes content until it is all submitted: with steps on the CPU between a device's that takes
 * nearly as long as the run, up to the time after which a device counts as lost. Who finds the
 * newest on the host does without (sl_live_is_on_host()). What moves needs no other lock that is
 * held by somebody who waits for this one. */
void sl_live_lock (void);
void sl_live_unlock (void);

/* TRUE if the tensor's own memory holds the newest content, at this moment. Without the lock. */
bool sl_live_is_on_host (SlTensor *tensor);

/* The rest is called under the lock. */

SlLive *sl_tensor_get_live (SlTensor *tensor);

/* sl_live_update(). */
gboolean sl_live_fetch (SlTensor *tensor, GError **error);
/* A run changes the content, in the holder's memory, or in the tensor's own if that is NULL. */
void sl_live_advance (SlTensor *tensor, SlLiveHolder *holder);
/* The content has been brought to the tensor's own memory. */
void sl_live_settle (SlTensor *tensor);
/* A run changed the content in part, or what had the newest is gone. */
void sl_live_lose (SlTensor *tensor);
