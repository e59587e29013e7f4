/* Loops that fit the push constants, for C and GLSL: neighbours that step alike are one. */
#ifndef SL_RANK_H
#define SL_RANK_H

#define LOOP_RANK 5

#endif
