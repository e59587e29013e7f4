/* Elements of buffers: how they are stored, and the arithmetic type, float, that they are read into. */
#ifndef TYPES_GLSL
#define TYPES_GLSL

#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
#define REAL float16_t
#else
#define REAL float
#endif

/* Storage buffer N with elements name[]. READ: nobody writes it in the same dispatch, unless it is the output's
 * own memory, in which case the invocation that writes an element is the one that reads it, and reads it first. */
#define READ(N, type, name)                               \
  layout (set = 0, binding = N) readonly buffer B_##name  \
  {                                                       \
    type name[];                                          \
  }
#define WRITE(N, type, name)                              \
  layout (set = 0, binding = N) writeonly buffer B_##name \
  {                                                       \
    type name[];                                          \
  }

/* Buffer N, read by elements and by aligned vectors of four: ONE_OF (name, i) is element i, FOUR_OF (name, i) are
 * elements i to i + 3, i a multiple of 4. With TEXELS it is a texel buffer, which a CPU that plays a GPU reads several
 * times as fast as a storage buffer (README.md). */
#ifdef TEXELS
#define READ_FOURS(N, name) layout (set = 0, binding = N) uniform samplerBuffer name
#define FOUR_OF(name, i) texelFetch (name, int ((i) / 4))
#define ONE_OF(name, i) texelFetch (name, int ((i) / 4))[(i) % 4]
#else
#define READ_FOURS(N, name) \
  READ (N, REAL, name);     \
  READ (N, vec4, name##4)
#define FOUR_OF(name, i) name##4[(i) / 4]
#define ONE_OF(name, i) float (name[i])
#endif

/* Buffer N, written by elements, name[i], and by aligned vectors of four, name4[i / 4]. */
#define WRITE_FOURS(N, name) \
  WRITE (N, REAL, name);     \
  WRITE (N, vec4, name##4)

#endif
