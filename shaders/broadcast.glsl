/* Where element `i` of a nest of five loops, fastest last, lies in an operand. */
#ifndef BROADCAST_GLSL
#define BROADCAST_GLSL

#include "rank.h"

/* The place of element `i` in the last `rank` loops, each taking `dims` steps of `strides`; the others take one. */
uint
place_in (uint rank, uint i, uint dims[LOOP_RANK], int strides[LOOP_RANK])
{
  int at = 0;
  for (uint d = LOOP_RANK - 1; d > LOOP_RANK - rank; d--) {
    at += int (i % dims[d]) * strides[d];
    i /= dims[d];
  }
  return uint (at + int (i) * strides[LOOP_RANK - rank]);
}

uint
place_of (uint i, uint dims[LOOP_RANK], int strides[LOOP_RANK])
{
  return place_in (LOOP_RANK, i, dims, strides);
}

#endif
