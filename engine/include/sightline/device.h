/* Where programs run. */
#pragma once

#include <sightline/error.h>

#include <stdint.h>

G_BEGIN_DECLS

typedef enum {
  SL_BACKEND_REFERENCE, /* double precision, one thread: oracle, not for work */
  SL_BACKEND_CPU
} SlBackendKind;

/* A device that a program can be made for. Immutable; lives as long as the process; any thread. */
typedef struct SlDevice {
  const char *id; /* what `device=` takes: "cpu", "ref" */
  SlBackendKind backend;
  const char *description; /* "Intel(R) Xeon(R) …" */
  const char *isa;         /* instruction set in use, e.g. "x86-64-v4" */
  uint32_t threads;        /* that a run can use */
} SlDevice;

/* NULL-ended list of the devices that are there, best first; "ref" is last. */
SL_API const SlDevice *const *sl_device_list (void);

/* "auto", "cpu", "ref"; "vulkan…" and anything unknown is SL_ERROR_DEVICE, saying what there is. */
SL_API const SlDevice *sl_device_find (const char *name, GError **error);

G_END_DECLS
