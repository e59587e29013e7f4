/* Elements of buffers: how they are stored, and the arithmetic type, float, that they are read into. */
#ifndef TYPES_GLSL
#define TYPES_GLSL

/* With HALF, REAL elements are 16-bit floats in memory. Subnormal ones a device may take for 0; round.py sees to it that
 * what is stored is rounded to nearest, ties to even. (Not with TEXELS: lavapipe does so with one instruction, and with
 * some thirty where it is told to.) */
#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
#define REAL float16_t
#define REAL4 f16vec4
#else
#define REAL float
#define REAL4 vec4
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
 * times as fast as a storage buffer (README.md). READ_FLOATS: float32 with HALF, too. */
#ifdef TEXELS
#define READ_FOURS(N, name) layout (set = 0, binding = N) uniform samplerBuffer name
#define READ_FLOATS(N, name) READ_FOURS (N, name)
#define FOUR_OF(name, i) texelFetch (name, int ((i) / 4))
#define ONE_OF(name, i) texelFetch (name, int ((i) / 4))[(i) % 4]
#else
#define READ_FOURS(N, name) \
  READ (N, REAL, name);     \
  READ (N, REAL4, name##4)
#define READ_FLOATS(N, name) \
  READ (N, float, name);     \
  READ (N, vec4, name##4)
#define FOUR_OF(name, i) vec4 (name##4[(i) / 4])
#define ONE_OF(name, i) float (name[i])
#endif

/* Buffer N, written by elements, and by aligned vectors of four. */
#define WRITE_FOURS(N, name) \
  WRITE (N, REAL, name);     \
  WRITE (N, REAL4, name##4)
#define STORE(name, i, x) name[i] = REAL (x)
#define STORE_FOUR(name, i, v) name##4[(i) / 4] = REAL4 (v)

/* Buffer N, the same where the specialisation constant `writes_floats` is false, else of float32 with HALF, too. */
#ifdef HALF
#define WRITE_EITHER(N, name)   \
  WRITE_FOURS (N, name);        \
  WRITE (N, float, name##_wide); \
  WRITE (N, vec4, name##_wide4)
#define STORE_EITHER(name, i, x) \
  if (writes_floats)             \
    name##_wide[i] = x;          \
  else                           \
    STORE (name, i, x)
#define STORE_EITHER_FOUR(name, i, v) \
  if (writes_floats)                  \
    name##_wide4[(i) / 4] = v;        \
  else                                \
    STORE_FOUR (name, i, v)
#else
#define WRITE_EITHER(N, name) WRITE_FOURS (N, name)
#define STORE_EITHER(name, i, x) STORE (name, i, x)
#define STORE_EITHER_FOUR(name, i, v) STORE_FOUR (name, i, v)
#endif

#endif
