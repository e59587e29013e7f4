/* WORD: elements of BITS bits that are moved, never computed with. WORD4: vectors of four, where there are such.
 * WORD_OF: a word of one that was read, which of 16 bits is uint by then. */
#ifndef WORDS_GLSL
#define WORDS_GLSL

#if BITS == 8
#extension GL_EXT_shader_8bit_storage : require
#define WORD uint8_t
#elif BITS == 16
#extension GL_EXT_shader_16bit_storage : require
#define WORD uint16_t
#define WORD4 u16vec4
#define WORD_OF(x) WORD (x)
#elif BITS == 32
#define WORD uint
#define WORD4 uvec4
#else
#define WORD uvec2
#endif

#ifndef WORD_OF
#define WORD_OF(x) (x)
#endif

#endif
