/* Where everything that a program works on lies: in a run's arena on the device, in its staging
 * memory, among the constants. */
#pragma once

#include "vulkan/weights.h"

/* A run's arena holds what the plan placed, then scratch. Parameters and state lie among the
 * constants, behind them: programs share both. */
typedef struct SlVkPlaces {
  const SlPlan *plan;
  GPtrArray *constants; /* SlTensor, different ones */
  uint32_t first_live;  /* of constants: from here on, parameters and state */
  int32_t *constant_of; /* by id of a root: index in constants, or -1 */
  uint64_t *offset;     /* by id of a root: byte in the arena */
  uint64_t scratch;     /* byte in the arena */
  uint64_t arena_bytes;
  uint64_t *staging; /* by id of a port: byte in the staging memory */
  uint64_t host;     /* from here on, roots that host steps read and write */
  uint64_t staging_bytes;
} SlVkPlaces;

/* Of the values that records bind, host steps (SlStep *) touch and ports are. */
void sl_vk_places_init (SlVkPlaces *places, const SlPlan *plan, const GArray *records,
                        const GPtrArray *host_steps, uint64_t scratch_bytes);
void sl_vk_places_clear (SlVkPlaces *places);

/* The byte of the arena where the value begins; FALSE: it lies in constant *ret_constant, at byte
 * *ret_offset of that. */
bool sl_vk_places_find (const SlVkPlaces *places, const SlValue *value, uint64_t *ret_offset,
                        int32_t *ret_constant);
