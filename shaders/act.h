/* SlActKind, for C and GLSL: the activation at the end of a kernel. */
#ifndef SL_ACT_H
#define SL_ACT_H

#define ACT_NONE 0
#define ACT_CLIP 1
#define ACT_LEAKY 2
#define ACT_SIGMOID 3
#define ACT_TANH 4
#define ACT_SILU 5
#define ACT_HARDSWISH 6

#endif
