/* What frame.comp's table begins with, for C and GLSL: floats by their places. */
#ifndef SL_COLORS_H
#define SL_COLORS_H

#define COLORS_MATRIX 0 /* 9: components to R, G, B in 0 … 255, in the order of the channels */
#define COLORS_OFFSET 9 /* 3: added to them */
#define COLORS_GAIN 12  /* 3: of each channel */
#define COLORS_BIAS 15  /* 3 */
#define COLORS_PAD 18   /* 3: where the picture does not reach, gain and bias applied */
#define COLORS_LUMA 21  /* 3: weights of a single channel */
#define COLORS_WORDS 24

#endif
