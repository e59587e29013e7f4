/* A compiled compute shader and what its source declares. shaders/reflect.py makes one of each
 * variant of a shader; nobody writes them by hand. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* What a device has to offer, beside Vulkan 1.1. */
typedef enum {
  SL_SHADER_FLOAT16 = 1 << 0,    /* arithmetic on half floats */
  SL_SHADER_INT16 = 1 << 1,      /* arithmetic on 16-bit integers */
  SL_SHADER_INT8 = 1 << 2,       /* arithmetic on bytes */
  SL_SHADER_STORAGE16 = 1 << 3,  /* 16-bit elements in storage buffers */
  SL_SHADER_STORAGE8 = 1 << 4,   /* bytes in storage buffers */
  SL_SHADER_MATRIX_NV = 1 << 5,  /* VK_NV_cooperative_matrix */
  SL_SHADER_MATRIX_KHR = 1 << 6, /* VK_KHR_cooperative_matrix */
} SlShaderNeeds;
#define SL_SHADER_MATRIX (SL_SHADER_MATRIX_NV | SL_SHADER_MATRIX_KHR)

#define SL_PUSH_MAX 128 /* bytes of push constants; every device has so many */

typedef struct SlShader {
  const char *name;
  const uint32_t *code; /* SPIR-V */
  size_t code_size;     /* bytes */
  uint32_t n_bindings;  /* buffers 0, 1, … of descriptor set 0 */
  uint32_t written;     /* bit i: binding i is written */
  uint32_t texels;    /* bit i: binding i is a uniform texel buffer of four floats, else storage */
  uint32_t push_size; /* bytes */
  uint32_t n_specs;   /* specialisation constants 0, 1, …, 4 bytes each, */
  const uint32_t *specs; /* and what they are unless set */
  SlShaderNeeds needs;
} SlShader;

/* SHA-256 of all shaders of this build, in hexadecimal (shaders/hash.py). */
extern const char sl_shaders_hash[];
