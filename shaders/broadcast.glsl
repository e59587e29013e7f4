/* Where element `i` of a nest of five loops, fastest last, lies in an operand. */
#ifndef BROADCAST_GLSL
#define BROADCAST_GLSL

#include "rank.h"

/* The place of element `i`, each loop taking `dims` steps of `strides`. */
uint
place_of (uint i, uint dims[LOOP_RANK], int strides[LOOP_RANK])
{
  int at = 0;
  for (int d = LOOP_RANK - 1; d > 0; d--) {
    at += int (i % dims[d]) * strides[d];
    i /= dims[d];
  }
  return uint (at + int (i) * strides[0]);
}

#endif
