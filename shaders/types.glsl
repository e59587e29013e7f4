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

#endif
