/* WORD: elements of BITS bits that are moved, never computed with. */
#ifndef WORDS_GLSL
#define WORDS_GLSL

#if BITS == 8
#extension GL_EXT_shader_8bit_storage : require
#define WORD uint8_t
#elif BITS == 16
#extension GL_EXT_shader_16bit_storage : require
#define WORD uint16_t
#elif BITS == 32
#define WORD uint
#else
#define WORD uvec2
#endif

#endif
