/* First contents of parameters. */
#include "train/build.h"

#include "core/philox.h"

#include <math.h>

/* Of the key, so that no other draw of the same seed (dropout, augmentation) has these numbers. */
#define INITIALIZER_KEY 0x494e4954u /* "INIT" */

typedef struct Draws {
  uint32_t key[2];
  uint32_t name[2];
} Draws;

/* FNV-1a. */
static uint64_t
hash_name (const char *name)
{
  uint64_t hash = UINT64_C (0xcbf29ce484222325);
  for (; *name != '\0'; name++)
    hash = (hash ^ (uint8_t)*name) * UINT64_C (0x100000001b3);
  return hash;
}

/* In (0, 1). */
static double
unit (uint32_t bits)
{
  return ((double)bits + 0.5) * 0x1p-32;
}

/* Two words for element `i`; other ones for each `attempt`. */
static SlPhilox
draw (const Draws *draws, uint64_t i, uint32_t attempt)
{
  const uint32_t counter[] = {(uint32_t)i, (uint32_t)(i >> 32) ^ attempt << 8, draws->name[0],
                              draws->name[1]};
  return sl_philox (counter, draws->key);
}

/* Box and Muller: two uniform numbers make a normal one. */
static double
normal (const SlPhilox *words)
{
  return sqrt (-2 * log (unit (words->value[0]))) * cos (2 * G_PI * unit (words->value[1]));
}

static double
draw_element (const SlInitializer *initializer, double size, const Draws *draws, uint64_t i)
{
  SlPhilox words = draw (draws, i, 0);
  switch (initializer->draw) {
  case SL_DRAW_CONSTANT:
    return size;
  case SL_DRAW_UNIFORM:
    return size * (2 * unit (words.value[0]) - 1);
  case SL_DRAW_NORMAL:
    return size * normal (&words);
  case SL_DRAW_TRUNCATED_NORMAL:
    for (uint32_t attempt = 1; fabs (normal (&words)) > 2; attempt++)
      words = draw (draws, i, attempt);
    return size * normal (&words);
  }
  g_assert_not_reached ();
}

void
sl_train_initialize (const SlGraph *graph, guint64 seed)
{
  for (uint32_t k = 0; k < graph->values->len; k++) {
    const SlValue *value = g_ptr_array_index (graph->values, k);
    if (!sl_value_is_variable (value) || value->initializer == NULL || value->dtype != SL_FLOAT32)
      continue;
    const uint64_t name = hash_name (value->name);
    const Draws draws = {{(uint32_t)seed, (uint32_t)(seed >> 32) ^ INITIALIZER_KEY},
                         {(uint32_t)name, (uint32_t)(name >> 32)}};
    const double size = sl_initializer_get_size (value->initializer, value->fan_in, value->fan_out);
    float *data = sl_tensor_get_data_writable (value->data);
    const size_t n = sl_tensor_get_elements (value->data);
    for (size_t i = 0; i < n; i++)
      data[i] = (float)draw_element (value->initializer, size, &draws, i);
  }
}
