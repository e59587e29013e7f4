/* Where programs run. */
#pragma once

#include <sightline/error.h>

#include <stdint.h>

G_BEGIN_DECLS

typedef enum {
  SL_BACKEND_REFERENCE, /* double precision, one thread: oracle, not for work */
  SL_BACKEND_CPU,
  SL_BACKEND_VULKAN
} SlBackendKind;

/* A device that a program can be made for. Immutable; lives as long as the process; any thread. */
typedef struct SlDevice {
  const char *id; /* what `device=` takes: "cpu", "vulkan:0", "ref" */
  SlBackendKind backend;
  uint32_t number;         /* among the devices of its backend */
  const char *description; /* "Intel(R) Xeon(R) …", "NVIDIA H200" */
  const char *isa;         /* instruction set in use, e.g. "x86-64-v4"; of a GPU: "spir-v" */
  uint32_t threads;        /* of this machine that a run can use */

  /* Of a Vulkan device; else "", and 0 bytes. */
  const char *type;     /* "discrete GPU", "integrated GPU", "virtual GPU", "other", or "CPU" for
                           one that plays a GPU */
  const char *driver;   /* name and version, and the version of Vulkan */
  const char *uuid;     /* "6d657361-3232-2e33-2e36-000000000000" */
  const char *features; /* of those that not every device has, what the shaders use: "f16, int8" */
  const char *matrices; /* what becomes of cooperative matrices: "used …" or "unused: " and why */
  guint64 memory;       /* bytes that are local to it */
} SlDevice;

/* NULL-ended list of the devices that are there: the CPU, GPUs (discrete, integrated, virtual),
 * CPUs that play a GPU, "ref". The first call opens the Vulkan drivers. */
SL_API const SlDevice *const *sl_device_list (void);

/* The device of that name; else SL_ERROR_DEVICE, saying what there is.
 *   NULL, "", "auto"   the CPU, until every network that runs there runs by Vulkan as well; what
 * can do with either asks sl_device_find_gpu() first "cpu", "ref"       (without looking for
 * Vulkan) "vulkan"           the best Vulkan device; a CPU that plays a GPU only where there is no
 * GPU "vulkan:N"         number N of the Vulkan devices "vulkan:UUID"      by its 32 digits, with
 * or without dashes "vulkan:TEXT", "TEXT"   the best one with that in its description, whatever the
 * case; three letters or more, and digits that are no device's number */
SL_API const SlDevice *sl_device_find (const char *name, GError **error);

/* TRUE of NULL, "" and "auto": whoever asks leaves the choice to us. */
SL_API gboolean sl_device_is_auto (const char *name);

/* The best GPU, discrete before integrated; a CPU that plays one is none. NULL, saying why, with
 * SL_ERROR_DEVICE if there may be one that cannot be reached (no driver, no loader), or
 * SL_ERROR_NOT_FOUND if all is well but there is none, or this build has no Vulkan. */
SL_API const SlDevice *sl_device_find_gpu (GError **error);

/* Memory of the host that a GPU reads where it is: for frames that are written by the CPU and
 * sampled by the GPU (sl_run_sample()). It is cached, and good to write and read, whatever becomes
 * of the device; each piece is an allocation of the driver's, of which there may be some thousand.
 * SL_ERROR_UNSUPPORTED of a device that gains nothing by it: the CPU, and one that plays a GPU, and
 * GPUs that have no cached memory. Any thread. */
typedef struct SlHostMemory SlHostMemory;
SL_API SlHostMemory *sl_host_memory_new (const SlDevice *device, gsize size, GError **error);
SL_API void *sl_host_memory_get_data (SlHostMemory *memory);
/* When no run is to read it any more. */
SL_API void sl_host_memory_free (SlHostMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlHostMemory, sl_host_memory_free)

G_END_DECLS
